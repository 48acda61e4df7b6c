//go:build linux

// How the cost of a switch goes with its ports and with the addresses that it has learned: in this process, between mem ports.

package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/mem"
	"github.com/ringway-net/ringway/vswitch"
)

// fabric is what is between the ports.
type fabric struct {
	name string
	most int // ports that it can have; 0: any number
	// open starts it between ports, and has room in its table for as many addresses in all, however they are spread. It closes the
	// ports, in stop or when it fails. stop is called when no frame is in it.
	open func(ports []port.Port, addresses int) (stop func() error, err error)
}

// fabrics are all. A forward has two ports and no table: what a switch costs beside.
var fabrics = []fabric{
	{name: "forward", most: 2, open: openForward},
	{name: "switch", open: openSwitch},
}

var (
	scalePorts     = []int{2, 8, 32, 64}
	scaleAddresses = []int{10, 10_000, 1_000_000}
)

// spot is where the cost is measured.
type spot struct {
	fabric    fabric
	ports     int
	addresses int
}

// spots returns all of a round, in an order drawn anew.
func spots() (all []spot) {
	for _, f := range fabrics {
		for _, ports := range scalePorts {
			for _, addresses := range scaleAddresses {
				if f.most == 0 || ports <= f.most {
					all = append(all, spot{f, ports, addresses})
				}
			}
		}
	}
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// cost is what one frame costs.
type cost struct {
	frames float64 // that came through, thousands a second
	cpu    float64 // ns of the whole process: sender and receiver are in it, which are the same everywhere
}

// measure has the addresses learned and then sends between all of them for a while.
func (s spot) measure(ctx context.Context, long time.Duration) (c cost, err error) {
	n, err := newCrowd(s)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, n.close()) }()
	const patience = 20 * time.Second // for frames that never come
	learn, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := n.learn(learn); err != nil {
		return c, fmt.Errorf("while it learns: %w", err)
	}
	load, cancel := context.WithTimeout(ctx, long+patience)
	defer cancel()
	used, start := processTime(), time.Now()
	sent, err := n.load(load, long)
	if err != nil {
		return c, err
	}
	return cost{float64(sent) / time.Since(start).Seconds() / 1e3, float64(processTime()-used) / float64(sent)}, nil
}

// processTime returns the CPU time of this process.
func processTime() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		panic(err) // of a pointer and a constant
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

const (
	crowdBurst = 32                     // frames that one sends to another at a time
	crowdAhead = 16                     // bursts on their way: fewer frames than any ring has room for
	crowdMAC   = uint16(0x02)<<8 | 0x52 // begins their addresses, which are of local meaning
)

// crowd are the users of a switch: address i is behind port i % active, so that with few addresses there are ports with none. One goroutine
// sends and receives for all of them, and sleeps while nothing has come through.
type crowd struct {
	pool      *pool.Pool
	cache     *pool.Cache
	far       []port.Port // the other ends of the switch's ports
	stop      func() error
	addresses int
	active    int   // ports with addresses
	next      []int // of each active port: which of its addresses is the next one
	sent, got []int // of each port: frames to it
	ahead     []landing
	bufs      [crowdBurst]pool.Buffer
}

// landing is a burst on its way.
type landing struct{ port, got int } // it is there when the port has got so many

func newCrowd(s spot) (n *crowd, err error) {
	n = &crowd{addresses: s.addresses, active: min(s.ports, s.addresses), got: make([]int, s.ports), sent: make([]int, s.ports)}
	n.next = make([]int, n.active)
	const loose = 4096 // what is on its way, many times
	if n.pool, err = pool.New(pool.Config{Count: loose + 4*pool.CacheSize*s.ports}); err != nil {
		return nil, err
	}
	n.cache = n.pool.NewCache()
	var near []port.Port
	for range s.ports {
		o := port.Options{Pool: n.pool}
		a, b, err := mem.Pair(o, o, mem.Config{}, mem.Config{})
		if err != nil {
			closeAll(near)
			return nil, errors.Join(err, n.close())
		}
		near, n.far = append(near, a), append(n.far, b)
	}
	if n.stop, err = s.fabric.open(near, s.addresses); err != nil {
		return nil, errors.Join(err, n.close())
	}
	return n, nil
}

func closeAll(ports []port.Port) (err error) {
	for _, p := range ports {
		err = errors.Join(err, p.Close())
	}
	return err
}

// close ends the switch. Of its ends the farther ones go first, so that what was lost on the way is dropped.
func (n *crowd) close() (err error) {
	err = closeAll(n.far)
	if n.stop != nil {
		err = errors.Join(err, n.stop())
	}
	n.cache.Close()
	return errors.Join(err, n.pool.Close())
}

// learn has each address be the source of a frame. One port at a time: a switch that is learning from one leaves what comes by another to
// its next frame.
func (n *crowd) learn(ctx context.Context) error {
	// The first ones of each port are made known to all, since nobody has a place yet to send to.
	for from := range n.active {
		if err := n.send(ctx, n.bufs[:1], from, func(int) (to, source int) { return -1, n.address(from, 0) }); err != nil {
			return err
		}
		for p := range n.far {
			if p != from {
				n.sent[p]++
				if err := n.await(ctx, landing{p, n.sent[p]}); err != nil {
					return err
				}
			}
		}
	}
	for from := range n.active {
		to := n.address((from+1)%n.active, 0)
		for first := 0; first < n.behind(from); first += crowdBurst {
			bufs := n.bufs[:min(crowdBurst, n.behind(from)-first)]
			if err := n.burst(ctx, bufs, from, (from+1)%n.active, func(i int) (int, int) { return to, n.address(from, first+i) }); err != nil {
				return err
			}
		}
		if err := n.settle(ctx); err != nil {
			return err
		}
	}
	return nil
}

// load sends bursts from every port to every other one in turns, for a while, and returns how many frames there were.
func (n *crowd) load(ctx context.Context, long time.Duration) (sent int, err error) {
	for end := time.Now().Add(long); time.Now().Before(end); {
		for range 64 { // bursts, to look at the clock seldom
			k := sent / crowdBurst
			from := k % n.active
			to := (from + 1 + k/n.active%(n.active-1)) % n.active
			if err := n.burst(ctx, n.bufs[:], from, to, func(int) (int, int) { return n.another(to), n.another(from) }); err != nil {
				return sent, err
			}
			sent += crowdBurst
		}
	}
	return sent, n.settle(ctx)
}

// burst sends frames from one port to another. If too many are on their way, it waits first for the oldest ones.
func (n *crowd) burst(ctx context.Context, bufs []pool.Buffer, from, to int, ends func(i int) (to, source int)) error {
	if len(n.ahead) == crowdAhead {
		if err := n.await(ctx, n.ahead[0]); err != nil {
			return err
		}
		n.ahead = slices.Delete(n.ahead, 0, 1)
	}
	if err := n.send(ctx, bufs, from, ends); err != nil {
		return err
	}
	n.sent[to] += len(bufs)
	n.ahead = append(n.ahead, landing{to, n.sent[to]})
	return nil
}

// settle waits for all that is on its way, and makes sure that nothing else has come.
func (n *crowd) settle(ctx context.Context) error {
	for _, l := range n.ahead {
		if err := n.await(ctx, l); err != nil {
			return err
		}
	}
	n.ahead = n.ahead[:0]
	for p := range n.far {
		if err := n.receive(p); err != nil {
			return err
		}
		if n.got[p] > n.sent[p] {
			return fmt.Errorf("port %d got %d frames more than were sent to it: they are flooded", p, n.got[p]-n.sent[p])
		}
	}
	return nil
}

// behind returns how many addresses a port has.
func (n *crowd) behind(port int) int { return (n.addresses - port + n.active - 1) / n.active }

// address returns a port's address by its number.
func (n *crowd) address(port, i int) int { return port + i*n.active }

// another returns the next of a port's addresses.
func (n *crowd) another(port int) int {
	i := n.next[port]
	if n.next[port]++; n.next[port] == n.behind(port) {
		n.next[port] = 0
	}
	return n.address(port, i)
}

// putMAC writes an address: a number scattered over 32 bits, none twice. A negative one is all of them.
func putMAC(b []byte, address int) {
	if address < 0 {
		copy(b, "\xff\xff\xff\xff\xff\xff")
		return
	}
	binary.BigEndian.PutUint16(b, crowdMAC)
	binary.BigEndian.PutUint32(b[2:], uint32(address)*2654435761) // odd, so it has an inverse; near 2^32 / golden ratio
}

// send sends frames by a port, each between two addresses.
func (n *crowd) send(ctx context.Context, bufs []pool.Buffer, from int, ends func(i int) (to, source int)) error {
	if !n.cache.GetBulk(bufs) {
		return errors.New("no buffers: they are lost on the way")
	}
	for i := range bufs {
		frame, err := bufs[i].Append(floodSize)
		if err != nil {
			return err
		}
		to, source := ends(i)
		putMAC(frame, to)
		putMAC(frame[6:], source)
		binary.BigEndian.PutUint16(frame[12:], floodType)
		binary.BigEndian.PutUint16(frame[14:], uint16(max(0, to)%n.active))
	}
	for rest := bufs; ; {
		sent, err := n.far[from].Tx(rest)
		if rest = rest[sent:]; len(rest) == 0 && err == nil {
			return nil
		}
		if err == nil {
			err = n.far[from].WaitTx(ctx)
		}
		if err != nil {
			n.cache.PutBurst(rest)
			return fmt.Errorf("port %d takes nothing: %w", from, err)
		}
	}
}

// await sleeps until a burst is there.
func (n *crowd) await(ctx context.Context, l landing) error {
	for n.got[l.port] < l.got {
		if err := n.receive(l.port); err != nil {
			return err
		}
		if n.got[l.port] < l.got {
			if err := n.far[l.port].WaitRx(ctx); err != nil {
				for p := range n.far { // they may have gone astray, which says more
					if astray := n.receive(p); astray != nil {
						return astray
					}
				}
				return fmt.Errorf("port %d got %d of %d frames: %w", l.port, n.got[l.port], l.got, err)
			}
		}
	}
	return nil
}

// receive takes what there is at a port.
func (n *crowd) receive(p int) error {
	var bufs [crowdBurst]pool.Buffer
	for {
		got, err := n.far[p].Rx(bufs[:])
		for i := range got {
			frame := bufs[i].Bytes()
			if to := int(binary.BigEndian.Uint16(frame[14:])); frame[0]&1 == 0 && to != p && err == nil {
				err = fmt.Errorf("a frame to port %d came to port %d: it is flooded", to, p)
			}
		}
		n.got[p] += got
		n.cache.PutBurst(bufs[:got])
		if err != nil && !errors.Is(err, io.EOF) || got == 0 {
			return err
		}
	}
}

// openForward joins two ports.
func openForward(ports []port.Port, _ int) (stop func() error, err error) {
	f, err := vswitch.NewForward(vswitch.ForwardConfig{In: ports[0], Out: ports[1], Both: true})
	if err != nil {
		return nil, errors.Join(err, closeAll(ports))
	}
	return running(f.Run, ports), nil
}

// openSwitch joins any number of ports.
func openSwitch(ports []port.Port, addresses int) (stop func() error, err error) {
	s, err := vswitch.New(vswitch.Config{Addresses: 2 * addresses})
	for i, p := range ports {
		if err == nil {
			err = s.Add(strconv.Itoa(i), p, vswitch.PortConfig{})
		}
	}
	if err != nil {
		return nil, errors.Join(err, closeAll(ports))
	}
	return running(s.Run, ports), nil
}

// running runs something between ports until it is stopped.
func running(run func(context.Context) error, ports []port.Port) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	return func() error {
		cancel()
		return errors.Join(<-done, closeAll(ports))
	}
}
