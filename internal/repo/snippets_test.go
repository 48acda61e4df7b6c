package repo

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"
)

// imported is what the snippets may use without an import of their own.
var imported = map[string]string{
	"context": "context", "errors": "errors", "fmt": "fmt", "io": "io", "log": "log", "os": "os", "time": "time",
	"cpu": module + "/cpu", "ring": module + "/ring", "pool": module + "/pool", "stats": module + "/stats",
	"packet": module + "/packet", "port": module + "/port", "vswitch": module + "/vswitch", "mem": module + "/port/mem",
}

var goBlock = regexp.MustCompile("(?ms)^```go\n(.*?)^```$")

// program makes a whole file of a snippet: one that has a package clause is one already, others are
// the body of a function.
func program(snippet string) string {
	if strings.Contains(snippet, "package ") {
		return snippet
	}
	var imports []string
	for name, path := range imported {
		if regexp.MustCompile(`\b` + name + `\.[A-Z]`).MatchString(snippet) {
			imports = append(imports, fmt.Sprintf("%q", path))
		}
	}
	sort.Strings(imports)
	return "package main\n\nimport (\n" + strings.Join(imports, "\n") + "\n)\n\nfunc main() {\n" + snippet + "\n}\n"
}

func vet(t *testing.T, source string) error {
	t.Helper()
	file := filepath.Join(t.TempDir(), "snippet.go")
	if err := os.WriteFile(file, []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	c := exec.Command("go", "vet", file)
	c.Dir = root
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%v\n%s\n%s", err, out, source)
	}
	return nil
}

// Every Go snippet of the README and the documents compiles and passes vet.
func TestSnippetsCompile(t *testing.T) {
	files, _ := filepath.Glob(root + "/*.md")
	more, _ := filepath.Glob(root + "/docs/*.md")
	decisions, _ := filepath.Glob(root + "/docs/decisions/*.md")
	n := 0
	for _, file := range append(append(files, more...), decisions...) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range goBlock.FindAllStringSubmatch(string(text), -1) {
			n++
			if err := vet(t, program(m[1])); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
	t.Logf("%d snippets", n)
	if n < 3 {
		t.Errorf("%d snippets found, there must be more", n)
	}
	if vet(t, program("pool.NoSuchThing()")) == nil {
		t.Error("a snippet that can't compile was found good")
	}
}
