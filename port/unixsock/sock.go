//go:build unix

// Sockets, their addresses, and their files.

package unixsock

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// maxPath is the length of the longest path that a socket's address has room for, in bytes.
const maxPath = len(unix.RawSockaddrUnix{}.Path) - 1

// errPath is wrapped by the errors about paths that no socket can have.
var errPath = errors.New("bad path")

// address returns the address at path.
func address(path string) (*unix.SockaddrUnix, error) {
	switch {
	case path == "" || path == "@":
		return nil, fmt.Errorf("%w: the socket's path is empty; want one such as /run/vm0.sock", errPath)
	case len(path) > maxPath:
		return nil, fmt.Errorf("%w %s: it has %d bytes, and a socket's address has room for %d; choose a shorter one, or change to its directory and give it relative to that", errPath, path, len(path), maxPath)
	case strings.ContainsRune(path, 0):
		return nil, fmt.Errorf("%w %q: it has a zero byte in it", errPath, path)
	case abstract(path) && runtime.GOOS != "linux":
		return nil, fmt.Errorf("%w: %s is an abstract socket, which only Linux has; a file of that name is ./%s", errPath, path, path)
	}
	return &unix.SockaddrUnix{Name: path}, nil
}

// abstract reports whether path is the name of a socket without a file.
func abstract(path string) bool { return strings.HasPrefix(path, "@") }

// rawPath returns the path in the address of n bytes that the system has written: "" if it has none.
func rawPath(name *unix.RawSockaddrAny, n int) string {
	const offset = int(unsafe.Offsetof(unix.RawSockaddrUnix{}.Path))
	bytes := unsafe.Slice((*byte)(unsafe.Pointer(name)), unsafe.Sizeof(*name))[:min(n, int(unsafe.Sizeof(*name)))]
	if len(bytes) <= offset {
		return ""
	}
	path := string(bytes[offset:])
	if path[0] == 0 && runtime.GOOS == "linux" {
		return "@" + path[1:]
	}
	path, _, _ = strings.Cut(path, "\x00")
	return path
}

// newSocket makes a socket that programs started by this one don't get.
func newSocket(t Type) (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	num, err := unix.Socket(unix.AF_UNIX, t.system(), 0)
	if err != nil {
		return -1, fmt.Errorf("making a socket: %w", err)
	}
	unix.CloseOnExec(num)
	return num, nil
}

// probe returns what connecting to a socket of that type leads to: nil or EPERM if somebody is there, ECONNREFUSED if
// nobody is any more.
func probe(to unix.Sockaddr, t Type) error {
	num, err := newSocket(t)
	if err != nil {
		return err
	}
	defer unix.Close(num)
	if err := unix.SetNonblock(num, true); err != nil {
		return err
	}
	return unix.Connect(num, to)
}

// file is the file of a socket of ours; nil for sockets that have none.
type file struct {
	path string
	info fs.FileInfo
}

// remove removes the file, unless it is another's by now.
func (f *file) remove() error {
	if f == nil {
		return nil
	}
	now, err := os.Lstat(f.path)
	if err != nil || !same(now, f.info) {
		return nil
	}
	if err := os.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// same reports whether two are the same file. Its number may have been given to another one since; its time has not.
func same(a, b fs.FileInfo) bool { return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) }

// binding makes sure that of several sockets of this program one at a time finds out whether a file is stale.
var binding sync.Mutex

// bind gives a socket its address, and its file the mode from the first moment on. A file that is there already is
// replaced if it is a socket to which nobody listens.
func bind(num int, t Type, path string, mode fs.FileMode) (*file, error) {
	to, err := address(path)
	if err != nil {
		return nil, err
	}
	binding.Lock()
	defer binding.Unlock()
	if !abstract(path) {
		if err := removeStale(to, t, path); err != nil {
			return nil, err
		}
	}
	if err := bindMode(num, to, mode); err != nil {
		if errors.Is(err, unix.EADDRINUSE) {
			return nil, fmt.Errorf("%s is in use by another socket", path)
		}
		return nil, fmt.Errorf("making the socket %s: %w", path, err)
	}
	if abstract(path) {
		return nil, nil
	}
	info, err := os.Lstat(path)
	if err == nil && info.Mode().Perm() != mode { // what the umask has taken away
		err = os.Chmod(path, mode)
	}
	if err != nil {
		return nil, fmt.Errorf("the mode of socket %s: %w", path, err)
	}
	return &file{path, info}, nil
}

// removeStale removes what a socket has left behind at path, and nothing else.
func removeStale(to unix.Sockaddr, t Type, path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s is there already and is no socket, so it is left alone; remove it or choose another path", path)
	}
	switch err := probe(to, t); {
	case errors.Is(err, unix.ECONNREFUSED):
		return (&file{path, info}).remove()
	case errors.Is(err, unix.ENOENT):
		return nil
	case err == nil, errors.Is(err, unix.EPERM), errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EPROTOTYPE):
		return fmt.Errorf("%s is in use: somebody listens there; end that program or choose another path", path)
	default:
		return fmt.Errorf("%s is there already, and whether somebody listens there can't be told: %w", path, err)
	}
}

// bindTemporary gives a socket a file of its own in the directory for temporary files.
func bindTemporary(num int, t Type) (*file, error) {
	for tries := 0; ; tries++ {
		path := filepath.Join(os.TempDir(), fmt.Sprintf("ringway-%d-%08x.sock", os.Getpid(), rand.Uint32()))
		f, err := bind(num, t, path, defaultMode)
		if err == nil || tries == 10 {
			return f, err
		}
	}
}

// setBuffers sets the sizes of a socket's buffers, and returns what its user should know about that.
func setBuffers(num int, c *Config) (warnings []string) {
	for _, b := range []struct {
		key             string
		option          int
		asked, default_ int
	}{
		{"sndbuf", unix.SO_SNDBUF, c.SendBuffer, defaultSendBuffer},
		{"rcvbuf", unix.SO_RCVBUF, c.ReceiveBuffer, defaultReceiveBuffer},
	} {
		want := b.asked
		if want == 0 {
			want = b.default_
		}
		size := want
		// BSDs refuse what is too much, and Linux gives less.
		for size >= 4096 && unix.SetsockoptInt(num, unix.SOL_SOCKET, b.option, size) != nil {
			size /= 2
		}
		if b.asked == 0 {
			continue
		}
		got, err := unix.GetsockoptInt(num, unix.SOL_SOCKET, b.option)
		if runtime.GOOS == "linux" {
			got /= 2 // Linux doubles it, for what it keeps beside the frames
		}
		if err == nil && got < want {
			warnings = append(warnings, fmt.Sprintf("%s is %d bytes instead of %d, the system's limit", b.key, got, want))
		}
	}
	return warnings
}
