// What Linux tells about the machine in /proc and /sys. The files are read through an fs.FS, so that tests
// can show other machines.

package machine

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// readFiles fills in what the files tell. What is missing stays empty.
func (i *Info) readFiles(root fs.FS) {
	i.CPU = cpuModel(read(root, "proc/cpuinfo"))
	i.Governor = read(root, "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
	i.Kernel = read(root, "proc/sys/kernel/osrelease")
	if f := strings.Fields(read(root, "proc/loadavg")); len(f) >= 3 {
		i.LoadAverage = strings.Join(f[:3], " ")
	}
	if _, rest, ok := strings.Cut(read(root, "sys/kernel/mm/transparent_hugepage/enabled"), "["); ok {
		i.HugePages, _, _ = strings.Cut(rest, "]")
	}
	caches, _ := fs.Glob(root, "sys/devices/system/cpu/cpu0/cache/index*") // the pattern is valid
	for _, c := range caches {
		level, kind, size := read(root, c+"/level"), read(root, c+"/type"), read(root, c+"/size")
		if size == "" || kind == "Instruction" {
			continue
		}
		i.Caches = append(i.Caches, fmt.Sprintf("L%s %s", level, size))
	}
}

// read returns a file without the space around it, or nothing.
func read(root fs.FS, name string) string {
	data, err := fs.ReadFile(root, name)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

// cpuModel returns the model of the first CPU in /proc/cpuinfo; not all architectures tell it.
func cpuModel(cpuinfo string) string {
	for line := range strings.Lines(cpuinfo) {
		key, value, _ := strings.Cut(line, ":")
		switch strings.TrimSpace(key) {
		case "model name", "Model", "cpu model":
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// cpuTimes returns the first line of /proc/stat: the time of all CPUs together since the start, and how much
// of it the host has stolen, both in ticks.
func cpuTimes(root fs.FS) (total, stolen uint64) {
	line, _, _ := strings.Cut(read(root, "proc/stat"), "\n")
	for k, field := range strings.Fields(line) {
		ticks, err := strconv.ParseUint(field, 10, 64)
		if err != nil || k > 8 { // "cpu"; and a guest's time, which is counted as the user's as well
			continue
		}
		total += ticks
		if k == 8 {
			stolen = ticks
		}
	}
	return total, stolen
}
