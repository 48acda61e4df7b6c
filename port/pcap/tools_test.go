// tshark and tcpdump as the judges of what was copied.

package pcap

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/ringway-net/ringway/internal/capfile"
	"github.com/ringway-net/ringway/internal/need"
)

// shark reads a capture with tshark: time, lengths, interface with its name, and the bytes.
func shark(t *testing.T, file string) string {
	t.Helper()
	var all strings.Builder
	for _, args := range [][]string{
		{"-T", "fields", "-e", "frame.number", "-e", "frame.time_epoch", "-e", "frame.len", "-e", "frame.cap_len",
			"-e", "frame.interface_id", "-e", "frame.interface_name", "-e", "frame.encap_type"},
		{"-x"},
	} {
		cmd := exec.Command(need.Program(t, "tshark"), append([]string{"-n", "-r", file}, args...)...)
		cmd.Env = append(os.Environ(), "TZ=UTC", "HOME="+t.TempDir())
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		all.Write(out)
	}
	return all.String()
}

func TestTsharkReadsTheSame(t *testing.T) {
	need.Program(t, "tshark")
	vlan := append([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x81, 0, 0, 7, 8, 0}, make([]byte, 46)...)
	ifs := []capfile.Interface{
		{Name: "eth0", LinkType: 1, SnapLen: 65535, Resolution: 6},
		{Name: "none", LinkType: 1, Resolution: 6},
		{Name: "lo", LinkType: 101, Resolution: 9, TSOffset: -7},
	}
	mixed := ngFile(t, ifs, func(w *capfile.Writer) {
		for i := range 50 {
			w.WriteFrame(epoch*1e9+int64(i)*1001_000, i%2*2, append(bytes.Clone(vlan), byte(i)), uint32(65+i))
		}
	})
	for _, c := range []struct {
		in, out string
		data    []byte
	}{
		{"in.pcap", "out.pcap", classic(binary.LittleEndian, micro, 65535, 1, 100, 60, 64, 1514, 9018)},
		{"in.pcap", "out.pcap", classic(binary.BigEndian, nano, 65535, 1, 100, 60)},
		{"in.pcap.gz", "out.pcap", zipped(classic(binary.LittleEndian, nano, 65535, 1, 100, 60))},
		{"in.pcapng", "out.pcapng", mixed},
	} {
		in, out := tempFile(t, c.in, c.data), filepath.Join(t.TempDir(), c.out)
		copyFile(t, in, out)
		if a, b := shark(t, in), shark(t, out); a != b || !strings.Contains(a, "1700000000") {
			t.Errorf("%s: tshark reads\n%.2000s\nand of the copy\n%.2000s", c.in, a, b)
		}
	}
}

// What the standard input and output do between other programs.
func TestTcpdumpPipes(t *testing.T) {
	tcpdump := need.Program(t, "tcpdump")
	in := tempFile(t, "in.pcap", classic(binary.LittleEndian, micro, 65535, 1, 3000, 60, 1514))
	from := exec.Command(tcpdump, "-r", in, "-w", "-")
	to := exec.Command(tcpdump, "-n", "-tt", "-xx", "-r", "-")
	o := env(t)
	outR, outW := pipe(t)
	stdout, err := from.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	o.Stdin, o.Stdout = stdout, outW
	to.Stdin = outR
	var text bytes.Buffer
	to.Stdout = &text
	if err := from.Start(); err != nil {
		t.Fatal(err)
	}
	if err := to.Start(); err != nil {
		t.Fatal(err)
	}
	outR.Close()
	r, w := openIn(t, "-", o), openOut(t, "-", o)
	var wg sync.WaitGroup
	wg.Go(func() {
		move(t, r, w)
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		outW.Close()
	})
	wg.Wait()
	from.Wait()
	if err := to.Wait(); err != nil {
		t.Error(err)
	}
	want, err := exec.Command(tcpdump, "-n", "-tt", "-xx", "-r", in).Output()
	if err != nil || text.String() != string(want) {
		t.Errorf("%v; tcpdump reads %d bytes of text, want %d", err, text.Len(), len(want))
	}
}
