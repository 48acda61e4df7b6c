// The machine on which it was measured.

package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/ringway-net/ringway/internal/perf"
)

// machine is where and when it was measured, and with what.
type machine struct {
	CPU      string `json:"cpu"`
	Cores    int    `json:"cores"` // that the process may use
	System   string `json:"system"`
	Go       string `json:"go"`
	Pinning  string `json:"pinning"`
	Revision string `json:"revision"` // of Ringway
	Date     string `json:"date"`     // RFC 3339
}

func thisMachine() machine {
	m := machine{
		CPU:      "unknown processor",
		Cores:    runtime.NumCPU(),
		System:   runtime.GOOS + "/" + runtime.GOARCH,
		Go:       runtime.Version(),
		Pinning:  perf.Pinning(),
		Revision: "unknown revision",
		Date:     time.Now().UTC().Format(time.RFC3339),
	}
	if kernel, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.System += ", Linux " + strings.TrimSpace(string(kernel))
	}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
				m.CPU = strings.TrimSpace(value)
				break
			}
		}
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				m.Revision = s.Value[:min(12, len(s.Value))]
			case s.Key == "vcs.modified" && s.Value == "true":
				m.Revision += ", modified"
			}
		}
	}
	return m
}

// lines returns what m says for people.
func (m machine) lines() []string {
	return []string{
		fmt.Sprintf("%s, %d cores; %s; %s", m.CPU, m.Cores, m.System, m.Go),
		fmt.Sprintf("Ringway %s, measured at %s", m.Revision, m.Date),
		m.Pinning,
	}
}
