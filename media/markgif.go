package media

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"ltxbot/core/generate"
)

// Blocks of a GIF. https://www.w3.org/Graphics/GIF/spec-gif89a.txt
const (
	gifExtension = 0x21
	gifImage     = 0x2c
	gifEnd       = 0x3b
	gifApp       = 0xff
	xmpApp       = "XMP DataXMP" // Adobe, XMP Specification Part 3, 1.1.2, GIF 89a
)

// gifFile is a GIF. Its mark is an application extension before the end.
type gifFile struct {
	source
	end int64 // where the last block begins
}

var errGIF = errors.New("not an ordinary GIF")

// magic is what follows a packet: whatever byte of it a program that knows
// nothing of XMP takes for the length of a block, it arrives at the end.
func magic() []byte {
	b := make([]byte, 0, 258)
	b = append(b, 1)
	for n := 255; n >= 0; n-- {
		b = append(b, byte(n))
	}
	return append(b, 0)
}

func (f *gifFile) look() (found, error) {
	var out found
	s := &scanner{r: bufio.NewReader(io.NewSectionReader(f.r, 0, f.size))}
	head := s.take(13)
	if len(head) < 13 || string(head[:6]) != "GIF89a" { // an older one has no extensions
		return out, errGIF
	}
	s.skip(colors(head[10]))
	for {
		f.end = s.at
		switch kind := s.byte(); {
		case s.err != nil:
			return out, fmt.Errorf("%w: it is cut off", errGIF)
		case kind == gifEnd:
			return out, nil
		case kind == gifImage:
			if d := s.take(9); len(d) == 9 {
				s.skip(colors(d[8]))
			}
			s.skip(1)
			s.blocks(0)
		case kind == gifExtension:
			want := 0
			if s.byte() == gifApp {
				want = len(xmpApp)
			}
			begin := s.at
			if string(s.blocks(want)) == xmpApp {
				p, _, _ := bytes.Cut(f.upTo(begin+1+int64(len(xmpApp)), int(min(s.at-begin, maxPacket))), magic()[:3])
				out.add(p)
			}
		default:
			return out, errGIF
		}
	}
}

func (f *gifFile) edit(m generate.Mark) (edit, error) {
	tail := append([]byte{gifExtension, gifApp, byte(len(xmpApp))}, xmpApp...)
	tail = append(tail, packet(m)...)
	tail = append(tail, magic()...)
	return editEnd(f.end, append(tail, gifEnd)), nil
}

// colors is the length of the table of colors that a field of flags tells of.
func colors(flags byte) int64 {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (flags&7 + 1)
}

// scanner reads a GIF from its start. After an error it reads nothing.
type scanner struct {
	r   *bufio.Reader
	at  int64
	err error
}

func (s *scanner) take(n int) []byte {
	b := make([]byte, n)
	if s.err == nil {
		_, s.err = io.ReadFull(s.r, b)
		s.at += int64(n)
	}
	if s.err != nil {
		return nil
	}
	return b
}

func (s *scanner) byte() byte {
	if b := s.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (s *scanner) skip(n int64) {
	if s.err == nil {
		_, s.err = io.CopyN(io.Discard, s.r, n)
		s.at += n
	}
}

// blocks passes over blocks of data, and returns the first one if it has so
// many bytes.
func (s *scanner) blocks(want int) (first []byte) {
	for n, at := s.byte(), 0; n > 0; n, at = s.byte(), at+1 {
		if at == 0 && int(n) == want {
			first = s.take(want)
			continue
		}
		s.skip(int64(n))
	}
	return first
}
