//go:build unix

// Addresses: as text, as netip has them, and as the system does.

package udpsock

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ErrAddress is wrapped by errors about an address.
var ErrAddress = errors.New("bad address")

// lookupTimeout is how long a name may take to be an address.
const lookupTimeout = 10 * time.Second

// Lookup returns the address that host is, or that it is the name of: of the family of like if that is valid, and
// otherwise its first one. IPv6 may stand in brackets.
func Lookup(host string, like netip.Addr) (netip.Addr, error) {
	if inner, ok := strings.CutPrefix(host, "["); ok {
		host = strings.TrimSuffix(inner, "]")
	}
	if host == "" {
		return netip.Addr{}, fmt.Errorf("%w: it is empty", ErrAddress)
	}
	found := []netip.Addr{}
	if a, err := netip.ParseAddr(host); err == nil {
		found = append(found, a)
	} else {
		ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
		defer cancel()
		if found, err = net.DefaultResolver.LookupNetIP(ctx, "ip", host); err != nil {
			return netip.Addr{}, fmt.Errorf("%w %q: %w", ErrAddress, host, err)
		}
	}
	for _, a := range found {
		if a = a.Unmap(); !like.IsValid() || a.Is4() == like.Is4() {
			return a, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("%w %q: it is not of the family of %v, and IPv4 and IPv6 don't mix", ErrAddress, host, like)
}

// LookupPort takes host:port apart and looks host up, as Lookup does. An empty host is the invalid Addr.
func LookupPort(text string, like netip.Addr) (netip.AddrPort, error) {
	host, number, err := net.SplitHostPort(text)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%w %q: want host:port, or [host]:port with an IPv6 address", ErrAddress, text)
	}
	n, err := strconv.ParseUint(number, 10, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%w %q: port %q, want a number of 0 to 65535", ErrAddress, text, number)
	}
	var a netip.Addr
	if host != "" {
		if a, err = Lookup(host, like); err != nil {
			return netip.AddrPort{}, err
		}
	}
	return netip.AddrPortFrom(a, uint16(n)), nil
}

// sockaddr is a for calls of the unix package.
func sockaddr(a netip.AddrPort) (unix.Sockaddr, error) {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}, nil
	}
	zone, err := zoneID(a.Addr())
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16(), ZoneId: zone}, err
}

func zoneID(a netip.Addr) (uint32, error) {
	if a.Zone() == "" {
		return 0, nil
	}
	if n, err := strconv.ParseUint(a.Zone(), 10, 32); err == nil {
		return uint32(n), nil
	}
	i, err := net.InterfaceByName(a.Zone())
	if err != nil {
		return 0, fmt.Errorf("%w %v: its zone: %w", ErrAddress, a, err)
	}
	return uint32(i.Index), nil
}

// Name is an address and port as the system writes it, in memory of its own.
type Name struct {
	raw unix.RawSockaddrAny
	n   int
}

// NewName makes a Name of a.
func NewName(a netip.AddrPort) (Name, error) {
	var x Name
	if a.Addr().Is4() {
		in := (*unix.RawSockaddrInet4)(unsafe.Pointer(&x.raw))
		in.Family = unix.AF_INET
		in.Addr = a.Addr().As4()
		putPort(&in.Port, a.Port())
		x.n = unix.SizeofSockaddrInet4
	} else {
		zone, err := zoneID(a.Addr())
		if err != nil {
			return x, err
		}
		in := (*unix.RawSockaddrInet6)(unsafe.Pointer(&x.raw))
		in.Family = unix.AF_INET6
		in.Addr = a.Addr().As16()
		in.Scope_id = zone
		putPort(&in.Port, a.Port())
		x.n = unix.SizeofSockaddrInet6
	}
	putLen(&x.raw, x.n)
	return x, nil
}

func putPort(field *uint16, n uint16) {
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(field))[:], n)
}

// Host is an address without port and zone, comparable: IPv4 is as mapped into IPv6.
type Host [16]byte

// HostOf returns a's.
func HostOf(a netip.Addr) Host { return a.As16() }

// hostOf returns the one in raw, which has n bytes.
func hostOf(raw *unix.RawSockaddrAny, n int) (h Host) {
	switch {
	case raw.Addr.Family == unix.AF_INET && n >= unix.SizeofSockaddrInet4:
		h[10], h[11] = 0xff, 0xff
		a := &(*unix.RawSockaddrInet4)(unsafe.Pointer(raw)).Addr
		copy(h[12:], a[:])
	case raw.Addr.Family == unix.AF_INET6 && n >= unix.SizeofSockaddrInet6:
		h = (*unix.RawSockaddrInet6)(unsafe.Pointer(raw)).Addr
	}
	return h
}

// local returns the address that socket num is bound to.
func local(num int) (netip.AddrPort, error) {
	sa, err := unix.Getsockname(num)
	if err != nil {
		return netip.AddrPort{}, err
	}
	switch a := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port)), nil
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr), uint16(a.Port)), nil
	}
	return netip.AddrPort{}, fmt.Errorf("%w: of a family that is not IP", ErrAddress)
}
