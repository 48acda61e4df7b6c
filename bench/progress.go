// Progress: one line of the terminal that says what is being done.

package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/ringway-net/ringway/internal/perf"
)

// progress writes to a terminal; to nothing else, and then show does nothing.
type progress struct {
	to      io.Writer
	started time.Time
	shown   time.Time
}

func newProgress(w io.Writer) *progress {
	p := &progress{started: time.Now()}
	if f, ok := w.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			p.to = f
		}
	}
	return p
}

// show is for perf.Options. It writes a few times a second at most.
func (p *progress) show(done, total int, w perf.Work) {
	if now := time.Now(); p.to != nil && now.Sub(p.shown) > 200*time.Millisecond {
		p.shown = now
		p.say(fmt.Sprintf("%3d%%  %s  %s by %s", 100*done/total, now.Sub(p.started).Round(time.Second), w.Name, w.Impl))
	}
}

// say shows a text.
func (p *progress) say(text string) {
	if p.to != nil {
		fmt.Fprintf(p.to, "\r%s\x1b[K", text)
	}
}

// end erases the line.
func (p *progress) end() {
	if p.to != nil {
		fmt.Fprint(p.to, "\r\x1b[K")
	}
}
