package testkit

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// Plant is a program with a race in it, for the race detector to find. Run returns if nothing was
// found; it is called again then, since what the scheduler does may give the two accesses an order.
type Plant struct {
	// Where one of the two accesses is made: within the function whose name has this in it, or Itself. It is empty
	// for a control, a program without a race.
	Where string
	Run   func()
}

// Itself is Where the plant itself touches what is not its own any more.
const Itself = "the plant itself"

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
			Watchdog(t)
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

// accesses returns the functions on the stacks of the two accesses in a report: as far as to the plant's own, which is
// made in an init function, or Itself if it was that.
func accesses(report string) string {
	var all []string
	for block := range strings.SplitSeq(report, "\n\n") {
		headline, stack, _ := strings.Cut(strings.TrimSpace(block), "\n")
		if !strings.Contains(strings.ToLower(headline), "read at ") && !strings.Contains(strings.ToLower(headline), "write at ") {
			continue
		}
		before := len(all)
		for line := range strings.Lines(stack) {
			function := strings.TrimSpace(line)
			if strings.HasPrefix(line, "      ") || strings.HasPrefix(function, "runtime.") {
				continue // a file, or what the runtime does for its caller, such as copying
			}
			if strings.Contains(function, ".init.") {
				if len(all) == before {
					all = append(all, Itself)
				}
				break
			}
			all = append(all, function)
		}
	}
	return strings.Join(all, "\n")
}

// Apart runs fs at the same time in goroutines that nothing orders among each other, and returns when all have ended.
func Apart(fs ...func()) {
	var g sync.WaitGroup
	for _, f := range fs {
		g.Go(f)
	}
	g.Wait()
}
