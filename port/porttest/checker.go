// checker: what the checks have in common.

package porttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
)

// checker is one check of one kind.
type checker struct {
	*tb
	kind   Kind
	seed   uint64
	random *rand.Rand
	port   atomic.Pointer[traced] // the one that was opened last
	others sync.WaitGroup
}

func newChecker(t *tb, k Kind) *checker {
	c := &checker{tb: t, kind: k, seed: rand.Uint64()}
	if text := os.Getenv("RINGWAY_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Errorf("RINGWAY_SEED: %v", err)
		}
		c.seed = seed
	}
	c.random = rand.New(rand.NewPCG(c.seed, 0))
	if k.MaxSize == 0 {
		c.kind.MaxSize = 1514
	}
	return c
}

func (c *checker) inside() string {
	if p := c.port.Load(); p != nil {
		return p.inside()
	}
	return "Open, or before it"
}

// spawn runs f in a goroutine that the check waits for in the end.
func (c *checker) spawn(f func()) <-chan struct{} {
	done := make(chan struct{})
	c.others.Go(func() {
		defer close(done)
		defer c.recover()
		f()
	})
	return done
}

func (c *checker) wait() { c.others.Wait() }

// frame makes a frame of the suite.
func (c *checker) frame(i, size int) []byte {
	if c.kind.Frame != nil {
		return c.kind.Frame(c.random, i, size)
	}
	f := make([]byte, size)
	for k := range f {
		f[k] = byte(c.random.Uint32())
	}
	copy(f, []byte{2, 0, 0, 0, 0, 0xb, 2, 0, 0, 0, 0, 0xa, 0x88, 0xb5, byte(i >> 8), byte(i)})
	return f
}

// frames makes n frames of random sizes from 60 bytes up.
func (c *checker) frames(n int) [][]byte {
	all := make([][]byte, n)
	for i := range all {
		all[i] = c.frame(i, 60+c.random.IntN(c.kind.MaxSize-59))
	}
	return all
}

// burst is a random number of frames to ask for, 1 to 64.
func (c *checker) burst() int { return [...]int{1, 2, 7, 32, 64}[c.random.IntN(5)] }

// session is an open port, the other end, and the pools.
type session struct {
	c     *checker
	*Link // the kind's
	port  *traced
	pool  *pool.Pool
	other *pool.Pool
	ended bool
}

// how says how a session is opened.
type how struct {
	dir    port.Direction
	frames [][]byte
	idle   bool
	pool   pool.Config
}

// open opens a port, which finish closes.
func (c *checker) open(h how) *session {
	c.Helper()
	c.mu.Lock()
	over := c.over
	c.mu.Unlock()
	if over { // it was stuck, and is let go on now that nobody waits for what it says
		runtime.Goexit()
	}
	if h.pool.Count == 0 {
		h.pool.Count = 2048
	}
	h.pool.Name = "the port's"
	h.pool.Track = 1
	h.pool.UMEM = c.kind.UMEM
	s := &session{c: c}
	c.Cleanup(s.abandon)
	var err error
	if s.pool, err = pool.New(h.pool); err != nil {
		c.Fatalf("%v", err)
	}
	if s.other, err = pool.New(pool.Config{Name: "the other end's", Count: 8192, Track: 1}); err != nil {
		c.Fatalf("%v", err)
	}
	s.Link = c.kind.Open(c, Env{
		Options: port.Options{Pool: s.pool, Interfaces: new(port.Interfaces), Direction: h.dir, Stdin: io.LimitReader(nil, 0), Stdout: io.Discard},
		Other:   s.other,
		Frames:  h.frames,
		Idle:    h.idle,
	})
	if s.Link == nil || s.Link.Port == nil {
		c.Fatalf("Kind.Open returned no port")
	}
	if s.Frames == nil {
		s.Frames = h.frames
	}
	s.port = &traced{t: c, p: s.Port}
	c.port.Store(s.port)
	return s
}

// close closes the port.
func (s *session) close() {
	s.c.Helper()
	if err := s.port.Close(); err != nil {
		s.c.Errorf("Close: %v", err)
	}
}

// abandon closes what there is after a check that has failed, for the sake of those after it.
func (s *session) abandon() {
	if s.ended {
		return
	}
	if s.port != nil {
		_ = s.port.Close()
		if s.Done != nil {
			s.Done()
		}
	}
	for _, p := range []*pool.Pool{s.pool, s.other} {
		if p != nil {
			_ = p.Close() // whatever is left
		}
	}
}

// finish closes everything, and looks for buffers that are left.
func (s *session) finish() {
	s.c.Helper()
	s.close()
	s.ended = true
	if q, ok := s.Port.(port.Queuer); ok && q.Queued() != 0 {
		s.c.Errorf("Queued is %d after Close", q.Queued())
	}
	if s.Done != nil {
		s.Done()
	}
	s.c.wait()
	for _, p := range []*pool.Pool{s.pool, s.other} {
		if err := p.Close(); err != nil {
			s.c.Errorf("buffers are left after everything was closed: %v", err)
		}
	}
}

// buffer makes a buffer of frame: from the port's pool, from another one, or on the heap.
func (s *session) buffer(frame []byte) pool.Buffer {
	s.c.Helper()
	var b pool.Buffer
	var err error
	switch s.c.random.IntN(4) {
	case 0:
		b, err = s.other.CopyIn(frame)
	case 1:
		if b, err = s.pool.Wrap(slices.Clone(frame)); err == nil {
			break
		}
		fallthrough
	default:
		b, err = s.pool.CopyIn(frame)
	}
	if err != nil {
		s.c.Fatalf("the suite finds no buffer for a frame of %d bytes: %v", len(frame), err)
	}
	return b
}

// release gives bufs back, in one of the ways that there are.
func (s *session) release(bufs []pool.Buffer) {
	for _, b := range bufs {
		b.Release()
	}
}

// receive receives n frames, or fewer if io.EOF comes before, and returns copies of their
// bytes. each, if not nil, gets each burst and owns it; otherwise it is given back.
func (s *session) receive(n int, each func([]pool.Buffer)) (frames [][]byte, ended bool) {
	s.c.Helper()
	bufs := make([]pool.Buffer, 64)
	for len(frames) < n {
		ask := s.c.burst()
		k, err := s.port.Rx(bufs[:ask])
		taken := bufs[:0]
		for _, b := range bufs[:k] {
			if s.c.kind.Ignore != nil && s.c.kind.Ignore(b.Bytes()) {
				b.Release()
				continue
			}
			frames = append(frames, slices.Clone(b.Bytes()))
			taken = append(taken, b)
		}
		if each != nil {
			each(taken)
		} else {
			s.release(taken)
		}
		switch {
		case err == io.EOF:
			return frames, true
		case err != nil:
			s.c.Fatalf("Rx after %d of %d frames: %v", len(frames), n, err)
		case k == 0:
			if err := s.port.WaitRx(context.Background()); err != nil {
				s.c.Fatalf("WaitRx after %d of %d frames: %v", len(frames), n, err)
			}
			runtime.Gosched()
		}
	}
	return frames, false
}

// send sends bufs, all of them, in bursts, and keeps the other end empty: what comes out of it is
// returned, as far as the link can tell before Close.
func (s *session) send(bufs []pool.Buffer) (out [][]byte) {
	s.c.Helper()
	live := s.Sent != nil && !s.AfterClose
	for len(bufs) > 0 {
		n, err := s.port.Tx(bufs[:min(s.c.burst(), len(bufs))])
		if err != nil {
			s.c.Errorf("Tx with %d frames to go: %v", len(bufs), err)
			s.release(bufs[n:])
			runtime.Goexit()
		}
		bufs = bufs[n:]
		if n > 0 {
			continue
		}
		if live {
			out = append(out, s.Sent(1)...)
		}
		if err := s.port.WaitTx(context.Background()); err != nil {
			s.c.Errorf("WaitTx with %d frames to go: %v", len(bufs), err)
			s.release(bufs)
			runtime.Goexit()
		}
	}
	return out
}

// drain waits until a port that queues has nothing queued any more.
func (s *session) drain() {
	s.c.Helper()
	q, ok := s.Port.(port.Queuer)
	if !ok {
		return
	}
	if err := q.Drain(context.Background()); err != nil && !errors.Is(err, port.ErrClosed) {
		s.c.Errorf("Drain: %v", err)
	}
	if n := q.Queued(); n != 0 {
		s.c.Errorf("Queued is %d after Drain", n)
	}
}

// sent returns what has come out, n frames in all with those of before, and those that are to be ignored left
// out.
func (s *session) sent(before [][]byte, n int) [][]byte {
	s.c.Helper()
	if s.Sent == nil {
		return nil
	}
	if s.AfterClose {
		s.close()
	}
	all := append(before, s.Sent(n-len(before))...)
	if s.c.kind.Ignore != nil {
		all = slices.DeleteFunc(all, s.c.kind.Ignore)
	}
	return all
}

// wanted is a frame that is expected to come out. optional is one that may have been dropped.
type wanted struct {
	frame    []byte
	optional bool
}

func want(frames [][]byte) []wanted {
	all := make([]wanted, len(frames))
	for i, f := range frames {
		all[i] = wanted{frame: f}
	}
	return all
}

// compare compares what came with what was expected, as far as the kind promises.
func (c *checker) compare(what string, got [][]byte, expected []wanted) {
	c.Helper()
	if c.kind.Unordered {
		c.compareBag(what, got, expected)
		return
	}
	next := 0
	for i, frame := range got {
		at := next
		for at < len(expected) && !bytes.Equal(frame, expected[at].frame) && (expected[at].optional || c.kind.Lossy) {
			at++
		}
		if at == len(expected) {
			if next == len(expected) {
				c.Errorf("%s: frame %d (%s) is one too many, after all %d that were expected", what, i, head(frame), len(expected))
			} else {
				c.Errorf("%s: frame %d (%s) is not the one expected, %d (%s); %s", what, i, head(frame), next, head(expected[next].frame), where(frame, expected))
			}
			return
		}
		if !bytes.Equal(frame, expected[at].frame) {
			c.Errorf("%s: frame %d (%s) is not the one expected, %d (%s): %s; %s", what, i, head(frame), at, head(expected[at].frame), difference(frame, expected[at].frame), where(frame, expected))
			return
		}
		next = at + 1
	}
	for i, w := range expected[next:] {
		if !w.optional && !c.kind.Lossy {
			c.Errorf("%s: %d frames, and then number %d of %d (%s) is missing", what, len(got), next+i, len(expected), head(w.frame))
			return
		}
	}
}

func (c *checker) compareBag(what string, got [][]byte, expected []wanted) {
	c.Helper()
	left := map[string]int{}
	for _, w := range expected {
		left[string(w.frame)]++
	}
	for i, frame := range got {
		if left[string(frame)]--; left[string(frame)] < 0 {
			c.Errorf("%s: frame %d (%s) was not expected, or not so often", what, i, head(frame))
			return
		}
	}
	for i, w := range expected {
		if left[string(w.frame)] > 0 && !w.optional && !c.kind.Lossy {
			c.Errorf("%s: frame %d of %d (%s) is missing", what, i, len(expected), head(w.frame))
			return
		}
	}
}

func head(frame []byte) string {
	return fmt.Sprintf("%d bytes, %x…", len(frame), frame[:min(len(frame), 20)])
}

func difference(got, want []byte) string {
	if len(got) != len(want) {
		return fmt.Sprintf("%d bytes instead of %d", len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			return fmt.Sprintf("byte %d is %#02x instead of %#02x", i, got[i], want[i])
		}
	}
	return "the same"
}

func where(frame []byte, expected []wanted) string {
	for i, w := range expected {
		if bytes.Equal(frame, w.frame) {
			return fmt.Sprintf("it was expected as number %d", i)
		}
	}
	return "nobody sent it so"
}

func size(frames [][]byte) (n uint64) {
	for _, f := range frames {
		n += uint64(len(f))
	}
	return n
}

// closed reports an error that is not ErrClosed, of a call after Close.
func (c *checker) closed(what string, err error) {
	c.Helper()
	if !errors.Is(err, port.ErrClosed) {
		c.Errorf("%s after Close returned %v, want port.ErrClosed", what, err)
	}
}

func receives(k *Kind) string {
	if k.Does&port.In == 0 {
		return "the kind does not receive"
	}
	return ""
}

func sends(k *Kind) string {
	if k.Does&port.Out == 0 {
		return "the kind does not send"
	}
	return ""
}

var checks = slices.Concat(rxChecks, sleepChecks, txChecks, bothChecks)
