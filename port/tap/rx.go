//go:build linux

// Receiving.

package tap

import (
	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/vnet"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/stats"
)

// burstBytes is how many bytes Rx receives at most, and a frame more. More large frames would push each other
// out of the processor's cache before anybody has looked at them, and keep who sends them on waiting.
const burstBytes = 128 << 10

// Rx receives frames from the queues, one queue after the other.
func (p *tap) Rx(bufs []pool.Buffer) (int, error) {
	if !p.Enter() {
		return 0, port.ErrClosed
	}
	n, err := p.receive(bufs)
	p.Leave()
	return n, err
}

func (p *tap) receive(bufs []pool.Buffer) (n int, err error) {
	if p.Options.Direction&port.In == 0 {
		return 0, port.ErrDirection
	}
	bytes, empty, queue := 0, 0, p.first
	for range p.landing.Ready(len(bufs)) {
		got, errno := p.read(queue, n)
		for ; errno == unix.EAGAIN; got, errno = p.read(queue, n) {
			queue = p.after(queue)
			if empty++; empty == len(p.queues) {
				break
			}
		}
		if errno != 0 {
			if errno != unix.EAGAIN {
				p.RxShard.ErrorRx(1)
				err = p.failed(errno)
			}
			break
		}
		b, ok := p.land(n, got-p.device.header)
		if !ok {
			continue
		}
		bufs[n] = b
		n++
		if bytes += b.Len(); bytes >= burstBytes {
			break
		}
	}
	p.first = p.after(queue) // a busy one leaves the others their turn
	p.Received(bufs[:n])
	return n, err
}

// after returns the queue that comes after one.
func (p *tap) after(queue int) int {
	if queue++; queue == len(p.queues) {
		return 0
	}
	return queue
}

// read reads a frame into a place and returns how long it is, header and all.
func (p *tap) read(queue, place int) (int, unix.Errno) {
	s := &p.in
	first, rest := p.landing.Place(place)
	s.add(s.header[:p.device.header])
	s.add(first)
	s.add(rest)
	s.add(s.beyond[:])
	return s.call(unix.SYS_READV, p.queues[queue].Num())
}

// land takes a frame of n bytes from its place, or drops and counts it.
func (p *tap) land(place, n int) (b pool.Buffer, ok bool) {
	var left pool.Offload
	var err error
	first, _ := p.landing.Place(place)
	if h := p.in.header[:]; p.device.header > 0 && h[0]|h[1] != 0 { // flags, and what to cut it into
		left, err = vnet.Decode(h, n)
	}
	switch {
	case n < max(1, p.config.header()):
		p.RxShard.DropRx(stats.ReasonTooShort, 1)
		return b, false
	case err != nil || p.config.tun && !isIP(first[0]):
		p.RxShard.DropRx(stats.ReasonMalformed, 1)
		return b, false
	}
	if b, ok = p.landing.Take(place, n); !ok {
		p.RxShard.DropRx(stats.ReasonTruncated, 1)
		return b, false
	}
	if left != (pool.Offload{}) {
		left.NetworkFrame = p.config.tun
		b.SetOffload(left)
	}
	return b, true
}

// isIP reports whether first can be the first byte of an IP packet.
func isIP(first byte) bool { return first>>4 == 4 || first>>4 == 6 }
