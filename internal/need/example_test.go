package need_test

import (
	"fmt"

	"github.com/ringway-net/ringway/internal/need"
)

// T stands for the *testing.T of a test.
type T struct{ name string }

func (T) Helper()           {}
func (t T) Name() string    { return t.name }
func (T) Skip(...any)       {}
func (T) Fatal(args ...any) { fmt.Print(args...) }

func Example() {
	t := T{"TestCapture"}
	if need.Program(t, "/bin/sh") != "" {
		fmt.Println("there is a shell")
	}
	// Output: there is a shell
}
