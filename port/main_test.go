package port

import (
	"context"
	"testing"

	"go.uber.org/goleak"

	"github.com/ringway-net/ringway/internal/pooltest"
	"github.com/ringway-net/ringway/pool"
)

func TestMain(m *testing.M) {
	for _, k := range []Kind{
		{Name: "pcap", Target: "FILE", Does: Both, Keys: []Key{{Name: "format"}, {Name: "snaplen"}}},
		{Name: "made", Does: In, Keys: []Key{{Name: "size"}, {Name: "rate"}}},
		{Name: "vxlan", Target: "PEERS", Does: Both, Keys: []Key{{Name: "vni"}}},
	} {
		k.Open = func(s *Spec, o Options) (Port, error) {
			p := &fake{spec: s}
			p.Init(o)
			return p, nil
		}
		Register(k)
	}
	goleak.VerifyTestMain(m)
}

// fake is the port of all kinds here: it remembers what it was opened with.
type fake struct {
	Base
	spec *Spec
}

func (f *fake) Rx([]pool.Buffer) (int, error)    { return 0, ErrDirection }
func (f *fake) Tx([]pool.Buffer) (int, error)    { return 0, ErrDirection }
func (f *fake) WaitRx(ctx context.Context) error { return f.WaitShut(ctx) }
func (f *fake) WaitTx(ctx context.Context) error { return f.WaitShut(ctx) }
func (f *fake) Info() Info                       { return Info{Name: f.spec.Name, Kind: f.spec.Kind} }
func (f *fake) Close() error                     { return f.Shut(nil, nil) }

var _ Port = (*fake)(nil)

func newPool(t testing.TB, c pool.Config) *pool.Pool {
	t.Helper()
	c.Track = 1
	return pooltest.New(t, c)
}
