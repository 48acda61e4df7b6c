// Package machine says on what machine a measurement was taken, and whether the machine was calm enough for
// its figures to be trusted.
package machine

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/ringway-net/ringway/internal/perf"
)

// Info is what a measurement depends on. What can't be found out is empty.
type Info struct {
	CPU         string   `json:"cpu,omitempty"`          // the model, as it names itself
	CPUs        int      `json:"cpus"`                   // logical processors that this process may use
	Caches      []string `json:"caches,omitempty"`       // of the first CPU, such as "L2 512K"
	Governor    string   `json:"governor,omitempty"`     // of the first CPU's frequency, such as "performance"
	Pinning     string   `json:"pinning"`                // which threads of the works are pinned to CPUs
	HugePages   string   `json:"huge_pages,omitempty"`   // the mode of transparent huge pages: always, madvise, never
	OS          string   `json:"os"`                     // as GOOS has it
	Arch        string   `json:"arch"`                   // as GOARCH has it
	Kernel      string   `json:"kernel,omitempty"`       // its release
	LoadAverage string   `json:"load_average,omitempty"` // over 1, 5 and 15 minutes
	GOMAXPROCS  int      `json:"gomaxprocs"`             // threads that may run Go code at once
	Go          string   `json:"go"`                     // the version that built this program
}

// Fact is one thing that is known, for people.
type Fact struct{ Name, Value string }

// Read finds out about this machine.
func Read() Info {
	i := Info{
		CPUs: runtime.NumCPU(), Pinning: perf.Pinning(),
		OS: runtime.GOOS, Arch: runtime.GOARCH,
		GOMAXPROCS: runtime.GOMAXPROCS(0), Go: runtime.Version(),
	}
	if runtime.GOOS == "linux" {
		i.readFiles(os.DirFS("/"))
	}
	return i
}

// Facts returns what is known, the most important first.
func (i Info) Facts() []Fact {
	or := func(s, otherwise string) string {
		if s == "" {
			return otherwise
		}
		return s
	}
	facts := []Fact{
		{"CPU", or(i.CPU, "unknown")},
		{"CPUs", fmt.Sprint(i.CPUs)},
		{"GOMAXPROCS", fmt.Sprint(i.GOMAXPROCS)},
		{"governor", or(i.Governor, "unknown")},
		{"pinning", i.Pinning},
		{"caches", strings.Join(i.Caches, ", ")},
		{"huge pages", i.HugePages},
		{"load average", i.LoadAverage},
		{"system", strings.TrimSpace(i.OS + "/" + i.Arch + " " + i.Kernel)},
		{"Go", i.Go},
	}
	var known []Fact
	for _, f := range facts {
		if f.Value != "" {
			known = append(known, f)
		}
	}
	return known
}
