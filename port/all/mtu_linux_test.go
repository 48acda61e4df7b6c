package all_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/netlab"
	"github.com/ringway-net/ringway/internal/testkit"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
)

// When an interface's MTU is raised after a port was opened on it, longer frames are received, or dropped and counted.
func TestMTURaised(t *testing.T) {
	const longest, frames = 4000, 50
	for _, name := range []string{"afpacket:eth0", "afxdp:eth0,mode=copy", "afxdp:eth0,mode=generic", "tap:eth0"} {
		t.Run(name, func(t *testing.T) {
			testkit.Watchdog(t)
			lab := netlab.New(t)
			near, far := lab.Namespace("near"), lab.Namespace("far")
			quiet(near)
			quiet(far)
			sender := far
			if name == "tap:eth0" {
				sender = near
			} else {
				lab.Veth(near, "eth0", far, "eth0", 1500)
			}
			p, err := pool.New(pool.Config{UMEM: true})
			if err != nil {
				t.Fatal(err)
			}
			large, err := pool.New(pool.Config{Name: "large", Count: 256, BufferSize: port.LargeBufferSize})
			if err != nil {
				t.Fatal(err)
			}
			var o port.Port
			near.Do(func() { o, err = port.Open(name, port.Options{Pool: p, Large: large}) })
			if err != nil {
				t.Fatal(err)
			}
			raised := true
			for _, n := range []*netlab.Namespace{near, sender} {
				if out, err := n.Command("ip", "link", "set", "eth0", "mtu", fmt.Sprint(longest)).CombinedOutput(); err != nil {
					t.Logf("the kernel leaves the MTU as it is: %s", out) // XDP's own limit
					raised = false
				}
			}
			var num int
			var i *net.Interface
			sender.Do(func() {
				if i, err = net.InterfaceByName("eth0"); err == nil {
					num, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(num)
			long := frame
			if raised {
				long = append(bytes.Clone(frame), make([]byte, longest+14-len(frame))...)
			}
			for n := range frames {
				f := long
				if n%2 == 1 {
					f = frame
				}
				if err := unix.Sendto(num, f, 0, &unix.SockaddrLinklayer{Ifindex: i.Index}); err != nil {
					t.Fatal(err)
				}
			}
			received, whole := uint64(0), 0
			bufs := make([]pool.Buffer, 16)
			for end := time.Now().Add(5 * time.Second); received+o.Stats().RxDropped() < frames && time.Now().Before(end); {
				n, err := o.Rx(bufs)
				if err != nil {
					t.Fatal(err)
				}
				received += uint64(n)
				for _, b := range bufs[:n] {
					switch b.Len() {
					case len(frame):
					case len(long):
						whole++
					default:
						t.Errorf("a frame of %d bytes came", b.Len())
					}
				}
				pool.ReleaseBurst(bufs[:n])
				if n == 0 {
					time.Sleep(time.Millisecond)
				}
			}
			s := o.Stats()
			t.Logf("%d came, %d of them long; dropped %v; %s", received, whole, s.RxDrops, o.Info().Mode)
			if received+s.RxDropped() != frames {
				t.Errorf("of %d frames %d came, and %d were dropped and counted: %v", frames, received, s.RxDropped(), s.RxDrops)
			}
			for _, c := range []io.Closer{o, p, large} {
				if err := c.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
