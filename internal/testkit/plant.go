package testkit

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// Plant is a program with a race in it, for the race detector to find. Run returns if nothing was
// found; it is called again then, since what the scheduler does may give the two accesses an order.
type Plant struct {
	// Where one of the two accesses is made: a part of its function's name, or of its file's. It is empty for a
	// control, a program without a race.
	Where string
	Run   func()
}

// Plants are a package's plants by name. Its TestMain calls Sprout first.
type Plants map[string]Plant

const (
	plantVar    = "RINGWAY_PLANT"
	plantRounds = 100
	raceExit    = 66
)

// Sprout makes this process the plant that Check has started it for, if it is one.
func (ps Plants) Sprout() {
	name := os.Getenv(plantVar)
	if name == "" {
		return
	}
	plant, ok := ps[name]
	if !ok {
		panic(fmt.Sprintf("%s=%s: no such plant", plantVar, name))
	}
	for range plantRounds {
		plant.Run()
	}
	os.Exit(0)
}

// Check runs each plant in a process of its own, built with -race as this one, and fails unless the
// detector has reported a race in the right place, or none in a control.
func (ps Plants) Check(t *testing.T) {
	controls := 0
	for name, plant := range ps {
		if plant.Where == "" {
			controls++
		}
		t.Run(name, func(t *testing.T) {
			report := grow(t, name)
			if plant.Where == "" && report != "" {
				t.Errorf("a race where there is none:\n%s", report)
			}
			if plant.Where != "" && !strings.Contains(accesses(report), plant.Where) {
				t.Errorf("no race reported in %s, but:\n%s", plant.Where, report)
			}
		})
	}
	if controls == 0 || controls == len(ps) {
		t.Errorf("%d of %d plants are controls", controls, len(ps))
	}
}

// grow runs this program again as the plant of that name, and returns the report of a race, or "".
func grow(t *testing.T, name string) (report string) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), plantVar+"="+name,
		fmt.Sprintf("GOMAXPROCS=%d", runtime.GOMAXPROCS(0)), fmt.Sprintf("GORACE=halt_on_error=1 exitcode=%d", raceExit))
	out, err := child.CombinedOutput()
	_, report, found := strings.Cut(string(out), "WARNING: DATA RACE")
	if err != nil && !(found && child.ProcessState.ExitCode() == raceExit) {
		t.Fatalf("%v\n%s", err, out)
	}
	return report
}

// access is how a report tells of one access: a headline, and its stack beginning with function and file. What the
// runtime does for a function, copying for one, is not told apart from it.
var access = regexp.MustCompile(`(?i)(?:read|write) at 0x.* by .*:\n(?:  runtime\..*\n.*\n)*  (.*)\n +(.*)\n`)

// accesses returns the functions and files of the accesses in a report.
func accesses(report string) string {
	var s strings.Builder
	for _, m := range access.FindAllStringSubmatch(report, -1) {
		fmt.Fprintln(&s, m[1], m[2])
	}
	return s.String()
}

// Apart runs fs at the same time in goroutines that nothing orders among each other, and returns when all have ended.
// They may panic: what a race leads to is not what the plant is about.
func Apart(fs ...func()) {
	var g sync.WaitGroup
	for _, f := range fs {
		g.Go(func() {
			defer func() { _ = recover() }()
			f()
		})
	}
	g.Wait()
}
