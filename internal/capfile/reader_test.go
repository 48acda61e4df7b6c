// The pull reader: gzip, slow readers and failing ones.

package capfile

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func readAll(r io.Reader) ([]got, *Reader, error) {
	rd, err := NewReader(r, "file")
	if err != nil {
		return nil, nil, err
	}
	frames, err := drain(rd)
	return frames, rd, err
}

// drain reads what is left. The error is nil at the end.
func drain(rd *Reader) ([]got, error) {
	var frames []got
	for {
		var rec Record
		if err := rd.Next(&rec); err != nil {
			if again := rd.Next(&rec); again != err {
				return nil, errors.New("another error the second time")
			}
			if err == io.EOF {
				err = nil
			}
			return frames, err
		}
		frames = append(frames, keep(&rec))
	}
}

func zip(t testing.TB, parts ...[]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, p := range parts {
		z := gzip.NewWriter(&b)
		if _, err := z.Write(p); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func TestReader(t *testing.T) {
	for name, s := range samples(t) {
		want, _ := mustParse(t, s.file)
		for how, r := range map[string]io.Reader{
			"plain":         bytes.NewReader(s.file),
			"bytewise":      iotest.OneByteReader(bytes.NewReader(s.file)),
			"data with EOF": iotest.DataErrReader(bytes.NewReader(s.file)),
			"gzip":          bytes.NewReader(zip(t, s.file)),
			"gzip members":  bytes.NewReader(zip(t, s.file[:30], nil, s.file[30:])),
			"gzip bytewise": iotest.OneByteReader(bytes.NewReader(zip(t, s.file))),
			"gzip with EOF": iotest.DataErrReader(bytes.NewReader(zip(t, s.file))),
		} {
			frames, rd, err := readAll(r)
			if err != nil {
				t.Fatal(name, how, err)
			}
			same(t, name+" "+how, frames, want)
			same(t, name+" "+how+" interfaces", len(rd.Interfaces()), 1)
			same(t, name+" "+how+" format", rd.Parser().Format().String(), strings.Replace(strings.Fields(name)[0], "ng", "pcapng", 1))
		}
	}
}

func TestReaderLongest(t *testing.T) {
	for _, r := range []io.Reader{bytes.NewReader(longest(be).b), bytes.NewReader(zip(t, longest(le).b))} {
		frames, rd, err := readAll(r)
		if err != nil || len(frames) != 2 || len(rd.buf) != MaxBlock {
			t.Fatal(len(frames), err)
		}
	}
}

func TestReaderKnowsInterfacesFirst(t *testing.T) {
	f := ng(le).idb(1, 0).idb(113, 0).epb(1, 0, "abcd", 4).idb(101, 0)
	rd, err := NewReader(bytes.NewReader(f.b), "file")
	if err != nil || len(rd.Interfaces()) != 2 {
		t.Fatal(err, rd.Interfaces())
	}
	var rec Record
	if err := rd.Next(&rec); err != nil || rec.Interface != 1 {
		t.Fatal(err, rec)
	}
	if err := rd.Next(&rec); err != io.EOF || len(rd.Interfaces()) != 3 {
		t.Fatal(err, rd.Interfaces())
	}
}

func TestReaderErrors(t *testing.T) {
	file := unhex(t, goldenMicroLE)
	boom := errors.New("boom")
	zipped := zip(t, file)
	badSum := bytes.Clone(zipped)
	badSum[len(badSum)-8] ^= 1
	for _, c := range []struct {
		name   string
		r      io.Reader
		frames int
		atOpen bool
		want   string
	}{
		{"empty", strings.NewReader(""), 0, true, "file: offset 0: empty file: not a capture"},
		{"empty gzip", bytes.NewReader(zip(t, nil)), 0, true, "file: decompressed offset 0: empty file: not a capture"},
		{"text", strings.NewReader("hello"), 0, true, "neither pcap nor pcapng"},
		{"one byte", strings.NewReader("h"), 0, true, "1 bytes are not a capture"},
		{"header", bytes.NewReader(file[:20]), 0, true, "truncated file header: 20 of its 24 bytes"},
		{"ng header", bytes.NewReader(unhex(t, goldenNGLE)[:20]), 0, true, "truncated Section Header Block: 20 of its 28 bytes"},
		{"ng begun", bytes.NewReader(unhex(t, goldenNGLE)[:11]), 0, true, "truncated Section Header Block: only 11 bytes"},
		{"cut", bytes.NewReader(file[:50]), 1, false, "offset 43: truncated frame header: 7 of its 16 bytes, cut at offset 50"},
		{"cut in gzip", bytes.NewReader(zip(t, file[:50])), 1, false,
			"file: decompressed offset 43: truncated frame header: 7 of its 16 bytes, cut at decompressed offset 50"},
		{"gzip in gzip", bytes.NewReader(zip(t, zipped)), 0, true, "decompressed offset 0: a gzip file, neither"},
		{"gzip begun", bytes.NewReader(zipped[:2]), 0, true, "gzip stream is cut short"},
		{"gzip header", strings.NewReader("\x1f\x8b\xff\xff\xff\xff\xff\xff\xff\xff\xff"), 0, true, "gzip stream is damaged"},
		{"gzip cut", bytes.NewReader(zipped[:len(zipped)-4]), 2, false, "decompressed offset 59: the gzip stream is cut short"},
		{"gzip sum", bytes.NewReader(badSum), 2, false, "gzip stream is damaged"},
		{"gzip then rubbish", io.MultiReader(bytes.NewReader(zipped), strings.NewReader("rubbish....")), 2, false, "gzip stream is damaged"},
		{"failing", io.MultiReader(bytes.NewReader(file[:50]), iotest.ErrReader(boom)), 1, false, "file: offset 50: boom"},
		{"failing at once", iotest.ErrReader(boom), 0, true, "file: offset 0: boom"},
		{"failing with the data", &dataErr{file, boom}, 2, false, "file: offset 59: boom"},
		{"failing in gzip", io.MultiReader(bytes.NewReader(zipped[:20]), iotest.ErrReader(boom)), 0, true, ": boom"},
		{"idle", stuck{}, 0, true, "file: offset 0: multiple Read calls"},
	} {
		t.Run(c.name, func(t *testing.T) {
			frames, rd, err := readAll(c.r)
			if err == nil || !strings.Contains(err.Error(), c.want) || len(frames) != c.frames || (rd == nil) != c.atOpen {
				t.Fatalf("%d frames, at open %v, error %v", len(frames), rd == nil, err)
			}
			if strings.HasSuffix(c.want, "boom") && !errors.Is(err, boom) {
				t.Fatal("not wrapped")
			}
		})
	}
}

// dataErr returns all its data along with an error.
type dataErr struct {
	b   []byte
	err error
}

func (d *dataErr) Read(p []byte) (int, error) {
	n := copy(p, d.b)
	d.b = d.b[n:]
	return n, d.err
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }
