//go:build linux

// What devices need of the system.

package tap

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/port"
)

// doctor tries to make a device of a name that the kernel chooses, which goes with the descriptor.
func doctor(tun bool) []port.Finding {
	num, err := unix.Open(clone, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	driver := port.Finding{What: "the driver (" + clone + ")", Err: err}
	if err != nil {
		driver.Mend = "sudo modprobe tun; in a container: --device " + clone
		if errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) {
			driver.Mend = "run it as root, or: sudo chmod 0666 " + clone
		}
		return []port.Finding{driver}
	}
	defer unix.Close(num)
	flags, kind := uint16(unix.IFF_TAP|unix.IFF_NO_PI|unix.IFF_VNET_HDR), "tap"
	if tun {
		flags, kind = unix.IFF_TUN|unix.IFF_NO_PI|unix.IFF_VNET_HDR, "tun"
	}
	_, err = setIff(num, "", flags)
	device := port.Finding{What: "making a device (TUNSETIFF)", Err: err}
	if err != nil {
		device.Mend = "run it as root, or: sudo setcap cap_net_admin+ep $(command -v ringway); or use a device made beforehand: sudo ip tuntap add NAME mode " +
			kind + " user $USER"
		return []port.Finding{driver, device}
	}
	const tso = unix.TUN_F_CSUM | unix.TUN_F_TSO4 | unix.TUN_F_TSO6
	found := []port.Finding{driver, device}
	for _, o := range []struct {
		what, since string
		offloads    int
	}{
		{"large TCP segments (TUN_F_TSO4, TUN_F_TSO6)", "2.6.27", tso},
		{"large UDP segments (TUN_F_USO4, TUN_F_USO6)", "6.2", tso | unix.TUN_F_USO4 | unix.TUN_F_USO6},
	} {
		f := port.Finding{What: o.what, Optional: true, Err: unix.IoctlSetInt(num, unix.TUNSETOFFLOAD, o.offloads)}
		if f.Err != nil {
			f.Mend = "Linux " + o.since + " or later; without it the kernel cuts them itself"
		}
		found = append(found, f)
	}
	return found
}
