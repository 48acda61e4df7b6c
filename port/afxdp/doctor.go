//go:build linux

// What the port needs of the system. An interface is not tried: which mode its driver can, Info.Mode tells.

package afxdp

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
)

const asRoot = "run it as root, or: sudo setcap cap_net_raw,cap_net_admin,cap_bpf,cap_ipc_lock+ep $(command -v ringway)"

func doctor() []port.Finding {
	num, err := unix.Socket(unix.AF_XDP, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	socket := port.Finding{What: "XDP sockets (AF_XDP)", Err: err}
	switch {
	case err == nil:
		defer unix.Close(num)
	case errors.Is(err, unix.EAFNOSUPPORT):
		socket.Mend = "a kernel with CONFIG_XDP_SOCKETS, Linux 5.11 or later"
	default:
		socket.Mend = asRoot
	}
	found := []port.Finding{socket, tryProgram()}
	if err == nil {
		found = append(found, tryMemory(num))
	}
	return found
}

// tryProgram loads the program, and attaches it nowhere.
func tryProgram() port.Finding {
	f := port.Finding{What: "XDP programs (bpf)"}
	sockets, err := ebpf.NewMap(&ebpf.MapSpec{Name: "ringway", Type: ebpf.XSKMap, KeySize: 4, ValueSize: 4, MaxEntries: 1})
	if err == nil {
		var p *ebpf.Program
		if p, err = ebpf.NewProgram(spec(nil, sockets, false)); err == nil {
			err = p.Close()
		}
		err = errors.Join(err, sockets.Close())
	}
	if err != nil {
		f.Err, f.Mend = err, asRoot+"; the kernel needs CONFIG_BPF_SYSCALL, and must not be locked down (sysctl kernel.unprivileged_bpf_disabled)"
	}
	return f
}

// tryMemory registers as much memory as ringway forward has.
func tryMemory(socket int) port.Finding {
	f := port.Finding{What: fmt.Sprintf("locked memory for %d buffers", pool.DefaultCount)}
	p, err := pool.New(pool.Config{Name: "doctor", UMEM: true})
	if err == nil {
		err = errors.Join(registration{pool: p}.register(socket), p.Close())
	}
	if err != nil {
		f.Err, f.Mend = err, "ulimit -l unlimited (LimitMEMLOCK=infinity of systemd), or: "+asRoot
	}
	return f
}
