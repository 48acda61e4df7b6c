//go:build linux

// A laboratory outside of a test.

package netlab

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Run calls f with a T that is no test's, for a program that builds a laboratory. When f has ended, all is taken down.
// The error is all that f, and what it called, has failed with; f ends with the first
// Fatalf, and also where a test would be skipped, which is an error here. A panic in f goes on once all is taken down.
func Run(ctx context.Context, name string, f func(T)) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	s := &scope{name: name, ctx: ctx}
	defer func() { err = errors.Join(s.errs...) }()
	defer s.cleanUp()
	defer cancel()
	s.till(func() { f(s) })
	return nil
}

// scope is the T of Run.
type scope struct {
	name     string
	ctx      context.Context
	cleanups []func()
	errs     []error
}

// till calls f until it returns or fails.
func (s *scope) till(f func()) {
	defer func() {
		if r := recover(); r != nil && r != s {
			panic(r)
		}
	}()
	f()
}

func (s *scope) cleanUp() {
	for _, f := range slices.Backward(s.cleanups) {
		s.till(f)
	}
}

func (s *scope) Helper()                   {}
func (s *scope) Name() string              { return s.name }
func (s *scope) Context() context.Context  { return s.ctx }
func (s *scope) Cleanup(f func())          { s.cleanups = append(s.cleanups, f) }
func (s *scope) Errorf(f string, a ...any) { s.errs = append(s.errs, fmt.Errorf(f, a...)) }
func (s *scope) Fatalf(f string, a ...any) { s.Errorf(f, a...); panic(s) }
func (s *scope) Fatal(a ...any)            { s.Fatalf("%s", fmt.Sprint(a...)) }
func (s *scope) Skip(a ...any)             { s.Fatal(a...) }
