// What a file holds and a Record does not: counted by name.

package capfile

import (
	"cmp"
	"fmt"
	"slices"
)

// Count is how often something was met.
type Count struct {
	What string
	N    uint64
}

// tally counts what is not carried. Options with a name are counted in an array,
// so that a comment on every frame costs an addition; the rest, of which a file
// may invent 2^32 kinds, in a bounded map.
type tally struct {
	options [numOwners][namedOptions + 1]uint64 // the last is custom options
	other   map[unnamed]uint64
	rest    uint64 // kinds beyond maxUnnamed

	spbTrailing uint64
	pbDrops     uint64
	thiszone    uint64
	sigfigs     uint64
}

// owner is the kind of block that an option is in: codes mean different things.
type owner uint8

const (
	ownerSHB owner = iota
	ownerIDB
	ownerEPB
	ownerPB
	numOwners
)

const (
	namedOptions = 19
	customOption = namedOptions
)

// unnamed is a block type, or an option code of a block's.
type unnamed struct {
	code  uint32
	block bool
	owner owner
}

var ownerNames = [numOwners]string{"SHB", "IDB", "EPB", "PB"}

// optionNames are those of the pcapng specification, without their prefixes.
var optionNames = [numOwners][namedOptions]string{
	ownerSHB: {1: "comment", 2: "hardware", 3: "os", 4: "userappl"},
	ownerIDB: {1: "comment", 2: "name", 3: "description", 4: "IPv4addr", 5: "IPv6addr",
		6: "MACaddr", 7: "EUIaddr", 8: "speed", 9: "tsresol", 10: "tzone", 11: "filter",
		12: "os", 13: "fcslen", 14: "tsoffset", 15: "hardware", 16: "txspeed",
		17: "rxspeed", 18: "iana_tzname"},
	ownerEPB: {1: "comment", 2: "flags", 3: "hash", 4: "dropcount", 5: "packetid",
		6: "queue", 7: "verdict", 8: "processid_threadid"},
	ownerPB: {1: "comment", 2: "flags", 3: "hash"},
}

// option counts one option.
func (t *tally) option(o owner, code uint16) {
	switch {
	case code < namedOptions && optionNames[o][code] != "":
		t.options[o][code]++
	case code == 2988 || code == 2989 || code == 19372 || code == 19373:
		t.options[o][customOption]++
	default:
		t.add(unnamed{code: uint32(code), owner: o})
	}
}

// block counts one block.
func (t *tally) block(typ uint32) { t.add(unnamed{code: typ, block: true}) }

func (t *tally) add(k unnamed) {
	if _, met := t.other[k]; !met && len(t.other) >= maxUnnamed {
		t.rest++
		return
	}
	if t.other == nil {
		t.other = make(map[unnamed]uint64)
	}
	t.other[k]++
}

// counts returns what was met, sorted by name.
func (t *tally) counts() []Count {
	var c []Count
	add := func(what string, n uint64) {
		if n != 0 {
			c = append(c, Count{what, n})
		}
	}
	for o, codes := range t.options {
		for code, n := range codes {
			if code == customOption {
				add(ownerNames[o]+" option custom", n)
			} else {
				add(ownerNames[o]+" option "+optionNames[o][code], n)
			}
		}
	}
	for k, n := range t.other {
		if k.block {
			add(blockName(k.code), n)
		} else {
			add(fmt.Sprintf("%s option %d", ownerNames[k.owner], k.code), n)
		}
	}
	add("other unknown blocks and options", t.rest)
	add("bytes after the frame of a Simple Packet Block", t.spbTrailing)
	add("PB field drops", t.pbDrops)
	add("pcap header field thiszone", t.thiszone)
	add("pcap header field sigfigs", t.sigfigs)
	slices.SortFunc(c, func(a, b Count) int { return cmp.Compare(a.What, b.What) })
	// Block types of one family share a name.
	out := c[:0]
	for _, x := range c {
		if n := len(out); n > 0 && out[n-1].What == x.What {
			out[n-1].N += x.N
		} else {
			out = append(out, x)
		}
	}
	return out
}

// blockName returns the name of a block type in the pcapng specification.
func blockName(typ uint32) string {
	switch typ {
	case blockSHB:
		return "Section Header Block"
	case blockIDB:
		return "Interface Description Block"
	case blockPB:
		return "Packet Block"
	case blockSPB:
		return "Simple Packet Block"
	case 4:
		return "Name Resolution Block"
	case 5:
		return "Interface Statistics Block"
	case blockEPB:
		return "Enhanced Packet Block"
	case 7:
		return "IRIG Timestamp Block"
	case 8:
		return "ARINC 429 in AFDX Encapsulation Information Block"
	case 9:
		return "systemd Journal Export Block"
	case 10:
		return "Decryption Secrets Block"
	case 0x101, 0x102:
		return "Hone Project Block"
	case 0xbad, 0x40000bad:
		return "Custom Block"
	}
	switch {
	case typ >= 0x201 && typ <= 0x224:
		return "Sysdig Block"
	case typ>>31 != 0:
		return fmt.Sprintf("local block type 0x%08x", typ)
	}
	return fmt.Sprintf("unknown block type 0x%08x", typ)
}
