//go:build unix

package unixsock_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/unixsock"
)

// A switch's side and a virtual machine's: the listener makes a port of who connects.
func Example() {
	p, err := pool.New(pool.Config{})
	if err != nil {
		panic(err)
	}
	dir, err := os.MkdirTemp("", "vm")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "net.sock")

	l, err := unixsock.Listen(path, port.Options{Pool: p}, unixsock.Config{Type: unixsock.Stream})
	if err != nil {
		panic(err)
	}
	defer l.Close()
	vm, err := port.Open("unix:"+path+",type=stream", port.Options{Pool: p})
	if err != nil {
		panic(err)
	}
	client, err := l.Accept(context.Background())
	if err != nil {
		panic(err)
	}
	defer client.Close()

	frame, err := p.CopyIn(make([]byte, 60))
	if err != nil {
		panic(err)
	}
	if _, err := vm.Tx([]pool.Buffer{frame}); err != nil {
		panic(err)
	}
	bufs := make([]pool.Buffer, 8)
	if err := client.WaitRx(context.Background()); err != nil {
		panic(err)
	}
	n, err := client.Rx(bufs)
	fmt.Println(n, "frame of", bufs[0].Len(), "bytes,", err)
	bufs[0].Release()

	vm.Close()
	if err := client.WaitRx(context.Background()); err != nil {
		panic(err)
	}
	_, err = client.Rx(bufs)
	fmt.Println(err)
	// Output:
	// 1 frame of 60 bytes, <nil>
	// EOF
}
