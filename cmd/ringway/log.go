// What a job that runs tells on stderr.

package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
)

// orderly returns w, for several goroutines at once.
func orderly(w io.Writer) io.Writer {
	if _, ok := w.(*os.File); ok {
		return w // as it is, and progress has to know the terminal
	}
	return &lockedWriter{w: w}
}

type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// logHandler writes records as the program's other messages are, a line for each.
type logHandler struct {
	w     io.Writer
	quiet bool // warnings and errors only
	attrs string
}

func (h *logHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn || level >= slog.LevelInfo && !h.quiet
}

func (h *logHandler) Handle(_ context.Context, r slog.Record) error {
	text := r.Message + h.attrs
	r.Attrs(func(a slog.Attr) bool {
		text += attrText(a)
		return true
	})
	_, err := fmt.Fprintf(h.w, "ringway: %s\n", strings.ReplaceAll(text, "\n", "; "))
	return err
}

func attrText(a slog.Attr) string { return fmt.Sprintf("; %s: %v", a.Key, a.Value) }

func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *h
	for _, a := range attrs {
		with.attrs += attrText(a)
	}
	return &with
}

// WithGroup returns h: names of attributes are unique enough for people.
func (h *logHandler) WithGroup(string) slog.Handler { return h }
