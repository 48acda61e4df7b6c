package repo

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// tests returns the names of all tests in the repository that begin as the pattern says, those in files that are
// not built here too.
func tests(t *testing.T, prefix string) (names []string) {
	t.Helper()
	for _, p := range packages(t) {
		files, err := filepath.Glob(filepath.Join(p.Dir, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			source, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range regexp.MustCompile(`(?m)^func (`+prefix+`\w*)\(`).FindAllSubmatch(source, -1) {
				names = append(names, string(name[1]))
			}
		}
	}
	return names
}

// docs/seed.md names tests, and all of them are there; and no test of that sort is missing in it.
func TestSeedTableNamesTests(t *testing.T) {
	text, err := os.ReadFile(root + "/docs/seed.md")
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, name := range regexp.MustCompile("`(Test(?:Seed|Fault)\\w+)`").FindAllSubmatch(text, -1) {
		named = append(named, string(name[1]))
	}
	there := tests(t, "Test(?:Seed|Fault)")
	for _, name := range named {
		if !slices.Contains(there, name) {
			t.Errorf("docs/seed.md names %s, and there is no such test", name)
		}
	}
	for _, name := range there {
		if p := "TestSeedTableNamesTests"; name != p && !slices.Contains(named, name) {
			t.Errorf("docs/seed.md does not name %s", name)
		}
	}
}
