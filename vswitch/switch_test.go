package vswitch

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/ringway-net/ringway/packet"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/mem"
	"github.com/ringway-net/ringway/stats"
)

// site is a switch that runs, with mem ports whose far ends are hosts.
type site struct {
	t     testing.TB
	pool  *pool.Pool
	sw    *Switch
	hosts map[string]port.Port
	wait  func() error
	end   context.CancelFunc
}

func newSite(t testing.TB, c Config, ports map[string]PortConfig) *site {
	t.Helper()
	return newSiteOf(t, newPool(t, pool.Config{}), c, ports)
}

// newSiteOf is newSite with the pool that all buffers are from.
func newSiteOf(t testing.TB, p *pool.Pool, c Config, ports map[string]PortConfig) *site {
	t.Helper()
	sw, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, pool: p, sw: sw, hosts: map[string]port.Port{}}
	ctx, cancel := context.WithCancel(t.Context())
	s.end = cancel
	done := make(chan error, 1)
	go func() { done <- sw.Run(ctx) }()
	s.wait = func() error {
		select {
		case err := <-done:
			return err
		case <-time.After(patience):
			t.Fatal("Run does not end")
			return nil
		}
	}
	for name, c := range ports {
		s.add(name, c)
	}
	return s
}

func (s *site) add(name string, c PortConfig) {
	s.t.Helper()
	near, far := pair(s.t, s.pool, mem.Config{}, mem.Config{})
	if err := s.sw.Add(name, near, c); err != nil {
		s.t.Fatal(err)
	}
	s.hosts[name] = far
}

// balance ends the switch and checks its account.
func (s *site) balance() SwitchStats {
	s.t.Helper()
	s.end()
	if err := s.wait(); err != nil {
		s.t.Fatal(err)
	}
	st := s.sw.Stats()
	if st.InFlight() != 0 || st.Received()+st.Replicas()+st.Segments() != st.Sent()+st.Dropped() {
		s.t.Errorf("received %d + replicas %d + segments %d, sent %d + dropped %d + in flight %d", st.Received(), st.Replicas(), st.Segments(), st.Sent(), st.Dropped(), st.InFlight())
	}
	return st
}

func station(n byte) packet.MAC { return packet.MAC{2, 0, 0, 0, 0, n} }

// frame makes one. The tag has priority 5, unless it is noTag; tags that the switch puts on have priority 0.
func frame(src, dst packet.MAC, t tag, text string) []byte {
	f := append(dst[:], src[:]...)
	if t != noTag {
		f = append(f, 0x81, 0, 0xa0|byte(t>>8), byte(t))
	}
	return append(append(f, 0x88, 0xb5), text...)
}

// send lets a host send a frame without a tag.
func (s *site) send(from string, src, dst packet.MAC, text string) {
	s.t.Helper()
	s.sendFrame(from, frame(src, dst, noTag, text))
}

func (s *site) sendFrame(from string, frame []byte) {
	s.t.Helper()
	b, err := s.pool.CopyIn(frame)
	if err != nil {
		s.t.Fatal(err)
	}
	s.sendBuffer(from, b)
}

func (s *site) sendBuffer(from string, b pool.Buffer) {
	s.t.Helper()
	if n, err := s.hosts[from].Tx([]pool.Buffer{b}); n != 1 || err != nil {
		s.t.Fatalf("Tx: %d, %v", n, err)
	}
}

// next returns the next frame that a host receives, if one comes.
func (s *site) next(at string, within time.Duration) (b pool.Buffer, ok bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), within)
	defer cancel()
	var bufs [1]pool.Buffer
	for {
		n, err := s.hosts[at].Rx(bufs[:])
		if err != nil {
			s.t.Fatal(err)
		}
		if n == 1 {
			return bufs[0], true
		}
		if s.hosts[at].WaitRx(ctx) != nil {
			return b, false
		}
	}
}

// must returns the next frame that a host receives.
func (s *site) must(at string) pool.Buffer {
	s.t.Helper()
	b, ok := s.next(at, patience)
	if !ok {
		s.t.Fatalf("%s gets nothing", at)
	}
	return b
}

// receive returns the text of the next frame that a host receives, or "" if none comes.
func (s *site) receive(at string, within time.Duration) string {
	s.t.Helper()
	b, ok := s.next(at, within)
	if !ok {
		return ""
	}
	defer b.Release()
	return string(b.Bytes()[packet.EthernetLen:])
}

// expectFrame wants hosts to receive this one next.
func (s *site) expectFrame(want []byte, hosts ...string) {
	s.t.Helper()
	for _, h := range hosts {
		b, ok := s.next(h, patience)
		if !ok {
			s.t.Fatalf("%s gets nothing, want %x", h, want)
		}
		if !bytes.Equal(b.Bytes(), want) {
			s.t.Errorf("%s got %x, want %x", h, b.Bytes(), want)
		}
		b.Release()
	}
}

// port returns what a port has done.
func (s *site) port(name string) SwitchPort {
	s.t.Helper()
	for _, p := range s.sw.Stats().Ports {
		if p.Name == name {
			return p
		}
	}
	s.t.Fatalf("there is no port %s", name)
	return SwitchPort{}
}

// filtered waits until a port has dropped so many of the frames that it has received, all for one reason.
func (s *site) filtered(name string, why stats.Reason, n uint64) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("%d frames of %s to be dropped: %v", n, name, why), func() bool { return s.port(name).Filtered[why] >= n })
	if p := s.port(name); p.Filtered[why] != n || p.Filtered.Total() != n {
		s.t.Errorf("%s: dropped %v, want %d: %v", name, p.Filtered, n, why)
	}
}

func (s *site) expect(text string, hosts ...string) {
	s.t.Helper()
	for _, h := range hosts {
		if got := s.receive(h, patience); got != text {
			s.t.Errorf("%s got %q, want %q", h, got, text)
		}
	}
}

func (s *site) silent(hosts ...string) {
	s.t.Helper()
	for _, h := range hosts {
		if got := s.receive(h, 20*time.Millisecond); got != "" {
			s.t.Errorf("%s got %q, want nothing", h, got)
		}
	}
}

func TestSwitchLearns(t *testing.T) {
	s := newSite(t, Config{}, map[string]PortConfig{"a": {}, "b": {}, "c": {}})
	s.send("a", station(1), station(2), "who is there?")
	s.expect("who is there?", "b", "c")
	s.send("b", station(2), station(1), "me")
	s.expect("me", "a")
	s.send("a", station(1), station(2), "hello")
	s.expect("hello", "b")
	s.silent("a", "b", "c")
	st := s.balance()
	if st.Replicas() != 1 || st.Table.Addresses != 2 {
		t.Errorf("%+v", st)
	}
}

// In a large table the addresses of a burst are asked for before the first is looked up, short frames and foreign tags among them.
func TestLargeTable(t *testing.T) {
	s := newSite(t, Config{Addresses: 1 << 16}, map[string]PortConfig{"a": {VLAN: 5}, "b": {VLAN: 5}, "c": {VLAN: 6}})
	s.send("b", station(2), broadcast, "here")
	s.expect("here", "a")
	var bufs []pool.Buffer
	for _, frame := range []string{"short", "\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x81\x00\x00\x07\x88\xb5", "\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x88\xb5hello"} {
		b, err := s.pool.CopyIn([]byte(frame))
		if err != nil {
			t.Fatal(err)
		}
		bufs = append(bufs, b)
	}
	if n, err := s.hosts["a"].Tx(bufs); n != len(bufs) || err != nil {
		t.Fatal(n, err)
	}
	s.expect("hello", "b")
	s.silent("a", "b", "c")
	if st := s.balance(); st.Dropped() != 2 {
		t.Errorf("dropped %d, want 2", st.Dropped())
	}
}
