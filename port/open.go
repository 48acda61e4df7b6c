// Opening a port by its name, and the table of kinds.

package port

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/ringway-net/ringway/pool"
)

// LargeBufferSize is how large the buffers of Options.Large have to be for all frames that there are: 64 KiB
// of IP packet, and the link header with its tags.
const LargeBufferSize = 65536 + 64

// Direction says what a port is opened for.
type Direction uint8

const (
	// In is for Rx alone.
	In Direction = 1 << iota
	// Out is for Tx alone.
	Out
	// Both is for Rx and Tx.
	Both = In | Out
)

// String returns "in", "out" or "both".
func (d Direction) String() string {
	switch d {
	case In:
		return "in"
	case Out:
		return "out"
	case Both:
		return "both"
	}
	return fmt.Sprintf("direction %d", uint8(d))
}

// Options is what ports are opened with, beside their names.
type Options struct {
	// Pool has the buffers of frames that are received. It is required.
	Pool *pool.Pool
	// Large has the buffers of frames that are received and too long for Pool's, such as TCP's large segments
	// (LargeBufferSize). Nil: such frames are dropped and counted.
	Large *pool.Pool
	// Interfaces is the table that Meta.Interface of frames refers to: one for
	// all ports between which frames go. Nil is a new one.
	Interfaces *Interfaces
	// Direction is what the port is for. Default Both.
	Direction Direction
	// Stdin and Stdout are what the target "-" means. Default os.Stdin and os.Stdout.
	Stdin  io.Reader
	Stdout io.Writer
}

func (o Options) withDefaults() Options {
	if o.Interfaces == nil {
		o.Interfaces = new(Interfaces)
	}
	if o.Direction == 0 {
		o.Direction = Both
	}
	if o.Stdin == nil {
		o.Stdin = os.Stdin
	}
	if o.Stdout == nil {
		o.Stdout = os.Stdout
	}
	return o
}

// Kind is a kind of port: how it is named, and how it is opened.
type Kind struct {
	Name    string    // what stands before the colon: lower-case letters and digits
	Summary string    // one line
	Target  string    // what stands behind the colon, for help: "FILE", "" if nothing does
	Example string    // a whole port string
	Does    Direction // what it can be opened for
	UMEM    bool      // it is at its best, or works at all, with a pool made with pool.Config.UMEM
	// Capabilities are those of Linux that a program without root's rights needs for all that the kind can do, such as "cap_net_raw".
	Capabilities []string
	Keys         []Key // beside CommonKeys
	// Open opens a port. Its keys are known to be among Keys; their values are for it
	// to check, with the methods of Spec.
	Open func(s *Spec, o Options) (Port, error)
	// Listen opens a Listener for strings that ask for one, and is nil for kinds that have none.
	Listen func(s *Spec, o Options) (Listener, error)
	// Doctor tries what ports of the kind need of the system. It changes nothing that lasts, and may be called in a network
	// namespace of its own. Nil for kinds that work everywhere.
	Doctor func() []Finding
}

// Key is one key of a port string, for help and for errors.
type Key struct {
	Name    string
	Default string // as it would be written; "" is none
	Help    string // one line, with the unit
}

// CommonKeys are the keys that every kind has.
var CommonKeys = []Key{
	{"name", "the port string", "what reports and statistics call the port"},
	{"onfull", "wait for files and generators, drop for live ports", "wait: hold the source back when the way is full; drop: drop and count"},
}

var kinds struct {
	sync.RWMutex
	m map[string]Kind
}

// Register adds a kind, so that Open knows it. It panics if there is one of that name, or if
// k can't be opened by its name: it is called from init functions.
func Register(k Kind) {
	if !looksLikeKind(k.Name) || strings.ToLower(k.Name) != k.Name || k.Open == nil || k.Does&^Both != 0 || k.Does == 0 {
		panic(fmt.Sprintf("port: kind %q needs a name of two lower-case letters or more, a direction and Open", k.Name))
	}
	kinds.Lock()
	defer kinds.Unlock()
	if _, ok := kinds.m[k.Name]; ok {
		panic("port: kind " + k.Name + " is registered twice")
	}
	if kinds.m == nil {
		kinds.m = map[string]Kind{}
	}
	kinds.m[k.Name] = k
}

// Kinds returns the kinds that Open knows, by name.
func Kinds() []Kind {
	kinds.RLock()
	defer kinds.RUnlock()
	all := make([]Kind, 0, len(kinds.m))
	for _, k := range kinds.m {
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b Kind) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Lookup returns the kind of that name, if Open knows it.
func Lookup(name string) (Kind, bool) {
	kinds.RLock()
	defer kinds.RUnlock()
	k, ok := kinds.m[name]
	return k, ok
}

// Open opens the port that name names (see Parse). The error says what is wrong
// with the name, or with the world.
func Open(name string, o Options) (Port, error) {
	s, err := Parse(name)
	if err != nil {
		return nil, err
	}
	return s.Open(o)
}

// Open opens the port that s names.
func (s *Spec) Open(o Options) (Port, error) {
	k, ok := Lookup(s.Kind)
	if !ok {
		return nil, s.Errorf("unknown kind %q; kinds are %s", s.Kind, kindNames())
	}
	o = o.withDefaults()
	if o.Pool == nil {
		return nil, s.Errorf("%w", ErrNoPool)
	}
	if missing := o.Direction &^ k.Does; missing != 0 {
		return nil, s.Errorf("kind %s works for %s only, not for %s", k.Name, k.Does, o.Direction)
	}
	return k.Open(s, o)
}
