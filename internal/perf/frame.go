// Works of a frame: copied into a buffer that is given back then; and the copy alone.

package perf

import (
	"fmt"

	"github.com/ringway-net/ringway/pool"
)

// frameSizes are the sizes of frames in bytes.
var frameSizes = []int{64, 1500}

func frameWorks() (works []Work) {
	works = FrameWorks(Ours, func() (FrameLoop, func() error) {
		c, end := openCache()
		return func(frame []byte, n int) (sum int, err error) {
			for i := range n {
				frame[0] = byte(i)
				var b pool.Buffer
				if b, err = c.CopyIn(frame); err != nil {
					return 0, err
				}
				sum += int(b.Bytes()[0])
				c.Put(b)
			}
			return sum, nil
		}, end
	})
	for _, size := range frameSizes {
		works = append(works, frameWork(fmt.Sprintf("copy/%dB", size), Ours, size, func() (FrameLoop, func() error) {
			to := make([]byte, pool.DefaultBufferSize)
			return func(frame []byte, n int) (sum int, err error) {
				for i := range n {
					frame[0] = byte(i)
					copy(to, frame)
					sum += int(to[0])
				}
				return sum, nil
			}, nothing
		}))
	}
	return works
}

// FrameLoop copies the frame n times, each time with byte(i) in front, and returns the sum of what these
// first bytes are where they were copied to.
type FrameLoop func(frame []byte, n int) (sum int, err error)

// FrameWorks returns the works of copying frames into buffers and giving those back. open is as for Alone.
func FrameWorks(impl string, open func() (loop FrameLoop, end func() error)) (works []Work) {
	for _, size := range frameSizes {
		works = append(works, frameWork(fmt.Sprintf("frame/%dB", size), impl, size, open))
	}
	return works
}

func frameWork(name, impl string, size int, open func() (loop FrameLoop, end func() error)) Work {
	return Alone(name, impl, func() (func(n int) error, func() error) {
		loop, end := open()
		frame := make([]byte, size)
		return func(n int) error {
			sum, err := loop(frame, n)
			if err != nil {
				return err
			}
			rest := n % 256
			if want := n/256*(255*256/2) + rest*(rest-1)/2; sum != want {
				return fmt.Errorf("the payload is wrong: the bytes come to %d, want %d", sum, want)
			}
			return nil
		}, end
	})
}
