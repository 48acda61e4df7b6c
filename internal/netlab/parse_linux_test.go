package netlab

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestParsePing(t *testing.T) {
	r, err := parsePing(`PING 10.0.0.2 (10.0.0.2) 56(84) bytes of data.

--- 10.0.0.2 ping statistics ---
4 packets transmitted, 3 received, +1 errors, 25% packet loss, time 21ms
rtt min/avg/max/mdev = 0.019/0.030/0.041/0.009 ms, pipe 2
`)
	want := PingResult{Sent: 4, Received: 3, Min: 19 * time.Microsecond, Avg: 30 * time.Microsecond, Max: 41 * time.Microsecond}
	if err != nil || r != want || r.Loss() != 0.25 {
		t.Errorf("%+v, loss %g, %v", r, r.Loss(), err)
	}
	for _, bad := range []string{"", "ping: connect: Network is unreachable", "1 packets transmitted, 1 received\nrtt min/avg/max/mdev = 1.1.1/1/1/1 ms"} {
		if r, err := parsePing(bad); err == nil {
			t.Errorf("%q: %+v", bad, r)
		}
	}
}

func TestParseIperf(t *testing.T) {
	tcp := `{"start":{},"end":{"streams":[],"sum_sent":{"bytes":1000,"bits_per_second":8000,"retransmits":7},"sum_received":{"bytes":900,"bits_per_second":7200.5}}}`
	if r, err := parseTCP(tcp); err != nil || r != (TCPResult{BitsPerSecond: 7200.5, Bytes: 900, Retransmits: 7}) {
		t.Errorf("%+v, %v", r, err)
	}
	udp := `{"end":{"sum":{"packets":10,"lost_packets":4}}}`
	if r, err := parseUDP(udp); err != nil || r != (UDPResult{Sent: 10, Received: 6}) {
		t.Errorf("%+v, %v", r, err)
	}
	for lost, want := range map[string]uint64{"-3": 10, "11": 0} {
		if r, err := parseUDP(strings.Replace(udp, `:4}`, `:`+lost+`}`, 1)); err != nil || r.Received != want {
			t.Errorf("%s lost: %+v, %v", lost, r, err)
		}
	}
	for _, bad := range []string{"", "{}", `{"end":{}}`, `{"end":{"sum_sent":{}}}`} {
		if r, err := parseTCP(bad); err == nil {
			t.Errorf("TCP %q: %+v", bad, r)
		}
		if r, err := parseUDP(bad); err == nil {
			t.Errorf("UDP %q: %+v", bad, r)
		}
	}
	exit := errors.New("exit status 1")
	for _, c := range []struct {
		out  string
		exit error
		says string
	}{
		{`{"error":"unable to connect"}`, exit, "unable to connect"},
		{`{}`, exit, "exit status 1"},
		{`nonsense`, exit, "nonsense"},
		{``, nil, "not its report"},
	} {
		if err := iperfError(c.out, c.exit); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q: %v, want %q", c.out, err, c.says)
		}
	}
	if err := iperfError(tcp, nil); err != nil {
		t.Error(err)
	}
}

func TestParseStats(t *testing.T) {
	const text = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:      99      98   97   96   95    94         93        92       91      90   89   88   87    86      85         84
  eth0:       1       2    3    4    5     6          7         8        9      10   11   12   13    14      15         16
  eth1:       1       2    3
  eth2:       1       2    3    4    5     6          7         8        9      -1   11   12   13    14      15         16
`
	s, err := parseStats(text, "eth0")
	if want := (Stats{RxBytes: 1, RxPackets: 2, RxErrors: 3, RxDropped: 4, TxBytes: 9, TxPackets: 10, TxErrors: 11, TxDropped: 12}); err != nil || s != want {
		t.Errorf("%+v, %v", s, err)
	}
	for _, bad := range []string{"eth", "eth1", "eth2", "eth3"} {
		if s, err := parseStats(text, bad); err == nil {
			t.Errorf("%s: %+v", bad, s)
		}
	}
}

func TestFault(t *testing.T) {
	for fields, want := range map[string]string{
		"7|60|60|eth:ethertype:ip:tcp:data|1|||1|":               "",
		"7|60|60|eth:ethertype:ip:tcp:data|1|||0|":               "tcp.checksum is bad",
		"7|60|60|eth:ethertype:ip:udp:vxlan:eth:ip:tcp|1,0||||1": "ip.checksum is bad",
		"7|60|54|eth:ethertype:ip:tcp|1|||1|":                    "only 54 bytes were captured",
		"7|60|60|eth:ethertype:ip:_ws.malformed|1||||":           "malformed",
		"7|60|60|eth:ethertype:ip:udp:enip:_ws.malformed|1||||1": "", // that is payload
	} {
		if got := fault(strings.Split(fields, "|")); got != want {
			t.Errorf("%s: %q, want %q", fields, got, want)
		}
	}
}
