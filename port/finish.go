// Finisher: software in place of offloads that a port doesn't have.

package port

import (
	"github.com/ringway-net/ringway/packet"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/stats"
)

// Finisher does in software what others have left to do on frames (pool.Offload) and a port can't leave to anybody:
// it completes checksums and cuts large frames into segments. A kind embeds it beside Base, calls its Init after Base's, and so
// gets Tx.
//
// Of a frame that is being cut when there is no more room, the caller stays the owner, as of all that Tx does not take: when it
// comes again, its remaining segments are sent.
type Finisher struct {
	base  *Base
	takes Offloads
	send  func([]pool.Buffer) (int, error)

	// large is the frame that is being cut, whose segments before next are in stock, sent or dropped, and of which left
	// are neither sent nor dropped. It is its caller's.
	large      pool.Buffer
	cut        packet.Segmenter
	next, left int
	// stock[from:to] are segments that can be sent.
	stock    [64]pool.Buffer
	from, to int
}

// Init prepares f for a port that is b's, can leave takes to others, and sends finished frames by send, which is like
// Port.Tx but is called inside of Enter and Leave, and for ports that send only.
func (f *Finisher) Init(b *Base, takes Offloads, send func([]pool.Buffer) (int, error)) {
	f.base, f.takes, f.send = b, takes, send
	b.finisher = f
}

// Tx is the port's Tx.
func (f *Finisher) Tx(bufs []pool.Buffer) (n int, err error) {
	if !f.base.Enter() {
		return 0, ErrClosed
	}
	defer f.base.Leave()
	if f.base.Options.Direction&Out == 0 {
		return 0, ErrDirection
	}
	if !unfinished(bufs) {
		return f.send(bufs)
	}
	for n < len(bufs) {
		run := n
		for run < len(bufs) && f.fit(&bufs[run]) {
			run++
		}
		if run > n {
			sent, err := f.send(bufs[n:run])
			if n += sent; err != nil || n < run {
				return n, err
			}
			continue
		}
		if done, err := f.segments(bufs[n]); !done || err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func unfinished(bufs []pool.Buffer) bool {
	for _, b := range bufs {
		if b.HasOffload() {
			return true
		}
	}
	return false
}

// fit reports whether b can be sent as it is. It completes the checksum of a frame that lacks no more than that, if
// nobody else has it.
func (f *Finisher) fit(b *pool.Buffer) bool {
	left, _ := b.Offload()
	if f.takes.Take(left) {
		return true
	}
	if left.GSO != pool.GSONone || b.Shared() {
		return false
	}
	if packet.FinishChecksum(b.Bytes(), int(left.ChecksumStart), int(left.ChecksumOffset)) != nil {
		return false
	}
	b.ClearOffload()
	return true
}

// segments sends what b has to be cut into (the one finished copy, if it is not to be cut), as far as there is room,
// and reports whether that was all: then it has given b back.
func (f *Finisher) segments(b pool.Buffer) (done bool, err error) {
	if b != f.large && !f.begin(b) {
		f.base.Dropped(stats.ReasonMalformed, []pool.Buffer{b})
		return true, nil
	}
	for f.left > 0 {
		f.fill()
		sent, err := f.send(f.stock[f.from:f.to])
		f.from += sent
		f.gone(sent)
		if err != nil || f.from < f.to {
			f.base.TxShard.Publish()
			return false, err
		}
	}
	f.large = pool.Buffer{}
	f.base.Free([]pool.Buffer{b})
	f.base.TxShard.Publish()
	return true, nil
}

// begin begins to cut b. It is false if that is not possible.
func (f *Finisher) begin(b pool.Buffer) bool {
	f.forget() // of a frame that its caller has given up
	left, _ := b.Offload()
	f.next, f.left = 0, 1
	if left.GSO != pool.GSONone {
		if Cut(&f.cut, b.Bytes(), left) != nil {
			return false
		}
		f.left = f.cut.Count()
	} else if int(left.ChecksumStart)+int(left.ChecksumOffset)+2 > b.Len() {
		return false
	}
	f.large = b
	return true
}

// Cut prepares s to cut a frame as left, whose GSO is one, says. The error is Segmenter.Reset's.
func Cut(s *packet.Segmenter, frame []byte, left pool.Offload) error {
	l3 := 0
	if !left.NetworkFrame {
		h := packet.Parse(frame)
		l3 = int(h.L3)
	}
	if left.Tunnel {
		return s.ResetInner(frame, l3, int(left.ChecksumStart), segmentKinds[left.GSO], int(left.SegmentSize))
	}
	return s.Reset(frame, l3, segmentKinds[left.GSO], int(left.SegmentSize))
}

var segmentKinds = map[pool.GSO]packet.SegmentKind{
	pool.GSOTCP4: packet.SegmentTCP4, pool.GSOTCP6: packet.SegmentTCP6, pool.GSOUDP: packet.SegmentUDP,
}

// fill makes segments until the stock is full.
func (f *Finisher) fill() {
	if f.from > 0 {
		f.to = copy(f.stock[:], f.stock[f.from:f.to])
		f.from = 0
	}
	left, _ := f.large.Offload()
	meta, hasMeta := f.large.Meta()
	for ; f.to < len(f.stock) && f.to < f.left; f.next++ {
		n := f.large.Len()
		if left.GSO != pool.GSONone {
			n = f.cut.Len(f.next)
		}
		b, ok := f.buffer(n)
		if !ok {
			f.base.TxShard.DropTx(stats.ReasonNoBuffer, 1)
			f.gone(1)
			continue
		}
		if left.GSO != pool.GSONone {
			f.cut.Put(b.Bytes(), f.next)
			meta.OrigLen = 0
		} else {
			copy(b.Bytes(), f.large.Bytes())
			_ = packet.FinishChecksum(b.Bytes(), int(left.ChecksumStart), int(left.ChecksumOffset)) // begin has looked
		}
		if hasMeta {
			b.SetMeta(meta)
		}
		f.stock[f.to] = b
		f.to++
	}
}

// gone counts n segments as neither sent nor dropped no longer. The last one stands for the frame that was given.
func (f *Finisher) gone(n int) {
	if f.left -= n; f.left == 0 && n > 0 {
		n--
	}
	f.base.TxShard.Segments(uint64(n))
}

// buffer takes a buffer with a frame of n bytes, whatever they are.
func (f *Finisher) buffer(n int) (b pool.Buffer, ok bool) {
	var err error
	switch large := f.base.Options.Large; {
	case n <= f.base.Options.Pool.BufferSize():
		b, err = f.base.TxCache.Get()
	case large != nil && n <= large.BufferSize():
		b, err = large.Get()
	default:
		return b, false
	}
	if err != nil {
		return b, false
	}
	_, err = b.AppendUnzeroed(n)
	return b, err == nil
}

// forget gives back segments that nobody will ask for.
func (f *Finisher) forget() {
	f.base.Free(f.stock[f.from:f.to])
	f.from, f.to, f.large = 0, 0, pool.Buffer{}
}
