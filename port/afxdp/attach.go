//go:build linux

// Attachments: the XDP program at an interface, one for all ports of this process on it.

package afxdp

import (
	"errors"
	"fmt"
	"sync"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// attachment is a program that is attached. The link that holds it there is a descriptor, so that it goes
// with the process, whatever end that takes.
type attachment struct {
	key     attachKey
	how     attachHow
	sockets *ebpf.Map // the socket of each queue
	program *ebpf.Program
	link    link.Link
	users   int          // guarded by attachments
	taken   map[int]bool // queues, likewise
}

type attachKey struct {
	namespace uint64
	index     int
}

// attachHow is what users of one attachment have to agree about.
type attachHow struct {
	native bool
	frags  bool
	filter string
}

func (h attachHow) String() string {
	s := "generic"
	if h.native {
		s = "native"
	}
	if h.frags {
		s += " with frames in several pieces"
	}
	if h.filter != "" {
		s += " with filter " + h.filter
	}
	return s
}

var attachments = struct {
	sync.Mutex
	m map[attachKey]*attachment
}{m: map[attachKey]*attachment{}}

// attach attaches the program to d, or joins the one that is there already by another port of this process.
//
// queues must not be another port's.
func attach(d device, queues []int, f *Filter, native, frags bool) (*attachment, error) {
	key := attachKey{d.namespace, d.index}
	how := attachHow{native, frags, f.String()}
	attachments.Lock()
	defer attachments.Unlock()
	if a := attachments.m[key]; a != nil {
		if a.how != how {
			return nil, fmt.Errorf("another port of this process has its XDP program there, %s, and all ports on an interface share one: %w", a.how, unix.EBUSY)
		}
		if err := a.take(queues); err != nil {
			return nil, err
		}
		return a, nil
	}
	a := &attachment{key: key, how: how, taken: map[int]bool{}}
	_ = a.take(queues)
	if err := a.load(d, f); err != nil {
		return nil, errors.Join(err, a.detach())
	}
	attachments.m[key] = a
	return a, nil
}

func (a *attachment) load(d device, f *Filter) (err error) {
	a.sockets, err = ebpf.NewMap(&ebpf.MapSpec{Name: "ringway", Type: ebpf.XSKMap, KeySize: 4, ValueSize: 4, MaxEntries: uint32(d.queues())})
	if err != nil {
		return fmt.Errorf("making the map of sockets: %w", err)
	}
	a.program, err = ebpf.NewProgram(spec(f, a.sockets, a.how.frags))
	if err != nil {
		return fmt.Errorf("loading the XDP program: %w", err)
	}
	mode := link.XDPGenericMode
	if a.how.native {
		mode = link.XDPDriverMode
	}
	a.link, err = link.AttachXDP(link.XDPOptions{Program: a.program, Interface: d.index, Flags: mode})
	switch {
	case errors.Is(err, unix.EBUSY), errors.Is(err, unix.EEXIST):
		return fmt.Errorf("another program has XDP on %s (ip link show %s names it): %w", d.name, d.name, err)
	case err != nil:
		return fmt.Errorf("attaching the XDP program: %w", err)
	}
	return nil
}

// take notes that a port uses the attachment, and those queues.
func (a *attachment) take(queues []int) error {
	for _, q := range queues {
		if a.taken[q] {
			return fmt.Errorf("queue %d is another port's of this process: %w", q, unix.EBUSY)
		}
	}
	for _, q := range queues {
		a.taken[q] = true
	}
	a.users++
	return nil
}

// release gives up one use, and detaches the program after the last.
func (a *attachment) release(queues []int) error {
	attachments.Lock()
	defer attachments.Unlock()
	for _, q := range queues {
		delete(a.taken, q)
	}
	if a.users--; a.users > 0 {
		return nil
	}
	delete(attachments.m, a.key)
	return a.detach()
}

func (a *attachment) detach() (err error) {
	if a.link != nil {
		err = a.link.Close()
	}
	return errors.Join(err, a.program.Close(), a.sockets.Close()) // both do nothing if they are nil
}
