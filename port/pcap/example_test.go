package pcap_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/pcap"
)

// A capture is written and read again.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "hello.pcapng")

	p, err := pool.New(pool.Config{Count: 1024})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	w, err := pcap.Create(file, port.Options{Pool: p})
	if err != nil {
		log.Fatal(err)
	}
	for _, text := range []string{"hello", "world"} {
		b, err := p.CopyIn([]byte(text)) // a frame would be longer, and have headers
		if err != nil {
			log.Fatal(err)
		}
		if _, err := w.Tx([]pool.Buffer{b}); err != nil {
			log.Fatal(err)
		}
	}
	if err := w.Close(); err != nil { // what could not be written is told here at the latest
		log.Fatal(err)
	}

	// The same with the string that the command line takes.
	r, err := port.Open("pcap:"+file+",loop=2", port.Options{Pool: p, Direction: port.In})
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	bufs := make([]pool.Buffer, 64)
	for {
		n, err := r.Rx(bufs)
		for _, b := range bufs[:n] {
			fmt.Printf("%s ", b.Bytes())
			b.Release()
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		if n == 0 {
			if err := r.WaitRx(context.Background()); err != nil {
				log.Fatal(err)
			}
		}
	}
	// Output: hello world hello world
}
