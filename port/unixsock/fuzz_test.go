//go:build unix

package unixsock

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

// FuzzDecoder: however the bytes are cut into reads, the frames are those that a straightforward reader of the whole finds, the
// error comes where he meets a length that no frame has, and the buffer stays as large as it is.
func FuzzDecoder(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x02ab\x00\x00\x00\x01c"), uint16(3))
	f.Add([]byte("\x00\x00\x00\x00rest"), uint16(1))
	f.Add([]byte("\xff\xff\xff\xffrest"), uint16(0))
	f.Add(append([]byte("\x00\x00\xff\xf0"), make([]byte, 0xfff0)...), uint16(1000))
	f.Fuzz(func(t *testing.T, stream []byte, cut uint16) {
		var want [][]byte
		bad := false
		for rest := stream; len(rest) >= prefixSize; {
			n := binary.BigEndian.Uint32(rest)
			if bad = n == 0 || n > MaxFrame; bad || len(rest) < prefixSize+int(n) {
				break
			}
			want = append(want, rest[prefixSize:prefixSize+n])
			rest = rest[prefixSize+n:]
		}

		var d decoder
		got := 0
		var end error
		for rest := stream; end == nil; {
			room := d.room()
			if len(room) == 0 {
				t.Fatal("no room for the rest of a frame")
			}
			n := copy(room[:min(len(room), 1+int(cut))], rest)
			d.add(n)
			rest = rest[n:]
			for {
				frame, err := d.peek()
				if end = err; frame == nil {
					break
				}
				if got == len(want) || !bytes.Equal(frame, want[got]) {
					t.Fatalf("frame %d of %d is %.40x", got, len(want), frame)
				}
				got++
				d.skip(len(frame))
			}
			if n == 0 {
				break
			}
		}
		if got != len(want) || (end != nil) != bad || end != nil && !errors.Is(end, errFraming) {
			t.Errorf("%d of %d frames, then %v; a bad length: %v", got, len(want), end, bad)
		}
		if _, again := d.peek(); end != nil && again == nil {
			t.Error("the error does not come again")
		}
		if cap(d.buf) > readSize {
			t.Errorf("the buffer has grown to %d bytes", cap(d.buf))
		}
	})
}
