//go:build mutants

package mutants

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// mutant is a mistake: in one file one piece of text stands for another.
type mutant struct {
	name     string
	file     string // from the root of the repository
	from, to string // from is there exactly once
	run      string // the tests, as for go test -run
	want     string // what they say
}

// Each mutant is caught, by what it is expected to be caught by.
func TestMutants(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	var caught atomic.Int32
	t.Run("each", func(t *testing.T) {
		for _, m := range mutants {
			if seen[m.name] {
				t.Fatalf("%s is there twice", m.name)
			}
			seen[m.name] = true
			t.Run(m.name, func(t *testing.T) {
				t.Parallel()
				if m.caught(t, root) {
					caught.Add(1)
				}
			})
		}
	})
	t.Logf("%d mutants of %d caught", caught.Load(), len(mutants))
}

func (m *mutant) caught(t *testing.T, root string) bool {
	file := filepath.Join(root, m.file)
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(source), m.from); n != 1 {
		t.Fatalf("%s has this %d times, so the mutant is out of date:\n%s", m.file, n, m.from)
	}
	mutated := filepath.Join(t.TempDir(), "mutated.go")
	if err := os.WriteFile(mutated, []byte(strings.Replace(string(source), m.from, m.to, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	replace := map[string]string{file: mutated}
	left, err := unneeded(filepath.Dir(file), m.run)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range left {
		replace[f] = "" // as if it were not there
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(t.TempDir(), "overlay.json")
	if err := os.WriteFile(overlay, text, 0o644); err != nil {
		t.Fatal(err)
	}
	c := exec.Command("go", "test", "-overlay", overlay, "-tags", "interleave", "-vet=off", "-failfast", "-timeout", "2m",
		"-run", m.run, "./"+filepath.Dir(m.file))
	c.Dir = root
	out, err := c.CombinedOutput()
	said := string(out)
	switch {
	case strings.Contains(said, "[build failed]") || strings.Contains(said, "no tests to run"):
		t.Errorf("it did not run:\n%s", said)
	case err == nil:
		t.Errorf("not caught by %s", m.run)
	case !strings.Contains(said, m.want):
		t.Errorf("caught, but nobody said %q:\n%.3000s", m.want, said)
	default:
		return true
	}
	return false
}
