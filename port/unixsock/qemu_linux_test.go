package unixsock

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/need"
	"github.com/ringway-net/ringway/internal/pooltest"
	"github.com/ringway-net/ringway/internal/testkit"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
)

// program starts a program that runs until the end of the test.
func program(t *testing.T, name string, args ...string) {
	t.Helper()
	var said bytes.Buffer
	cmd := exec.Command(need.Program(t, name), args...)
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s %s said:\n%s", name, strings.Join(args, " "), said.String())
		}
	})
}

// TestQEMU: frames of all sizes go through a QEMU, in by one of its netdevs and out by another, both ways: a hub joins
// the two. There is no guest.
func TestQEMU(t *testing.T) {
	testkit.Watchdog(t)
	type end struct{ netdev, port string }
	ends := map[string]func(dir, id string) end{
		"dgram": func(dir, id string) end {
			q, us := filepath.Join(dir, id+"q"), filepath.Join(dir, id)
			return end{fmt.Sprintf("dgram,id=%s,local.type=unix,local.path=%s,remote.type=unix,remote.path=%s", id, q, us),
				fmt.Sprintf("unix:%s,local=%s", q, us)}
		},
		"dgram, served": func(dir, id string) end {
			q, us := filepath.Join(dir, id+"q"), filepath.Join(dir, id)
			return end{fmt.Sprintf("dgram,id=%s,local.type=unix,local.path=%s,remote.type=unix,remote.path=%s", id, q, us),
				fmt.Sprintf("unix:%s,role=listen", us)}
		},
		"stream, served": func(dir, id string) end {
			us := filepath.Join(dir, id)
			return end{fmt.Sprintf("stream,id=%s,server=off,addr.type=unix,addr.path=%s", id, us),
				fmt.Sprintf("unix:%s,type=stream,role=listen", us)}
		},
		"stream": func(dir, id string) end {
			q := filepath.Join(dir, id)
			return end{fmt.Sprintf("stream,id=%s,server=on,addr.type=unix,addr.path=%s", id, q),
				fmt.Sprintf("unix:%s,type=stream", q)}
		},
	}
	for _, pair := range [][2]string{{"dgram", "stream, served"}, {"stream", "dgram"}, {"dgram", "dgram, served"}} {
		t.Run(strings.Join(pair[:], " to "), func(t *testing.T) {
			dir := tempDir(t)
			p := pooltest.New(t, pool.Config{Count: 2048, Track: 1})
			o := port.Options{Pool: p, Large: pooltest.New(t, pool.Config{Count: 256, BufferSize: port.LargeBufferSize})}
			a, b := ends[pair[0]](dir, "a"), ends[pair[1]](dir, "b")
			// Those that listen are there before QEMU, those that dial a stream after it.
			var ports [2]port.Port
			for i, e := range []end{a, b} {
				if strings.Contains(e.port, "role=listen") {
					ports[i] = open(t, e.port+",retry=1m", o)
				}
			}
			program(t, "qemu-system-x86_64", "-machine", "none", "-nodefaults", "-display", "none",
				"-netdev", a.netdev, "-netdev", "hubport,id=ha,hubid=0,netdev=a",
				"-netdev", b.netdev, "-netdev", "hubport,id=hb,hubid=0,netdev=b")
			for i, e := range []end{a, b} {
				for end := time.Now().Add(20 * time.Second); ports[i] == nil; time.Sleep(10 * time.Millisecond) {
					opened, err := port.Open(e.port+",retry=1m", o)
					if err != nil && time.Now().Before(end) {
						continue
					}
					if err != nil {
						t.Fatal(err)
					}
					ports[i] = closeLater(t, opened)
				}
			}
			// A served one knows QEMU when it has heard of it; and one that dials has been early, perhaps.
			for i := range ports {
				hello(t, ports[i], ports[1-i])
			}
			for i := range ports {
				from, to := ports[i], ports[1-i]
				// Not more at a time than QEMU's own sockets hold: where one of them is full, its hub lets the next
				// frame overtake the one that is cut off, and mixes up a stream.
				r := testkit.Rand(t)
				for sent := 0; sent < 2000; {
					n, size := 8, 60+r.IntN(1455)
					if r.IntN(4) == 0 {
						n, size = 1, MinFrame+r.IntN(DefaultMTU-MinFrame+1)
					}
					bufs := make([]pool.Buffer, n)
					for k := range bufs {
						var err error
						if bufs[k], err = o.Large.CopyIn(frame(sent+k, size)); err != nil {
							t.Fatal(err)
						}
					}
					sendAll(t, from, bufs)
					for k, f := range receive(t, to, n) {
						if !bytes.Equal(f, frame(sent+k, size)) {
							t.Fatalf("frame %d, of %d bytes, came as %d bytes: %.30x; %+v", sent+k, size, len(f), f, to.Info())
						}
					}
					sent += n
				}
			}
		})
	}
}

// hello sends frames from one port until one of them comes out of another, and takes out all.
func hello(t *testing.T, from, to port.Port) {
	t.Helper()
	p := pooltest.New(t, pool.Config{Count: 512})
	bufs := make([]pool.Buffer, 8)
	last := -1
	sent := 0
	eventually(t, "a frame goes from "+from.Info().Mode+" to "+to.Info().Mode, func() bool {
		if last < 0 {
			b := buffers(t, p, sent, 1, 100)
			sent++
			if n, err := from.Tx(b); n == 0 || err != nil {
				t.Fatal(n, err)
			}
		}
		n, err := to.Rx(bufs)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range bufs[:n] {
			last = number(b.Bytes())
			b.Release()
		}
		return last == sent-1
	})
}
