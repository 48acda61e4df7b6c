// Works of a hand-off: buffers are taken, given a length, and passed through a ring to another core, where
// their lengths are read and they are given back. It is what a program does with packets.

package perf

import (
	"fmt"

	"github.com/ringway-net/ringway/pool"
)

func handoffWorks() []Work {
	return []Work{
		Handoff("handoff/single", Ours, handoffSingle),
		Handoff("handoff/64", Ours, handoffBursts),
	}
}

// Handover is the two sides of a hand-off, made for one run.
type Handover struct {
	// Send gives the i-th of n buffers the length Length(i) and sends it.
	Send func(w *Wait, n int) error
	// Receive takes n buffers and returns the sum of their lengths.
	Receive  func(w *Wait, n int) (bytes int, err error)
	End      func() error // takes apart what was made
	Floating bool         // as in Crew
}

// Length returns the length of the i-th frame of a hand-off.
func Length(i int) int { return 64 + i%64 }

// Handoff returns the work of handing n buffers over.
func Handoff(name, impl string, open func() Handover) Work {
	return Work{name, impl, func(n int) (Figures, error) {
		h := open()
		bytes := 0
		took, err := Crew{
			Floating: h.Floating,
			Sides: []Side{
				func(w *Wait) error { return h.Send(w, n) },
				func(w *Wait) (err error) { bytes, err = h.Receive(w, n); return err },
			},
		}.Run()
		if err == nil {
			err = h.End()
		}
		for i := range n {
			bytes -= Length(i)
		}
		if err == nil && bytes != 0 {
			err = fmt.Errorf("the payload is wrong: %d bytes more than were sent", bytes)
		}
		return perItem(took, n), err
	}}
}

func handoffSingle() Handover {
	p := openPool()
	from, to := p.NewCache(), p.NewCache()
	tx, rx := newSPSC[pool.Buffer](1024)
	return Handover{
		Send: func(w *Wait, n int) error {
			for i := range n {
				b, err := from.Get()
				if err != nil {
					return err
				}
				if _, err := b.AppendUnzeroed(Length(i)); err != nil {
					return err
				}
				if !tx.TryPush(b) {
					if err := Push(w, b, tx.TryPush); err != nil {
						return err
					}
				}
			}
			return nil
		},
		Receive: func(w *Wait, n int) (bytes int, err error) {
			for range n {
				b, ok := rx.TryPop()
				if !ok {
					if b, err = Pop(w, rx.TryPop); err != nil {
						return 0, err
					}
				}
				bytes += b.Len()
				to.Put(b)
			}
			return bytes, nil
		},
		End: func() error { from.Close(); to.Close(); return p.Close() },
	}
}

func handoffBursts() Handover {
	p := openPool()
	from, to := p.NewCache(), p.NewCache()
	tx, rx := newSPSC[pool.Buffer](1024)
	return Handover{
		Send: func(w *Wait, n int) error {
			bs := make([]pool.Buffer, 64)
			for i := 0; i < n; {
				some := bs[:min(len(bs), n-i)]
				if !from.GetBulk(some) {
					return errNoBuffer
				}
				for k := range some {
					if _, err := some[k].AppendUnzeroed(Length(i + k)); err != nil {
						return err
					}
				}
				i += len(some)
				if err := pushAll(w, tx, some); err != nil {
					return err
				}
			}
			return nil
		},
		Receive: func(w *Wait, n int) (bytes int, err error) {
			bs := make([]pool.Buffer, 64)
			for n > 0 {
				k, err := popSome(w, rx, bs)
				if err != nil {
					return 0, err
				}
				for _, b := range bs[:k] {
					bytes += b.Len()
				}
				to.PutBurst(bs[:k])
				n -= k
			}
			return bytes, nil
		},
		End: func() error { from.Close(); to.Close(); return p.Close() },
	}
}
