package vxlan_test

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/porttest"
	"github.com/ringway-net/ringway/port/vxlan"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// node is a peer made of a socket.
type node struct {
	t   porttest.TB
	c   *net.UDPConn
	vni uint32
	// from are the source ports that datagrams came from.
	from map[uint16]int
}

// newNode makes a peer at an address of the loopback. Its datagrams are checked to have the header of network vni.
func newNode(t porttest.TB, at netip.AddrPort, vni uint32) *node {
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
	if err != nil {
		t.Fatalf("%v", err)
	}
	_ = c.SetReadBuffer(8 << 20)
	return &node{t: t, c: c, vni: vni, from: map[uint16]int{}}
}

// take returns the frames that have come, and waits a while for n. What was sent over the loopback has come.
func (n *node) take(want int) (frames [][]byte) {
	b := make([]byte, 1<<16)
	for {
		wait := 20 * time.Millisecond
		if len(frames) < want {
			wait = 2 * time.Second
		}
		_ = n.c.SetReadDeadline(time.Now().Add(wait))
		k, from, err := n.c.ReadFromUDPAddrPort(b)
		if err != nil {
			return frames
		}
		if k < 8 || !bytes.Equal(b[:8], head(n.vni)) {
			n.t.Errorf("a datagram begins with %x", b[:min(k, 8)])
			continue
		}
		n.from[from.Port()]++
		frames = append(frames, slices.Clone(b[8:k]))
	}
}

func (n *node) close() { _ = n.c.Close() }

func (n *node) send(to netip.AddrPort, vni uint32, frames ...[]byte) {
	for i, f := range frames {
		if _, err := n.c.WriteToUDPAddrPort(append(head(vni), f...), to); err != nil {
			n.t.Errorf("a peer: %v", err)
		}
		if i%100 == 99 {
			time.Sleep(time.Millisecond)
		}
	}
}

// head is the header as RFC 7348 has it.
func head(vni uint32) []byte {
	return []byte{8, 0, 0, 0, byte(vni >> 16), byte(vni >> 8), byte(vni), 0}
}

// freePort returns a port that is free at an address.
func freePort(t porttest.TB, ip string) uint16 {
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(ip), 0)))
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Port()
}

const (
	here  = "127.0.0.1"
	there = "127.0.0.2"
	third = "127.0.0.3"
)

func kind(large bool, runs string) porttest.Kind {
	return porttest.Kind{
		Name:  "vxlan",
		Does:  port.Both,
		Lossy: os.Geteuid() != 0, // without root a socket's buffer is small
		Open: func(t porttest.TB, e porttest.Env) *porttest.Link {
			number := freePort(t, here)
			peer := newNode(t, netip.AddrPortFrom(netip.MustParseAddr(there), number), 7)
			done := peer.close
			if large {
				p, err := pool.New(pool.Config{Name: "large", Count: 256, BufferSize: port.LargeBufferSize, Track: 1})
				if err != nil {
					t.Fatalf("%v", err)
				}
				e.Options.Large = p
				done = func() {
					peer.close()
					if err := p.Close(); err != nil {
						t.Errorf("%v", err)
					}
				}
			}
			p, err := vxlan.Open(e.Options, vxlan.Config{
				Peers: []netip.Addr{netip.MustParseAddr(there)},
				Local: netip.MustParseAddr(here), VNI: 7, Port: number, Runs: runs,
			})
			if err != nil {
				t.Fatalf("%v", err)
			}
			feed := func(frames [][]byte) {
				peer.send(netip.AddrPortFrom(netip.MustParseAddr(here), number), 7, frames...)
			}
			if e.Options.Direction&port.In != 0 {
				feed(e.Frames)
			}
			return &porttest.Link{Port: p, Feed: feed, Sent: peer.take, Done: done}
		},
		String: func(t porttest.TB, d port.Direction) string {
			return fmt.Sprintf("vxlan:%s,vni=7,local=%s,port=%d", there, here, freePort(t, here))
		},
	}
}

func TestConformance(t *testing.T) {
	t.Run("OneByOne", func(t *testing.T) { porttest.Run(t, kind(false, vxlan.Off)) })
	t.Run("Runs", func(t *testing.T) { porttest.Run(t, kind(true, vxlan.Auto)) })
}
