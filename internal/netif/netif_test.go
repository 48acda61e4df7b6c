package netif

import (
	"net"
	"strings"
	"testing"
	"unsafe"
)

func TestNetworkOrder(t *testing.T) {
	v := NetworkOrder(0x1234)
	if b := *(*[2]byte)(unsafe.Pointer(&v)); b != [2]byte{0x12, 0x34} {
		t.Errorf("%x in memory", b)
	}
}

func TestNames(t *testing.T) {
	names, err := Names()
	if err != nil {
		t.Fatal(err)
	}
	list := strings.Split(names, ", ")
	all, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		if names != "none" {
			t.Errorf("%q, and there are no interfaces", names)
		}
		return
	}
	for i, one := range all {
		if len(list) != len(all) || list[i] != one.Name {
			t.Fatalf("%q, want those of %v", names, all)
		}
	}
}
