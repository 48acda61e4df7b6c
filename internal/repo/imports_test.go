package repo

import (
	"slices"
	"strings"
	"testing"
)

// layers is the direction of imports: a package imports from layers before its own, or from
// its own where that is named in sideways.
var layers = [][]string{
	{"cpu", "interleave"},
	{"internal/atomic", "internal/sync"},
	{"internal/park"},
	{"ring"},
	{"pool"},
	{"stats", "packet", "internal/capfile", "internal/fd", "internal/mmsg", "internal/netif", "internal/patience", "internal/vnet"},
	{"port"},
	{"internal/udpsock"},
	{"port/afpacket", "port/afxdp", "port/gen", "port/mem", "port/null", "port/pcap", "port/tap", "port/udp", "port/unixsock", "port/vxlan"},
	{"port/all", "port/porttest"},
	{"vswitch", "internal/control"},
	{"internal/perf"},
	{"internal/machine"},
	{"internal/page"},
	{"cmd/ringway"},
}

// testOnly are packages without a place in the layers: only tests use them.
var testOnly = []string{
	"internal/guest", "internal/joined", "internal/mutants", "internal/need", "internal/netlab", "internal/pooltest", "internal/reliability", "internal/repo", "internal/testkit",
}

// core are the packages that import nothing but the standard library and golang.org/x/sys, so that
// a library's user gets nothing else.
var core = []string{"cpu", "interleave", "internal/atomic", "internal/sync", "internal/park", "ring", "pool", "stats", "packet"}

func layer(path string) int {
	return slices.IndexFunc(layers, func(l []string) bool { return slices.Contains(l, path) })
}

// violations returns what is wrong with p's imports.
func violations(p pkg) []string {
	var wrong []string
	own := layer(p.path())
	if own < 0 && !slices.Contains(testOnly, p.path()) {
		return []string{p.path() + " has no place in the layers"}
	}
	for _, imp := range p.Imports {
		if rest, ok := strings.CutPrefix(imp, module+"/"); ok {
			if l := layer(rest); own >= 0 && (l < 0 || l >= own) {
				wrong = append(wrong, p.path()+" imports "+rest+", which is not below it")
			}
			continue
		}
		first, _, _ := strings.Cut(imp, "/")
		if slices.Contains(core, p.path()) && strings.Contains(first, ".") && !strings.HasPrefix(imp, "golang.org/x/sys/") {
			wrong = append(wrong, p.path()+" imports "+imp+", and is a core package")
		}
	}
	return wrong
}

func TestImportDirection(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range packages(t) {
		seen[p.path()] = true
		for _, w := range violations(p) {
			t.Error(w)
		}
	}
	for _, l := range layers {
		for _, path := range l {
			if !seen[path] {
				t.Errorf("%s is in the layers and not in the repository", path)
			}
		}
	}
}

// The rule finds what it is there to find.
func TestImportDirectionFindsViolations(t *testing.T) {
	for _, p := range []pkg{
		{ImportPath: module + "/ring", Imports: []string{module + "/pool"}},
		{ImportPath: module + "/ring", Imports: []string{"github.com/urfave/cli/v3"}},
		{ImportPath: module + "/pool", Imports: []string{module + "/vswitch"}},
		{ImportPath: module + "/stats", Imports: []string{module + "/packet"}},
		{ImportPath: module + "/somewhere/new"},
	} {
		if len(violations(p)) == 0 {
			t.Errorf("%s may import %v", p.ImportPath, p.Imports)
		}
	}
}
