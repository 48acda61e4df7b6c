//go:build unix

package mmsg

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// pair makes two sockets that are connected to each other and don't block.
func pair(t *testing.T, kind string) (a, b int) {
	t.Helper()
	nums, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
	if kind == "udp" {
		nums, err = udp(t), nil
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, num := range nums {
		if err := unix.SetNonblock(num, true); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(num) })
	}
	return nums[0], nums[1]
}

func udp(t *testing.T) (nums [2]int) {
	t.Helper()
	for i := range nums {
		num, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
		if err == nil {
			err = unix.Bind(num, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
		}
		if err != nil {
			t.Fatal(err)
		}
		nums[i] = num
	}
	for i, num := range nums {
		to, err := unix.Getsockname(nums[1-i])
		if err == nil {
			err = unix.Connect(num, to)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return nums
}

// Datagrams in pieces go and come, in order and each for itself, empty ones too.
func TestBatch(t *testing.T) {
	for _, kind := range []string{"unix", "udp"} {
		t.Run(kind, func(t *testing.T) {
			a, b := pair(t, kind)
			const n = 8 // a unix socket holds a few more
			out, in := New(n, 3, 0, false), New(n, 2, 0, false)
			if out.Len() != n {
				t.Errorf("Len is %d", out.Len())
			}
			if got, err := in.Recv(b, n); got != 0 || !WouldBlock(err) {
				t.Fatalf("Recv of nothing: %d, %v", got, err)
			}
			var heads [n][4]byte
			var bodies [n][100]byte
			for round := range 3 {
				for i := range n {
					out.Reset(i)
					switch body := bytes.Repeat([]byte{byte(i + round)}, 10*i); i % 3 {
					case 0: // whole
						out.Set(i, 0, body)
					case 1:
						out.Set(i, 0, body[:3])
						out.Set(i, 1, body[3:])
					case 2:
						out.Set(i, 0, body[:1])
						out.Set(i, 1, nil)
						out.Set(i, 2, body[1:])
					}
				}
				if k, err := out.Send(a, 0, 0); k != 0 || err != nil {
					t.Errorf("Send of none: %d, %v", k, err)
				}
				if k, err := out.Send(a, 0, 3); k != 3 || err != nil {
					t.Fatalf("Send: %d, %v", k, err)
				}
				if k, err := out.Send(a, 3, n); k != n-3 || err != nil {
					t.Fatalf("Send: %d, %v", k, err)
				}
				if k, err := in.Recv(b, 0); k != 0 || err != nil {
					t.Errorf("Recv of none: %d, %v", k, err)
				}
				for i := range n {
					in.Set(i, 0, heads[i][:])
					in.Set(i, 1, bodies[i][:])
				}
				for at := 0; at < n; {
					want := min(5, n-at)
					k, err := in.Recv(b, want)
					if k != want || err != nil {
						t.Fatalf("Recv: %d, %v, want %d", k, err, want)
					}
					for i := range k {
						size := 10 * (at + i)
						if in.Bytes(i) != size || in.Truncated(i) {
							t.Errorf("message %d has %d bytes, truncated %v", at+i, in.Bytes(i), in.Truncated(i))
						}
						got := append(bytes.Clone(heads[i][:min(4, size)]), bodies[i][:max(0, size-4)]...)
						if !bytes.Equal(got, bytes.Repeat([]byte{byte(at + i + round)}, size)) {
							t.Errorf("message %d is %x", at+i, got)
						}
					}
					at += k
				}
			}
		})
	}
}

// What is longer than its memory is truncated and says so, and the next one is not.
func TestTruncated(t *testing.T) {
	a, b := pair(t, "udp")
	out, in := New(3, 1, 0, false), New(3, 2, 0, false)
	for i, size := range []int{20, 21, 19} {
		out.Set(i, 0, make([]byte, size))
	}
	if k, err := out.Send(a, 0, 3); k != 3 || err != nil {
		t.Fatal(k, err)
	}
	var mem [3][20]byte
	for i := range mem {
		in.Set(i, 0, mem[i][:8])
		in.Set(i, 1, mem[i][8:])
	}
	if k, err := in.Recv(b, 3); k != 3 || err != nil {
		t.Fatal(k, err)
	}
	for i, want := range []struct {
		n         int
		truncated bool
	}{{20, false}, {20, true}, {19, false}} {
		if in.Bytes(i) != want.n || in.Truncated(i) != want.truncated {
			t.Errorf("message %d: %d bytes, truncated %v, want %+v", i, in.Bytes(i), in.Truncated(i), want)
		}
	}
}

// A full socket takes a part of the batch, and then none.
func TestPartialSend(t *testing.T) {
	a, b := pair(t, "unix")
	out := New(64, 1, 0, false)
	body := make([]byte, 1000)
	for i := range 64 {
		out.Set(i, 0, body)
	}
	sent := 0
	for {
		k, err := out.Send(a, 0, 64)
		sent += k
		if err != nil {
			if k != 0 || !WouldBlock(err) && err != unix.ENOBUFS { // BSD's way to say it
				t.Fatalf("Send into a full socket: %d, %v", k, err)
			}
			break
		}
		if k == 0 || sent > 1<<20 {
			t.Fatalf("%d messages were sent in all, the last time %d", sent, k)
		}
	}
	if sent == 0 {
		t.Fatal("none was sent")
	}
	in := New(64, 1, 0, false)
	var mem [64][1000]byte
	for i := range mem {
		in.Set(i, 0, mem[i][:])
	}
	came := 0
	for {
		k, err := in.Recv(b, 64)
		came += k
		if err != nil {
			break
		}
	}
	if came != sent {
		t.Errorf("%d were sent and %d came", sent, came)
	}
}

// An error in the middle ends the batch; what it is the next call tells, and the message that is to blame can be left out.
func TestErrorInTheMiddle(t *testing.T) {
	a, b := pair(t, "udp")
	out := New(3, 1, 0, false)
	out.Set(0, 0, []byte("one"))
	out.Set(1, 0, make([]byte, 70000)) // longer than any datagram
	out.Set(2, 0, []byte("three"))
	if k, err := out.Send(a, 0, 3); k != 1 || err != nil {
		t.Fatalf("Send: %d, %v", k, err)
	}
	if k, err := out.Send(a, 1, 3); k != 0 || err != unix.EMSGSIZE {
		t.Fatalf("Send of what is too long: %d, %v", k, err)
	}
	if k, err := out.Send(a, 2, 3); k != 1 || err != nil {
		t.Fatalf("Send: %d, %v", k, err)
	}
	in := New(3, 1, 0, false)
	var mem [3][10]byte
	for i := range mem {
		in.Set(i, 0, mem[i][:])
	}
	if k, err := in.Recv(b, 3); k != 2 || err != nil || string(mem[1][:in.Bytes(1)]) != "three" {
		t.Errorf("Recv: %d, %v, %q", k, err, mem)
	}
	if k, err := in.Recv(-1, 1); k != 0 || err != unix.EBADF {
		t.Errorf("Recv from no descriptor: %d, %v", k, err)
	}
}

// Sockets that are not connected: each message has the address that it comes from or goes to.
func TestNames(t *testing.T) {
	var nums [3]int
	for i := range nums {
		num, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
		if err == nil {
			err = unix.Bind(num, &unix.SockaddrUnix{Name: filepath.Join(shortDir(t), fmt.Sprint(i))})
		}
		if err == nil {
			err = unix.SetNonblock(num, true)
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(num) })
		nums[i] = num
	}
	var names [3]unix.RawSockaddrAny
	var sizes [3]int
	for i, num := range nums {
		n := uint32(unix.SizeofSockaddrAny)
		if _, _, errno := unix.RawSyscall(unix.SYS_GETSOCKNAME, uintptr(num), uintptr(unsafe.Pointer(&names[i])), uintptr(unsafe.Pointer(&n))); errno != 0 {
			t.Fatal(errno)
		}
		sizes[i] = int(n)
	}
	out, in := New(2, 1, 0, true), New(2, 1, 0, true)
	var mem [2][10]byte
	for i := range 2 {
		out.Set(i, 0, []byte{byte(i)})
		out.SetName(i, &names[2], sizes[2])
		if k, err := out.Send(nums[i], i, i+1); k != 1 || err != nil {
			t.Fatal(k, err)
		}
		in.Set(i, 0, mem[i][:])
	}
	if k, err := in.Recv(nums[2], 2); k != 2 || err != nil {
		t.Fatal(k, err)
	}
	for i := range 2 {
		name, n := in.Name(i)
		if n != sizes[i] || !bytes.Equal(raw(name, n), raw(&names[i], n)) {
			t.Errorf("message %d is from %x, want %x", i, raw(name, n), raw(&names[i], sizes[i]))
		}
		// And the answer goes back there.
		out.Set(i, 0, []byte("answer"))
		out.SetName(i, name, n)
	}
	if k, err := out.Send(nums[2], 0, 2); k != 2 || err != nil {
		t.Fatal(k, err)
	}
	for i := range 2 {
		in.Set(0, 0, mem[0][:])
		if k, err := in.Recv(nums[i], 1); k != 1 || err != nil || string(mem[0][:in.Bytes(0)]) != "answer" {
			t.Errorf("the answer to %d: %d, %v, %q", i, k, err, mem[0])
		}
	}
	// A reset message has no name any more.
	out.Reset(0)
	out.Set(0, 0, []byte("nowhere"))
	if k, err := out.Send(nums[2], 0, 1); k != 0 || err == nil {
		t.Errorf("Send to nowhere: %d, %v", k, err)
	}
}

func raw(name *unix.RawSockaddrAny, n int) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(name)), n)
}

// shortDir is a directory whose name leaves room in a socket's address.
func shortDir(t *testing.T) string {
	t.Helper()
	if dir := t.TempDir(); len(dir) < 80 {
		return dir
	}
	t.Skip("the temporary directory has too long a name for sockets")
	return ""
}

// Control messages go with the message that they were set for, and come with it.
func TestControl(t *testing.T) {
	a, b := pair(t, "unix")
	space := unix.CmsgSpace(4)
	out, in := New(2, 1, space, false), New(3, 1, space, false)
	rights := unix.UnixRights(a)
	out.Set(0, 0, []byte("with"))
	copy(out.SetControl(0, len(rights)), rights)
	out.Set(1, 0, []byte("without"))
	if got := out.SetControl(1, 0); got != nil {
		t.Errorf("no control messages in %d bytes", len(got))
	}
	if k, err := out.Send(a, 0, 2); k != 2 || err != nil {
		t.Fatal(k, err)
	}
	var mem [3][10]byte
	for i := range mem {
		in.Set(i, 0, mem[i][:])
	}
	if k, err := in.Recv(b, 3); k != 2 || err != nil {
		t.Fatal(k, err)
	}
	got, err := unix.ParseSocketControlMessage(in.Control(0))
	if err != nil || len(got) != 1 {
		t.Fatalf("%d control messages, %v", len(got), err)
	}
	nums, err := unix.ParseUnixRights(&got[0])
	if err != nil || len(nums) != 1 {
		t.Fatalf("%v, %v", nums, err)
	}
	unix.Close(nums[0])
	if len(in.Control(1)) != 0 || in.Truncated(0) || in.Truncated(1) {
		t.Errorf("%d bytes of control with the other, truncated %v %v", len(in.Control(1)), in.Truncated(0), in.Truncated(1))
	}
	// The message is sent again without.
	out.SetControl(0, 0)
	if k, err := out.Send(a, 0, 1); k != 1 || err != nil {
		t.Fatal(k, err)
	}
	if k, err := in.Recv(b, 1); k != 1 || err != nil || len(in.Control(0)) != 0 {
		t.Errorf("%d, %v, with %d bytes of control", k, err, len(in.Control(0)))
	}
	// Control messages that have no room are said to be truncated.
	none := New(1, 1, 0, false)
	none.Set(0, 0, mem[0][:])
	copy(out.SetControl(0, len(rights)), rights)
	if k, err := out.Send(a, 0, 1); k != 1 || err != nil {
		t.Fatal(k, err)
	}
	if k, err := none.Recv(b, 1); k != 1 || err != nil || !none.Truncated(0) {
		t.Errorf("%d, %v, truncated %v", k, err, none.Truncated(0))
	}
}

func TestNoAllocations(t *testing.T) {
	a, b := pair(t, "udp")
	out, in := New(8, 1, 0, false), New(8, 2, 32, true)
	body := make([]byte, 100)
	var mem [8][2][100]byte
	if n := testing.AllocsPerRun(100, func() {
		for i := range 8 {
			out.Set(i, 0, body)
			in.Set(i, 0, mem[i][0][:])
			in.Set(i, 1, mem[i][1][:])
		}
		if k, err := out.Send(a, 0, 8); k != 8 || err != nil {
			t.Fatal(k, err)
		}
		if k, err := in.Recv(b, 8); k != 8 || err != nil {
			t.Fatal(k, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations for 8 messages", n)
	}
}
