// How C++ programs are built.

package peers

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// cxx is the recipe of a C++ program. Its library is known to pkg-config, or else has a header where
// the compiler looks.
type cxx struct {
	source, pkgConfig, header string
}

func (c cxx) build(ctx context.Context, l library, src, out string) error {
	if err := l.need("g++"); err != nil {
		return err
	}
	var cflags, libs []string
	if c.pkgConfig != "" {
		if err := l.need("pkg-config"); err != nil {
			return err
		}
		if exec.Command("pkg-config", "--exists", c.pkgConfig).Run() != nil {
			return l.missing()
		}
		var err error
		if cflags, err = flags("--cflags", c.pkgConfig); err != nil {
			return err
		}
		if libs, err = flags("--libs", c.pkgConfig); err != nil {
			return err
		}
	} else if !hasHeader(ctx, c.header) {
		return l.missing()
	}
	args := append([]string{"-std=c++20", "-O3"}, cflags...)
	args = append(args, "-march=native") // after DPDK's flags: they have another, and the last one counts
	args = append(args, "-o", out, filepath.Join(src, c.source))
	return run(ctx, "g++", append(args, libs...)...)
}

func flags(which, pkg string) ([]string, error) {
	out, err := exec.Command("pkg-config", which, pkg).Output()
	if err != nil {
		return nil, fmt.Errorf("pkg-config %s %s: %w", which, pkg, err)
	}
	return strings.Fields(string(out)), nil
}

func hasHeader(ctx context.Context, header string) bool {
	probe := exec.CommandContext(ctx, "g++", "-E", "-x", "c++", "-")
	probe.Stdin = strings.NewReader(fmt.Sprintf("#if !__has_include(<%s>)\n#error\n#endif\n", header))
	return probe.Run() == nil
}
