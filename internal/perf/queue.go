// Queues: how numbers are passed through one, one at a time, in bursts, and by calls that wait.

package perf

import "time"

// capacity is that of queues whose work does not name another.
const capacity = 4096

// capacities are those that are tried beside it.
var capacities = []int{64, 256, 1024, 16384, 65536}

// pauseFor returns the pause for a queue of that capacity: a small one is through in less than the usual.
func pauseFor(capacity int) uint32 { return uint32(min(capacity/64, defaultPause)) }

// Queue is a queue that was made for one run. A loop is the implementation's own: Go calls a method of a
// type parameter through a table, which would cost as much as the fastest of these queues does.
type Queue struct {
	// Push pushes the numbers from first to first+n-1.
	Push func(w *Wait, first, n int) error
	// Pop pops n numbers and returns their sum.
	Pop func(w *Wait, n int) (sum uint64, err error)

	Pause    uint32 // as in Crew
	Floating bool   // as in Crew
}

// part returns the i-th of parts of the numbers from 1 to n: where it begins, and how many they are.
func part(n, parts, i int) (first, count int) {
	from, to := n*i/parts, n*(i+1)/parts
	return from + 1, to - from
}

// Transfer returns the work of passing numbers from producers through a queue to consumers.
func Transfer(name, impl string, producers, consumers int, open func() Queue) Work {
	return Work{name, impl, func(n int) (Figures, error) {
		q := open()
		crew := Crew{Pause: q.Pause, Floating: q.Floating}
		for i := range producers {
			first, count := part(n, producers, i)
			crew.Sides = append(crew.Sides, func(w *Wait) error { return q.Push(w, first, count) })
		}
		sums := make([]uint64, consumers)
		for i := range consumers {
			_, count := part(n, consumers, i)
			crew.Sides = append(crew.Sides, func(w *Wait) (err error) {
				sums[i], err = q.Pop(w, count)
				return err
			})
		}
		took, err := crew.Run()
		if err != nil {
			return nil, err
		}
		var all uint64
		for _, s := range sums {
			all += s
		}
		return perItem(took, n), CheckSum(all, n)
	}}
}

// Timed is Transfer with one item in 64 timed by itself, on its way in and on its way out, with the wait for
// room or for the item in it. The figures are nanoseconds an item and the p999 of such an operation.
func Timed(name, impl string, producers, consumers int, open func() Queue) Work {
	return Work{name, impl, func(n int) (Figures, error) {
		var l latencies
		f, err := Transfer(name, impl, producers, consumers, func() Queue { return timed(open(), &l) }).Run(n)
		if err == nil {
			f["p999"] = l.percentile(0.999)
		}
		return f, err
	}}
}

// timed wraps q's loops so that they do one item, which is timed, and then 63 others.
func timed(q Queue, l *latencies) Queue {
	const every = 64
	push, pop := q.Push, q.Pop
	q.Push = func(w *Wait, first, n int) error {
		own := make([]time.Duration, 0, n/every+1)
		for n > 0 {
			start := time.Now()
			if err := push(w, first, 1); err != nil {
				return err
			}
			own = append(own, time.Since(start))
			others := min(every, n) - 1
			if err := push(w, first+1, others); err != nil {
				return err
			}
			first += 1 + others
			n -= 1 + others
		}
		l.add(own)
		return nil
	}
	q.Pop = func(w *Wait, n int) (sum uint64, err error) {
		own := make([]time.Duration, 0, n/every+1)
		for n > 0 {
			start := time.Now()
			one, err := pop(w, 1)
			if err != nil {
				return sum, err
			}
			own = append(own, time.Since(start))
			others := min(every, n) - 1
			rest, err := pop(w, others)
			if err != nil {
				return sum, err
			}
			sum += one + rest
			n -= 1 + others
		}
		l.add(own)
		return sum, nil
	}
	return q
}

// BurstPusher takes as many items as fit and returns how many.
type BurstPusher[T any] interface{ PushBurst(vs []T) int }

// BurstPopper pops up to len(dst) items and returns how many.
type BurstPopper[T any] interface{ PopBurst(dst []T) int }

// Bursts returns a queue whose loops work in bursts of the given size. One call a burst through
// an interface does not matter.
func Bursts[T Item](burst int, p BurstPusher[T], c BurstPopper[T]) Queue {
	return Queue{
		Push: func(w *Wait, first, n int) error {
			buf := make([]T, burst)
			for n > 0 {
				vs := buf[:min(burst, n)]
				writeAll(vs, first)
				first += len(vs)
				n -= len(vs)
				if err := pushAll(w, p, vs); err != nil {
					return err
				}
			}
			return nil
		},
		Pop: func(w *Wait, n int) (sum uint64, err error) {
			buf := make([]T, burst)
			for n > 0 {
				vs := buf[:min(burst, n)]
				k, err := popSome(w, c, vs)
				if err != nil {
					return sum, err
				}
				sum += addUp(vs[:k])
				n -= k
			}
			return sum, nil
		},
	}
}

// pushAll pushes all of vs, waiting for room.
func pushAll[T any](w *Wait, p BurstPusher[T], vs []T) error {
	rest := vs[p.PushBurst(vs):]
	if len(rest) == 0 {
		return nil
	}
	return w.Until(func() bool {
		rest = rest[p.PushBurst(rest):]
		return len(rest) == 0
	})
}

// popSome pops at least one item into vs, waiting for it, and returns how many.
func popSome[T any](w *Wait, c BurstPopper[T], vs []T) (n int, err error) {
	if n = c.PopBurst(vs); n > 0 {
		return n, nil
	}
	err = w.Until(func() bool { n = c.PopBurst(vs); return n > 0 })
	return n, err
}
