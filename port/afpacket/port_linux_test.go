package afpacket_test

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/need"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/afpacket"
	"github.com/ringway-net/ringway/stats"
)

// What this port or the host sends by the interface does not come in by it.
func TestNoEcho(t *testing.T) {
	for name, c := range map[string]afpacket.Config{"alone": {}, "fanout": {Fanout: 9}} {
		t.Run(name, func(t *testing.T) {
			near, far := cable(t, 1500)
			pl := newPool(t, pool.Config{})
			p := open(t, near, "eth0", port.Options{Pool: pl}, c)
			host, other := dial(t, near), dial(t, far)
			defer host.close()
			defer other.close()
			for i := range 100 {
				transmit(t, p, copyIn(t, pl, frame(i, 60)))
				host.send(frame(1000+i, 60))
			}
			if n := len(other.sent(200)); n != 200 {
				t.Errorf("%d frames came at the far end, want 200", n)
			}
			other.send(frame(5000, 60)) // comes after what would be an echo
			got := receive(t, p, 1)
			if len(got) != 1 || binary.BigEndian.Uint32(got[0][14:]) != 5000 {
				t.Errorf("%d frames were received, the first of which is %x", len(got), got[:1])
			}
			if s := p.Stats(); s.RxPackets != 1 || s.RxDropped() != 0 || s.TxPackets != 100 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// A frame for which there is no buffer that is large enough is a counted drop, and never a part of itself.
func TestTruncated(t *testing.T) {
	near, far := cable(t, 9000)
	other := dial(t, far)
	defer other.close()
	pl := newPool(t, pool.Config{BufferSize: 2048})
	p := open(t, near, "eth0", port.Options{Pool: pl}, afpacket.Config{})
	sizes := []int{60, 2048, 2049, 9014, 100, 5000, 2047}
	for i, size := range sizes {
		other.send(frame(i, size))
	}
	var got []int
	for _, f := range receive(t, p, 4) {
		i := int(binary.BigEndian.Uint32(f[14:]))
		if string(f) != string(frame(i, sizes[i])) {
			t.Errorf("frame %d has %d bytes, or is another", i, len(f))
		}
		got = append(got, len(f))
	}
	if len(got) != 4 || got[0] != 60 || got[1] != 2048 || got[2] != 100 || got[3] != 2047 {
		t.Errorf("frames of %v bytes came", got)
	}
	if s := p.Stats(); s.RxDrops[stats.ReasonTruncated] != 3 || s.RxDropped() != 3 || s.RxPackets != 4 {
		t.Errorf("%+v", s)
	}
}

// The kernel takes a tag out. It is put back whatever the frame's length, and in front of a buffer that has
// no room for it the frame is dropped.
func TestTagPutBack(t *testing.T) {
	for _, headroom := range []int{128, 0} {
		near, far := cable(t, 1500)
		other := dial(t, far)
		defer other.close()
		h := headroom
		if h == 0 {
			h = pool.None
		}
		p := open(t, near, "eth0", port.Options{Pool: newPool(t, pool.Config{Headroom: h}), Large: newLarge(t, 64)}, afpacket.Config{})
		var sent [][]byte
		for i, size := range []int{64, 1518} {
			for _, id := range []uint16{0x8100, 0x88a8} {
				if id == 0x88a8 {
					size = min(size, 1514) // the sender's kernel leaves no room for these
				}
				f := frame(i, size)
				binary.BigEndian.PutUint16(f[12:], id)
				binary.BigEndian.PutUint16(f[14:], 5<<13|77)
				binary.BigEndian.PutUint16(f[16:], 0x88b5)
				sent = append(sent, f)
			}
		}
		other.feed(sent)
		other.send(frame(9, 60))
		want := len(sent) + 1
		if headroom == 0 {
			want = 1
		}
		got := receive(t, p, want)
		if len(got) != want {
			t.Fatalf("with headroom %d: %d frames came, want %d", headroom, len(got), want)
		}
		for i := range want - 1 {
			if string(got[i]) != string(sent[i]) {
				t.Errorf("frame %d: %d bytes, %x; want %d, %x", i, len(got[i]), got[i][:20], len(sent[i]), sent[i][:20])
			}
		}
		if d := p.Stats().RxDrops[stats.ReasonTooLong]; d != uint64(len(sent)+1-want) {
			t.Errorf("with headroom %d, %d were dropped", headroom, d)
		}
	}
}

// What the kernel drops, since nobody receives, is counted once, adds up, and stays when the port is closed.
func TestKernelDrops(t *testing.T) {
	near, far := cable(t, 1500)
	other := dial(t, far)
	defer other.close()
	p := open(t, near, "eth0", port.Options{}, afpacket.Config{Slots: 1}) // as many as fit into a block
	received := 0
	for round := range uint64(3) {
		for i := range 1000 {
			other.send(frame(i, 1500))
		}
		before := p.Stats().RxDrops[stats.ReasonRingFull]
		if again := p.Stats().RxDrops[stats.ReasonRingFull]; before == 0 || again != before {
			t.Errorf("first %d frames are dropped, and asked again %d", before, again)
		}
		received += len(receive(t, p, 1))
		if n := uint64(received) + p.Stats().RxDropped(); n != 1000*(round+1) {
			t.Errorf("%d received and dropped, want %d", n, 1000*(round+1))
		}
	}
	for i := range 1000 {
		other.send(frame(i, 1500))
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	s := p.Stats()
	if d := s.RxDrops[stats.ReasonRingFull]; d < 4000-uint64(received)-200 || d > 4000-uint64(received) {
		t.Errorf("%d dropped after Close, of 4000 of which %d were received", d, received)
	}
	if p.Stats() != s {
		t.Error("Stats changes after Close")
	}
}

func TestWarning(t *testing.T) {
	near, _ := cable(t, 1500)
	if w := open(t, near, "eth0", port.Options{}, afpacket.Config{}).Info().Warnings; len(w) != 0 {
		t.Errorf("without an address: %q", w)
	}
	near.Addr("eth0", "10.0.0.1/24")
	w := open(t, near, "eth0", port.Options{}, afpacket.Config{}).Info().Warnings
	if len(w) != 1 || !strings.Contains(w[0], "eth0") || !strings.Contains(w[0], "address") || !strings.Contains(w[0], "ip addr flush dev eth0") {
		t.Errorf("with an address: %q", w)
	}
}

func TestErrors(t *testing.T) {
	near, _ := cable(t, 1500)
	near.IP("tuntap", "add", "dev", "layer3", "mode", "tun")
	pl := newPool(t, pool.Config{})
	for _, c := range []struct {
		ifname string
		config afpacket.Config
		is     error
		says   []string
	}{
		{"eth7", afpacket.Config{}, afpacket.ErrInterface, []string{`"eth7"`, "no such device", "there are", "eth0", "lo", "layer3"}},
		{"", afpacket.Config{}, afpacket.ErrInterface, []string{"1 to 15", "eth0"}},
		{"sixteen-letters-", afpacket.Config{}, afpacket.ErrInterface, []string{`"sixteen-letters-"`, "1 to 15", "eth0"}},
		{"layer3", afpacket.Config{}, afpacket.ErrInterface, []string{`"layer3"`, "hardware type 65534", "Ethernet"}},
		{"eth0", afpacket.Config{ReceiveBuffer: 1000}, afpacket.ErrConfig, []string{"Config.ReceiveBuffer", "1000", "131072"}},
		{"eth0", afpacket.Config{SendBuffer: -1}, afpacket.ErrConfig, []string{"Config.SendBuffer"}},
		{"eth0", afpacket.Config{Fanout: 65536}, afpacket.ErrConfig, []string{"Config.Fanout", "65535"}},
		{"eth0", afpacket.Config{FanoutMode: "luck"}, afpacket.ErrConfig, []string{"Config.FanoutMode", "luck", "rollover"}},
	} {
		p, err := try(near, c.ifname, port.Options{Pool: pl}, c.config)
		if err == nil {
			p.Close()
			t.Errorf("%+v: no error", c)
			continue
		}
		if !errors.Is(err, c.is) {
			t.Errorf("%+v: %v", c, err)
		}
		for _, word := range c.says {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%q %+v: %v, without %q", c.ifname, c.config, err, word)
			}
		}
	}
	if _, err := try(near, "eth0", port.Options{}, afpacket.Config{}); !errors.Is(err, port.ErrNoPool) {
		t.Errorf("without a pool: %v", err)
	}
	// The same by name.
	for name, says := range map[string][]string{
		"afpacket:":                           {"afpacket:eth0", "there are"},
		"afpacket:eth0,promisc=maybe":         {"promisc", "maybe", "on", "off"},
		"afpacket:eth0,qdisc=none":            {"qdisc", "bypass", "kernel"},
		"afpacket:eth0,rcvbuf=1K":             {"rcvbuf", "131072"},
		"afpacket:eth0,sndbuf=lots":           {"sndbuf"},
		"afpacket:eth0,fanout=0":              {"fanout", "65535"},
		"afpacket:eth0,fanout=1,fanoutmode=x": {"fanoutmode", "hash", "rollover"},
	} {
		var err error
		near.Do(func() { _, err = port.Open(name, port.Options{Pool: pl}) })
		if !errors.Is(err, port.ErrSpec) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, word := range says {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%s: %v, without %q", name, err, word)
			}
		}
	}
	// The string is right: it is the interface that is not there.
	var err error
	near.Do(func() { _, err = port.Open("afpacket:eth7", port.Options{Pool: pl}) })
	if !errors.Is(err, afpacket.ErrInterface) || errors.Is(err, port.ErrSpec) || !strings.HasPrefix(err.Error(), "afpacket:eth7: ") {
		t.Errorf("%v", err)
	}
}

// A whole string opens what it says.
func TestString(t *testing.T) {
	near, _ := cable(t, 1500)
	pl := newPool(t, pool.Config{})
	var p port.Port
	var err error
	near.Do(func() {
		p, err = port.Open("afpacket:eth0,promisc=off,qdisc=bypass,rcvbuf=1M,sndbuf=256k,fanout=3,fanoutmode=lb", port.Options{Pool: pl})
	})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	i := p.Info()
	for _, word := range []string{"virtio_net_hdr", "past the queueing discipline", "fanout group 3 by lb"} {
		if !strings.Contains(i.Mode, word) {
			t.Errorf("mode %q does not say %q", i.Mode, word)
		}
	}
	if i.MTU != 1514 || i.LinkType != port.LinkTypeEthernet || !i.Live || i.Offloads != port.OffloadChecksum {
		t.Errorf("%+v", i)
	}
	if got := near.IP("-d", "link", "show", "eth0"); !strings.Contains(got, "promiscuity 0") {
		t.Errorf("with promisc=off: %s", got)
	}
}

// asNobody runs the test again in a process that may do only what the capabilities let it.
func asNobody(t *testing.T, capabilities ...uintptr) {
	t.Helper()
	need.Root(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(exe) // which nobody may not read by its name
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	c := exec.Command("/proc/self/fd/3", "-test.run", "^"+t.Name()+"$", "-test.v")
	c.ExtraFiles = []*os.File{file}
	c.Dir = "/"
	c.Env = append(os.Environ(), "AFPACKET_TEST_NOBODY=1")
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}, AmbientCaps: capabilities}
	if out, err := c.CombinedOutput(); err != nil || !strings.Contains(string(out), "PASS: "+t.Name()) {
		t.Errorf("%v\n%s", err, out)
	}
}

func isNobody() bool { return os.Getenv("AFPACKET_TEST_NOBODY") != "" }

// Without the right to, the error says what is missing.
func TestNotRoot(t *testing.T) {
	if !isNobody() {
		asNobody(t)
		return
	}
	_, err := afpacket.Open("lo", port.Options{Pool: newPool(t, pool.Config{})}, afpacket.Config{})
	if err == nil || !errors.Is(err, unix.EPERM) || !strings.Contains(err.Error(), "CAP_NET_RAW") || !strings.Contains(err.Error(), "setcap") {
		t.Errorf("the error is %v", err)
	}
}

// With no more than the right to open the socket the system limits its buffers, and the user is told.
func TestRawOnly(t *testing.T) {
	if !isNobody() {
		asNobody(t, unix.CAP_NET_RAW)
		return
	}
	p, err := afpacket.Open("lo", port.Options{Pool: newPool(t, pool.Config{})}, afpacket.Config{NotPromiscuous: true, ReceiveBuffer: 1 << 29, SendBuffer: 1 << 29})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	said := strings.Join(p.Info().Warnings, "\n")
	for _, word := range []string{"receive buffer", "send buffer", "instead of 536870912", "CAP_NET_ADMIN"} {
		if !strings.Contains(said, word) {
			t.Errorf("the warnings do not say %q: %s", word, said)
		}
	}
}

// The sockets of a group share the frames out: each comes to one of them.
func TestFanout(t *testing.T) {
	near, far := cable(t, 1500)
	other := dial(t, far)
	defer other.close()
	c := afpacket.Config{Fanout: 11, FanoutMode: "lb"}
	one, two := open(t, near, "eth0", port.Options{}, c), open(t, near, "eth0", port.Options{}, c)
	for i := range 100 {
		other.send(frame(i, 60))
	}
	seen := map[uint32]int{}
	for _, p := range []port.Port{one, two} {
		got := receive(t, p, 50)
		if len(got) != 50 {
			t.Errorf("one of two received %d of 100", len(got))
		}
		for _, f := range got {
			seen[binary.BigEndian.Uint32(f[14:])]++
		}
	}
	if len(seen) != 100 {
		t.Errorf("%d different ones came of 100", len(seen))
	}
	_, err := try(near, "eth0", port.Options{Pool: newPool(t, pool.Config{})}, afpacket.Config{Fanout: 11, FanoutMode: "hash"})
	if err == nil || !strings.Contains(err.Error(), "fanout group 11 (hash)") || !strings.Contains(err.Error(), "another mode") {
		t.Errorf("in another mode the error is %v", err)
	}
}

// The port is promiscuous while it is open, and no longer.
func TestPromiscuous(t *testing.T) {
	near, _ := cable(t, 1500)
	promiscuity := func(n string) {
		t.Helper()
		if got := near.IP("-d", "link", "show", "eth0"); !strings.Contains(got, "promiscuity "+n+" ") {
			t.Errorf("want promiscuity %s: %s", n, got)
		}
	}
	promiscuity("0")
	p := open(t, near, "eth0", port.Options{}, afpacket.Config{})
	promiscuity("1")
	q := open(t, near, "eth0", port.Options{}, afpacket.Config{})
	promiscuity("2")
	q.Close()
	promiscuity("1")
	p.Close()
	promiscuity("0")
}

// Rx and Tx allocate nothing, whatever goes through them.
func TestNoAllocations(t *testing.T) {
	near, far := cable(t, 1500)
	other := dial(t, far)
	defer other.close()
	o := port.Options{Pool: newPool(t, pool.Config{Track: seldom}), Large: newPool(t, pool.Config{BufferSize: port.LargeBufferSize, Count: 256, Track: seldom})}
	p := open(t, near, "eth0", o, afpacket.Config{})
	q := open(t, far, "eth0", o, afpacket.Config{})
	small, large := copyIn(t, o.Pool, frame(0, 1000)), benchFrame(t, o, traffic[2].size)
	defer small.Release()
	defer large.Release()
	bufs, in := make([]pool.Buffer, 8), make([]pool.Buffer, 64)
	came := 0
	round := func() {
		small.Retain(4)
		large.Retain(4)
		for i := range bufs {
			bufs[i] = small
			if i%2 == 1 {
				bufs[i] = large
			}
		}
		n, err := p.Tx(bufs)
		if n != len(bufs) || err != nil {
			t.Fatalf("Tx: %d, %v", n, err)
		}
		for range 2 {
			n, err = q.Rx(in)
			if err != nil {
				t.Fatalf("Rx: %v", err)
			}
			pool.ReleaseBurst(in[:n])
			came += n
		}
	}
	if n := testing.AllocsPerRun(100, round); n != 0 {
		t.Errorf("%v allocations for 8 frames sent and received", n)
	}
	if came < 700 {
		t.Errorf("%d frames came of 808", came)
	}
}

// A queueing discipline that lets little through fills the socket: Tx takes no more, WaitTx sleeps, and both end with
// Close.
func TestFull(t *testing.T) {
	need.Program(t, "tc")
	near, _ := cable(t, 1500)
	near.Run("tc", "qdisc", "add", "dev", "eth0", "root", "tbf", "rate", "1mbit", "burst", "3000", "limit", "100000000")
	pl := newPool(t, pool.Config{})
	p := open(t, near, "eth0", port.Options{Pool: pl}, afpacket.Config{SendBuffer: 128 << 10})
	taken := 0
	fill := func() {
		for {
			b := copyIn(t, pl, frame(taken, 1400))
			n, err := p.Tx([]pool.Buffer{b})
			if err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				b.Release()
				return
			}
			taken++
		}
	}
	fill()
	if taken == 0 || taken > 200 {
		t.Errorf("a socket of 128 KiB took %d frames of 1400 bytes", taken)
	}
	short, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	if err := p.WaitTx(short); err != nil && err != context.DeadlineExceeded {
		t.Errorf("WaitTx: %v", err)
	}
	cancel()
	before := taken
	eventually(t, "room", func() bool {
		if err := p.WaitTx(t.Context()); err != nil {
			t.Fatal(err)
		}
		fill()
		return taken > before
	})
	done := make(chan error)
	go func() {
		var err error
		for err == nil {
			err = p.WaitTx(context.Background())
		}
		done <- err
	}()
	time.Sleep(5 * time.Millisecond)
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; err != port.ErrClosed {
		t.Errorf("WaitTx at Close: %v", err)
	}
	if s := p.Stats(); s.TxPackets != uint64(taken) || s.TxDropped() != 0 {
		t.Errorf("%d taken, %d sent, %v dropped", taken, s.TxPackets, s.TxDrops)
	}
}
