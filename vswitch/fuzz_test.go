package vswitch

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/ringway-net/ringway/packet"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/mem"
)

// FuzzSwitch lets a switch have ports of all kinds and frames of all kinds, while ports come and go: nothing panics, no buffer is lost,
// and all is accounted for.
func FuzzSwitch(f *testing.F) {
	f.Add([]byte{2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 60, 0x12, 0, 5, 60, 0x21, 0})
	f.Add([]byte{3, 10, 0, 0, 0, 10, 0, 1, 0, 0, 1, 2, 0, 0, 2, 4, 9, 4, 20, 0xff, 1, 5, 30, 0x12, 2, 6, 14, 0x31, 3, 2, 0, 3, 0, 7, 80, 0xf3, 0})
	f.Add([]byte("\x05ports and frames out of what a person would type, to begin with: \x12\x34\x56 and so on, and on, and on"))
	f.Fuzz(func(t *testing.T, data []byte) {
		in := script(data)
		p, err := pool.New(pool.Config{Count: 64, HeapBuffers: 64, BufferSize: 512, Headroom: []int{pool.None, 2, 4, 64}[in.next()%4]})
		if err != nil {
			t.Fatal(err)
		}
		s := &fuzzed{T: t, pool: p, far: map[string]port.Port{}}
		if s.sw, err = New(Config{Addresses: 1 + int(in.next()%8), OutRing: 1 + int(in.next()), DrainTimeout: time.Millisecond}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- s.sw.Run(ctx) }()
		for n := range 2 + int(in.next()%4) {
			s.add(fmt.Sprint(n), &in)
		}
		for len(in) > 0 {
			name := fmt.Sprint(in.next() % 6)
			switch in.next() % 16 {
			case 0:
				s.sw.Flush()
			case 1:
				s.sw.AddStatic(name, uint16(in.next()), station(in.next()%8))
			case 2:
				s.remove(name)
			case 3:
				s.add(name, &in)
			case 4:
				s.sw.Forget(uint16(in.next()), station(in.next()%8))
			default:
				s.send(name, in.frame())
			}
		}
		for end := time.Now().Add(patience); s.sw.Stats().Received() < s.sent && time.Now().Before(end); {
			runtime.Gosched()
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		st := s.sw.Stats()
		if st.Received() != s.sent || st.InFlight() != 0 || st.Received()+st.Replicas()+st.Segments() != st.Sent()+st.Dropped() {
			t.Errorf("of %d received %d + replicas %d + segments %d, sent %d + dropped %d, in flight %d",
				s.sent, st.Received(), st.Replicas(), st.Segments(), st.Sent(), st.Dropped(), st.InFlight())
		}
		if n := len(s.sw.Addresses()); n > st.Table.Room {
			t.Errorf("%d addresses in a table for %d", n, st.Table.Room)
		}
		for name := range s.far {
			s.remove(name)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

// script is what is left of the fuzzer's input.
type script []byte

// next returns the next byte, or 0 if there are no more.
func (s *script) next() byte {
	if len(*s) == 0 {
		return 0
	}
	b := (*s)[0]
	*s = (*s)[1:]
	return b
}

// frame returns a frame: any bytes, or one with a header that makes sense and perhaps a tag.
func (s *script) frame() []byte {
	n, kind := int(s.next()), s.next()
	var f []byte
	if kind&0x0f < 8 {
		dst := station(kind >> 4 & 7)
		if kind&0x80 != 0 {
			dst = broadcast
		}
		t := noTag
		if kind&8 != 0 {
			t = tag(s.next())
		}
		f = frame(station(kind&7), dst, t, "")
	}
	rest := min(n, len(*s))
	f = append(f, (*s)[:rest]...)
	*s = (*s)[rest:]
	return f
}

// fuzzed is the switch.
type fuzzed struct {
	*testing.T
	pool *pool.Pool
	sw   *Switch
	near map[string]port.Port
	far  map[string]port.Port
	sent uint64 // frames that it is to receive
	mute map[string]bool
}

func (s *fuzzed) add(name string, in *script) {
	vlan, trunk, flags, limits := in.next(), in.next(), in.next(), in.next()
	c := PortConfig{VLAN: uint16(vlan & 15), Isolated: flags&1 != 0, MaxAddresses: int(limits & 3), FloodRate: int(limits >> 2)}
	for id := uint16(1); id < 8 && trunk&1 != 0; id++ {
		if trunk>>id&1 != 0 {
			c.Trunk = append(c.Trunk, id)
		}
	}
	if flags&2 != 0 {
		c.MACs = []packet.MAC{station(flags >> 4 & 7)}
	}
	if flags&4 != 0 {
		c.Mirror = []string{fmt.Sprint(flags >> 4 % 6)}
	}
	near, far, err := mem.Pair(port.Options{Pool: s.pool}, port.Options{Pool: s.pool}, mem.Config{Capacity: 1 + int(limits)}, mem.Config{})
	if err != nil {
		s.Fatal(err)
	}
	err = s.sw.Add(name, near, c)
	known := errors.Is(err, ErrPortExists) || errors.Is(err, ErrNoPort) || errors.Is(err, ErrPortConfig) || err != nil && c.MACs != nil
	if err != nil && !known {
		s.Errorf("%+v: %v", c, err)
	}
	if err != nil {
		near.Close()
		far.Close()
		return
	}
	s.ports(name, near, far, c)
}

func (s *fuzzed) ports(name string, near, far port.Port, c PortConfig) {
	if s.near == nil {
		s.near, s.mute = map[string]port.Port{}, map[string]bool{}
	}
	s.near[name], s.far[name], s.mute[name] = near, far, len(c.Mirror) > 0
}

// send has a host send a frame, and the switch receive it, so that what it is to do it does in this order.
func (s *fuzzed) send(name string, frame []byte) {
	far := s.far[name]
	if far == nil || s.mute[name] {
		return
	}
	b, err := s.pool.CopyIn(frame)
	if err != nil {
		return // the switch and the hosts have them all
	}
	if n, err := far.Tx([]pool.Buffer{b}); n == 0 {
		b.Release()
		if err != nil {
			s.Error(err)
		}
		return
	}
	s.sent++
}

// remove removes a port; what its host has sent it has received before.
func (s *fuzzed) remove(name string) {
	far := s.far[name]
	if far == nil {
		return
	}
	for end := time.Now().Add(patience); s.near[name].Stats().RxPackets < far.Stats().TxPackets && !s.mute[name] && time.Now().Before(end); {
		runtime.Gosched()
	}
	if err := s.sw.Remove(name); err != nil {
		s.Error(err)
	}
	s.near[name].Close()
	far.Close()
	delete(s.far, name)
}
