package repo

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Each row of the tables of misuse in docs/ownership.md names tests, and all of them are there.
func TestMisuseTablesNameTests(t *testing.T) {
	text, err := os.ReadFile(root + "/docs/ownership.md")
	if err != nil {
		t.Fatal(err)
	}
	there := tests(t, `Test\w+`)
	rows := 0
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| misuse |") {
			continue
		}
		rows++
		named := regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(line, -1)
		if len(named) == 0 {
			t.Errorf("no test is named: %s", line)
		}
		for _, name := range named {
			if !slices.Contains(there, name[1]) {
				t.Errorf("there is no %s: %s", name[1], line)
			}
		}
	}
	if rows < 30 {
		t.Errorf("%d rows, there must be more", rows)
	}
}

// What must not be copied is reported by go vet if it is.
func TestVetReportsCopies(t *testing.T) {
	for _, kind := range []string{"ring.Producer[int]", "ring.Consumer[int]", "ring.MPMC[int]", "pool.Pool", "pool.Cache"} {
		if err := vet(t, program("f := func(v *"+kind+") { v.Close() }\nf(nil)")); err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		err := vet(t, program("f := func(v *"+kind+") { c := *v; c.Close() }\nf(nil)"))
		if err == nil || !strings.Contains(err.Error(), "copies lock value") {
			t.Errorf("%s: a copy is not reported: %v", kind, err)
		}
	}
}
