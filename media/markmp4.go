package media

import (
	"encoding/binary"
	"fmt"
	"math"

	"ltxbot/core/generate"
)

// The ids of uuid boxes, at the top level of a file.
const (
	// Adobe, XMP Specification Part 3, 1.1.4, MPEG-4.
	xmpBox = "\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac"
	// https://spec.c2pa.org/specifications/specifications/2.2/specs/C2PA_Specification.html#_embedding_manifests_into_bmff_based_assets
	c2paBox = "\xd8\xfe\xc3\xd6\x1b\x0e\x48\x3c\x92\x97\x58\x28\x87\x7e\xc4\x81"
)

// mp4File is an MP4 or a MOV. Its mark is a box after all others: what the file
// has stays where it is, so that every offset in it is still right, and it
// plays while it loads as before.
type mp4File struct {
	source
	boxes []box
}

func (f *mp4File) look() (found, error) {
	var out found
	var err error
	if f.boxes, err = topBoxes(f.r, f.size); err != nil {
		return out, err
	}
	for _, b := range f.boxes {
		if b.kind != "uuid" {
			continue
		}
		head := f.upTo(b.offset, int(min(b.size, maxPacket)))
		_, n, _, ok := header(head, b.size)
		if !ok || int64(len(head)) < n+int64(len(xmpBox)) {
			continue
		}
		switch content := head[n+int64(len(xmpBox)):]; string(head[n : n+int64(len(xmpBox))]) {
		case xmpBox:
			out.add(content)
		case c2paBox:
			out.signed = true
		}
	}
	return out, nil
}

func (f *mp4File) edit(m generate.Mark) (edit, error) {
	last := f.boxes[len(f.boxes)-1]
	switch {
	case len(f.boxes) == maxBoxes:
		return edit{}, fmt.Errorf("%w: it has no room for another box", errOdd)
	case last.kind == "mfra": // players look for it at the very end
		return edit{}, fmt.Errorf("%w: it ends with the index of its fragments", errOdd)
	}
	p := packet(m)
	box := make([]byte, 0, 8+len(xmpBox)+len(p))
	box = binary.BigEndian.AppendUint32(box, uint32(8+len(xmpBox)+len(p))) //nolint:gosec // at most MarkRoom
	box = append(box, "uuid"+xmpBox...)
	box = append(box, p...)
	e := editEnd(f.size, box)
	switch head := f.at(last.offset, 4); {
	case head == nil:
		return edit{}, fmt.Errorf("%w: its last box changed while it was read", errOdd)
	case binary.BigEndian.Uint32(head) != 0:
		return e, nil
	case last.size > math.MaxUint32:
		return edit{}, fmt.Errorf("%w: its last box has no length", errOdd)
	}
	// It reaches to the end of the file, where it is no longer.
	e.patch(last.offset, binary.BigEndian.AppendUint32(nil, uint32(last.size))) //nolint:gosec // as above
	return e, nil
}
