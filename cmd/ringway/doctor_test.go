package main

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/ringway-net/ringway/port"
)

func TestDiagnose(t *testing.T) {
	bad := errors.New("not\npermitted")
	fine, less, broken := port.Finding{What: "sockets"}, port.Finding{What: "speed", Err: bad, Optional: true, Mend: "sysctl"}, port.Finding{What: "rights", Err: bad, Mend: "sudo"}
	for want, found := range map[string][]port.Finding{
		stateWorks:  {fine},
		stateLess:   {fine, less},
		stateBroken: {broken, less},
	} {
		d := diagnose(port.Kind{Name: "some", Doctor: func() []port.Finding { return found }})
		if d.State != want || len(d.Findings) != len(found) {
			t.Errorf("%+v: %+v, want %q", found, d, want)
		}
		var text strings.Builder
		if err := writeDiagnoses(&text, []diagnosis{d}); err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			if told := strings.Contains(text.String(), f.What+": not; permitted\n        "+f.Mend+"\n"); told != (f.Err != nil) {
				t.Errorf("%+v: said %q", f, text.String())
			}
		}
	}
	if d := diagnose(port.Kind{Name: "everywhere"}); d.State != stateWorks || d.Findings == nil {
		t.Errorf("a kind that needs nothing: %+v", d)
	}
}

// The program tries every kind, and exits with 1 exactly if one of them doesn't work here.
func TestDoctor(t *testing.T) {
	out, stderr, code := ringway(t, nil, "doctor", "--json")
	var all []diagnosis
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var kinds []string
	want := exitOK
	for _, d := range all {
		kinds = append(kinds, d.Kind)
		if d.State == stateBroken {
			want = exitRuntime
		}
		for _, f := range d.Findings {
			if f.What == "" || f.OK != (f.Error == "") || f.OK != (f.Mend == "") {
				t.Errorf("%s: %+v", d.Kind, f)
			}
		}
	}
	for _, k := range port.Kinds() {
		if !slices.Contains(kinds, k.Name) {
			t.Errorf("nothing about %s: %v", k.Name, kinds)
		}
	}
	if code != want {
		t.Errorf("exit code %d, want %d: %s", code, want, stderr)
	}
	if out := ok(t, "doctor", "null", "pcap"); strings.Count(out, stateWorks) != 2 {
		t.Errorf("said %q", out)
	}
	if _, stderr, code := ringway(t, nil, "doctor", "nix"); code != exitUsage || !strings.Contains(stderr, `no kind "nix"`) {
		t.Errorf("exit code %d, said %q", code, stderr)
	}
}
