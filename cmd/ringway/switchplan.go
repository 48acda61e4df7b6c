// ringway switch --dry-run: what would be done, and what it takes.

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"unsafe"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/vswitch"
)

// switchPlan is what --dry-run prints. Its JSON form is documented in docs/cli.md and stable.
type switchPlan struct {
	Ports        []plannedPort       `json:"ports"`
	Control      string              `json:"control,omitempty"`
	Memory       []plannedMemory     `json:"memory"`
	Capabilities []plannedCapability `json:"capabilities"`
	Privileges   []diagnosis         `json:"privileges"`
}

type plannedPort struct {
	Name     string `json:"name"`
	Kind     string `json:"kind"`
	Port     string `json:"port"`
	Settings string `json:"settings"`
	Listens  bool   `json:"listens"`
}

type plannedMemory struct {
	What  string `json:"what"`
	Count int    `json:"count"`
	Each  int    `json:"bytes_each"`
	Bytes int    `json:"bytes"`
	Lazy  bool   `json:"as_used"` // taken as it is used
}

type plannedCapability struct {
	Name  string   `json:"name"`
	For   []string `json:"for"` // kinds of ports
	There bool     `json:"there"`
}

// ringSlot is the bytes of a place in a ring: a handle, and whose turn it is.
const ringSlot = int(unsafe.Sizeof(pool.Buffer{})) + 8

// plan prints the plan. It opens nothing; what the kinds need of the system is tried as ringway doctor does.
func (j *switchJob) plan() error {
	p := &switchPlan{Ports: []plannedPort{}, Control: j.control, Capabilities: []plannedCapability{}, Privileges: []diagnosis{}}
	kinds := map[string]port.Kind{}
	for _, sp := range j.ports {
		p.Ports = append(p.Ports, plannedPort{sp.spec.Name, sp.spec.Kind, sp.spec.Text, sp.settings(), sp.listens})
		kinds[sp.kind.Name] = sp.kind
	}
	memory := func(what string, count, each int, lazy bool) {
		p.Memory = append(p.Memory, plannedMemory{what, count, each, count * each, lazy})
	}
	buffer := pool.DefaultHeadroom + pool.DefaultBufferSize
	if j.wantsUMEM() {
		buffer = pool.DefaultBufferSize // the headroom included
	}
	memory("buffers of frames", j.poolSize(), buffer, true)
	memory("buffers of large frames", largeBuffers, pool.DefaultHeadroom+port.LargeBufferSize, true)
	memory("addresses in the table", j.config.Addresses, vswitch.AddressMemory, false)
	memory("places in the rings of ports", j.places()*j.config.OutRing, ringSlot, false)
	wanted := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		for _, c := range kinds[name].Capabilities {
			wanted[c] = append(wanted[c], name)
		}
	}
	for _, c := range slices.Sorted(maps.Keys(wanted)) {
		there, err := hasCapability(c)
		if err != nil {
			return fmt.Errorf("looking for %s: %w", c, err)
		}
		p.Capabilities = append(p.Capabilities, plannedCapability{c, wanted[c], there})
	}
	alone(func() {
		for _, k := range port.Kinds() {
			if _, used := kinds[k.Name]; used {
				p.Privileges = append(p.Privileges, diagnose(k))
			}
		}
	})
	if j.json {
		e := json.NewEncoder(j.streams.out)
		e.SetEscapeHTML(false)
		return e.Encode(p)
	}
	return p.writeText(j.streams.out)
}

func (p *switchPlan) writeText(w io.Writer) error {
	var text strings.Builder
	fmt.Fprintf(&text, "ports\n")
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, sp := range p.Ports {
		settings := sp.Settings
		if sp.Listens {
			settings = strings.TrimPrefix(settings+", a port for each client", ", ")
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\n", sp.Name, sp.Port, settings)
	}
	table.Flush()
	if p.Control != "" {
		fmt.Fprintf(&text, "control socket\n  %s\n", p.Control)
	}
	fmt.Fprintf(&text, "memory, beside what the system takes for sockets and devices\n")
	for _, m := range p.Memory {
		lazy := ""
		if m.Lazy {
			lazy = ", taken as they are used"
		}
		fmt.Fprintf(table, "  %s\t%d × %d B\t%s%s\n", m.What, m.Count, m.Each, si(float64(m.Bytes), "B"), lazy)
	}
	table.Flush()
	fmt.Fprintf(&text, "rights, and what else the system has to have\n")
	for _, c := range p.Capabilities {
		state := "there"
		if !c.There {
			state = "not there"
		}
		fmt.Fprintf(&text, "  %s (for %s): %s\n", c.Name, strings.Join(c.For, ", "), state)
	}
	for _, d := range p.Privileges {
		fmt.Fprintf(&text, "  %s: %s\n", d.Kind, d.State)
		for _, f := range d.Findings {
			if f.OK {
				fmt.Fprintf(&text, "    %s: there\n", f.What)
				continue
			}
			fmt.Fprintf(&text, "    %s: %s\n        %s\n", f.What, f.Error, f.Mend)
		}
	}
	_, err := io.WriteString(w, text.String())
	return err
}
