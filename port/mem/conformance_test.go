package mem_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/mem"
	"github.com/ringway-net/ringway/port/porttest"
)

// peer is the other end of the port under test.
type peer struct {
	t    porttest.TB
	port port.Port
	pool *pool.Pool
}

func (e *peer) feed(frames [][]byte) {
	for _, f := range frames {
		b, err := e.pool.CopyIn(f)
		if err != nil {
			e.t.Errorf("no buffer for the other end: %v", err)
			return
		}
		for sent := 0; sent == 0; {
			sent, err = e.port.Tx([]pool.Buffer{b})
			if err == nil && sent == 0 {
				err = e.port.WaitTx(context.Background())
			}
			if err != nil {
				e.t.Errorf("the other end's Tx: %v", err)
				b.Release()
				return
			}
		}
	}
}

// sent takes out what has come; it waits for n frames, a while.
func (e *peer) sent(n int) (frames [][]byte) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	bufs := make([]pool.Buffer, 50)
	for {
		k, err := e.port.Rx(bufs)
		for _, b := range bufs[:k] {
			frames = append(frames, slices.Clone(b.Bytes()))
			b.Release()
		}
		if k == 0 && (len(frames) >= n || err != nil || e.port.WaitRx(ctx) != nil) {
			return frames
		}
	}
}

func (e *peer) close() {
	if err := e.port.Close(); err != nil {
		e.t.Errorf("Close of the other end: %v", err)
	}
}

var made atomic.Int64

// kind is mem with settings, opened as a pair or by name.
func kind(c mem.Config, named bool) porttest.Kind {
	return porttest.Kind{
		Name: "mem",
		Does: port.Both,
		Open: func(t porttest.TB, e porttest.Env) *porttest.Link {
			theirs := port.Options{Pool: e.Other}
			var one, two port.Port
			var err error
			if named {
				name := fmt.Sprint("conformance", made.Add(1))
				if one, err = mem.Open(name, e.Options, c); err == nil {
					two, err = mem.Open(name, theirs, c)
				}
			} else {
				one, two, err = mem.Pair(e.Options, theirs, c, c)
			}
			if err != nil {
				t.Fatalf("%v", err)
			}
			other := &peer{t, two, e.Other}
			other.feed(e.Frames)
			return &porttest.Link{
				Port:  one,
				Feed:  other.feed,
				End:   other.close,
				Sent:  other.sent,
				Fills: c.Capacity,
				Done:  other.close,
			}
		},
		String: func(t porttest.TB, d port.Direction) string { return fmt.Sprint("mem:string", made.Add(1)) },
	}
}

func TestConformance(t *testing.T) {
	t.Run("Pair", func(t *testing.T) { porttest.Run(t, kind(mem.Config{Capacity: 1000}, false)) })
	t.Run("Named", func(t *testing.T) { porttest.Run(t, kind(mem.Config{Capacity: 512, MTU: 1514}, true)) })
	t.Run("Delayed", func(t *testing.T) {
		porttest.Run(t, kind(mem.Config{Capacity: 700, Delay: 2 * time.Millisecond}, false))
	})
}
