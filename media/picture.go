package media

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The types of pictures.
const (
	typePNG  = "image/png"
	typeJPEG = "image/jpeg"
	typeWebP = "image/webp"
	typeGIF  = "image/gif"
	typeAVIF = "image/avif"
	typeHEIC = "image/heic"
)

// maxPieces is how many segments, chunks or boxes are looked at in the search
// for one.
const maxPieces = 1 << 10

func damaged(kind string) (Content, error) {
	return Content{Type: kind}, fmt.Errorf("%w: %s", errDamaged, kind)
}

// readPNG reads the first chunk, which is IHDR, and looks for the last one.
// https://www.w3.org/TR/png-3/#11IHDR
func readPNG(s source) (Content, error) {
	head := s.at(8, 16)
	if head == nil || string(head[4:8]) != "IHDR" {
		return damaged(typePNG)
	}
	for at, n := int64(8), 0; n < maxPieces; n++ {
		chunk := s.at(at, 8)
		if chunk == nil {
			return damaged(typePNG) // cut off
		}
		if string(chunk[4:]) == "IEND" {
			break
		}
		at += 12 + int64(binary.BigEndian.Uint32(chunk))
	}
	return Content{Type: typePNG, Width: int(binary.BigEndian.Uint32(head[8:])), Height: int(binary.BigEndian.Uint32(head[12:]))}, nil
}

// readJPEG goes over the segments up to the one that starts the frame. A camera
// that was held upright says so in the Exif segment.
// ITU-T T.81, B.1; https://www.cipa.jp/std/documents/e/DC-008-2012_E.pdf
func readJPEG(s source) (Content, error) {
	turned := false
	for at, n := int64(2), 0; n < maxPieces; n++ {
		head := s.at(at, 4)
		switch {
		case head == nil || head[0] != 0xff:
			return damaged(typeJPEG)
		case head[1] == 0xff: // a fill byte
			at++
			continue
		case head[1] == 0x01 || head[1] >= 0xd0 && head[1] <= 0xd7: // they have no length
			at += 2
			continue
		}
		marker, length := head[1], int(binary.BigEndian.Uint16(head[2:]))
		switch {
		case length < 2 || marker == 0xd9 || marker == 0xda: // the end, or the data
			return damaged(typeJPEG)
		case marker == 0xe1:
			if app := s.at(at+4, length-2); bytes.HasPrefix(app, []byte("Exif\x00\x00")) {
				turned = turned || turnedByExif(app[6:])
			}
		case marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc:
			frame := s.at(at+4, 5)
			if frame == nil || at+2+int64(length) >= s.size {
				return damaged(typeJPEG)
			}
			c := Content{Type: typeJPEG, Width: int(binary.BigEndian.Uint16(frame[3:])), Height: int(binary.BigEndian.Uint16(frame[1:]))}
			if turned {
				c.Width, c.Height = c.Height, c.Width
			}
			return c, nil
		}
		at += 2 + int64(length)
	}
	return damaged(typeJPEG)
}

// The tag of an Exif block that says how a picture is to be turned. From
// leastTurned on, width and height change places.
const (
	tagOrientation = 0x0112
	leastTurned    = 5
	mostTurned     = 8
)

// turnedByExif reports whether width and height of a picture change places.
func turnedByExif(tiff []byte) bool {
	if len(tiff) < 8 {
		return false
	}
	var order binary.ByteOrder
	switch string(tiff[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return false
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return false
	}
	count := int(order.Uint16(tiff[at:]))
	for entry := tiff[at+2:]; count > 0 && len(entry) >= 12; count-- {
		if order.Uint16(entry) == tagOrientation {
			o := order.Uint16(entry[8:])
			return o >= leastTurned && o <= mostTurned
		}
		entry = entry[12:]
	}
	return false
}

// readWebP reads the first chunk. https://www.rfc-editor.org/rfc/rfc9649
func readWebP(s source) (Content, error) {
	head := s.at(0, 30)
	if head == nil || string(head[:4]) != "RIFF" || int64(binary.LittleEndian.Uint32(head[4:]))+8 > s.size {
		return damaged(typeWebP)
	}
	c := Content{Type: typeWebP}
	switch b := head[20:]; string(head[12:16]) {
	case "VP8 ":
		if string(b[3:6]) != "\x9d\x01\x2a" {
			return damaged(typeWebP)
		}
		c.Width, c.Height = int(binary.LittleEndian.Uint16(b[6:])&0x3fff), int(binary.LittleEndian.Uint16(b[8:])&0x3fff)
	case "VP8L":
		if b[0] != 0x2f {
			return damaged(typeWebP)
		}
		bits := binary.LittleEndian.Uint32(b[1:])
		c.Width, c.Height = int(bits&0x3fff)+1, int(bits>>14&0x3fff)+1
	case "VP8X":
		c.Width, c.Height = uint24(b[4:])+1, uint24(b[7:])+1
	default:
		return damaged(typeWebP)
	}
	return c, nil
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

// readGIF goes over all blocks: the length of a GIF is the sum of its pauses.
// https://www.w3.org/Graphics/GIF/spec-gif89a.txt
func readGIF(s source) (Content, error) {
	r := gif{bufio.NewReader(io.NewSectionReader(s.r, 0, s.size))}
	c, err := r.read()
	if err != nil {
		return damaged(typeGIF)
	}
	return c, nil
}

type gif struct{ *bufio.Reader }

// A pause this short, in hundredths of a second, or none, is shown as
// browsers do: ten to a second.
const (
	tooShort = 1
	instead  = 10
)

func (r gif) read() (Content, error) {
	var screen [13]byte
	if _, err := io.ReadFull(r, screen[:]); err != nil {
		return Content{}, err
	}
	if err := r.skipTable(screen[10]); err != nil {
		return Content{}, err
	}
	c := Content{Type: typeGIF, Width: int(binary.LittleEndian.Uint16(screen[6:])), Height: int(binary.LittleEndian.Uint16(screen[8:]))}
	pictures, hundredths, pause := 0, 0, 0
	for {
		kind, err := r.ReadByte()
		if err != nil {
			return Content{}, err
		}
		switch kind {
		case 0x21: // an extension
			label, err := r.ReadByte()
			if err != nil {
				return Content{}, err
			}
			if label == 0xf9 {
				if b, err := r.Peek(4); err == nil {
					pause = int(binary.LittleEndian.Uint16(b[2:]))
				}
			}
		case 0x2c: // a picture
			var place [9]byte
			if _, err := io.ReadFull(r, place[:]); err != nil {
				return Content{}, err
			}
			if err := r.skipTable(place[8]); err != nil {
				return Content{}, err
			}
			if _, err := r.Discard(1); err != nil { // the size of its codes
				return Content{}, err
			}
			if pause <= tooShort {
				pause = instead
			}
			pictures, hundredths, pause = pictures+1, hundredths+pause, 0
		case 0x3b: // the end
			if pictures == 0 {
				return Content{}, errDamaged
			}
			if pictures > 1 {
				c.Seconds = float64(hundredths) / 100
				c.FPS = float64(pictures) / c.Seconds
			}
			return c, nil
		default:
			return Content{}, errDamaged
		}
		if err := r.skipBlocks(); err != nil {
			return Content{}, err
		}
	}
}

// skipTable skips a table of colors, if flags say that there is one.
func (r gif) skipTable(flags byte) error {
	if flags&0x80 == 0 {
		return nil
	}
	_, err := r.Discard(3 << (flags&7 + 1))
	return err
}

func (r gif) skipBlocks() error {
	for {
		n, err := r.ReadByte()
		if err != nil || n == 0 {
			return err
		}
		if _, err := r.Discard(int(n)); err != nil {
			return err
		}
	}
}

// stills are the brands of files in boxes that hold a picture.
// ISO/IEC 23008-12, 10.2; https://aomediacodec.github.io/av1-avif/
var stills = map[string]string{
	"avif": typeAVIF, "avis": typeAVIF,
	"heic": typeHEIC, "heix": typeHEIC, "heim": typeHEIC, "heis": typeHEIC, "mif1": typeHEIC, "msf1": typeHEIC,
}

// readStill reads the properties of a picture in boxes: the largest size in
// them is that of the whole picture, the others are of its tiles.
// ISO/IEC 23008-12, 6.5.3 and 6.5.10.
func readStill(s source, kind string) (Content, error) {
	boxes, err := topBoxes(s.r, s.size)
	if err != nil {
		return damaged(kind)
	}
	c := Content{Type: kind}
	for _, b := range boxes {
		if b.kind != "meta" || b.size > maxIndex || b.size < 12 {
			continue
		}
		whole := s.at(b.offset, int(b.size))
		if whole == nil {
			return damaged(kind)
		}
		turned := false
		for name, p := range boxesIn(find(whole[12:], "iprp", "ipco")) {
			switch {
			case name == "ispe" && len(p) >= 12:
				w, h := int64(binary.BigEndian.Uint32(p[4:])), int64(binary.BigEndian.Uint32(p[8:]))
				if w < largest && h < largest && w*h > int64(c.Width)*int64(c.Height) {
					c.Width, c.Height = int(w), int(h)
				}
			case name == "irot" && len(p) >= 1:
				turned = turned || p[0]&1 == 1
			}
		}
		if turned {
			c.Width, c.Height = c.Height, c.Width
		}
		return c, nil
	}
	return c, errors.Join(errDamaged, errOdd)
}
