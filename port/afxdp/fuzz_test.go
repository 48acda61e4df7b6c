//go:build linux

package afxdp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/cilium/ebpf/asm"
)

// FuzzFilter: a filter is refused by an error that wraps ErrFilter, or has terms that say something, and becomes a
// program whose jumps all have somewhere to go.
func FuzzFilter(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := ParseFilter(text)
		if err != nil {
			if !errors.Is(err, ErrFilter) || filter != nil {
				t.Fatalf("%q: %v, %v", text, filter, err)
			}
			return
		}
		if filter.String() != text || (len(filter.any) == 0) != (text == "") {
			t.Fatalf("%q: %v", text, filter)
		}
		for _, group := range filter.any {
			for _, term := range group {
				for _, one := range term {
					if one.low > one.high || one.field == fieldHost != one.prefix.IsValid() || len(group) == 0 {
						t.Fatalf("%q: %+v", text, one)
					}
				}
			}
		}
		var code bytes.Buffer
		all := instructions(filter, 1)
		if err := all.Marshal(&code, binary.LittleEndian); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		labels := map[string]bool{}
		for _, i := range all {
			labels[i.Symbol()] = true
		}
		for _, i := range all {
			if r := i.Reference(); r != "" && i.OpCode.Class().IsJump() && i.OpCode.JumpOp() != asm.Call && !labels[r] {
				t.Fatalf("%q: a jump to %q, which is nowhere", text, r)
			}
		}
	})
}
