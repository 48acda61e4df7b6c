package repo

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

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
	var there []string
	for _, p := range packages(t) {
		for _, f := range append(p.TestGoFiles, p.XTestGoFiles...) {
			source, err := os.ReadFile(filepath.Join(p.Dir, f))
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range regexp.MustCompile(`(?m)^func (Test(?:Seed|Fault)\w+)\(`).FindAllSubmatch(source, -1) {
				there = append(there, string(name[1]))
			}
		}
	}
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
