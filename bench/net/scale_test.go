//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
)

// toy is a switch that is as plain as one can be: a goroutine for each port, and a map. What it does wrong on purpose is in spoil.
func toy(spoil func(from, to, n int) int) fabric {
	return fabric{name: "toy", open: func(ports []port.Port, _ int) (func() error, error) {
		ctx, cancel := context.WithCancel(context.Background())
		var mu sync.Mutex // of the table, and of sending
		var running sync.WaitGroup
		table := map[[6]byte]int{}
		send := func(b pool.Buffer, to int) {
			for one := []pool.Buffer{b}; ; {
				if n, err := ports[to].Tx(one); n == 1 || err != nil {
					return
				}
			}
		}
		move := func(from int, b pool.Buffer) {
			mu.Lock()
			defer mu.Unlock()
			frame := b.Bytes()
			table[[6]byte(frame[6:12])] = from
			to, known := table[[6]byte(frame[:6])]
			if known && spoil != nil {
				to = spoil(from, to, len(ports))
			}
			if known && to >= 0 {
				send(b, to)
				return
			}
			for p := range ports {
				if p != from && to >= 0 {
					b.Retain(1)
					send(b, p)
				}
			}
			b.Release()
		}
		for from, p := range ports {
			running.Go(func() {
				var bufs [8]pool.Buffer
				for p.WaitRx(ctx) == nil {
					n, err := p.Rx(bufs[:])
					for _, b := range bufs[:n] {
						move(from, b)
					}
					if err != nil {
						return
					}
				}
			})
		}
		return func() error {
			cancel()
			running.Wait()
			return closeAll(ports)
		}, nil
	}}
}

func TestScale(t *testing.T) {
	for _, s := range []spot{
		{fabrics[0], 2, 10}, {fabrics[0], 2, 5000},
		{toy(nil), 2, 2}, {toy(nil), 8, 5}, {toy(nil), 8, 1001}, {toy(nil), 64, 10},
	} {
		c, err := s.measure(t.Context(), 20*time.Millisecond)
		if err != nil || c.frames <= 0 || c.cpu <= 0 {
			t.Errorf("%s, %d ports, %d addresses: %+v, %v", s.fabric.name, s.ports, s.addresses, c, err)
		}
	}
}

// A switch that floods what it knows, sends it elsewhere or loses it gives no figure.
func TestScaleFindsFaults(t *testing.T) {
	var sent int
	for says, s := range map[string]spot{
		"came to port":              {toy(func(from, to, n int) int { return (to + 1) % n }), 4, 10},
		"context deadline exceeded": {toy(func(from, to, n int) int { sent++; return map[bool]int{true: to, false: -1}[sent < 50] }), 4, 100},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		_, err := s.measure(ctx, 20*time.Millisecond)
		cancel()
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
	broken := errors.New("it does not start")
	f := fabric{name: "broken", open: func(ports []port.Port, _ int) (func() error, error) { return nil, errors.Join(broken, closeAll(ports)) }}
	if _, err := (spot{f, 2, 10}).measure(t.Context(), time.Millisecond); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

// No two addresses are the same, and none is a group's.
func TestPutMAC(t *testing.T) {
	seen := map[uint64]int{}
	for i := range 100_000 {
		var b [8]byte
		putMAC(b[2:], i)
		if other, ok := seen[binary.BigEndian.Uint64(b[:])]; ok || b[2]&1 != 0 {
			t.Fatalf("%d is % x, as %d", i, b[2:], other)
		}
		seen[binary.BigEndian.Uint64(b[:])] = i
	}
}

// The rounds of a spot are one row, in order, in the table, and a point of each line in the plots.
func TestScaleReport(t *testing.T) {
	r := newReport(options{rounds: 2, time: time.Second}, time.Now())
	for round := range 2 {
		for _, ports := range []int{64, 2, 8} {
			for _, addresses := range []int{1_000_000, 10, 10_000} {
				r.scale(spot{fabric{name: "toy"}, ports, addresses}, cost{float64(1000 + ports*round), 500})
			}
		}
	}
	if len(r.Scale) != 9 || r.Scale[0].Ports != 2 || r.Scale[0].Addresses != 10 || len(r.Scale[0].Frames) != 2 {
		t.Fatalf("%+v", r.Scale)
	}
	var b bytes.Buffer
	if err := errors.Join(r.table(&b), r.json(io.Discard)); err != nil {
		t.Fatal(err)
	}
	if fields := strings.Join(strings.Fields(b.String()), " "); !strings.Contains(fields, "toy, 64 ports, 1000000 addresses 1032 500") {
		t.Error(b.String())
	}
	checkPage(t, &r, "Frames per second, by ports", "CPU per frame, by addresses", "toy, 10 k addresses", "toy, 1 M addresses", "toy, 64 ports")
}
