//go:build linux

// A sender of small frames, as many as a core can.

package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/mmsg"
)

const (
	floodBurst = 64
	floodSize  = 60     // the least an Ethernet frame has, without its check sequence
	floodType  = 0x88b5 // for local experiments: the receiver's kernel counts it and drops it
)

// flood sends by a packet socket that passes the queues of the interface by, so that it neither waits for room there nor shares it.
type flood struct {
	socket int
	batch  *mmsg.Batch
}

// newFlood makes a flood from an interface of the namespace that the calling thread is in.
func newFlood(from *net.Interface, to net.HardwareAddr) (*flood, error) {
	socket, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("packet socket: %w", err)
	}
	err = errors.Join(
		unix.SetsockoptInt(socket, unix.SOL_PACKET, unix.PACKET_QDISC_BYPASS, 1),
		unix.Bind(socket, &unix.SockaddrLinklayer{Ifindex: from.Index}))
	if err != nil {
		unix.Close(socket)
		return nil, fmt.Errorf("packet socket of %s: %w", from.Name, err)
	}
	frame := make([]byte, floodSize)
	copy(frame, to)
	copy(frame[6:], from.HardwareAddr)
	binary.BigEndian.PutUint16(frame[12:], floodType)
	f := &flood{socket, mmsg.New(floodBurst, 1, 0, false)}
	for i := range floodBurst {
		f.batch.Set(i, 0, frame)
	}
	return f, nil
}

// run sends until ctx is done, and closes the flood.
func (f *flood) run(ctx context.Context) error {
	defer unix.Close(f.socket)
	for ctx.Err() == nil {
		switch _, err := f.batch.Send(f.socket, 0, floodBurst); {
		case err == nil, errors.Is(err, unix.ENOBUFS), mmsg.WouldBlock(err): // full: the next one may go
		default:
			return err
		}
	}
	return nil
}
