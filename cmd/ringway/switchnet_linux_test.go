//go:build linux && !race

package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/control"
	"github.com/ringway-net/ringway/internal/netlab"
	"github.com/ringway-net/ringway/packet"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
)

// Hosts are joined by a switch, whose ports are of different kinds, and by two switches with a tunnel between them.

// switching is a switch that runs as a process of its own, at a site.
type switching struct {
	t       *testing.T
	p       *netlab.Process
	control string
}

// startSwitch starts a switch, and waits until it has opened its ports.
func (s *site) startSwitch(ports ...string) *switching {
	s.t.Helper()
	w := &switching{t: s.t, control: filepath.Join(s.t.TempDir(), "ctl")}
	w.p = s.r.Start(program, append([]string{"switch", "--json", "--control", w.control}, ports...)...)
	s.forward = append(s.forward, w.p)
	eventually(s.t, func() error {
		select {
		case <-w.p.Done():
			s.t.Fatal(w.p.Output())
		default:
		}
		_, err := w.ask(control.Request{Op: control.OpStats})
		return err
	})
	return w
}

func (w *switching) ask(r control.Request) (control.Answer, error) {
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	return control.Ask(ctx, w.control, r)
}

// ctl has the program ask the switch, which must do it.
func (w *switching) ctl(args ...string) string {
	w.t.Helper()
	return ok(w.t, append([]string{"ctl", "--control", w.control}, args...)...)
}

// port returns what the switch says of a port; State is "" if there is none.
func (w *switching) port(name string) control.Port {
	w.t.Helper()
	a, err := w.ask(control.Request{Op: control.OpPorts})
	if err != nil {
		w.t.Fatalf("%v: %s", err, w.p.Output())
	}
	for _, p := range a.Ports {
		if p.Name == name {
			return p
		}
	}
	return control.Port{}
}

// end interrupts the switch, and holds its account against it.
func (w *switching) end() (sum switchSummary) {
	w.t.Helper()
	if err := w.p.Stop(); err == nil || !strings.Contains(err.Error(), fmt.Sprint("exit status ", exitInterrupted)) {
		w.t.Errorf("it was to end with exit code %d: %v", exitInterrupted, err)
	}
	_, text, _ := strings.Cut("\n"+w.p.Output(), "\n{") // behind what it has told
	text, _, _ = strings.Cut("{"+text, "\n")
	if err := json.Unmarshal([]byte(text), &sum); err != nil {
		w.t.Errorf("no summary: %v: %s", err, w.p.Output())
		return sum
	}
	if !sum.Balance() || sum.Received == 0 || sum.InFlight != 0 || sum.Pool.InUse != 0 {
		w.t.Errorf("received %d + replicas %d + segments %d, sent %d + dropped %d + in flight %d, %d buffers in use: %s",
			sum.Received, sum.Replicas, sum.Segments, sum.Sent, sum.Dropped, sum.InFlight, sum.Pool.InUse, text)
	}
	if w.t.Failed() {
		w.t.Log(text)
	}
	return sum
}

// with is the site for a host with another MTU.
func (s *site) with(mtu int) *site {
	c := *s
	c.mtu = mtu
	return &c
}

// networkHost is a host of a network: how it is attached, what its port string has beside, and its MTU.
type networkHost struct {
	kind, keys string
	mtu        int
}

// newSwitched makes a site with these hosts, joined by a switch.
func newSwitched(t *testing.T, hosts []networkHost) (*site, *switching) {
	t.Helper()
	lab := netlab.New(t)
	s := &site{t: t, lab: lab, r: lab.Namespace("r")}
	var ports []string
	for i, h := range hosts {
		s.hosts = append(s.hosts, lab.Namespace(fmt.Sprint("host", i+1)))
		ports = append(ports, attachments[h.kind].before(s.with(h.mtu), i)+h.keys)
	}
	w := s.startSwitch(ports...)
	for i, h := range hosts {
		if after := attachments[h.kind].after; after != nil {
			after(s.with(h.mtu), i)
		}
	}
	return s, w
}

// mac returns the address of a host's interface.
func mac(t *testing.T, n *netlab.Namespace) packet.MAC {
	t.Helper()
	var links []struct{ Address string }
	if err := json.Unmarshal([]byte(n.IP("-j", "link", "show", ifname)), &links); err != nil || len(links) != 1 {
		t.Fatalf("%v, %v", links, err)
	}
	m, err := packet.ParseMAC(links[0].Address)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestSwitchNetworks(t *testing.T) {
	t.Parallel() // in namespaces of its own
	networks := map[string][]networkHost{
		"1500": {{"tap", "", 1500}, {"afpacket", "", 1500}, {"afxdp", "", 1500}, {"vxlan", "", 1450}},
		"9000": {{"tap", "", 9000}, {"afxdp", "", 9000}, {"vxlan", "", 8950}},
	}
	if testing.Short() {
		delete(networks, "9000")
	}
	for name, hosts := range networks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, w := newSwitched(t, hosts)
			for i := range hosts {
				s.hosts[i].Number(ifname, i+1)
			}
			for i := range hosts {
				for j := range i {
					s.pings(i, j, min(hosts[i].mtu, hosts[j].mtu))
				}
			}
			for i := range hosts {
				j := (i + 1) % len(hosts)
				at := s.with(min(hosts[i].mtu, hosts[j].mtu))
				at.tagged(s.hosts[i], s.hosts[j])
				at.tagged(s.hosts[j], s.hosts[i])
				for k := range i { // of each pair, whole, both ways
					s.transfer(s.hosts[i], s.hosts[k], fmt.Sprint("10.0.0.", k+1))
					s.transfer(s.hosts[k], s.hosts[i], fmt.Sprint("10.0.0.", i+1))
				}
			}
			for i := range len(hosts) - 1 {
				s.stream(i, i+1)
			}
			u, err := netlab.UDP(s.hosts[1], s.hosts[len(hosts)-1], "10.0.0.2", time.Second, netlab.UDPOptions{BitsPerSecond: 10e6, Size: 1300})
			if err != nil || u.Far < u.Sent*9/10 {
				t.Errorf("UDP: %+v, %v", u, err)
			}
			for i := range hosts { // each hears nothing of what two others say
				s.quiet(i, (i+1)%len(hosts), (i+2)%len(hosts))
			}
			sum := w.end()
			if n := sum.Removed.RxPackets; n != 0 || len(sum.Ports) != len(hosts) {
				t.Errorf("%d ports, and %d frames of some that were removed", len(sum.Ports), n)
			}
		})
	}
}

// pings holds that pings come through between two hosts whose frames are as long as those of mtu, one way and back.
func (s *site) pings(i, j, mtu int) {
	s.t.Helper()
	to := fmt.Sprint("10.0.0.", j+1)
	if !s.hosts[i].WaitPing(to, 10*time.Second) {
		s.t.Fatalf("no ping from %d to %d: %s", i, j, s.said())
	}
	for to, size := range map[string]int{to: mtu - 28, fmt.Sprintf("fd00::%d", j+1): mtu - 48} {
		if r := s.hosts[i].Ping(to, netlab.PingOptions{Count: 5, Size: size, DontFragment: true, Within: 10 * time.Second}); r.Received < 5 {
			s.t.Errorf("of %d pings of %d bytes from %d to %s, %d came back", r.Sent, size, i, to, r.Received)
		}
	}
}

// stream holds that TCP comes through between two hosts, both ways.
func (s *site) stream(i, j int) {
	s.t.Helper()
	for _, c := range []struct {
		addr string
		o    netlab.TCPOptions
	}{
		{fmt.Sprint("10.0.0.", j+1), netlab.TCPOptions{}},
		{fmt.Sprintf("fd00::%d", j+1), netlab.TCPOptions{Reverse: true}},
	} {
		r, err := netlab.Transfer(s.hosts[j], s.hosts[i], c.addr, c.o)
		if err != nil || r.BitsPerSecond < 10e6 {
			s.t.Errorf("TCP between %d and %s, %+v: %+v, %v: %s", i, c.addr, c.o, r, err, s.said())
			continue
		}
		s.t.Logf("TCP between %d and %s, %+v: %.2f Gbit/s, %d retransmitted", i, c.addr, c.o, r.BitsPerSecond/1e9, r.Retransmits)
	}
}

// quiet holds that a host hears nothing of what two others say to each other, while it does hear what is for an address that nobody has.
func (s *site) quiet(third, i, j int) {
	s.t.Helper()
	a, b, own := mac(s.t, s.hosts[i]), mac(s.t, s.hosts[j]), mac(s.t, s.hosts[third])
	file := filepath.Join(s.t.TempDir(), "third.pcap")
	c := s.hosts[third].Capture(ifname, file, fmt.Sprintf("(ether src %v or ether src %v) and not ether multicast and not ether dst %v", a, b, own))
	s.transfer(s.hosts[i], s.hosts[j], fmt.Sprint("10.0.0.", j+1))
	s.transfer(s.hosts[j], s.hosts[i], fmt.Sprint("10.0.0.", i+1))
	e := s.ends(i, third)
	e.send(i, e.frame(packet.MAC{2, 0, 0, 0, 0xff, 0xff}, a, "", "to nobody"))
	e.until(third, "to nobody")
	e.close()
	eventually(s.t, func() error { // the capture may be slower
		if text, err := os.ReadFile(file); err != nil || !bytes.Contains(text, []byte("to nobody")) {
			return fmt.Errorf("what is for nobody is not in the capture: %v", err)
		}
		return nil
	})
	if frames, lost := c.Stop(); frames != 1 || lost != 0 {
		s.t.Errorf("host %d heard %d frames of what %d and %d said to each other, and missed %d; it was to hear one, for nobody: %s",
			third, frames, i, j, lost, s.said())
	}
}

// ends are raw ports at the interfaces of hosts, by number.
type ends struct {
	s     *site
	pool  *pool.Pool
	ports map[int]port.Port
	heard map[int][][]byte
}

// ends opens ports at these hosts.
func (s *site) ends(hosts ...int) *ends {
	s.t.Helper()
	e := &ends{s: s, ports: map[int]port.Port{}, heard: map[int][][]byte{}}
	var err error
	if e.pool, err = pool.New(pool.Config{Count: 4096, BufferSize: 2048}); err != nil {
		s.t.Fatal(err)
	}
	for _, i := range hosts {
		s.hosts[i].Do(func() { e.ports[i], err = port.Open("afpacket:"+ifname, port.Options{Pool: e.pool}) })
		if err != nil {
			s.t.Fatal(err)
		}
	}
	return e
}

func (e *ends) close() {
	e.s.t.Helper()
	var err error
	for _, p := range e.ports {
		err = errors.Join(err, p.Close())
	}
	if err = errors.Join(err, e.pool.Close()); err != nil {
		e.s.t.Error(err)
	}
}

// frame makes a frame with a text, by which until knows it.
func (e *ends) frame(dst, src packet.MAC, tags, text string) []byte {
	f := append(append(dst[:len(dst):len(dst)], src[:]...), tags+"\x88\xb5"+text+"."...)
	return append(f, make([]byte, max(0, 60-len(f)))...)
}

func (e *ends) send(host int, frame []byte) {
	e.s.t.Helper()
	b, err := e.pool.CopyIn(frame)
	if err != nil {
		e.s.t.Fatal(err)
	}
	if n, err := e.ports[host].Tx([]pool.Buffer{b}); n != 1 || err != nil {
		e.s.t.Fatal(n, err)
	}
}

// until returns the tags of a frame with a text, which a host must receive. All that it receives meanwhile is heard.
func (e *ends) until(host int, text string) (tags string) {
	e.s.t.Helper()
	ctx, cancel := context.WithTimeout(e.s.t.Context(), 10*time.Second)
	defer cancel()
	in, bufs := e.ports[host], make([]pool.Buffer, 16)
	for {
		if tags, ok := e.has(host, text); ok {
			return tags
		}
		n, err := in.Rx(bufs)
		for _, b := range bufs[:n] {
			e.heard[host] = append(e.heard[host], bytes.Clone(b.Bytes()))
			b.Release()
		}
		if n == 0 && err == nil {
			err = in.WaitRx(ctx)
		}
		if err != nil {
			e.s.t.Fatalf("%q does not come to host %d: %v: %s", text, host, err, e.s.said())
		}
	}
}

// has reports whether a host has heard a text so far, and in a frame with what tags.
func (e *ends) has(host int, text string) (tags string, ok bool) {
	for _, f := range e.heard[host] {
		if header, _, found := bytes.Cut(f, []byte("\x88\xb5"+text+".")); found {
			return string(header[12:]), true
		}
	}
	return "", false
}

// With vlan= and trunk= the switch puts tags and takes them, and what is of one VLAN stays in it.
func TestSwitchVLANs(t *testing.T) {
	t.Parallel()                                           // in namespaces of its own
	kinds := []string{"tap", "afpacket", "afxdp", "vxlan"} // of the trunk
	if testing.Short() {
		kinds = kinds[:1]
	}
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			const a, b, c, trunk = 0, 1, 2, 3
			mtu := 1500
			if kind == "vxlan" {
				mtu = 1450
			}
			s, w := newSwitched(t, []networkHost{
				{"afpacket", ",vlan=10", 1500}, {"tap", ",vlan=10", 1500}, {"afxdp", ",vlan=20", 1500}, {kind, ",trunk=10;20", mtu},
			})
			for i := range trunk {
				s.hosts[i].Number(ifname, i+1)
			}
			// At the far end of the trunk a switch has an interface for each VLAN.
			far := &site{t: t, lab: s.lab, r: s.hosts[trunk]}
			apart := far.startSwitch("afpacket:"+ifname+",trunk=10;20", fmt.Sprintf("tap:v10,vlan=10,mtu=%d", mtu-4), fmt.Sprintf("tap:v20,vlan=20,mtu=%d", mtu-4))
			s.forward = append(s.forward, apart.p)
			s.hosts[trunk].Addr("v10", "10.0.0.4/24", "fd00::4/64")
			s.pings(a, b, 1500)
			s.pings(a, trunk, mtu-4)
			s.pings(b, trunk, mtu-4)
			s.stream(a, trunk)
			s.stream(b, trunk)
			if r := s.hosts[c].Ping("10.0.0.1", netlab.PingOptions{Count: 2, Wait: 200 * time.Millisecond}); r.Received != 0 {
				t.Error("a host of VLAN 20 reaches one of VLAN 10")
			}
			s.hosts[trunk].IP("addr", "flush", "dev", "v10")
			s.hosts[trunk].Addr("v20", "10.0.0.4/24", "fd00::4/64")
			s.pings(c, trunk, mtu-4)
			s.stream(c, trunk)
			apart.end()
			s.tags(a, b, c, trunk)
			w.end()
		})
	}
}

// tags sends frames to all, and looks who gets them, and how: a and b are in VLAN 10, c in 20, trunk in both.
func (s *site) tags(a, b, c, trunk int) {
	s.t.Helper()
	e := s.ends(a, b, c, trunk)
	defer e.close()
	all, src := packet.MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, packet.MAC{2, 0, 0, 0, 0, 0xa}
	const first = 0xe000 // a priority, which a tag keeps
	tag := func(vlan uint16) string { return string(binary.BigEndian.AppendUint16([]byte("\x81\x00"), vlan)) }
	// What must not come is sent before what must, so that it would have come before.
	e.send(a, e.frame(all, src, tag(10), "tagged at an access port"))
	e.send(a, e.frame(all, src, tag(20), "into another VLAN"))
	e.send(trunk, e.frame(all, src, "", "without a tag at a trunk"))
	e.send(trunk, e.frame(all, src, tag(30), "of a VLAN not carried"))
	e.send(a, e.frame(all, src, "", "from a"))
	e.send(a, e.frame(all, src, tag(0), "priority"))
	e.send(c, e.frame(all, src, "", "from c"))
	for _, vlan := range []uint16{10, 20} {
		e.send(trunk, e.frame(all, src, tag(first|vlan), fmt.Sprint("from trunk in ", vlan)))
	}
	for _, want := range []struct {
		host       int
		text, tags string
	}{
		{b, "from a", ""}, {b, "priority", ""}, {b, "from trunk in 10", ""},
		{a, "from trunk in 10", ""},
		{c, "from trunk in 20", ""},
		{trunk, "from a", tag(10)}, {trunk, "priority", tag(10)}, {trunk, "from c", tag(20)},
	} {
		if got := e.until(want.host, want.text); got != want.tags {
			s.t.Errorf("%q came to host %d with tags %x, want %x", want.text, want.host, got, want.tags)
		}
	}
	nobody := []string{"tagged at an access port", "into another VLAN", "without a tag at a trunk", "of a VLAN not carried"}
	for host, never := range map[int][]string{
		a: {"from c", "from trunk in 20"}, b: {"from c", "from trunk in 20"}, c: {"from a", "priority", "from trunk in 10"}, trunk: nil,
	} {
		for _, text := range append(never, nobody...) {
			if tags, ok := e.has(host, text); ok {
				s.t.Errorf("%q came to host %d, with tags %x", text, host, tags)
			}
		}
	}
}

// Two programs, each a switch, are joined by vxlan: their hosts are in one network.
func TestSwitchTunnel(t *testing.T) {
	t.Parallel() // in namespaces of its own
	lab := netlab.New(t)
	left := &site{t: t, lab: lab, r: lab.Namespace("left"), mtu: 1500}
	for i := range 3 {
		left.hosts = append(left.hosts, lab.Namespace(fmt.Sprint("host", i+1)))
	}
	right := *left
	right.r = lab.Namespace("right")
	lab.Veth(left.r, "under", right.r, "under", 1550)
	left.r.Addr("under", "10.2.0.1/24")
	right.r.Addr("under", "10.2.0.2/24")
	kinds := []string{"afpacket", "afxdp", "tap"}
	at := []*site{left, &right, &right}
	var ports []string
	for i, kind := range kinds {
		ports = append(ports, attachments[kind].before(at[i], i))
	}
	l := left.startSwitch(ports[0], "vxlan:10.2.0.2,vni=9")
	r := right.startSwitch(ports[1], ports[2], "vxlan:10.2.0.1,vni=9")
	for i, kind := range kinds {
		if after := attachments[kind].after; after != nil {
			after(at[i], i)
		}
		left.hosts[i].Number(ifname, i+1)
	}
	left.forward = append(left.forward, r.p) // for what they say
	for i := range kinds {
		for j := range i {
			left.pings(i, j, 1500)
		}
	}
	left.stream(0, 1)
	left.stream(0, 2)
	left.quiet(1, 0, 2)
	l.end()
	r.end()
}
