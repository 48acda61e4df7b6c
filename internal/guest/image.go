//go:build linux

// What a guest boots from: a kernel that is installed, and an archive made for it.

package guest

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/ringway-net/ringway/internal/need"
	"github.com/ringway-net/ringway/internal/netlab"
)

// kernel is one that is installed.
type kernel struct{ image, modules string }

// newestKernel finds the newest kernel in /boot that has its modules.
func newestKernel(t netlab.T) kernel {
	t.Helper()
	images, _ := filepath.Glob("/boot/vmlinuz-*")
	slices.SortFunc(images, byVersion)
	for _, image := range slices.Backward(images) {
		k := kernel{image, filepath.Join("/lib/modules", strings.TrimPrefix(image, "/boot/vmlinuz-"))}
		if _, err := os.Stat(filepath.Join(k.modules, "modules.dep")); err == nil {
			return k
		}
	}
	need.Missing(t, "there is no kernel for a guest in /boot, with modules in /lib/modules: apt-get install linux-image-cloud-amd64")
	return kernel{}
}

// byVersion compares names by their numbers, as numbers: 6.1.0-9 is before 6.1.0-10.
func byVersion(a, b string) int { return slices.Compare(numbers(a), numbers(b)) }

func numbers(s string) (all []int) {
	for _, f := range strings.FieldsFunc(s, func(r rune) bool { return r < '0' || r > '9' }) {
		n, _ := strconv.Atoi(f) // one beyond int is the largest
		all = append(all, n)
	}
	return all
}

// drivers are what a guest needs beside what is built into its kernel.
var drivers = []string{"virtio_pci", "virtio_net", "af_packet", "8021q"}

// files returns the files of modules and of what they need, in the order in which they have to be loaded. A name that is not there is
// built in.
func (k kernel) files(names ...string) (paths []string, err error) {
	text, err := os.ReadFile(filepath.Join(k.modules, "modules.dep"))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		for line := range strings.Lines(string(text)) {
			file, needs, _ := strings.Cut(line, ":")
			if base, _, _ := strings.Cut(filepath.Base(file), "."); strings.ReplaceAll(base, "-", "_") != name {
				continue
			}
			all := append([]string{file}, strings.Fields(needs)...)
			for _, f := range slices.Backward(all) { // what is needed by all others is the last
				if f = filepath.Join(k.modules, f); !slices.Contains(paths, f) {
					paths = append(paths, f)
				}
			}
		}
	}
	return paths, nil
}

// image is the archive that kernel k boots from: busybox, drivers, and what is to be done.
func image(t netlab.T, k kernel, c Config) []byte {
	t.Helper()
	busybox := need.Program(t, "busybox")
	if f, err := elf.Open(busybox); err != nil {
		t.Fatalf("%s: %v", busybox, err)
	} else if libs, _ := f.ImportedLibraries(); len(libs) > 0 {
		need.Missing(t, "busybox needs shared libraries, which a guest doesn't have: apt-get install busybox-static")
	}
	paths, err := k.files(drivers...)
	if err != nil {
		t.Fatalf("%v", err)
	}
	var a archive
	for _, d := range []string{"bin", "dev", "proc", "sys", "tmp", "modules"} {
		a.add(d, 0o040755, 0, nil)
	}
	a.add("dev/console", 0o020600, 5<<8|1, nil) // the first process's stdout, before there is a /dev
	for i, from := range append([]string{busybox}, paths...) {
		content, err := os.ReadFile(from)
		if err != nil {
			t.Fatalf("%v", err)
		}
		to := "bin/busybox"
		if i > 0 {
			to = fmt.Sprintf("modules/%02d-%s", i, filepath.Base(from))
		}
		a.add(to, 0o100755, 0, content)
	}
	a.add("init", 0o100755, 0, []byte(script(c)))
	return a.end()
}

// script is the guest's first process. It sets up what Config says, and is a shell then, on the second serial line: it
// reads a line, runs it, and says how that ended.
func script(c Config) string {
	var setup strings.Builder
	if c.MTU > 0 {
		fmt.Fprintf(&setup, "ip link set eth0 mtu %d\n", c.MTU)
	}
	for _, addr := range c.Addrs {
		fmt.Fprintf(&setup, "ip addr add %s dev eth0\n", addr)
	}
	return fmt.Sprintf(`#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t devtmpfs none /dev
mount -t proc none /proc
mount -t sysfs none /sys
stty -F /dev/ttyS1 raw -echo
exec </dev/ttyS1 >/dev/ttyS1 2>&1
setup() {
set -e
for m in /modules/*; do insmod $m; done
for key in accept_dad router_solicitations; do echo 0 >/proc/sys/net/ipv6/conf/eth0/$key; done
%sip link set eth0 up
ip link set lo up
}
(setup)
echo "%s$?"
while read -r line; do
	(eval "$line") </dev/null
	echo "%[2]s$?"
done
poweroff -f
`, setup.String(), done)
}

// archive is a cpio archive in the format "newc", which the kernel unpacks (its documentation: driver-api/early-userspace/buffer-format).
type archive struct {
	bytes.Buffer
	files int
}

// add adds a file; mode has its type, as in stat.
func (a *archive) add(name string, mode, device int, content []byte) {
	a.files++
	fmt.Fprintf(a, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
		a.files, mode, 0, 0, 1, 0, len(content), 0, 0, device>>8, device&0xff, len(name)+1, 0)
	a.WriteString(name + "\x00")
	a.align()
	a.Write(content)
	a.align()
}

func (a *archive) align() { a.Write(make([]byte, -a.Len()&3)) }

func (a *archive) end() []byte {
	a.add("TRAILER!!!", 0, 0, nil)
	return a.Bytes()
}
