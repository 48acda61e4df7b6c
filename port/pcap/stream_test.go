// Pipes and other streams, in and out.

package pcap

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/capfile"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/stats"
)

func pipe(t testing.TB) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// From a pipe to a pipe, in both formats and with gzip before it, nothing changes.
func TestPipes(t *testing.T) {
	b := classic(binary.LittleEndian, micro, 262144, 1, 20_000, 60, 1514, 0)
	b = append(b, classic(binary.LittleEndian, micro, 262144, 1, 1, 262144)[24:]...)
	for _, in := range [][]byte{b, zipped(b)} {
		o := env(t)
		inR, inW := pipe(t)
		outR, outW := pipe(t)
		o.Stdin, o.Stdout = inR, outW
		var wg sync.WaitGroup
		wg.Go(func() {
			inW.Write(in)
			inW.Close()
		})
		var got []byte
		wg.Go(func() { got, _ = io.ReadAll(outR) })
		r, w := openIn(t, "-", o), openOut(t, "-", o)
		if rx, tx := move(t, r, w); rx != io.EOF || tx != nil {
			t.Fatal(rx, tx)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		balanced(t, w, 20_001)
		outW.Close()
		wg.Wait()
		if !bytes.Equal(got, b) {
			t.Errorf("%d bytes became %d", len(b), len(got))
		}
		info := r.Info()
		mode := "reads a stream: pcap, little-endian"
		if len(in) != len(b) {
			mode = "reads a stream: pcap, gzip"
		}
		if info.Mode != mode || info.Total != 0 || info.Done != int64(len(in)) || info.LinkType != 1 || info.Live {
			t.Errorf("%+v", info)
		}
		r.Close()
	}
}

// Any reader and writer will do.
func TestReaderWriter(t *testing.T) {
	b := ngFile(t, []capfile.Interface{{Name: "a", LinkType: 1, Resolution: 6}, {Name: "b", LinkType: 113, Resolution: 9}}, func(w *capfile.Writer) {
		for i := range 5000 {
			w.WriteFrame(int64(i)*1000, i%2, frameBytes(i, i%100), uint32(i%100))
		}
		w.AddInterface(capfile.Interface{Name: "c", LinkType: 1, Resolution: 9})
	})
	o := env(t)
	var out bytes.Buffer
	o.Stdin, o.Stdout = bytes.NewReader(b), &out
	r, w := openIn(t, "-", o), openOut(t, "pcap:-,format=pcapng", o)
	if rx, tx := move(t, r, w); rx != io.EOF || tx != nil {
		t.Fatal(rx, tx)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	a, c := decode(t, b), decode(t, out.Bytes())
	sameFrames(t, a, c)
	if fmt.Sprint(a.ifs) != fmt.Sprint(c.ifs) {
		t.Errorf("%+v became %+v", a.ifs, c.ifs)
	}
}

// Frames pass at once, one at a time, while the source is slow.
func TestLive(t *testing.T) {
	o := env(t)
	inR, inW := pipe(t)
	outR, outW := pipe(t)
	o.Stdin, o.Stdout = inR, outW
	r, w := openIn(t, "-", o), openOut(t, "-", o)
	var wg sync.WaitGroup
	wg.Go(func() {
		if rx, tx := move(t, r, w); rx != io.EOF || tx != nil {
			t.Error(rx, tx)
		}
	})
	b := classic(binary.LittleEndian, micro, 65535, 1, 20, 60)
	for lo, hi := 0, 24+76; lo < len(b); lo, hi = hi, hi+76 {
		inW.Write(b[lo:hi])
		got := make([]byte, hi-lo)
		outR.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.ReadFull(outR, got); err != nil || !bytes.Equal(got, b[lo:hi]) {
			t.Fatal(err)
		}
	}
	inW.Close()
	wg.Wait()
}

// flush= holds frames back in a stream's buffer, up to that long, or until Drain.
func TestStreamFlush(t *testing.T) {
	o := env(t)
	var mu sync.Mutex
	var out bytes.Buffer
	size := func() int {
		mu.Lock()
		defer mu.Unlock()
		return out.Len()
	}
	o.Stdout = writerFunc(func(b []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return out.Write(b)
	})
	for _, c := range []struct {
		flush string
		drain bool
	}{{"20ms", false}, {"1h", true}, {"1h", false}} {
		out.Reset()
		w := openOut(t, "pcap:-,flush="+c.flush, o)
		b, _ := o.Pool.CopyIn(frameBytes(0, 60))
		began := time.Now()
		w.Tx([]pool.Buffer{b})
		if c.drain {
			if err := w.(*writer).Drain(ctx(t)); err != nil || size() != 100 {
				t.Error(err, size())
			}
		} else if c.flush != "1h" {
			eventually(t, "flush", func() bool { return size() == 100 })
			if time.Since(began) < 15*time.Millisecond {
				t.Error("flushed too early")
			}
		}
		w.Close()
		if size() != 100 {
			t.Errorf("%d bytes", size())
		}
		balanced(t, w, 1)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// fillUp sends until a stream takes no more, and returns how many frames it took.
func fillUp(t testing.TB, o port.Options, w port.Port) (taken int) {
	t.Helper()
	bufs := make([]pool.Buffer, 64)
	for idle := 0; idle < 50; {
		for i := range bufs {
			var err error
			if bufs[i], err = o.Pool.CopyIn(frameBytes(taken+i, 1500)); err != nil {
				t.Fatal(err)
			}
		}
		n, err := w.Tx(bufs)
		if err != nil {
			t.Fatal(err)
		}
		o.Pool.PutBurst(bufs[n:])
		taken += n
		if idle++; n > 0 {
			idle = 0
		} else {
			time.Sleep(time.Millisecond)
		}
	}
	return taken
}

// A reader that stands still: Tx takes no more, WaitTx waits, Close gives up in time and counts.
func TestStuckReader(t *testing.T) {
	for _, kind := range []string{"pipe", "closer", "stuck for ever"} {
		t.Run(kind, func(t *testing.T) {
			o := env(t)
			blocked := make(chan struct{})
			release := sync.OnceFunc(func() { close(blocked) })
			defer release()
			var outR *os.File
			switch kind {
			case "pipe":
				outR, o.Stdout = pipe(t)
			case "closer":
				_, o.Stdout = io.Pipe()
			default:
				o.Stdout = writerFunc(func(b []byte) (int, error) { <-blocked; return len(b), nil })
			}
			w := openOut(t, "-", o)
			p := w.(*writer)
			p.mu.Lock()
			p.stream.patience = 20 * time.Millisecond
			p.mu.Unlock()
			taken := fillUp(t, o, w)
			short, cancel := context.WithTimeout(ctx(t), 5*time.Millisecond)
			defer cancel()
			if err := w.WaitTx(short); err != context.DeadlineExceeded {
				t.Error("WaitTx:", err)
			}
			if err := p.Drain(short); err != context.DeadlineExceeded {
				t.Error("Drain:", err)
			}
			if s := w.Stats(); int(s.TxPackets+s.TxDropped())+p.Queued() != taken {
				t.Errorf("taken %d, queued %d, %+v", taken, p.Queued(), s)
			}
			var wg sync.WaitGroup
			for range 2 {
				wg.Go(func() {
					if err := w.WaitTx(ctx(t)); err != port.ErrClosed {
						t.Error("WaitTx during Close:", err)
					}
				})
			}
			time.Sleep(time.Millisecond)
			began := time.Now()
			err := w.Close()
			if time.Since(began) > 4*time.Second {
				t.Error("Close took", time.Since(began))
			}
			wg.Wait()
			if !errors.Is(err, errUnread) || !strings.Contains(err.Error(), "see what holds its reader up") {
				t.Error(err)
			}
			balanced(t, w, taken)
			s := w.Stats()
			if s.TxDrops[stats.ReasonWouldBlock] != s.TxDropped() || s.TxDropped() == 0 {
				t.Errorf("%+v", s.TxDrops)
			}
			if kind == "pipe" {
				// What the reader finds is what was counted, and a part of the next frame perhaps.
				o.Stdout.(*os.File).Close()
				b, _ := io.ReadAll(outR)
				if n := (len(b) - 24) / 1516; n != int(s.TxPackets) {
					t.Errorf("the pipe holds %d frames, sent were %d", n, s.TxPackets)
				}
			}
			release()
			<-p.stream.end
			w.Info()
		})
	}
}

// A reader that is slow, but reads, gets everything.
func TestSlowReader(t *testing.T) {
	o := env(t)
	outR, outW := pipe(t)
	o.Stdout = outW
	w := openOut(t, "-", o)
	p := w.(*writer)
	p.mu.Lock()
	p.stream.patience = 100 * time.Millisecond
	p.mu.Unlock()
	taken := fillUp(t, o, w)
	var wg sync.WaitGroup
	var got int64
	wg.Go(func() {
		b := make([]byte, 16<<10)
		for {
			n, err := outR.Read(b)
			got += int64(n)
			if err != nil {
				return
			}
			time.Sleep(2 * time.Millisecond)
		}
	})
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	outW.Close()
	wg.Wait()
	if got != int64(24+taken*1516) {
		t.Errorf("%d bytes of %d frames", got, taken)
	}
	balanced(t, w, taken)
}

// A reader that goes away: an error with EPIPE in it, and all is counted.
func TestBrokenPipe(t *testing.T) {
	o := env(t)
	outR, outW := pipe(t)
	o.Stdout = outW
	w := openOut(t, "-", o)
	taken := fillUp(t, o, w)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := w.WaitTx(ctx(t)); err != nil {
			t.Error(err)
		}
	})
	outR.Close()
	wg.Wait()
	eventually(t, "error", func() bool {
		b, _ := o.Pool.CopyIn([]byte("frame"))
		n, err := w.Tx([]pool.Buffer{b})
		if taken += n; n == 0 {
			b.Release()
		}
		return errors.Is(err, syscall.EPIPE)
	})
	if err := w.WaitTx(ctx(t)); err != nil {
		t.Error("WaitTx with an error to tell:", err)
	}
	err := w.Close()
	if !errors.Is(err, syscall.EPIPE) || !strings.Contains(err.Error(), "standard output: offset") {
		t.Error(err)
	}
	balanced(t, w, taken)
	if s := w.Stats(); s.TxDrops[stats.ReasonIOError] != s.TxDropped() || s.TxDropped() == 0 {
		t.Errorf("%+v", s)
	}
}

func TestDevFull(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		fmt.Println("SKIP TestDevFull: there is no /dev/full here:", err)
		t.Skip(err)
	}
	in := tempFile(t, "in.pcap", classic(binary.LittleEndian, micro, 65535, 1, 20_000, 60))
	o := env(t)
	r, w := openIn(t, in, o), openOut(t, "/dev/full", o)
	_, tx := move(t, r, w)
	err := w.Close()
	if !errors.Is(err, syscall.ENOSPC) || tx != nil && !errors.Is(tx, syscall.ENOSPC) {
		t.Error(tx, err)
	}
	balanced(t, w, -1)
	if s := w.Stats(); s.TxPackets != 0 || s.TxDropped() == 0 {
		t.Errorf("%+v", s)
	}
}

// What is wrong with a stream comes from Rx, after the frames before it.
func TestStreamFaults(t *testing.T) {
	good := classic(binary.LittleEndian, micro, 65535, 1, 100, 60)
	for _, c := range []struct {
		in     io.Reader
		frames int
		want   string
	}{
		{bytes.NewReader(nil), 0, "standard input: offset 0: empty file: not a capture; see whether what should have written it has failed"},
		{strings.NewReader("garbage!"), 0, "neither pcap nor pcapng"},
		{bytes.NewReader(good[:20]), 0, "20 of its 24 bytes"},
		{bytes.NewReader(good[:24+99*76+5]), 99, "offset 7548: truncated frame header: 5 of its 16 bytes"},
		{io.MultiReader(bytes.NewReader(good[:24+5*76]), readerFunc(func([]byte) (int, error) { return 0, syscall.EIO })), 5, "offset 404: input/output error; check the disk"},
		{bytes.NewReader(zipped(good)[:200]), -1, "gzip stream is cut short"},
	} {
		o := env(t)
		o.Stdin = c.in
		p := openIn(t, "-", o)
		frames, err := collect(t, p)
		if err == nil || !strings.Contains(err.Error(), c.want) || c.frames >= 0 && len(frames) != c.frames {
			t.Errorf("%d frames, %v; want %d, %s", len(frames), err, c.frames, c.want)
		}
		p.Close()
	}
}

// Close ends a wait for a stream, whatever that is, and what it has is the caller's to use on.
func TestCloseIdleStream(t *testing.T) {
	started := make(chan struct{}, 10)
	for _, kind := range []string{"pipe", "io.Pipe", "full batches"} {
		o := env(t)
		var inW io.WriteCloser
		switch kind {
		case "pipe":
			r, w := pipe(t)
			o.Stdin, inW = r, w
		case "io.Pipe":
			r, w := io.Pipe()
			o.Stdin, inW = r, w
		default:
			b := classic(binary.LittleEndian, micro, 65535, 1, 50_000, 60)
			o.Stdin = bytes.NewReader(b)
		}
		p := openIn(t, "-", o)
		var wg sync.WaitGroup
		if inW != nil {
			wg.Go(func() {
				started <- struct{}{}
				if err := p.WaitRx(ctx(t)); err != port.ErrClosed {
					t.Error(kind, err)
				}
			})
			<-started
			time.Sleep(2 * time.Millisecond)
		} else {
			eventually(t, "batches", func() bool { return len(p.(*reader).src.(*pump).full) == batches })
		}
		began := time.Now()
		p.Close()
		wg.Wait()
		if d := time.Since(began); d > stopTime/2 {
			t.Error(kind, "took", d)
		}
		<-p.(*reader).src.(*pump).done
		if kind == "pipe" {
			go inW.Write([]byte("x"))
			if n, err := o.Stdin.Read(make([]byte, 1)); n != 1 || err != nil {
				t.Error("the pipe is of no use any more:", n, err)
			}
		}
	}
}

// Close in the middle of everything, and counters that balance all the same.
func TestCloseAnytime(t *testing.T) {
	b := classic(binary.LittleEndian, micro, 65535, 1, 200_000, 60)
	path := tempFile(t, "in.pcap", b)
	for i := range 40 {
		o := env(t)
		inName, outName := path+",loop=0", "-"
		inR, inW := pipe(t)
		outR, outW := pipe(t)
		var helpers, closers sync.WaitGroup
		if i%2 == 0 {
			inName = "-"
			o.Stdin = inR
			helpers.Go(func() { inW.Write(b) })
		}
		if i%4 < 2 {
			outName = t.TempDir() + "/out.pcap"
		} else {
			o.Stdout = outW
			helpers.Go(func() { io.Copy(io.Discard, outR) })
		}
		r, w := openIn(t, inName, o), openOut(t, outName, o)
		taken := 0
		done := make(chan struct{})
		go func() {
			defer close(done)
			c := ctx(t)
			bufs := make([]pool.Buffer, 64)
			for {
				n, err := r.Rx(bufs)
				k := 0
				for err == nil && k < n {
					var m int
					m, err = w.Tx(bufs[k:n])
					k += m
					if err == nil && m == 0 {
						err = w.WaitTx(c)
					}
				}
				taken += k
				o.Pool.PutBurst(bufs[k:n])
				if err == nil && n == 0 {
					err = r.WaitRx(c)
				}
				if err != nil {
					return
				}
			}
		}()
		time.Sleep(time.Duration(i) * 100 * time.Microsecond)
		for range 3 {
			closers.Go(func() { r.Close() })
			closers.Go(func() {
				if err := w.Close(); err != nil {
					t.Error(err)
				}
				w.Info()
				r.Info()
			})
		}
		<-done
		closers.Wait()
		inR.Close()
		inW.Close()
		outW.Close()
		helpers.Wait()
		balanced(t, w, taken)
	}
}
