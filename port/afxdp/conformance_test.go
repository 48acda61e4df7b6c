//go:build linux

package afxdp

import (
	"testing"

	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/porttest"
)

func TestConformance(t *testing.T) {
	for name, config := range map[string]Config{
		"Copy":       {Mode: ModeCopy, RingSize: 1024},
		"Generic":    {Mode: ModeGeneric, RingSize: 1024},
		"AlwaysWake": {Mode: ModeAuto, RingSize: 1024, AlwaysWake: true},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := veths(t)
			porttest.Run(t, porttest.Kind{
				Name: "afxdp",
				Does: port.Both,
				UMEM: true,
				Open: func(tb porttest.TB, e porttest.Env) *porttest.Link {
					c := connect(a, b, 1, 1500)
					p, err := c.open(e.Options, config)
					if err != nil {
						tb.Fatalf("%v", err)
					}
					other := c.far(tb)
					other.feed(e.Frames)
					return &porttest.Link{Port: p, Feed: other.feed, Sent: other.sent, Done: func() {
						other.close()
						c.remove()
					}}
				},
			})
		})
	}
}
