// Tags without VLAN devices, which not every kernel has: programs at an interface's way out and way in put them on and take them
// off, in the same place in the kernel and by the same functions.

package afpacket_test

import (
	"net"
	"runtime"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/need"
	"github.com/ringway-net/ringway/internal/netif"
	"github.com/ringway-net/ringway/internal/netlab"
)

// tagAll makes all frames that leave by eth0 carry tags, the outermost first, and takes as many off those that come.
func tagAll(t *testing.T, n *netlab.Namespace, tags []tag) {
	t.Helper()
	const (
		self         = 6 // a register that calls leave alone
		vlanPush     = 18
		vlanPop      = 19
		setTo        = 0xb7
		setToReg     = 0xbf
		call         = 0x85
		exit         = 0x95
		passToOthers = -1
	)
	out := []instruction{{op: setToReg, regs: self | 1<<4}}
	in := out
	for i := range tags {
		tag := tags[len(tags)-1-i]
		out = append(out,
			instruction{op: setToReg, regs: 1 | self<<4},
			instruction{op: setTo, regs: 2, imm: int32(netif.NetworkOrder(tag.protocol))},
			instruction{op: setTo, regs: 3, imm: int32(tag.tci)},
			instruction{op: call, imm: vlanPush})
		in = append(in, instruction{op: setToReg, regs: 1 | self<<4}, instruction{op: call, imm: vlanPop})
	}
	end := []instruction{{op: setTo, regs: 0, imm: passToOthers}, {op: exit}}
	attach(t, n, unix.BPF_TCX_EGRESS, append(out, end...))
	attach(t, n, unix.BPF_TCX_INGRESS, append(in, end...))
}

// tag is a VLAN tag.
type tag struct{ protocol, tci uint16 }

// instruction is struct bpf_insn.
type instruction struct {
	op, regs uint8
	off      int16
	imm      int32
}

// attach loads a program and attaches it to eth0, until the test ends.
func attach(t *testing.T, n *netlab.Namespace, where uint32, code []instruction) {
	t.Helper()
	license := []byte("GPL\x00")
	load := struct {
		kind, count          uint32
		code, license        uint64
		logLevel, logSize    uint32
		log                  uint64
		version, flags       uint32
		name                 [16]byte
		ifindex, expectation uint32
	}{
		kind: unix.BPF_PROG_TYPE_SCHED_CLS, count: uint32(len(code)), expectation: where,
		code: uint64(uintptr(unsafe.Pointer(&code[0]))), license: uint64(uintptr(unsafe.Pointer(&license[0]))),
	}
	prog := bpf(t, unix.BPF_PROG_LOAD, unsafe.Pointer(&load), unsafe.Sizeof(load))
	runtime.KeepAlive(code)
	runtime.KeepAlive(license)
	defer unix.Close(prog)
	var index int
	n.Do(func() { index = indexOf(t, "eth0") })
	link := struct {
		prog, ifindex, where, flags uint32
		_, _                        uint32
		_                           uint64
	}{prog: uint32(prog), ifindex: uint32(index), where: where}
	var num int
	n.Do(func() { num = bpf(t, unix.BPF_LINK_CREATE, unsafe.Pointer(&link), unsafe.Sizeof(link)) })
	t.Cleanup(func() { unix.Close(num) })
}

// bpf is the system call, whose result is a descriptor.
func bpf(t *testing.T, command uintptr, attr unsafe.Pointer, size uintptr) int {
	t.Helper()
	num, _, errno := unix.Syscall(unix.SYS_BPF, command, uintptr(attr), size)
	for errno == unix.EAGAIN { // a signal came in between
		num, _, errno = unix.Syscall(unix.SYS_BPF, command, uintptr(attr), size)
	}
	switch errno {
	case 0:
		return int(num)
	case unix.EINVAL, unix.ENOSYS, unix.EPERM:
		need.Missing(t, "programs at interfaces (tcx, Linux 6.6): "+errno.Error())
	}
	t.Fatalf("bpf %d: %v", command, errno)
	return 0
}

// indexOf returns the number of an interface of the thread's namespace.
func indexOf(t tester, name string) int {
	t.Helper()
	i, err := net.InterfaceByName(name)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return i.Index
}
