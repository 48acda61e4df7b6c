// From the ticks of an interface's clock to nanoseconds since 1970.

package capfile

import (
	"math"
	"math/bits"
)

const nsPerSec = 1_000_000_000

// clock converts the timestamps of one interface.
type clock struct {
	// For decimal units not finer than a nanosecond, which are almost all: a
	// timestamp below limit is ticks*mul + offNS, which then fits. For other
	// units limit is 0.
	limit uint64
	mul   uint64
	offNS int64

	res Resolution
	off int64 // seconds
}

var pow10 = [20]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9,
	1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19}

func newClock(res Resolution, off int64) clock {
	c := clock{res: res, off: off}
	const whole = math.MaxInt64 / nsPerSec
	if res.Binary() || res.Exponent() > 9 || off > whole || off < -whole {
		return c
	}
	c.mul = pow10[9-res.Exponent()]
	c.offNS = off * nsPerSec
	c.limit = uint64(math.MaxInt64-max(c.offNS, 0))/c.mul + 1
	return c
}

// ns converts ticks. sub says that a part finer than a nanosecond was cut off,
// sat that the time lies outside of int64 and ns is the nearest end.
func (c *clock) ns(ticks uint64) (ns int64, sub, sat bool) {
	if ticks < c.limit {
		return int64(ticks*c.mul) + c.offNS, false, false
	}
	return c.slow(ticks)
}

// slow is ns for any clock and timestamp.
func (c *clock) slow(ticks uint64) (ns int64, sub, sat bool) {
	sec, frac, sub := c.split(ticks)
	ns, sat = joinNS(sec, frac, c.off)
	return ns, sub, sat
}

// split returns the whole seconds of ticks and the nanoseconds left, and whether
// something finer was left too.
func (c *clock) split(ticks uint64) (sec, frac uint64, sub bool) {
	n := c.res.Exponent()
	switch {
	case !c.res.Binary() && n <= 9:
		sec = ticks / pow10[n]
		return sec, (ticks - sec*pow10[n]) * pow10[9-n], false
	case !c.res.Binary() && n-9 < len(pow10):
		ns := ticks / pow10[n-9]
		return ns / nsPerSec, ns % nsPerSec, ns*pow10[n-9] != ticks
	case !c.res.Binary():
		return 0, 0, ticks != 0 // 2^64 ticks are not a nanosecond
	case n < 64:
		sec = ticks >> n
		hi, lo := bits.Mul64(ticks-sec<<n, nsPerSec)
		// A shift of 64 gives 0 in Go, which is right for n = 0.
		return sec, hi<<(64-n) | lo>>n, lo<<(64-n) != 0
	default:
		hi, lo := bits.Mul64(ticks, nsPerSec)
		n -= 64
		return 0, hi >> n, lo != 0 || hi>>n<<n != hi
	}
}

// joinNS returns sec+off seconds and frac nanoseconds (less than a second) in
// nanoseconds, or the nearest int64 and true.
func joinNS(sec, frac uint64, off int64) (ns int64, sat bool) {
	const lastSec, lastFrac = uint64(math.MaxInt64) / nsPerSec, uint64(math.MaxInt64) % nsPerSec
	var carry uint64
	if off >= 0 {
		sec, carry = bits.Add64(sec, uint64(off), 0)
	} else if before := -uint64(off); before <= sec {
		sec -= before
	} else {
		// sec becomes a distance down from 1970, and frac one up from there.
		// Rounded down to the second the time is -sec, so -(sec-1) is above it.
		sec = before - sec - 1
		frac = nsPerSec - frac // 1 … 1e9, downwards from -(sec)
		if sec > lastSec || sec == lastSec && frac > lastFrac+1 {
			return math.MinInt64, true
		}
		return -int64(sec)*nsPerSec - int64(frac), false
	}
	if carry != 0 || sec > lastSec || sec == lastSec && frac > lastFrac {
		return math.MaxInt64, true
	}
	return int64(sec*nsPerSec + frac), false
}
