//go:build linux

// UMEM registrations: one for all sockets over the same pool that work in the same way, of whatever port and interface.

package afxdp

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/pool"
)

// way is how sockets work. Those that share a registration work in the same way: the kernel has them inherit it.
type way struct {
	zeroCopy bool
	sg       bool // frames in several chunks
	wakeup   bool // the kernel says when it wants to be woken
}

func (w way) flags() (f uint16) {
	f = unix.XDP_COPY
	if w.zeroCopy {
		f = unix.XDP_ZEROCOPY
	}
	if w.sg {
		f |= unix.XDP_USE_SG
	}
	if w.wakeup {
		f |= unix.XDP_USE_NEED_WAKEUP
	}
	return f
}

// registration is what sockets share.
type registration struct {
	pool *pool.Pool
	way  way
}

// registrations has the bound sockets of each registration: to share it, the kernel wants to see one of them. The
// kernel counts them itself, and lets go of the memory after the last.
var registrations = struct {
	sync.Mutex
	m map[registration][]int
}{m: map[registration][]int{}}

// bind binds a socket, whose rings are there, to a queue: with the registration of others, or with one of
// its own if there are none. shared tells which.
func (r registration) bind(socket int, d device, queue int) (shared bool, err error) {
	registrations.Lock()
	defer registrations.Unlock()
	others := registrations.m[r]
	a := unix.SockaddrXDP{Flags: r.way.flags(), Ifindex: uint32(d.index), QueueID: uint32(queue)}
	if len(others) > 0 {
		a.Flags, a.SharedUmemFD = unix.XDP_SHARED_UMEM, uint32(others[0])
	} else if err := r.register(socket); err != nil {
		return false, err
	}
	if err := unix.Bind(socket, &a); err != nil {
		return false, fmt.Errorf("binding to queue %d: %w", queue, err)
	}
	registrations.m[r] = append(others, socket)
	return len(others) > 0, nil
}

// close closes a socket that was bound.
func (r registration) close(socket int) error {
	registrations.Lock()
	defer registrations.Unlock()
	left := slices.DeleteFunc(registrations.m[r], func(s int) bool { return s == socket })
	if len(left) == 0 {
		delete(registrations.m, r)
	} else {
		registrations.m[r] = left
	}
	return unix.Close(socket)
}

// register makes the pool's region the socket's UMEM.
func (r registration) register(socket int) error {
	mem, chunk, headroom, _ := r.pool.UMEM()
	u := unix.XDPUmemReg{
		Addr:     uint64(uintptr(unsafe.Pointer(unsafe.SliceData(mem)))),
		Len:      uint64(len(mem)),
		Size:     uint32(chunk),
		Headroom: uint32(headroom),
	}
	err := setsockopt(socket, unix.XDP_UMEM_REG, unsafe.Pointer(&u), unsafe.Sizeof(u))
	if errors.Is(err, unix.ENOBUFS) { // more locked memory than this user may have; root may raise that
		limit := unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
		if unix.Setrlimit(unix.RLIMIT_MEMLOCK, &limit) == nil {
			err = setsockopt(socket, unix.XDP_UMEM_REG, unsafe.Pointer(&u), unsafe.Sizeof(u))
		}
	}
	switch {
	case errors.Is(err, unix.ENOBUFS), errors.Is(err, unix.ENOMEM):
		return fmt.Errorf("the pool's %d KiB can't be locked in memory: %w; raise the limit (ulimit -l, LimitMEMLOCK= of systemd), give CAP_IPC_LOCK, or make the pool smaller", len(mem)>>10, err)
	case err != nil:
		return fmt.Errorf("registering the pool's memory: %w", err)
	}
	return nil
}

func setsockopt(socket, option int, value unsafe.Pointer, size uintptr) error {
	if _, _, errno := unix.Syscall6(unix.SYS_SETSOCKOPT, uintptr(socket), unix.SOL_XDP, uintptr(option), uintptr(value), size, 0); errno != 0 {
		return errno
	}
	return nil
}

func getsockopt(socket, option int, value unsafe.Pointer, size uintptr) error {
	n := uint32(size)
	if _, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(socket), unix.SOL_XDP, uintptr(option), uintptr(value), uintptr(unsafe.Pointer(&n)), 0); errno != 0 {
		return errno
	}
	return nil
}

func mmapOffsets(socket int) (o unix.XDPMmapOffsets, err error) {
	if err := getsockopt(socket, unix.XDP_MMAP_OFFSETS, unsafe.Pointer(&o), unsafe.Sizeof(o)); err != nil {
		return o, fmt.Errorf("asking where the rings are: %w", err)
	}
	return o, nil
}

// kernelCounts are the kernel's counters of a socket, since it was opened.
func kernelCounts(socket int) (s unix.XDPStatistics, err error) {
	err = getsockopt(socket, unix.XDP_STATISTICS, unsafe.Pointer(&s), unsafe.Sizeof(s))
	return s, err
}

// probe binds a socket with a memory of its own to a queue, and closes it.
func probe(d device, queue int) error {
	s, err := unix.Socket(unix.AF_XDP, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	mem, err := unix.Mmap(-1, 0, 4*unix.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Munmap(mem) }()
	u := unix.XDPUmemReg{Addr: uint64(uintptr(unsafe.Pointer(&mem[0]))), Len: uint64(len(mem)), Size: 2048}
	if err := setsockopt(s, unix.XDP_UMEM_REG, unsafe.Pointer(&u), unsafe.Sizeof(u)); err != nil {
		return err
	}
	for _, ring := range []int{unix.XDP_UMEM_FILL_RING, unix.XDP_UMEM_COMPLETION_RING, unix.XDP_RX_RING} {
		if err := unix.SetsockoptInt(s, unix.SOL_XDP, ring, unused); err != nil {
			return err
		}
	}
	return unix.Bind(s, &unix.SockaddrXDP{Flags: unix.XDP_COPY, Ifindex: uint32(d.index), QueueID: uint32(queue)})
}
