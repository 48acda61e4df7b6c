package afpacket_test

import (
	"testing"

	"github.com/ringway-net/ringway/internal/need"
	"github.com/ringway-net/ringway/internal/netlab"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/afpacket"
	"github.com/ringway-net/ringway/port/porttest"
)

// kind is afpacket with settings, over a cable from near to far. large is how many large buffers each port has.
func kind(near, far *netlab.Namespace, c afpacket.Config, large int) porttest.Kind {
	return porttest.Kind{
		Name: "afpacket",
		Does: port.Both,
		Open: func(t porttest.TB, e porttest.Env) *porttest.Link {
			var big *pool.Pool
			if large > 0 {
				big = newLarge(t, large)
				e.Options.Large = big
			}
			other := dial(t, far)
			p, err := try(near, "eth0", e.Options, c)
			if err != nil {
				other.close()
				t.Fatalf("%v", err)
			}
			other.feed(e.Frames)
			return &porttest.Link{Port: p, Feed: other.feed, Sent: other.sent, Done: other.close}
		},
		// Nothing is sent by these: the suite opens them in its own namespace.
		String: func(porttest.TB, port.Direction) string { return "afpacket:lo" },
	}
}

func TestConformance(t *testing.T) {
	need.Root(t)
	t.Run("Small", func(t *testing.T) {
		near, far := cable(t, 1500)
		porttest.Run(t, kind(near, far, afpacket.Config{}, 0))
	})
	t.Run("Jumbo", func(t *testing.T) {
		near, far := cable(t, 9000)
		k := kind(near, far, afpacket.Config{Bypass: true}, 256)
		k.MaxSize = 9014
		porttest.Run(t, k)
	})
	t.Run("Fanout", func(t *testing.T) {
		near, far := cable(t, 1500)
		porttest.Run(t, kind(near, far, afpacket.Config{Fanout: 7}, 64))
	})
}
