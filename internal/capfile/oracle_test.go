// gopacket's pcapgo as the other opinion.

package capfile

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

type peerReader interface {
	ReadPacketData() ([]byte, gopacket.CaptureInfo, error)
}

func peerFrames(t *testing.T, r peerReader) []got {
	t.Helper()
	var frames []got
	for {
		data, ci, err := r.ReadPacketData()
		if err == io.EOF {
			return frames
		}
		if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, got{string(data), ci.Timestamp.UnixNano(), 0, ci.InterfaceIndex, uint32(ci.Length), true})
	}
}

func TestPeerReadsOurs(t *testing.T) {
	for _, res := range []Resolution{Micro, Nano} {
		var b bytes.Buffer
		frames := randomFrames(1, 500, 1)
		writeFrames(t, newTestWriter(t, &b, FormatPcap, Interface{LinkType: 1, SnapLen: MaxFrame, Resolution: res}), frames)
		r, err := pcapgo.NewReader(&b)
		if err != nil {
			t.Fatal(err)
		}
		withoutOffsets(t, "pcap "+res.String(), peerFrames(t, r), frames)
		if r.LinkType() != layers.LinkTypeEthernet || r.Snaplen() != MaxFrame {
			t.Fatal(r)
		}
	}
	var b bytes.Buffer
	frames := randomFrames(2, 500, 2)
	writeFrames(t, newTestWriter(t, &b, FormatPcapNG,
		Interface{Name: "a", LinkType: 1, Resolution: Nano}, Interface{Description: "b", LinkType: 1, Resolution: Micro, SnapLen: 9000}), frames)
	r, err := pcapgo.NewNgReader(&b, pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	withoutOffsets(t, "pcapng", peerFrames(t, r), frames)
	i0, _ := r.Interface(0)
	i1, _ := r.Interface(1)
	if r.SectionInfo().Application != "ringway" || i0.Name != "a" || i1.Description != "b" || i1.SnapLength != 9000 {
		t.Fatal(r.SectionInfo(), i0, i1)
	}
}

func TestOursReadPeers(t *testing.T) {
	info := func(g got) gopacket.CaptureInfo {
		return gopacket.CaptureInfo{Timestamp: time.Unix(0, g.NS), CaptureLength: len(g.Data), Length: int(g.Orig), InterfaceIndex: g.If}
	}
	for _, newWriter := range []func(io.Writer) *pcapgo.Writer{pcapgo.NewWriter, pcapgo.NewWriterNanos} {
		var b bytes.Buffer
		frames := randomFrames(3, 500, 1)
		w := newWriter(&b)
		if err := w.WriteFileHeader(65535, layers.LinkTypeEthernet); err != nil {
			t.Fatal(err)
		}
		for _, g := range frames {
			if err := w.WritePacket(info(g), []byte(g.Data)); err != nil {
				t.Fatal(err)
			}
		}
		have, _, err := readAll(&b)
		if err != nil {
			t.Fatal(err)
		}
		withoutOffsets(t, "pcap", have, frames)
	}
	var b bytes.Buffer
	frames := randomFrames(4, 500, 2)
	w, err := pcapgo.NewNgWriter(&b, layers.LinkTypeEthernet)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.AddInterface(pcapgo.NgInterface{Name: "second", LinkType: 113, TimestampResolution: 9, Filter: "tcp"}); err != nil {
		t.Fatal(err)
	}
	for _, g := range frames {
		if err := w.WritePacket(info(g), []byte(g.Data)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	have, rd, err := readAll(&b)
	if err != nil {
		t.Fatal(err)
	}
	withoutOffsets(t, "pcapng", have, frames)
	same(t, "interface", rd.Interfaces()[1], Interface{Name: "second", LinkType: 113, Resolution: Nano})
}
