//go:build unix

package unixsock

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/porttest"
)

// other is the other end of a port under test: package net's.
type other struct {
	t     porttest.TB
	plain *plain
	to    string // where a datagram socket that isn't connected sends
	feeds sync.WaitGroup
	queue chan []byte
}

func newOther(t porttest.TB, p *plain, to string) *other {
	o := &other{t: t, plain: p, to: to, queue: make(chan []byte, 4096)}
	o.feeds.Go(func() {
		for f := range o.queue {
			var err error
			if to == "" {
				err = p.write(f)
			} else {
				err = p.writeTo(f, to)
			}
			if err != nil {
				for range o.queue { // the port was closed
				}
				return
			}
		}
	})
	return o
}

func (o *other) feed(frames [][]byte) {
	for _, f := range frames {
		o.queue <- f
	}
}

func (o *other) sent(n int) (frames [][]byte) {
	wait := 5 * time.Second
	for {
		if len(frames) >= n {
			wait = 20 * time.Millisecond
		}
		f, err := o.plain.read(wait)
		if err != nil {
			return frames
		}
		frames = append(frames, f)
	}
}

// end ends what comes in.
func (o *other) end() {
	close(o.queue)
	o.feeds.Wait()
	_ = o.plain.conn.Close()
	o.queue = nil
}

// done is end, unless that was.
func (o *other) done() {
	if o.queue != nil {
		_ = o.plain.conn.Close()
		close(o.queue)
		o.feeds.Wait()
	}
}

// conf is small buffers, so that sockets get full, and so much patience that they stay so.
func conf(t Type) Config {
	return Config{Type: t, SendBuffer: 64 << 10, Retry: time.Hour}
}

var conformance = []struct {
	name string
	open func(t porttest.TB, e porttest.Env) (port.Port, *other)
	ends bool
	keys string
}{
	{"DgramDial", func(t porttest.TB, e porttest.Env) (port.Port, *other) {
		dir := tempDir(t)
		theirs, ours := filepath.Join(dir, "theirs"), filepath.Join(dir, "ours")
		l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: theirs, Net: "unixgram"})
		if err != nil {
			t.Fatalf("%v", err)
		}
		c := conf(Datagram)
		c.Local = ours
		p, err := Dial(theirs, e.Options, c)
		if err != nil {
			t.Fatalf("%v", err)
		}
		return p, newOther(t, &plain{conn: l}, ours)
	}, false, ",type=dgram"},
	{"DgramServe", func(t porttest.TB, e porttest.Env) (port.Port, *other) {
		dir := tempDir(t)
		path := filepath.Join(dir, "s")
		p, err := Serve(path, e.Options, conf(Datagram))
		if err != nil {
			t.Fatalf("%v", err)
		}
		c, err := dialPlain(path, filepath.Join(dir, "c"), false)
		if err != nil {
			t.Fatalf("%v", err)
		}
		waitServed(t, p, c)
		return p, newOther(t, c, "")
	}, false, ",role=listen"},
	{"DgramListen", func(t porttest.TB, e porttest.Env) (port.Port, *other) {
		dir := tempDir(t)
		path := filepath.Join(dir, "s")
		l, err := Listen(path, e.Options, conf(Datagram))
		if err != nil {
			t.Fatalf("%v", err)
		}
		c, err := dialPlain(path, filepath.Join(dir, "c"), false)
		if err == nil {
			err = c.write(greeting)
		}
		if err != nil {
			t.Fatalf("%v", err)
		}
		return accepted(t, l), newOther(t, c, "")
	}, true, ""},
	{"StreamDial", func(t porttest.TB, e porttest.Env) (port.Port, *other) {
		path := filepath.Join(tempDir(t), "s")
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		if err != nil {
			t.Fatalf("%v", err)
		}
		defer l.Close()
		p, err := Dial(path, e.Options, conf(Stream))
		if err != nil {
			t.Fatalf("%v", err)
		}
		c, err := l.AcceptUnix()
		if err != nil {
			t.Fatalf("%v", err)
		}
		return p, newOther(t, &plain{conn: c, stream: true}, "")
	}, true, ",type=stream"},
	{"StreamServe", func(t porttest.TB, e porttest.Env) (port.Port, *other) {
		path := filepath.Join(tempDir(t), "s")
		p, err := Serve(path, e.Options, conf(Stream))
		if err != nil {
			t.Fatalf("%v", err)
		}
		c, err := dialPlain(path, "", true)
		if err != nil {
			t.Fatalf("%v", err)
		}
		waitServed(t, p, nil)
		return p, newOther(t, c, "")
	}, false, ",type=stream,role=listen"},
	{"StreamListen", func(t porttest.TB, e porttest.Env) (port.Port, *other) {
		path := filepath.Join(tempDir(t), "s")
		l, err := Listen(path, e.Options, conf(Stream))
		if err != nil {
			t.Fatalf("%v", err)
		}
		c, err := dialPlain(path, "", true)
		if err != nil {
			t.Fatalf("%v", err)
		}
		return accepted(t, l), newOther(t, c, "")
	}, true, ""},
}

// accepted returns the port of l's next client, and closes l.
func accepted(t porttest.TB, l port.Listener) port.Port {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	p, err := l.Accept(ctx)
	if err != nil {
		t.Fatalf("%v", err)
	}
	if err := l.Close(); err != nil {
		t.Errorf("Close of the listener: %v", err)
	}
	return p
}

// waitServed waits until p serves a client, who says first that he is there if he is one of datagrams.
func waitServed(t porttest.TB, p port.Port, c *plain) {
	if c != nil {
		if err := c.write(greeting); err != nil {
			t.Fatalf("%v", err)
		}
	}
	for end := time.Now().Add(20 * time.Second); !strings.Contains(p.Info().Mode, "serves"); time.Sleep(50 * time.Microsecond) {
		if time.Now().After(end) {
			t.Fatalf("not served: %s", p.Info().Mode)
		}
	}
}

var made atomic.Int64

func TestConformance(t *testing.T) {
	for _, c := range conformance {
		t.Run(c.name, func(t *testing.T) {
			dir := tempDir(t)
			k := porttest.Kind{
				Name: "unix",
				Does: port.Both,
				Open: func(t porttest.TB, e porttest.Env) *porttest.Link {
					p, o := c.open(t, e)
					o.feed(e.Frames)
					l := &porttest.Link{Port: p, Feed: o.feed, Sent: o.sent, Fills: 4096, Done: o.done}
					if c.ends {
						l.End = o.end
					}
					return l
				},
			}
			if c.keys != "" {
				k.String = func(t porttest.TB, d port.Direction) string {
					path := filepath.Join(dir, fmt.Sprint(made.Add(1)))
					if c.keys == ",type=stream" { // somebody has to be there
						l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
						if err != nil {
							t.Fatalf("%v", err)
						}
						t.Cleanup(func() { _ = l.Close() })
					}
					return "unix:" + path + c.keys
				}
			}
			porttest.Run(t, k)
		})
	}
}
