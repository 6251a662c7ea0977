package media

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// The types of sounds.
const (
	typeWAV  = "audio/wav"
	typeMP3  = "audio/mpeg"
	typeAAC  = "audio/aac"
	typeM4A  = "audio/mp4"
	typeOgg  = "audio/ogg"
	typeFLAC = "audio/flac"
)

// readWAV looks for the chunks that say how many bytes a second has, and how
// many there are.
// https://learn.microsoft.com/windows/win32/xaudio2/resource-interchange-file-format--riff-
func readWAV(s source) (Content, error) {
	if magic := string(s.at(0, 4)); magic != "RIFF" && magic != "RF64" {
		return damaged(typeWAV)
	}
	rate := uint32(0)
	for at, n := int64(12), 0; n < maxPieces; n++ {
		head := s.at(at, 8)
		if head == nil {
			break
		}
		length := int64(binary.LittleEndian.Uint32(head[4:]))
		switch string(head[:4]) {
		case "fmt ":
			b := s.at(at+8, 16)
			if b == nil {
				return damaged(typeWAV)
			}
			rate = binary.LittleEndian.Uint32(b[8:])
		case "data":
			if rate == 0 {
				return damaged(typeWAV)
			}
			// What is written to a pipe does not know its length.
			data := min(length, s.size-at-8)
			return Content{Type: typeWAV, Seconds: float64(data) / float64(rate), Sound: true}, nil
		}
		at += 8 + length + length&1
	}
	return damaged(typeWAV)
}

const (
	maxFLACBlocks = 1000    // more blocks of metadata than a file has
	flacSlack     = 1 << 16 // bytes that frames have beside samples, whatever their length
)

// readFLAC reads the blocks of metadata, and believes a length only if the
// frames that follow can be that short. https://www.rfc-editor.org/rfc/rfc9639
func readFLAC(s source) (Content, error) {
	b := s.at(0, 8+18)
	if b == nil || b[4]&0x7f != 0 {
		return damaged(typeFLAC)
	}
	packed := binary.BigEndian.Uint64(b[18:]) // 20 bits of rate, 3 of channels, 5 of depth, 36 of samples
	rate, channels, depth, samples := packed>>44, packed>>41&7+1, packed>>36&31+1, packed&(1<<36-1)
	frames, ok := flacFrames(s)
	if rate == 0 || samples == 0 || !ok {
		return damaged(typeFLAC)
	}
	// Frames are never much larger than the samples in them.
	if raw := float64(samples) * float64(channels*depth) / 8; float64(s.size-frames) > 1.1*raw+flacSlack {
		return damaged(typeFLAC)
	}
	return Content{Type: typeFLAC, Seconds: float64(samples) / float64(rate), Sound: true}, nil
}

// flacFrames is where the metadata ends.
func flacFrames(s source) (int64, bool) {
	at := int64(4)
	for range maxFLACBlocks {
		head := s.at(at, 4)
		if head == nil {
			return 0, false
		}
		at += 4 + int64(binary.BigEndian.Uint32(head)&0xffffff)
		if head[0]&0x80 != 0 {
			return at, at <= s.size
		}
	}
	return 0, false
}

const (
	oggHeader  = 27      // bytes of a page before the lengths of its parts
	oggLargest = 65307   // bytes of a page
	opusRate   = 48000.0 // in which Opus counts, however it was recorded
	noGranule  = 1<<64 - 1
)

// readOgg reads what the first page says and how far the last one goes.
// https://www.rfc-editor.org/rfc/rfc3533, …/rfc7845; https://xiph.org/vorbis/doc/
func readOgg(s source) (Content, error) {
	page := s.upTo(0, oggHeader+255+32)
	if len(page) < oggHeader || len(page) < oggHeader+int(page[26])+30 {
		return damaged(typeOgg)
	}
	first, serial := page[oggHeader+int(page[26]):], page[14:18]
	var rate, skip float64
	switch {
	case bytes.HasPrefix(first, []byte("OpusHead")):
		rate, skip = opusRate, float64(binary.LittleEndian.Uint16(first[10:]))
	case bytes.HasPrefix(first, []byte("\x01vorbis")):
		rate = float64(binary.LittleEndian.Uint32(first[12:]))
	}
	if rate == 0 {
		return damaged(typeOgg)
	}
	end := s.upTo(max(0, s.size-2*oggLargest), 2*oggLargest)
	for at := bytes.LastIndex(end, []byte("OggS")); at >= 0; at = bytes.LastIndex(end[:at], []byte("OggS")) {
		p := end[at:]
		if len(p) < oggHeader || !bytes.Equal(p[14:18], serial) {
			continue
		}
		if reached := binary.LittleEndian.Uint64(p[6:]); reached != noGranule {
			return Content{Type: typeOgg, Seconds: (float64(reached) - skip) / rate, Sound: true}, nil
		}
	}
	return damaged(typeOgg)
}

// readTagged reads what comes behind an ID3 tag. https://id3.org/id3v2.4.0-structure
func readTagged(s source) (Content, error) {
	b := s.at(0, 10)
	if b == nil {
		return damaged(typeMP3)
	}
	at := int64(10)
	for _, seven := range b[6:10] { // its size has 7 bits in each byte
		if seven > 0x7f {
			return damaged(typeMP3)
		}
	}
	at += int64(b[6])<<21 | int64(b[7])<<14 | int64(b[8])<<7 | int64(b[9])
	if b[5]&0x10 != 0 {
		at += 10 // a footer
	}
	if bytes.Equal(s.at(at, 4), []byte("fLaC")) {
		return readFLAC(source{offset{s.r, at}, s.size - at})
	}
	return framesFrom(s, at)
}

// readFrames reads a stream of frames of sound without a container.
func readFrames(s source) (Content, error) {
	c, err := framesFrom(s, 0)
	if err != nil {
		return Content{}, ErrUnknownType // it was no more than a byte of 0xff
	}
	return c, nil
}

// offset is a reader from a place on.
type offset struct {
	r interface {
		ReadAt(p []byte, off int64) (int, error)
	}
	at int64
}

func (o offset) ReadAt(p []byte, off int64) (int, error) { return o.r.ReadAt(p, o.at+off) }

// A frame is some milliseconds of sound.
type frame struct {
	kind    string
	length  int64   // bytes
	seconds float64 // that it plays
	side    int     // bytes of MP3 between its header and what an encoder may say of the whole
}

// How frames are read.
const (
	maxPadding  = 64 << 10 // zeros between a tag and the first frame
	maxFrames   = 1 << 14  // are counted, minutes of sound; the length of what follows is estimated
	leastFrames = 2        // make sure that it is sound
)

// framesFrom counts the frames of MP3 or AAC from a place on. The sound is never
// shorter than these, whatever its encoder has announced.
func framesFrom(s source, at int64) (Content, error) {
	for pad := s.upTo(at, maxPadding); len(pad) > 0 && pad[0] == 0; pad = pad[1:] {
		at++
	}
	began, seconds, told, count := at, 0.0, 0.0, 0
	var kind string
	for ; count < maxFrames && at < s.size; count++ {
		f, ok := readFrame(s.at(at, 7))
		if !ok || count > 0 && f.kind != kind || at+f.length > s.size {
			break
		}
		kind = f.kind
		if count == 0 {
			told = float64(s.announced(at, f)) * f.seconds
		}
		if count > 0 || told == 0 { // the frame that announces has no sound
			seconds += f.seconds
		}
		at += f.length
	}
	if count < leastFrames && told == 0 {
		return Content{Type: typeMP3}, fmt.Errorf("%w: no frames of sound", errDamaged)
	}
	if count == maxFrames && told == 0 {
		seconds *= float64(s.size-began) / float64(at-began)
	}
	return Content{Type: kind, Seconds: max(told, seconds), Sound: true}, nil
}

// announced is the number of frames that an encoder has written into the first
// one, 0 if it has not.
// https://www.codeproject.com/Articles/8295/MPEG-Audio-Frame-Header#XINGHeader
func (s source) announced(at int64, f frame) uint32 {
	if f.kind != typeMP3 {
		return 0
	}
	if b := s.at(at+4+int64(f.side), 12); b != nil && (string(b[:4]) == "Xing" || string(b[:4]) == "Info") && b[7]&1 != 0 {
		return binary.BigEndian.Uint32(b[8:])
	}
	if b := s.at(at+36, 18); b != nil && string(b[:4]) == "VBRI" {
		return binary.BigEndian.Uint32(b[14:])
	}
	return 0
}

// Bit rates of MPEG audio layer III in kbit/s, and rates of samples.
// ISO/IEC 11172-3, 2.4.2.3; ISO/IEC 13818-3, 2.4.2.3.
var (
	bitRates1   = [16]int64{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320}
	bitRates2   = [16]int64{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160}
	sampleRates = [4][4]int64{0: {11025, 12000, 8000}, 2: {22050, 24000, 16000}, 3: {44100, 48000, 32000}}
	aacRates    = [16]int64{96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350}
)

// readFrame reads the header of a frame.
func readFrame(b []byte) (frame, bool) {
	if len(b) < 7 || b[0] != 0xff || b[1]&0xe0 != 0xe0 {
		return frame{}, false
	}
	if b[1]&0xf6 == 0xf0 { // ADTS. ISO/IEC 13818-7, 6.2
		rate := aacRates[b[2]>>2&15]
		length := int64(b[3]&3)<<11 | int64(b[4])<<3 | int64(b[5])>>5
		if rate == 0 || length < 7 {
			return frame{}, false
		}
		return frame{kind: typeAAC, length: length, seconds: 1024 * float64(b[6]&3+1) / float64(rate)}, true
	}
	version, layer := b[1]>>3&3, b[1]>>1&3
	rate := sampleRates[version][b[2]>>2&3]
	if layer != 1 || rate == 0 { // layer III is 1
		return frame{}, false
	}
	samples, kbps, side, mono := int64(1152), bitRates1[b[2]>>4], 32, b[3]>>6 == 3
	if mono {
		side = 17
	}
	if version != 3 { // half the rate, half the samples
		samples, kbps, side = 576, bitRates2[b[2]>>4], 17
		if mono {
			side = 9
		}
	}
	if kbps == 0 {
		return frame{}, false
	}
	length := samples/8*kbps*1000/rate + int64(b[2]>>1&1)
	return frame{kind: typeMP3, length: length, seconds: float64(samples) / float64(rate), side: side}, true
}
