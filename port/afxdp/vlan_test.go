//go:build linux

package afxdp

import (
	"testing"
	"time"
)

// TestVLAN: tags pass, those too that the hosts' kernels leave to the device to insert.
func TestVLAN(t *testing.T) {
	eachMode(t, func(t *testing.T, m Mode) {
		left, right, _ := forward(t, m, 1500)
		left.IP("link", "add", "link", "eth0", "name", "eth0.7", "type", "vlan", "id", "7")
		right.IP("link", "add", "link", "eth0", "name", "eth0.7", "type", "vlan", "id", "7")
		left.Addr("eth0.7", "10.7.0.1/24")
		right.Addr("eth0.7", "10.7.0.2/24")
		left.IP("link", "set", "eth0.7", "up")
		right.IP("link", "set", "eth0.7", "up")
		if !left.WaitPing("10.7.0.2", 3*time.Second) {
			t.Error("no answer through VLAN 7")
		}
	})
}
