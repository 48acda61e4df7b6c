package pcap

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"

	"github.com/ringway-net/ringway/internal/pooltest"
	"github.com/ringway-net/ringway/internal/testkit"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/stats"
)

// unfinished makes a frame of size bytes of TCP, to be cut into segments if it is a large one, and how many
// frames it makes in a capture.
func unfinished(t testing.TB, p *pool.Pool, size int) (b pool.Buffer, frames int) {
	t.Helper()
	b, err := p.CopyIn(testkit.UnfinishedTCP(size))
	if err != nil {
		t.Fatal(err)
	}
	left := pool.Offload{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 16}
	frames = 1
	if size > 1514 {
		left.GSO, left.SegmentSize = pool.GSOTCP4, 1448
		frames = (size - 54 + 1447) / 1448
	}
	b.SetOffload(left)
	return b, frames
}

// A capture has frames as a wire would have had them: large ones cut, and with complete checksums.
func TestFinished(t *testing.T) {
	for _, stream := range []bool{false, true} {
		o := env(t)
		large := pooltest.New(t, pool.Config{BufferSize: port.LargeBufferSize, Count: 32})
		name := filepath.Join(t.TempDir(), "out.pcap")
		var whole bytes.Buffer
		if stream {
			name, o.Stdout = "-", &whole
		}
		w := openOut(t, name+",snaplen=1400", o)
		taken := 0
		send := func(b pool.Buffer) {
			t.Helper()
			for sent := 0; sent == 0; {
				var err error
				if sent, err = w.Tx([]pool.Buffer{b}); err == nil && sent == 0 {
					err = w.WaitTx(ctx(t))
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			taken++
		}
		for i := range 20 {
			size := []int{60, 61, 1514, 2000, 54 + 2*1448, 65000}[i%6]
			b, _ := unfinished(t, large, size)
			b.SetMeta(pool.Meta{Time: int64(i) * 1e9})
			b.Retain(1)
			before := bytes.Clone(b.Bytes())
			send(b)
			bad, err := o.Pool.CopyIn(make([]byte, 60))
			if err != nil {
				t.Fatal(err)
			}
			bad.SetOffload(pool.Offload{GSO: pool.GSOTCP4, SegmentSize: uint16(i % 2)})
			send(bad)
			if err := w.(port.Queuer).Drain(ctx(t)); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(b.Bytes(), before) {
				t.Error("a shared frame was written to")
			}
			b.Release()
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if !stream {
			whole.Write(read(t, name))
		}
		d := decode(t, whole.Bytes())
		for i, f := range d.data {
			n := int(d.recs[i].OrigLen)
			if n > 1514 || len(f) != min(n, 1400) {
				t.Errorf("frame %d of %d bytes, of which %d are there", i, n, len(f))
			}
		}
		s := w.Stats()
		if int(s.TxPackets) != len(d.data) || s.TxDrops[stats.ReasonMalformed] != 20 || s.TxPackets+s.TxDropped() != uint64(taken)+s.TxSegments {
			t.Errorf("%d taken, %d in the capture: %+v", taken, len(d.data), s)
		}
	}
}

// By another library's judgement all checksums are right, and all bytes are there.
func TestFinishedChecksums(t *testing.T) {
	o := env(t)
	large := pooltest.New(t, pool.Config{BufferSize: port.LargeBufferSize, Count: 32})
	name := filepath.Join(t.TempDir(), "out.pcapng")
	w := openOut(t, name, o)
	var want, got []byte
	frames := 0
	for _, size := range []int{54, 60, 1000, 1514, 1515, 9000, 65549} {
		b, n := unfinished(t, large, size)
		want = append(want, b.Bytes()[54:]...)
		frames += n
		if n, err := w.Tx([]pool.Buffer{b}); n != 1 || err != nil {
			t.Fatal(n, err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	d := decode(t, read(t, name))
	if len(d.data) != frames {
		t.Errorf("%d frames, want %d", len(d.data), frames)
	}
	for i, f := range d.data {
		p := gopacket.NewPacket([]byte(f), layers.LayerTypeEthernet, gopacket.Default)
		tcp, ok := p.Layer(layers.LayerTypeTCP).(*layers.TCP)
		if !ok {
			t.Fatalf("frame %d is no TCP: %v", i, p)
		}
		if err := tcp.SetNetworkLayerForChecksum(p.NetworkLayer()); err != nil {
			t.Fatal(err)
		}
		err, mismatches := p.VerifyChecksums()
		if err != nil || len(mismatches) > 0 {
			t.Errorf("frame %d: %v, %+v", i, err, mismatches)
		}
		got = append(got, tcp.Payload...)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%d bytes of payload, want %d, or others", len(got), len(want))
	}
}

// A stream whose reader stands still in the middle of a large frame: all that was taken is queued, written or dropped, at
// each moment.
func TestFinishedStuck(t *testing.T) {
	for _, end := range []string{"read", "stuck", "broken"} {
		t.Run(end, func(t *testing.T) {
			o := env(t)
			large := pooltest.New(t, pool.Config{BufferSize: port.LargeBufferSize, Count: 1024})
			var outR *os.File
			outR, o.Stdout = pipe(t)
			w := openOut(t, "-", o)
			p := w.(*writer)
			p.mu.Lock()
			p.stream.patience = 50 * time.Millisecond
			p.mu.Unlock()
			taken, frames := 0, 0
			for idle := 0; idle < 20; {
				b, k := unfinished(t, large, 65000)
				n, err := w.Tx([]pool.Buffer{b})
				if err != nil {
					t.Fatal(err)
				}
				if taken += n; n > 0 {
					frames, idle = frames+k, 0
					continue
				}
				b.Release()
				idle++
				time.Sleep(time.Millisecond)
			}
			held := func() {
				t.Helper()
				s := w.Stats()
				if s.TxPackets+s.TxDropped()+uint64(p.Queued()) != uint64(taken)+s.TxSegments {
					t.Errorf("taken %d, queued %d, %+v", taken, p.Queued(), s)
				}
			}
			held()
			if p.Stats().TxSegments == 0 {
				t.Error("nothing was begun")
			}
			read := make(chan int64)
			switch end {
			case "read":
				go func() {
					n, _ := io.Copy(io.Discard, outR)
					read <- n
				}()
				if err := p.Drain(ctx(t)); err != nil {
					t.Error(err)
				}
				held()
				if s := w.Stats(); s.TxPackets != uint64(frames) {
					t.Errorf("%d frames are to be written: %+v", frames, s)
				}
			case "broken":
				outR.Close()
			}
			if err := w.Close(); (err != nil) != (end != "read") {
				t.Errorf("Close: %v", err)
			}
			held()
			if q := p.Queued(); q != 0 {
				t.Errorf("%d are queued after Close", q)
			}
			if end == "read" {
				o.Stdout.(*os.File).Close()
				if n, want := <-read, int64(24); n < want+int64(frames)*(16+54) {
					t.Errorf("%d bytes were read", n)
				}
			}
		})
	}
}

// Finishing allocates nothing once it has begun.
func TestFinishedNoAllocations(t *testing.T) {
	frames, err := pool.New(pool.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer frames.Close()
	large, err := pool.New(pool.Config{BufferSize: port.LargeBufferSize, Count: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer large.Close()
	w := openOut(t, filepath.Join(t.TempDir(), "out.pcap"), port.Options{Pool: frames})
	defer w.Close()
	var bufs [2]pool.Buffer
	bufs[0], _ = unfinished(t, large, 65000)
	bufs[1], _ = unfinished(t, large, 1000)
	if n := testing.AllocsPerRun(100, func() {
		bufs[0].Retain(1)
		bufs[1].Retain(1)
		if n, err := w.Tx(bufs[:]); n != 2 || err != nil {
			t.Fatal(n, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations for two frames", n)
	}
	pool.ReleaseBurst(bufs[:])
}
