// What the tests of this package share.

package ring

import (
	"context"
	"runtime"
	"testing"

	"go.uber.org/goleak"

	"github.com/ringway-net/ringway/internal/park"
	"github.com/ringway-net/ringway/internal/testkit"
)

// plants are the races that planted_race_test.go has.
var plants testkit.Plants

func TestMain(m *testing.M) {
	plants.Sprout()
	goleak.VerifyTestMain(m)
}

// asleep waits until n goroutines have announced themselves on the list.
func asleep(t testing.TB, l *park.List, n int) {
	t.Helper()
	for l.Waiters() != n {
		runtime.Gosched()
	}
}

// must is for constructors that can't fail with the arguments given.
func must[R any](r R, err error) R {
	if err != nil {
		panic(err)
	}
	return r
}

// queue is what both kinds of ring can do.
type queue[T any] interface {
	TryPush(T) bool
	PushBurst([]T) int
	PushBulk([]T) bool
	Push(context.Context, T) error
	TryPop() (T, bool)
	PopBurst([]T) int
	PopBulk([]T) bool
	Pop(context.Context) (T, error)
	Len() int
	Free() int
	Cap() int
	Close()
	Closed() bool
}

// oneQueue is an SPSC ring as a queue; Close is the producer's.
type oneQueue[T any] struct {
	p *Producer[T]
	c *Consumer[T]
}

func (q oneQueue[T]) TryPush(v T) bool                    { return q.p.TryPush(v) }
func (q oneQueue[T]) PushBurst(vs []T) int                { return q.p.PushBurst(vs) }
func (q oneQueue[T]) PushBulk(vs []T) bool                { return q.p.PushBulk(vs) }
func (q oneQueue[T]) Push(ctx context.Context, v T) error { return q.p.Push(ctx, v) }
func (q oneQueue[T]) TryPop() (T, bool)                   { return q.c.TryPop() }
func (q oneQueue[T]) PopBurst(dst []T) int                { return q.c.PopBurst(dst) }
func (q oneQueue[T]) PopBulk(dst []T) bool                { return q.c.PopBulk(dst) }
func (q oneQueue[T]) Pop(ctx context.Context) (T, error)  { return q.c.Pop(ctx) }
func (q oneQueue[T]) Len() int                            { return q.c.Len() }
func (q oneQueue[T]) Free() int                           { return q.p.Free() }
func (q oneQueue[T]) Cap() int                            { return q.p.Cap() }
func (q oneQueue[T]) Close()                              { q.p.Close() }
func (q oneQueue[T]) Closed() bool                        { return q.c.Closed() }

func newOne[T any](capacity int) oneQueue[T] {
	p, c, err := NewSPSC[T](capacity)
	if err != nil {
		panic(err)
	}
	return oneQueue[T]{p, c}
}

func newMany[T any](capacity int) *MPMC[T] { return must(NewMPMC[T](capacity)) }

// kinds runs f for both kinds of ring.
func kinds[T any](t *testing.T, f func(t *testing.T, make func(capacity int) queue[T])) {
	t.Run("SPSC", func(t *testing.T) { f(t, func(n int) queue[T] { return newOne[T](n) }) })
	t.Run("MPMC", func(t *testing.T) { f(t, func(n int) queue[T] { return newMany[T](n) }) })
}

var capacities = []int{1, 2, 3, 5, 7, 8, 1000, 4096}
