//go:build unix

// Sender: a burst of frames becomes datagrams.

package udpsock

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/mmsg"
	"github.com/ringway-net/ringway/internal/patience"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/stats"
)

// Burst is how many frames, or datagrams, one call to the system takes at most.
const Burst = port.LandingPlaces

// longestRun is how many bytes a run may have: 64 KiB with all headers is what devices take as one.
const longestRun = 65000

// Way is where a frame goes.
type Way struct {
	Socket int          // number of the socket that sends it
	Peer   int          // number of the peer that it goes to, or AllPeers; nothing if the sockets are connected
	Drop   stats.Reason // why it goes nowhere; 0 is that it does
}

// AllPeers is the Way.Peer of a frame of which each peer gets a copy.
const AllPeers = -1

// Sender sends each frame of a burst as a datagram, with a header in front that is the same for all. Frames next to each other
// that go the same way and are equally long (the last may be shorter) make a run, which the kernel takes as one, if it
// has UDP_SEGMENT. The order is kept.
//
// It is for whoever calls Tx, but for Mode and Notes.
type Sender struct {
	base    *port.Base
	sockets []*Socket
	peers   []Name
	header  []byte
	route   func([]pool.Buffer, []Way)
	batch   *mmsg.Batch
	ways    [Burst]Way
	runs    []run
	fates   [Burst]fate

	// full is the socket that had no room when a frame was last not taken, or nil. nobufs is patience with a system that says
	// that it has no memory.
	full   *Socket
	nobufs patience.Patience

	// most is how long datagrams of a run may be; 0: there are no runs.
	most atomic.Int64

	// mu guards what is for Notes.
	mu      sync.Mutex
	noRuns  error // why there are none
	tooLong int   // the MTU of a path that a datagram was too long for
	copies  uint64
	failure error
}

// run is a message of the batch: frames first to first+n-1 of the burst.
type run struct {
	first, n int
	peer     int
	size     int // of each datagram but the last
	bytes    int
	over     bool // the last one is shorter, or it is a copy for one of several
}

// fate is what has become of a frame.
type fate struct {
	sent bool
	why  stats.Reason // if not
}

// Init prepares s for a port that is b's. sockets are connected, or send to peers, of which there are some then; header is
// in front of each frame; route tells of each frame of a burst where it goes; most is the longest datagram, in bytes, that can be
// part of a run, or 0 for no runs. The error says why the system has none, and then there are none.
func (s *Sender) Init(b *port.Base, sockets []*Socket, peers []Name, header []byte, route func([]pool.Buffer, []Way), most int) error {
	s.base, s.sockets, s.peers, s.header, s.route = b, sockets, peers, header, route
	messages := max(Burst, len(peers))
	s.batch = mmsg.New(messages, 2, segmentSpace, false)
	s.runs = make([]run, 0, messages)
	if most > 0 {
		if s.noRuns = canSegment(sockets[0].Num()); s.noRuns != nil {
			return s.noRuns
		}
	}
	s.most.Store(int64(most))
	return nil
}

// Send is the port's Tx for finished frames.
func (s *Sender) Send(bufs []pool.Buffer) (n int, err error) {
	s.full = nil
	for n < len(bufs) {
		burst := bufs[n:min(n+Burst, len(bufs))]
		s.route(burst, s.ways[:len(burst)])
		took := s.burst(burst)
		s.settle(burst[:took])
		n += took
		if took < len(burst) {
			break
		}
	}
	return n, nil
}

// burst sends bufs, and returns how many have met their fate: fewer if there was no room for the next.
func (s *Sender) burst(bufs []pool.Buffer) (n int) {
	for n < len(bufs) && s.full == nil {
		socket, to := s.load(bufs, n)
		n = s.flush(socket, to)
	}
	return n
}

// load makes messages of the frames from number from on, as far as there is room for and one socket goes. It returns that
// socket, nil if there is nothing to send, and the number of the next frame.
func (s *Sender) load(bufs []pool.Buffer, from int) (socket *Socket, to int) {
	s.runs = s.runs[:0]
	most := int(s.most.Load())
	for i := from; i < len(bufs); i++ {
		w := &s.ways[i]
		s.fates[i] = fate{why: w.Drop}
		if w.Drop != 0 {
			continue
		}
		if socket == nil {
			socket = s.sockets[w.Socket]
		} else if socket != s.sockets[w.Socket] {
			return socket, i
		}
		copies := 1
		if w.Peer == AllPeers {
			copies = len(s.peers)
		}
		if len(s.runs)+copies > s.batch.Len() {
			return socket, i
		}
		frame := bufs[i].Bytes()
		pieces := i * 2
		if len(s.header) > 0 {
			s.batch.Put(pieces, s.header)
			s.batch.Put(pieces+1, frame)
		} else {
			s.batch.Put(i, frame)
		}
		size := len(s.header) + len(frame)
		if w.Peer == AllPeers {
			for k := range s.peers {
				s.add(run{first: i, n: 1, peer: k, over: true})
			}
			continue
		}
		if k := len(s.runs) - 1; k >= 0 && s.runs[k].joins(i, w.Peer, size) {
			s.extend(k, size)
			continue
		}
		s.add(run{first: i, n: 1, peer: w.Peer, size: size, bytes: size, over: size > most})
	}
	return socket, len(bufs)
}

// joins reports whether frame i can be the next of r.
func (r *run) joins(i, peer, size int) bool {
	return !r.over && size <= r.size && r.peer == peer && r.first+r.n == i && r.n < mostSegments && r.bytes+size <= longestRun && size > 0
}

// add makes r the next message.
func (s *Sender) add(r run) {
	m := len(s.runs)
	s.runs = append(s.runs, r)
	s.join(m)
	s.batch.SetControl(m, 0)
	if len(s.peers) > 0 {
		name := &s.peers[r.peer]
		s.batch.SetName(m, &name.raw, name.n)
	}
}

// extend adds the next frame to message m.
func (s *Sender) extend(m, size int) {
	r := &s.runs[m]
	r.n++
	r.bytes += size
	r.over = size < r.size
	s.join(m)
	putSegment(s.batch.SetControl(m, segmentSpace), r.size)
}

// join gives message m its pieces.
func (s *Sender) join(m int) {
	r := &s.runs[m]
	if len(s.header) > 0 {
		s.batch.Join(m, r.first*2, r.n*2)
	} else {
		s.batch.Join(m, r.first, r.n)
	}
}

// flush sends the messages, which are of the frames up to number to, and returns how many frames have met their fate.
func (s *Sender) flush(socket *Socket, to int) int {
	for at := 0; at < len(s.runs); {
		k, err := s.batch.Send(socket.Num(), at, len(s.runs))
		for range k {
			r := &s.runs[at]
			for i := range r.n {
				s.fates[r.first+i].sent = true
			}
			at++
		}
		if err == nil {
			s.nobufs.Room()
			continue
		}
		r := &s.runs[at]
		switch {
		case r.n > 1 && s.refused(err, r.size):
			return r.first
		case s.noRoom(err):
			s.full = socket
			if !s.fates[r.first].sent {
				return r.first
			}
			// Some peers have got their copy, and so it is sent.
			lost := uint64(0)
			for k := at; k < len(s.runs) && s.runs[k].first == r.first; k++ {
				lost++
			}
			s.note(func() { s.copies += lost })
			return r.first + 1
		}
		why := s.reason(err, socket)
		for i := range r.n {
			s.fates[r.first+i].why = why
		}
		at++
	}
	return to
}

// refused reports whether err says that there may be no run of datagrams of that size, and sees to it that there is none
// any more. EIO: none at all, since who sends them needs their checksums (IPsec) or can't make them. EINVAL (before Linux 6.14)
// and EMSGSIZE: a path has become too narrow.
func (s *Sender) refused(err error, size int) bool {
	switch {
	case errors.Is(err, unix.EIO):
		s.most.Store(0)
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.EMSGSIZE):
		s.most.Store(int64(size - 1))
	default:
		return false
	}
	s.note(func() { s.noRuns = err })
	return true
}

// noRoom reports whether err says that there is no room now, and that it is worth trying again.
func (s *Sender) noRoom(err error) bool {
	if !errors.Is(err, unix.ENOBUFS) && !errors.Is(err, unix.ENOMEM) {
		return mmsg.WouldBlock(err)
	}
	return !s.nobufs.Full()
}

// reason returns why a datagram was not sent. That a peer's host has no such port, or is not to be found, is told by an ICMP message
// after one datagram, and meets the next.
func (s *Sender) reason(err error, socket *Socket) stats.Reason {
	switch {
	case errors.Is(err, unix.EMSGSIZE):
		mtu, err := socket.PathMTU()
		if err != nil {
			mtu = -1 // it is not connected, and there is nobody to ask
		}
		s.note(func() { s.tooLong = mtu })
		return stats.ReasonTooLong
	case errors.Is(err, unix.ENOBUFS), errors.Is(err, unix.ENOMEM):
		return stats.ReasonNoSpace
	case errors.Is(err, unix.ECONNREFUSED), errors.Is(err, unix.EHOSTUNREACH), errors.Is(err, unix.ENETUNREACH),
		errors.Is(err, unix.EHOSTDOWN), errors.Is(err, unix.ENETDOWN), errors.Is(err, unix.ENODEV),
		errors.Is(err, unix.ENXIO), errors.Is(err, unix.EADDRNOTAVAIL):
		return stats.ReasonLinkDown
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return stats.ReasonPolicy // a firewall's
	}
	s.base.TxShard.ErrorTx(1)
	s.note(func() { s.failure = err })
	return stats.ReasonIOError
}

// settle counts frames as what has become of them.
func (s *Sender) settle(bufs []pool.Buffer) {
	for from := 0; from < len(bufs); {
		f := s.fates[from]
		to := from + 1
		for to < len(bufs) && s.fates[to].sent == f.sent && (f.sent || s.fates[to].why == f.why) {
			to++
		}
		if f.sent {
			s.base.Sent(bufs[from:to])
		} else {
			s.base.Dropped(f.why, bufs[from:to])
		}
		from = to
	}
}

// Wait sleeps until a frame that was not taken is worth trying again. The error is that of WaitTx, except that it doesn't know
// of the port's end.
func (s *Sender) Wait(ctx context.Context) error {
	switch {
	case s.full == nil:
		return ctx.Err()
	case s.nobufs.Tries() > 0:
		return s.base.Sleep(ctx, patience.Every)
	}
	return s.full.WaitWrite(ctx)
}

func (s *Sender) note(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// Mode says how datagrams are sent.
func (s *Sender) Mode() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch most := s.most.Load(); {
	case most > 0 && s.noRuns == nil:
		return "runs sent as one (UDP_SEGMENT)"
	case most > 0:
		return fmt.Sprintf("runs of datagrams up to %d bytes sent as one (UDP_SEGMENT; for longer ones: %v)", most, s.noRuns)
	case s.noRuns != nil:
		return fmt.Sprintf("each sent by itself (no UDP_SEGMENT: %v)", s.noRuns)
	}
	return "each sent by itself"
}

// Notes says what was not sent and what for.
func (s *Sender) Notes() (notes []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.tooLong < 0:
		notes = append(notes, "frames were too long for the path")
	case s.tooLong > 0:
		notes = append(notes, fmt.Sprintf("frames were too long for the path, which takes IP packets of %d bytes", s.tooLong))
	}
	if s.copies > 0 {
		notes = append(notes, fmt.Sprintf("%d copies of frames for all peers were not sent, since the socket was full; the other copies were", s.copies))
	}
	if s.failure != nil {
		notes = append(notes, fmt.Sprintf("frames were not sent: %v", s.failure))
	}
	return notes
}
