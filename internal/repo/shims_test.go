package repo

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// shimmed are the packages whose atomics and locks the explorer of schedules can take over.
var shimmed = []string{"internal/park", "ring", "pool", "stats", "vswitch"}

// plainly returns a file's source with sync/atomic in place of our package of the same name, and
// without what stands under interleave.On. Lines stay where they are.
func plainly(t *testing.T, source []byte) (plain []byte, guards int) {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	plain = bytes.Clone(source)
	blank := func(n ast.Node) {
		for i := fset.Position(n.Pos()).Offset; i < fset.Position(n.End()).Offset; i++ {
			if plain[i] != '\n' {
				plain[i] = ' '
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.IfStmt); ok {
			if c, ok := s.Cond.(*ast.SelectorExpr); ok && c.Sel.Name == "On" {
				blank(s)
				guards++
				return false
			}
		}
		return true
	})
	for _, imp := range file.Imports {
		if strings.HasSuffix(imp.Path.Value, `/interleave"`) {
			blank(imp)
		}
	}
	plain = bytes.Replace(plain, []byte(`"`+module+`/internal/atomic"`), []byte(`"sync/atomic"`), 1)
	// Of our package sync, Token is its own; for its aliases it is enough that the compiler knows sync.
	plain = bytes.Replace(plain, []byte(`"`+module+`/internal/sync"`), []byte(`"`+module+`/internal/sync"; _ "sync"`), 1)
	return plain, guards
}

// assembly returns what the compiler makes of a package, with files replaced as in overlay.
func assembly(t *testing.T, pkg string, overlay map[string]string) string {
	t.Helper()
	text, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "overlay.json")
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	// An archive of its own cache: the compiler says nothing about what is there already.
	c := exec.Command("go", "build", "-overlay", file, "-gcflags=-S", "./"+pkg)
	c.Dir = root
	c.Env = append(os.Environ(), "GOFLAGS=", "CGO_ENABLED=0")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%.2000s", err, out)
	}
	return string(out)
}

// hot are functions that the comparison must have seen.
var hot = map[string]string{
	"internal/park": "park.(*List).Wake", "ring": "ring.(*Producer[go.shape.uint64]).TryPush", "pool": "pool.(*Cache).PutBurst", "stats": "stats.(*Shard).Publish",
	"vswitch": "vswitch.(*way).direct",
}

// hotCalls is the body of a function that calls the methods of rings which must be quick, so that the compiler
// compiles the generic ones.
const hotCalls = `{
	p.TryPush(0)
	p.PushBurst(vs)
	p.Commit(len(vs))
	c.TryPop()
	c.PopBurst(vs)
	c.Advance(len(vs))
	m.TryPush(0)
	m.PushBurst(vs)
	m.TryPop()
	m.PopBurst(vs)
}
`

// instances makes the compiler compile them in their own package.
const instances = `package ring

func instances(p *Producer[uint64], c *Consumer[uint64], m *MPMC[uint64], vs []uint64) ` + hotCalls

// What the explorer needs costs other builds nothing: the compiler makes the same instructions of
// these packages as if they used sync/atomic and had no reports for it.
func TestShimsCostNothing(t *testing.T) {
	for _, name := range shimmed {
		overlay := map[string]string{}
		all := 0
		dir, err := filepath.Abs(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		files, _ := filepath.Glob(filepath.Join(dir, "*.go"))
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			source, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			plain, guards := plainly(t, source)
			all += guards
			overlay[f] = filepath.Join(t.TempDir(), filepath.Base(f))
			if err := os.WriteFile(overlay[f], plain, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		plus := map[string]string{}
		if name == "ring" {
			file := filepath.Join(t.TempDir(), "instances.go")
			if err := os.WriteFile(file, []byte(instances), 0o644); err != nil {
				t.Fatal(err)
			}
			overlay[filepath.Join(dir, "instances.go")] = file
			plus[filepath.Join(dir, "instances.go")] = file
		}
		with, without := instructions(assembly(t, name, plus)), instructions(assembly(t, name, overlay))
		if !strings.Contains(with, hot[name]) {
			t.Errorf("%s: %s is not in the assembly", name, hot[name])
		}
		if all == 0 {
			t.Errorf("%s: no guards found", name)
		}
		if with != without {
			a, b := strings.Split(with, "\n"), strings.Split(without, "\n")
			for i := range min(len(a), len(b)) {
				if a[i] != b[i] {
					t.Errorf("%s, line %d of the assembly:\n%s\n%s", name, i, a[i], b[i])
					break
				}
			}
		}
		t.Logf("%s: %d guards, %d lines of assembly", name, all, strings.Count(with, "\n"))
	}
}

var (
	// instruction is a line of machine code: its address, its place in the source, and itself.
	instruction = regexp.MustCompile(`^\t0x[0-9a-f]+ \d+ \([^)]*\)\t(.*)$`)
	function    = regexp.MustCompile(`^(\S+) STEXT.* size=\d+`)
)

// instructions leaves what is executed of a listing.
func instructions(listing string) string {
	var s strings.Builder
	for _, line := range strings.Split(listing, "\n") {
		if m := function.FindString(line); m != "" {
			s.WriteString(m + "\n")
		} else if m := instruction.FindStringSubmatch(line); m != nil && !strings.HasPrefix(m[1], "PCDATA") && !strings.HasPrefix(m[1], "FUNCDATA") {
			s.WriteString(m[1] + "\n")
		}
	}
	return s.String()
}
