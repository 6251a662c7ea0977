package media

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"os"
	"slices"
)

// What an MP4 may be to be read here; ffprobe reads any other.
const (
	maxBoxes = 64       // at the top level of the file
	maxIndex = 16 << 20 // bytes of the moov box; that of a 20-second video has some 20,000
)

// errOdd says that an MP4 is not built like those that are read here.
var errOdd = errors.New("not an ordinary MP4")

// box is a box at the top level of an MP4, with its header.
// ISO/IEC 14496-12, 4.2; https://developer.apple.com/documentation/quicktime-file-format/atoms
type box struct {
	kind   string
	offset int64
	size   int64
}

func (b box) end() int64 { return b.offset + b.size }

// topBoxes reads the headers of the boxes at the top level of a file of so
// many bytes. They cover all of it.
func topBoxes(r io.ReaderAt, size int64) ([]box, error) {
	var boxes []box
	for at := int64(0); at < size; {
		if len(boxes) == maxBoxes {
			return nil, fmt.Errorf("%w: more than %d boxes", errOdd, maxBoxes)
		}
		var head [16]byte
		n, err := r.ReadAt(head[:], at)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		kind, _, length, ok := header(head[:n], size-at)
		if !ok {
			return nil, fmt.Errorf("%w: the box at byte %d is cut off", errOdd, at)
		}
		boxes = append(boxes, box{kind: kind, offset: at, size: length})
		at += length
	}
	return boxes, nil
}

// header reads the header of a box of which there are at most room bytes:
// its type, and the sizes of the header and of the whole box.
func header(b []byte, room int64) (kind string, head, size int64, ok bool) {
	if len(b) < 8 {
		return "", 0, 0, false
	}
	head, size = 8, int64(binary.BigEndian.Uint32(b))
	switch {
	case size == 0: // to the end
		size = room
	case size == 1 && len(b) >= 16: // a 64-bit size follows
		long := binary.BigEndian.Uint64(b[8:])
		if long > math.MaxInt64 {
			return "", 0, 0, false
		}
		head, size = 16, int64(long)
	}
	return string(b[4:8]), head, size, size >= head && size <= room
}

// boxesIn yields type and content of the boxes in b, up to the first one that
// is cut off.
func boxesIn(b []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for len(b) > 0 {
			kind, head, size, ok := header(b, int64(len(b)))
			if !ok || !yield(kind, b[head:size]) {
				return
			}
			b = b[size:]
		}
	}
}

// find is the content of the first box in b at a path of types, or nil.
func find(b []byte, path ...string) []byte {
	for _, want := range path {
		var found []byte
		for kind, content := range boxesIn(b) {
			if kind == want {
				found = content
				break
			}
		}
		b = found
	}
	return b
}

// index is an MP4 as its boxes describe it.
type index struct {
	boxes []box
	at    int    // of the moov box in boxes
	whole []byte // the moov box
	moov  []byte // its content
}

// readIndex reads the boxes of an MP4 of so many bytes.
func readIndex(r io.ReaderAt, size int64) (index, error) {
	boxes, err := topBoxes(r, size)
	if err != nil {
		return index{}, err
	}
	isMoov := func(b box) bool { return b.kind == "moov" }
	x := index{boxes: boxes, at: slices.IndexFunc(boxes, isMoov)}
	switch {
	case x.at < 0 || slices.ContainsFunc(boxes[x.at+1:], isMoov):
		return index{}, fmt.Errorf("%w: it has no moov box, or several", errOdd)
	case boxes[x.at].size > maxIndex:
		return index{}, fmt.Errorf("%w: its moov box has %d bytes", errOdd, boxes[x.at].size)
	}
	x.whole = make([]byte, boxes[x.at].size)
	if _, err := r.ReadAt(x.whole, boxes[x.at].offset); err != nil && !errors.Is(err, io.EOF) {
		return index{}, err
	}
	_, head, _, ok := header(x.whole, int64(len(x.whole)))
	if !ok {
		return index{}, fmt.Errorf("%w: its moov box changed while it was read", errOdd)
	}
	x.moov = x.whole[head:]
	if find(x.moov, "mvex") != nil {
		return index{}, fmt.Errorf("%w: it is fragmented", errOdd)
	}
	return x, nil
}

// firstData is the place of the first mdat box, or -1.
func (x index) firstData() int {
	return slices.IndexFunc(x.boxes, func(b box) bool { return b.kind == "mdat" })
}

// describe tells what is in the MP4.
func (x index) describe() (probe, error) {
	p := probe{seconds: duration(find(x.moov, "mvhd")), faststart: x.at < x.firstData()}
	for kind, trak := range boxesIn(x.moov) {
		if kind != "trak" {
			continue
		}
		hdlr, stsd := find(trak, "mdia", "hdlr"), find(trak, "mdia", "minf", "stbl", "stsd")
		if len(hdlr) < 12 || len(stsd) < 8 {
			return probe{}, fmt.Errorf("%w: a track says nothing of itself", errOdd)
		}
		switch string(hdlr[8:12]) {
		case "soun":
			p.audio = true
		case "vide":
			if p.codec != "" {
				return probe{}, fmt.Errorf("%w: it has two pictures", errOdd)
			}
			p.picture(stsd[8:])
		}
	}
	if p.codec == "" || p.seconds <= 0 || p.width == 0 || p.height == 0 || x.firstData() < 0 {
		return probe{}, fmt.Errorf("%w: it has no picture", errOdd)
	}
	return p, nil
}

// duration is what an mvhd box says, in seconds; 0 when it does not say.
func duration(mvhd []byte) float64 {
	var scale, length uint64
	switch {
	case len(mvhd) >= 20 && mvhd[0] == 0:
		scale, length = uint64(binary.BigEndian.Uint32(mvhd[12:])), uint64(binary.BigEndian.Uint32(mvhd[16:]))
		if length == math.MaxUint32 {
			return 0
		}
	case len(mvhd) >= 32 && mvhd[0] == 1:
		scale, length = uint64(binary.BigEndian.Uint32(mvhd[20:])), binary.BigEndian.Uint64(mvhd[24:])
		if length == math.MaxUint64 {
			return 0
		}
	}
	if scale == 0 {
		return 0
	}
	return float64(length) / float64(scale)
}

// The profiles of H.264 that every chat client decodes. All three are
// yuv420p with 8 bits and nothing else. ITU-T H.264, Annex A.2.
const (
	profileBaseline = 66
	profileMain     = 77
	profileHigh     = 100
)

// picture reads the sample entries of a video track. Several kinds of
// pictures in one track are not known to play everywhere.
// ISO/IEC 14496-12, 12.1.3; ISO/IEC 14496-15, 5.3.3.
func (p *probe) picture(entries []byte) {
	const fixed = 78 // bytes of a visual sample entry before its boxes
	n := 0
	for kind, entry := range boxesIn(entries) {
		n++
		p.codec, p.pixels = kind, ""
		if len(entry) < fixed {
			continue
		}
		p.width, p.height = int(binary.BigEndian.Uint16(entry[24:])), int(binary.BigEndian.Uint16(entry[26:]))
		if kind != "avc1" && kind != "avc3" {
			continue
		}
		p.codec = h264
		avcC := find(entry[fixed:], "avcC")
		if len(avcC) < 4 {
			continue
		}
		p.profile = int(avcC[1])
		switch p.profile {
		case profileBaseline, profileMain, profileHigh:
			p.pixels = yuv420p
		}
	}
	if n > 1 {
		p.pixels = ""
	}
}

// moveIndex writes a copy of an MP4 with its index before its data, so that
// it plays while it loads.
func moveIndex(in, out string) (err error) {
	r, err := os.Open(in) //nolint:gosec // a path of our own making
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	info, err := r.Stat()
	if err != nil {
		return err
	}
	x, err := readIndex(r, info.Size())
	if err != nil {
		return err
	}
	w, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // as above
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	return x.rewrite(w, r)
}

// rewrite writes the MP4 that is read from r with its index before its data.
func (x index) rewrite(w io.Writer, r io.ReaderAt) error {
	data := x.firstData()
	if data < 0 || x.at < data {
		return fmt.Errorf("%w: its index is not behind its data", errOdd)
	}
	from, moov, end := x.boxes[data].offset, x.boxes[x.at], x.boxes[len(x.boxes)-1].end()
	if binary.BigEndian.Uint32(x.whole) == 0 { // to the end of the file, where it is no longer
		binary.BigEndian.PutUint32(x.whole, uint32(moov.size)) //nolint:gosec // at most maxIndex
	}
	if err := x.shift(from, moov); err != nil {
		return err
	}
	for _, part := range []io.Reader{
		io.NewSectionReader(r, 0, from),
		bytes.NewReader(x.whole),
		io.NewSectionReader(r, from, moov.offset-from),
		io.NewSectionReader(r, moov.end(), end-moov.end()),
	} {
		if _, err := io.Copy(w, part); err != nil {
			return err
		}
	}
	return nil
}

// shift corrects the offsets of the chunks, counted from the start of the
// file, that lie between from and the moov box: it moves in front of them.
// ISO/IEC 14496-12, 8.7.5.
func (x index) shift(from int64, moov box) error {
	for kind, trak := range boxesIn(x.moov) {
		if kind != "trak" {
			continue
		}
		for kind, b := range boxesIn(find(trak, "mdia", "minf", "stbl")) {
			width := map[string]int{"stco": 4, "co64": 8}[kind]
			if width == 0 {
				continue
			}
			if len(b) < 8 || int64(len(b)-8)/int64(width) < int64(binary.BigEndian.Uint32(b[4:])) {
				return fmt.Errorf("%w: a list of chunks is cut off", errOdd)
			}
			count := int(binary.BigEndian.Uint32(b[4:]))
			for entry := range slices.Chunk(b[8:8+count*width], width) {
				if err := shiftOne(entry, from, moov); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func shiftOne(entry []byte, from int64, moov box) error {
	long := len(entry) == 8
	var offset uint64
	if long {
		offset = binary.BigEndian.Uint64(entry)
	} else {
		offset = uint64(binary.BigEndian.Uint32(entry))
	}
	if offset < uint64(from) || offset >= uint64(moov.offset) { //nolint:gosec // places in a file, none below 0
		return nil
	}
	offset += uint64(moov.size) //nolint:gosec // at most maxIndex
	switch {
	case long:
		binary.BigEndian.PutUint64(entry, offset)
	case offset > math.MaxUint32:
		return fmt.Errorf("%w: its data is too long for 32-bit offsets", errOdd)
	default:
		binary.BigEndian.PutUint32(entry, uint32(offset))
	}
	return nil
}
