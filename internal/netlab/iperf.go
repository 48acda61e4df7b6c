//go:build linux

// iperf3: load of TCP and UDP.

package netlab

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/ringway-net/ringway/internal/need"
)

// connectTimeout is how long a client tries to connect. A network that lets nothing through takes
// that long to be told from a slow one.
const connectTimeout = 3 * time.Second

// TCPOptions say how to load with TCP. The zero value is one stream from the client to the server.
type TCPOptions struct {
	Reverse bool // from the server to the client
	MSS     int  // bytes of payload in a segment at most; 0: as the MTU has it
	Streams int  // side by side; 0: 1
}

// TCPResult is what went through.
type TCPResult struct {
	BitsPerSecond float64 // of payload, as the receiver saw it
	Bytes         uint64  // of payload, as the receiver saw it
	Retransmits   int     // segments that the sender sent again
}

// TCP sends as much as goes from client to server, at addr, for the time of d (1 s or more, whole seconds). It returns an
// error if no connection comes about in three seconds, or it breaks.
func TCP(server, client *Namespace, addr string, d time.Duration, o TCPOptions) (TCPResult, error) {
	client.t.Helper()
	return tcp(server, client, addr, d, o, "--time", wholeSeconds(d))
}

const (
	// transferred is what Transfer sends, in bytes: more than all rings and socket buffers on the way hold, many times over.
	transferred = 32 << 20
	// transferTime is how long that may take, without what is around it.
	transferTime = 12 * time.Second
)

// Transfer sends 32 MiB from client to server, at addr: it shows that TCP comes through, in less time than TCP takes to show how
// fast. It returns an error if no connection comes about in three seconds, it breaks, or it is not over in twenty.
func Transfer(server, client *Namespace, addr string, o TCPOptions) (TCPResult, error) {
	client.t.Helper()
	return tcp(server, client, addr, transferTime, o, "--bytes", strconv.Itoa(transferred))
}

// tcp runs iperf3 with what says how long it goes on, by its clock or by bytes, and d, which it takes at most.
func tcp(server, client *Namespace, addr string, d time.Duration, o TCPOptions, args ...string) (TCPResult, error) {
	client.t.Helper()
	if o.Reverse {
		args = append(args, "-R")
	}
	if o.MSS > 0 {
		args = append(args, "-M", strconv.Itoa(o.MSS))
	}
	if o.Streams > 0 {
		args = append(args, "-P", strconv.Itoa(o.Streams))
	}
	out, err := iperf(server, client, addr, d, args)
	if err != nil {
		return TCPResult{}, err
	}
	return parseTCP(out)
}

// wholeSeconds is a time as iperf3 takes it.
func wholeSeconds(d time.Duration) string {
	return strconv.Itoa(max(1, int(d.Round(time.Second).Seconds())))
}

// UDPOptions say how to load with UDP.
type UDPOptions struct {
	BitsPerSecond float64 // of payload; 0: 100 Mbit/s
	Size          int     // bytes of payload in a datagram; 0: 1400
}

// UDPResult is what went through.
type UDPResult struct {
	Sent     uint64 // datagrams that the client sent
	Received uint64 // datagrams that the server read: a server that is short of CPU drops what had reached it
	Far      uint64 // packets that the server's interface received meanwhile, those of iperf3's own TCP connection too
}

// UDP sends datagrams from client to server, at addr, for the time of d (1 s or more, whole seconds). It returns an error if
// the TCP connection that iperf3 needs beside does not come about in three seconds, or breaks.
func UDP(server, client *Namespace, addr string, d time.Duration, o UDPOptions) (UDPResult, error) {
	client.t.Helper()
	if o.BitsPerSecond == 0 {
		o.BitsPerSecond = 100e6
	}
	if o.Size == 0 {
		o.Size = 1400
	}
	far := server.interfaceOf(addr)
	before := server.LinkStats(far).RxPackets
	out, err := iperf(server, client, addr, d, []string{"--time", wholeSeconds(d), "-u", "-b", strconv.FormatFloat(o.BitsPerSecond, 'f', 0, 64), "-l", strconv.Itoa(o.Size)})
	if err != nil {
		return UDPResult{}, err
	}
	r, err := parseUDP(out)
	r.Far = server.LinkStats(far).RxPackets - before
	return r, err
}

// interfaceOf returns the interface that has an address.
func (n *Namespace) interfaceOf(addr string) string {
	n.t.Helper()
	var links []struct {
		Name string `json:"ifname"`
	}
	if err := json.Unmarshal([]byte(n.IP("-j", "addr", "show", "to", addr)), &links); err != nil {
		n.t.Fatalf("interface of %s in %s: %v", addr, n.label, err)
	}
	for _, l := range links {
		if l.Name != "" { // ip prints an empty object for each of the others
			return l.Name
		}
	}
	n.t.Fatalf("no interface in %s has the address %s", n.label, addr)
	return ""
}

// iperf runs a server for one client, and that client with some more arguments, and returns what the client reports, as JSON.
func iperf(server, client *Namespace, addr string, d time.Duration, args []string) (string, error) {
	client.t.Helper()
	need.Program(client.t, "iperf3")
	port := strconv.Itoa(server.freePort())
	s := server.Start("iperf3", "--server", "--one-off", "--forceflush", "--port", port)
	defer func() {
		_ = s.proc.Kill() // it may wait for a client that never came
		<-s.done
	}()
	if err := s.Expect("Server listening", patience); err != nil {
		server.t.Fatalf("%v", err)
	}
	// Its clock ends it; ours is for one that hangs, on a network that has stopped in the middle.
	limit := connectTimeout + d + 5*time.Second
	c := client.Command("iperf3", append([]string{"--client", addr, "--port", port, "--json",
		"--connect-timeout", strconv.FormatInt(connectTimeout.Milliseconds(), 10)}, args...)...)
	c.WaitDelay = time.Second
	var out strings.Builder
	c.Stdout = &out
	if err := c.Start(); err != nil {
		client.t.Fatalf("iperf3: %v", err)
	}
	late := time.AfterFunc(limit, func() { _ = c.Process.Kill() })
	err := c.Wait()
	var exit *exec.ExitError
	switch {
	case !late.Stop():
		return "", fmt.Errorf("iperf3 to %s: nothing moves: not over in %v", addr, limit)
	case err != nil && !errors.As(err, &exit):
		client.t.Fatalf("iperf3: %v", err)
	}
	return out.String(), iperfError(out.String(), err)
}

// freePort returns a TCP port that nobody listens at.
func (n *Namespace) freePort() (port int) {
	n.t.Helper()
	var err error
	n.Do(func() {
		var l net.Listener
		if l, err = net.Listen("tcp", ":0"); err == nil {
			port = l.Addr().(*net.TCPAddr).Port
			err = l.Close()
		}
	})
	if err != nil {
		n.t.Fatalf("a free port in %s: %v", n.label, err)
	}
	return port
}

// iperfError returns the error that is told in iperf3's report, or its exit code's.
func iperfError(out string, exit error) error {
	var r struct{ Error string }
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		return fmt.Errorf("iperf3: %w: not its report: %.200q", errors.Join(exit, err), out)
	}
	switch {
	case r.Error != "":
		return fmt.Errorf("iperf3: %s", r.Error)
	case exit != nil:
		return fmt.Errorf("iperf3: %w", exit)
	}
	return nil
}

func parseTCP(out string) (TCPResult, error) {
	var r struct {
		End struct {
			Sent     *struct{ Retransmits int } `json:"sum_sent"`
			Received *struct {
				Bytes         uint64
				BitsPerSecond float64 `json:"bits_per_second"`
			} `json:"sum_received"`
		}
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		return TCPResult{}, fmt.Errorf("iperf3: %w", err)
	}
	if r.End.Sent == nil || r.End.Received == nil {
		return TCPResult{}, errors.New("iperf3 reports no sums of TCP")
	}
	return TCPResult{BitsPerSecond: r.End.Received.BitsPerSecond, Bytes: r.End.Received.Bytes, Retransmits: r.End.Sent.Retransmits}, nil
}

func parseUDP(out string) (UDPResult, error) {
	var r struct {
		End struct {
			Sum *struct {
				Packets uint64
				Lost    int64 `json:"lost_packets"` // of what came out of order it counts some twice
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		return UDPResult{}, fmt.Errorf("iperf3: %w", err)
	}
	if r.End.Sum == nil {
		return UDPResult{}, errors.New("iperf3 reports no sum of UDP")
	}
	return UDPResult{Sent: r.End.Sum.Packets, Received: r.End.Sum.Packets - uint64(min(max(0, r.End.Sum.Lost), int64(r.End.Sum.Packets)))}, nil
}
