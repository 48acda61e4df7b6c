package repo

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// tests returns the names of all tests and fuzz targets that match, those in files that are not built here
// too.
func tests(t *testing.T, name string) (all []string) {
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
			for _, m := range regexp.MustCompile(`(?m)^func (`+name+`)\(`).FindAllSubmatch(source, -1) {
				all = append(all, string(m[1]))
			}
		}
	}
	return all
}

// named returns the names in a document that match.
func named(t *testing.T, document, name string) (all []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, document))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("`("+name+")[`/]").FindAllSubmatch(text, -1) {
		all = append(all, string(m[1]))
	}
	return all
}

// docs/seed.md names tests, and all of them are there; and no test of that sort is missing in it.
func TestSeedTableNamesTests(t *testing.T) {
	const name = `Test(?:Seed|Fault)\w+`
	said, there := named(t, "docs/seed.md", name), tests(t, name)
	for _, name := range said {
		if !slices.Contains(there, name) {
			t.Errorf("docs/seed.md names %s, and there is no such test", name)
		}
	}
	for _, name := range there {
		if p := "TestSeedTableNamesTests"; name != p && !slices.Contains(said, name) {
			t.Errorf("docs/seed.md does not name %s", name)
		}
	}
}

// docs/reliability.md names tests that are there, and all explorations and fuzz targets.
func TestReliabilityNamesTests(t *testing.T) {
	const name = `(?:Test|Fuzz)\w+`
	there := tests(t, name)
	said := named(t, "docs/reliability.md", name)
	if len(said) < 50 {
		t.Errorf("docs/reliability.md names %d tests, there must be more", len(said))
	}
	for _, name := range said {
		if !slices.Contains(there, name) {
			t.Errorf("docs/reliability.md names %s, and there is no such test", name)
		}
	}
	for _, name := range tests(t, `(?:TestInterleave|Fuzz)\w+`) {
		if !slices.Contains(said, name) {
			t.Errorf("docs/reliability.md does not name %s", name)
		}
	}
}
