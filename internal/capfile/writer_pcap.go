// Writing the classic format.

package capfile

import (
	"encoding/binary"
	"fmt"
	"math"
)

// addPcap writes the file header for the first interface and holds the others
// to it.
func (w *Writer) addPcap(it Interface) error {
	if len(w.ifaces) != 0 {
		if it.LinkType != w.link {
			return fmt.Errorf("capfile: a pcap file has one link type: %#x was given after %#x; pcapng can hold both", it.LinkType, w.link)
		}
		return nil
	}
	b, err := w.room(pcapHeaderLen)
	if err != nil {
		return err
	}
	w.nano = it.Resolution.Binary() || it.Resolution.Exponent() > 6
	magic := uint32(magicMicro)
	if w.nano {
		magic = magicNano
	}
	le := binary.LittleEndian
	le.PutUint32(b, magic)
	le.PutUint16(b[4:], 2)
	le.PutUint16(b[6:], 4)
	le.PutUint64(b[8:], 0) // thiszone, sigfigs
	le.PutUint32(b[16:], it.SnapLen)
	le.PutUint32(b[20:], it.LinkType)
	w.link = it.LinkType
	return nil
}

// putPcap fills b, which is as long as the record.
func (w *Writer) putPcap(b []byte, timeNS int64, data []byte, origLen uint32) {
	var sec, frac uint64
	if timeNS < 0 {
		w.sat++
	} else if w.nano {
		sec = uint64(timeNS) / nsPerSec
		frac = uint64(timeNS) - sec*nsPerSec
	} else {
		us := uint64(timeNS) / 1000
		if us*1000 != uint64(timeNS) {
			w.lost++
		}
		sec = us / 1_000_000
		frac = us - sec*1_000_000
	}
	if sec > math.MaxUint32 {
		w.sat++
		sec, frac = math.MaxUint32, 999_999
		if w.nano {
			frac = 999_999_999
		}
	}
	le := binary.LittleEndian
	le.PutUint32(b, uint32(sec))
	le.PutUint32(b[4:], uint32(frac))
	le.PutUint32(b[8:], uint32(len(data)))
	le.PutUint32(b[12:], origLen)
	copy(b[pcapRecordLen:], data)
}
