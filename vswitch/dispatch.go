// What a receiver of a switch does with a burst: where each frame goes, and taking it there.

package vswitch

import (
	"context"

	"github.com/ringway-net/ringway/packet"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/stats"
)

// view is the switch as receivers see it: never changed, but replaced. A receiver keeps one for a burst.
type view struct {
	ports   []*member   // by number; nil where there is none
	all     []*member   // those that frames go to
	mirrors [][]*member // by number: those that get a copy of what the port receives and sends; or nil
}

// course is where a frame goes.
type course struct {
	out  *member // or nil: to all
	vlan uint16
	tag  tag
}

// dispatch sends each of bufs, which the port has received, on its course.
func (m *member) dispatch(ctx context.Context, bufs []pool.Buffer) {
	v := m.sw.view.Load()
	m.mirror(ctx, v, m, bufs)
	if len(bufs) > 1 && m.sw.table.far() {
		m.prefetch(bufs)
	}
	var courses [burst]course
	n := 0
	for _, b := range bufs {
		c, reason, ok := m.steer(v, b.Bytes())
		if !ok {
			m.filtered.DropTx(reason, 1)
			b.Release()
			continue
		}
		bufs[n], courses[n] = b, c
		n++
	}
	for at := 0; at < n; {
		bufs, courses := bufs[at:n], courses[at:n]
		k := gather(bufs, courses)
		if c := courses[0]; c.out == nil {
			m.flood(ctx, v, c, bufs[:k])
		} else {
			m.forward(ctx, v, c, bufs[:k])
		}
		at += k
	}
	m.filtered.Publish()
}

// gather moves the frames that have the first one's course to the front, and returns how many they are. They pass others, but never one
// that goes to all, since it goes to their port too; those that go to all pass none.
func gather(bufs []pool.Buffer, courses []course) (k int) {
	first := courses[0]
	for i, c := range courses {
		switch {
		case c == first && i == k:
			k++
		case first.out == nil || c.out == nil:
			return k
		case c == first: // those between keep their order
			b := bufs[i]
			copy(bufs[k+1:i+1], bufs[k:i])
			copy(courses[k+1:i+1], courses[k:i])
			bufs[k], courses[k] = b, c
			k++
		}
	}
	return k
}

// steer says where a frame goes that the port has received, or why it goes nowhere; and learns where it is from.
func (m *member) steer(v *view, frame []byte) (c course, why stats.Reason, ok bool) {
	if len(frame) < packet.EthernetLen {
		return c, stats.ReasonTooShort, false
	}
	header := packet.Ethernet(frame)
	src, dst := header.Src(), header.Dst()
	switch {
	case !src.IsUnicast():
		return c, stats.ReasonMalformed, false
	case reserved(dst):
		return c, stats.ReasonFiltered, false
	case !m.rules.mayBe(src):
		return c, stats.ReasonPolicy, false
	}
	c.tag = tagOf(frame)
	if c.vlan, ok = m.rules.vlans.enter(c.tag); !ok {
		return c, stats.ReasonPolicy, false
	}
	m.learn(newFDBKey(c.vlan, src))
	if dst.IsUnicast() {
		if n, known := m.sw.table.lookup(newFDBKey(c.vlan, dst)); known && v.port(n) != nil {
			c.out = v.port(n)
			return c, 0, true
		}
	}
	if !m.floods.allow() {
		return c, stats.ReasonUnknownDestination, false
	}
	return c, 0, true
}

// prefetch asks for what the table has on the addresses of all frames, before steer waits for that of the first.
func (m *member) prefetch(bufs []pool.Buffer) {
	for _, b := range bufs {
		frame := b.Bytes()
		if len(frame) < packet.EthernetLen {
			continue
		}
		if vlan, ok := m.rules.vlans.enter(tagOf(frame)); ok {
			header := packet.Ethernet(frame)
			m.sw.table.prefetch(newFDBKey(vlan, header.Src()))
			m.sw.table.prefetch(newFDBKey(vlan, header.Dst()))
		}
	}
}

// port returns the port of a number, or nil.
func (v *view) port(number uint16) *member {
	if int(number) < len(v.ports) {
		return v.ports[number]
	}
	return nil
}

// reserved reports whether a group address is one that bridges don't forward (IEEE 802.1D, table 7-10): 01:80:c2:00:00:00 to 0f.
func reserved(dst packet.MAC) bool {
	const first = 0x0180c2000000
	return dst.Uint64()&^0xf == first
}

// learn takes note of where a frame has come from.
func (m *member) learn(k fdbKey) {
	switch m.sw.table.learn(k, m.number) {
	case learnFlaps:
		m.sw.log.Warn("an address moves to and fro: a loop, or two stations with one address?", "mac", k.mac(), "vlan", k.vlan(), "port", m.name)
	}
}

// forward takes frames of one course to their port.
func (m *member) forward(ctx context.Context, v *view, c course, bufs []pool.Buffer) {
	e, ok := m.reaches(c.out, c)
	switch {
	case c.out == m:
		m.filter(stats.ReasonFiltered, bufs)
	case !ok:
		m.filter(stats.ReasonPolicy, bufs)
	default:
		m.give(ctx, v, c.out, m.edited(e, c.vlan, bufs, 1))
	}
}

// reaches reports whether frames of a course may go out by a port, and what becomes of their tag.
func (m *member) reaches(out *member, c course) (e edit, ok bool) {
	if m == out || !out.sends() || m.rules.isolated && out.rules.isolated {
		return keep, false
	}
	return out.rules.vlans.leave(c.vlan, c.tag)
}

// flood takes frames of one course to all ports but their own, which share them. Those that want the same other tag on them share one copy:
// there is one kind of change as a rule, and two for a priority tag.
func (m *member) flood(ctx context.Context, v *view, c course, bufs []pool.Buffer) {
	ports, groups := 0, 0
	for e := range m.to {
		m.to[e] = m.to[e][:0]
	}
	for _, p := range v.all {
		if e, ok := m.reaches(p, c); ok {
			if len(m.to[e]) == 0 {
				groups++
			}
			m.to[e] = append(m.to[e], p)
			ports++
		}
	}
	if ports == 0 {
		m.filter(stats.ReasonFiltered, bufs)
		return
	}
	m.replicas.Add(uint64(len(bufs) * (ports - 1)))
	retain(bufs, groups-1)
	for e, to := range m.to {
		if len(to) > 0 {
			n := copy(m.changed[:], bufs)
			m.share(ctx, v, to, m.edited(edit(e), c.vlan, m.changed[:n], len(to)))
		}
	}
}

// share gives each of some ports all of bufs.
func (m *member) share(ctx context.Context, v *view, ports []*member, bufs []pool.Buffer) {
	retain(bufs, len(ports)-1)
	for _, p := range ports {
		n := copy(m.shared[:], bufs)
		m.give(ctx, v, p, m.shared[:n])
	}
}

// give takes bufs to a port, and copies of them to its mirrors.
func (m *member) give(ctx context.Context, v *view, out *member, bufs []pool.Buffer) {
	if len(bufs) > 0 {
		m.mirror(ctx, v, out, bufs)
		m.note(&out.receiver)
		out.outlet.put(ctx, bufs, m.wait)
	}
}

// mirror gives the mirrors of a port what it has received, or is about to send.
func (m *member) mirror(ctx context.Context, v *view, of *member, bufs []pool.Buffer) {
	if v.mirrors == nil || len(v.mirrors[of.number]) == 0 {
		return
	}
	mirrors := v.mirrors[of.number]
	m.replicas.Add(uint64(len(bufs) * len(mirrors)))
	retain(bufs, len(mirrors))
	for _, p := range mirrors {
		n := copy(m.mirrored[:], bufs)
		p.outlet.put(ctx, m.mirrored[:n], false)
	}
}

// edited does e to bufs, and returns those of which it has come off; each of the others is dropped and counts as so many frames.
func (m *member) edited(e edit, vlan uint16, bufs []pool.Buffer, weight int) []pool.Buffer {
	if e == keep {
		return bufs
	}
	n := 0
	for _, b := range bufs {
		if err := e.apply(&b, vlan); err != nil {
			m.filtered.DropTx(stats.ReasonNoBuffer, uint64(weight))
			b.Release()
			continue
		}
		bufs[n] = b
		n++
	}
	return bufs[:n]
}

// filter drops and counts frames that the port has received.
func (m *member) filter(reason stats.Reason, bufs []pool.Buffer) {
	m.filtered.DropTx(reason, uint64(len(bufs)))
	pool.ReleaseBurst(bufs)
}

func retain(bufs []pool.Buffer, n int) {
	if n > 0 {
		for _, b := range bufs {
			b.Retain(n)
		}
	}
}
