// Building what is installed, and running all that it has.

package peers

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fewItems is enough to go around every capacity but the largest, and not a multiple of any burst.
const fewItems = 20_001

func TestPeers(t *testing.T) {
	built, skipped := Build(t.Context(), t.TempDir())
	for _, s := range skipped {
		t.Run(s.Name, func(t *testing.T) {
			if s.Err != nil || os.Getenv("RINGWAY_CI") == "1" {
				t.Fatal(s.Reason)
			}
			t.Skip(s.Reason)
		})
	}
	for _, b := range built {
		t.Run(b.Name, func(t *testing.T) {
			p, err := b.Start()
			if err != nil {
				t.Fatal(err)
			}
			if len(p.Works()) == 0 {
				t.Error("no works")
			}
			for _, w := range p.Works() {
				// Twice: the second time on what the first has left.
				for range 2 {
					figures, err := p.Run(w.Name, w.Impl, fewItems, time.Minute)
					if err != nil {
						t.Fatal(err)
					}
					checkFigures(t, w, figures)
				}
			}
			if _, err := p.Run("no", "such", fewItems, time.Minute); err == nil {
				t.Error("no error for an unknown work")
			}
			if _, err := p.Run(p.Works()[0].Name, p.Works()[0].Impl, 0, time.Minute); err == nil {
				t.Error("no error for no items")
			}
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func checkFigures(t *testing.T, w Work, figures map[string]float64) {
	t.Helper()
	want := []string{"ns"}
	if w.Name == "pingpong" {
		want = []string{"p50", "p99", "p999"}
	}
	if w.Name == "mpmc/single/8p8c" {
		want = append(want, "p999")
	}
	for _, name := range want {
		if figures[name] <= 0 {
			t.Errorf("%v: %s is not in %v", w, name, figures)
		}
	}
	if len(figures) != len(want) {
		t.Errorf("%v: figures %v, want %v", w, figures, want)
	}
}

func TestBuildTellsMissingFromBroken(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "broken.cc"), []byte("int main() { return nonsense; }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := (library{}).need("g++"); err != nil {
		t.Skip(err)
	}
	out := filepath.Join(dir, "out")
	for _, c := range []struct {
		recipe  cxx
		missing bool
		want    string
	}{
		{cxx{source: "broken.cc", header: "ringway/no-such.h"}, true, "libnone-dev is not installed: apt-get install libnone-dev"},
		{cxx{source: "broken.cc", header: "vector"}, false, "nonsense"},
	} {
		err := c.recipe.build(t.Context(), library{name: "test", packages: "libnone-dev none"}, dir, out)
		if err == nil || errors.As(err, new(missing)) != c.missing || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v", c.recipe, err)
		}
	}
}

// Where there is no compiler, each peer is skipped by name, with one line that brings all it takes.
func TestBuildWithoutCompilers(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	built, skipped := Build(t.Context(), t.TempDir())
	if len(built) != 0 || len(skipped) != len(libraries) {
		t.Fatalf("%v are built, %v skipped", built, skipped)
	}
	for i, s := range skipped {
		l := libraries[i]
		if s.Err != nil || !strings.HasPrefix(s.Reason, l.name+": ") || !strings.Contains(s.Reason, "apt-get install ") || !strings.HasSuffix(s.Reason, l.packages) {
			t.Errorf("%+v", s)
		}
	}
}

// A build that is interrupted ends at once, and is no missing package.
func TestBuildInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	built, skipped := Build(ctx, t.TempDir())
	if len(built) != 0 {
		t.Errorf("%v are built", built)
	}
	for _, s := range skipped {
		if s.Err != nil && !errors.Is(s.Err, context.Canceled) {
			t.Errorf("%+v", s)
		}
	}
}
