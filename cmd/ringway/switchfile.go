// The config file of a switch: YAML with the port strings and flags of the command line.

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxSwitchFile is how long a config file may be, in bytes: a thousand times what a large one has.
const maxSwitchFile = 4 << 20

// setting is a value, and where in a file it stands.
type setting struct {
	value, where string
}

// switchFile is what a config file says.
type switchFile struct {
	ports []setting
	flags map[string]setting
}

// readSwitchFile reads a config file, which may set the flags of these names. The error has all that is wrong, each with its line.
func readSwitchFile(name string, flags []string) (*switchFile, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxSwitchFile+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxSwitchFile {
		return nil, fmt.Errorf("%s: it is longer than %d bytes", name, maxSwitchFile)
	}
	return parseSwitchFile(name, text, flags)
}

func parseSwitchFile(name string, text []byte, flags []string) (*switchFile, error) {
	f := &switchFile{flags: map[string]setting{}}
	var document, another yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(text))
	switch err := d.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%s: it is empty; want ports: with a list of port strings", name)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := d.Decode(&another); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: there is a second document behind the first: one to a file", name)
	}
	var wrong problems
	where := func(n *yaml.Node) string { return fmt.Sprintf("%s:%d", name, n.Line) }
	report := func(n *yaml.Node, format string, args ...any) {
		wrong = append(wrong, fmt.Errorf("%s: %w", where(n), fmt.Errorf(format, args...)))
	}
	top := document.Content[0]
	if top.Kind != yaml.MappingNode {
		report(top, "want names and values, such as ports: with a list of port strings")
		return nil, wrong
	}
	seen := map[string]int{}
	for i := 0; i < len(top.Content); i += 2 {
		key, value := top.Content[i], top.Content[i+1]
		if line, twice := seen[key.Value]; twice {
			report(key, "%s stands in line %d already", key.Value, line)
			continue
		}
		seen[key.Value] = key.Line
		switch {
		case key.Kind != yaml.ScalarNode:
			report(key, "want a name in front of the colon")
		case key.Value == "ports":
			if value.Kind != yaml.SequenceNode {
				report(value, "ports: want a list of port strings, each in a line behind \"- \"")
				continue
			}
			for _, item := range value.Content {
				if item.Kind != yaml.ScalarNode || item.Tag == "!!null" {
					report(item, "a port is one string, such as tap:tap0,vlan=10; one that ends in a colon, or has a colon and a space, is quoted: \"null:\"")
					continue
				}
				f.ports = append(f.ports, setting{item.Value, where(item)})
			}
		case !slices.Contains(flags, key.Value):
			report(key, "there is no setting %q; there are ports, %s", key.Value, strings.Join(flags, ", "))
		case value.Kind != yaml.ScalarNode || value.Tag == "!!null":
			report(value, "%s: want one value", key.Value)
		default:
			f.flags[key.Value] = setting{value.Value, where(key)}
		}
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	return f, nil
}
