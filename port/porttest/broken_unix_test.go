//go:build unix

package porttest

import (
	"context"
	"io"
	"path/filepath"
	"strings"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/unixsock"
)

func init() { sleeperKind = streamKind }

// streamKind is a stream over a unix socket, each port of which mend has broken. It loses nothing, and reads more than it hands on.
func streamKind(mend func(b *broken)) Kind {
	return Kind{
		Name: "unix",
		Does: port.Both,
		Open: func(t TB, e Env) *Link {
			path := filepath.Join(t.TempDir(), "s")
			l, err := unixsock.Listen(path, e.Options, unixsock.Config{Type: unixsock.Stream})
			if err != nil {
				t.Fatalf("%v", err)
			}
			two, err := unixsock.Dial(path, port.Options{Pool: e.Other, Stdin: strings.NewReader(""), Stdout: io.Discard}, unixsock.Config{Type: unixsock.Stream})
			if err != nil {
				t.Fatalf("%v", err)
			}
			one, err := l.Accept(context.Background())
			if err != nil {
				t.Fatalf("%v", err)
			}
			if err := l.Close(); err != nil {
				t.Fatalf("%v", err)
			}
			feed := func(frames [][]byte) {
				for _, f := range frames {
					b, err := e.Other.CopyIn(f)
					if err != nil {
						t.Errorf("%v", err)
						return
					}
					n := 0
					for n == 0 && err == nil {
						if n, err = two.Tx([]pool.Buffer{b}); n == 0 && err == nil {
							err = two.WaitTx(context.Background())
						}
					}
					if n == 0 { // the port was closed, or the check is over
						b.Release()
						return
					}
				}
			}
			feed(e.Frames)
			b := &broken{Port: one, o: e.Options}
			mend(b)
			return &Link{Port: sleeping{b}, Feed: feed, Done: func() { _ = two.Close() }}
		},
	}
}
