//go:build linux

// Sending.

package tap

import (
	"context"
	"encoding/binary"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/fd"
	"github.com/ringway-net/ringway/internal/vnet"
	"github.com/ringway-net/ringway/packet"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/stats"
)

// askAgain is how long an answer about the device's MTU is believed when a frame is longer than that.
const askAgain = 100 * time.Millisecond

// send is the Finisher's: of frames that need nothing that the kernel does not do.
func (p *tap) send(bufs []pool.Buffer) (n int, err error) {
	p.full = nil
	counted := 0
	for n < len(bufs) {
		frame := bufs[n].Bytes()
		left, _ := bufs[n].Offload()
		reason, ok := p.fits(frame, left)
		if ok {
			q := p.queue(frame)
			switch errno := p.write(q, frame, left); errno {
			case 0:
				n++
				continue
			case unix.EAGAIN:
				p.full = q
				p.Sent(bufs[counted:n])
				return n, nil
			case unix.EBADFD, unix.ENODEV:
				p.Sent(bufs[counted:n])
				p.TxShard.ErrorTx(1)
				p.TxShard.Publish()
				return n, p.failed(errno)
			default:
				reason = why(errno)
			}
		}
		p.Sent(bufs[counted:n])
		p.Dropped(reason, bufs[n:n+1])
		n++
		counted = n
	}
	p.Sent(bufs[counted:])
	return n, nil
}

// why says why the kernel has refused a frame.
func why(errno unix.Errno) stats.Reason {
	switch errno {
	case unix.EIO:
		return stats.ReasonLinkDown
	case unix.EINVAL: // such as offsets that are not within the frame
		return stats.ReasonMalformed
	case unix.ENOMEM, unix.ENOBUFS: // and there is nothing to wait for: the queue is as writable as ever
		return stats.ReasonNoSpace
	}
	return stats.ReasonIOError
}

// fits reports whether the device is one for this frame, and if not, why.
func (p *tap) fits(frame []byte, left pool.Offload) (reason stats.Reason, ok bool) {
	switch {
	case len(frame) < max(1, p.config.header()):
		return stats.ReasonTooShort, false
	case left.GSO != pool.GSONone:
		if len(frame) > port.LargeBufferSize {
			return stats.ReasonTooLong, false
		}
	case len(frame) > p.longest(frame) && !p.longer(frame):
		return stats.ReasonTooLong, false
	}
	if p.config.tun && !isIP(frame[0]) {
		return stats.ReasonMalformed, false
	}
	return 0, true
}

// longest returns how long such a frame may be. Tags are not part of the MTU.
func (p *tap) longest(frame []byte) int {
	n := int(p.mtu.Load()) + p.config.header()
	if p.config.tun {
		return n
	}
	for at := 12; len(frame) >= at+4 && at <= 16; at += 4 {
		if t := binary.BigEndian.Uint16(frame[at:]); t != packet.EtherTypeVLAN && t != packet.EtherTypeQinQ {
			break
		}
		n += 4
	}
	return n
}

// longer asks for the device's MTU again, if that is some time ago, and reports whether the frame fits now.
func (p *tap) longer(frame []byte) bool {
	if now := time.Now(); now.Sub(p.asked) > askAgain {
		p.asked = now
		p.look()
	}
	return len(frame) <= p.longest(frame)
}

// queue returns the queue that the frame's flow is in.
func (p *tap) queue(frame []byte) *fd.FD {
	if len(p.queues) == 1 {
		return p.queues[0]
	}
	h := &p.headers
	if p.config.tun {
		h.ParseIP(frame)
	} else {
		h.Parse(frame)
	}
	return p.queues[uint64(h.FlowHash(frame))*uint64(len(p.queues))>>32]
}

func (p *tap) write(q *fd.FD, frame []byte, left pool.Offload) unix.Errno {
	s := &p.out
	if p.device.header > 0 {
		vnet.Encode(s.header[:], left, frame)
		s.add(s.header[:p.device.header])
	}
	s.add(frame)
	_, errno := s.call(unix.SYS_WRITEV, q.Num())
	return errno
}

// WaitTx sleeps until the kernel takes a frame: as a rule it does at once.
func (p *tap) WaitTx(ctx context.Context) error {
	if !p.Enter() {
		return port.ErrClosed
	}
	defer p.Leave()
	if p.Options.Direction&port.Out == 0 {
		return port.ErrDirection
	}
	if p.full == nil {
		return ctx.Err()
	}
	err := p.full.WaitWrite(ctx)
	if err == nil && p.closing() {
		err = port.ErrClosed
	}
	return err
}
