package control_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/ringway-net/ringway/internal/control"
)

// hub is a switch that has a port and knows nobody.
type hub struct{}

func (hub) Ports() []control.Port           { return []control.Port{{Name: "uplink", State: control.StateUp}} }
func (hub) Stats() control.Stats            { return control.Stats{} }
func (hub) Addresses() []control.Address    { return nil }
func (hub) Add(text string) (string, error) { return text, nil }
func (hub) Remove(name string) error        { return fmt.Errorf("no such port: %q", name) }
func (hub) Flush() int                      { return 0 }

// A server answers for a switch.
func Example() {
	dir, err := os.MkdirTemp("", "control")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "s")
	l, err := control.Listen(path)
	if err != nil {
		log.Fatal(err)
	}
	s := control.Serve(l, hub{})
	defer s.Close()

	ctx := context.Background()
	a, err := control.Ask(ctx, path, control.Request{Op: control.OpPorts})
	fmt.Println(a.Ports[0].Name, err)
	_, err = control.Ask(ctx, path, control.Request{Op: control.OpRemove, Name: "x"})
	fmt.Println(err)
	// Output:
	// uplink <nil>
	// no such port: "x"
}
