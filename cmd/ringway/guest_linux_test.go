//go:build linux && !race

package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/guest"
	"github.com/ringway-net/ringway/internal/netlab"
)

// A virtual machine with a kernel of its own is joined to a host by the program: by each way that QEMU has for it.
func TestGuest(t *testing.T) {
	if testing.Short() {
		t.Skip("boots virtual machines")
	}
	for _, c := range []struct {
		name, far string
		// netdev is QEMU's, and port ours.
		netdev, port string
		restart      bool
	}{
		{"stream", "afpacket", "stream,server=off,addr.type=unix,addr.path=DIR/s", "unix:DIR/s,type=stream,role=listen", true},
		{"dgram", "tap", "dgram,local.type=unix,local.path=DIR/q,remote.type=unix,remote.path=DIR/s", "unix:DIR/q,local=DIR/s", false},
		{"tap", "afpacket", "tap,ifname=vm0,script=no,downscript=no", "afpacket:vm0", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			lab := netlab.New(t)
			s := &site{t: t, lab: lab, r: lab.Namespace("r"), hosts: []*netlab.Namespace{1: lab.Namespace("b")}, mtu: 1500}
			b := s.hosts[1]
			dir := t.TempDir()
			in := strings.ReplaceAll(c.port, "DIR", dir)
			if c.name == "tap" {
				s.r.IP("tuntap", "add", "vm0", "mode", "tap")
				s.r.IP("link", "set", "vm0", "up")
			}
			far := attachments[c.far]
			s.start(in, far.before(s, 1))
			if strings.HasPrefix(in, "unix:") {
				s.file(filepath.Join(dir, "s"))
			}
			if far.after != nil {
				far.after(s, 1)
			}
			b.Addr(ifname, "10.0.0.2/24", "fd00::2/64")
			machine := guest.Config{Netdev: strings.ReplaceAll(c.netdev, "DIR", dir), Addrs: []string{"10.0.0.1/24", "fd00::1/64"}}
			g := guest.Start(t, s.r, machine)
			if c.restart {
				if !g.WaitPing("10.0.0.2", 10*time.Second) {
					t.Fatalf("no ping comes through: %s", s.said())
				}
				g.Kill()
				g = guest.Start(t, s.r, machine)
			}
			for _, to := range []string{"10.0.0.2", "fd00::2"} {
				if !g.WaitPing(to, 10*time.Second) {
					t.Fatalf("no ping to %s comes through: %s", to, s.said())
				}
			}
			if n := g.Ping("10.0.0.2", 5, 1472); n != 5 {
				t.Errorf("of 5 pings to the host %d came back", n)
			}
			if r := b.Ping("10.0.0.1", netlab.PingOptions{Count: 5, Size: 4000}); r.Received != 5 {
				t.Errorf("of 5 pings in fragments to the guest %d came back", r.Received)
			}
			fromGuest(t, g, b)
			toGuest(t, g, b)
			s.end()
		})
	}
}

// file waits until there is a file, which the program makes.
func (s *site) file(path string) {
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(path); err == nil {
			return
		}
		if time.Now().After(end) {
			s.t.Fatalf("no %s comes: %s", path, s.said())
		}
	}
}

const fileSize = 16 << 20

// fromGuest has the guest send a file, and compares what comes with what it has.
func fromGuest(t *testing.T, g *guest.Guest, host *netlab.Namespace) {
	t.Helper()
	var l net.Listener
	var err error
	host.Do(func() { l, err = net.Listen("tcp", "10.0.0.2:7000") })
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := make(chan string, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			got <- err.Error()
			return
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(time.Minute))
		sum := sha256.New()
		n, err := io.Copy(sum, c)
		got <- fmt.Sprintf("%d %v %x", n, err, sum.Sum(nil))
	}()
	g.Run(fmt.Sprintf("head -c %d /dev/urandom >/tmp/f", fileSize))
	sum, _, _ := strings.Cut(g.Run("sha256sum /tmp/f"), " ")
	begin := time.Now()
	g.Run("nc 10.0.0.2 7000 </tmp/f")
	if got, want := <-got, fmt.Sprintf("%d <nil> %s", fileSize, sum); got != want {
		t.Errorf("the guest sent %s, the host received %s", want, got)
	}
	t.Logf("from the guest: %.0f Mbit/s", fileSize*8/1e6/time.Since(begin).Seconds())
}

// toGuest sends the guest a file, and compares what it has received.
func toGuest(t *testing.T, g *guest.Guest, host *netlab.Namespace) {
	t.Helper()
	file := make([]byte, fileSize)
	_, _ = rand.NewChaCha8([32]byte{}).Read(file)
	g.Begin("nc -l -p 7000 | sha256sum")
	var c net.Conn
	var err error
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		host.Do(func() { c, err = net.DialTimeout("tcp", "10.0.0.1:7000", 5*time.Second) })
		if err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	begin := time.Now()
	if _, err = io.Copy(c, bytes.NewReader(file)); err == nil {
		err = c.(*net.TCPConn).CloseWrite()
	}
	if err != nil {
		t.Fatal(err)
	}
	got, _, _ := strings.Cut(g.Finish(), " ")
	_ = c.Close()
	if want := fmt.Sprintf("%x", sha256.Sum256(file)); got != want {
		t.Errorf("the host sent %s, the guest received %q", want, got)
	}
	t.Logf("to the guest: %.0f Mbit/s", fileSize*8/1e6/time.Since(begin).Seconds())
}
