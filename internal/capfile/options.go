// pcapng options: code u16, length u16, value padded to four bytes; code 0 or
// the block's end ends them.

package capfile

import "strings"

const (
	optIfName        = 2
	optIfDescription = 3
	optIfTSResol     = 9
	optIfFCSLen      = 13
	optIfTSOffset    = 14
)

// opt is one option. Code 0 is the end of them.
type opt struct {
	val  []byte
	off  int64
	code uint16
}

// option takes the next one off b, whose length is a multiple of four; off is
// where b is in the stream.
func (p *Parser) option(b *[]byte, off *int64) (opt, error) {
	if len(*b) < 4 {
		return opt{}, nil
	}
	code, n := p.u16(*b), int(p.u16((*b)[2:]))
	if code == 0 {
		return opt{}, nil
	}
	if n > len(*b)-4 {
		return opt{}, p.fail(*off, damaged, "option %d of %d bytes, but the block has %d left", code, n, len(*b)-4)
	}
	o := opt{code: code, val: (*b)[4 : 4+n], off: *off}
	size := 4 + (n+3)&^3
	*b = (*b)[size:]
	*off += int64(size)
	return o, nil
}

// packetOptions counts a frame's options.
func (p *Parser) packetOptions(b []byte, own owner, off int64) error {
	for {
		o, err := p.option(&b, &off)
		if err != nil {
			return err
		}
		if o.code == 0 {
			return nil
		}
		p.tally.option(own, o.code)
	}
}

// interfaceOptions fills in what it from its options and counts the others. Of
// one that is there twice the last holds.
func (p *Parser) interfaceOptions(b []byte, off int64, it *Interface) error {
	for {
		o, err := p.option(&b, &off)
		if err != nil {
			return err
		}
		switch o.code {
		case 0:
			return nil
		case optIfName:
			p.text(o, &it.Name)
		case optIfDescription:
			p.text(o, &it.Description)
		case optIfTSResol:
			if len(o.val) != 1 {
				return p.badOption(o, "if_tsresol", 1)
			}
			it.Resolution = Resolution(o.val[0])
		case optIfTSOffset:
			if len(o.val) != 8 {
				return p.badOption(o, "if_tsoffset", 8)
			}
			it.TSOffset = int64(p.u64(o.val))
		case optIfFCSLen:
			if len(o.val) != 1 {
				return p.badOption(o, "if_fcslen", 1)
			}
			n := uint32(o.val[0])
			if n < 8 {
				n *= 8 // given in bytes
			}
			if n%16 != 0 || n > 240 {
				p.tally.option(ownerIDB, o.code)
				continue
			}
			it.LinkType = it.LinkType&0xffff | fcsPresent | n/16<<28
		default:
			p.tally.option(ownerIDB, o.code)
		}
	}
}

// text keeps a string option, without the NULs that some writers end it with.
func (p *Parser) text(o opt, s *string) {
	if len(o.val) > MaxString {
		p.tally.option(ownerIDB, o.code)
		return
	}
	*s = strings.TrimRight(string(o.val), "\x00")
}

func (p *Parser) badOption(o opt, name string, want int) error {
	return p.fail(o.off, damaged, "option %s of %d bytes, which must have %d", name, len(o.val), want)
}
