// Checksums against a plain loop and against gopacket.

package packet

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"

	"github.com/gopacket/gopacket"
)

// plainSum is RFC 1071 to the letter.
func plainSum(b []byte, initial uint16) uint16 {
	sum := uint64(initial)
	for i, x := range b {
		if i%2 == 0 {
			sum += uint64(x) << 8
		} else {
			sum += uint64(x)
		}
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return uint16(sum)
}

func TestChecksum(t *testing.T) {
	r := newRand(t)
	check := func(b []byte, initial uint16) {
		t.Helper()
		got, want := Sum(b, initial), plainSum(b, initial)
		if got != want {
			t.Fatalf("Sum of %d bytes, initial %#x: %#x, want %#x", len(b), initial, got, want)
		}
		if c := gopacket.FoldChecksum(gopacket.ComputeChecksum(b, uint32(initial))); Checksum(b, initial) != c {
			t.Fatalf("Checksum of %d bytes: %#x, gopacket %#x", len(b), Checksum(b, initial), c)
		}
	}
	copied := make([]byte, 700)
	big := randBytes(r, MaxFrame)
	for n := range 700 {
		from := r.IntN(1000) // loads at every alignment
		initial := uint16(r.Uint32())
		b, c := big[from:from+n], copied[:n+r.IntN(len(copied)-n)]
		check(b, initial)
		clear(copied)
		if got, want := sumCopy(c, b, initial), plainSum(b, initial); got != want || !bytes.Equal(c[:n], b) || slices.Max(append(copied[n:], 0)) != 0 {
			t.Fatalf("sumCopy of %d bytes, initial %#x: %#x, want %#x", n, initial, got, want)
		}
	}
	check(big, 0)
	ones := make([]byte, 70000)
	check(ones, 0) // all zero
	for i := range ones {
		ones[i] = 0xff // carries everywhere
	}
	for n := range 300 {
		check(ones[:n], 0xffff)
	}
	check(ones, 0xffff)

	// In pieces of even length it is the same.
	sum := uint16(0)
	for b := big[:9001]; ; {
		n := min(len(b), r.IntN(300)*2)
		sum = Sum(b[:n], sum)
		if b = b[n:]; len(b) == 0 {
			break
		}
	}
	if want := Sum(big[:9001], 0); sum != want {
		t.Errorf("in pieces %#x, want %#x", sum, want)
	}
	// The example of RFC 1071, section 3.
	if got := Sum([]byte{0, 1, 0xf2, 3, 0xf4, 0xf5, 0xf6, 0xf7}, 0); got != 0xddf2 {
		t.Errorf("RFC 1071: %#x", got)
	}
}

func TestUpdateChecksum(t *testing.T) {
	// The example of RFC 1624, section 4, which RFC 1141 gets wrong.
	if got := UpdateChecksum(0xdd2f, 0x5555, 0x3285); got != 0 {
		t.Errorf("RFC 1624: %#x", got)
	}
	r := newRand(t)
	for range 5000 {
		b := randBytes(r, 40) // never all zero, where the two zeros of one's complement meet
		old := Checksum(b, 0)
		at := 2 * r.IntN(12)
		was := [16]byte(b[at : at+16])
		got := old
		switch n := pick(r, 2, 4, 16); n {
		case 2:
			copy(b[at:], randBytes(r, 2))
			got = UpdateChecksum(got, be.Uint16(was[:]), be.Uint16(b[at:]))
		case 4:
			copy(b[at:], randBytes(r, 4))
			got = UpdateChecksum32(got, be.Uint32(was[:]), be.Uint32(b[at:]))
		default:
			copy(b[at:], randBytes(r, 16))
			got = UpdateChecksumBytes(got, was[:], b[at:at+16])
		}
		if want := Checksum(b, 0); got != want {
			t.Fatalf("updated %#x, want %#x", got, want)
		}
	}
}

func TestPseudoSum(t *testing.T) {
	for _, c := range []struct{ src, dst string }{{"10.1.2.3", "192.168.255.254"}, {"2001:db8::1", "fd00:ffff::abcd"}} {
		src, dst := netip.MustParseAddr(c.src), netip.MustParseAddr(c.dst)
		const length = 70000 // more than 16 bits, as in a jumbogram
		plain := append(src.AsSlice(), dst.AsSlice()...)
		plain = append(plain, 0, 1, 0x11, 0x70, 0, 0, 0, ProtoUDP) // 70000 = 0x11170
		if got, want := PseudoSum(src, dst, ProtoUDP, length), plainSum(plain, 0); got != want {
			t.Errorf("%v: %#x, want %#x", src, got, want)
		}
	}
	PseudoSum(netip.Addr{}, netip.MustParseAddr("::1"), 0, 0) // no panic
	PseudoSum(netip.MustParseAddr("1.2.3.4"), netip.Addr{}, 0, 0)
}
