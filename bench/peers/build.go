// Building the programs of the libraries that are installed.

package peers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A Program is a peer that was built.
type Program struct {
	Name string // of the library
	Path string // of its executable file
}

// Skipped is a peer that was not built.
type Skipped struct {
	Name   string // of the library
	Reason string // for a person to read; it starts with the name
	Err    error  // nil if something is not installed; else what went wrong, a failure
}

type library struct {
	name     string
	packages string // Debian's, the library's own first, with all that building a program takes
	recipe   recipe
}

// A recipe makes a program of the sources in src. What it needs and does not find it reports as a
// missing.
type recipe interface {
	build(ctx context.Context, l library, src, out string) error
}

// A missing is the error that something is not installed.
type missing struct {
	what     string // a package or program
	packages string // that bring it
}

func (m missing) Error() string {
	return fmt.Sprintf("%s is not installed: apt-get install %s", m.what, m.packages)
}

// Build compiles, into dir, the programs of those libraries that are installed. Those that it skips
// have an Err if they are installed and it failed all the same, or ctx was done.
func Build(ctx context.Context, dir string) (built []Program, skipped []Skipped) {
	src := filepath.Join(dir, "src")
	copied := errors.Join(os.RemoveAll(src), os.CopyFS(src, sources))
	for _, l := range libraries {
		p := Program{l.name, filepath.Join(dir, l.name)}
		err := copied
		if err == nil {
			err = l.recipe.build(ctx, l, src, p.Path)
		}
		if err == nil {
			built = append(built, p)
			continue
		}
		s := Skipped{Name: l.name, Reason: fmt.Sprintf("%s: %v", l.name, err)}
		if !errors.As(err, new(missing)) {
			s.Err = err
		}
		skipped = append(skipped, s)
	}
	return built, skipped
}

// missing is the error that the library itself is not installed.
func (l library) missing() error {
	return missing{strings.Fields(l.packages)[0], l.packages}
}

// need returns an error if a program is not installed.
func (l library) need(program string) error {
	if _, err := exec.LookPath(program); err != nil {
		return missing{program, l.packages}
	}
	return nil
}

// run runs a compiler. Its error has the compiler's words.
func run(ctx context.Context, program string, args ...string) error {
	c := exec.CommandContext(ctx, program, args...)
	c.WaitDelay = time.Second // what a compiler has started holds its output open for a while after it was killed
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", program, errors.Join(ctx.Err(), err), out)
	}
	return nil
}
