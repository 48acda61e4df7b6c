// What the tests share: pools, captures made by hand, copies from port to port.

package pcap

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ringway-net/ringway/internal/capfile"
	"github.com/ringway-net/ringway/internal/pooltest"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// env is what ports of one program share.
func env(t testing.TB) port.Options {
	return port.Options{Pool: pooltest.New(t, pool.Config{}), Interfaces: new(port.Interfaces)}
}

func mustOpen(t testing.TB, name string, o port.Options, d port.Direction) port.Port {
	t.Helper()
	o.Direction = d
	p, err := port.Open(name, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func openIn(t testing.TB, name string, o port.Options) port.Port {
	t.Helper()
	return mustOpen(t, name, o, port.In)
}

func openOut(t testing.TB, name string, o port.Options) port.Port {
	t.Helper()
	return mustOpen(t, name, o, port.Out)
}

// ctx is one that ends a test that hangs.
func ctx(t testing.TB) context.Context {
	c, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return c
}

// move moves frames from in to out until in ends, and returns that error and out's.
func move(t testing.TB, in, out port.Port) (rx, tx error) {
	t.Helper()
	c := ctx(t)
	bufs := make([]pool.Buffer, 64)
	for {
		n, err := in.Rx(bufs)
		for rest := bufs[:n]; len(rest) > 0; {
			k, err := out.Tx(rest)
			rest = rest[k:]
			if err == nil && len(rest) > 0 && k == 0 {
				err = out.WaitTx(c)
			}
			if err != nil {
				for _, b := range rest {
					b.Release()
				}
				return nil, err
			}
		}
		if err != nil {
			return err, nil
		}
		if n == 0 {
			if err := in.WaitRx(c); err != nil {
				t.Fatal("WaitRx:", err)
			}
		}
	}
}

// got is one received frame.
type got struct {
	data string
	meta pool.Meta
}

// collect receives until the port says why there is no more.
func collect(t testing.TB, p port.Port) (frames []got, end error) {
	t.Helper()
	c := ctx(t)
	bufs := make([]pool.Buffer, 17)
	for {
		n, err := p.Rx(bufs)
		for _, b := range bufs[:n] {
			m, ok := b.Meta()
			if !ok {
				t.Fatal("a frame without Meta")
			}
			frames = append(frames, got{string(b.Bytes()), m})
			b.Release()
		}
		if err != nil {
			return frames, err
		}
		if n == 0 {
			if err := p.WaitRx(c); err != nil {
				t.Fatal("WaitRx:", err)
			}
		}
	}
}

// copyFile copies a capture with ports and returns the output's bytes and both Infos.
func copyFile(t testing.TB, in, out string) (data []byte, from, to port.Info) {
	t.Helper()
	o := env(t)
	r, w := openIn(t, in, o), openOut(t, out, o)
	if rx, tx := move(t, r, w); rx != io.EOF || tx != nil {
		t.Fatalf("copy ended with %v and %v", rx, tx)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r.Close()
	balanced(t, w, -1)
	s, err := port.Parse(out)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, s.Target), r.Info(), w.Info()
}

// balanced checks that all that was taken is accounted for: taken frames, if it is not negative.
func balanced(t testing.TB, p port.Port, taken int) {
	t.Helper()
	s, w := p.Stats(), p.(*writer)
	if q := w.Queued(); q != 0 {
		t.Errorf("%d frames are queued after Close", q)
	}
	if taken >= 0 && int(s.TxPackets+s.TxDropped()) != taken {
		t.Errorf("%d frames taken, %d sent, %d dropped", taken, s.TxPackets, s.TxDropped())
	}
	if s.TxPackets != w.enc.codec.Frames() {
		t.Errorf("%d frames sent, the codec says %d", s.TxPackets, w.enc.codec.Frames())
	}
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// tempFile writes a file of that name in the test's directory and returns its path.
func tempFile(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func zipped(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	z.Write(b)
	z.Close()
	return out.Bytes()
}

const epoch = 1_700_000_000 // a time in seconds

// classic makes a classic capture of n frames in a byte order, with a magic number; sizes go round.
func classic(o binary.AppendByteOrder, magic, snap, link uint32, n int, sizes ...int) []byte {
	var b []byte
	b = o.AppendUint32(b, magic)
	b = o.AppendUint16(b, 2)
	b = o.AppendUint16(b, 4)
	for _, v := range []uint32{0, 0, snap, link} {
		b = o.AppendUint32(b, v)
	}
	for i := range n {
		size := sizes[i%len(sizes)]
		for _, v := range []uint32{epoch + uint32(i)/1000, uint32(i) % 1000 * 997, uint32(size), uint32(size + i%3)} {
			b = o.AppendUint32(b, v)
		}
		b = append(b, frameBytes(i, size)...)
	}
	return b
}

const (
	micro = 0xa1b2c3d4
	nano  = 0xa1b23c4d
)

// frameBytes is the bytes of frame i.
func frameBytes(i, size int) []byte {
	b := make([]byte, size)
	for k := range b {
		b[k] = byte(i*7 + k)
	}
	if size >= 4 {
		binary.LittleEndian.PutUint32(b, uint32(i))
	}
	return b
}

// ngFile makes a pcapng capture with the codec.
func ngFile(t testing.TB, ifs []capfile.Interface, frames func(w *capfile.Writer)) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := capfile.NewWriter(&out, capfile.FormatPcapNG)
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range ifs {
		if _, err := w.AddInterface(it); err != nil {
			t.Fatal(err)
		}
	}
	if frames != nil {
		frames(w)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// decoded is a capture as the codec reads it.
type decoded struct {
	format capfile.Format
	ifs    []capfile.Interface
	recs   []capfile.Record
	data   []string
}

func decode(t testing.TB, b []byte) (d decoded) {
	t.Helper()
	r, err := capfile.NewReader(bytes.NewReader(b), "decoded")
	if err != nil {
		t.Fatal(err)
	}
	for {
		var rec capfile.Record
		if err = r.Next(&rec); err != nil {
			break
		}
		d.data = append(d.data, string(rec.Data))
		rec.Data, rec.Offset = nil, 0
		d.recs = append(d.recs, rec)
	}
	if err != io.EOF {
		t.Fatal(err)
	}
	d.format, d.ifs = r.Parser().Format(), r.Interfaces()
	return d
}

func sameFrames(t testing.TB, a, b decoded) {
	t.Helper()
	if len(a.recs) != len(b.recs) {
		t.Fatalf("%d and %d frames", len(a.recs), len(b.recs))
	}
	for i := range a.recs {
		x, y := a.recs[i], b.recs[i]
		x.Data, y.Data = nil, nil
		if fmt.Sprint(x) != fmt.Sprint(y) || a.data[i] != b.data[i] {
			t.Fatalf("frame %d: %+v and %+v", i, x, y)
		}
	}
}

// eventually waits for something that another goroutine does.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not in ten seconds: " + what)
		}
	}
}

func formatError(t testing.TB, err error) *capfile.FormatError {
	t.Helper()
	var bad *capfile.FormatError
	if !errors.As(err, &bad) {
		t.Fatalf("%v is no FormatError", err)
	}
	return bad
}

// onlyInterface is an Ethernet interface as a classic file's is.
var onlyInterface = port.Interface{Source: "bench", LinkType: 1, SnapLen: 65535, Resolution: 6}
