// How the Rust program is built.

package peers

import (
	"context"
	"path/filepath"
)

// registry is where Debian's packages put the sources of crates.
const registry = "/usr/share/cargo/registry"

// crates are what the program is built on, each after those that it uses. There are few and they
// need nothing of their build scripts, so the compiler alone does, with neither cargo nor a network.
var crates = []struct {
	name, dir string
	uses      []string
}{
	{"cfg_if", "cfg-if", nil},
	{"crossbeam_utils", "crossbeam-utils", []string{"cfg_if"}},
	{"crossbeam_queue", "crossbeam-queue", []string{"cfg_if", "crossbeam_utils"}},
}

// rust is the recipe of a Rust program that uses crossbeam_queue.
type rust struct {
	source string
}

func (r rust) build(ctx context.Context, l library, src, out string) error {
	if err := l.need("rustc"); err != nil {
		return err
	}
	lib := func(crate string) string { return filepath.Join(src, "lib"+crate+".rlib") }
	compile := func(uses []string, args ...string) error {
		args = append(args, "-C", "opt-level=3", "-C", "target-cpu=native", "-L", src)
		for _, u := range uses {
			args = append(args, "--extern", u+"="+lib(u))
		}
		return run(ctx, "rustc", args...)
	}
	for _, c := range crates {
		found, err := filepath.Glob(filepath.Join(registry, c.dir+"-[0-9]*", "src", "lib.rs"))
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return l.missing()
		}
		newest := found[len(found)-1]
		err = compile(c.uses, "--crate-type", "rlib", "--crate-name", c.name, "--edition", "2018", "--cap-lints", "allow",
			"--cfg", `feature="alloc"`, "--cfg", `feature="std"`, "-o", lib(c.name), newest)
		if err != nil {
			return err
		}
	}
	return compile([]string{"crossbeam_queue"}, "--edition", "2021", "-o", out, filepath.Join(src, r.source))
}
