// Writing regular files.

package pcap

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/capfile"
	"github.com/ringway-net/ringway/internal/pooltest"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/stats"
)

// A classic little-endian capture comes out as it went in, byte for byte.
func TestCopyIdentical(t *testing.T) {
	for name, b := range map[string][]byte{
		"micro":     classic(binary.LittleEndian, micro, 65535, 1, 20_000, 60, 64, 1514, 0, 9000),
		"nano":      classic(binary.LittleEndian, nano, 262144, 1, 3000, 60, 1),
		"raw IP":    classic(binary.LittleEndian, micro, 96, 101, 3000, 40),
		"with FCS":  classic(binary.LittleEndian, micro, 0, 1|1<<26|2<<28, 3000, 64),
		"longest":   classic(binary.LittleEndian, micro, 262144, 1, 9, 262144),
		"no frames": classic(binary.LittleEndian, nano, 77, 113, 0),
	} {
		t.Run(name, func(t *testing.T) {
			in, out := tempFile(t, "in.pcap", b), filepath.Join(t.TempDir(), "out.pcap")
			if got, _, to := copyFile(t, in, out); !bytes.Equal(got, b) || len(to.Notes) != 0 {
				t.Errorf("%d bytes became %d; %q", len(b), len(got), to.Notes)
			}
			// From gzip, and from the other byte order, all the same.
			if got, _, _ := copyFile(t, tempFile(t, "in.gz", zipped(b)), out); !bytes.Equal(got, b) {
				t.Error("from gzip: differs")
			}
			// By way of pcapng and back.
			ng := filepath.Join(t.TempDir(), "out.pcapng")
			copyFile(t, in, ng)
			if got, _, _ := copyFile(t, ng, out); !bytes.Equal(got, b) {
				t.Error("by way of pcapng: differs")
			}
		})
	}
	be := classic(binary.BigEndian, nano, 65535, 1, 100, 60)
	le := classic(binary.LittleEndian, nano, 65535, 1, 100, 60)
	if got, _, _ := copyFile(t, tempFile(t, "in.pcap", be), filepath.Join(t.TempDir(), "out")); !bytes.Equal(got, le) {
		t.Error("big-endian to little-endian: differs")
	}
}

// A copy from pcapng to pcapng keeps all that is known about interfaces, those without frames too.
func TestCopyPcapng(t *testing.T) {
	ifs := []capfile.Interface{
		{Name: "eth0", Description: "left", LinkType: 1, SnapLen: 65535, Resolution: 6},
		{Name: "none", LinkType: 1, Resolution: 3},
		{Name: "wlan0", LinkType: 127, Resolution: 9, TSOffset: 3600},
		{Name: "fcs", LinkType: 1 | 1<<26 | 2<<28, Resolution: 9},
	}
	b := ngFile(t, ifs, func(w *capfile.Writer) {
		for i := range 1000 {
			w.WriteFrame(epoch*1e9+int64(i)*1000, []int{2, 0, 3}[i%3], frameBytes(i, 60+i), uint32(60+i+i%2))
		}
		w.AddInterface(capfile.Interface{Name: "late", LinkType: 113, Resolution: 6})
		w.WriteFrame(epoch*1e9, 4, []byte("x"), 1)
		w.AddInterface(capfile.Interface{Name: "last", LinkType: 1, Resolution: 6})
	})
	out := filepath.Join(t.TempDir(), "out.pcapng")
	copied, _, _ := copyFile(t, tempFile(t, "in.pcapng", b), out)
	a, c := decode(t, b), decode(t, copied)
	sameFrames(t, a, c)
	if fmt.Sprint(a.ifs) != fmt.Sprint(c.ifs) || c.format != capfile.FormatPcapNG {
		t.Errorf("interfaces\n%+v\nbecame\n%+v", a.ifs, c.ifs)
	}
	// Without frames, too.
	b = ngFile(t, ifs, nil)
	copied, _, _ = copyFile(t, tempFile(t, "in.pcapng", b), out)
	if a, c := decode(t, b), decode(t, copied); fmt.Sprint(a.ifs) != fmt.Sprint(c.ifs) || len(c.recs) != 0 {
		t.Errorf("without frames: %+v became %+v", a.ifs, c.ifs)
	}
}

// Two sources in one file keep apart.
func TestTwoSources(t *testing.T) {
	o := env(t)
	out := filepath.Join(t.TempDir(), "out.pcapng")
	w := openOut(t, out, o)
	for _, name := range []string{"a", "b"} {
		b := ngFile(t, []capfile.Interface{{Name: name + "0", LinkType: 1}, {Name: name + "1", LinkType: 1}}, func(w *capfile.Writer) {
			w.WriteFrame(1, 1, []byte(name), 1)
		})
		r := openIn(t, tempFile(t, name+".pcapng", b), o)
		if rx, tx := move(t, r, w); rx != io.EOF || tx != nil {
			t.Fatal(rx, tx)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	d := decode(t, read(t, out))
	if len(d.ifs) != 4 || d.ifs[d.recs[0].Interface].Name != "a1" || d.ifs[d.recs[1].Interface].Name != "b1" {
		t.Errorf("%+v", d)
	}
}

func TestLinkTypes(t *testing.T) {
	ifs := []capfile.Interface{{Name: "eth0", LinkType: 1, Resolution: 6}, {Name: "wlan0", LinkType: 105, Resolution: 6}}
	frames := func(last int) []byte {
		return ngFile(t, ifs, func(w *capfile.Writer) {
			for i := range 10 {
				w.WriteFrame(int64(i)*1000, i/5*last, frameBytes(i, 60), 60)
			}
		})
	}
	// The other link type has no frames: a classic file will do, and says what it leaves out.
	in, out := tempFile(t, "in.pcapng", frames(0)), filepath.Join(t.TempDir(), "out.pcap")
	copied, _, to := copyFile(t, in, out)
	if d := decode(t, copied); len(d.recs) != 10 || d.ifs[0].LinkType != 1 || to.LinkType != 1 {
		t.Errorf("%+v", d)
	}
	if len(to.Notes) != 1 || !strings.Contains(to.Notes[0], "format=pcapng keeps them") {
		t.Errorf("%q", to.Notes)
	}
	for _, stdout := range []bool{false, true} {
		o := env(t)
		var piped bytes.Buffer
		o.Stdout = &piped
		name := out
		want := "out.pcap: frames of link type 105 (802.11) after 1 (Ethernet) need pcapng: name the output " + strings.TrimSuffix(out, ".pcap") + ".pcapng, or add format=pcapng"
		if stdout {
			name, want = "-", "standard output: frames of link type 105 (802.11) after 1 (Ethernet) need pcapng: add format=pcapng"
		}
		r, w := openIn(t, tempFile(t, "mixed.pcapng", frames(1)), o), openOut(t, name, o)
		_, tx := move(t, r, w)
		err := w.Close()
		if err == nil || !strings.HasSuffix(err.Error(), want) || !stdout && tx != err {
			t.Errorf("%v, %v, want %s", tx, err, want)
		}
		got := piped.Bytes()
		if !stdout {
			got = read(t, out)
		}
		if d := decode(t, got); len(d.recs) != 5 {
			t.Errorf("%d frames written, want the 5 before", len(d.recs))
		}
		s := w.Stats()
		if s.TxPackets != 5 || s.TxDrops[stats.ReasonLinkType] == 0 || s.TxErrors != 1 {
			t.Errorf("%+v", s)
		}
		balanced(t, w, -1)
	}
	if copied, _, _ := copyFile(t, tempFile(t, "mixed.pcapng", frames(1)), out+",format=pcapng"); len(decode(t, copied).recs) != 10 {
		t.Error("format=pcapng")
	}
}

func TestFormatByName(t *testing.T) {
	for name, want := range map[string]capfile.Format{
		"out.pcapng": capfile.FormatPcapNG, "OUT.PCAPNG": capfile.FormatPcapNG, "out.ntar": capfile.FormatPcapNG,
		"out.pcap": capfile.FormatPcap, "out.cap": capfile.FormatPcap, "out": capfile.FormatPcap,
		"x.pcap,format=pcapng": capfile.FormatPcapNG, "x.pcapng,format=pcap": capfile.FormatPcap,
	} {
		path := filepath.Join(t.TempDir(), name)
		w := openOut(t, path, env(t))
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		s, _ := port.Parse(path)
		d := decode(t, read(t, s.Target))
		if d.format != want || want == capfile.FormatPcap && d.ifs[0].LinkType != 1 {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

func TestResolutionAndSnaplen(t *testing.T) {
	in := tempFile(t, "in.pcap", classic(binary.LittleEndian, nano, 65535, 1, 1000, 60, 1514))
	out := filepath.Join(t.TempDir(), "out.pcap")
	copied, _, to := copyFile(t, in, out+",tsresol=us,snaplen=96")
	d := decode(t, copied)
	if d.ifs[0].Resolution != capfile.Micro || d.ifs[0].SnapLen != 96 || len(d.data[1]) != 96 || d.recs[1].OrigLen != 1515 || len(d.data[0]) != 60 {
		t.Errorf("%+v %+v", d.ifs, d.recs[:2])
	}
	if n := strings.Join(to.Notes, "\n"); !strings.Contains(n, "tsresol=ns keeps it") || !strings.Contains(n, "500 frames were cut to 96 bytes") {
		t.Error(n)
	}
	copied, _, _ = copyFile(t, in, out+",format=pcapng,tsresol=us")
	if d := decode(t, copied); d.ifs[0].Resolution != capfile.Micro || d.recs[1].TimeNS%1000 != 0 {
		t.Errorf("%+v", d.ifs)
	}
	micros := tempFile(t, "us.pcap", classic(binary.LittleEndian, micro, 65535, 1, 1000, 60))
	copied, _, to = copyFile(t, micros, out+",tsresol=ns")
	if !bytes.Equal(copied[:4], []byte{0x4d, 0x3c, 0xb2, 0xa1}) || len(to.Notes) != 0 {
		t.Errorf("% x %q", copied[:4], to.Notes)
	}
}

// Frames that know nothing get Ethernet and the time of Tx; too long ones are dropped.
func TestBareFrames(t *testing.T) {
	o := port.Options{Pool: pooltest.New(t, pool.Config{Count: 16, BufferSize: 300_000}), Interfaces: new(port.Interfaces)}
	for _, format := range []string{"pcap", "pcapng"} {
		out := filepath.Join(t.TempDir(), "out."+format)
		w := openOut(t, out, o)
		before := time.Now().UnixNano()
		var bufs []pool.Buffer
		for i, size := range []int{60, 262145, 262144, 0} {
			b, err := o.Pool.Get()
			if err != nil {
				t.Fatal(err)
			}
			b.Append(size)
			if i == 3 {
				b.SetMeta(pool.Meta{Time: 5, Interface: 999, OrigLen: 7})
			}
			bufs = append(bufs, b)
		}
		if n, err := w.Tx(bufs); n != 4 || err != nil {
			t.Fatal(n, err)
		}
		if q := w.(*writer).Queued(); q != 3 {
			t.Errorf("%d queued", q)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		balanced(t, w, 4)
		s := w.Stats()
		if s.TxDrops[stats.ReasonTooLong] != 1 || s.TxPackets != 3 || s.TxBytes != 60+262144 {
			t.Errorf("%+v", s)
		}
		d := decode(t, read(t, out))
		if len(d.recs) != 3 || len(d.ifs) != 1 || d.ifs[0].LinkType != 1 || d.recs[0].TimeNS < before || d.recs[0].TimeNS > time.Now().UnixNano() ||
			d.recs[2].TimeNS != 5 || d.recs[2].OrigLen != 7 {
			t.Errorf("%+v", d)
		}
	}
}

// A file grows while the source is slow, though no more frames come.
func TestFlush(t *testing.T) {
	for key, max := range map[string]time.Duration{"": 5 * time.Second, ",flush=1ms": 5 * time.Second, ",flush=0s": 0} {
		o := env(t)
		out := filepath.Join(t.TempDir(), "out.pcap")
		w := openOut(t, out+key, o)
		for i := range 3 {
			b, _ := o.Pool.CopyIn(frameBytes(i, 60))
			if n, err := w.Tx([]pool.Buffer{b}); n != 1 || err != nil {
				t.Fatal(n, err)
			}
			ok := func() bool { return w.Stats().TxPackets == uint64(i+1) && len(read(t, out)) == 24+76*(i+1) }
			if max > 0 {
				eventually(t, "flush", ok)
			} else if !ok() {
				t.Error("not flushed at once")
			}
		}
	}
	// And not before, if that is asked for, but for Drain.
	o := env(t)
	w := openOut(t, filepath.Join(t.TempDir(), "out.pcap,flush=1h"), o)
	b, _ := o.Pool.CopyIn(frameBytes(1, 60))
	w.Tx([]pool.Buffer{b})
	if s := w.Stats(); s.TxPackets != 0 || w.(*writer).Queued() != 1 {
		t.Errorf("%+v", s)
	}
	if err := w.(*writer).Drain(ctx(t)); err != nil || w.Stats().TxPackets != 1 || w.(*writer).Queued() != 0 {
		t.Error(err, w.Stats())
	}
}

// full is a regular file on a disk with room for left bytes.
type full struct {
	*os.File
	left    int
	err     error
	noTrunc bool
}

func (f *full) Write(b []byte) (int, error) {
	if len(b) <= f.left {
		f.left -= len(b)
		return f.File.Write(b)
	}
	n, _ := f.File.Write(b[:f.left])
	f.left = 0
	return n, &os.PathError{Op: "write", Path: f.Name(), Err: f.err}
}

func (f *full) Truncate(n int64) error {
	if f.noTrunc {
		return syscall.EIO
	}
	return f.File.Truncate(n)
}

// A disk that fills up at any byte leaves whole frames, and the account is right.
func TestDiskFull(t *testing.T) {
	const total = 9000
	whole := classic(binary.LittleEndian, micro, 65535, 1, total, 60, 100)
	for _, c := range []struct {
		room    int
		err     error
		noTrunc bool
	}{
		{0, syscall.ENOSPC, false}, {10, syscall.ENOSPC, false}, {24, syscall.ENOSPC, false}, {24 + 75, syscall.EIO, false}, {24 + 76, syscall.ENOSPC, false},
		{24 + 77, syscall.EFBIG, false}, {512 << 10, syscall.ENOSPC, false}, {len(whole) - 1, syscall.ENOSPC, false}, {24 + 100, syscall.EDQUOT, true},
		{700_001, syscall.ENOSPC, false},
	} {
		o := env(t)
		path := filepath.Join(t.TempDir(), "out.pcap")
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		fs := &full{File: f, left: c.room, err: c.err, noTrunc: c.noTrunc}
		s, _ := port.Parse(path)
		o.Direction = port.Out
		opts := o
		w, err := newFileWriter(s, opts, layout{format: capfile.FormatPcap, flush: time.Hour}, path, fs, nil, true)
		if err != nil {
			t.Fatal(err)
		}
		in := openIn(t, tempFile(t, "in.pcap", whole), o)
		bufs := make([]pool.Buffer, 100)
		taken, txErr := 0, error(nil)
		for txErr == nil {
			n, err := in.Rx(bufs)
			if err != nil {
				break
			}
			var k int
			k, txErr = w.Tx(bufs[:n])
			taken += k
			for _, b := range bufs[k:n] {
				b.Release()
			}
			st := w.Stats()
			if q := w.(*writer).Queued(); int(st.TxPackets+st.TxDropped())+q != taken {
				t.Fatalf("room %d: taken %d, sent %d, dropped %d, queued %d", c.room, taken, st.TxPackets, st.TxDropped(), q)
			}
		}
		closeErr := w.Close()
		var we *WriteError
		if !errors.As(closeErr, &we) || !errors.Is(closeErr, c.err) || txErr != nil && txErr != closeErr || strings.Contains(closeErr.Error(), "\n") {
			t.Fatalf("room %d: %v, %v", c.room, txErr, closeErr)
		}
		balanced(t, w, taken)
		frames, bytesSent, end := 0, 0, 24
		for i := 0; ; i++ {
			size := []int{60, 100}[i%2]
			if end+16+size > c.room {
				break
			}
			frames, bytesSent, end = frames+1, bytesSent+size, end+16+size
		}
		if c.room < 24 {
			end = 0
		}
		if c.noTrunc {
			end = c.room
			if we.CutErr == nil || !strings.Contains(closeErr.Error(), "could not be cut") {
				t.Error(closeErr)
			}
		}
		if got := read(t, path); !bytes.Equal(got, whole[:end]) {
			t.Errorf("room %d: %d bytes left, want %d", c.room, len(got), end)
		}
		st := w.Stats()
		if int(we.Frames) != frames || we.Offset != int64(c.room) || int(st.TxPackets) != frames || int(st.TxBytes) != bytesSent ||
			st.TxErrors != 1 || int(st.TxDrops[stats.ReasonIOError]) != taken-frames {
			t.Errorf("room %d: %+v, want %d frames; %+v", c.room, we, frames, st)
		}
		if c.room == 24+76 {
			want := path + ": offset 100: no space left on device; it holds the first frame, whole; make room there, or write to another disk"
			if closeErr.Error() != want {
				t.Error(closeErr)
			}
		}
	}
}

// The timer's flush can fail too: the next Tx says so.
func TestFlushFails(t *testing.T) {
	o := env(t)
	f, err := os.Create(filepath.Join(t.TempDir(), "out.pcap"))
	if err != nil {
		t.Fatal(err)
	}
	s, _ := port.Parse(f.Name())
	w, err := newFileWriter(s, o, layout{format: capfile.FormatPcap, flush: time.Millisecond}, f.Name(), &full{File: f, err: syscall.ENOSPC}, nil, true)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := o.Pool.CopyIn([]byte("frame"))
	w.Tx([]pool.Buffer{b})
	eventually(t, "drop", func() bool { return w.Stats().TxDropped() == 1 })
	if n, err := w.Tx(nil); n != 0 || !errors.Is(err, syscall.ENOSPC) {
		t.Error(n, err)
	}
	if err := w.(*writer).Drain(ctx(t)); !errors.Is(err, syscall.ENOSPC) {
		t.Error(err)
	}
	if err := w.Close(); !errors.Is(err, syscall.ENOSPC) {
		t.Error(err)
	}
	balanced(t, w, 1)
}

func TestTooManyInterfaces(t *testing.T) {
	o := env(t)
	for range capfile.MaxInterfaces + 5 {
		o.Interfaces.Add(port.Interface{Source: "x", LinkType: 1, Resolution: 6})
	}
	for last, ok := range map[uint32]bool{capfile.MaxInterfaces: true, capfile.MaxInterfaces + 1: false} {
		out := filepath.Join(t.TempDir(), "out.pcapng")
		w := openOut(t, out, o)
		b, _ := o.Pool.CopyIn([]byte("frame"))
		b.SetMeta(pool.Meta{Interface: last})
		n, err := w.Tx([]pool.Buffer{b})
		if n != 1 || (err == nil) != ok {
			t.Error(last, n, err)
		}
		if err := w.Close(); (err == nil) != ok {
			t.Error(err)
		}
		balanced(t, w, 1)
		if d := decode(t, read(t, out)); len(d.ifs) != capfile.MaxInterfaces || (len(d.recs) == 1) != ok {
			t.Errorf("%d interfaces, %d frames", len(d.ifs), len(d.recs))
		}
	}
}

// What is being read is not overwritten, by whichever name, and is as it was.
func TestSameFile(t *testing.T) {
	b := classic(binary.LittleEndian, micro, 65535, 1, 100, 60)
	in := tempFile(t, "in.pcap", b)
	link := filepath.Join(t.TempDir(), "link.pcap")
	if err := os.Link(in, link); err != nil {
		t.Fatal(err)
	}
	o := env(t)
	r := openIn(t, in+",name=source", o)
	o.Direction = port.Out
	for _, name := range []string{in, link} {
		if _, err := port.Open(name, o); err == nil || !strings.Contains(err.Error(), `is the same file that port "source" reads`) {
			t.Error(err)
		}
	}
	f, err := os.OpenFile(in, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	o.Stdout = f
	if _, err := port.Open("-", o); err == nil || !strings.Contains(err.Error(), "standard output: is the same file") {
		t.Error(err)
	}
	if !bytes.Equal(read(t, in), b) {
		t.Error("the file was touched")
	}
	r.Close()
	w := openOut(t, link+",name=w", o)
	if _, err := port.Open(in, o); err == nil || !strings.Contains(err.Error(), `port "w" writes`) {
		t.Error(err)
	}
	w.Close()
}

func TestOpenCreate(t *testing.T) {
	b := classic(binary.LittleEndian, micro, 65535, 1, 100, 60)
	dir := t.TempDir()
	in, out := filepath.Join(dir, "gen:a,b=c.pcap"), filepath.Join(dir, "tap:x,y=z.pcap")
	if err := os.WriteFile(in, b, 0o644); err != nil {
		t.Skip("the file system doesn't take such names:", err)
	}
	o := env(t)
	r, err := Open(in, o)
	if err != nil {
		t.Fatal(err)
	}
	w, err := Create(out, o)
	if err != nil {
		t.Fatal(err)
	}
	if rx, tx := move(t, r, w); rx != io.EOF || tx != nil {
		t.Fatal(rx, tx)
	}
	r.Close()
	if err := w.Close(); err != nil || !bytes.Equal(read(t, out), b) {
		t.Error(err)
	}
	if _, err := Open(filepath.Join(dir, "none"), o); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// Standard streams that are regular files: read from where they are, and written on the spot.
func TestRedirected(t *testing.T) {
	b := classic(binary.LittleEndian, micro, 65535, 1, 1000, 60)
	f, err := os.Open(tempFile(t, "in", append([]byte("before"), b...)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.Seek(6, io.SeekStart)
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	o := env(t)
	o.Stdin, o.Stdout = f, out
	r, w := openIn(t, "-", o), openOut(t, "-", o)
	if info := r.Info(); info.Total != int64(len(b)) || info.Name != "-" {
		t.Errorf("%+v", info)
	}
	if rx, tx := move(t, r, w); rx != io.EOF || tx != nil {
		t.Fatal(rx, tx)
	}
	if err := w.Close(); err != nil || !bytes.Equal(read(t, out.Name()), b) {
		t.Error(err)
	}
	if _, err := out.Write(nil); err != nil {
		t.Error("standard output was closed:", err)
	}
}

// What a file could not hold is told, each with what helps.
func TestWriterNotes(t *testing.T) {
	o := env(t)
	w := openOut(t, filepath.Join(t.TempDir(), "out.pcap,tsresol=us"), o)
	n, _ := o.Interfaces.Add(port.Interface{Source: "x", Name: "eth0", LinkType: 1, Resolution: 9})
	var bufs []pool.Buffer
	for _, at := range []int64{1, -1, 1 << 62} {
		b, _ := o.Pool.CopyIn(make([]byte, 60))
		b.SetMeta(pool.Meta{Time: at, Interface: n})
		bufs = append(bufs, b)
	}
	if n, err := w.Tx(bufs); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	notes := strings.Join(w.Info().Notes, "\n")
	for _, want := range []string{"2 frames had a time finer than the file's unit", "2 frames had a time that the file can't hold", "pcap to 2106", "format=pcapng keeps them"} {
		if !strings.Contains(notes, want) {
			t.Errorf("no %q in\n%s", want, notes)
		}
	}
}

func TestNames(t *testing.T) {
	if got := linkName(1 | 1<<26 | 2<<28); got != "1 (Ethernet) with 4 bytes of FCS" {
		t.Error(got)
	}
	err := &WriteError{File: "a\nb", Offset: 7, Frames: 1, Err: syscall.EPIPE}
	if got := err.Error(); got != `"a\nb": offset 7: broken pipe; 1 frame went out whole before; its reader has gone: see why it ended` {
		t.Error(got)
	}
}
