package repo

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// user is a package that uses rings and nothing else of ours: their methods are compiled there.
const user = `package user

import "` + module + `/ring"

func Use(p *ring.Producer[uint64], c *ring.Consumer[uint64], m *ring.MPMC[uint64], vs []uint64) ` + hotCalls

// small are calls that are meant to be inlined: an atomic that is one, or a look whether anybody waits.
var small = regexp.MustCompile(`\tCALL\t(sync/atomic\.\S+|` + module + `/internal/park\.\(\*List\)\.(Wake|WakeAll|Waiting))\(SB\)`)

// In a package of a user's, no method of a ring calls what it could have inline, on the processors that have atomics as
// instructions which the compiler knows.
func TestUsersInline(t *testing.T) {
	file := filepath.Join(t.TempDir(), "user.go")
	if err := os.WriteFile(file, []byte(user), 0o644); err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, arch := range []string{"amd64", "arm64"} {
		t.Setenv("GOARCH", arch)
		text := assembly(t, "user", map[string]string{filepath.Join(dir, "user", "user.go"): file})
		for _, call := range small.FindAllString(text, -1) {
			t.Errorf("%s: not inlined:%s", arch, call)
		}
		if !strings.Contains(text, "ring.(*MPMC[go.shape.uint64]).TryPush STEXT") {
			t.Errorf("%s: the ring's methods are not in the assembly", arch)
		}
	}
}
