// Reliability repeats what docs/reliability.md claims of the concurrent core and of hostile input: all
// explorations of schedules, all mutants, every fuzz target for a while; and with -long stress under the
// race detector besides. It fails if anything does, or if the document's table of schedules is
// not what the explorations have said.
//
//	go run ./internal/reliability           what CI runs, a few minutes
//	go run ./internal/reliability -long     deeper explorations, hours of stress and fuzzing
//	go run ./internal/reliability -write    write the tables of the document anew
package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

const document = "docs/reliability.md"

func main() {
	long := flag.Bool("long", false, "one more preemption in bounded explorations, stress 50 times as long under the race detector, 20 minutes for each fuzz target")
	write := flag.Bool("write", false, "write the tables of "+document+" anew, those of fuzzing only if -fuzztime is 2m or more")
	fuzztime := flag.Duration("fuzztime", 10*time.Second, "how long to run each fuzz target; 0 for none")
	flag.Parse()
	if flag.NArg() > 0 || *fuzztime < 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*long, *write, *fuzztime); err != nil {
		fmt.Fprintln(os.Stderr, "reliability:", err)
		os.Exit(1)
	}
}

func run(long, write bool, fuzztime time.Duration) error {
	if _, err := os.Stat(document); err != nil {
		return fmt.Errorf("%w: run this in the root of the repository", err)
	}
	if long {
		os.Setenv("RINGWAY_LONG", "50")
		fuzztime = max(fuzztime, 20*time.Minute)
	}
	schedules, err := explore()
	if err != nil {
		return err
	}
	if err := settle("schedules", schedules, write, !long); err != nil {
		return err
	}
	caught, err := mutants()
	if err != nil {
		return err
	}
	if err := settle("mutants", []string{caught}, write, true); err != nil {
		return err
	}
	if long {
		if _, err := command("go", "test", "-race", "-cpu", "1,2,4", "-timeout", "24h", "-run", "Stress|Linearizable|Model|Ownership", "./ring", "./pool", "./internal/park", "./stats", "./vswitch"); err != nil {
			return err
		}
	}
	if fuzztime == 0 {
		return nil
	}
	inputs, err := fuzz(fuzztime)
	if err != nil {
		return err
	}
	return settle("inputs", inputs, write && fuzztime >= 2*time.Minute, false)
}

// command runs a command, shows what it prints, and returns it.
func command(name string, args ...string) (string, error) {
	fmt.Println("$", name, strings.Join(args, " "))
	var out bytes.Buffer
	c := exec.Command(name, args...)
	c.Stdout = io.MultiWriter(&out, os.Stdout)
	c.Stderr = os.Stderr
	if err := c.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return out.String(), nil
}

// test is a test function of a package.
type test struct{ pkg, name string }

// declared returns the tests whose names begin like this, of all packages in their order. It reads them in the sources: to build
// every package's tests only to ask them takes a minute.
func declared(prefix string, flags ...string) (all []test, err error) {
	const files = "{{$p := .}}{{range .TestGoFiles}}{{$p.ImportPath}}\t{{$p.Dir}}/{{.}}\n{{end}}{{range .XTestGoFiles}}{{$p.ImportPath}}\t{{$p.Dir}}/{{.}}\n{{end}}"
	list, err := exec.Command("go", slices.Concat([]string{"list", "-f", files}, flags, []string{"./..."})...).Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	function := regexp.MustCompile(`(?m)^func (` + prefix + `\w*)\(`)
	for line := range strings.Lines(string(list)) {
		pkg, file, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if !ok {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for _, m := range function.FindAllSubmatch(source, -1) {
			all = append(all, test{pkg, string(m[1])})
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no test is called %s…", prefix)
	}
	return all, nil
}

var said = regexp.MustCompile(`interleave: (\d+) schedules, \d+ pruned, of up to (\d+) steps, (?:all|those of up to (\d+ preemptions))`)

// explore runs all explorations and returns the table of them.
func explore() (table []string, err error) {
	tests, err := declared("TestInterleave", "-tags", "interleave")
	if err != nil {
		return nil, err
	}
	args := []string{"test", "-tags", "interleave", "-run", "Interleave", "-timeout", "24h", "-json"}
	for _, t := range tests {
		if !slices.Contains(args, t.pkg) {
			args = append(args, t.pkg)
		}
	}
	fmt.Println("$ go", strings.Join(args, " "))
	c := exec.Command("go", args...)
	c.Stderr = os.Stderr
	pipe, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(pipe)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var event struct{ Action, Package, Test, Output string }
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			return nil, fmt.Errorf("go test -json: %w: %s", err, lines.Text())
		}
		if m := said.FindStringSubmatch(event.Output); m != nil {
			table = append(table, fmt.Sprintf("| %s | `%s` | %s | %s | %s |", path.Base(event.Package), event.Test, cmp.Or(m[3], "all"), m[1], m[2]))
		} else if event.Action == "output" && !strings.HasPrefix(strings.TrimSpace(event.Output), "=== ") && !strings.Contains(event.Output, "--- PASS") {
			fmt.Print(event.Output)
		}
	}
	if err := errors.Join(lines.Err(), c.Wait()); err != nil {
		return nil, fmt.Errorf("explorations: %w", err)
	}
	slices.Sort(table) // packages are tested side by side
	fmt.Printf("%d cases explored\n", len(table))
	return append([]string{"| package | case | which | schedules | steps of the longest |", "|---|---|---|---|---|"}, table...), nil
}

// mutants returns how many of how many mutants were caught, which must be all.
func mutants() (string, error) {
	out, err := command("go", "test", "-tags", "mutants", "-timeout", "30m", "-v", "-run", "TestMutants", "./internal/mutants")
	if err != nil {
		return "", err
	}
	m := regexp.MustCompile(`(\d+) mutants of (\d+) caught`).FindStringSubmatch(out)
	if m == nil || m[1] != m[2] {
		return "", fmt.Errorf("mutants: %v", m)
	}
	return "**" + m[0] + ".**", nil
}

// fuzz runs every fuzz target, as many side by side as there are processors, and returns the table of how many inputs each
// has tried.
func fuzz(d time.Duration) ([]string, error) {
	targets, err := declared("Fuzz")
	if err != nil {
		return nil, err
	}
	table := make([]string, len(targets))
	errs := make([]error, len(targets))
	next := make(chan int)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := range next {
				table[i], errs[i] = targets[i].fuzz(d)
			}
		})
	}
	for i := range targets {
		next <- i
	}
	close(next)
	workers.Wait()
	return append([]string{"| package | target | inputs |", "|---|---|---|"}, table...), errors.Join(errs...)
}

// fuzz runs a target on one processor, and returns its line of the table.
func (t test) fuzz(d time.Duration) (line string, err error) {
	// Without a limit Go spends most of its time on making inputs smaller.
	args := []string{"test", "-vet=off", "-run", "^$", "-fuzz", "^" + t.name + "$", "-parallel", "1", "-fuzztime", d.String(), "-fuzzminimizetime", "10x", t.pkg}
	text, err := exec.Command("go", args...).CombinedOutput()
	out := string(text)
	fmt.Printf("$ go %s\n%s", strings.Join(args, " "), out) // in one piece: others run at the same time
	// Now and then Go takes the end of its own time for a failure. A real one has an input.
	if err != nil && (!strings.Contains(out, "context deadline exceeded") || strings.Contains(out, "Failing input written")) {
		return "", fmt.Errorf("fuzzing %s of %s: %w", t.name, t.pkg, err)
	}
	// At first it tries what earlier runs have kept, which may be much, and counts that in another way.
	all := regexp.MustCompile(`execs: (\d+)|gathering baseline coverage: ([1-9]\d*)/`).FindAllStringSubmatch(out, -1)
	if len(all) == 0 {
		return "", fmt.Errorf("%s said nothing of how many inputs it tried", t.name)
	}
	last := all[len(all)-1]
	_, rel, _ := strings.Cut(t.pkg, "/ringway/")
	return fmt.Sprintf("| %s | `%s` | %s |", rel, t.name, cmp.Or(last[1], last[2])), nil
}

// settle writes a table into the document, or compares the two.
func settle(name string, table []string, write, compare bool) error {
	text, err := os.ReadFile(document)
	if err != nil {
		return err
	}
	begin, end := "<!-- "+name+" -->\n", "<!-- end -->"
	before, rest, ok := strings.Cut(string(text), begin)
	there, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		return fmt.Errorf("%s has no %q with %q behind it", document, begin, end)
	}
	want := strings.Join(table, "\n") + "\n"
	if write {
		return os.WriteFile(document, []byte(before+begin+want+end+after), 0o644)
	}
	if compare && there != want {
		for _, line := range table {
			if !strings.Contains(there, line+"\n") {
				fmt.Println("not in the document:", line)
			}
		}
		return fmt.Errorf("%s: its table of %s is not what this run has said; go run ./internal/reliability -write makes it anew", document, name)
	}
	return nil
}
