// Progress of a long job, on a terminal.

package main

import (
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/ringway-net/ringway/vswitch"
)

const (
	progressAfter = time.Second // shorter jobs need none
	progressEvery = 250 * time.Millisecond
)

// terminal returns stderr if somebody looks at it, or nil.
func (s streams) terminal() *os.File {
	if file, ok := s.err.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		return file
	}
	return nil
}

// progress rewrites one line of the terminal.
type progress struct {
	stop chan struct{}
	wait sync.WaitGroup
}

// startProgress starts to show lines if stderr is a terminal; line makes one, of a job that has taken so long.
func (s streams) startProgress(quiet bool, line func(took time.Duration) string) *progress {
	p := &progress{stop: make(chan struct{})}
	file := s.terminal()
	if file == nil || quiet {
		return p
	}
	p.wait.Go(func() {
		start := time.Now()
		tick := time.NewTicker(progressEvery)
		defer tick.Stop()
		defer fmt.Fprint(file, "\r\x1b[K") // erase the line
		for {
			select {
			case <-p.stop:
				return
			case now := <-tick.C:
				if took := now.Sub(start); took >= progressAfter {
					fmt.Fprintf(file, "\r%s\x1b[K", line(took))
				}
			}
		}
	})
	return p
}

func (p *progress) end() {
	close(p.stop)
	p.wait.Wait()
}

func (j *forwardJob) progressLine(s vswitch.ForwardStats, took time.Duration) string {
	bytes := s.Ports[0].TxBytes + s.Ports[1].TxBytes
	line := fmt.Sprintf("%d frames, %s, %s", s.Sent(), si(float64(bytes), "B"), si(float64(s.Sent())/took.Seconds(), "pps"))
	if dropped := s.Dropped(); dropped > 0 {
		line += fmt.Sprintf(", %d dropped", dropped)
	}
	if part := j.done(s, took); part > 0 {
		left := time.Duration(float64(took) * (1 - part) / part)
		line += fmt.Sprintf(", %.0f %%, %v left", part*100, left.Round(time.Second))
	}
	return line
}

// done returns which part of the job is done, 0 to 1: of what ends first, the source, --count or
// --duration. It is 0 if there is no telling.
func (j *forwardJob) done(s vswitch.ForwardStats, took time.Duration) float64 {
	part := 0.0
	if in := s.Ports[0]; in.Total > 0 {
		part = float64(in.Done) / float64(in.Total)
	}
	if j.count > 0 {
		part = max(part, float64(s.Ports[0].RxPackets)/float64(j.count))
	}
	if j.duration > 0 {
		part = max(part, took.Seconds()/j.duration.Seconds())
	}
	return min(part, 1)
}
