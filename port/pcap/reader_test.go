// Reading regular files.

package pcap

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/capfile"
	"github.com/ringway-net/ringway/internal/pooltest"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
)

func TestReadClassic(t *testing.T) {
	for _, c := range []struct {
		name  string
		order binary.AppendByteOrder
		magic uint32
		unit  int64
		mode  string
	}{
		{"micro LE", binary.LittleEndian, micro, 1000, "reads a file: pcap, little-endian"},
		{"micro BE", binary.BigEndian, micro, 1000, "reads a file: pcap, big-endian"},
		{"nano LE", binary.LittleEndian, nano, 1, "reads a file: pcap, little-endian"},
		{"nano BE", binary.BigEndian, nano, 1, "reads a file: pcap, big-endian"},
	} {
		for _, gz := range []bool{false, true} {
			t.Run(fmt.Sprint(c.name, " gzip ", gz), func(t *testing.T) {
				b := classic(c.order, c.magic, 65535, 1, 2500, 60, 0, 1514)
				mode := c.mode
				if gz {
					b, mode = zipped(b), "reads a file: pcap, gzip"
				}
				o := env(t)
				path := tempFile(t, "in.pcap", b)
				p := openIn(t, path+",name=left", o)
				info := p.Info()
				if info.Kind != "pcap" || info.Name != "left" || info.LinkType != 1 || info.Live || !info.AnyLinkType ||
					info.MTU != 262144 || info.Total != int64(len(b)) || info.Mode != mode {
					t.Errorf("%+v", info)
				}
				frames, err := collect(t, p)
				if err != io.EOF || len(frames) != 2500 {
					t.Fatal(len(frames), err)
				}
				for i, f := range frames {
					size := []int{60, 0, 1514}[i%3]
					at := int64(epoch+i/1000)*1e9 + int64(i%1000*997)*c.unit
					if f.data != string(frameBytes(i, size)) || f.meta != (pool.Meta{Time: at, OrigLen: uint32(size + i%3), Interface: 1}) {
						t.Fatalf("frame %d: %d bytes, %+v", i, len(f.data), f.meta)
					}
				}
				if it := o.Interfaces.All(); len(it) != 1 || it[0].Source != "left" || it[0].SnapLen != 65535 {
					t.Errorf("%+v", it)
				}
				info = p.Info()
				if info.Done != info.Total || len(info.Notes) != 0 {
					t.Errorf("%+v", info)
				}
				if s := p.Stats(); s.RxPackets != 2500 || s.RxErrors != 0 {
					t.Errorf("%+v", s)
				}
				if n, err := p.Rx(make([]pool.Buffer, 1)); n != 0 || err != io.EOF {
					t.Error("after the end:", n, err)
				}
			})
		}
	}
}

func TestReadInterfaces(t *testing.T) {
	ifs := []capfile.Interface{
		{Name: "eth0", Description: "left", LinkType: 1, SnapLen: 65535, Resolution: 6},
		{Name: "none", LinkType: 1, Resolution: 9},
		{Name: "wlan0", LinkType: 127, Resolution: 9, TSOffset: 3600},
	}
	b := ngFile(t, ifs, func(w *capfile.Writer) {
		w.WriteFrame(epoch*1e9+123000, 0, []byte("zero"), 4)
		w.WriteFrame(epoch*1e9+7, 2, []byte("two"), 9)
		w.AddInterface(capfile.Interface{Name: "last", LinkType: 1, Resolution: 6})
	})
	o := env(t)
	o.Interfaces.Add(port.Interface{Source: "another"})
	p := openIn(t, tempFile(t, "in.pcapng", b)+",name=x", o)
	frames, err := collect(t, p)
	if err != io.EOF || len(frames) != 2 {
		t.Fatal(frames, err)
	}
	want := []got{
		{"zero", pool.Meta{Time: epoch*1e9 + 123000, OrigLen: 4, Interface: 2}},
		{"two", pool.Meta{Time: epoch*1e9 + 7, OrigLen: 9, Interface: 4}},
	}
	if !slices.Equal(frames, want) {
		t.Errorf("%+v", frames)
	}
	all := o.Interfaces.All()
	if len(all) != 5 || all[4].Name != "last" || all[3].TSOffset != 3600 || all[3].Link() != 127 || all[3].Resolution != 9 ||
		all[1].Description != "left" || all[1].SnapLen != 65535 || all[1].Source != "x" {
		t.Errorf("%+v", all)
	}
}

func TestReadNotes(t *testing.T) {
	le := binary.LittleEndian
	block := func(typ uint32, body []byte) []byte {
		n := uint32(len(body) + 12)
		b := le.AppendUint32(le.AppendUint32(nil, typ), n)
		return le.AppendUint32(append(b, body...), n)
	}
	b := ngFile(t, []capfile.Interface{{LinkType: 1}}, nil)
	// An interface in picoseconds, with a frame that has a comment and a time of 1500 ps.
	b = append(b, block(1, []byte{1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0, 12, 0, 0, 0, 0, 0, 0, 0})...)
	epb := []byte{1, 0, 0, 0, 0, 0, 0, 0, 0xdc, 5, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 'a', 'b', 'c', 'd', 1, 0, 2, 0, 'h', 'i', 0, 0, 0, 0, 0, 0}
	b = append(b, block(6, epb)...)
	b = append(b, block(3, []byte{3, 0, 0, 0, 'x', 'y', 'z', 0})...) // a Simple Packet Block
	b = append(b, block(4, []byte{0, 0, 0, 0})...)                   // name resolution
	p := openIn(t, tempFile(t, "in.pcapng", b), env(t))
	frames, err := collect(t, p)
	if err != io.EOF || len(frames) != 2 || frames[0].meta.Time != 1 || frames[1].meta.Time != 0 {
		t.Fatal(frames, err)
	}
	notes := strings.Join(p.Info().Notes, "\n")
	for _, want := range []string{"1 × EPB option comment", "1 × Name Resolution Block", "finer than 1 ns", "1 frame came without a time"} {
		if !strings.Contains(notes, want) {
			t.Errorf("no %q in\n%s", want, notes)
		}
	}
	if !strings.Contains(notes, "SHB option userappl") {
		t.Errorf("userappl: %s", notes)
	}
}

func TestReadCut(t *testing.T) {
	whole := classic(binary.LittleEndian, micro, 65535, 1, 10, 60)
	for _, cut := range []int{25, 39, 40, 41, 99, 100, 101, len(whole) - 1} {
		p := openIn(t, tempFile(t, "cut.pcap", whole[:cut]), env(t))
		frames, err := collect(t, p)
		want := (cut - 24) / 76
		if len(frames) != want {
			t.Errorf("cut at %d: %d frames, want %d", cut, len(frames), want)
		}
		if (cut-24)%76 == 0 {
			if err != io.EOF {
				t.Error(cut, err)
			}
			continue
		}
		if bad := formatError(t, err); bad.Offset != int64(24+want*76) || bad.Remedy == "" || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v", err)
		}
		if s := p.Stats(); s.RxErrors != 1 || int(s.RxPackets) != want {
			t.Errorf("%+v", s)
		}
	}
	// A gzip stream that is cut.
	z := zipped(classic(binary.LittleEndian, micro, 65535, 1, 1000, 60))
	p := openIn(t, tempFile(t, "cut.pcap.gz", z[:len(z)/2]), env(t))
	frames, err := collect(t, p)
	if len(frames) == 0 || !formatError(t, err).Decompressed {
		t.Error(len(frames), err)
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := classic(binary.LittleEndian, micro, 65535, 1, 1, 60)
	longer := slices.Clone(good)
	binary.LittleEndian.PutUint32(longer[24+8:], 262145)
	ok := file("ok.pcap", good)
	for _, c := range []struct {
		name string
		dir  port.Direction
		want []string
	}{
		{filepath.Join(dir, "missing.pcap"), port.In, []string{"missing.pcap", "check the name"}},
		{filepath.Join(dir, "no", "out.pcap"), port.Out, []string{"out.pcap", "make its directory"}},
		{dir + ",name=d", port.In, []string{"is a directory", "name a file"}},
		{dir + ",name=d", port.Out, []string{"is a directory", "name a file"}},
		{file("empty.pcap", nil), port.In, []string{"empty.pcap", "empty file", "see whether"}},
		{file("garbage.pcap", []byte("garbage, really")), port.In, []string{"garbage.pcap", "offset 0", "67 61 72 62"}},
		{file("head.pcap", good[:20]), port.In, []string{"head.pcap", "20 of its 24 bytes"}},
		{file("text.gz", zipped([]byte("hello there"))), port.In, []string{"text.gz", "neither pcap nor pcapng"}},
		{ok + ",loop=x", port.In, []string{"key loop", "whole number"}},
		{ok + ",loop=-1", port.In, []string{"key loop"}},
		{ok + ",snaplen=9", port.In, []string{"key snaplen is for writing"}},
		{ok + ",nosuch=9", port.In, []string{`no key "nosuch"`, "loop"}},
		{ok + ",loop=2", port.Out, []string{"key loop is for reading"}},
		{ok + ",format=x", port.Out, []string{"pcapng"}},
		{ok + ",tsresol=ps", port.Out, []string{"us", "ns"}},
		{ok + ",snaplen=0", port.Out, []string{"snaplen", "1 to 262144"}},
		{ok + ",flush=-1s", port.Out, []string{"flush"}},
		{ok, port.Both, []string{"read or written, not both"}},
		{"pcap:", port.In, []string{"no file name"}},
		{"-,loop=2", port.In, []string{"standard input can't be read again"}},
	} {
		o := env(t)
		o.Direction = c.dir
		p, err := port.Open(c.name, o)
		if err == nil {
			p.Close()
			t.Errorf("%s: opened", c.name)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: no %q in %q", c.name, w, err)
			}
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("more than a line: %q", err)
		}
	}
	if !bytes.Equal(read(t, ok), good) {
		t.Error("a refused output was touched")
	}
	// A frame of 262145 bytes: the ones before it come, then the error.
	p := openIn(t, file("long.pcap", append(slices.Clone(good), longer[24:]...)), env(t))
	if frames, err := collect(t, p); len(frames) != 1 || formatError(t, err).Offset != int64(len(good)) {
		t.Error(len(frames), err)
	}
	if runtime.GOOS != "windows" && os.Getuid() != 0 {
		secret := file("secret.pcap", good)
		os.Chmod(secret, 0)
		for _, d := range []port.Direction{port.In, port.Out} {
			o := env(t)
			o.Direction = d
			if _, err := port.Open(secret, o); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "by this user") {
				t.Error(err)
			}
		}
	}
}

func TestReadJumbo(t *testing.T) {
	sizes := []int{60, 2048, 2049, 65535, 262144}
	b := classic(binary.LittleEndian, micro, 262144, 1, 20, sizes...)
	o := env(t)
	p := openIn(t, tempFile(t, "in.pcap", b), o)
	frames, err := collect(t, p)
	if err != io.EOF || len(frames) != 20 {
		t.Fatal(len(frames), err)
	}
	for i, f := range frames {
		if f.data != string(frameBytes(i, sizes[i%5])) {
			t.Errorf("frame %d of %d bytes differs", i, len(f.data))
		}
	}
	if n := o.Pool.Stats().HeapFallbacks; n != 12 {
		t.Errorf("%d went to the heap, want 12", n)
	}
}

func TestReadExhausted(t *testing.T) {
	b := classic(binary.LittleEndian, micro, 65535, 1, 50, 60)
	for _, stdin := range []bool{false, true} {
		o := port.Options{Pool: pooltest.New(t, pool.Config{Count: 4, HeapBuffers: pool.None}), Stdin: bytes.NewReader(b)}
		name := "-"
		if !stdin {
			name = tempFile(t, "in.pcap", b)
		}
		p := openIn(t, name, o)
		c := ctx(t)
		bufs := make([]pool.Buffer, 64)
		total := 0
		for {
			n, err := p.Rx(bufs)
			if n > 4 {
				t.Fatal("more frames than buffers")
			}
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if n == 4 {
				// Nothing more as long as all are out.
				if k, err := p.Rx(bufs[n:]); k != 0 || err != nil {
					t.Fatal(k, err)
				}
				short, cancel := context.WithTimeout(c, time.Millisecond)
				if err := p.WaitRx(short); err != context.DeadlineExceeded {
					t.Fatal("WaitRx without buffers:", err)
				}
				cancel()
				var wg sync.WaitGroup
				wg.Go(func() {
					time.Sleep(time.Millisecond)
					bufs[0].Release()
				})
				if err := p.WaitRx(c); err != nil {
					t.Fatal(err)
				}
				wg.Wait()
				bufs[0] = bufs[n-1]
				n--
				total++
			}
			for _, b := range bufs[:n] {
				b.Release()
			}
			total += n
			if n == 0 {
				if err := p.WaitRx(c); err != nil {
					t.Fatal(err)
				}
			}
		}
		if total != 50 {
			t.Errorf("%d frames, want 50", total)
		}
		p.Close()
	}
}

// A frame that WaitRx has found a buffer for goes back when the port is closed.
func TestCloseWithReadyFrame(t *testing.T) {
	o := port.Options{Pool: pooltest.New(t, pool.Config{Count: 1, HeapBuffers: pool.None})}
	p := openIn(t, tempFile(t, "in.pcap", classic(binary.LittleEndian, micro, 65535, 1, 9, 60)), o)
	bufs := make([]pool.Buffer, 8)
	if n, err := p.Rx(bufs); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	bufs[0].Release()
	if err := p.WaitRx(ctx(t)); err != nil {
		t.Fatal(err)
	}
	p.Close()
}

func TestReadNeverFits(t *testing.T) {
	o := port.Options{Pool: pooltest.New(t, pool.Config{Count: 4, HeapBuffers: pool.None})}
	p := openIn(t, tempFile(t, "in.pcap", classic(binary.LittleEndian, micro, 65535, 1, 9, 60, 60, 9000)), o)
	frames, err := collect(t, p)
	if len(frames) != 2 || !errors.Is(err, pool.ErrTooLarge) {
		t.Error(len(frames), err)
	}
}

func TestReadPoolClosed(t *testing.T) {
	pl, err := pool.New(pool.Config{})
	if err != nil {
		t.Fatal(err)
	}
	p := openIn(t, tempFile(t, "in.pcap", classic(binary.LittleEndian, micro, 65535, 1, 9, 60)), port.Options{Pool: pl})
	pl.Close()
	if frames, err := collect(t, p); len(frames) != 0 || !errors.Is(err, pool.ErrClosed) {
		t.Error(len(frames), err)
	}
}

func TestLoop(t *testing.T) {
	b := classic(binary.LittleEndian, micro, 65535, 1, 100, 60)
	for _, gz := range []bool{false, true} {
		if gz {
			b = zipped(b)
		}
		path := tempFile(t, "in.pcap", b)
		o := env(t)
		p := openIn(t, path+",loop=3", o)
		frames, err := collect(t, p)
		if err != io.EOF || len(frames) != 300 || frames[299] != frames[99] || len(o.Interfaces.All()) != 1 {
			t.Error(len(frames), err)
		}
		if info := p.Info(); info.Done != int64(3*len(b)) || info.Total != info.Done || !strings.Contains(info.Mode, "pass 3 of 3") {
			t.Errorf("%+v", info)
		}
		p = openIn(t, path+",loop=0", env(t))
		bufs := make([]pool.Buffer, 64)
		for total := 0; total < 100_000; {
			n, err := p.Rx(bufs)
			if err != nil || n == 0 {
				t.Fatal(n, err)
			}
			for _, b := range bufs[:n] {
				b.Release()
			}
			total += n
		}
		if p.Info().Total != 0 {
			t.Error("a loop for ever has a total")
		}
	}
	// For ever nothing ends at once.
	p := openIn(t, tempFile(t, "none.pcap", classic(binary.LittleEndian, micro, 65535, 1, 0))+",loop=0", env(t))
	if frames, err := collect(t, p); len(frames) != 0 || err != io.EOF {
		t.Error(frames, err)
	}
}

func TestInterfaceTableFull(t *testing.T) {
	o := env(t)
	for range port.MaxInterfaces {
		o.Interfaces.Add(port.Interface{})
	}
	p := openIn(t, tempFile(t, "in.pcap", classic(binary.LittleEndian, micro, 65535, 1, 9, 60)), o)
	if frames, err := collect(t, p); len(frames) != 0 || !errors.Is(err, port.ErrTooManyInterfaces) {
		t.Error(len(frames), err)
	}
}

func TestDirections(t *testing.T) {
	o := env(t)
	r := openIn(t, tempFile(t, "in.pcap", classic(binary.LittleEndian, micro, 65535, 1, 9, 60)), o)
	w := openOut(t, filepath.Join(t.TempDir(), "out.pcap"), o)
	bufs := make([]pool.Buffer, 1)
	_, e1 := r.Tx(bufs)
	_, e2 := w.Rx(bufs)
	for _, err := range []error{e1, e2, r.WaitTx(ctx(t)), w.WaitRx(ctx(t))} {
		if err != port.ErrDirection {
			t.Error(err)
		}
	}
	for _, p := range []port.Port{r, w} {
		for range 2 {
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	_, e1 = r.Rx(bufs)
	_, e2 = w.Tx(bufs[:0])
	_, e3 := r.Tx(bufs)
	_, e4 := w.Rx(bufs)
	for _, err := range []error{e1, e2, e3, e4, r.WaitTx(ctx(t)), w.WaitRx(ctx(t)), r.WaitRx(ctx(t)), w.WaitTx(ctx(t))} {
		if err != port.ErrClosed {
			t.Error(err)
		}
	}
	cancelled, cancel := context.WithCancel(ctx(t))
	cancel()
	r = openIn(t, tempFile(t, "in.pcap", classic(binary.LittleEndian, micro, 65535, 1, 9, 60)), o)
	if err := r.WaitRx(cancelled); err != context.Canceled {
		t.Error(err)
	}
}
