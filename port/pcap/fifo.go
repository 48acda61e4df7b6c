// FIFOs, whose open(2) waits for the other end.

package pcap

import (
	"os"
	"syscall"
	"time"
)

// openFIFO opens a FIFO for reading (os.O_RDONLY) or writing (os.O_WRONLY) and waits for its other end,
// until stop is closed: then it opens the other end itself, which lets the waiting open
// return, and returns errStopped.
//
// The other way, opening without waiting, does not do: a read then finds the end of the stream as long
// as no writer has come.
func openFIFO(path string, flag int, stop <-chan struct{}) (*os.File, error) {
	type opened struct {
		f   *os.File
		err error
	}
	c := make(chan opened, 1)
	go func() {
		f, err := os.OpenFile(path, flag, 0)
		c <- opened{f, err}
	}()
	select {
	case o := <-c:
		return o.f, o.err
	case <-stop:
	}
	other := os.O_WRONLY
	if flag == os.O_WRONLY {
		other = os.O_RDONLY
	}
	// The first tries may come before the open has begun to wait. After a second something else
	// is wrong, such as a FIFO that was removed; what waits for it is left behind.
	for deadline := time.Now().Add(time.Second); time.Now().Before(deadline); {
		end, err := os.OpenFile(path, other|syscall.O_NONBLOCK, 0)
		select {
		case o := <-c:
			if o.f != nil {
				o.f.Close()
			}
			deadline = time.Time{}
		case <-time.After(time.Millisecond):
		}
		if err == nil {
			end.Close()
		}
	}
	return nil, errStopped
}
