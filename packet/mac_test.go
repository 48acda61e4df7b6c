// MAC: text, bits, and the standard library as the reference.

package packet

import (
	"encoding/json"
	"errors"
	"net"
	"strings"
	"testing"
)

func TestMAC(t *testing.T) {
	r := newRand(t)
	for range 1000 {
		m := MACFromUint64(r.Uint64())
		hw := net.HardwareAddr(m[:])
		if m.String() != hw.String() || MACFromUint64(m.Uint64()) != m || m.Uint64()>>48 != 0 {
			t.Fatalf("%v, want %v", m, hw)
		}
		s := m.String()
		digits := strings.ReplaceAll(s, ":", "")
		for _, form := range []string{s, strings.ToUpper(s), strings.ReplaceAll(s, ":", "-"),
			digits[:4] + "." + digits[4:8] + "." + digits[8:]} {
			if got, err := ParseMAC(form); err != nil || got != m {
				t.Fatalf("ParseMAC(%q) = %v, %v", form, got, err)
			}
		}
	}
	for _, s := range []string{"", "x", "02:00:5e:10:00", "02:00:5e:10:00:0g", "02:00-5e:10:00:01", "02.00.5e.10.00.01",
		"0200.5e10:0001", "02:00:5e:10:00:01:02:03", "02005e100001", "0:00:5e:10:00:001", "0200:5e10:0001", ":2:00:5e:10:00:01"} {
		if m, err := ParseMAC(s); !errors.Is(err, ErrMAC) || m != (MAC{}) {
			t.Errorf("ParseMAC(%q) = %v, %v", s, m, err)
		}
	}
	for _, c := range []struct {
		m                                       MAC
		broadcast, multicast, unicast, lo, zero bool
	}{
		{Broadcast, true, true, false, true, false},
		{MAC{1, 0, 0x5e, 0, 0, 1}, false, true, false, false, false},
		{MAC{2, 0, 0, 0, 0, 1}, false, false, true, true, false},
		{MAC{0, 0x1b, 0x21, 0, 0, 1}, false, false, true, false, false},
		{MAC{}, false, false, false, false, true},
	} {
		if c.m.IsBroadcast() != c.broadcast || c.m.IsMulticast() != c.multicast || c.m.IsUnicast() != c.unicast ||
			c.m.IsLocal() != c.lo || c.m.IsZero() != c.zero {
			t.Errorf("%v", c.m)
		}
	}
	in := map[MAC]MAC{Broadcast: {2, 0, 0, 0, 0, 7}}
	text, err := json.Marshal(in)
	if err != nil || string(text) != `{"ff:ff:ff:ff:ff:ff":"02:00:00:00:00:07"}` {
		t.Fatalf("%s, %v", text, err)
	}
	var out map[MAC]MAC
	if err := json.Unmarshal(text, &out); err != nil || out[Broadcast] != in[Broadcast] {
		t.Errorf("%v, %v", out, err)
	}
	m := Broadcast
	if err := m.UnmarshalText([]byte("nothing")); !errors.Is(err, ErrMAC) || m != Broadcast {
		t.Errorf("%v, %v", m, err)
	}
	if b, err := m.AppendText([]byte("x")); err != nil || string(b) != "xff:ff:ff:ff:ff:ff" {
		t.Errorf("%s, %v", b, err)
	}
}
