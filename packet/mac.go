// MAC: an Ethernet address as a comparable value of six bytes.

package packet

import (
	"errors"
	"fmt"
)

// MAC is an Ethernet address (EUI-48), in the order of transmission. It is a
// value: usable as a map key, compared with ==. The zero value is the
// all-zero address, which no station has.
type MAC [6]byte

// Broadcast is the address of all stations.
var Broadcast = MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// ErrMAC is wrapped by the error for text that is no Ethernet address.
var ErrMAC = errors.New("packet: not a MAC address")

// IsBroadcast says whether m is the address of all stations.
func (m MAC) IsBroadcast() bool { return m == Broadcast }

// IsMulticast says whether m is a group address (IEEE 802, I/G bit), which the
// broadcast address is too.
func (m MAC) IsMulticast() bool { return m[0]&1 != 0 }

// IsUnicast says whether m can be the address of one station: neither a group
// address nor zero. Only such an address may be learned from a source field.
func (m MAC) IsUnicast() bool { return m[0]&1 == 0 && m != MAC{} }

// IsLocal says whether m was chosen locally and not assigned by a
// manufacturer (IEEE 802, U/L bit).
func (m MAC) IsLocal() bool { return m[0]&2 != 0 }

// IsZero says whether m is 00:00:00:00:00:00.
func (m MAC) IsZero() bool { return m == MAC{} }

// Uint64 is the address as a number below 1<<48, the first byte being the most
// significant: a key for tables, the same on every architecture.
func (m MAC) Uint64() uint64 {
	return uint64(be.Uint16(m[:2]))<<32 | uint64(be.Uint32(m[2:]))
}

// MACFromUint64 is the reverse of MAC.Uint64. The upper 16 bits of v are ignored.
func MACFromUint64(v uint64) (m MAC) {
	be.PutUint16(m[:2], uint16(v>>32))
	be.PutUint32(m[2:], uint32(v))
	return m
}

const hexDigits = "0123456789abcdef"

// String is the usual form, as in 02:00:5e:10:00:01.
func (m MAC) String() string {
	var text [17]byte
	return string(m.appendTo(text[:0]))
}

func (m MAC) appendTo(b []byte) []byte {
	for i, x := range m {
		if i > 0 {
			b = append(b, ':')
		}
		b = append(b, hexDigits[x>>4], hexDigits[x&15])
	}
	return b
}

// AppendText appends what String gives (encoding.TextAppender). Never an error.
func (m MAC) AppendText(b []byte) ([]byte, error) { return m.appendTo(b), nil }

// MarshalText gives what String does (encoding.TextMarshaler). Never an error.
func (m MAC) MarshalText() ([]byte, error) { return m.appendTo(nil), nil }

// UnmarshalText is ParseMAC (encoding.TextUnmarshaler). On an error, m is unchanged.
func (m *MAC) UnmarshalText(text []byte) error {
	v, err := ParseMAC(string(text))
	if err == nil {
		*m = v
	}
	return err
}

// ParseMAC reads an address of six bytes written as 02:00:5e:10:00:01,
// 02-00-5e-10-00-01 or 0200.5e10.0001, in either case. Anything else is an
// error that wraps ErrMAC and quotes s.
func ParseMAC(s string) (MAC, error) {
	var (
		m     MAC
		group = 2 // digits between separators
		sep   = byte(':')
	)
	switch {
	case len(s) == 17 && (s[2] == ':' || s[2] == '-'):
		sep = s[2]
	case len(s) == 14:
		sep, group = '.', 4
	default:
		return MAC{}, fmt.Errorf("%w: %q", ErrMAC, s)
	}
	digits := 0
	for i := range len(s) {
		if i%(group+1) == group {
			if s[i] != sep {
				return MAC{}, fmt.Errorf("%w: %q", ErrMAC, s)
			}
			continue
		}
		v, ok := hexValue(s[i])
		if !ok {
			return MAC{}, fmt.Errorf("%w: %q", ErrMAC, s)
		}
		m[digits/2] = m[digits/2]<<4 | v
		digits++
	}
	return m, nil
}

func hexValue(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
