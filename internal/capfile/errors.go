// The two errors of the parser: not enough bytes yet, and not a valid capture.

package capfile

import (
	"errors"
	"strconv"
	"strings"
	"unicode"
)

// ErrShort says that the bytes handed to Parser.Next end before a whole record
// does: call again with more of them. It is no fault of the file.
var ErrShort = errors.New("capfile: more bytes needed")

// FormatError says what is wrong with a capture, and where.
type FormatError struct {
	// File is the name that the parser was made with.
	File string
	// Offset is where the record, block or option begins that is wrong, in bytes
	// from the start of the stream.
	Offset int64
	// Decompressed is set when Offset counts bytes of the decompressed stream
	// and not of the file.
	Decompressed bool
	// What is wrong, with the values that are.
	What string
	// Remedy is what the user can do; it may be empty.
	Remedy string
}

// Error returns one line: file, offset, what is wrong, remedy.
func (e *FormatError) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(oneLine(e.File))
		b.WriteString(": ")
	}
	b.WriteString(offsetWord(e.Decompressed))
	b.WriteString(strconv.FormatInt(e.Offset, 10))
	b.WriteString(": ")
	b.WriteString(e.What)
	if e.Remedy != "" {
		b.WriteString("; ")
		b.WriteString(e.Remedy)
	}
	return b.String()
}

func offsetWord(decompressed bool) string {
	if decompressed {
		return "decompressed offset "
	}
	return "offset "
}

// oneLine quotes a file name that would break the line or the terminal.
func oneLine(name string) string {
	if strings.ContainsFunc(name, unicode.IsControl) {
		return strconv.Quote(name)
	}
	return name
}
