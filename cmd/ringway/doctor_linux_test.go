package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	needs "github.com/ringway-net/ringway/internal/need"
)

// Who may do nothing is told for each kind which capability it takes, and how to get it; what needs none works.
func TestDoctorUnprivileged(t *testing.T) {
	needs.Root(t)
	file, err := os.Open(program) // which nobody may not read by its name
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	c := exec.Command("/proc/self/fd/3", "doctor", "--json")
	c.ExtraFiles = []*os.File{file}
	c.Dir = "/"
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := c.Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitRuntime {
		t.Errorf("it ended with %v", err)
	}
	var all []diagnosis
	if err := json.Unmarshal(out, &all); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	lacks := map[string]string{"afpacket": "cap_net_raw", "afxdp": "cap_bpf", "tap": "as root", "tun": "as root"}
	for _, d := range all {
		capability, ok := lacks[d.Kind]
		if (d.State == stateBroken) != ok {
			t.Errorf("%s %s: %+v", d.Kind, d.State, d.Findings)
			continue
		}
		told := !ok
		for _, f := range d.Findings {
			told = told || !f.OK && strings.Contains(f.Mend, capability)
		}
		if !told {
			t.Errorf("%s: nobody tells of %s: %+v", d.Kind, capability, d.Findings)
		}
		delete(lacks, d.Kind)
	}
	if len(lacks) > 0 {
		t.Errorf("nothing is said of %v", lacks)
	}
}
