// The suite that every kind of port passes.

package pcap

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/capfile"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/porttest"
)

// encoded makes a capture, or the rest of one, of frames.
func encoded(t porttest.TB, f capfile.Format, rest bool, frames [][]byte) []byte {
	var out bytes.Buffer
	w, err := capfile.NewWriter(&out, f)
	if err != nil {
		t.Fatalf("%v", err)
	}
	w.AddInterface(capfile.Interface{LinkType: 1, SnapLen: MaxFrame, Resolution: capfile.Nano})
	w.Flush()
	begin := out.Len()
	for i, frame := range frames {
		w.WriteFrame(epoch*1e9+int64(i), 0, frame, uint32(len(frame)))
	}
	w.Flush()
	if rest {
		out.Next(begin)
	}
	return out.Bytes()
}

func frameList(t porttest.TB, b []byte) (all [][]byte) {
	r, err := capfile.NewReader(bytes.NewReader(b), "output")
	if err != nil {
		t.Fatalf("%v", err)
	}
	for {
		var rec capfile.Record
		if err := r.Next(&rec); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatalf("%v", err)
		}
		all = append(all, bytes.Clone(rec.Data))
	}
}

// fileKind reads and writes regular files.
func fileKind(d port.Direction, ext string, format capfile.Format) porttest.Kind {
	return porttest.Kind{
		Name: "pcap",
		Does: d,
		String: func(t porttest.TB, d port.Direction) string {
			path := filepath.Join(t.TempDir(), "file"+ext)
			if d == port.In {
				if err := os.WriteFile(path, encoded(t, format, false, nil), 0o644); err != nil {
					t.Fatalf("%v", err)
				}
			}
			return "pcap:" + path
		},
		Open: func(t porttest.TB, e porttest.Env) *porttest.Link {
			path := filepath.Join(t.TempDir(), "file"+ext)
			if e.Options.Direction == port.In {
				if err := os.WriteFile(path, encoded(t, format, false, e.Frames), 0o644); err != nil {
					t.Fatalf("%v", err)
				}
			}
			p, err := port.Open(path, e.Options)
			if err != nil {
				t.Fatalf("%v", err)
			}
			l := &porttest.Link{Port: p, Ends: true}
			if e.Options.Direction == port.Out {
				l.AfterClose = true
				l.Sent = func(int) [][]byte {
					b, err := os.ReadFile(path)
					if err != nil {
						t.Fatalf("%v", err)
					}
					return frameList(t, b)
				}
			}
			return l
		},
	}
}

// pipeKind reads and writes pipes.
func pipeKind(d port.Direction) porttest.Kind {
	return porttest.Kind{
		Name: "pcap",
		Does: d,
		Open: func(t porttest.TB, e porttest.Env) *porttest.Link {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatalf("%v", err)
			}
			if d == port.In {
				e.Options.Stdin = r
				p, err := port.Open("-", e.Options)
				if err != nil {
					t.Fatalf("%v", err)
				}
				first := encoded(t, capfile.FormatPcap, false, e.Frames)
				// What doesn't fit into the pipe is written from a goroutine.
				var writing sync.WaitGroup
				writing.Go(func() { w.Write(first) })
				if len(first) < 16<<10 {
					// Info changes while the pump reads.
					eventuallyTB(t, func() bool { return p.Info().Done == int64(len(first)) })
				}
				var once, ended sync.Once
				var end sync.WaitGroup
				stop := func() { once.Do(func() { w.Close() }) }
				return &porttest.Link{
					Port: p,
					Feed: func(frames [][]byte) {
						writing.Wait()
						w.Write(encoded(t, capfile.FormatPcap, true, frames))
					},
					End: func() {
						ended.Do(func() {
							end.Go(func() {
								writing.Wait()
								stop()
							})
						})
					},
					Done: func() { r.Close(); writing.Wait(); end.Wait(); stop() },
				}
			}
			e.Options.Stdout = w
			p, err := port.Open("pcap:-,format=pcapng", e.Options)
			if err != nil {
				t.Fatalf("%v", err)
			}
			var reader sync.WaitGroup
			var got []byte
			reader.Go(func() { got, _ = io.ReadAll(r) })
			var once sync.Once
			end := func() { once.Do(func() { w.Close(); reader.Wait(); r.Close() }) }
			return &porttest.Link{
				Port:       p,
				AfterClose: true,
				Sent:       func(int) [][]byte { end(); return frameList(t, got) },
				Done:       end,
			}
		},
	}
}

func eventuallyTB(t porttest.TB, ok func() bool) {
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(100 * time.Microsecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in ten seconds")
		}
	}
}

func TestConformance(t *testing.T) {
	t.Run("file in", func(t *testing.T) { porttest.Run(t, fileKind(port.In, ".pcap", capfile.FormatPcap)) })
	t.Run("file out", func(t *testing.T) { porttest.Run(t, fileKind(port.Out, ".pcap", capfile.FormatPcap)) })
	t.Run("pcapng in", func(t *testing.T) { porttest.Run(t, fileKind(port.In, ".pcapng", capfile.FormatPcapNG)) })
	t.Run("pcapng out", func(t *testing.T) { porttest.Run(t, fileKind(port.Out, ".pcapng", capfile.FormatPcapNG)) })
	t.Run("pipe in", func(t *testing.T) { porttest.Run(t, pipeKind(port.In)) })
	t.Run("pipe out", func(t *testing.T) { porttest.Run(t, pipeKind(port.Out)) })
}
