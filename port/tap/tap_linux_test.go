package tap_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/pooltest"
	"github.com/ringway-net/ringway/internal/testkit"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/tap"
	"github.com/ringway-net/ringway/stats"
)

// run runs a program in the tests' own namespace.
func run(t testing.TB, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func newPool(t testing.TB, c pool.Config) *pool.Pool {
	t.Helper()
	c.Track = 1
	return pooltest.New(t, c)
}

// opened opens a port, which is closed with the test.
func opened(t testing.TB, s string, o port.Options) port.Port {
	t.Helper()
	if o.Pool == nil {
		o.Pool = newPool(t, pool.Config{})
	}
	p, err := port.Open(s, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return p
}

// send sends copies of a frame.
func send(t testing.TB, p port.Port, from *pool.Pool, frame []byte, n int) error {
	t.Helper()
	for range n {
		b, err := from.CopyIn(frame)
		if err != nil {
			t.Fatal(err)
		}
		if k, err := p.Tx([]pool.Buffer{b}); k != 1 {
			b.Release()
			return err
		}
	}
	return nil
}

// receive receives n frames.
func receive(t testing.TB, p port.Port, n int) (frames [][]byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	bufs := make([]pool.Buffer, 64)
	for len(frames) < n {
		k, err := p.Rx(bufs)
		for _, b := range bufs[:k] {
			frames = append(frames, bytes.Clone(b.Bytes()))
			b.Release()
		}
		if err == nil && k == 0 {
			err = p.WaitRx(ctx)
		}
		if err != nil {
			t.Fatalf("after %d of %d frames: %v", len(frames), n, err)
		}
	}
	return frames
}

// ethernet is a frame of n bytes for experiments.
func ethernet(n int) []byte {
	f := make([]byte, n)
	copy(f, []byte{2, 0, 0, 0, 0, 0xb, 2, 0, 0, 0, 0, 0xa, 0x88, 0xb5})
	return f
}

func TestKeys(t *testing.T) {
	alone(t)
	p := newPool(t, pool.Config{})
	o, err := port.Open("tap:keys0,mtu=9000,mac=02:00:00:00:12:34,txqlen=77,addr=10.9.0.1/24+10.9.1.1/24,persist=on", port.Options{Pool: p})
	if err != nil {
		t.Fatal(err)
	}
	if m := o.Info().MTU; m != 9014 {
		t.Errorf("Info.MTU is %d", m)
	}
	if err := o.Close(); err != nil {
		t.Error(err)
	}
	if o.Info().MTU != 9014 || !strings.Contains(o.Info().Mode, "created") {
		t.Errorf("Info after Close: %+v", o.Info())
	}
	said := run(t, "ip", "addr", "show", "dev", "keys0")
	for _, want := range []string{"mtu 9000", "02:00:00:00:12:34", "qlen 77", "10.9.0.1/24", "10.9.1.1/24", "UP"} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in:\n%s", want, said)
		}
	}
	// It stays, and its address may be there already.
	again := opened(t, "tap:keys0,addr=10.9.0.1/24,persist=off", port.Options{Pool: p})
	if i := again.Info(); i.MTU != 9014 || !strings.Contains(i.Mode, "attached") {
		t.Errorf("%+v", i)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
	if exec.Command("ip", "link", "show", "dev", "keys0").Run() == nil {
		t.Error("the device is still there after persist=off")
	}
}

func TestNames(t *testing.T) {
	alone(t)
	p := newPool(t, pool.Config{})
	for _, s := range []string{"tap:", "tap:,mtu=1400", "tap:vm%d", "tun:", "tun:vpn%d,queues=3"} {
		kind, rest, _ := strings.Cut(s, ":")
		i := opened(t, s, port.Options{Pool: p}).Info()
		prefix := kind
		if name, _, found := strings.Cut(rest, "%d"); found {
			prefix = name
		}
		if !strings.HasPrefix(i.Name, kind+":"+prefix) || strings.Contains(i.Name, "%") {
			t.Errorf("%s is called %q", s, i.Name)
		}
		if dev := strings.TrimPrefix(i.Name, kind+":"); !strings.HasPrefix(i.Mode, dev+",") {
			t.Errorf("%s: mode %q", s, i.Mode)
		}
	}
	if i := opened(t, "tap:vm%d,name=mine", port.Options{Pool: p}).Info(); i.Name != "mine" {
		t.Errorf("called %q", i.Name)
	}
}

// TestAttach: devices that were made beforehand, with and without multi_queue.
func TestAttach(t *testing.T) {
	alone(t)
	p := newPool(t, pool.Config{})
	run(t, "ip", "tuntap", "add", "one0", "mode", "tap")
	run(t, "ip", "tuntap", "add", "many0", "mode", "tap", "multi_queue")
	run(t, "ip", "tuntap", "add", "ip0", "mode", "tun")
	run(t, "ip", "link", "add", "bridge0", "type", "bridge")
	for s, want := range map[string]string{
		"tap:one0": "", "tap:many0": "", "tap:many0,queues=4": "", "tun:ip0": "", "tap:one0,up=off": "",
		"tap:one0,queues=2": "multi_queue",
		"tap:ip0":           "no tap",
		"tun:one0":          "no tun",
		"tap:bridge0":       "no tap",
	} {
		o, err := port.Open(s, port.Options{Pool: p})
		if err == nil {
			if mode := o.Info().Mode; !strings.Contains(mode, "attached") {
				t.Errorf("%s: mode %q", s, mode)
			}
			err = o.Close()
		}
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", s, err)
		}
	}
	for _, dev := range []string{"one0", "many0", "ip0"} {
		run(t, "ip", "link", "show", "dev", dev) // they stay
	}
	// One at a time, or several.
	opened(t, "tap:one0", port.Options{Pool: p})
	if _, err := port.Open("tap:one0", port.Options{Pool: p}); !errors.Is(err, unix.EBUSY) || !strings.Contains(err.Error(), "another program") {
		t.Errorf("the second one: %v", err)
	}
	opened(t, "tap:many0", port.Options{Pool: p})
	opened(t, "tap:many0", port.Options{Pool: p})
	if _, err := port.Open("tap:many0,vnet=off", port.Options{Pool: p}); err == nil || !strings.Contains(err.Error(), "vnet=on") {
		t.Errorf("with another header than the others': %v", err)
	}
}

func TestErrors(t *testing.T) {
	p := newPool(t, pool.Config{})
	for s, words := range map[string][]string{
		"tap:a-name-of-16-byt":        {"16 bytes", "15"},
		"tap:a/b":                     {"slash"},
		"tap:a b":                     {"space"},
		"tap:a%s":                     {"%d"},
		"tap:a%d%d":                   {"%d"},
		"tap:..":                      {"no name"},
		"tap:a,queues=0":              {"queues", "1 to 256"},
		"tap:a,queues=257":            {"queues"},
		"tap:a,mtu=67":                {"mtu", "68"},
		"tap:a,vnet=maybe":            {"vnet", "on, off"},
		"tap:a,up=1":                  {"up"},
		"tap:a,persist=yes":           {"persist"},
		"tap:a,mac=1":                 {"mac"},
		"tap:a,mac=01:00:00:00:00:01": {"mac", "station"},
		"tap:a,addr=10.0.0.1":         {"addr", "prefix"},
		"tap:a,addr=":                 {"addr"},
		"tap:a,txqlen=0":              {"txqlen"},
		"tun:a,mac=02:00:00:00:00:01": {"no key", "mac"},
	} {
		_, err := port.Open(s, port.Options{Pool: p})
		if !errors.Is(err, port.ErrSpec) {
			t.Errorf("%s: %v", s, err)
			continue
		}
		for _, w := range words {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: no %q in %v", s, w, err)
			}
		}
	}
	alone(t)
	before := descriptors(t)
	for s, want := range map[string]string{
		"tap:err0,mtu=65535":       "65521",
		"tap:err0,addr=fd00::1/64": "disable_ipv6",
	} {
		if _, err := port.Open(s, port.Options{Pool: p}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: no %q in %v", s, want, err)
		}
	}
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors, %d before", after, before)
	}
	if exec.Command("ip", "link", "show", "dev", "err0").Run() == nil {
		t.Error("a device is left of ports that could not be opened")
	}
}

func descriptors(t testing.TB) int {
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// TestDown: while the device is down frames are dropped and counted, and afterwards it goes on.
func TestDown(t *testing.T) {
	alone(t)
	p := newPool(t, pool.Config{})
	o := opened(t, "tap:down0,txqlen=5000", port.Options{Pool: p})
	run(t, "ip", "link", "set", "down0", "down")
	if err := send(t, o, p, ethernet(100), 10); err != nil {
		t.Errorf("Tx: %v", err)
	}
	if s := o.Stats(); s.TxDrops[stats.ReasonLinkDown] != 10 || s.TxPackets != 0 {
		t.Errorf("%+v", s)
	}
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	for short.Err() == nil {
		if _, err := o.Rx(make([]pool.Buffer, 8)); err != nil {
			t.Fatalf("Rx while it is down: %v", err)
		}
		if err := o.WaitRx(short); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("WaitRx while it is down: %v", err)
		}
	}
	run(t, "ip", "link", "set", "down0", "up")
	other := peer(t, "down0", false)
	defer other.close()
	if err := send(t, o, p, ethernet(100), 10); err != nil {
		t.Errorf("Tx: %v", err)
	}
	if got := other.sent(10); len(got) != 10 {
		t.Errorf("%d frames came", len(got))
	}
	other.feed([][]byte{ethernet(60), ethernet(61)})
	receive(t, o, 2)
	// And a port says so from the beginning.
	run(t, "ip", "tuntap", "add", "down1", "mode", "tap")
	if w := opened(t, "tap:down1,up=off", port.Options{Pool: p}).Info().Warnings; len(w) != 1 || !strings.Contains(w[0], "ip link set down1 up") {
		t.Errorf("warnings: %q", w)
	}
}

// TestDeleted: who waits wakes up, and all calls say what has happened.
func TestDeleted(t *testing.T) {
	alone(t)
	for _, keys := range []string{"", ",queues=3"} {
		p := newPool(t, pool.Config{})
		o := opened(t, "tap:gone0"+keys, port.Options{Pool: p})
		result := make(chan error)
		go func() {
			bufs := make([]pool.Buffer, 8)
			for {
				n, err := o.Rx(bufs)
				pool.ReleaseBurst(bufs[:n])
				if err == nil && n == 0 {
					err = o.WaitRx(t.Context())
				}
				if err != nil {
					result <- err
					return
				}
			}
		}()
		time.Sleep(5 * time.Millisecond)
		run(t, "ip", "link", "delete", "gone0")
		if err := <-result; !errors.Is(err, tap.ErrDeleted) || !strings.Contains(err.Error(), "gone0") {
			t.Errorf("Rx: %v", err)
		}
		if err := send(t, o, p, ethernet(60), 1); !errors.Is(err, tap.ErrDeleted) {
			t.Errorf("Tx: %v", err)
		}
		if i := o.Info(); i.MTU != 1514 {
			t.Errorf("%+v", i)
		}
		if s := o.Stats(); s.RxErrors != 1 || s.TxErrors != 1 {
			t.Errorf("%d and %d errors", s.RxErrors, s.TxErrors)
		}
	}
}

// TestOverflow: what the kernel's queue had no room for is in Stats.
func TestOverflow(t *testing.T) {
	alone(t)
	o := opened(t, "tap:full0,txqlen=10", port.Options{})
	other := peer(t, "full0", false)
	defer other.close()
	var frames [][]byte
	for range 100 {
		frames = append(frames, ethernet(60))
	}
	other.feed(frames)
	got := len(receive(t, o, 10))
	if s := o.Stats(); s.RxDrops[stats.ReasonRingFull] != uint64(len(frames)-got) {
		t.Errorf("%d frames, %d came, %v", len(frames), got, s.RxDrops)
	}
}

// TestLong: frames that are too long for a buffer, with large ones behind it and without; and for the MTU, as it is now.
func TestLong(t *testing.T) {
	alone(t)
	p := newPool(t, pool.Config{})
	large := newPool(t, pool.Config{Count: 128, BufferSize: port.LargeBufferSize})
	for i, l := range []*pool.Pool{nil, large} {
		dev := fmt.Sprint("long", i)
		o := opened(t, "tap:"+dev+",mtu=9000", port.Options{Pool: p, Large: l})
		other := peer(t, dev, false)
		defer other.close()
		fit := p.BufferSize()
		other.feed([][]byte{ethernet(fit), ethernet(fit + 1), ethernet(9014), ethernet(60)})
		want, drops := []int{fit, 60}, uint64(2)
		if l != nil {
			want, drops = []int{fit, fit + 1, 9014, 60}, 0
		}
		var sizes []int
		for _, f := range receive(t, o, len(want)) {
			sizes = append(sizes, len(f))
		}
		if s := o.Stats(); !slices.Equal(sizes, want) || s.RxDrops[stats.ReasonTruncated] != drops {
			t.Errorf("received %v, want %v; %v", sizes, want, s.RxDrops)
		}
	}

	o := opened(t, "tap:long2", port.Options{Pool: p})
	other := peer(t, "long2", false)
	defer other.close()
	tag := func(f []byte) []byte { copy(f[12:], []byte{0x81, 0}); return f }
	for _, f := range [][]byte{ethernet(1514), ethernet(1515), tag(ethernet(1518)), tag(ethernet(1519))} {
		_ = send(t, o, p, f, 1)
	}
	if s := o.Stats(); s.TxPackets != 2 || s.TxDrops[stats.ReasonTooLong] != 2 {
		t.Errorf("%+v", s)
	}
	run(t, "ip", "link", "set", "long2", "mtu", "1600")
	if m := o.Info().MTU; m != 1614 {
		t.Errorf("Info.MTU is %d after the device's was raised", m)
	}
	run(t, "ip", "link", "set", "long2", "mtu", "1700")
	time.Sleep(150 * time.Millisecond) // nobody asks for Info
	_ = send(t, o, p, ethernet(1714), 1)
	if s := o.Stats(); s.TxPackets != 3 {
		t.Errorf("%+v", s)
	}
}

// TestVLAN: tags pass, both ways.
func TestVLAN(t *testing.T) {
	alone(t)
	p := newPool(t, pool.Config{})
	o := opened(t, "tap:vlan0", port.Options{Pool: p})
	other := peer(t, "vlan0", false)
	defer other.close()
	f := ethernet(100)
	copy(f[12:], []byte{0x81, 0, 0x60, 7, 0x88, 0xb5})
	other.feed([][]byte{f})
	if got := receive(t, o, 1)[0]; !bytes.Equal(got, f) {
		t.Errorf("received %x, want %x", got, f)
	}
}

// TestFlowsKeepOrder: Tx has all frames of a flow in one queue, and flows in several.
func TestFlowsKeepOrder(t *testing.T) {
	alone(t)
	r := testkit.Rand(t)
	p := newPool(t, pool.Config{})
	o := opened(t, "tap:flow0,queues=4", port.Options{Pool: p})
	other := peer(t, "flow0", false)
	defer other.close()
	const n = 2000
	for i := range n {
		f := flowFrame(r, i, 60+r.IntN(1000))
		f[35] = byte(r.IntN(16)) // its flow
		if err := send(t, o, p, f, 1); err != nil {
			t.Fatal(err)
		}
	}
	last := map[byte]int{}
	got := other.sent(n)
	for _, f := range got {
		i := int(f[18])<<8 | int(f[19])
		if before, ok := last[f[35]]; ok && i < before {
			t.Fatalf("frame %d of flow %d came after %d", i, f[35], before)
		}
		last[f[35]] = i
	}
	if len(got) != n || len(last) != 16 {
		t.Errorf("%d frames of %d flows", len(got), len(last))
	}
}

// TestTunRefuses: what is no IP packet.
func TestTunRefuses(t *testing.T) {
	alone(t)
	p := newPool(t, pool.Config{})
	o := opened(t, "tun:refuse0", port.Options{Pool: p})
	_ = send(t, o, p, ethernet(100), 1)
	_ = send(t, o, p, nil, 1)
	if s := o.Stats(); s.TxDrops[stats.ReasonMalformed] != 1 || s.TxDrops[stats.ReasonTooShort] != 1 {
		t.Errorf("%v", s.TxDrops)
	}
	if i := o.Info(); i.LinkType != 101 || i.MTU != 1500 {
		t.Errorf("%+v", i)
	}
	other := peer(t, "refuse0", true)
	defer other.close()
	good := ipPacket(testkit.Rand(t), 0, 60)
	other.feed([][]byte{ethernet(100), good})
	if got := receive(t, o, 1)[0]; !bytes.Equal(got, good) || o.Stats().RxDrops[stats.ReasonMalformed] != 1 {
		t.Errorf("%x, %v", got, o.Stats().RxDrops)
	}
}

// TestOpenClose: a thousand ports, with frames on their way to and from each.
func TestOpenClose(t *testing.T) {
	alone(t)
	rounds := 1000
	if testing.Short() {
		rounds = 100
	}
	p := newPool(t, pool.Config{})
	run(t, "ip", "tuntap", "add", "often0", "mode", "tap", "multi_queue")
	run(t, "ip", "link", "set", "often0", "up")
	other := peer(t, "often0", false)
	defer other.close()
	over := make(chan struct{})
	flooding := make(chan struct{})
	go func() {
		defer close(flooding)
		f := ethernet(200)
		for {
			select {
			case <-over:
				return
			default:
				_, _ = unix.Write(other.num, f) // nobody may be there
			}
		}
	}()
	round := func(i int) {
		s := "tap:often0"
		if i%10 == 0 {
			s = "tap:made0" // and one that goes
		}
		if i%3 == 0 {
			s += ",queues=2"
		}
		o, err := port.Open(s, port.Options{Pool: p})
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{}, 2)
		go func() {
			defer func() { done <- struct{}{} }()
			bufs := make([]pool.Buffer, 16)
			for {
				n, err := o.Rx(bufs)
				pool.ReleaseBurst(bufs[:n])
				if err == nil && n == 0 {
					err = o.WaitRx(context.Background())
				}
				if err != nil {
					if err != port.ErrClosed {
						t.Errorf("Rx: %v", err)
					}
					return
				}
			}
		}()
		go func() {
			defer func() { done <- struct{}{} }()
			for {
				if err := send(t, o, p, ethernet(100), 1); err != nil {
					if err != port.ErrClosed {
						t.Errorf("Tx: %v", err)
					}
					return
				}
			}
		}()
		time.Sleep(time.Duration(i%5) * 100 * time.Microsecond)
		if err := o.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		<-done
		<-done
	}
	round(0)
	before := descriptors(t)
	for i := range rounds {
		round(i)
	}
	close(over)
	<-flooding
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors, %d before", after, before)
	}
	if out := run(t, "ip", "-br", "link"); strings.Contains(out, "made0") {
		t.Errorf("a device is left:\n%s", out)
	}
	if s := p.Stats(); s.InUse != 0 {
		t.Errorf("%d buffers in use", s.InUse)
	}
}

func TestAllocs(t *testing.T) {
	alone(t)
	for _, keys := range []string{"", ",vnet=off", ",queues=2"} {
		p, err := pool.New(pool.Config{}) // without tracking, which allocates
		if err != nil {
			t.Fatal(err)
		}
		o := opened(t, "tap:alloc0"+keys, port.Options{Pool: p})
		other := peer(t, "alloc0", false)
		c := p.NewCache()
		frame := ethernet(200)
		bufs := make([]pool.Buffer, 32)
		if allocs := testing.AllocsPerRun(100, func() {
			for i := range bufs {
				bufs[i], _ = c.CopyIn(frame)
			}
			if n, err := o.Tx(bufs); n != len(bufs) || err != nil {
				t.Fatal(n, err)
			}
			for range 4 {
				if _, err := unix.Write(other.num, frame); err != nil {
					t.Fatal(err)
				}
			}
			for n := 0; n < 4; {
				if err := o.WaitRx(t.Context()); err != nil {
					t.Fatal(err)
				}
				k, err := o.Rx(bufs)
				if err != nil {
					t.Fatal(err)
				}
				c.PutBurst(bufs[:k])
				n += k
			}
		}); allocs != 0 {
			t.Errorf("tap:%s: %v allocations", keys, allocs)
		}
		c.Close()
		other.close()
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	}
}
