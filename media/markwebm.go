package media

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/bits"

	"ltxbot/core/generate"
)

// Elements of a WebM file that only a mark is about. https://www.rfc-editor.org/rfc/rfc9559
const (
	idSeekHead  = 0x114d9b74
	idSeek      = 0x4dbb
	idSeekID    = 0x53ab
	idSeekAt    = 0x53ac
	idVoid      = 0xec
	idCRC       = 0xbf
	idTags      = 0x1254c367
	idTag       = 0x7373
	idTargets   = 0x63c0
	idSimpleTag = 0x67c8
	idTagName   = 0x45a3
	idTagString = 0x4487
)

// The names of the tags of a mark.
const (
	tagSource = "DIGITAL_SOURCE_TYPE"
	tagModel  = "AI_SYSTEM_USED"
	tagJob    = "IDENTIFIER"
)

// maxSeekHead is the largest index that gets another entry, in bytes.
const maxSeekHead = 4 << 10

var errWebM = errors.New("not an ordinary WebM")

// unknown is the size of an element that says none: it reaches to the end of
// what it is in, as programs write it that can't go back.
const unknown = -1

// element is a part of a WebM file.
type element struct {
	id           uint32
	offset, body int64 // where it begins, and its content
	size         int64 // of the content, or unknown
}

// webmFile is a WebM file. Its mark is a list of tags at the end of the
// segment. Readers that look only before the pictures find it by the index at
// the start of the file, if that has room for an entry.
type webmFile struct {
	source
	segment  element
	seekHead element
	void     element // after seekHead; zero where there is none
	elements int
}

func (f *webmFile) look() (found, error) {
	var out found
	head, err := f.element(0, f.size)
	if err != nil || head.size == unknown {
		return out, errWebM
	}
	f.segment, err = f.element(head.body+head.size, f.size)
	switch {
	case err != nil:
		return out, err
	case f.segment.id != idSegment, f.segment.size != unknown && f.segment.body+f.segment.size != f.size:
		return out, fmt.Errorf("%w: something follows its segment", errWebM)
	}
	var before element
	at := f.segment.body
	for ; at < f.size; f.elements++ {
		e, err := f.element(at, f.size)
		switch {
		case err != nil:
			return out, err
		case f.elements > maxElements:
			return out, fmt.Errorf("%w: it has more than %d elements", errWebM, maxElements)
		case e.size == unknown && e.id == idCluster:
			at = e.body // its content is passed over as if it stood beside it
			continue
		case e.size == unknown:
			return out, fmt.Errorf("%w: an element has no end", errWebM)
		case e.id == idSeekHead && f.seekHead.id == 0:
			f.seekHead = e
		case e.id == idVoid && before == f.seekHead && before.id == idSeekHead:
			f.void = e
		case e.id == idTags && e.size <= maxPacket:
			if m, ok := tagged(f.upTo(e.body, int(e.size))); ok {
				out.marks = append(out.marks, m)
			}
		}
		before, at = e, e.body+e.size
	}
	return out, nil
}

// element reads the header of the element at a place, which ends at most at end.
func (f *webmFile) element(at, end int64) (element, error) {
	e, ok := parseElement(f.upTo(at, 12))
	e.offset, e.body = at, at+e.body
	if !ok || e.body > end || e.size > end-e.body {
		return element{}, fmt.Errorf("%w: the element at byte %d is cut off", errWebM, at)
	}
	return e, nil
}

// parseElement reads the header of an element at the start of b.
// https://www.rfc-editor.org/rfc/rfc8794#section-6
func parseElement(b []byte) (element, bool) {
	id, n := number(b, false)
	if n == 0 || n > 4 {
		return element{}, false
	}
	size, m := number(b[n:], true)
	if m == 0 {
		return element{}, false
	}
	e := element{id: uint32(id), body: int64(n + m), size: int64(size)} //nolint:gosec // at most 4 bytes, and 56 bits
	if size == 1<<(7*m)-1 {
		e.size = unknown
	}
	return e, true
}

// number reads a number whose first byte tells how many there are, with or
// without the bit that tells it; n is 0 where there is none.
func number(b []byte, value bool) (x uint64, n int) {
	if len(b) == 0 {
		return 0, 0
	}
	n = bits.LeadingZeros8(b[0]) + 1
	if n > 8 || n > len(b) {
		return 0, 0
	}
	for _, c := range b[:n] {
		x = x<<8 | uint64(c)
	}
	if value {
		x &^= 1 << (7 * n)
	}
	return x, n
}

// children calls visit with the elements in b, up to the first one that is cut
// off.
func children(b []byte, visit func(id uint32, content []byte)) {
	for len(b) > 0 {
		e, ok := parseElement(b)
		if !ok || e.size == unknown || e.size > int64(len(b))-e.body {
			return
		}
		visit(e.id, b[e.body:e.body+e.size])
		b = b[e.body+e.size:]
	}
}

// tagged returns the mark in a list of tags.
func tagged(list []byte) (m generate.Mark, ok bool) {
	children(list, func(id uint32, content []byte) {
		if id != idTag || ok {
			return
		}
		of := map[string]string{}
		children(content, func(id uint32, content []byte) {
			var name, value string
			children(content, func(id uint32, content []byte) {
				switch id {
				case idTagName:
					name = string(content)
				case idTagString:
					value = string(content)
				}
			})
			if id == idSimpleTag {
				of[name] = value
			}
		})
		m, ok = generate.Mark{Model: markValue(of[tagModel]), Job: markValue(of[tagJob])}, byModel(of[tagSource])
	})
	return m, ok
}

// appendElement appends an element with its content.
func appendElement(b []byte, id uint32, content ...byte) []byte {
	for n := 3; n >= 0; n-- {
		if c := byte(id >> (8 * n) & 0xff); c != 0 {
			b = append(b, c)
		}
	}
	b = append(b, vint(uint64(len(content)), 0)...)
	return append(b, content...)
}

// vint writes a size in so many bytes, or with 0 in as few as it takes. It is
// nil where it does not fit.
func vint(size uint64, width int) []byte {
	fits := func(n int) bool { return size < 1<<(7*n)-1 }
	if width == 0 {
		for width = 1; !fits(width) && width < 8; width++ {
		}
	}
	if !fits(width) {
		return nil
	}
	return binary.BigEndian.AppendUint64(nil, size|1<<(7*width))[8-width:]
}

func (f *webmFile) edit(m generate.Mark) (edit, error) {
	if f.elements >= maxElements {
		return edit{}, fmt.Errorf("%w: it has %d elements", errWebM, f.elements)
	}
	list := appendElement(nil, idTargets) // of the whole file
	for _, t := range [][2]string{{tagSource, madeByModel}, {tagModel, markValue(m.Model)}, {tagJob, markValue(m.Job)}} {
		simple := appendElement(nil, idTagName, []byte(t[0])...)
		list = appendElement(list, idSimpleTag, appendElement(simple, idTagString, []byte(t[1])...)...)
	}
	tags := appendElement(nil, idTags, appendElement(nil, idTag, list...)...)
	e := editEnd(f.size, tags)
	if f.segment.size != unknown {
		at := f.segment.offset + 4
		size := vint(uint64(f.segment.size)+uint64(len(tags)), int(f.segment.body-at)) //nolint:gosec // sizes of a file
		if size == nil {
			return edit{}, fmt.Errorf("%w: its segment can't grow", errWebM)
		}
		e.patch(at, size)
	}
	f.index(&e)
	return e, nil
}

// index adds the tags at the end to the index at the start of the file, where
// the padding after it has room.
func (f *webmFile) index(e *edit) {
	if f.seekHead.id == 0 || f.void.id == 0 || f.seekHead.size > maxSeekHead {
		return
	}
	list := f.at(f.seekHead.body, int(f.seekHead.size))
	place := binary.BigEndian.AppendUint64(nil, uint64(f.size-f.segment.body)) //nolint:gosec // a place in a file
	entry := appendElement(nil, idSeekID, binary.BigEndian.AppendUint32(nil, idTags)...)
	list = appendElement(list, idSeek, appendElement(entry, idSeekAt, place...)...)
	at := f.seekHead.offset + 4
	size := vint(uint64(len(list)), int(f.seekHead.body-at))
	left := f.void.body + f.void.size - f.seekHead.body - int64(len(list))
	if size == nil || left < 2 {
		return
	}
	if len(list) > 6 && list[0] == idCRC && list[1] == 0x84 {
		binary.LittleEndian.PutUint32(list[2:], crc32.ChecksumIEEE(list[6:]))
	}
	e.patch(at, size)
	e.patch(f.seekHead.body, append(list, padding(left)...))
}

// padding is the header of padding of so many bytes in all, at least two.
func padding(total int64) []byte {
	if total <= 1+1+126 {
		return []byte{idVoid, 0x80 | byte(total-2)} //nolint:gosec // at most 126
	}
	return append([]byte{idVoid}, vint(uint64(total-9), 8)...)
}
