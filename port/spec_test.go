package port

import (
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ringway-net/ringway/pool"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		text, kind, target string
		keys               map[string]string
	}{
		// With a kind.
		{"pcap:in.pcap", "pcap", "in.pcap", nil},
		{"pcap:", "pcap", "", nil},
		{"pcap:a:b", "pcap", "a:b", nil},
		{"pcap:-", "pcap", "-", nil},
		{"pcap:in.pcap,format=pcapng,snaplen=100", "pcap", "in.pcap", map[string]string{"format": "pcapng", "snaplen": "100"}},
		// Kinds without a target.
		{"made:", "made", "", nil},
		{"made:size=64", "made", "", map[string]string{"size": "64"}},
		{"made:size=64,rate=1pps", "made", "", map[string]string{"size": "64", "rate": "1pps"}},
		{"made:,size=64", "made", "", map[string]string{"size": "64"}},
		// Values.
		{"made:size=", "made", "", map[string]string{"size": ""}},
		{"made:size=a=b", "made", "", map[string]string{"size": "a=b"}},
		{`made:size=a\,b,rate=c`, "made", "", map[string]string{"size": "a,b", "rate": "c"}},
		{`made:size=a\b\\`, "made", "", map[string]string{"size": `a\b\\`}},
		// Targets with commas.
		{"vxlan:10.0.0.1,10.0.0.2,vni=7", "vxlan", "10.0.0.1,10.0.0.2", map[string]string{"vni": "7"}},
		{"vxlan:a,b", "vxlan", "a,b", nil},
		{"vxlan:a,,b", "vxlan", "a,,b", nil},
		{`vxlan:a\,vni=1`, "vxlan", "a,vni=1", nil},
		{`vxlan:a\,vni=1,vni=2`, "vxlan", "a,vni=1", map[string]string{"vni": "2"}},
		{"vxlan:vni=7", "vxlan", "vni=7", nil},
		{"vxlan:,vni=7", "vxlan", "", map[string]string{"vni": "7"}},
		// Without a kind: files.
		{"in.pcap", "pcap", "in.pcap", nil},
		{"in", "pcap", "in", nil},
		{"./made", "pcap", "./made", nil},
		{"-", "pcap", "-", nil},
		{"-,format=pcapng", "pcap", "-", map[string]string{"format": "pcapng"}},
		{"/tmp/a:b,snaplen=1", "pcap", "/tmp/a:b", map[string]string{"snaplen": "1"}},
		{"./made:x", "pcap", "./made:x", nil},
		{"a.pcap:1", "pcap", "a.pcap:1", nil},
		{"two words:1", "pcap", "two words:1", nil},
		{":", "pcap", ":", nil},
		{"in,name=a:b", "pcap", "in", map[string]string{"name": "a:b"}},
		{`C:\dump\in.pcap`, "pcap", `C:\dump\in.pcap`, nil},
		{`c:in.pcap,format=pcap`, "pcap", `c:in.pcap`, map[string]string{"format": "pcap"}},
		{`C:\a\,b.pcap`, "pcap", `C:\a,b.pcap`, nil},
		{`\\server\share\x.pcap`, "pcap", `\\server\share\x.pcap`, nil},
		{"a,b.pcap", "pcap", "a,b.pcap", nil},
		{"Übung:1.pcap", "pcap", "Übung:1.pcap", nil},
	} {
		s, err := Parse(c.text)
		if err != nil {
			t.Errorf("Parse(%q): %v", c.text, err)
			continue
		}
		if s.Kind != c.kind || s.Target != c.target || s.Text != c.text {
			t.Errorf("Parse(%q) has kind %q, target %q, text %q", c.text, s.Kind, s.Target, s.Text)
		}
		for _, key := range []string{"format", "snaplen", "size", "rate", "vni", "name"} {
			want, has := c.keys[key]
			if s.Has(key) != has || s.String(key, "none") != want && has || !has && s.String(key, "none") != "none" {
				t.Errorf("Parse(%q) has key %s: %v, %q", c.text, key, s.Has(key), s.String(key, "none"))
			}
		}
		if name, ok := c.keys["name"]; ok && s.Name != name || !ok && s.Name != c.text {
			t.Errorf("Parse(%q) has name %q", c.text, s.Name)
		}
	}
}

// TestParseErrors: errors wrap ErrSpec, quote the string, name what is bad and say what is good.
func TestParseErrors(t *testing.T) {
	for text, words := range map[string][]string{
		"":                         {"empty", "kind:target,key=value"},
		"foo:bar":                  {`unknown kind "foo"`, "gen, made, null, pcap, vxlan", "pcap:foo:bar"},
		"foo:a\nb":                 {`"pcap:foo:a\nb"`},
		"Made:size=1":              {`unknown kind "Made"`, "gen, made, null, pcap, vxlan"},
		"af-packet:eth0":           {`unknown kind "af-packet"`},
		"made":                     {"made is a kind", "made:", "pcap:made"},
		"made:sise=60":             {`no key "sise"`, "size, rate, name, onfull"},
		"made:foo":                 {`"foo"`, "no target", "size, rate, name, onfull"},
		"made:size=60,foo":         {`"foo"`, "size, rate, name, onfull"},
		"made:size=60,":            {`""`},
		"made:size=60,size=61":     {"key size is given twice"},
		"made:onfull=maybe":        {"onfull", `"maybe"`, "wait or drop"},
		"made:name=":               {"name is empty"},
		"made:=1":                  {`no key ""`},
		"made: size=60":            {`no key " size"`},
		"in.pcap,fromat=pcap":      {`no key "fromat"`, "format, snaplen, name, onfull"},
		"in.pcap,format=pcap,rest": {`"rest"`, `\,`},
		"a,b=c.pcap":               {`no key "b"`},
	} {
		s, err := Parse(text)
		if err == nil {
			t.Errorf("Parse(%q) is %+v, want an error", text, s)
			continue
		}
		if !errors.Is(err, ErrSpec) {
			t.Errorf("Parse(%q): %v does not wrap ErrSpec", text, err)
		}
		for _, w := range append(words, strconv.Quote(text)) {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("Parse(%q): %v does not say %s", text, err, w)
			}
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("Parse(%q): %v has more than one line", text, err)
		}
	}
}

func TestOnFullAndSet(t *testing.T) {
	for text, want := range map[string]OnFull{"made:": OnFullDefault, "made:onfull=wait": OnFullWait, "made:onfull=drop": OnFullDrop} {
		if s, err := Parse(text); err != nil || s.OnFull != want {
			t.Errorf("Parse(%q): %+v, %v", text, s, err)
		}
	}
	s := &Spec{Text: "by hand", Kind: "made"}
	if err := s.Set("size", "7"); err != nil || s.String("size", "") != "7" {
		t.Errorf("Set: %v, %q", err, s.String("size", ""))
	}
	if err := s.Set("size", "8"); err == nil || s.String("size", "") != "7" {
		t.Errorf("Set again: %v, %q", err, s.String("size", ""))
	}
	if err := s.Set("name", "me"); err != nil || s.Name != "me" {
		t.Errorf("Set of name: %v, %q", err, s.Name)
	}
	if err := s.Set("vni", "8"); !errors.Is(err, ErrSpec) {
		t.Errorf("Set of another kind's key: %v", err)
	}
}

// TestValues: what the methods of Spec make of values, and how they complain.
func TestValues(t *testing.T) {
	type result struct {
		v   any
		err error
	}
	ret := func(v any, err error) result { return result{v, err} }
	const bad = "bad"
	for _, c := range []struct {
		value string
		read  func(s *Spec) result
		want  any // bad is an error
	}{
		{"7", func(s *Spec) result { return ret(s.Int("size", 1, 0, 10)) }, int64(7)},
		{"0", func(s *Spec) result { return ret(s.Int("size", 1, 0, 10)) }, int64(0)},
		{"10", func(s *Spec) result { return ret(s.Int("size", 1, 0, 10)) }, int64(10)},
		{"11", func(s *Spec) result { return ret(s.Int("size", 1, 0, 10)) }, bad},
		{"-1", func(s *Spec) result { return ret(s.Int("size", 1, 0, 10)) }, bad},
		{"", func(s *Spec) result { return ret(s.Int("size", 1, 0, 10)) }, bad},
		{"seven", func(s *Spec) result { return ret(s.Int("size", 1, 0, 10)) }, bad},
		{"2k", func(s *Spec) result { return ret(s.Int("size", 1, 0, 3000)) }, int64(2000)},
		{"1", func(s *Spec) result { return ret(s.Int("rate", 5, 0, 3000)) }, int64(5)}, // the default
		{"wait", func(s *Spec) result { return ret(s.OneOf("size", "wait", "drop")) }, "wait"},
		{"no", func(s *Spec) result { return ret(s.OneOf("size", "wait", "drop")) }, bad},
		{"no", func(s *Spec) result { return ret(s.OneOf("rate", "wait", "drop")) }, "wait"},
		{"5%", func(s *Spec) result { return ret(s.Probability("size")) }, 0.05},
		{"2", func(s *Spec) result { return ret(s.Probability("size")) }, bad},
		{"2", func(s *Spec) result { return ret(s.Probability("rate")) }, 0.0},
		{"150ms", func(s *Spec) result { return ret(s.Duration("size", time.Second)) }, 150 * time.Millisecond},
		{"0s", func(s *Spec) result { return ret(s.Duration("size", time.Second)) }, time.Duration(0)},
		{"-1s", func(s *Spec) result { return ret(s.Duration("size", time.Second)) }, bad},
		{"15", func(s *Spec) result { return ret(s.Duration("size", time.Second)) }, bad},
		{"15", func(s *Spec) result { return ret(s.Duration("rate", time.Second)) }, time.Second},
		{"10kpps", func(s *Spec) result { return ret(s.Rate("size")) }, Rate{PPS: 1e4}},
		{"10", func(s *Spec) result { return ret(s.Rate("size")) }, bad},
		{"10", func(s *Spec) result { return ret(s.Rate("rate")) }, Rate{}},
	} {
		s, err := Parse("made:size=" + c.value)
		if err != nil {
			t.Fatal(err)
		}
		got := c.read(s)
		if c.want == bad {
			if !errors.Is(got.err, ErrSpec) || !strings.Contains(got.err.Error(), `key size is "`+c.value+`", want `) {
				t.Errorf("size=%s: %v, %v; want an error that names key and value", c.value, got.v, got.err)
			}
		} else if got.v != c.want || got.err != nil {
			t.Errorf("size=%s: %v, %v; want %v", c.value, got.v, got.err, c.want)
		}
	}
	s, _ := Parse("made:size=0")
	if _, err := s.Int("size", 1, 1, math.MaxInt64); err == nil || !strings.Contains(err.Error(), "from 1 up") {
		t.Errorf("without an upper bound: %v", err)
	}
	if err := s.Errorf("because of %w", ErrTooManyInterfaces); !errors.Is(err, ErrSpec) || !errors.Is(err, ErrTooManyInterfaces) {
		t.Errorf("Errorf: %v", err)
	}
	if err := s.OpenError(io.EOF, ErrClosed, io.EOF); !errors.Is(err, ErrSpec) || !errors.Is(err, io.EOF) {
		t.Errorf("OpenError, of the string: %v", err)
	}
	if err := s.OpenError(io.EOF, ErrClosed); errors.Is(err, ErrSpec) || !errors.Is(err, io.EOF) || !strings.HasPrefix(err.Error(), "made:size=0: ") {
		t.Errorf("OpenError, of the world: %v", err)
	}
}

func TestParseCount(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "1000": 1000, "-3": -3, "2M": 2e6, "1.5k": 1500, "1.001k": 1001, "4.35k": 4350, "1G": 1e9,
		"9223372036854775807": math.MaxInt64, "9007199254740993": 1<<53 + 1, "1e3": 1000, "0.000001M": 1,
		"9007199254740993.0": 1<<53 + 1, "-9007199254740.991k": 1 - 1<<53,
	} {
		if n, err := ParseCount(text); n != want || err != nil {
			t.Errorf("ParseCount(%q) is %d, %v; want %d", text, n, err, want)
		}
	}
	for _, text := range []string{"", "k", "1.5", "1.0001k", "x", "0x10", "0x1p4", "1_000", "inf", "NaN", "1e3k", "1e400", "1e-400", "1e-1000001", "0.99999999999999999999", "1e18", "9223372036854775808", " 1", "1 k", "1K", "1e308G", "infk"} {
		if n, err := ParseCount(text); !errors.Is(err, ErrValue) || !strings.Contains(err.Error(), text) {
			t.Errorf("ParseCount(%q) is %d, %v; want an error that wraps ErrValue", text, n, err)
		}
	}
}

func TestParseShare(t *testing.T) {
	for text, want := range map[string]float64{"0": 0, "1": 1, "0.25": 0.25, "25%": 0.25, "100%": 1, "1e-3": 0.001, "0%": 0} {
		if v, err := ParseShare(text); v != want || err != nil {
			t.Errorf("ParseShare(%q) is %v, %v; want %v", text, v, err, want)
		}
	}
	for _, text := range []string{"", "%", "1.1", "101%", "-0.1", "-1%", "NaN", "nan%", "inf", "0x1p-2", "half", "5 %"} {
		if v, err := ParseShare(text); !errors.Is(err, ErrValue) {
			t.Errorf("ParseShare(%q) is %v, %v; want an error that wraps ErrValue", text, v, err)
		}
	}
}

func TestParseRate(t *testing.T) {
	for text, want := range map[string]Rate{
		"1pps": {PPS: 1}, "10kpps": {PPS: 1e4}, "1.5Mpps": {PPS: 1.5e6}, "0.5pps": {PPS: 0.5},
		"200Mbit/s": {BPS: 2e8}, "1Gbps": {BPS: 1e9}, "64kbit/s": {BPS: 64e3}, "1bit/s": {BPS: 1},
	} {
		if r, err := ParseRate(text); r != want || err != nil || r.IsZero() {
			t.Errorf("ParseRate(%q) is %v, %v; want %v", text, r, err, want)
		}
	}
	for _, text := range []string{"", "pps", "10", "10 kpps", "0pps", "-1pps", "NaNpps", "infpps", "1e308Gpps", "1kppps", "1Mbyte/s", "1mbit/s", "0x1pps", "bit/s"} {
		if r, err := ParseRate(text); !errors.Is(err, ErrValue) || !r.IsZero() || !strings.Contains(err.Error(), "10kpps") {
			t.Errorf("ParseRate(%q) is %v, %v; want an error that wraps ErrValue and shows a good one", text, r, err)
		}
	}
}

func TestRegister(t *testing.T) {
	names := func() (all []string) {
		for _, k := range Kinds() {
			all = append(all, k.Name)
		}
		return all
	}
	if got := strings.Join(names(), " "); got != "gen made null pcap vxlan" {
		t.Errorf("Kinds are %s, want gen made null pcap vxlan, in this order", got)
	}
	open := func(*Spec, Options) (Port, error) { return nil, nil }
	for why, k := range map[string]Kind{
		"is registered twice": {Name: "made", Open: open, Does: In},
		`kind ""`:             {Open: open, Does: In},
		`kind "x"`:            {Name: "x", Open: open, Does: In},
		`kind "Tap"`:          {Name: "Tap", Open: open, Does: In},
		`kind "a:b"`:          {Name: "a:b", Open: open, Does: In},
		`kind "tap"`:          {Name: "tap", Does: In},
		`kind "tun"`:          {Name: "tun", Open: open},
		`kind "four"`:         {Name: "four", Open: open, Does: 4},
	} {
		func() {
			defer func() {
				if r, _ := recover().(string); !strings.Contains(r, why) {
					t.Errorf("Register(%+v) panicked with %q, want %q", k, r, why)
				}
			}()
			Register(k)
		}()
	}
	if got := strings.Join(names(), " "); got != "gen made null pcap vxlan" {
		t.Errorf("Kinds are %s after all that", got)
	}
	Kinds()[0].Name = "changed"
	if names()[0] != "gen" {
		t.Errorf("what Kinds returns is the table itself")
	}
}

func TestOpen(t *testing.T) {
	p := newPool(t, pool.Config{Count: 4})
	opened, err := Open("made:name=me", Options{Pool: p, Direction: In})
	if err != nil {
		t.Fatal(err)
	}
	o := opened.(*fake).Options
	if o.Pool != p || o.Interfaces == nil || o.Direction != In || o.Stdin == nil || o.Stdout == nil {
		t.Errorf("opened with %+v", o)
	}
	if i := opened.Info(); i.Name != "me" || i.Kind != "made" {
		t.Errorf("Info is %+v", i)
	}
	if err := opened.Close(); err != nil {
		t.Error(err)
	}
	table := new(Interfaces)
	opened, err = Open("a.pcap", Options{Pool: p, Interfaces: table})
	if err != nil {
		t.Fatal(err)
	}
	if o := opened.(*fake).Options; o.Direction != Both || o.Interfaces != table {
		t.Errorf("opened with %+v", o)
	}
	if err := opened.Close(); err != nil {
		t.Error(err)
	}

	if _, err := Open("made:", Options{Direction: In}); !errors.Is(err, ErrNoPool) {
		t.Errorf("without a pool: %v", err)
	}
	for d, words := range map[Direction]string{Out: "for in only, not for out", 0: "for in only, not for both", 12: "not for direction"} {
		if _, err := Open("made:", Options{Pool: p, Direction: d}); !errors.Is(err, ErrSpec) || !strings.Contains(err.Error(), words) {
			t.Errorf("for %s: %v, want %q", d, err, words)
		}
	}
	if _, err := Open("nothing:", Options{Pool: p}); !errors.Is(err, ErrSpec) {
		t.Errorf("of an unknown kind: %v", err)
	}
	if _, err := (&Spec{Kind: "nothing"}).Open(Options{Pool: p}); !errors.Is(err, ErrSpec) {
		t.Errorf("of an unknown kind, by hand: %v", err)
	}
	for d, want := range map[Direction]string{In: "in", Out: "out", Both: "both", 8: "direction 8"} {
		if d.String() != want {
			t.Errorf("Direction %d is %q", d, d)
		}
	}
}

// More keys are for whoever asks for them, with a value or without one.
func TestParseWith(t *testing.T) {
	more := []Key{{Name: "flag"}, {Name: "vlan"}, {Name: "size"}} // of which made has size itself
	for text, want := range map[string]struct {
		target string
		keys   map[string]string
	}{
		"made:flag":                  {"", map[string]string{"flag": ""}},
		"made:flag=x,size=60":        {"", map[string]string{"flag": "x", "size": "60"}},
		"made:size=60,flag,name=n":   {"", map[string]string{"flag": "", "size": "60", "name": "n"}},
		"vxlan:a,b,flag":             {"a,b", map[string]string{"flag": ""}},
		`vxlan:a\,flag`:              {"a,flag", nil},
		"vxlan:flag":                 {"flag", nil},
		"in.pcap,vlan=7,format=pcap": {"in.pcap", map[string]string{"vlan": "7", "format": "pcap"}},
	} {
		s, err := ParseWith(text, more)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		for _, key := range []string{"flag", "vlan", "size", "format", "name"} {
			value, has := want.keys[key]
			if s.Has(key) != has || s.String(key, "") != value || s.Target != want.target {
				t.Errorf("%s: target %q, key %s: %v, %q", text, s.Target, key, s.Has(key), s.String(key, ""))
			}
		}
		if s, err := Parse(text); err == nil && (s.Has("flag") || s.Has("vlan")) {
			t.Errorf("Parse(%q) has keys that it should not know", text)
		}
	}
	for text, says := range map[string]string{
		"made:flags=1":     "size, rate, name, onfull, flag, vlan, size",
		"made:flags":       "its keys are size, rate, name, onfull, flag",
		"made:flag,flag=1": "given twice",
	} {
		if _, err := ParseWith(text, more); err == nil || !errors.Is(err, ErrSpec) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %s", text, err, says)
		}
	}
}
