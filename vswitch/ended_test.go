package vswitch

import (
	"errors"
	"testing"
	"time"

	"github.com/ringway-net/ringway/port/mem"
)

// The owner is told once that a port has ended or failed, and not that it was removed; others go on.
func TestSwitchTellsEnd(t *testing.T) {
	s := newSite(t, Config{}, map[string]PortConfig{"a": {}, "b": {}})
	type end struct {
		name string
		err  error
	}
	ends := make(chan end, 10)
	tells := func(name string) PortConfig {
		return PortConfig{Ended: func(err error) { ends <- end{name, err} }}
	}
	next := func(name string, err error) {
		t.Helper()
		select {
		case e := <-ends:
			if e.name != name || !errors.Is(e.err, err) {
				t.Errorf("%s has ended with %v, want %s with %v", e.name, e.err, name, err)
			}
		case <-time.After(patience):
			t.Errorf("nobody has told that %s has ended", name)
		}
	}
	s.add("leaves", tells("leaves"))
	s.add("stays", tells("stays"))
	near, far := pair(t, s.pool, mem.Config{RxErrAt: 1}, mem.Config{})
	if err := s.sw.Add("fails", near, tells("fails")); err != nil {
		t.Fatal(err)
	}
	s.hosts["fails"] = far
	next("fails", mem.ErrInjected) // without a frame
	if err := s.hosts["leaves"].Close(); err != nil {
		t.Fatal(err)
	}
	next("leaves", nil)
	for _, name := range []string{"leaves", "fails"} {
		if err := s.sw.Remove(name); err != nil {
			t.Error(err)
		}
	}
	s.send("a", station(1), station(2), "hello")
	s.expect("hello", "b", "stays")
	if err := s.sw.Remove("stays"); err != nil {
		t.Error(err)
	}
	s.balance()
	select {
	case e := <-ends:
		t.Errorf("%s has ended with %v, for the second time or without reason", e.name, e.err)
	default:
	}
}
