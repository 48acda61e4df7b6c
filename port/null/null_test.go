package null_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/null"
	"github.com/ringway-net/ringway/port/porttest"
)

func TestConformance(t *testing.T) {
	porttest.Run(t, porttest.Kind{
		Name: "null",
		Does: port.Out,
		Open: func(t porttest.TB, e porttest.Env) *porttest.Link {
			p, err := null.Open(e.Options)
			if err != nil {
				t.Fatalf("%v", err)
			}
			return &porttest.Link{Port: p}
		},
		String: func(porttest.TB, port.Direction) string { return "null:" },
	})
}

// TestEnd: nothing ever comes, and Rx says so at once.
func TestEnd(t *testing.T) {
	p, err := pool.New(pool.Config{Count: 4, Track: 1})
	if err != nil {
		t.Fatal(err)
	}
	n, err := port.Open("null:", port.Options{Pool: p})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := n.WaitRx(t.Context()); err != nil {
			t.Errorf("WaitRx: %v", err)
		}
		if k, err := n.Rx(make([]pool.Buffer, 2)); k != 0 || err != io.EOF {
			t.Errorf("Rx returned %d, %v", k, err)
		}
	}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
	if k, err := n.Rx(nil); k != 0 || err != port.ErrClosed {
		t.Errorf("Rx after Close returned %d, %v", k, err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if _, err := null.Open(port.Options{}); !errors.Is(err, port.ErrNoPool) {
		t.Errorf("Open without a pool: %v", err)
	}
}

func TestAllocs(t *testing.T) {
	p, n := open(t)
	c := p.NewCache()
	defer c.Close()
	bufs := make([]pool.Buffer, 64)
	if allocs := testing.AllocsPerRun(200, func() {
		if k := c.GetBurst(bufs); k != len(bufs) {
			t.Fatalf("%d buffers", k)
		}
		if k, err := n.Tx(bufs); k != len(bufs) || err != nil {
			t.Fatal(k, err)
		}
	}); allocs != 0 {
		t.Errorf("%v allocations a burst", allocs)
	}
}

func open(t testing.TB) (*pool.Pool, port.Port) {
	p, err := pool.New(pool.Config{})
	if err != nil {
		t.Fatal(err)
	}
	n, err := null.Open(port.Options{Pool: p})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	return p, n
}

func BenchmarkTx(b *testing.B) {
	p, n := open(b)
	c := p.NewCache()
	defer c.Close()
	bufs := make([]pool.Buffer, 64)
	b.ReportAllocs()
	for done := 0; done < b.N; {
		k := c.GetBurst(bufs[:min(64, b.N-done)])
		if _, err := n.Tx(bufs[:k]); err != nil {
			b.Fatal(err)
		}
		done += k
	}
}

func Example() {
	p, err := pool.New(pool.Config{})
	if err != nil {
		panic(err)
	}
	n, err := port.Open("null:", port.Options{Pool: p, Direction: port.Out})
	if err != nil {
		panic(err)
	}
	b, err := p.CopyIn(make([]byte, 60))
	if err != nil {
		panic(err)
	}
	if _, err := n.Tx([]pool.Buffer{b}); err != nil {
		panic(err)
	}
	if err := n.Close(); err != nil {
		panic(err)
	}
	fmt.Println(n.Stats().TxPackets, "frame of", n.Stats().TxBytes, "bytes,", p.Stats().InUse, "buffers in use")
	// Output: 1 frame of 60 bytes, 0 buffers in use
}
