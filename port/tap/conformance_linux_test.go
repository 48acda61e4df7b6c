package tap_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/need"
	"github.com/ringway-net/ringway/internal/netif"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/porttest"
)

// alone skips a test that can't make devices where nobody else is.
func alone(t *testing.T) {
	t.Helper()
	need.Root(t)
	if os.Getenv(inside) == "" {
		need.Missing(t, "this root may not make network namespaces: it lacks CAP_SYS_ADMIN")
	}
	if _, err := os.Stat("/dev/net/tun"); err != nil {
		need.Missing(t, "there is no /dev/net/tun: modprobe tun")
	}
	// The kernel's own frames would be counted.
	_ = os.WriteFile("/proc/sys/net/ipv6/conf/default/disable_ipv6", []byte("1"), 0)
}

// socket is the other end of a device: a packet socket, which is there where the kernel's own protocols are.
type socket struct {
	t   porttest.TB
	num int
	tun bool
}

// peer opens a socket at a device of the namespace that the calling thread is in.
func peer(t porttest.TB, device string, tun bool) *socket {
	t.Helper()
	num, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatalf("%v", err)
	}
	req, err := unix.NewIfreq(device)
	if err == nil {
		err = unix.IoctlIfreq(num, unix.SIOCGIFINDEX, req)
	}
	for _, o := range []struct{ level, name, value int }{
		{unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 64 << 20},
		{unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, 64 << 20},
		{unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1},
	} {
		if err == nil {
			err = unix.SetsockoptInt(num, o.level, o.name, o.value)
		}
	}
	if err == nil {
		err = unix.Bind(num, &unix.SockaddrLinklayer{Protocol: netif.NetworkOrder(unix.ETH_P_ALL), Ifindex: int(req.Uint32())})
	}
	if err != nil {
		t.Fatalf("packet socket at %s: %v", device, err)
	}
	return &socket{t, num, tun}
}

func (s *socket) feed(frames [][]byte) {
	for _, f := range frames {
		var err error
		if s.tun {
			proto := uint16(unix.ETH_P_IP)
			if f[0]>>4 == 6 {
				proto = unix.ETH_P_IPV6
			}
			name, _ := unix.Getsockname(s.num)
			to := *name.(*unix.SockaddrLinklayer)
			to.Protocol = netif.NetworkOrder(proto)
			err = unix.Sendto(s.num, f, 0, &to)
		} else {
			_, err = unix.Write(s.num, f)
		}
		if err != nil {
			s.t.Errorf("the other end's send of %d bytes: %v", len(f), err)
			return
		}
	}
}

// sent waits for n frames, a while, and returns those that are there.
func (s *socket) sent(n int) (frames [][]byte) {
	buf := make([]byte, 1<<18)
	over := time.Now().Add(10 * time.Second)
	for {
		k, _, err := unix.Recvfrom(s.num, buf, unix.MSG_DONTWAIT)
		if err == nil {
			frames = append(frames, slices.Clone(buf[:k]))
			continue
		}
		if err == unix.ENETDOWN {
			continue
		}
		if err != unix.EAGAIN || len(frames) >= n || time.Now().After(over) {
			return frames
		}
		_, _ = unix.Poll([]unix.PollFd{{Fd: int32(s.num), Events: unix.POLLIN}}, 100)
	}
}

func (s *socket) close() { _ = unix.Close(s.num) }

var made atomic.Int64

// device is a new name.
func device() string { return fmt.Sprint("conf", made.Add(1)) }

// ipPacket makes IP packets of a protocol for experiments (RFC 3692), of either version.
func ipPacket(r *rand.Rand, i, size int) []byte {
	f := make([]byte, size)
	for k := range f {
		f[k] = byte(r.Uint32())
	}
	if i%2 == 0 {
		copy(f, []byte{0x45, 0, byte(size >> 8), byte(size), byte(i >> 8), byte(i), 0x40, 0, 64, 253})
	} else {
		copy(f, []byte{0x60, 0, 0, 0, byte((size - 40) >> 8), byte(size - 40), 253, 64, byte(i >> 8), byte(i)})
	}
	return f
}

// flowFrame makes frames that are all of one flow of UDP.
func flowFrame(r *rand.Rand, i, size int) []byte {
	f := make([]byte, size)
	for k := range f {
		f[k] = byte(r.Uint32())
	}
	copy(f, []byte{2, 0, 0, 0, 0, 0xb, 2, 0, 0, 0, 0, 0xa, 8, 0, 0x45, 0, 0, 0, byte(i >> 8), byte(i), 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 1, 2, 3, 4, 0, 0, 0, 0})
	binary.BigEndian.PutUint16(f[16:], uint16(size-14))
	binary.BigEndian.PutUint16(f[38:], uint16(size-34))
	return f
}

// kind is a tap or tun with some keys.
func kind(name, keys string) porttest.Kind {
	k := porttest.Kind{
		Name: name,
		Does: port.Both,
		Open: func(t porttest.TB, e porttest.Env) *porttest.Link {
			dev := device()
			p, err := port.Open(name+":"+dev+",txqlen=5000"+keys, e.Options)
			if err != nil {
				t.Fatalf("%v", err)
			}
			other := peer(t, dev, name == "tun")
			other.feed(e.Frames)
			return &porttest.Link{Port: p, Feed: other.feed, Sent: other.sent, Done: other.close}
		},
		String: func(t porttest.TB, d port.Direction) string { return name + ":" + device() },
	}
	if name == "tun" {
		k.Frame, k.MaxSize = ipPacket, 1500
	}
	return k
}

func TestConformance(t *testing.T) {
	alone(t)
	t.Run("Tap", func(t *testing.T) { porttest.Run(t, kind("tap", "")) })
	t.Run("TapJumbo", func(t *testing.T) {
		k := kind("tap", ",mtu=1900")
		k.MaxSize = 1914
		porttest.Run(t, k)
	})
	t.Run("TapFinished", func(t *testing.T) { porttest.Run(t, kind("tap", ",vnet=off")) })
	t.Run("TapQueues", func(t *testing.T) {
		k := kind("tap", ",queues=4")
		k.Frame = flowFrame
		k.Unordered = true // the kernel moves a flow to the queue by which the other direction was sent
		porttest.Run(t, k)
	})
	t.Run("TapFinishedQueues", func(t *testing.T) {
		k := kind("tap", ",queues=4,vnet=off")
		k.Unordered = true
		porttest.Run(t, k)
	})
	t.Run("Tun", func(t *testing.T) { porttest.Run(t, kind("tun", "")) })
	t.Run("TunFinishedQueues", func(t *testing.T) {
		k := kind("tun", ",queues=2,vnet=off")
		k.Unordered = true
		porttest.Run(t, k)
	})
}
