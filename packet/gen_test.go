// Generated frames for the tests: layers at random, then damage at random.

package packet

import (
	"flag"
	"math/rand/v2"
	"testing"
	"time"
)

var seedFlag = flag.Uint64("seed", 0, "seed of generated frames; 0 takes the time")

// newRand gives the source of a test's randomness; the seed is in the test's log,
// which is shown when it fails.
func newRand(t testing.TB) *rand.Rand {
	seed := *seedFlag
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("replay with: go test -run '^%s$' ./packet/ -seed %d", t.Name(), seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func randBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// genTransport is a header and payload of protocol proto.
func genTransport(r *rand.Rand, proto uint8) []byte {
	payload := randBytes(r, r.IntN(40))
	b := randBytes(r, 20)
	switch proto {
	case ProtoTCP:
		opts := make([]byte, r.IntN(11)*4)
		for i := range opts {
			opts[i] = 1 // NOP: options that gopacket takes too
		}
		b[12] = uint8(5+len(opts)/4)<<4 | b[12]&1
		b = append(b, opts...)
	case ProtoUDP:
		b = b[:UDPLen]
		be.PutUint16(b[4:], pick(r, uint16(8+len(payload)), uint16(8+len(payload)), uint16(8+len(payload)/2), 0))
	case ProtoSCTP:
		b = b[:SCTPLen]
	case ProtoICMP, ProtoICMPv6:
		b = b[:ICMPLen]
	}
	return append(b, payload...)
}

func genIPv4(r *rand.Rand) []byte {
	proto := pick(r, ProtoTCP, ProtoUDP, ProtoICMP, ProtoSCTP, ProtoGRE, ProtoESP)
	data := genTransport(r, proto)
	opts := make([]byte, pick(r, 0, 0, r.IntN(11)*4))
	for i := range opts {
		opts[i] = 1
	}
	b := randBytes(r, IPv4Len)
	b[0] = 4<<4 | uint8(5+len(opts)/4)
	be.PutUint16(b[2:], uint16(pick(r, len(b)+len(opts)+len(data), len(b)+len(opts)+len(data), len(b)+len(opts)+len(data), 0)))
	be.PutUint16(b[6:], pick[uint16](r, 0, 0, 0x4000, 0x2000, 0x00b9, 0x2001, 0x1fff))
	b[9] = proto
	return append(append(b, opts...), data...)
}

func genIPv6(r *rand.Rand) []byte {
	next := pick(r, ProtoTCP, ProtoUDP, ProtoICMPv6, ProtoSCTP, ProtoESP, ProtoNoNext)
	data := genTransport(r, next)
	if r.IntN(2) == 0 {
		for range r.IntN(5) { // from the last header to the first
			typ := pick(r, ProtoRouting, ProtoDestOpts, ProtoFragment, ProtoAH, ProtoHopByHop)
			var ext []byte
			switch typ {
			case ProtoFragment:
				ext = randBytes(r, 8)
				be.PutUint16(ext[2:], pick[uint16](r, 0, 0, 1, 8, 0x0101))
			case ProtoAH:
				ext = randBytes(r, 12+r.IntN(4)*4)
				ext[1] = uint8(len(ext)/4 - 2)
			default:
				ext = make([]byte, 8*(1+r.IntN(3))) // options: all Pad1
				ext[1] = uint8(len(ext)/8 - 1)
			}
			ext[0] = next
			next = typ
			data = append(ext, data...)
		}
	}
	b := randBytes(r, IPv6Len)
	b[0] = 6<<4 | b[0]&15
	be.PutUint16(b[4:], uint16(len(data)))
	b[6] = next
	return append(b, data...)
}

// genFrame is a whole frame, well-formed but for lengths that sometimes are 0.
func genFrame(r *rand.Rand) []byte {
	f := randBytes(r, 12)
	for range r.IntN(4) {
		f = be.AppendUint16(f, pick(r, EtherTypeVLAN, EtherTypeQinQ, EtherTypeQinQ91))
		f = be.AppendUint16(f, uint16(r.Uint32()))
	}
	switch r.IntN(8) {
	case 0:
		f = append(be.AppendUint16(f, EtherTypeARP), randBytes(r, 28)...)
	case 1:
		llc := randBytes(r, 3+r.IntN(40))
		f = append(be.AppendUint16(f, uint16(len(llc)-r.IntN(3))), llc...)
	case 2, 3, 4:
		f = append(be.AppendUint16(f, EtherTypeIPv4), genIPv4(r)...)
	default:
		f = append(be.AppendUint16(f, EtherTypeIPv6), genIPv6(r)...)
	}
	return append(f, make([]byte, pick(r, 0, 0, r.IntN(20)))...) // padding
}

// mutate changes a few bytes, mostly where headers are.
func mutate(r *rand.Rand, f []byte) {
	for range 1 + r.IntN(4) {
		f[12+r.IntN(len(f)-12)] = byte(r.Uint32())
	}
}
