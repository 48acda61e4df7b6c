//go:build unix

// FIFOs, and limits that the system sets.

package pcap

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
)

func mkfifo(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFIFO(t *testing.T) {
	b := classic(binary.LittleEndian, micro, 65535, 1, 50_000, 60)
	in, out := mkfifo(t), mkfifo(t)
	o := env(t)
	r, w := openIn(t, in, o), openOut(t, out, o) // before there is another end
	var wg sync.WaitGroup
	var got []byte
	wg.Go(func() {
		time.Sleep(5 * time.Millisecond)
		os.WriteFile(in, b, 0)
	})
	wg.Go(func() {
		time.Sleep(10 * time.Millisecond)
		got, _ = os.ReadFile(out)
	})
	if rx, tx := move(t, r, w); rx != io.EOF || tx != nil {
		t.Fatal(rx, tx)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	balanced(t, w, 50_000)
	wg.Wait()
	if !bytes.Equal(got, b) {
		t.Errorf("%d bytes became %d", len(b), len(got))
	}
	if _, err := port.Open(in+",loop=2", port.Options{Pool: o.Pool, Direction: port.In}); err == nil || !strings.Contains(err.Error(), "leave loop out") {
		t.Error(err)
	}
}

// FIFOs whose other end never comes, or stands still, don't hold Close up.
func TestCloseFIFO(t *testing.T) {
	o := env(t)
	r, w := openIn(t, mkfifo(t), o), openOut(t, mkfifo(t), o)
	p := w.(*writer)
	p.mu.Lock()
	p.stream.patience = 10 * time.Millisecond
	p.mu.Unlock()
	b, _ := o.Pool.CopyIn([]byte("frame"))
	w.Tx([]pool.Buffer{b})
	began := time.Now()
	r.Close()
	<-r.(*reader).src.(*pump).done
	if err := w.Close(); !errors.Is(err, errUnread) {
		t.Error(err)
	}
	<-p.stream.end
	balanced(t, w, 1)
	if d := time.Since(began); d > stopTime/2 {
		t.Error("took", d)
	}
	if runtime.GOOS == "darwin" {
		fmt.Println("SKIP the rest of TestCloseFIFO: macOS can't poll FIFOs, so a read of one lasts until its writer goes")
		return
	}
	// A writer that came and writes nothing.
	path := mkfifo(t)
	r = openIn(t, path, o)
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	time.Sleep(2 * time.Millisecond)
	r.Close()
	<-r.(*reader).src.(*pump).done
	// A reader that came and reads nothing.
	path = mkfifo(t)
	w = openOut(t, path, o)
	g, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	p = w.(*writer)
	p.mu.Lock()
	p.stream.patience = 10 * time.Millisecond
	p.mu.Unlock()
	taken := fillUp(t, o, w)
	if err := w.Close(); !errors.Is(err, errUnread) {
		t.Error(err)
	}
	<-p.stream.end
	balanced(t, w, taken)
}

// The system's own limit of a file's size, on a real file.
func TestFileSizeLimit(t *testing.T) {
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	b := classic(binary.LittleEndian, micro, 65535, 1, 20_000, 60)
	in, out := tempFile(t, "in.pcap", b), filepath.Join(t.TempDir(), "out.pcap")
	o := env(t)
	r, w := openIn(t, in, o), openOut(t, out, o)
	limit := old
	limit.Cur = 600_000
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	_, tx := move(t, r, w)
	err := w.Close()
	if e := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); e != nil {
		t.Fatal(e)
	}
	const whole = (600_000 - 24) / 76
	var we *WriteError
	if !errors.As(err, &we) || !errors.Is(err, syscall.EFBIG) || tx != nil && tx != err || we.Frames != whole || we.Offset != 600_000 || !we.Cut {
		t.Fatal(tx, err)
	}
	if got := read(t, out); !bytes.Equal(got, b[:24+whole*76]) {
		t.Errorf("%d bytes left, want %d", len(got), 24+whole*76)
	}
	if s := w.Stats(); s.TxPackets != whole {
		t.Errorf("%+v", s)
	}
	balanced(t, w, -1)
}
