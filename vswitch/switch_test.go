package vswitch

import (
	"context"
	"testing"
	"time"

	"github.com/ringway-net/ringway/packet"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/mem"
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
	sw, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, pool: newPool(t, pool.Config{}), sw: sw, hosts: map[string]port.Port{}}
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

// send lets a host send a frame.
func (s *site) send(from string, src, dst packet.MAC, text string) {
	s.t.Helper()
	frame := append(append(dst[:], src[:]...), 0x88, 0xb5)
	b, err := s.pool.CopyIn(append(frame, text...))
	if err != nil {
		s.t.Fatal(err)
	}
	if n, err := s.hosts[from].Tx([]pool.Buffer{b}); n != 1 || err != nil {
		s.t.Fatalf("Tx: %d, %v", n, err)
	}
}

// receive returns the text of the next frame that a host receives, or "" if none comes.
func (s *site) receive(at string, within time.Duration) string {
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
			defer bufs[0].Release()
			return string(bufs[0].Bytes()[packet.EthernetLen:])
		}
		if s.hosts[at].WaitRx(ctx) != nil {
			return ""
		}
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
