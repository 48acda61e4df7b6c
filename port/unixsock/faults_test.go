//go:build unix

package unixsock

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/testkit"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/stats"
)

func listenPlain(t testing.TB, path string) *plain {
	t.Helper()
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return &plain{conn: l}
}

func dialedPlain(t testing.TB, path, local string, stream bool) *plain {
	t.Helper()
	c, err := dialPlain(path, local, stream)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.conn.Close() })
	return c
}

// TestFull: a peer that doesn't read holds nobody up for longer than retry says: then frames are dropped and counted, without an error. When
// it reads, it gets what was sent before, whole and in order, and what comes after that.
func TestFull(t *testing.T) {
	testkit.Watchdog(t)
	p := newPool(t)
	o := port.Options{Pool: p}
	for _, c := range []string{"dgram dial", "dgram listen", "stream dial", "stream listen"} {
		t.Run(c, func(t *testing.T) {
			dir := tempDir(t)
			path := filepath.Join(dir, "s")
			kind, role, _ := strings.Cut(c, " ")
			keys := ",sndbuf=32k,retry=20ms,type=" + kind
			var us port.Port
			var peer *plain
			switch c {
			case "dgram dial":
				peer = listenPlain(t, path)
				us = open(t, "unix:"+path+keys, o)
			case "stream dial":
				l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
				if err != nil {
					t.Fatal(err)
				}
				closeLater(t, l)
				us = open(t, "unix:"+path+keys, o)
				conn, err := l.AcceptUnix()
				if err != nil {
					t.Fatal(err)
				}
				closeLater(t, conn)
				peer = &plain{conn: conn, stream: true}
			default:
				us = open(t, "unix:"+path+keys+",role="+role, o)
				peer = dialedPlain(t, path, filepath.Join(dir, "c"), kind == "stream")
				hello := peer
				if peer.stream {
					hello = nil
				}
				waitServed(t, us, hello)
			}
			n := 0
			for begin := time.Now(); us.Stats().TxDropped() < 100; n += 7 {
				sendAll(t, us, buffers(t, p, n, 7, 1000))
				if time.Since(begin) > time.Minute {
					t.Fatalf("Stats is\n%s", us.Stats())
				}
			}
			s := us.Stats()
			queued := queued(us)
			if s.TxDrops[stats.ReasonWouldBlock]+s.TxDrops[stats.ReasonNoSpace] != s.TxDropped() || int(s.TxPackets+s.TxDropped())+queued != n {
				t.Errorf("of %d frames %d are queued, and Stats is\n%s", n, queued, s)
			}
			sent := int(s.TxPackets) + queued
			var got []int
			read := func(more int) {
				t.Helper()
				for ; more > 0; more-- {
					f, err := peer.read(20 * time.Second)
					if err != nil || len(f) != 1000 {
						t.Fatalf("after %v: %d bytes, %v", got, len(f), err)
					}
					got = append(got, number(f))
				}
			}
			drained := make(chan error, 1)
			go func() { drained <- drain(t.Context(), us) }()
			read(sent)
			if err := <-drained; err != nil {
				t.Error(err)
			}
			for i, number := range got {
				if number != i { // none was dropped before the socket was full
					t.Fatalf("came %v", got)
				}
			}
			sendAll(t, us, buffers(t, p, n, 3, 1000))
			read(3)
			if got[len(got)-1] != n+2 {
				t.Errorf("after the peer had read came %v", got[sent:])
			}
		})
	}
}

// TestPeerComesAndGoes: a datagram port that dials drops frames while nobody is there, and finds whoever comes next: by what it sends, or by
// what he does.
func TestPeerComesAndGoes(t *testing.T) {
	testkit.Watchdog(t)
	p := newPool(t)
	o := port.Options{Pool: p}
	dir := tempDir(t)
	theirs, ours := filepath.Join(dir, "theirs"), filepath.Join(dir, "ours")
	us := open(t, fmt.Sprintf("unix:%s,local=%s,hello=VFKT", theirs, ours), o)
	if i := us.Info(); len(i.Warnings) != 1 || !strings.Contains(i.Warnings[0], theirs) {
		t.Errorf("Warnings are %q", i.Warnings)
	}
	sendAll(t, us, buffers(t, p, 0, 10, 60))
	if s := us.Stats(); s.TxDrops[stats.ReasonLinkDown] != 10 || s.TxPackets != 0 {
		t.Errorf("without a peer, Stats is\n%s", s)
	}
	for round := range 3 {
		peer := listenPlain(t, theirs)
		if round == 2 { // he speaks first, and so do we not at all before that
			done := make(chan error, 1)
			go func() { done <- peer.writeToWhenAllowed(frame(7, 60), ours) }()
			if f := receive(t, us, 1); number(f[0]) != 7 {
				t.Errorf("received %x", f[0])
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		eventually(t, "connected", func() bool {
			sendAll(t, us, buffers(t, p, 100, 1, 60))
			return strings.Contains(us.Info().Mode, "connected")
		})
		f, err := peer.read(20 * time.Second)
		if err != nil || string(f) != "VFKT" {
			t.Errorf("first came %q, %v", f, err)
		}
		for range 100 {
			sendAll(t, us, buffers(t, p, 200, 1, 60))
			if f, err = peer.read(20 * time.Second); err != nil || len(f) != 60 {
				t.Fatalf("%x, %v", f, err)
			}
		}
		if err := errors.Join(peer.conn.Close(), os.Remove(theirs)); err != nil {
			t.Fatal(err)
		}
		if round == 1 {
			before := us.Stats()
			sendAll(t, us, buffers(t, p, 0, 20, 60))
			if s := us.Stats().Delta(before); s.TxDrops[stats.ReasonLinkDown] != 20 {
				t.Errorf("after the peer had gone, Stats is\n%s", s)
			}
		}
	}
}

// writeToWhenAllowed is writeTo that is tried again while the system says that somebody else is connected.
func (p *plain) writeToWhenAllowed(f []byte, to string) (err error) {
	for range 1000 {
		if err = p.writeTo(f, to); err == nil {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return err
}

// TestHostileLengths: a stream that announces what can't be ends with an error that says so, and one that breaks off within a frame has
// lost a frame. The frames before that come.
func TestHostileLengths(t *testing.T) {
	testkit.Watchdog(t)
	p := newPool(t)
	whole := append(binary.BigEndian.AppendUint32(nil, 60), frame(1, 60)...)
	for _, c := range []struct {
		bytes                    string
		frames, truncated, short int
		says                     string
	}{
		{"\x00\x00\x00\x00", 0, 0, 0, "0 bytes"},
		{string(whole) + "\xff\xff\xff\xff", 1, 0, 0, "4294967295 bytes"},
		{string(whole) + string(binary.BigEndian.AppendUint32(nil, MaxFrame+1)), 1, 0, 0, fmt.Sprint(MaxFrame+1, " bytes")},
		{string(whole) + string(whole[:30]), 1, 1, 0, ""},
		{string(whole) + "\x00", 1, 1, 0, ""},
		{"\x00\x00\x00\x03abc" + string(whole), 1, 0, 1, ""},
		{string(binary.BigEndian.AppendUint32(nil, 9000)) + string(make([]byte, 9000)) + string(whole), 1, 1, 0, ""}, // and no large buffers
	} {
		path := sockPath(t)
		l, err := Listen(path, port.Options{Pool: p}, Config{Type: Stream})
		if err != nil {
			t.Fatal(err)
		}
		peer := dialedPlain(t, path, "", true)
		us := closeLater(t, accepted(t, l))
		if _, err := peer.conn.Write([]byte(c.bytes)); err != nil {
			t.Fatal(err)
		}
		if c.says == "" {
			if err := peer.conn.CloseWrite(); err != nil {
				t.Fatal(err)
			}
		}
		got, err := receiveErr(t, us, 10)
		s := us.Stats()
		if len(got) != c.frames || s.RxDrops[stats.ReasonTruncated] != uint64(c.truncated) || s.RxDrops[stats.ReasonTooShort] != uint64(c.short) {
			t.Errorf("%.20q: %d frames, Stats is\n%s", c.bytes, len(got), s)
		}
		if c.says == "" && err != io.EOF || c.says != "" && (!errors.Is(err, errFraming) || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%.20q: the end is %v", c.bytes, err)
		}
		if c.says != "" { // he notices, and so does Tx
			if f, err := peer.read(20 * time.Second); err == nil {
				t.Errorf("the other end received %x", f)
			}
			b := buffers(t, p, 0, 2, 60)
			n, err := us.Tx(b)
			pool.ReleaseBurst(b[n:])
			if n != 0 || err == nil || !strings.Contains(err.Error(), path) {
				t.Errorf("Tx after that returned %d, %v", n, err)
			}
		}
	}
}

// TestServe: one client after the other; what is sent to nobody is dropped.
func TestServe(t *testing.T) {
	testkit.Watchdog(t)
	p := newPool(t)
	for _, kind := range []string{"dgram", "stream"} {
		t.Run(kind, func(t *testing.T) {
			dir := tempDir(t)
			path := filepath.Join(dir, "s")
			us := open(t, "unix:"+path+",role=listen,type="+kind, port.Options{Pool: p})
			sendAll(t, us, buffers(t, p, 0, 5, 60))
			if s := us.Stats(); s.TxDrops[stats.ReasonLinkDown] != 5 {
				t.Errorf("without a client, Stats is\n%s", s)
			}
			clients := make([]*plain, 3)
			for i := range clients {
				clients[i] = dialedPlain(t, path, filepath.Join(dir, fmt.Sprint(i)), kind == "stream")
				if err := clients[i].write(frame(i, 60)); err != nil {
					t.Fatal(err)
				}
			}
			for i, c := range clients {
				if f := receive(t, us, 1); number(f[0]) != i {
					t.Errorf("client %d: received %x", i, f[0])
				}
				sendAll(t, us, buffers(t, p, 50+i, 1, 60))
				if f, err := c.read(20 * time.Second); err != nil || number(f) != 50+i {
					t.Errorf("client %d received %x, %v", i, f, err)
				}
				if err := c.conn.Close(); err != nil {
					t.Fatal(err)
				}
			}
			eventually(t, "the last one has gone", func() bool {
				_, _ = us.Rx(make([]pool.Buffer, 1))
				return strings.Contains(us.Info().Mode, "nobody")
			})
			s := us.Stats()
			if s.RxPackets != 3 || s.TxPackets != 3 || s.TxDropped() != 5 || s.RxDropped() != 0 {
				t.Errorf("in the end Stats is\n%s", s)
			}
		})
	}
}

// TestClients: a port for each datagram client, and how they end.
func TestClients(t *testing.T) {
	testkit.Watchdog(t)
	p := newPool(t)
	dir := tempDir(t)
	path := filepath.Join(dir, "s")
	l, err := Listen(path, port.Options{Pool: p}, Config{Idle: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	accept := func(c *plain, number int) port.Port {
		t.Helper()
		if err := c.write(frame(number, 60)); err != nil {
			t.Fatal(err)
		}
		a, err := l.Accept(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return closeLater(t, a)
	}
	names := []string{"closed", "removed", "idle"}
	var clients []*plain
	var ports []port.Port
	for i, name := range names {
		c := dialedPlain(t, path, filepath.Join(dir, name), false)
		clients, ports = append(clients, c), append(ports, accept(c, i))
	}
	for i := range ports { // each has its own
		for n := range 20 {
			if err := clients[i].write(frame(100*i+n, 60)); err != nil {
				t.Fatal(err)
			}
		}
		for n, f := range receive(t, ports[i], 21)[1:] {
			if number(f) != 100*i+n {
				t.Errorf("%s: received %x", ports[i].Info().Name, f)
			}
		}
		sendAll(t, ports[i], buffers(t, p, i, 1, 60))
		if f, err := clients[i].read(20 * time.Second); err != nil || number(f) != i {
			t.Errorf("client %d received %x, %v", i, f, err)
		}
		if !strings.HasSuffix(ports[i].Info().Name, names[i]) {
			t.Errorf("client %s is called %s", names[i], ports[i].Info().Name)
		}
	}
	unnamed := accept(dialedPlain(t, path, "", false), 9)
	receive(t, unnamed, 1)
	sendAll(t, unnamed, buffers(t, p, 0, 4, 60))
	if s := unnamed.Stats(); s.TxDrops[stats.ReasonLinkDown] != 4 {
		t.Errorf("Stats of who can't be answered is\n%s", s)
	}

	if err := clients[0].conn.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "removed")); err != nil {
		t.Fatal(err)
	}
	for i, a := range ports {
		if _, err := receiveErr(t, a, 1); err != io.EOF {
			t.Errorf("client %s ended with %v", names[i], err)
		}
		b := buffers(t, p, 0, 1, 60)
		n, err := a.Tx(b)
		pool.ReleaseBurst(b[n:])
		if n != 0 || err == nil || !strings.Contains(err.Error(), names[i]) {
			t.Errorf("client %s: Tx in the end returned %d, %v", names[i], n, err)
		}
	}
	// The listener may be closed before the ports are.
	last := accept(dialedPlain(t, path, filepath.Join(dir, "last"), false), 3)
	if err := errors.Join(l.Close(), l.Close()); err != nil {
		t.Error(err)
	}
	if _, err := l.Accept(ctx); err != port.ErrClosed {
		t.Errorf("Accept after Close: %v", err)
	}
	receive(t, last, 1)
}

// TestChurn: ports are opened and closed again and again with frames under way, from other goroutines in the middle of Rx and Tx: nothing is left, and
// nothing is lost count of.
func TestChurn(t *testing.T) {
	testkit.Watchdog(t)
	r := testkit.Rand(t)
	p := newPool(t)
	o := port.Options{Pool: p}
	before := 0
	rounds := testkit.Scale(500)
	for _, kind := range []string{"dgram", "stream"} {
		path := sockPath(t)
		for round := range rounds {
			if round == 5 {
				before = descriptors(t)
			}
			l, err := port.Open("unix:"+path+",retry=1ms,role=listen,type="+kind, o)
			if err != nil {
				t.Fatal(err)
			}
			d, err := port.Open("unix:"+path+",retry=1ms,type="+kind, o)
			if err != nil {
				t.Fatal(err)
			}
			var work sync.WaitGroup
			taken := [2]uint64{}
			for i, a := range []port.Port{d, l} {
				work.Go(func() {
					for {
						bufs := buffers(t, p, 0, 16, 200)
						n, err := a.Tx(bufs)
						taken[i] += uint64(n)
						pool.ReleaseBurst(bufs[n:])
						if err == nil && n < len(bufs) {
							err = a.WaitTx(t.Context())
						}
						if err != nil {
							return
						}
					}
				})
				work.Go(func() {
					bufs := make([]pool.Buffer, 16)
					for {
						n, err := a.Rx(bufs)
						pool.ReleaseBurst(bufs[:n])
						if err == nil && n == 0 {
							err = a.WaitRx(t.Context())
						}
						if err != nil {
							return
						}
					}
				})
			}
			time.Sleep(time.Duration(r.IntN(500)) * time.Microsecond)
			first, second := d, l
			if r.IntN(2) == 0 {
				first, second = l, d
			}
			if err := errors.Join(first.Close(), second.Close()); err != nil {
				t.Error(err)
			}
			work.Wait()
			for i, a := range []port.Port{d, l} {
				if s := a.Stats(); s.TxPackets+s.TxDropped() != taken[i] {
					t.Fatalf("%s: Tx took %d, Stats is\n%s", a.Info().Name, taken[i], s)
				}
			}
		}
		if after := descriptors(t); after > before {
			t.Errorf("%d descriptors are open after %d rounds, %d after the first ones", after, rounds, before)
		}
	}
}

// descriptors returns how many descriptors are open, or 0 where one can't tell.
func descriptors(t testing.TB) int {
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(all)
}
