// Wireshark's and tcpdump's tools as the judges.

package capfile

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ringway-net/ringway/internal/need"
)

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "TZ=UTC", "HOME="+t.TempDir())
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// sharkFrames reads a file with tshark.
func sharkFrames(t *testing.T, file string) []got {
	t.Helper()
	shark := need.Program(t, "tshark")
	var frames []got
	fields := run(t, shark, "-n", "-r", file, "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.len",
		"-e", "frame.interface_id")
	for line := range strings.Lines(fields) {
		var sec, frac int64
		g := got{HasTime: true}
		cols := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if _, err := fmt.Sscanf(cols[0], "%d.%d", &sec, &frac); err != nil {
			t.Fatal(line, err)
		}
		g.NS = sec*nsPerSec + frac
		fmt.Sscan(cols[1], &g.Orig)
		fmt.Sscan(cols[2], &g.If)
		frames = append(frames, g)
	}
	var raw []struct {
		Source struct {
			Layers struct {
				Frame []any `json:"frame_raw"`
			} `json:"layers"`
		} `json:"_source"`
	}
	if err := json.Unmarshal([]byte(run(t, shark, "-n", "-r", file, "-T", "jsonraw", "-j", "frame")), &raw); err != nil {
		t.Fatal(err)
	}
	if len(raw) != len(frames) {
		t.Fatalf("%d and %d frames", len(raw), len(frames))
	}
	for i := range raw {
		data, err := hex.DecodeString(raw[i].Source.Layers.Frame[0].(string))
		if err != nil {
			t.Fatal(err)
		}
		frames[i].Data = string(data)
	}
	return frames
}

// create writes frames to a file.
func create(t *testing.T, f Format, frames []got, ifaces ...Interface) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "ours."+f.String())
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	writeFrames(t, newTestWriter(t, file, f, ifaces...), frames)
	return name
}

func readFile(t *testing.T, name string) ([]got, *Reader) {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	frames, rd, err := readAll(file)
	if err != nil {
		t.Fatal(err)
	}
	return frames, rd
}

func TestTSharkReadsOurs(t *testing.T) {
	need.Program(t, "tshark")
	one := randomFrames(5, 60, 1)
	for i := range one {
		one[i].Data += "x" // tshark prints no frame of 0 bytes in jsonraw
		one[i].Orig++
	}
	two := randomFrames(6, 60, 3)
	for i := range two {
		two[i].Data += "x"
		two[i].Orig++
		two[i].NS += int64(i % 2 * 7 * min(1, two[i].If)) // interface 0 has microseconds
	}
	for _, c := range []struct {
		name   string
		file   string
		frames []got
	}{
		{"micro", create(t, FormatPcap, one, Interface{LinkType: 1, SnapLen: MaxFrame, Resolution: Micro}), one},
		{"nano", create(t, FormatPcap, one, Interface{LinkType: 0x24000001, SnapLen: MaxFrame, Resolution: Nano}), one},
		{"pcapng", create(t, FormatPcapNG, two,
			Interface{Name: "eth0", LinkType: 1, SnapLen: MaxFrame, Resolution: Micro},
			Interface{Name: "eth1", Description: "second", LinkType: 0x24000001, Resolution: Nano, TSOffset: 1000},
			Interface{LinkType: 1, Resolution: Nano}), two},
	} {
		t.Run(c.name, func(t *testing.T) {
			withoutOffsets(t, c.name, sharkFrames(t, c.file), c.frames)
		})
	}
}

func TestTCPDumpReadsOurs(t *testing.T) {
	dump := need.Program(t, "tcpdump")
	frames := randomFrames(8, 60, 1)
	for _, f := range []Format{FormatPcap, FormatPcapNG} {
		file := create(t, f, frames, Interface{LinkType: 1, SnapLen: MaxFrame, Resolution: Nano})
		out := run(t, dump, "-n", "-tt", "--nano", "-e", "-r", file)
		n := 0
		for line := range strings.Lines(out) {
			if strings.HasPrefix(line, "17") {
				if want := fmt.Sprintf("%d.%09d ", frames[n].NS/nsPerSec, frames[n].NS%nsPerSec); !strings.HasPrefix(line, want) {
					t.Fatalf("frame %d: %s, want %s", n, line, want)
				}
				n++
			}
		}
		same(t, f.String()+" frames", n, len(frames))
	}
}

// TestOursReadTools reads what editcap and mergecap make of our files.
func TestOursReadTools(t *testing.T) {
	editcap, mergecap := need.Program(t, "editcap"), need.Program(t, "mergecap")
	frames := randomFrames(9, 60, 1)
	file := create(t, FormatPcap, frames, Interface{LinkType: 1, SnapLen: MaxFrame, Resolution: Micro})
	dir := t.TempDir()
	for _, format := range []string{"pcap", "nsecpcap", "pcapng"} {
		out := filepath.Join(dir, format)
		run(t, editcap, "-F", format, file, out)
		have, _ := readFile(t, out)
		withoutOffsets(t, format, have, frames)
	}
	// A classic file written by editcap, copied, is the same file.
	src := filepath.Join(dir, "nsecpcap")
	have, rd := readFile(t, src)
	copied := create(t, FormatPcap, have, rd.Interfaces()...)
	a, _ := os.ReadFile(src)
	b, _ := os.ReadFile(copied)
	if string(a) != string(b) {
		t.Fatal("the copy of a classic file differs")
	}

	out := filepath.Join(dir, "comment")
	run(t, editcap, "-F", "pcapng", "-a", "1:hello", "-a", "3:there", file, out)
	_, rd = readFile(t, out)
	comments := uint64(0)
	for _, c := range rd.Parser().NotCarried() {
		if c.What == "EPB option comment" {
			comments = c.N
		}
	}
	same(t, "comments", comments, 2)

	other := create(t, FormatPcapNG, frames, Interface{LinkType: 113, Resolution: Nano, Name: "any"})
	out = filepath.Join(dir, "merged")
	run(t, mergecap, "-F", "pcapng", "-I", "none", "-w", out, file, other)
	have, rd = readFile(t, out)
	if len(have) != 2*len(frames) || len(rd.Interfaces()) != 2 || rd.Interfaces()[1].Link() != 113 {
		t.Fatal(len(have), rd.Interfaces())
	}

	for format, want := range map[string]string{"modpcap": "modified pcap", "snoop": "a snoop file", "netmon2": "Network Monitor"} {
		out := filepath.Join(dir, format)
		run(t, editcap, "-F", format, file, out)
		f, err := os.Open(out)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		_, _, err = readAll(f)
		var fe *FormatError
		if !errors.As(err, &fe) || !strings.Contains(err.Error(), want) {
			t.Fatalf("%s: %v", format, err)
		}
	}
}
