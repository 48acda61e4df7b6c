//go:build linux

// The device: made or attached to, and set up.

package tap

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/vnet"
	"github.com/ringway-net/ringway/port"
)

// device is a device and the descriptors of the queues that are ours.
type device struct {
	rtnl     *rtnl
	queues   []int
	name     string
	index    uint32
	created  bool // there was none of that name before
	header   int  // length of the virtio_net_hdr in front of each frame, 0 for none
	offloads port.Offloads
	dropped  uint64 // by the kernel, before we came
	warnings []string
}

const clone = "/dev/net/tun"

// openDevice opens the device that c is about, with all its queues, and makes it what c wants.
func openDevice(c *config) (d *device, err error) {
	d = &device{}
	if d.rtnl, err = openRtnl(); err != nil {
		return nil, err
	}
	for _, step := range []func(*config) error{d.attach, d.negotiate, d.configure, d.bringUp} {
		if err := step(c); err != nil {
			for _, num := range d.queues {
				_ = unix.Close(num)
			}
			_ = d.rtnl.close()
			return nil, err
		}
	}
	return d, nil
}

// attach opens the queues: the first one makes the device if there is none.
func (d *device) attach(c *config) error {
	_, there := d.rtnl.index(c.device)
	d.created = !there
	flags := uint16(unix.IFF_NO_PI | unix.IFF_TAP)
	if c.tun {
		flags = unix.IFF_NO_PI | unix.IFF_TUN
	}
	if c.vnet {
		flags |= unix.IFF_VNET_HDR
	}
	if c.queues > 1 {
		flags |= unix.IFF_MULTI_QUEUE
	}
	d.name = c.device
	for range c.queues {
		num, err := unix.Open(clone, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		if err != nil {
			return noClone(c, err)
		}
		d.queues = append(d.queues, num)
		name, err := setIff(num, d.name, flags)
		if err == unix.EINVAL && there && len(d.queues) == 1 {
			// Who attaches has to say what it was made with.
			flags ^= unix.IFF_MULTI_QUEUE
			if name, err = setIff(num, d.name, flags); err == nil && c.queues > 1 {
				return c.errorf("the device has one queue, and queues=%d wants one made with more: ip tuntap add … multi_queue", c.queues)
			}
		}
		if err != nil {
			return d.refused(c, there, err)
		}
		d.name = name
	}
	var ok bool
	if d.index, ok = d.rtnl.index(d.name); !ok {
		return c.errorf("%w", ErrDeleted)
	}
	return nil
}

// setIff makes descriptor num a queue of a device, and returns the name that the device has.
func setIff(num int, name string, flags uint16) (string, error) {
	req, err := unix.NewIfreq(name)
	if err != nil {
		return "", err
	}
	req.SetUint16(flags)
	err = unix.IoctlIfreq(num, unix.TUNSETIFF, req)
	return req.Name(), err
}

// noClone explains why there is no descriptor.
func noClone(c *config, err error) error {
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		return c.errorf("%s: %w: load the driver (modprobe tun), or give the container the device (--device %s)", clone, err, clone)
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return c.errorf("%s: %w: run as root, or let the user open it (chmod 0666 %s)", clone, err, clone)
	}
	return c.errorf("%s: %w", clone, err)
}

// refused explains why a device can't be had.
func (d *device) refused(c *config, there bool, err error) error {
	kind := "tap"
	if c.tun {
		kind = "tun"
	}
	switch {
	case errors.Is(err, unix.EPERM):
		return c.errorf("%w: it takes CAP_NET_ADMIN (root, or docker run --cap-add NET_ADMIN), or a device made for the user beforehand: ip tuntap add %s mode %s user NAME", err, c.device, kind)
	case errors.Is(err, unix.EBUSY):
		return c.errorf("%w: another program has the device; several at a time can if it was made with multi_queue", err)
	case errors.Is(err, unix.E2BIG):
		return c.errorf("%w: the device has all the queues that it can have, %d at most", err, maxQueues)
	case errors.Is(err, unix.EINVAL) && there:
		return c.errorf("%w: there is a device of that name, and it is no %s: choose another name, or look at it with ip -d link show %s", err, kind, c.device)
	}
	return c.errorf("%w", err)
}

// errorf returns an error that begins with the port's name.
func (c *config) errorf(format string, args ...any) error {
	return fmt.Errorf("%s: %w", c.spec.Name, fmt.Errorf(format, args...))
}

// negotiate agrees with the kernel on what is left undone on frames.
func (d *device) negotiate(c *config) error {
	num := d.queues[0]
	// Who attaches to a device that others have open gets what they have.
	req, err := unix.NewIfreq("")
	if err == nil {
		err = unix.IoctlIfreq(num, unix.TUNGETIFF, req)
	}
	if err != nil {
		return c.errorf("asking for the device's flags: %w", err)
	}
	if has := req.Uint16()&unix.IFF_VNET_HDR != 0; has != c.vnet {
		word := map[bool]string{true: "on", false: "off"}
		return c.errorf("another program has the device with vnet=%s: open it in the same way", word[has])
	}
	if c.vnet {
		if size, err := unix.IoctlGetUint32(num, unix.TUNGETVNETHDRSZ); err != nil {
			return c.errorf("asking for the length of virtio_net_hdr: %w", err)
		} else if d.header = int(size); d.header < vnet.Len || d.header > maxHeader {
			return c.errorf("another program has made virtio_net_hdr %d bytes long, want %d to %d", d.header, vnet.Len, maxHeader)
		}
	}
	// From all to nothing: older kernels know less.
	const tso = unix.TUN_F_CSUM | unix.TUN_F_TSO4 | unix.TUN_F_TSO6
	steps := []struct {
		takes    port.Offloads
		offloads int
	}{
		{port.AllOffloads, tso | unix.TUN_F_TSO_ECN | unix.TUN_F_USO4 | unix.TUN_F_USO6},
		{port.AllOffloads &^ port.OffloadUSO, tso | unix.TUN_F_TSO_ECN}, // before 6.2
		{port.OffloadChecksum | port.OffloadTSO4 | port.OffloadTSO6, tso},
		{port.OffloadChecksum, unix.TUN_F_CSUM},
		{port.NoOffloads, 0}, // and what somebody has left there is off
	}
	if !c.vnet {
		steps = steps[len(steps)-1:]
	}
	for _, s := range steps {
		if err = unix.IoctlSetInt(num, unix.TUNSETOFFLOAD, s.offloads); err == nil {
			d.offloads = s.takes
			return nil
		}
	}
	return c.errorf("TUNSETOFFLOAD: %w", err)
}

// configure makes the device what the keys say.
func (d *device) configure(c *config) error {
	u32 := func(n int) []byte { return order.AppendUint32(nil, uint32(n)) }
	changes := []struct {
		wanted bool
		what   string
		do     func() error
	}{
		{c.mac != nil, "mac", func() error { return d.rtnl.set(d.index, unix.IFLA_ADDRESS, c.mac) }},
		{c.mtu >= 0, "mtu", func() error { return d.rtnl.set(d.index, unix.IFLA_MTU, u32(c.mtu)) }},
		{c.txqlen >= 0, "txqlen", func() error { return d.rtnl.set(d.index, unix.IFLA_TXQLEN, u32(c.txqlen)) }},
		{c.addrs != nil, "addr", func() error {
			for _, a := range c.addrs {
				if err := d.rtnl.addr(d.index, a); err != nil {
					return fmt.Errorf("%v: %w", a, err)
				}
			}
			return nil
		}},
		// Last: what failed before it leaves nothing behind.
		{c.persist >= 0, "persist", func() error { return unix.IoctlSetInt(d.queues[0], unix.TUNSETPERSIST, c.persist) }},
	}
	for _, change := range changes {
		if !change.wanted {
			continue
		}
		if err := change.do(); err != nil {
			return c.errorf("key %s: %s: %w%s", change.what, d.name, err, hint(change.what, err))
		}
	}
	return nil
}

// hint says what helps when a key could not be obeyed.
func hint(key string, err error) string {
	switch {
	case errors.Is(err, unix.EPERM):
		return ": only root (CAP_NET_ADMIN) can change a device"
	case key == "mtu" && errors.Is(err, unix.EINVAL):
		return ": a tap takes an MTU of 68 to 65521 bytes, a tun to 65535"
	case key == "addr" && errors.Is(err, unix.EOPNOTSUPP):
		return ": the kernel has no IPv6"
	case key == "addr" && errors.Is(err, unix.EACCES):
		return ": IPv6 is off for this device (sysctl net.ipv6.conf.DEVICE.disable_ipv6)"
	}
	return ""
}

// bringUp brings the device up, if it is not.
func (d *device) bringUp(c *config) error {
	l, err := d.rtnl.get(d.index)
	if err != nil {
		return c.errorf("looking at %s: %w", d.name, err)
	}
	d.dropped = l.dropped
	if l.up {
		return nil
	}
	mend := fmt.Sprintf("ip link set %s up", d.name)
	if !c.up {
		d.warnings = append(d.warnings, fmt.Sprintf("%s is down, and nothing goes by it: %s", d.name, mend))
		return nil
	}
	switch err := d.rtnl.up(d.index); {
	case errors.Is(err, unix.EPERM) && !d.created:
		d.warnings = append(d.warnings, fmt.Sprintf("%s is down, and only root can bring it up: %s", d.name, mend))
	case err != nil:
		return c.errorf("bringing %s up: %w", d.name, err)
	}
	return nil
}

// mode describes the device for Info.
func (d *device) mode(c *config) string {
	var s strings.Builder
	s.WriteString(d.name)
	if d.created {
		s.WriteString(", created; ")
	} else {
		s.WriteString(", attached to; ")
	}
	if len(d.queues) > 1 {
		fmt.Fprintf(&s, "%d queues; ", len(d.queues))
	}
	switch {
	case !c.vnet:
		s.WriteString("finished frames (vnet=off)")
	default:
		fmt.Fprintf(&s, "virtio_net_hdr: %v", d.offloads)
	}
	if missing := port.AllOffloads &^ d.offloads; c.vnet && missing != 0 {
		fmt.Fprintf(&s, "; the kernel refuses %v (USO is there since 6.2)", missing)
	}
	return s.String()
}
