// What the name of a work says: spsc/burst64/128B is the family spsc with bursts of 64 and elements of
// 128 bytes.

package page

import (
	"regexp"
	"strconv"
	"strings"
)

// The parameters of a work that a plot can have on its axis.
const (
	burst    = iota // items at a time
	capacity        // slots of a ring
	size            // bytes of an element
	goroutines
	parameters
)

// params are the values of the parameters, 0 if the name doesn't say.
type params [parameters]int

// workName is the name of a work, taken apart.
type workName struct {
	family  string // spsc, mpmc, pool, …
	variant string // what is left, such as inplace
	ring    bool   // a ring's work: what its name doesn't say is usual
	params
}

// usual is what works of rings are done with where their names say nothing else.
var usual = params{capacity: 4096, size: 8}

var words = []struct {
	parameter int
	pattern   *regexp.Regexp
}{
	{burst, regexp.MustCompile(`^(?:burst|bulk)(\d+)$`)},
	{capacity, regexp.MustCompile(`^cap(\d+)$`)},
	{size, regexp.MustCompile(`^(\d+)B$`)},
	{goroutines, regexp.MustCompile(`^(1)$`)},
	{goroutines, regexp.MustCompile(`^(\d+)p(\d+)c$`)},
}

func parseName(name string) workName {
	family, rest, _ := strings.Cut(name, "/")
	n := workName{family: family}
	for part := range strings.SplitSeq(rest, "/") {
		if !n.take(part) && part != "" {
			n.variant = strings.TrimPrefix(n.variant+"/"+part, "/")
		}
	}
	if n.ring = strings.HasPrefix(family, "spsc") || strings.HasPrefix(family, "mpmc"); n.ring {
		for p, v := range usual {
			if n.params[p] == 0 {
				n.params[p] = v
			}
		}
	}
	return n
}

// take reads one part of a name, and reports whether it is a parameter.
func (n *workName) take(part string) bool {
	if part == "single" {
		n.params[burst] = 1
		return true
	}
	for _, w := range words {
		m := w.pattern.FindStringSubmatch(part)
		if m == nil {
			continue
		}
		sum := 0
		for _, digits := range m[1:] {
			v, err := strconv.Atoi(digits)
			if err != nil {
				return false // too large to be meant
			}
			sum += v
		}
		n.params[w.parameter] = sum
		return sum > 0
	}
	return false
}

// main reports whether the work is not just a point of a plot: one or 64 items at a time, by one or two
// goroutines, and all else as usual.
func (n workName) main() bool {
	return !n.ring || (n.params[burst] == 1 || n.params[burst] == 64) && n.params[goroutines] <= 2 &&
		n.params[capacity] == usual[capacity] && n.params[size] == usual[size]
}

// without returns what is the same in all works of a plot that has the parameter on its axis.
func (n workName) without(parameter int) workName {
	n.params[parameter] = 0
	return n
}

// entry is one of the glossary.
type entry struct{ Word, Meaning string }

// glossary explains the words that occur in the names of the works.
func (s *sheet) glossary() (all []entry) {
	for _, g := range []struct{ pattern, word, meaning string }{
		{`^spsc`, "spsc", "a ring with one producer and one consumer, each on a thread of its own"},
		{`^mpmc`, "mpmc", "a ring with any number of both"},
		{`/single`, "single", "one item at a time"},
		{`/burst\d`, "burst64", "up to 64 items in one call"},
		{`/bulk\d`, "bulk64", "64 items in one call, all or none"},
		{`/blocking`, "blocking", "calls that wait for room or for an item, and park if they have to"},
		{`/inplace`, "inplace", "items are written and read where they lie in the ring, and not copied"},
		{`/\d+p\d+c`, "2p2c", "two producing and two consuming goroutines"},
		{`/1(/|$)`, "1", "one goroutine that puts in and takes out by turns"},
		{`/cap\d`, "cap64", "a ring of 64 slots; 4096 where nothing is said"},
		{`/\d+B`, "128B", "items or frames of 128 bytes; 8 in a ring where nothing is said"},
		{`^pingpong`, "pingpong", "a number there and back through two rings"},
		{`/parked`, "parked", "both sides sleep until there is something for them"},
		{`/shared`, "shared", "on the pool itself, and not on a worker's own cache"},
		{`/cross`, "cross", "one worker takes buffers, and another one gives them back"},
		{`^copy`, "copy", "the copying of a frame alone, for comparison"},
		{`^frame`, "frame", "a frame copied into a buffer that is given back then"},
		{`^counters`, "counters", "a packet counted, each by itself or 64 together"},
		{`^handoff`, "handoff", "buffers from a pool, through a ring, and back into the pool from another thread"},
		{`^forward`, "forward", "frames from one port to another"},
	} {
		re := regexp.MustCompile(g.pattern)
		for _, w := range s.works {
			if re.MatchString(w) {
				all = append(all, entry{g.word, g.meaning})
				break
			}
		}
	}
	return all
}
