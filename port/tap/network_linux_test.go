package tap_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/joined"
	"github.com/ringway-net/ringway/internal/netlab"
	"github.com/ringway-net/ringway/internal/pooltest"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/stats"
	"github.com/ringway-net/ringway/vswitch"
)

// end is a host: a namespace with a device that is a port.
type end struct {
	*netlab.Namespace
	port *measured
}

// measured is a port that knows how long the longest frame was that it received.
type measured struct {
	port.Port
	most atomic.Int64
}

func (m *measured) Rx(bufs []pool.Buffer) (int, error) {
	n, err := m.Port.Rx(bufs)
	for _, b := range bufs[:n] {
		if l := int64(b.Len()); l > m.most.Load() {
			m.most.Store(l) // there is one caller
		}
	}
	return n, err
}

// network is two hosts whose devices are joined.
type network struct {
	a, b    end
	forward *joined.Forward
}

// testB is what tests and benchmarks have in common.
type testB interface {
	testing.TB
	netlab.T
}

// join makes two hosts, each with a port, and forwards between these. The strings are kind:dev and keys.
func join(t testB, stringA, stringB string) *network {
	t.Helper()
	lab := netlab.New(t)
	o := port.Options{
		Pool:  pooltest.New(t, pool.Config{Name: "small", Count: 16384}),
		Large: pooltest.New(t, pool.Config{Name: "large", Count: 2048, BufferSize: port.LargeBufferSize}),
	}
	n := new(network)
	for i, e := range []*end{&n.a, &n.b} {
		e.Namespace = lab.Namespace(string(rune('a' + i)))
		s := fmt.Sprintf("%s,addr=10.0.0.%d/24+fd00::%d/64", []string{stringA, stringB}[i], i+1, i+1)
		e.port = new(measured)
		e.Do(func() { e.port.Port = opened(t, s, o) })
	}
	n.forward = joined.Start(t, vswitch.ForwardConfig{In: n.a.port, Out: n.b.port, Both: true})
	if !n.a.WaitPing("10.0.0.2", 10*time.Second) {
		t.Fatal("no answer to a ping")
	}
	return n
}

// TestNetwork: two hosts that find nothing to complain of.
func TestNetwork(t *testing.T) {
	const jumbo = ",mtu=9000"
	type pair struct {
		a, b     string
		segments bool // large frames have to be cut on their way to b
	}
	pairs := []pair{
		{"tap:t0", "tap:t0", false},
		{"tap:t0" + jumbo, "tap:t0" + jumbo, false},
		{"tap:t0,queues=2", "tap:t0,queues=2", false},
		{"tap:t0", "tap:t0,vnet=off", true},
		{"tap:t0" + jumbo, "tap:t0,vnet=off" + jumbo, true},
		{"tap:t0,vnet=off", "tap:t0,vnet=off", false},
		{"tun:t0", "tun:t0", false},
		{"tun:t0", "tun:t0,vnet=off", true},
	}
	if testing.Short() { // each key once
		pairs = []pair{{"tap:t0,queues=2" + jumbo, "tap:t0,vnet=off" + jumbo, true}, {"tun:t0", "tun:t0,vnet=off", true}}
	}
	for _, v := range pairs {
		t.Run(v.a+" "+v.b, func(t *testing.T) {
			alone(t)
			n := join(t, v.a, v.b)
			a, b := n.a, n.b
			for _, to := range []string{"10.0.0.2", "fd00::2"} {
				if r := a.Ping(to, netlab.PingOptions{Count: 5, Size: 1200}); r.Loss() > 0 {
					t.Errorf("ping %s: %+v", to, r)
				}
			}
			for _, o := range []netlab.TCPOptions{{}, {Reverse: true}} {
				for _, to := range []string{"10.0.0.2", "fd00::2"} {
					if r, err := netlab.Transfer(b.Namespace, a.Namespace, to, o); err != nil || r.Bytes < 10e6 {
						t.Errorf("TCP to %s %+v: %+v, %v", to, o, r, err)
					}
				}
			}
			s := n.forward.Stats()
			if most := int(a.port.most.Load()); strings.Contains(v.a, "vnet=off") != (most <= a.port.Info().MTU) {
				t.Errorf("the longest frame that came from a has %d bytes, its MTU is %d", most, a.port.Info().MTU)
			}
			if v.segments != (s.Ports[1].TxSegments > 0) || s.Ports[0].TxSegments > 0 {
				t.Errorf("segments made in software: %d to a, %d to b", s.Ports[0].TxSegments, s.Ports[1].TxSegments)
			}
			for i, p := range s.Ports {
				for _, r := range []stats.Reason{stats.ReasonMalformed, stats.ReasonTooLong, stats.ReasonTruncated, stats.ReasonIOError} {
					if p.RxDrops[r]+p.TxDrops[r] > 0 {
						t.Errorf("port %d dropped: %v, %v", i, p.RxDrops, p.TxDrops)
					}
				}
			}
			if r, err := netlab.UDP(b.Namespace, a.Namespace, "10.0.0.2", time.Second, netlab.UDPOptions{BitsPerSecond: 20e6}); err != nil || r.Far < r.Sent*9/10 {
				t.Errorf("UDP: %+v, %v", r, err)
			}
			if strings.Contains(v.b, "vnet=off") {
				finished(t, n)
			}
		})
	}
}

// finished checks that what comes to b is as it would be on a wire.
func finished(t *testing.T, n *network) {
	file := filepath.Join(t.TempDir(), "b.pcap")
	c := n.b.Capture("t0", file, "src host 10.0.0.1 or src host fd00::1")
	for _, to := range []string{"10.0.0.2", "fd00::2"} {
		server := n.b.Start("iperf3", "--server", "--one-off", "--forceflush")
		if err := server.Expect("Server listening", 10*time.Second); err != nil {
			t.Fatal(err)
		}
		n.a.Run("iperf3", "--client", to, "--bytes", "4M")
		<-server.Done()
	}
	if _, lost := c.Stop(); lost > 0 {
		t.Logf("%d frames are not in the capture", lost)
	}
	netlab.CheckClean(t, file)
}

// BenchmarkTCP is TCP with default offloads between two hosts: joined by a Linux bridge, and by ports.
//
//	go test -bench TCP -benchtime 1x -count 5 ./port/tap
func BenchmarkTCP(b *testing.B) {
	for _, v := range []struct{ name, keys string }{
		{"bridge", ""},
		{"vnet=on", ""},
		{"vnet=off", ",vnet=off"},
	} {
		b.Run(v.name, func(b *testing.B) {
			var from, to *netlab.Namespace
			if v.name == "bridge" {
				from, to = bridged(b)
			} else {
				n := join(b, "tap:t0"+v.keys, "tap:t0"+v.keys)
				from, to = n.a.Namespace, n.b.Namespace
			}
			var bits float64
			busy, own := cpu(b), ownCPU(b)
			for b.Loop() {
				r, err := netlab.TCP(to, from, "10.0.0.2", 3*time.Second, netlab.TCPOptions{})
				if err != nil {
					b.Fatal(err)
				}
				bits += r.BitsPerSecond
			}
			p := from.Ping("10.0.0.2", netlab.PingOptions{Count: 100, Interval: 10 * time.Millisecond})
			b.ReportMetric(bits/float64(b.N)/1e9, "Gbit/s")
			b.ReportMetric((cpu(b)-busy)/b.Elapsed().Seconds(), "cores")
			b.ReportMetric((ownCPU(b)-own)/b.Elapsed().Seconds(), "own-cores")
			b.ReportMetric(float64(p.Avg.Microseconds()), "ping-us")
		})
	}
}

// bridged makes two hosts with a Linux bridge between them.
func bridged(t testB) (a, b *netlab.Namespace) {
	lab := netlab.New(t)
	between := lab.Namespace("bridge")
	a, b = lab.Host(1, between, "a0", 1500), lab.Host(2, between, "b0", 1500)
	between.Bridge("br0", "a0", "b0")
	if !a.WaitPing("10.0.0.2", 10*time.Second) {
		t.Fatal("no answer to a ping through the bridge")
	}
	return a, b
}

// cpu returns how many seconds the machine's processors have been busy.
func cpu(t testing.TB) (seconds float64) {
	all, err := os.ReadFile(filepath.Join("/proc", "stat"))
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(all), "\n")
	var v [10]float64
	for i, f := range strings.Fields(line)[1:] {
		_, _ = fmt.Sscan(f, &v[i])
	}
	return (v[0] + v[1] + v[2] + v[5] + v[6]) / 100
}

// ownCPU returns how many seconds of processor time this process has had.
func ownCPU(t testing.TB) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
