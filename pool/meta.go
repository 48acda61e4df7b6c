// Meta: what some frames carry beside their bytes.

package pool

// Meta is what is known about a frame beside its bytes. It lies beside the
// slot and is touched only for buffers whose handle says that there is one.
type Meta struct {
	// Time is when the frame was captured, in nanoseconds since the Unix epoch.
	Time int64
	// OrigLen is how long the frame was on the wire, in bytes: more than Len if it was
	// cut. 0 is the same as Len.
	OrigLen uint32
	// Interface says on which interface the frame was captured, by its number in the
	// port package's table of them. 0 is none.
	Interface uint32
}

// Meta returns what SetMeta has set, and false if nothing has since the buffer
// was taken.
func (b Buffer) Meta() (Meta, bool) {
	p, _ := b.live()
	if b.off&hintMeta == 0 {
		return Meta{}, false
	}
	return p.meta[b.slot&slotMask], true
}

// SetMeta attaches m to the frame. It panics if the buffer is shared. Handles
// that were copied from b before do not know of it.
func (b *Buffer) SetMeta(m Meta) {
	p, s := b.live()
	if s.shared() {
		b.misuse("SetMeta on a shared buffer")
	}
	p.meta[b.slot&slotMask] = m
	b.off |= hintMeta
}
