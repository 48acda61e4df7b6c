package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/ringway-net/ringway/port"
)

// The plan names each capability once, for all kinds that want it, and says of it what the kernel says.
func TestPlanNamesCapabilities(t *testing.T) {
	status, err := os.ReadFile("/proc/thread-self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "CapEff:")
	var effective uint64
	if _, err := fmt.Sscanf(rest, "%x", &effective); err != nil {
		t.Fatal(err)
	}
	p := plan(t, "tap:a", "afpacket:b", "null:")
	if len(p.Capabilities) != 2 {
		t.Fatalf("%+v", p.Capabilities)
	}
	for i, want := range []plannedCapability{
		{"cap_net_admin", []string{"afpacket", "tap"}, effective>>12&1 != 0},
		{"cap_net_raw", []string{"afpacket"}, effective>>13&1 != 0},
	} {
		if got := p.Capabilities[i]; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	for _, k := range port.Kinds() {
		for _, name := range k.Capabilities {
			if _, err := hasCapability(name); err != nil {
				t.Errorf("kind %s: %v", k.Name, err)
			}
		}
	}
}
