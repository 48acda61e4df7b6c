package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/need"
)

const testdata = "../../testdata/"

// frames are bytes of frames to make captures of, by name.
func frames() map[string][][]byte {
	eth := func(rest string) []byte {
		return []byte("\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01" + rest)
	}
	short := eth("\x08\x00" + strings.Repeat("\x00", 46)) // 60 bytes
	return map[string][][]byte{
		"60 bytes": {short, short, short},
		"VLAN":     {eth("\x81\x00\x00\x07\x08\x00" + strings.Repeat("v", 60)), eth("\x88\xa8\x00\x09\x81\x00\x00\x07\x86\xdd" + strings.Repeat("q", 80))},
		"jumbo":    {eth("\x08\x00" + strings.Repeat("j", 9000)), short, eth("\x86\xdd" + strings.Repeat("J", 65000))},
		"huge":     {eth("\x08\x00" + strings.Repeat("h", 262144-14))},
	}
}

// capture makes a classic capture of frames, a second and a bit apart.
func capture(order binary.ByteOrder, nano bool, link uint32, frames [][]byte) []byte {
	magic, unit := uint32(0xa1b2c3d4), uint32(1)
	if nano {
		magic, unit = 0xa1b23c4d, 1000
	}
	var b bytes.Buffer
	binary.Write(&b, order, []uint32{magic})
	binary.Write(&b, order, []uint16{2, 4})
	binary.Write(&b, order, []uint32{0, 0, 262144, link})
	for i, f := range frames {
		binary.Write(&b, order, []uint32{1_700_000_000 + uint32(i), uint32(i)*unit*7 + uint32(i)%unit, uint32(len(f)), uint32(len(f) + i)})
		b.Write(f)
	}
	return b.Bytes()
}

func write(t testing.TB, path string, data []byte) string {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// inputs are captures of every sort, by name.
func inputs(t testing.TB) map[string]string {
	dir := t.TempDir()
	in := map[string]string{
		"real": testdata + "mixed.pcap", "real jumbo": testdata + "jumbo.pcap",
		"real nanoseconds": testdata + "nano.pcap", "real pcapng of two interfaces": testdata + "two-interfaces.pcapng",
	}
	for name, f := range frames() {
		in[name] = write(t, filepath.Join(dir, name+".pcap"), capture(binary.LittleEndian, false, 1, f))
		in[name+", nanoseconds"] = write(t, filepath.Join(dir, name+"-ns.pcap"), capture(binary.LittleEndian, true, 1, f))
		in[name+", big-endian"] = write(t, filepath.Join(dir, name+"-be.pcap"), capture(binary.BigEndian, false, 1, f))
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	z.Write(read(t, testdata+"mixed.pcap"))
	z.Close()
	in["gzip"] = write(t, filepath.Join(dir, "mixed.pcap.gz"), zipped.Bytes())
	in["raw IP"] = write(t, filepath.Join(dir, "raw.pcap"), capture(binary.LittleEndian, false, 101, [][]byte{[]byte("\x45" + strings.Repeat("\x00", 40))}))
	in["no frames"] = write(t, filepath.Join(dir, "none.pcap"), capture(binary.LittleEndian, false, 1, nil))
	return in
}

// shown is what tshark shows of a capture: times, lengths, interfaces, and a hash of the bytes of each frame.
func shown(t testing.TB, path string) string {
	t.Helper()
	out, err := exec.Command(need.Program(t, "tshark"), "-n", "-r", path, "-o", "frame.generate_md5_hash:TRUE", "-T", "fields",
		"-e", "frame.number", "-e", "frame.time_epoch", "-e", "frame.cap_len", "-e", "frame.len", "-e", "frame.md5_hash",
		"-e", "frame.encap_type", "-e", "frame.interface_name", "-e", "frame.interface_id").Output()
	if err != nil {
		t.Fatalf("tshark %s: %v", path, err)
	}
	return string(out)
}

// What tshark reads of the output is what it reads of the input, whatever the two formats.
func TestCopyEqualsInput(t *testing.T) {
	need.Program(t, "tshark")
	dir := t.TempDir()
	for name, in := range inputs(t) {
		want := shown(t, in)
		for _, ext := range []string{".pcap", ".pcapng"} {
			out := filepath.Join(dir, "out"+ext)
			if strings.Contains(name, "two interfaces") && ext == ".pcap" {
				continue // see TestClassicOutputOfTwoInterfaces
			}
			ok(t, "forward", in, out)
			if got := shown(t, out); normal(got) != normal(want) {
				t.Errorf("%s → %s: tshark shows\n%.2000s\nand of the input\n%.2000s", name, ext, got, want)
			}
		}
	}
}

// normal makes the two formats comparable: a pcapng frame has an interface, which is number 0 and
// has no name if a classic file was its source.
func normal(s string) string { return strings.ReplaceAll(s, "\tunknown\t0\n", "\t\t\n") }

// A classic file has one interface; frames of two of the same link type fit into it all the same.
func TestClassicOutputOfTwoInterfaces(t *testing.T) {
	dir := t.TempDir()
	ok(t, "forward", testdata+"two-interfaces.pcapng", dir+"/out.pcap")
	tshark := need.Program(t, "tshark")
	fields := func(path string) string {
		out, err := exec.Command(tshark, "-n", "-r", path, "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.len", "-e", "ip.src", "-e", "icmp.seq").Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	if a, b := fields(testdata+"two-interfaces.pcapng"), fields(dir+"/out.pcap"); a != b || a == "" {
		t.Errorf("%s\n%s", a, b)
	}
}

// tcpdump agrees.
func TestCopyReadByTcpdump(t *testing.T) {
	tcpdump := need.Program(t, "tcpdump")
	dir := t.TempDir()
	ok(t, "forward", testdata+"mixed.pcap", dir+"/out.pcap")
	print := func(path string) string {
		out, err := exec.Command(tcpdump, "-nn", "-tttt", "-XX", "-r", path).Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	if a, b := print(testdata+"mixed.pcap"), print(dir+"/out.pcap"); a != b || a == "" {
		t.Error("tcpdump prints something else of the copy")
	}
}

// The copy of a classic little-endian capture is the same file.
func TestCopyIsIdentical(t *testing.T) {
	dir := t.TempDir()
	for name, in := range inputs(t) {
		if filepath.Ext(in) != ".pcap" || strings.Contains(name, "big-endian") {
			continue
		}
		out := filepath.Join(dir, "out.pcap")
		ok(t, "forward", in, out)
		if !bytes.Equal(read(t, in), read(t, out)) {
			t.Errorf("%s: the copy is another file", name)
		}
	}
}

func TestSummaryJSON(t *testing.T) {
	stdout := ok(t, "forward", "--json", "gen:size=100,count=1000", "null:name=nowhere")
	var s summary
	d := json.NewDecoder(strings.NewReader(stdout))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		t.Fatalf("%v in %s", err, stdout)
	}
	if len(s.Ports) != 2 || s.Ports[0].RxPackets != 1000 || s.Ports[0].RxBytes != 100_000 || s.Ports[0].Kind != "gen" ||
		s.Ports[1].TxPackets != 1000 || s.Ports[1].Name != "nowhere" || s.Ports[1].Drops.Total() != 0 ||
		s.Pool.Capacity == 0 || s.Pool.HighWater == 0 || s.Pool.InUse != 0 || s.DurationS <= 0 || s.InFlight != 0 || s.Error != "" {
		t.Errorf("%s", stdout)
	}
	// The documented names are all there, as they are documented.
	var raw map[string]any
	if err := json.Unmarshal([]byte(stdout), &raw); err != nil {
		t.Fatal(err)
	}
	port := raw["ports"].([]any)[0].(map[string]any)
	for _, name := range []string{"name", "kind", "rx_packets", "rx_bytes", "tx_packets", "tx_bytes", "tx_segments", "drops"} {
		if _, there := port[name]; !there {
			t.Errorf("ports[].%s is missing in %s", name, stdout)
		}
	}
	for _, name := range []string{"capacity", "in_use", "high_water", "heap_fallbacks"} {
		if _, there := raw["pool"].(map[string]any)[name]; !there {
			t.Errorf("pool.%s is missing in %s", name, stdout)
		}
	}
	for _, name := range []string{"in_flight", "duration_s", "notes"} {
		if _, there := raw[name]; !there {
			t.Errorf("%s is missing in %s", name, stdout)
		}
	}
}

func forwardJSON(t testing.TB, args ...string) (s summary, stderr string, code int) {
	t.Helper()
	stdout, stderr, code := ringway(t, nil, append([]string{"forward", "--json"}, args...)...)
	if err := json.Unmarshal([]byte(stdout), &s); err != nil {
		t.Fatalf("%v in %q\n%s", err, stdout, stderr)
	}
	return s, stderr, code
}

func TestCountLoopDuration(t *testing.T) {
	if s, _, code := forwardJSON(t, "--count", "1k", "gen:", "null:"); code != 0 || s.Ports[1].TxPackets != 1000 {
		t.Errorf("--count: exit code %d, sent %d", code, s.Ports[1].TxPackets)
	}
	one, _, _ := forwardJSON(t, testdata+"mixed.pcap", "null:")
	if s, _, code := forwardJSON(t, "--loop", "3", testdata+"mixed.pcap", "null:"); code != 0 || s.Ports[1].TxPackets != 3*one.Ports[1].TxPackets {
		t.Errorf("--loop 3: exit code %d, sent %d, once it is %d", code, s.Ports[1].TxPackets, one.Ports[1].TxPackets)
	}
	if s, _, code := forwardJSON(t, "--loop", "0", "--count", "1000", testdata+"mixed.pcap", "null:"); code != 0 || s.Ports[1].TxPackets != 1000 {
		t.Errorf("--loop 0: exit code %d, sent %d", code, s.Ports[1].TxPackets)
	}
	if s, _, code := forwardJSON(t, "--duration", "50ms", "gen:rate=10kpps", "null:"); code != 0 || s.DurationS < 0.05 || s.Ports[1].TxPackets == 0 || s.Ports[1].Drops.Total() != 0 {
		t.Errorf("--duration: exit code %d, %+v", code, s)
	}
	if s, _, code := forwardJSON(t, "--pace", "1pps", "--duration", "100ms", "gen:", "null:"); code != 0 || s.Ports[1].TxPackets != 1 {
		t.Errorf("--pace and --duration: exit code %d, sent %d, want the one that was due", code, s.Ports[1].TxPackets)
	}
	if s, _, code := forwardJSON(t, "--pace", "2000pps", "gen:count=100", "null:"); code != 0 || s.DurationS < 99./2000 {
		t.Errorf("--pace: exit code %d, %v s", code, s.DurationS)
	}
}

func TestMaxLoss(t *testing.T) {
	// A ring of one frame before a sender that is slower than the source loses some.
	args := []string{"--ring", "1", "gen:count=300k,onfull=drop", filepath.Join(t.TempDir(), "out.pcap")}
	s, _, code := forwardJSON(t, args...)
	if code != 0 || s.Ports[1].Drops.Total() == 0 {
		t.Fatalf("exit code %d, drops %v: the test needs some", code, s.Ports[1].Drops)
	}
	_, stderr, code := forwardJSON(t, append([]string{"--max-loss", "0"}, args...)...)
	if code != exitThreshold || !strings.Contains(stderr, "--max-loss") {
		t.Errorf("exit code %d, want %d: %s", code, exitThreshold, stderr)
	}
	if _, stderr, code := forwardJSON(t, append([]string{"--max-loss", "100%"}, args...)...); code != 0 {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

// Each bad input gets one line that says which file, what is wrong with it and where, and exit code 1.
func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	whole := read(t, testdata+"mixed.pcap")
	oversize := capture(binary.LittleEndian, false, 1, [][]byte{make([]byte, 262145)})
	locked := filepath.Join(dir, "no", "such", "folder", "out.pcap")
	for _, c := range []struct {
		name, in, out string
		says          []string
		sent          int // frames before the fault, that reach the output
	}{
		{"missing", dir + "/missing.pcap", dir + "/a.pcap", []string{"missing.pcap", "no such file"}, -1},
		{"folder", dir, dir + "/a.pcap", []string{dir, "directory"}, -1},
		{"empty", write(t, dir+"/empty.pcap", nil), dir + "/a.pcap", []string{"empty.pcap", "empty"}, -1},
		{"garbage", write(t, dir+"/garbage.pcap", []byte(strings.Repeat("garbage!", 100))), dir + "/a.pcap", []string{"garbage.pcap", "offset 0"}, -1},
		{"cut", write(t, dir+"/cut.pcap", whole[:24+16+42+16+42+16+50]), dir + "/cut-out.pcap", []string{"cut.pcap", "offset 140"}, 2},
		{"cut in a header", write(t, dir+"/cut2.pcap", whole[:24+16+42+7]), dir + "/cut2-out.pcap", []string{"cut2.pcap", "offset 82"}, 1},
		{"oversize", write(t, dir+"/oversize.pcap", oversize), dir + "/a.pcap", []string{"oversize.pcap", "offset 24", "262145", "262144"}, -1},
		{"no folder", testdata + "mixed.pcap", locked, []string{locked}, -1},
	} {
		stdout, stderr, code := ringway(t, nil, "forward", "--quiet", c.in, c.out)
		if code != exitRuntime || strings.Count(stderr, "\n") != 1 || stdout != "" {
			t.Errorf("%s: exit code %d, want %d and one line; stderr %q, stdout %q", c.name, code, exitRuntime, stderr, stdout)
		}
		for _, says := range c.says {
			if !strings.Contains(stderr, says) {
				t.Errorf("%s: no %q in %s", c.name, says, stderr)
			}
		}
		if c.sent >= 0 {
			if !strings.Contains(stderr, fmt.Sprintf("has the %d frames", c.sent)) {
				t.Errorf("%s: it is not told what the output has: %s", c.name, stderr)
			}
			s, _, code := forwardJSON(t, c.out, "null:")
			if code != 0 || s.Ports[1].TxPackets != uint64(c.sent) {
				t.Errorf("%s: the output has %d frames, want the %d before the cut (exit code %d)", c.name, s.Ports[1].TxPackets, c.sent, code)
			}
		}
	}
}

// A capture is not written onto itself.
func TestSameFile(t *testing.T) {
	dir := t.TempDir()
	whole := read(t, testdata+"mixed.pcap")
	a := write(t, dir+"/a.pcap", whole)
	if err := os.Link(a, dir+"/b.pcap"); err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{a, dir + "/../" + filepath.Base(dir) + "/a.pcap", dir + "/b.pcap"} {
		_, stderr, code := ringway(t, nil, "forward", a, out)
		if code != exitRuntime || !strings.Contains(stderr, "same file") || !bytes.Equal(read(t, a), whole) {
			t.Errorf("%s: exit code %d, %s", out, code, stderr)
		}
	}
}

func TestFullDisk(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("/dev/full is Linux's")
	}
	_, stderr, code := ringway(t, nil, "forward", "--quiet", "gen:count=100k", "/dev/full")
	if code != exitRuntime || !strings.Contains(stderr, "/dev/full") || !strings.Contains(stderr, "no space left") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	// A file system that fills up in the middle: what was written is whole, and its extent is told.
	dir := t.TempDir()
	if os.Geteuid() != 0 || exec.Command("mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", dir).Run() != nil {
		need.Missing(t, "it must be run as root, and allowed to mount a small file system")
	}
	defer exec.Command("umount", dir).Run()
	s, stderr, code := forwardJSON(t, "gen:count=100k", dir+"/out.pcap")
	if code != exitRuntime || !strings.Contains(stderr, "no space left") || s.Error == "" {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	back, stderr, code := forwardJSON(t, dir+"/out.pcap", "null:")
	if code != 0 || back.Ports[1].TxPackets != s.Ports[1].TxPackets || back.Ports[1].TxPackets == 0 {
		t.Errorf("the file has %d frames, the summary said %d (exit code %d: %s)", back.Ports[1].TxPackets, s.Ports[1].TxPackets, code, stderr)
	}
	if !strings.Contains(s.Error, fmt.Sprint(back.Ports[1].TxPackets)) {
		t.Errorf("the error does not say that the file holds %d frames: %s", back.Ports[1].TxPackets, s.Error)
	}
	if s.Ports[0].RxPackets != s.Ports[1].TxPackets+s.Ports[1].Drops.Total() {
		t.Errorf("received %d, sent %d, dropped %v", s.Ports[0].RxPackets, s.Ports[1].TxPackets, s.Ports[1].Drops)
	}
}

// shell runs a pipeline in which $R is the program.
func shell(t testing.TB, script string) (out string, err error) {
	t.Helper()
	c := exec.Command(need.Program(t, "sh"), "-c", script)
	c.Env = append(os.Environ(), "R="+program)
	b, err := c.CombinedOutput()
	return string(b), err
}

func TestPipes(t *testing.T) {
	dir := t.TempDir()
	if out, err := shell(t, "cat "+testdata+"mixed.pcap | $R forward -q - - | $R forward -q - "+dir+"/out.pcap"); err != nil || out != "" {
		t.Fatalf("%v: %s", err, out)
	}
	if !bytes.Equal(read(t, testdata+"mixed.pcap"), read(t, dir+"/out.pcap")) {
		t.Error("the capture that came through two pipes is another one")
	}
	out, err := shell(t, "$R forward -q gen:count=5M - | head -c 100000 | wc -c; echo $?")
	if err != nil || strings.Join(strings.Fields(out), " ") != "100000 0" {
		t.Errorf("%v: %s", err, out)
	}
	out, err = shell(t, "$R forward -q --max-loss 0 gen:count=5M - | head -c 1000 >/dev/null; $R ports | true")
	if err != nil || out != "" {
		t.Errorf("%v: %s", err, out)
	}
	// A reader that goes away is no failure, and no hang.
	out, err = shell(t, "{ $R forward gen:count=50M - ; echo exit code $? >&2; } 2>"+dir+"/err | head -c 1000 >/dev/null; cat "+dir+"/err")
	if err != nil || !strings.Contains(out, "exit code 0") || !strings.Contains(out, "reader of stdout") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestTcpdumpPipes(t *testing.T) {
	need.Program(t, "tcpdump")
	dir := t.TempDir()
	if out, err := shell(t, "tcpdump -r "+testdata+"mixed.pcap -w - 2>/dev/null | $R forward -q - "+dir+"/out.pcap && cmp "+testdata+"mixed.pcap "+dir+"/out.pcap"); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	direct, err := shell(t, "tcpdump -nn -r "+testdata+"mixed.pcap 2>/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	piped, err := shell(t, "$R forward -q "+testdata+"mixed.pcap - | tcpdump -nn -r - 2>/dev/null")
	if err != nil || piped != direct || direct == "" {
		t.Errorf("%v: %s", err, piped)
	}
}

// The first signal ends a job in order, with whole files, a summary and exit code 130.
func TestInterrupt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("signals are sent otherwise there")
	}
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		out := filepath.Join(t.TempDir(), "out.pcap")
		c := exec.Command(program, "forward", "--json", "gen:rate=20kpps", out)
		var stdout bytes.Buffer
		c.Stdout = &stdout
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(300 * time.Millisecond) // let it begin
		c.Process.Signal(sig)
		c.Wait()
		var s summary
		if err := json.Unmarshal(stdout.Bytes(), &s); err != nil {
			t.Fatalf("%v in %q", err, stdout.String())
		}
		if code := c.ProcessState.ExitCode(); code != exitInterrupted || s.Ports[0].RxPackets != s.Ports[1].TxPackets || s.Ports[1].TxPackets == 0 {
			t.Errorf("%v: exit code %d, %s", sig, code, stdout.String())
		}
		if back, _, code := forwardJSON(t, out, "null:"); code != 0 || back.Ports[1].TxPackets != s.Ports[1].TxPackets {
			t.Errorf("%v: the file has %d frames, the summary says %d", sig, back.Ports[1].TxPackets, s.Ports[1].TxPackets)
		}
	}
}

// The second signal ends it at once, even if the output takes nothing.
func TestSecondInterrupt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("signals are sent otherwise there")
	}
	c := exec.Command(program, "forward", "gen:", "-")
	stuck, err := c.StdoutPipe() // which nobody reads
	if err != nil {
		t.Fatal(err)
	}
	defer stuck.Close()
	var stderr bytes.Buffer
	c.Stderr = &stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond)
	c.Process.Signal(os.Interrupt)
	time.Sleep(100 * time.Millisecond)
	c.Process.Signal(os.Interrupt)
	done := make(chan error, 1)
	go func() { done <- c.Wait() }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		c.Process.Kill()
		t.Fatal("two interrupts did not end it")
	}
	if code := c.ProcessState.ExitCode(); code != exitInterrupted && code != exitRuntime || !strings.Contains(stderr.String(), "received") {
		t.Errorf("exit code %d: %s", code, stderr.String())
	}
}

// Progress is for terminals: nothing of it is in a pipe.
func TestNoProgressInPipe(t *testing.T) {
	out, err := shell(t, "$R forward --pace 100pps --count 150 gen: null: 2>&1")
	if err != nil || strings.Contains(out, "\r") || !strings.Contains(out, "150 frames") {
		t.Errorf("%v: %q", err, out)
	}
}

// Frames that are no Ethernet are passed on as they are, with a word about it.
func TestLinkTypes(t *testing.T) {
	dir := t.TempDir()
	raw := write(t, dir+"/raw.pcap", capture(binary.LittleEndian, false, 101, [][]byte{[]byte("\x45" + strings.Repeat("\x00", 40))}))
	if s, _, code := forwardJSON(t, raw, dir+"/out.pcap"); code != 0 || !strings.Contains(strings.Join(s.Notes, " "), "link type 101") {
		t.Errorf("exit code %d, notes %q", code, s.Notes)
	}
	if !bytes.Equal(read(t, raw), read(t, dir+"/out.pcap")) {
		t.Error("a capture of raw IP is another one after copying")
	}
	mixed := dir + "/mixed.pcapng"
	if out, err := exec.Command(need.Program(t, "mergecap"), "-w", mixed, raw, testdata+"mixed.pcap").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	_, stderr, code := ringway(t, nil, "forward", "-q", mixed, "-")
	if code != exitRuntime || strings.Count(stderr, "need pcapng") > 1 || strings.Count(stderr, "\n") != 1 {
		t.Errorf("two link types into one classic stream: exit code %d, %s", code, stderr)
	}
	_, stderr, code = ringway(t, nil, "forward", "-q", mixed, dir+"/out2.pcap")
	if code != exitRuntime || !strings.Contains(stderr, "pcapng") {
		t.Errorf("two link types into one classic file: exit code %d, %s", code, stderr)
	}
	ok(t, "forward", mixed, dir+"/out2.pcapng")
	if shown(t, mixed) != shown(t, dir+"/out2.pcapng") {
		t.Error("a pcapng of two link types is another one after copying")
	}
}
