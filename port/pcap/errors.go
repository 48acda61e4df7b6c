// Errors: one line each, with the file, what is wrong and what helps.

package pcap

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"unicode"

	"github.com/ringway-net/ringway/internal/capfile"
)

var (
	errDirectory = errors.New("is a directory")
	errStopped   = errors.New("pcap: stopped")

	// errUnread says that whoever should read a pipe does not.
	errUnread = errors.New("its reader takes nothing any more")
)

// WriteError says that a capture could not be written to its end.
type WriteError struct {
	// File is the file's name, or "standard output".
	File string
	// Offset is how many bytes were accepted before the fault.
	Offset int64
	// Frames is how many whole frames a file holds, or the reader of a pipe was sent.
	Frames uint64
	// Cut is set if the file was cut back to its last whole frame. Otherwise (a pipe, or
	// CutErr says why) it may end in a part of one.
	Cut    bool
	CutErr error
	// Err is the system's error, such as syscall.ENOSPC or, for a pipe whose reader has
	// gone, syscall.EPIPE.
	Err error
}

// Error returns one line: file, offset, cause, what is there, remedy.
func (e *WriteError) Error() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s: offset %d: %v; ", oneLine(e.File), e.Offset, e.Err)
	switch {
	case e.CutErr != nil:
		fmt.Fprintf(&s, "it holds the first %s and perhaps a part of another, since it could not be cut (%v)", frames(e.Frames), e.CutErr)
	case e.Cut && e.Frames == 0:
		s.WriteString("it holds no frame")
	case e.Cut:
		fmt.Fprintf(&s, "it holds the first %s, whole", frames(e.Frames))
	default:
		fmt.Fprintf(&s, "%s went out whole before", count(e.Frames, "frame"))
	}
	switch {
	case errors.Is(e.Err, syscall.ENOSPC), errors.Is(e.Err, syscall.EDQUOT):
		s.WriteString("; make room there, or write to another disk")
	case errors.Is(e.Err, syscall.EFBIG):
		s.WriteString("; raise the limit of file sizes (ulimit -f), or use another file system")
	case errors.Is(e.Err, syscall.EPIPE):
		s.WriteString("; its reader has gone: see why it ended")
	case errors.Is(e.Err, errUnread):
		s.WriteString("; see what holds its reader up")
	default:
		s.WriteString("; check the disk or the device")
	}
	return s.String()
}

// Unwrap returns Err.
func (e *WriteError) Unwrap() error { return e.Err }

func frames(n uint64) string {
	if n == 1 {
		return "frame"
	}
	return strconv.FormatUint(n, 10) + " frames"
}

// explain makes one line of an error of opening a file.
func explain(file string, err error, done string) error {
	err = cause(err)
	remedy := "it can't be " + done
	switch {
	case errors.Is(err, fs.ErrNotExist) && done == "read":
		remedy = "check the name and the working directory"
	case errors.Is(err, fs.ErrNotExist):
		remedy = "make its directory first"
	case errors.Is(err, fs.ErrPermission):
		remedy = "it can't be " + done + " by this user: change its mode, or run as another"
	case errors.Is(err, errDirectory), errors.Is(err, syscall.EISDIR):
		remedy = "name a file in it"
	}
	return fmt.Errorf("%s: %w; %s", oneLine(file), err, remedy)
}

// cause takes the file's name and the call off an error of package os: what is said
// about the file has its name already.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	var errno syscall.Errno
	// ERROR_BROKEN_PIPE and ERROR_NO_DATA: what Windows says for EPIPE.
	if runtime.GOOS == "windows" && errors.As(err, &errno) && (errno == 109 || errno == 232) {
		return syscall.EPIPE
	}
	return err
}

// readError completes an error of the codec's: with what helps against a stream that had nothing in
// it, or against a read that failed.
func readError(err error) error {
	var bad *capfile.FormatError
	switch {
	case err == io.EOF || err == errStopped:
		return err
	case !errors.As(err, &bad):
		return fmt.Errorf("%w; check the disk or the device", err)
	case bad.Remedy == "" && bad.Offset == 0:
		bad.Remedy = "see whether what should have written it has failed"
	}
	return err
}

// oneLine quotes a file name that would break the line or the terminal.
func oneLine(name string) string {
	if strings.ContainsFunc(name, unicode.IsControl) {
		return strconv.Quote(name)
	}
	return name
}

// busy is the regular files that ports of this process have open, so that none is overwritten
// that is being read.
var busy struct {
	sync.Mutex
	m map[any]busyFile
}

type busyFile struct {
	info os.FileInfo
	port string
	does string
}

// setBusy notes that the port owner has a file open.
func setBusy(owner any, info os.FileInfo, port, does string) {
	busy.Lock()
	defer busy.Unlock()
	if busy.m == nil {
		busy.m = map[any]busyFile{}
	}
	busy.m[owner] = busyFile{info, port, does}
}

func setIdle(owner any) {
	busy.Lock()
	defer busy.Unlock()
	delete(busy.m, owner)
}

// checkBusy refuses to write a file that a port of this process has open.
func checkBusy(file string, info os.FileInfo) error {
	busy.Lock()
	defer busy.Unlock()
	for _, b := range busy.m {
		if os.SameFile(b.info, info) {
			return fmt.Errorf("%s: is the same file that port %q %s; give the output another name", oneLine(file), b.port, b.does)
		}
	}
	return nil
}
