//go:build unix

package unixsock

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/pooltest"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newPool(t testing.TB) *pool.Pool {
	t.Helper()
	return pooltest.New(t, pool.Config{Count: 4096, Track: 1})
}

// tempDir is a directory with a short name: a socket's path has not much room.
func tempDir(t interface {
	Cleanup(func())
	Fatalf(string, ...any)
}) string {
	dir, err := os.MkdirTemp("", "us")
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func sockPath(t testing.TB) string { return filepath.Join(tempDir(t), "s") }

func closeLater[C io.Closer](t testing.TB, c C) C {
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return c
}

func open(t testing.TB, s string, o port.Options) port.Port {
	t.Helper()
	p, err := port.Open(s, o)
	if err != nil {
		t.Fatal(err)
	}
	return closeLater(t, p)
}

// frame makes a frame of size bytes with a number in it.
func frame(number, size int) []byte {
	f := make([]byte, size)
	copy(f, []byte{2, 0, 0, 0, 0, 0xb, 2, 0, 0, 0, 0, 0xa, 0x88, 0xb5})
	if size >= 18 {
		binary.BigEndian.PutUint32(f[14:], uint32(number))
	}
	return f
}

func number(f []byte) int { return int(binary.BigEndian.Uint32(f[14:])) }

// buffers makes n buffers with frames of size bytes, numbered from first on.
func buffers(t testing.TB, p *pool.Pool, first, n, size int) []pool.Buffer {
	t.Helper()
	bufs := make([]pool.Buffer, n)
	for i := range bufs {
		b, err := p.CopyIn(frame(first+i, size))
		if err != nil {
			t.Fatal(err)
		}
		bufs[i] = b
	}
	return bufs
}

// sendAll sends bufs, all of them.
func sendAll(t testing.TB, p port.Port, bufs []pool.Buffer) {
	t.Helper()
	for len(bufs) > 0 {
		n, err := p.Tx(bufs)
		bufs = bufs[n:]
		if err == nil && n == 0 {
			err = p.WaitTx(t.Context())
		}
		if err != nil {
			pool.ReleaseBurst(bufs)
			t.Fatalf("Tx or WaitTx with %d frames to go: %v", len(bufs), err)
		}
	}
}

// receive receives n frames and returns their bytes.
func receive(t testing.TB, p port.Port, n int) (frames [][]byte) {
	t.Helper()
	frames, err := receiveErr(t, p, n)
	if err != nil {
		t.Fatalf("after %d of %d frames: %v", len(frames), n, err)
	}
	return frames
}

func receiveErr(t testing.TB, p port.Port, n int) (frames [][]byte, err error) {
	bufs := make([]pool.Buffer, 64)
	for len(frames) < n {
		k, err := p.Rx(bufs)
		for _, b := range bufs[:k] {
			frames = append(frames, slices.Clone(b.Bytes()))
			b.Release()
		}
		if err == nil && k == 0 {
			err = p.WaitRx(t.Context())
		}
		if err != nil {
			return frames, err
		}
	}
	return frames, nil
}

// eventually waits until what holds, or fails.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not after 20 seconds: %s", what)
		}
	}
}

// plain is the other end, made of package net alone.
type plain struct {
	conn   *net.UnixConn
	stream bool
	mu     sync.Mutex // guards that frames of a stream are written one after the other
	buf    []byte
}

// dialPlain dials path, datagrams from an address of its own.
func dialPlain(path, local string, stream bool) (*plain, error) {
	network, from := "unixgram", (*net.UnixAddr)(nil)
	if stream {
		network = "unix"
	} else if local != "" {
		from = &net.UnixAddr{Name: local, Net: network}
	}
	c, err := net.DialUnix(network, from, &net.UnixAddr{Name: path, Net: network})
	if err != nil {
		return nil, err
	}
	return &plain{conn: c, stream: stream}, nil
}

// write writes a frame. It waits while there is no room.
func (p *plain) write(f []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stream {
		f = append(binary.BigEndian.AppendUint32(nil, uint32(len(f))), f...)
	}
	_, err := p.conn.Write(f)
	return err
}

// writeTo is write by a datagram socket that isn't connected.
func (p *plain) writeTo(f []byte, to string) error {
	for {
		_, err := p.conn.WriteToUnix(f, &net.UnixAddr{Name: to, Net: "unixgram"})
		if !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.ENOBUFS) {
			return err
		}
		time.Sleep(100 * time.Microsecond)
	}
}

// read reads a frame, and waits no longer than d for it.
func (p *plain) read(d time.Duration) ([]byte, error) {
	_ = p.conn.SetReadDeadline(time.Now().Add(d))
	if !p.stream {
		buf := make([]byte, 1<<17)
		n, err := p.conn.Read(buf)
		return buf[:n], err
	}
	for {
		if len(p.buf) >= 4 {
			if n := 4 + int(binary.BigEndian.Uint32(p.buf)); len(p.buf) >= n {
				f := p.buf[4:n:n]
				p.buf = p.buf[n:]
				return f, nil
			}
		}
		more := make([]byte, 1<<16)
		n, err := p.conn.Read(more)
		p.buf = append(p.buf, more[:n]...)
		if err != nil {
			return nil, err
		}
	}
}
