// The forwarding table against a plain model of it: programs of random bytes.

package vswitch

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/ringway-net/ringway/internal/testkit"
	"github.com/ringway-net/ringway/packet"
)

// fdbModel is a table as its users are told that it is.
type fdbModel struct {
	size  int
	age   uint32
	now   uint32
	limit []int
	at    map[fdbKey]fdbValue
	// order is of each port's dynamic addresses, the one seen longest ago first.
	order []([]fdbKey)
}

func newFDBModel(size, ports int) *fdbModel {
	return &fdbModel{size: size, age: 300, now: 1, limit: make([]int, ports), at: map[fdbKey]fdbValue{}, order: make([][]fdbKey, ports)}
}

func (m *fdbModel) forget(k fdbKey) {
	if v, ok := m.at[k]; ok && !v.static() {
		of := &m.order[v.port()]
		*of = slices.DeleteFunc(*of, func(other fdbKey) bool { return other == k })
	}
	delete(m.at, k)
}

func (m *fdbModel) put(k fdbKey, v fdbValue) {
	m.forget(k)
	m.at[k] = v
	if !v.static() {
		m.order[v.port()] = append(m.order[v.port()], k)
	}
}

func (m *fdbModel) makeRoom(port uint16) bool {
	if len(m.at) < m.size {
		return true
	}
	for p := range m.order {
		if len(m.order[p]) > len(m.order[port]) {
			port = uint16(p)
		}
	}
	if len(m.order[port]) == 0 {
		return false
	}
	m.forget(m.order[port][0])
	return true
}

func (m *fdbModel) learn(k fdbKey, port uint16) outcome {
	v, known := m.at[k]
	switch {
	case k.mac().IsMulticast() || k.mac().IsZero() || int(port) >= len(m.order):
		return learnUnfit
	case known && v.static() && v.port() != port:
		return learnElsewhere
	case known && v.port() == port && (v.static() || v.tick() == m.now):
		return learnKnown
	case known && v.port() == port:
		m.put(k, newFDBValue(port, m.now))
		return learnRefreshed
	case m.limit[port] > 0 && len(m.order[port]) >= m.limit[port]:
		return learnOverLimit
	case known:
		m.put(k, newFDBValue(port, m.now))
		return learnMoved
	case !m.makeRoom(port):
		return learnFull
	}
	m.put(k, newFDBValue(port, m.now))
	return learnAdded
}

func (m *fdbModel) tooOld(v fdbValue) bool {
	return m.age > 0 && !v.static() && m.now-v.tick() > m.age
}

func (m *fdbModel) forgetIf(is func(k fdbKey, v fdbValue) bool) {
	for k, v := range m.at {
		if is(k, v) {
			m.forget(k)
		}
	}
}

// fdbSeed is a seed for what has to be the same each time: the digits of pi.
var fdbSeed = [4]uint64{0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89}

// fdbProgram is the bytes of a program; it ends with them.
type fdbProgram []byte

func (p *fdbProgram) next(n int) int {
	if len(*p) == 0 {
		return 0
	}
	b := (*p)[0]
	*p = (*p)[1:]
	return int(b) % n
}

// fdbKeys are the addresses that programs use: two that are no station's, and the others in two VLANs.
func fdbKeys() (keys []fdbKey) {
	for i := range 24 {
		keys = append(keys, newFDBKey(uint16(i%2)*4095, packet.MAC{2, 0, 0, 0, 0, byte(i / 2)}))
	}
	return append(keys, newFDBKey(1, packet.MAC{}), newFDBKey(1, packet.MAC{1, 2, 3, 4, 5, 6}))
}

// runFDBProgram runs a program on a table and on the model, and compares all that can be seen of them after each step.
func runFDBProgram(t *testing.T, seed [4]uint64, p fdbProgram) {
	size, ports := 1+p.next(20), 1+p.next(5)
	x, err := newFDB(size, ports)
	if err != nil {
		t.Fatal(err)
	}
	x.seed = seed
	m := newFDBModel(size, ports)
	keys := fdbKeys()
	for step := 0; len(p) > 0; step++ {
		op, k, port := p.next(32), keys[p.next(len(keys))], uint16(p.next(ports+1))
		inRange := min(port, uint16(ports-1))
		said := ""
		switch op {
		default:
			got, want := x.learn(k, port), m.learn(k, port)
			said = fmt.Sprintf("learn %x behind %d: %d", k, port, got)
			if got == learnFlaps {
				got = learnMoved
			}
			if got != want {
				t.Fatalf("step %d: %s, want %d", step, said, want)
			}
		case 0, 1, 2:
			said = "tick"
			x.tick()
			m.now++
			m.forgetIf(func(_ fdbKey, v fdbValue) bool { return m.tooOld(v) })
		case 3, 4:
			err := x.addStatic(k, port)
			said = fmt.Sprintf("static %x behind %d: %v", k, port, err)
			fit := k.mac().IsUnicast() && int(port) < ports
			_, known := m.at[k]
			if fit && (known || m.makeRoom(port)) {
				m.put(k, newFDBValue(port, m.now)|fdbStatic)
				if err != nil {
					t.Fatalf("step %d: %s", step, said)
				}
			} else if err == nil || errors.Is(err, errFDBFull) != fit {
				t.Fatalf("step %d: %s", step, said)
			}
		case 5:
			_, known := m.at[k]
			m.forget(k)
			said = fmt.Sprintf("remove %x", k)
			if x.remove(k) != known {
				t.Fatalf("step %d: %s: %v", step, said, !known)
			}
		case 6:
			said = fmt.Sprintf("flush port %d, statics %v", inRange, k&1 == 0)
			x.flushPort(inRange, k&1 == 0)
			m.forgetIf(func(other fdbKey, v fdbValue) bool { return v.port() == inRange && (k&1 == 0 || !v.static()) })
		case 7:
			said = "flush"
			x.flush()
			m.forgetIf(func(_ fdbKey, v fdbValue) bool { return !v.static() })
		case 8:
			limit := p.next(6)
			said = fmt.Sprintf("limit of port %d is %d", inRange, limit)
			x.setLimit(inRange, uint32(limit))
			m.limit[inRange] = limit
		case 9:
			m.age = uint32(p.next(5))
			said = fmt.Sprintf("age is %d", m.age)
			x.setAge(m.age)
		}
		if err := compareFDB(x, m, keys); err != nil {
			t.Fatalf("step %d: after %s: %v", step, said, err)
		}
	}
}

// compareFDB says what is different between a table and the model.
func compareFDB(x *fdb, m *fdbModel, keys []fdbKey) error {
	if err := checkFDB(x); err != nil {
		return err
	}
	found := map[fdbKey]fdbAddress{}
	for a := range x.all() {
		k := newFDBKey(a.VLAN, a.MAC)
		if _, twice := found[k]; twice {
			return fmt.Errorf("%x is listed twice", k)
		}
		found[k] = a
	}
	for _, k := range keys {
		v, known := m.at[k]
		known = known && !m.tooOld(v)
		if port, ok := x.lookup(k); ok != known || ok && port != v.port() {
			return fmt.Errorf("%x is behind %d, %v; want %d, %v", k, port, ok, v.port(), known)
		}
		a, ok := found[k]
		if want := (fdbAddress{k.vlan(), k.mac(), v.port(), v.static(), m.now - v.tick()}); ok != known || ok && a != want {
			return fmt.Errorf("%x is listed as %v, %v; want %v, %v", k, a, ok, want, known)
		}
		delete(found, k)
	}
	if len(found) > 0 {
		return fmt.Errorf("listed too: %v", found)
	}
	if x.len() != len(m.at) {
		return fmt.Errorf("%d addresses, want %d", x.len(), len(m.at))
	}
	for port := range m.order {
		static := 0
		for _, v := range m.at {
			if v.static() && int(v.port()) == port {
				static++
			}
		}
		if d, s := x.behind(uint16(port)); d != len(m.order[port]) || s != static {
			return fmt.Errorf("port %d has %d and %d static, want %d and %d", port, d, s, len(m.order[port]), static)
		}
	}
	return nil
}

// checkFDB says what is wrong in a table at rest.
func checkFDB(x *fdb) error {
	passed, n := make([]uint64, len(x.buckets)), 0
	for at := range fdbWays * uint32(len(x.buckets)) {
		if k := x.key(at); k != 0 {
			n++
			for i := x.home(k); i != at/fdbWays; i = x.after(i) {
				passed[i]++
			}
			if found, v := x.find(k); found != at || v != x.value(at) {
				return fmt.Errorf("%x is in slot %d and found in %d", k, at, found)
			}
		}
	}
	for i, want := range passed {
		if got := x.buckets[i].passed.Load(); got != want {
			return fmt.Errorf("bucket %d was passed by %d, and counts %d", i, want, got)
		}
	}
	listed, dynamics := 0, 0
	for port := range x.ports {
		counts := [2]int{}
		for static := range 2 {
			list, last := x.list(uint16(port), static == 1), uint32(0)
			for prev, at := list, x.links[list].next; at != list; prev, at = at, x.links[at].next {
				v := x.value(at)
				if x.key(at) == 0 || int(v.port()) != port || v.static() != (static == 1) || static == 0 && v.tick() < last || x.links[at].prev != prev {
					return fmt.Errorf("slot %d is in the list of port %d, static %d, behind tick %d; it has %x, %x", at, port, static, last, x.key(at), v)
				}
				last = v.tick()
				if counts[static]++; counts[static] > n {
					return fmt.Errorf("the list of port %d has no end", port)
				}
			}
		}
		if p := &x.ports[port]; int(p.dynamic.Load()) != counts[0] || int(p.static) != counts[1] {
			return fmt.Errorf("port %d counts %d and %d static, its lists have %v", port, p.dynamic.Load(), p.static, counts)
		}
		dynamics += counts[0]
		listed += counts[0] + counts[1]
	}
	if n != listed || n != x.n || n > x.size {
		return fmt.Errorf("%d addresses of %d, %d in the lists, %d counted", n, x.size, listed, x.n)
	}
	if s := x.stats(); s.Outcomes[learnAdded] != uint64(dynamics)+s.Aged+s.Evicted+s.Removed {
		return fmt.Errorf("%d dynamic addresses, and %+v", dynamics, s)
	}
	return nil
}

func TestFDBModel(t *testing.T) {
	random := testkit.Rand(t)
	for range testkit.Scale(300) {
		p := make(fdbProgram, 600)
		for i := range p {
			p[i] = byte(random.Uint32())
		}
		runFDBProgram(t, [4]uint64{random.Uint64(), random.Uint64(), random.Uint64(), random.Uint64()}, p)
	}
}

// FuzzFDB: the table does what its model does.
func FuzzFDB(f *testing.F) {
	f.Fuzz(func(t *testing.T, program []byte) {
		runFDBProgram(t, fdbSeed, program[:min(len(program), 4096)])
	})
}
