// The protocol, against a program that misbehaves in each way.

package peers

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// The test's own binary is the program, if this says how it behaves.
const fake = "RINGWAY_FAKE_PEER"

func TestMain(m *testing.M) {
	if how := os.Getenv(fake); how != "" {
		behave(how)
		return
	}
	os.Exit(m.Run())
}

func behave(how string) {
	fmt.Fprintln(os.Stderr, "fake:", how)
	for s := bufio.NewScanner(os.Stdin); s.Scan(); {
		switch request := strings.Fields(s.Text()); {
		case how == "dies at once":
			os.Exit(3)
		case how == "lists nonsense":
			fmt.Println("one two three")
		case request[0] == "list":
			fmt.Println("spsc/single fake\npingpong fake\nend")
		case how == "dies":
			fmt.Fprint(os.Stderr, strings.Repeat("x", 2*tailSize), "last words\n")
			os.Exit(4)
		case how == "hangs":
			select {}
		case how == "says nonsense":
			fmt.Println("maybe")
		case how == "has no figure":
			fmt.Println("ok ns=fast")
		case request[1] == "pingpong":
			fmt.Println("ok p50=100 p99=2e2 p999=300.5")
		case request[3] == "1":
			fmt.Println("err too few")
		default:
			fmt.Println("ok ns=3.21")
		}
	}
	if how == "ends badly" {
		os.Exit(5)
	}
}

func startFake(t *testing.T, how string) (*Process, error) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fake+"="+how)
	return start("fake", cmd)
}

func TestProcess(t *testing.T) {
	p, err := startFake(t, "well")
	if err != nil {
		t.Fatal(err)
	}
	if want := []Work{{"spsc/single", "fake"}, {"pingpong", "fake"}}; !slices.Equal(p.Works(), want) {
		t.Errorf("works: %v, want %v", p.Works(), want)
	}
	for _, c := range []struct {
		work string
		n    int
		want map[string]float64
	}{
		{"spsc/single", 100, map[string]float64{"ns": 3.21}},
		{"pingpong", 100, map[string]float64{"p50": 100, "p99": 200, "p999": 300.5}},
	} {
		got, err := p.Run(c.work, "fake", c.n, time.Minute)
		if err != nil || !maps.Equal(got, c.want) {
			t.Errorf("%s: %v, %v; want %v", c.work, got, err, c.want)
		}
	}
	if _, err := p.Run("spsc/single", "fake", 1, time.Minute); err == nil || !strings.Contains(err.Error(), "too few") {
		t.Errorf("the program's err: %v", err)
	}
	if _, err := p.Run("spsc/single", "fake", 2, time.Minute); err != nil {
		t.Errorf("after the program's err: %v", err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if _, err := p.Run("spsc/single", "fake", 2, time.Minute); err == nil {
		t.Error("no error after Close")
	}
}

func TestProcessFails(t *testing.T) {
	for _, c := range []struct {
		how     string
		timeout time.Duration
		want    []string // parts of the error
	}{
		{"dies", time.Minute, []string{"run spsc/single fake 9: died", "exit status 4", "last words"}},
		{"hangs", time.Millisecond, []string{"no answer within 1ms", "fake: hangs"}},
		{"says nonsense", time.Minute, []string{`"maybe"`}},
		{"has no figure", time.Minute, []string{`"ns=fast"`}},
	} {
		t.Run(c.how, func(t *testing.T) {
			p, err := startFake(t, c.how)
			if err != nil {
				t.Fatal(err)
			}
			_, err = p.Run("spsc/single", "fake", 9, c.timeout)
			if err == nil {
				t.Fatal("no error")
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q is not in %q", part, err)
				}
			}
			if len(err.Error()) > 2*tailSize {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
			if _, again := p.Run("spsc/single", "fake", 9, c.timeout); again != err {
				t.Errorf("the second call has another error: %v", again)
			}
			if err := p.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
}

func TestStartFails(t *testing.T) {
	for how, want := range map[string]string{"dies at once": "exit status 3", "lists nonsense": "one two three"} {
		if _, err := startFake(t, how); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", how, err)
		}
	}
	if _, err := (Program{"nothing", "/nothing/is/here"}).Start(); err == nil {
		t.Error("no error for a program that is not there")
	}
}

func TestCloseFails(t *testing.T) {
	p, err := startFake(t, "ends badly")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err == nil || !strings.Contains(err.Error(), "exit status 5") {
		t.Error(err)
	}
}
