//go:build linux && !race

package main

import (
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/netlab"
)

// A program that is killed leaves nothing that is in the way of the next one: the kernel gives back all but a socket's file, and
// that is replaced.
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	lab := netlab.New(t)
	r, far := lab.Namespace("r"), lab.Namespace("far")
	lab.Veth(r, "eth0", far, "eth0", 1500)
	r.Addr("lo", "10.9.0.2/32")
	link := func(text string) func() bool {
		return func() bool { return strings.Contains(r.IP("-d", "link", "show"), text) }
	}
	for _, c := range []struct {
		port string
		open func() bool // the port is there
	}{
		{"afpacket:eth0", link("promiscuity 1")},
		{"afxdp:eth0", link("prog/xdp")},
		{"tap:tap0", link("tap0")},
		{"vxlan:10.9.0.1,vni=7,local=10.9.0.2", func() bool { return strings.Contains(r.Run("ss", "-lun"), ":4789") }},
		{"unix:" + path + ",type=stream,role=listen", func() bool {
			c, err := net.Dial("unix", path)
			if err == nil {
				_ = c.Close()
			}
			return err == nil
		}},
	} {
		t.Run(c.port, func(t *testing.T) {
			for range 2 {
				p := r.Start(program, "forward", c.port, "null:")
				until := func(what string, done func() bool) {
					t.Helper()
					for end := time.Now().Add(10 * time.Second); !done(); time.Sleep(20 * time.Millisecond) {
						if time.Now().After(end) {
							t.Fatalf("%s: %s", what, p.Output())
						}
					}
				}
				until("it does not open", c.open)
				if err := syscall.Kill(p.PID(), syscall.SIGKILL); err != nil {
					t.Fatal(err)
				}
				<-p.Done()
				until("something is left", func() bool { return !c.open() })
			}
		})
	}
}
