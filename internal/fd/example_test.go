//go:build unix

package fd_test

import (
	"context"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/fd"
)

// The system call is its user's; the wait goes through the netpoller.
func Example() {
	nums, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
	if err != nil {
		panic(err)
	}
	f, err := fd.New(nums[0], "one end")
	if err != nil {
		panic(err)
	}
	go func() { _, _ = unix.Write(nums[1], []byte("hello")) }()
	buf := make([]byte, 10)
	n := -1
	for n < 0 {
		if err := f.WaitRead(context.Background()); err != nil {
			panic(err)
		}
		n, _ = unix.Read(f.Num(), buf) // again if it was woken for nothing
	}
	fmt.Printf("%s\n", buf[:n])
	if err := f.Close(); err != nil {
		panic(err)
	}
	_ = unix.Close(nums[1])
	// Output: hello
}
