// A running program, and the protocol it is spoken to in.

package peers

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Work is something that a program can run: Name is what is done (spsc/burst64), and Impl how, or by
// which of a library's queues.
type Work struct {
	Name, Impl string
}

// patience is how long a program may take to start, and to end once its input has.
const patience = 30 * time.Second

// A Process is a program that runs. One goroutine at a time may use it.
type Process struct {
	name   string
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	lines  chan string // of its standard output; closed at the end of it
	stderr tail
	works  []Work
	failed error // why it is of no use any more
}

// Start starts the program and asks for its works.
func (p Program) Start() (*Process, error) {
	return start(p.Name, exec.Command(p.Path))
}

func start(name string, cmd *exec.Cmd) (*Process, error) {
	p := &Process{name: name, cmd: cmd, lines: make(chan string)}
	cmd.Stderr = &p.stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	p.stdin = stdin
	go func() {
		defer close(p.lines)
		for s := bufio.NewScanner(stdout); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	if err := p.list(); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *Process) list() error {
	line, err := p.ask("list", patience)
	for ; err == nil && line != "end"; line, err = p.answer("list", patience) {
		w := strings.Fields(line)
		if len(w) != 2 {
			return p.fail(fmt.Errorf("list: not a work and an impl: %q", line))
		}
		p.works = append(p.works, Work{w[0], w[1]})
	}
	return err
}

// Failed reports whether the process is of no use any more.
func (p *Process) Failed() bool { return p.failed != nil }

// Works returns what the program can run.
func (p *Process) Works() []Work { return p.works }

// Run runs a work with n items and returns its figures, by name, in nanoseconds. An error that the
// program reports (a checksum that is wrong, say) leaves the process usable; if it dies, or has not
// answered when the timeout ends, which ends the process, this and every later call fail.
func (p *Process) Run(work, impl string, n int, timeout time.Duration) (map[string]float64, error) {
	request := fmt.Sprintf("run %s %s %d", work, impl, n)
	line, err := p.ask(request, timeout)
	if err != nil {
		return nil, err
	}
	verdict, rest, _ := strings.Cut(line, " ")
	switch verdict {
	case "ok":
		figures := map[string]float64{}
		for _, f := range strings.Fields(rest) {
			name, value, _ := strings.Cut(f, "=")
			if figures[name], err = strconv.ParseFloat(value, 64); err != nil {
				return nil, p.fail(fmt.Errorf("%s: not a figure: %q", request, f))
			}
		}
		return figures, nil
	case "err":
		return nil, fmt.Errorf("%s: %s: %s", p.name, request, rest)
	}
	return nil, p.fail(fmt.Errorf("%s: not an answer: %q", request, line))
}

// Close ends the process. It returns an error if it did not end well.
func (p *Process) Close() error {
	if p.failed != nil {
		return nil // it has ended, and its error was returned
	}
	p.stdin.Close()
	for deadline := time.After(patience); ; {
		select {
		case _, more := <-p.lines:
			if more {
				continue
			}
			if err := p.cmd.Wait(); err != nil {
				return p.fail(err)
			}
			p.failed = fmt.Errorf("%s: closed", p.name)
			return nil
		case <-deadline:
			return p.fail(errors.New("did not end when its input did"))
		}
	}
}

// ask sends a request and returns the first line of the answer.
func (p *Process) ask(request string, timeout time.Duration) (string, error) {
	if p.failed != nil {
		return "", p.failed
	}
	if _, err := io.WriteString(p.stdin, request+"\n"); err != nil {
		return "", p.fail(fmt.Errorf("%s: %w", request, err))
	}
	return p.answer(request, timeout)
}

// ErrNoAnswer says that a process took longer than it was given. Peers that spin on one another may do so for whole time
// slices where there are more threads than cores.
var ErrNoAnswer = errors.New("no answer")

// answer returns the next line of the answer to a request.
func (p *Process) answer(request string, timeout time.Duration) (string, error) {
	select {
	case line, ok := <-p.lines:
		if !ok {
			return "", p.fail(fmt.Errorf("%s: died", request))
		}
		return line, nil
	case <-time.After(timeout):
		return "", p.fail(fmt.Errorf("%s: %w within %v", request, ErrNoAnswer, timeout))
	}
}

// fail ends the process and returns, for now and later, why, with its last words.
func (p *Process) fail(why error) error {
	p.stdin.Close()
	p.cmd.Process.Kill()
	for range p.lines {
	}
	p.failed = fmt.Errorf("%s: %w", p.name, why)
	if err := p.cmd.Wait(); err != nil {
		p.failed = fmt.Errorf("%w (%v)", p.failed, err)
	}
	if words := p.stderr.String(); words != "" {
		p.failed = fmt.Errorf("%w\n%s", p.failed, words)
	}
	return p.failed
}

// A tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	kept []byte
}

const tailSize = 4 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, b...)
	t.kept = t.kept[max(0, len(t.kept)-tailSize):]
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.kept))
}
