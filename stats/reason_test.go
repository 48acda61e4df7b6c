// Tests of Reason: names are stable, complete, and read back.

package stats

import (
	"encoding/json"
	"errors"
	"testing"
)

// Every reason's name, pinned: they are in people's dashboards.
func TestReasonNames(t *testing.T) {
	want := map[Reason]string{
		ReasonUnspecified:        "unspecified",
		ReasonNoBuffer:           "no_buffer",
		ReasonRingFull:           "ring_full",
		ReasonTooLong:            "too_long",
		ReasonTooShort:           "too_short",
		ReasonMalformed:          "malformed",
		ReasonTruncated:          "truncated",
		ReasonLinkType:           "link_type",
		ReasonLinkDown:           "link_down",
		ReasonWouldBlock:         "would_block",
		ReasonNoSpace:            "no_space",
		ReasonIOError:            "io_error",
		ReasonClosed:             "closed",
		ReasonLoss:               "loss",
		ReasonFiltered:           "filtered",
		ReasonUnknownDestination: "unknown_destination",
		ReasonPolicy:             "policy",
	}
	if len(want) != NumReasons {
		t.Fatalf("%d names pinned here, %d reasons", len(want), NumReasons)
	}
	seen := map[string]bool{}
	for r, name := range want {
		if r.String() != name {
			t.Errorf("reason %d is %q, want %q", uint8(r), r, name)
		}
		if seen[name] {
			t.Errorf("name %q twice", name)
		}
		seen[name] = true

		if back, err := ParseReason(name); err != nil || back != r {
			t.Errorf("ParseReason(%q) = %v, %v", name, back, err)
		}
		text, err := r.MarshalText()
		if err != nil || string(text) != name {
			t.Errorf("MarshalText of %v = %q, %v", r, text, err)
		}
		var read Reason
		if err := read.UnmarshalText(text); err != nil || read != r {
			t.Errorf("UnmarshalText(%q) = %v, %v", text, read, err)
		}
	}
}

func TestReasonUnknown(t *testing.T) {
	for _, name := range []string{"", "NO_BUFFER", "no_buffer ", "nobuffer", "reason(200)"} {
		if r, err := ParseReason(name); !errors.Is(err, ErrUnknownReason) {
			t.Errorf("ParseReason(%q) = %v, %v", name, r, err)
		}
	}
	for _, r := range []Reason{numReasons, 200, 255} {
		if text, err := r.MarshalText(); !errors.Is(err, ErrUnknownReason) {
			t.Errorf("MarshalText of number %d = %q, %v", uint8(r), text, err)
		}
	}
	if got := Reason(200).String(); got != "reason(200)" {
		t.Errorf("String of number 200 = %q", got)
	}
	kept := ReasonLoss
	if err := kept.UnmarshalText([]byte("?")); err == nil || kept != ReasonLoss {
		t.Errorf("after a failed UnmarshalText: %v, %v", kept, err)
	}
}

// A Reason is usable as a JSON value and as a map's key.
func TestReasonInJSON(t *testing.T) {
	got, err := json.Marshal(map[Reason]Reason{ReasonLoss: ReasonPolicy})
	if err != nil || string(got) != `{"loss":"policy"}` {
		t.Errorf("%s, %v", got, err)
	}
}
