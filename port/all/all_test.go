package all_test

import (
	"fmt"
	"testing"

	"github.com/ringway-net/ringway/port"
	_ "github.com/ringway-net/ringway/port/all"
)

// TestKinds: every kind is there, with what help needs, and its example can be parsed.
func TestKinds(t *testing.T) {
	have := map[string]port.Kind{}
	for _, k := range port.Kinds() {
		have[k.Name] = k
		if k.Summary == "" || k.Example == "" || k.Does == 0 {
			t.Errorf("kind %s lacks a summary, an example or a direction: %+v", k.Name, k)
		}
		if s, err := port.Parse(k.Example); err != nil || s.Kind != k.Name {
			t.Errorf("the example of kind %s, %q: %v", k.Name, k.Example, err)
		}
		seen := map[string]bool{}
		for _, key := range append(port.CommonKeys[:len(port.CommonKeys):len(port.CommonKeys)], k.Keys...) {
			if key.Help == "" || seen[key.Name] {
				t.Errorf("kind %s: key %q has no help, or is there twice", k.Name, key.Name)
			}
			seen[key.Name] = true
		}
	}
	for _, name := range []string{"gen", "mem", "null", "pcap"} {
		if _, ok := have[name]; !ok {
			t.Errorf("there is no kind %s", name)
		}
	}
}

// Importing the package is all that is to be done.
func Example() {
	for _, name := range []string{"gen", "mem", "null", "pcap"} { // those that work everywhere
		k, _ := port.Lookup(name)
		fmt.Println(k.Example)
	}
	// Output:
	// gen:size=imix,rate=100kpps,count=1M
	// mem:wire,loss=1%,delay=20ms
	// null:
	// pcap:in.pcapng
}
