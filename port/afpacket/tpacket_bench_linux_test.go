// The experiment behind docs/decisions/0008-afpacket-receive.md: how frames get from the kernel into pool buffers.
//
//   - recvmmsg writes them into the buffers, a call for many;
//   - tpacket is a ring (TPACKET_V2) that is mapped from the kernel, with slots for the largest frames, copied from;
//   - port is what the port does.
//
// The sender is the same for all. In one benchmark it waits when a window of frames is under way, so that none is lost and the figures
// say what a frame costs from end to end; in the other it does not, and they say what an overloaded receiver gets.

package afpacket_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/fd"
	"github.com/ringway-net/ringway/internal/mmsg"
	"github.com/ringway-net/ringway/internal/netlab"
	"github.com/ringway-net/ringway/internal/vnet"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/afpacket"
)

// receiver is what both ways have in common, and port.Port has.
type receiver interface {
	Rx(bufs []pool.Buffer) (int, error)
	WaitRx(ctx context.Context) error
	Close() error
}

var ways = []struct {
	name string
	open func(o port.Options) (receiver, error)
}{
	{"recvmmsg", func(o port.Options) (receiver, error) { return openQueue("eth0", o) }},
	{"port", func(o port.Options) (receiver, error) { return afpacket.Open("eth0", o, afpacket.Config{}) }},
	{"tpacket", func(o port.Options) (receiver, error) { return openRing("eth0", o) }},
}

// BenchmarkReceive is with a sender that waits for the receiver.
func BenchmarkReceive(b *testing.B) {
	for _, f := range traffic {
		for _, way := range ways {
			b.Run(f.name+"/"+way.name, func(b *testing.B) { benchReceive(b, f.size, false, way.open) })
		}
	}
}

// BenchmarkFlood is with a sender that does not: figures are per frame that was received, and lost is how many of a hundred were not.
func BenchmarkFlood(b *testing.B) {
	for _, f := range traffic[:2] {
		for _, way := range ways {
			b.Run(f.name+"/"+way.name, func(b *testing.B) { benchReceive(b, f.size, true, way.open) })
		}
	}
}

// benchReceive moves b.N bursts over a cable.
func benchReceive(b *testing.B, size int, flood bool, open func(o port.Options) (receiver, error)) {
	const (
		burst  = 64
		window = 4 // bursts under way: 256 frames fit into either way's memory, if they are small
	)
	lab := netlab.New(b)
	near, far := quiet(lab, "near"), quiet(lab, "far")
	lab.Veth(near, "eth0", far, "eth0", 1500)
	o := port.Options{
		Pool:  newPool(b, pool.Config{Track: seldom}),
		Large: newPool(b, pool.Config{BufferSize: port.LargeBufferSize, Count: 512, Track: seldom}),
	}
	var r receiver
	var num int
	var err, dialed error
	near.Do(func() { r, err = open(o) })
	far.Do(func() { num, dialed = rawSocket("eth0") })
	if err := errors.Join(err, dialed); err != nil {
		b.Fatal(err)
	}
	defer unix.Close(num)
	defer r.Close()
	if err := unix.SetsockoptInt(num, unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1); err != nil {
		b.Fatal(err)
	}
	frame := benchFrame(b, o, size)
	defer frame.Release()
	head := make([]byte, vnet.Len)
	left, _ := frame.Offload()
	vnet.Encode(head, left, frame.Bytes())
	batch := mmsg.New(burst, 2, 0, false)
	for i := range burst {
		batch.Set(i, 0, head)
		batch.Set(i, 1, frame.Bytes())
	}
	most := window * burst
	if size > 2048 {
		most = burst // of large ones, fewer
	}
	room := make(chan struct{}, most/burst)
	sent := make(chan error, 1)
	n := 0
	b.ResetTimer()
	cpu := cpuTime(b)
	go func() {
		for range b.N {
			if !flood {
				room <- struct{}{}
			}
			for from := 0; from < burst; {
				k, err := batch.Send(num, from, burst)
				if err != nil {
					sent <- err
					return
				}
				from += k
			}
		}
		sent <- nil
	}()
	var bufs [burst]pool.Buffer
	ctx, stop := context.WithCancel(b.Context())
	defer stop()
	over := make(chan error, 1)
	go func() {
		err := <-sent
		if flood {
			stop() // what has come by then is received
		}
		over <- err
	}()
	for n < b.N*burst {
		k, err := r.Rx(bufs[:])
		if err == nil && k == 0 {
			if err = r.WaitRx(ctx); flood && ctx.Err() != nil {
				break
			}
		}
		if err != nil {
			b.Fatal(err)
		}
		for _, got := range bufs[:k] {
			if got.Len() != frame.Len() || got.HasOffload() != frame.HasOffload() {
				b.Fatalf("%d bytes came, offload %v", got.Len(), got.HasOffload())
			}
		}
		pool.ReleaseBurst(bufs[:k])
		for range (n+k)/burst - n/burst {
			if !flood {
				<-room
			}
		}
		n += k
	}
	used := cpuTime(b) - cpu
	b.StopTimer()
	if err := <-over; err != nil {
		b.Fatal(err)
	}
	if flood {
		b.ReportMetric(100-100*float64(n)/float64(b.N*burst), "lost")
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/frame")
	b.ReportMetric(float64(used)/float64(n), "cpu-ns/frame")
	b.ReportMetric(0, "ns/op")
}

// queue is recvmmsg in miniature.
type queue struct {
	port.Base
	*fd.FD
	landing port.Landing
	batch   *mmsg.Batch
	heads   [port.LandingPlaces][vnet.Len]byte
}

func openQueue(name string, o port.Options) (*queue, error) {
	num, err := rawSocket(name)
	if err != nil {
		return nil, err
	}
	for _, option := range []int{unix.PACKET_VNET_HDR, unix.PACKET_AUXDATA} {
		if err := unix.SetsockoptInt(num, unix.SOL_PACKET, option, 1); err != nil {
			return nil, errors.Join(err, unix.Close(num))
		}
	}
	const auxdata = 20 // struct tpacket_auxdata, with the tag
	q := &queue{batch: mmsg.New(port.LandingPlaces, 3, unix.CmsgSpace(auxdata), false)}
	if q.FD, err = fd.New(num, "queue"); err != nil {
		return nil, err
	}
	q.Base.Init(o)
	q.landing.Init(&q.Base)
	return q, nil
}

func (q *queue) Rx(bufs []pool.Buffer) (n int, err error) {
	places := q.landing.Ready(len(bufs))
	for i := range places {
		first, rest := q.landing.Place(i)
		q.batch.Set(i, 0, q.heads[i][:])
		q.batch.Set(i, 1, first)
		q.batch.Set(i, 2, rest)
	}
	got, err := q.batch.Recv(q.Num(), places)
	if err != nil {
		if mmsg.WouldBlock(err) {
			err = nil
		}
		return 0, err
	}
	for i := range got {
		n := q.batch.Bytes(i) - vnet.Len
		left, err := vnet.Decode(q.heads[i][:], n)
		if err != nil {
			return i, err
		}
		b, ok := q.landing.Take(i, n)
		if !ok {
			return i, errTruncated
		}
		if left.Unfinished() {
			b.SetOffload(left)
		}
		bufs[i] = b
	}
	return got, nil
}

var errTruncated = errors.New("a frame was truncated")

func (q *queue) WaitRx(ctx context.Context) error { return q.WaitRead(ctx) }

func (q *queue) Close() error {
	return q.Shut(nil, func() error {
		q.landing.Close()
		return q.FD.Close()
	})
}

// ring is TPACKET_V2 in miniature: each slot has room for any frame, and what comes is copied into a pool buffer. It
// does what the port does for a frame, but for VLAN tags, which cost nothing here.
type ring struct {
	*fd.FD
	mem   []byte
	next  int
	small *pool.Cache
	large *pool.Cache
}

const (
	ringSlot  = 68 << 10
	ringSlots = 256
)

func openRing(name string, o port.Options) (r *ring, err error) {
	num, err := rawSocket(name)
	if err != nil {
		return nil, err
	}
	req := unix.TpacketReq{Block_size: ringSlot, Block_nr: ringSlots, Frame_size: ringSlot, Frame_nr: ringSlots}
	err = errors.Join(
		unix.SetsockoptInt(num, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V2),
		unix.SetsockoptInt(num, unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1),
		unix.SetsockoptTpacketReq(num, unix.SOL_PACKET, unix.PACKET_RX_RING, &req),
	)
	var mem []byte
	if err == nil {
		mem, err = unix.Mmap(num, 0, ringSlot*ringSlots, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	}
	if err != nil {
		return nil, errors.Join(err, unix.Close(num))
	}
	d, err := fd.New(num, "ring")
	if err != nil {
		return nil, errors.Join(err, unix.Munmap(mem))
	}
	return &ring{FD: d, mem: mem, small: o.Pool.NewCache(), large: o.Large.NewCache()}, nil
}

func (r *ring) Rx(bufs []pool.Buffer) (n int, err error) {
	for ; n < len(bufs); n++ {
		slot := r.mem[r.next*ringSlot:][:ringSlot]
		h := (*unix.Tpacket2Hdr)(unsafe.Pointer(&slot[0]))
		status := (*atomic.Uint32)(unsafe.Pointer(&h.Status))
		if status.Load()&unix.TP_STATUS_USER == 0 {
			return n, nil
		}
		frame := slot[h.Mac:][:h.Snaplen]
		from := r.small
		if len(frame) > from.Pool().BufferSize() {
			from = r.large
		}
		b, err := from.Get()
		if err != nil {
			return n, nil
		}
		if err := b.CopyFrom(frame); err != nil {
			return n, err
		}
		left, err := vnet.Decode(slot[h.Mac-vnet.Len:], len(frame))
		if err != nil {
			return n, err
		}
		if left.Unfinished() {
			b.SetOffload(left)
		}
		status.Store(unix.TP_STATUS_KERNEL)
		r.next = (r.next + 1) % ringSlots
		bufs[n] = b
	}
	return n, nil
}

func (r *ring) WaitRx(ctx context.Context) error { return r.WaitRead(ctx) }

func (r *ring) Close() error {
	r.small.Close()
	r.large.Close()
	return errors.Join(unix.Munmap(r.mem), r.FD.Close())
}
