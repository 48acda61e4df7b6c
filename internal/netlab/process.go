//go:build linux

// Programs that run beside a test.

package netlab

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
)

var errEnded = errors.New("the program has ended")

// Process is a program that runs in a namespace. Its methods may be called from any goroutine.
type Process struct {
	name string
	proc *os.Process
	out  *transcript
	done chan struct{}
	err  error // of Wait, once done is closed
}

// Start starts a program in the namespace. It is ended with the test, if Stop has not ended it before.
func (n *Namespace) Start(name string, args ...string) *Process {
	n.t.Helper()
	c := n.Command(name, args...)
	p := &Process{name: strings.Join(c.Args[4:], " "), out: newTranscript(), done: make(chan struct{})}
	c.Stdout, c.Stderr = p.out, p.out
	c.WaitDelay = time.Second // for a pipe that a child of the program's holds open
	if err := c.Start(); err != nil {
		n.t.Fatalf("%s: %v", p.name, err)
	}
	p.proc = c.Process
	go func() {
		p.err = c.Wait()
		close(p.done)
	}()
	n.t.Cleanup(func() {
		_ = p.proc.Kill()
		<-p.done
	})
	return p
}

// PID is the program's process id.
func (p *Process) PID() int { return p.proc.Pid }

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Output is what the program has printed so far, on stdout and on stderr.
func (p *Process) Output() string { return p.out.String() }

// Expect waits until the program has printed text. It is an error if it ends before, or time is over.
func (p *Process) Expect(text string, within time.Duration) error {
	late := time.After(within)
	for {
		more := p.out.changed()
		if strings.Contains(p.Output(), text) {
			return nil
		}
		select {
		case <-more:
		case <-p.done:
			if strings.Contains(p.Output(), text) {
				return nil
			}
			return fmt.Errorf("%s ended before it said %q: %w\n%s", p.name, text, errors.Join(p.err, errEnded), p.Output())
		case <-late:
			return fmt.Errorf("%s did not say %q in %v\n%s", p.name, text, within, p.Output())
		}
	}
}

// Stop interrupts the program as ^C does, and kills it if it goes on for more than five seconds, which is an error; so
// is an exit code other than 0.
func (p *Process) Stop() error {
	_ = p.proc.Signal(syscall.SIGINT) // if it has ended, Wait says how
	return p.Wait(5 * time.Second)
}

// Wait waits until the program ends by itself, and kills it if it does not in time, which is an error; so is an exit code
// other than 0.
func (p *Process) Wait(within time.Duration) error {
	select {
	case <-p.done:
	case <-time.After(within):
		_ = p.proc.Kill()
		<-p.done
		return fmt.Errorf("%s did not end in %v\n%s", p.name, within, p.Output())
	}
	if p.err != nil {
		return fmt.Errorf("%s: %w\n%s", p.name, p.err, p.Output())
	}
	return nil
}

// A transcript keeps what a program prints, and tells who waits for more of it.
type transcript struct {
	mu   sync.Mutex
	text []byte
	more chan struct{} // closed and replaced with every write
}

// most is how much of its output is kept: the end of it.
const most = 1 << 20

func newTranscript() *transcript { return &transcript{more: make(chan struct{})} }

func (o *transcript) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text = append(o.text, b...)
	o.text = o.text[max(0, len(o.text)-most):]
	close(o.more)
	o.more = make(chan struct{})
	return len(b), nil
}

func (o *transcript) changed() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.more
}

func (o *transcript) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.text)
}
