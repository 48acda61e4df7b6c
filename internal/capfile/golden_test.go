// Files written by hand, byte for byte, and what they hold.

package capfile

import (
	"encoding/hex"
	"strings"
	"testing"
)

// unhex reads hex with blanks, and comments from # to the line's end.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	var digits strings.Builder
	for line := range strings.Lines(s) {
		line, _, _ = strings.Cut(line, "#")
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const (
	goldenMicroLE = `
		d4c3b2a1 0200 0400 00000000 00000000 ffff0000 01000000
		01000000 02000000 03000000 3c000000 aabbcc     # 1.000002 s, 3 of 60 bytes
		02000000 3f420f00 00000000 00000000            # 2.999999 s, empty`
	goldenMicroBE = `
		a1b2c3d4 0002 0004 00000000 00000000 0000ffff 00000001
		00000001 00000002 00000003 0000003c aabbcc
		00000002 000f423f 00000000 00000000`
	goldenNanoLE = `
		4d3cb2a1 0200 0400 00000000 00000000 00000400 01000024  # FCS of 2 words
		01000000 02000000 03000000 3c000000 aabbcc     # 1.000000002 s
		ffffffff ffc99a3b 01000000 00000000 dd         # the last second; captured > original`
	goldenNanoBE = `
		a1b23c4d 0002 0004 00000000 00000000 00040000 24000001
		00000001 00000002 00000003 0000003c aabbcc
		ffffffff 3b9ac9ff 00000001 00000000 dd`

	goldenNGLE = `
		0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffffffffffff 1c000000
		01000000 28000000 0100 0000 00000400           # Ethernet, 262144
		  0200 0400 65746830                           # if_name eth0
		  0900 0100 09000000                           # if_tsresol 9
		  0000 0000 28000000
		06000000 30000000 00000000 01000000 02000000 03000000 3c000000 aabbcc00
		  0100 0300 68692100                           # comment hi!
		  0000 0000 30000000
		03000000 14000000 02000000 eeff0000 14000000   # SPB of 2 bytes
		02000000 24000000 0000 0500 00000000 07000000 01000000 01000000 99000000 24000000 # obsolete PB, 5 drops
		05000000 18000000 00000000 00000000 00000000 18000000   # statistics
		0a0d0d0a 0000001c 1a2b3c4d 0001 0000 00000000000000ff 0000001c  # a section of the other order, empty`
	goldenNGBE = `
		0a0d0d0a 0000001c 1a2b3c4d 0001 0000 ffffffffffffffff 0000001c
		00000001 00000028 0001 0000 00040000
		  0002 0004 65746830
		  0009 0001 09000000
		  0000 0000 00000028
		00000006 00000030 00000000 00000001 00000002 00000003 0000003c aabbcc00
		  0001 0003 68692100
		  0000 0000 00000030
		00000003 00000014 00000002 eeff0000 00000014
		00000002 00000024 0000 0005 00000000 00000007 00000001 00000001 99000000 00000024
		00000005 00000018 00000000 00000000 00000000 00000018
		0a0d0d0a 0000001c 1a2b3c4d 0001 0000 ffffffffffffffff 0000001c`
)

func TestGoldenPcap(t *testing.T) {
	for name, file := range map[string]string{"little": goldenMicroLE, "big": goldenMicroBE} {
		t.Run("micro "+name, func(t *testing.T) {
			frames, p := mustParse(t, unhex(t, file))
			same(t, "frames", frames, []got{
				{"\xaa\xbb\xcc", 1_000_002_000, 24, 0, 60, true},
				{"", 2_999_999_000, 43, 0, 0, true},
			})
			same(t, "interfaces", p.Interfaces(), []Interface{{LinkType: 1, SnapLen: 65535, Resolution: Micro}})
			same(t, "format", p.Format(), FormatPcap)
			same(t, "not carried", p.NotCarried(), nil)
		})
	}
	for name, file := range map[string]string{"little": goldenNanoLE, "big": goldenNanoBE} {
		t.Run("nano "+name, func(t *testing.T) {
			frames, p := mustParse(t, unhex(t, file))
			same(t, "frames", frames, []got{
				{"\xaa\xbb\xcc", 1_000_000_002, 24, 0, 60, true},
				{"\xdd", 4294967295_999_999_999, 43, 0, 0, true},
			})
			it := p.Interfaces()[0]
			same(t, "interface", it, Interface{LinkType: 0x24000001, SnapLen: 262144, Resolution: Nano})
			same(t, "link", it.Link(), LinkTypeEthernet)
			if n, known := it.FCSLen(); n != 4 || !known {
				t.Fatal("FCS", n, known)
			}
		})
	}
}

func TestGoldenPcapNG(t *testing.T) {
	for name, file := range map[string]string{"little": goldenNGLE, "big": goldenNGBE} {
		t.Run(name, func(t *testing.T) {
			frames, p := mustParse(t, unhex(t, file))
			same(t, "frames", frames, []got{
				{"\xaa\xbb\xcc", 1<<32 + 2, 68, 0, 60, true},
				{"\xee\xff", 0, 116, 0, 2, false},
				{"\x99", 7, 136, 0, 1, true},
			})
			same(t, "interfaces", p.Interfaces(), []Interface{{Name: "eth0", LinkType: 1, SnapLen: 262144, Resolution: Nano}})
			same(t, "format", p.Format(), FormatPcapNG)
			same(t, "not carried", p.NotCarried(), []Count{
				{"EPB option comment", 1}, {"Interface Statistics Block", 1}, {"PB field drops", 1}})
		})
	}
}

func TestSections(t *testing.T) {
	// Sections of both orders in one file: ids restart, indexes go on.
	for _, length := range []uint64{1<<64 - 1, 20 + 36, 4} {
		f := (&build{order: le}).shb(length).idb(1, 0).epb(0, 1, "a", 1)
		f.order = be
		f.shb(length).idb(1, 0).idb(113, 0, f.option(9, "\x09")).epb(1, 2, "b", 1).epb(0, 3, "c", 1)
		f.order = le
		f.shb(length).idb(228, 0).epb(0, 4, "d", 1)
		frames, p := mustParse(t, f.b)
		var have []string
		for _, g := range frames {
			have = append(have, g.Data+string(rune('0'+g.If)))
		}
		same(t, "frames", strings.Join(have, " "), "a0 b2 c1 d3")
		same(t, "time", frames[1].NS, 2)
		same(t, "time", frames[2].NS, 3000)
		var links []uint16
		for _, it := range p.Interfaces() {
			links = append(links, it.Link())
		}
		same(t, "link types", links, []uint16{1, 1, 113, 228})
	}
}

func TestVersion12(t *testing.T) {
	for _, o := range orders {
		f := ng(o).idb(1, 0).epb(0, 1, "a", 1)
		o.PutUint16(f.b[14:], 2)
		if frames, _ := mustParse(t, f.b); len(frames) != 1 {
			t.Fatal(frames)
		}
	}
}

func TestInterfaceOptions(t *testing.T) {
	for _, o := range orders {
		minus5 := string(fields(o, ^uint64(4)))
		f := ng(o).idb(1, 0,
			option(o, 2, "eth0\x00"), option(o, 3, "the uplink"), option(o, 9, "\x06"),
			option(o, 14, minus5), option(o, 13, "\x20"), option(o, 0, "")).
			idb(1, 100, option(o, 13, "\x04"), option(o, 9, "\x8a"), option(o, 11, "\x00tcp"), option(o, 1, "hm")).
			idb(1, 0, option(o, 13, "\x08"), option(o, 4, "12345678"), option(o, 4, "12345678"), option(o, 77, "?"),
				option(o, 2988, "\x00\x00\x00\x01x"), option(o, 2, strings.Repeat("x", MaxString+1))).
			epb(0, 7_000_000, "a", 1).epb(1, 1024+512, "b", 1)
		frames, p := mustParse(t, f.b)
		same(t, "interfaces", p.Interfaces(), []Interface{
			{Name: "eth0", Description: "the uplink", LinkType: 0x24000001, Resolution: Micro, TSOffset: -5},
			{LinkType: 0x24000001, SnapLen: 100, Resolution: 0x8a},
			{LinkType: 1, Resolution: Micro},
		})
		same(t, "not carried", p.NotCarried(), []Count{
			{"IDB option 77", 1}, {"IDB option IPv4addr", 2}, {"IDB option comment", 1}, {"IDB option custom", 1},
			{"IDB option fcslen", 1}, {"IDB option filter", 1}, {"IDB option name", 1}})
		same(t, "offset time", frames[0].NS, 2e9)
		same(t, "binary time", frames[1].NS, 1.5e9)
	}
}

func TestNotCarried(t *testing.T) {
	for _, o := range orders {
		f := (&build{order: o}).shb(1<<64-1, option(o, 4, "dumpcap"), option(o, 1, "c")).idb(1, 0)
		for range 3 {
			f.epb(0, 0, "abcd", 4, option(o, 1, "one"), option(o, 1, "two"), option(o, 2, "\x01\x00\x00\x00"),
				option(o, 3, "\x02xxxx"), option(o, 4, "88888888"), option(o, 5, "88888888"), option(o, 6, "4444"),
				option(o, 7, "\x00v"), option(o, 32769, ""))
		}
		f.block(2, fields(o, uint16(0), uint16(0xffff), 0, 0, 1, 1, "x"), option(o, 2, "4444"))
		f.block(4).block(5, fields(o, 0, 0, 0)).block(9, []byte("journal.")).block(10, []byte("secret00")).
			block(0xbad, fields(o, 32473)).block(0x40000bad, fields(o, 32473)).block(0x80000001).block(0x777).block(0x204)
		_, p := mustParse(t, f.b)
		same(t, "not carried", p.NotCarried(), []Count{
			{"Custom Block", 2}, {"Decryption Secrets Block", 1},
			{"EPB option 32769", 3}, {"EPB option comment", 6}, {"EPB option dropcount", 3}, {"EPB option flags", 3},
			{"EPB option hash", 3}, {"EPB option packetid", 3}, {"EPB option queue", 3}, {"EPB option verdict", 3},
			{"Interface Statistics Block", 1}, {"Name Resolution Block", 1}, {"PB option flags", 1},
			{"SHB option comment", 1}, {"SHB option userappl", 1}, {"Sysdig Block", 1},
			{"local block type 0x80000001", 1}, {"systemd Journal Export Block", 1}, {"unknown block type 0x00000777", 1}})
	}
}

func TestSimplePacketSnapLen(t *testing.T) {
	for _, o := range orders {
		f := ng(o).idb(1, 5).idb(1, 2).
			block(3, fields(o, 60, "abcdefgh")). // 5 of 60 bytes, padded
			block(3, fields(o, 4, "ABCD")).
			block(3, fields(o, 1, "XYZ.", "more"))
		frames, p := mustParse(t, f.b)
		same(t, "frames", []string{frames[0].Data, frames[1].Data, frames[2].Data}, []string{"abcde", "ABCD", "X"})
		same(t, "original", frames[0].Orig, 60)
		same(t, "not carried", p.NotCarried(), []Count{{"bytes after the frame of a Simple Packet Block", 1}})
	}
}

func TestStrings(t *testing.T) {
	same(t, "strings", []string{Micro.String(), Resolution(0x8a).String(), Format(0).String(), FormatPcap.String(), FormatPcapNG.String()},
		[]string{"10^-6 s", "2^-10 s", "unknown", "pcap", "pcapng"})
}

func TestPcapOddities(t *testing.T) {
	for _, o := range orders {
		f := pcapHead(o, 0xa1b2c3d4, 2, 1).rec(1, 3_000_001, "longer than snaplen and original", 0)
		o.PutUint32(f.b[8:], 3600)
		o.PutUint32(f.b[12:], 6)
		frames, p := mustParse(t, f.b)
		same(t, "frame", frames[0], got{"longer than snaplen and original", 4_000_001_000, 24, 0, 0, true})
		same(t, "not carried", p.NotCarried(), []Count{{"pcap header field sigfigs", 1}, {"pcap header field thiszone", 1}})
	}
	// Header only: known at once, and a clean end.
	p := NewParser("file")
	var rec Record
	n, err := p.Next(pcapHead(le, 0xa1b23c4d, 1, 101).b, &rec)
	if n != 24 || err != ErrShort || len(p.Interfaces()) != 1 || p.Interfaces()[0].LinkType != 101 || p.Finish(nil) != nil {
		t.Fatal(n, err, p.Interfaces(), p.Finish(nil))
	}
}

func TestUnknownKindsAreBounded(t *testing.T) {
	f := ng(le).idb(1, 0)
	for i := range uint32(1000) {
		f.block(0x1000 + i)
	}
	f.block(0x1000)
	p := NewParser("")
	if _, err := parse(t, p, f.b, 0); err != nil {
		t.Fatal(err)
	}
	c := p.NotCarried()
	if len(c) != maxUnnamed+1 || c[0] != (Count{"other unknown blocks and options", 1000 - maxUnnamed}) || c[1].N != 2 {
		t.Fatal(len(c), c[:2])
	}
}
