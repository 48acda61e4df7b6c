// Frames with work left to do on them.

package testkit

import (
	"encoding/binary"
	"slices"
)

// UnfinishedTCP makes an Ethernet frame of size bytes, 54 to 65549, with TCP over IPv4 in it, from 10.0.0.1 to 10.0.0.2. Its TCP checksum
// holds the sum of the pseudo header alone, which is how a frame is handed to a card that completes it: the TCP header begins at
// byte 34, and the checksum is 16 bytes on.
func UnfinishedTCP(size int) []byte {
	f := []byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0}
	for i := len(f); i < size; i++ {
		f = append(f, byte(i))
	}
	ip, tcp := f[14:34], f[34:]
	clear(f[14:54])
	ip[0], ip[8], ip[9] = 0x45, 64, 6
	binary.BigEndian.PutUint16(ip[2:], uint16(size-14))
	copy(ip[12:], []byte{10, 0, 0, 1, 10, 0, 0, 2})
	binary.BigEndian.PutUint16(ip[10:], ^fold(ip))
	binary.BigEndian.PutUint16(tcp, 1000)
	binary.BigEndian.PutUint16(tcp[2:], 2000)
	tcp[12], tcp[13] = 5<<4, 0x10
	pseudo := append(slices.Clone(ip[12:20]), 0, 6)
	pseudo = binary.BigEndian.AppendUint16(pseudo, uint16(len(tcp)))
	binary.BigEndian.PutUint16(tcp[16:], fold(pseudo))
	return f
}

// fold is the ones' complement sum of an even number of bytes (RFC 1071).
func fold(data []byte) uint16 {
	sum := uint32(0)
	for i := 0; i < len(data); i += 2 {
		sum += uint32(data[i])<<8 | uint32(data[i+1])
	}
	for sum > 0xffff {
		sum = sum&0xffff + sum>>16
	}
	return uint16(sum)
}
