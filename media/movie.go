package media

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// readMP4 reads an MP4 or MOV file, a sound in one, or a picture in boxes.
func readMP4(s source) (Content, error) {
	brands := s.upTo(8, 64)
	if first := s.at(0, 8); string(first[4:]) == "ftyp" {
		length := int64(binary.BigEndian.Uint32(first))
		brands = s.upTo(8, int(max(0, min(length-8, 64))))
	}
	c := Content{Type: typeMP4}
	for n := 0; n+4 <= len(brands); n += 4 {
		if kind := stills[string(brands[n:n+4])]; kind != "" && n != 4 { // the second is a version
			return readStill(s, kind)
		}
		if n == 0 && string(brands[:4]) == "qt  " {
			c.Type = typeMOV
		}
	}
	x, err := readIndex(s.r, s.size)
	if err != nil {
		return c, errors.Join(errDamaged, err)
	}
	err = x.content(&c)
	return c, err
}

// content tells what people see and hear of the MP4. It is as long as the
// longest that any of its boxes says: the length is what a video is billed by,
// and one of them can be wrong.
func (x index) content(c *Content) error {
	c.Seconds = duration(find(x.moov, "mvhd"))
	for kind, trak := range boxesIn(x.moov) {
		hdlr := find(trak, "mdia", "hdlr")
		if kind != "trak" || len(hdlr) < 12 {
			continue
		}
		count, seconds := samples(trak)
		switch string(hdlr[8:12]) {
		case "soun":
			c.Sound = true
			c.Seconds = max(c.Seconds, seconds)
		case "vide":
			c.Seconds = max(c.Seconds, seconds)
			var p probe
			if stsd := find(trak, "mdia", "minf", "stbl", "stsd"); len(stsd) >= 8 {
				p.picture(stsd[8:])
			}
			if p.width*p.height <= c.Width*c.Height {
				continue // a cover or a preview
			}
			c.Width, c.Height = p.width, p.height
			if turned(find(trak, "tkhd")) {
				c.Width, c.Height = p.height, p.width
			}
			c.FPS = 0
			if seconds > 0 {
				c.FPS = count / seconds
			}
		}
	}
	if c.Width == 0 && c.Sound {
		c.Type = typeM4A
	}
	if c.Seconds == 0 || x.firstData() < 0 {
		return fmt.Errorf("%w: it has no length or no data", errDamaged)
	}
	return nil
}

// turned reports whether the matrix of a track turns it by a quarter: phones
// write upright videos so. ISO/IEC 14496-12, 8.3.2.
func turned(tkhd []byte) bool {
	at := 40
	if len(tkhd) > 0 && tkhd[0] == 1 {
		at = 52
	}
	if len(tkhd) < at+20 {
		return false
	}
	cell := func(n int) uint32 { return binary.BigEndian.Uint32(tkhd[at+4*n:]) }
	return cell(0) == 0 && cell(1) != 0 && cell(3) != 0 && cell(4) == 0
}

// samples is the number of samples of a track, and how long they are: as its
// header says, or as they say themselves if that is longer.
// ISO/IEC 14496-12, 8.4.2 and 8.6.1.2.
func samples(trak []byte) (count, seconds float64) {
	mdhd := find(trak, "mdia", "mdhd")
	stts := find(trak, "mdia", "minf", "stbl", "stts")
	ticks := 0.0
	for at := 8; at+8 <= len(stts); at += 8 {
		n, each := float64(binary.BigEndian.Uint32(stts[at:])), binary.BigEndian.Uint32(stts[at+4:])
		count += n
		if each <= math.MaxInt32 { // more is below 0 in old files
			ticks += n * float64(each)
		}
	}
	seconds = duration(mdhd)
	if scale := timescale(mdhd); scale > 0 {
		seconds = max(seconds, ticks/scale)
	}
	return count, seconds
}

// timescale is the number of ticks of a second that an mdhd box says, or 0.
func timescale(mdhd []byte) float64 {
	switch {
	case len(mdhd) >= 16 && mdhd[0] == 0:
		return float64(binary.BigEndian.Uint32(mdhd[12:]))
	case len(mdhd) >= 24 && mdhd[0] == 1:
		return float64(binary.BigEndian.Uint32(mdhd[20:]))
	}
	return 0
}
