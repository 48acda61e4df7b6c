package gen_test

import (
	"io"
	"slices"
	"testing"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/gen"
	"github.com/ringway-net/ringway/port/porttest"
)

// all returns the frames that c makes, which has a Count.
func all(t porttest.TB, p *pool.Pool, c gen.Config) (frames [][]byte) {
	t.Helper()
	g, err := gen.Open(c, port.Options{Pool: p, Direction: port.In})
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer func() {
		if err := g.Close(); err != nil {
			t.Errorf("%v", err)
		}
	}()
	bufs := make([]pool.Buffer, 13)
	for {
		n, err := g.Rx(bufs)
		for _, b := range bufs[:n] {
			frames = append(frames, slices.Clone(b.Bytes()))
			b.Release()
		}
		if err == io.EOF {
			return frames
		}
		if err != nil {
			t.Fatalf("%v", err)
		}
	}
}

func kind(c gen.Config) porttest.Kind {
	return porttest.Kind{
		Name: "gen",
		Does: port.In,
		Open: func(t porttest.TB, e porttest.Env) *porttest.Link {
			c := c
			link := &porttest.Link{Ends: true}
			if c.Count = uint64(len(e.Frames)); c.Count > 0 {
				unpaced := c
				unpaced.Rate = port.Rate{}
				link.Frames = all(t, e.Other, unpaced)
			}
			if e.Idle { // one frame, and the next one in four months
				c.Count = 0
				c.Rate = port.Rate{PPS: 1e-7}
				link.Idles = true
			}
			g, err := gen.Open(c, e.Options)
			if err != nil {
				t.Fatalf("%v", err)
			}
			if e.Idle {
				one := make([]pool.Buffer, 1)
				if n, err := g.Rx(one); n != 1 || err != nil {
					t.Fatalf("the first frame: %d, %v", n, err)
				}
				one[0].Release()
			}
			link.Port = g
			return link
		},
		String: func(porttest.TB, port.Direction) string { return "gen:count=3" },
	}
}

func TestConformance(t *testing.T) {
	for _, c := range []struct {
		name string
		gen.Config
	}{
		{"Plain", gen.Config{}},
		{"Mix", gen.Config{Sizes: gen.IMIX(60), Flows: 7}},
		{"Paced", gen.Config{IP: 6, Rate: port.Rate{PPS: 50000}}},
		{"Long", gen.Config{Sizes: gen.Mix{{Size: 60, Weight: 1}, {Size: 9000, Weight: 1}}}},
		{"PacedByBits", gen.Config{Sizes: gen.IMIX(60), Rate: port.Rate{BPS: 200e6}}},
	} {
		t.Run(c.name, func(t *testing.T) { porttest.Run(t, kind(c.Config)) })
	}
}
