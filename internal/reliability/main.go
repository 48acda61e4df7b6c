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
	"slices"
	"strings"
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

var said = regexp.MustCompile(`interleave: (\d+) schedules, \d+ pruned, of up to (\d+) steps, (?:all|those of up to (\d+ preemptions))`)

// explore runs all explorations and returns the table of them.
func explore() (table []string, err error) {
	fmt.Println("$ go test -tags interleave -run Interleave -v ./...")
	c := exec.Command("go", "test", "-tags", "interleave", "-run", "Interleave", "-timeout", "24h", "-json", "./...")
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

// fuzz runs every fuzz target and returns the table of how many inputs each has tried.
func fuzz(d time.Duration) (table []string, err error) {
	list, err := exec.Command("go", "list", "./...").Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	table = []string{"| package | target | inputs |", "|---|---|---|"}
	for _, pkg := range strings.Fields(string(list)) {
		names, err := exec.Command("go", "test", "-list", "^Fuzz", pkg).Output()
		if err != nil {
			return nil, fmt.Errorf("go test -list %s: %w", pkg, err)
		}
		for _, target := range regexp.MustCompile(`(?m)^Fuzz\w+$`).FindAllString(string(names), -1) {
			// Without a limit Go spends most of its time on making inputs smaller.
			out, err := command("go", "test", "-run", "^$", "-fuzz", "^"+target+"$", "-fuzztime", d.String(), "-fuzzminimizetime", "10x", pkg)
			// Now and then Go takes the end of its own time for a failure. A real one has an input.
			if err != nil && (!strings.Contains(out, "context deadline exceeded") || strings.Contains(out, "Failing input written")) {
				return nil, err
			}
			all := regexp.MustCompile(`execs: (\d+)`).FindAllStringSubmatch(out, -1)
			if len(all) == 0 {
				return nil, fmt.Errorf("%s said nothing of how many inputs it tried", target)
			}
			_, rel, _ := strings.Cut(pkg, "/ringway/")
			table = append(table, fmt.Sprintf("| %s | `%s` | %s |", rel, target, all[len(all)-1][1]))
		}
	}
	return table, nil
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
