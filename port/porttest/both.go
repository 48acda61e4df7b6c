// Checks of what has no direction, or both.

package porttest

import (
	"context"
	"errors"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
)

var bothChecks = []check{
	{"both_ways", func(k *Kind) string {
		if k.Does != port.Both {
			return "the kind does one direction only"
		}
		return ""
	}, bothWays},
	{"info", nil, info},
	{"strings", func(k *Kind) string {
		if k.String == nil {
			return "the kind has no port strings"
		}
		return ""
	}, portStrings},
	{"descriptors", func(*Kind) string {
		if descriptors() < 0 {
			return "there is no /proc/self/fd to count open descriptors in"
		}
		return ""
	}, descriptorsLeft},
}

// directions are those that the kind can be opened in.
func (k *Kind) directions() (all []port.Direction) {
	for _, d := range []port.Direction{port.In, port.Out, port.Both} {
		if d&^k.Does == 0 {
			all = append(all, d)
		}
	}
	return all
}

// bothWays: frames go in and out at the same time, and anybody may ask for Stats and Info meanwhile.
func bothWays(c *checker) {
	in, out := c.frames(400), c.frames(400)
	s := c.open(how{dir: port.Both, frames: in[:100]})
	expected := s.Frames
	var bufs []pool.Buffer
	for _, f := range out {
		bufs = append(bufs, s.buffer(f))
	}
	var stop atomic.Bool
	asking := c.spawn(func() {
		for !stop.Load() {
			st, i := s.port.Stats(), s.port.Info()
			if st.RxPackets > 10000 || st.TxPackets > 10000 || i.Kind != c.kind.Name {
				c.Errorf("Stats has %d received and %d sent, and Info says kind %q", st.RxPackets, st.TxPackets, i.Kind)
				return
			}
		}
	})
	if s.Feed != nil {
		expected = slices.Concat(expected, in[100:])
		c.spawn(func() { s.Feed(in[100:]) })
	}
	var came [][]byte
	receiving := c.spawn(func() {
		if len(expected) > 0 {
			came = c.receiveQuietly(s, len(expected))
		}
	})
	gone := s.send(bufs)
	<-receiving
	c.compare("received", came, want(expected))
	if s.Sent != nil {
		c.compare("sent", s.sent(gone, len(out)), want(out))
	}
	stop.Store(true)
	<-asking
	s.drain()
	st := s.port.Stats()
	if st.TxPackets+st.TxDropped() != uint64(len(out)) {
		c.Errorf("Tx took %d frames, and Stats has %d sent and %v dropped", len(out), st.TxPackets, st.TxDrops)
	}
	s.finish()
}

// receiveQuietly is receive for a goroutine that is not the check's: random numbers are the check's.
func (c *checker) receiveQuietly(s *session, n int) (frames [][]byte) {
	bufs := make([]pool.Buffer, 16)
	for len(frames) < n {
		k, err := s.port.p.Rx(bufs)
		for _, b := range bufs[:k] {
			if c.kind.Ignore == nil || !c.kind.Ignore(b.Bytes()) {
				frames = append(frames, slices.Clone(b.Bytes()))
			}
			b.Release()
		}
		if err == nil && k == 0 {
			err = s.port.WaitRx(context.Background())
		}
		if err != nil {
			c.Errorf("Rx or WaitRx after %d of %d frames: %v", len(frames), n, err)
			return frames
		}
	}
	return frames
}

// info: Info is complete, and says the same again.
func info(c *checker) {
	for _, d := range c.kind.directions() {
		s := c.open(how{dir: d, frames: c.frames(3)})
		i := s.port.Info()
		if i.Kind != c.kind.Name {
			c.Errorf("Info.Kind is %q, want %q", i.Kind, c.kind.Name)
		}
		if i.Name == "" {
			c.Errorf("Info.Name is empty")
		}
		if d&port.Out != 0 && (i.MTU < 1 || i.MTU > pool.MaxFrame) {
			c.Errorf("Info.MTU is %d, want 1 to %d", i.MTU, pool.MaxFrame)
		}
		if i.Done < 0 || i.Total < 0 || i.Total > 0 && i.Done > i.Total {
			c.Errorf("Info.Done is %d and Info.Total %d", i.Done, i.Total)
		}
		for _, note := range i.Notes {
			if note == "" {
				c.Errorf("Info.Notes has an empty one: %q", i.Notes)
			}
		}
		if again := s.port.Info(); !reflect.DeepEqual(i, again) {
			c.Errorf("Info is %+v first and %+v then, with nothing in between", i, again)
		}
		s.close()
		after := s.port.Info()
		if after.Name != i.Name || after.Kind != i.Kind || after.Live != i.Live || after.MTU != i.MTU {
			c.Errorf("Info is %+v before Close and %+v after it", i, after)
		}
		s.finish()
	}
}

// portStrings: the keys that all kinds have, and errors that help.
func portStrings(c *checker) {
	p, err := pool.New(pool.Config{Name: "the port's", Track: 1, UMEM: c.kind.UMEM})
	if err != nil {
		c.Fatalf("%v", err)
	}
	var k port.Kind
	for _, one := range port.Kinds() {
		if one.Name == c.kind.Name {
			k = one
		}
	}
	if k.Name == "" {
		c.Fatalf("no kind %q is registered", c.kind.Name)
	}
	if k.Summary == "" || k.Example == "" {
		c.Errorf("the kind has no summary or no example: %q, %q", k.Summary, k.Example)
	}
	if _, err := port.Parse(k.Example); err != nil {
		c.Errorf("the kind's example: %v", err)
	}
	for _, key := range k.Keys {
		if key.Name == "" || key.Help == "" {
			c.Errorf("a key of the kind has no name or no help: %+v", key)
		}
	}
	for _, d := range c.kind.directions() {
		open := func(keys string) (port.Info, error) {
			s := c.kind.String(c, d) + keys
			opened, err := port.Open(s, port.Options{Pool: p, Direction: d})
			if err != nil {
				return port.Info{}, err
			}
			i := opened.Info()
			if err := opened.Close(); err != nil {
				c.Errorf("Close of %s: %v", s, err)
			}
			if i.Kind != k.Name || keys == "" && i.Name != s {
				c.Errorf("Info of %s says name %q, kind %q", s, i.Name, i.Kind)
			}
			return i, nil
		}
		for keys, name := range map[string]string{"": "", ",name=me": "me", ",onfull=wait": "", `,onfull=drop,name=a\,b`: "a,b"} {
			i, err := open(keys)
			if err != nil {
				c.Errorf("opened for %s: %v", d, err)
			} else if name != "" && i.Name != name {
				c.Errorf("with %s, Info.Name is %q", keys, i.Name)
			}
		}
		for keys, words := range map[string][]string{
			",onfull=never": {"onfull", "never", "wait", "drop"},
			",name=":        {"name"},
			",no_such=1":    append(names(k.Keys), "no_such", "name", "onfull"),
		} {
			_, err := open(keys)
			if !errors.Is(err, port.ErrSpec) {
				c.Errorf("with %s the error is %v, and no port.ErrSpec", keys, err)
				continue
			}
			for _, w := range words {
				if !strings.Contains(err.Error(), w) {
					c.Errorf("with %s the error does not say %q: %v", keys, w, err)
				}
			}
		}
	}
	if rest := port.Both &^ c.kind.Does; rest != 0 && k.Does&rest == 0 {
		_, err := port.Open(c.kind.String(c, c.kind.Does), port.Options{Pool: p, Direction: rest})
		if err == nil || !strings.Contains(err.Error(), c.kind.Does.String()) {
			c.Errorf("opened for %s, which it does not do, the error is %v", rest, err)
		}
	}
	if err := p.Close(); err != nil {
		c.Errorf("buffers are left after everything was closed: %v", err)
	}
}

func names(keys []port.Key) (all []string) {
	for _, k := range keys {
		all = append(all, k.Name)
	}
	return all
}

// descriptors returns how many descriptors the process has open, or -1 if there is no telling.
func descriptors() int {
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1
	}
	return len(all)
}

// descriptorsLeft: ports that were opened and closed leave no descriptor behind.
func descriptorsLeft(c *checker) {
	round := func() {
		for _, d := range c.kind.directions() {
			s := c.open(how{dir: d, frames: c.frames(3)})
			if d&port.In != 0 && len(s.Frames) > 0 {
				s.receive(1, nil)
			}
			s.finish()
		}
	}
	round() // what is opened once, such as the netpoller's
	before := descriptors()
	for range 10 {
		round()
	}
	if after := descriptors(); after > before {
		c.Errorf("%d descriptors are open after ten more rounds of opening and closing, %d before", after, before)
	}
}
