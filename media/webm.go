package media

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
)

// The types of videos.
const (
	typeMP4      = "video/mp4"
	typeMOV      = "video/quicktime"
	typeWebM     = "video/webm"
	typeMatroska = "video/x-matroska"
	typeWebA     = "audio/webm"
)

// The elements of WebM that are read. https://www.matroska.org/technical/elements.html
const (
	idEBML, idDocType              = 0x1a45dfa3, 0x4282
	idSegment, idInfo, idTracks    = 0x18538067, 0x1549a966, 0x1654ae6b
	idScale, idDuration            = 0x2ad7b1, 0x4489
	idTrack, idTrackType           = 0xae, 0x83
	idVideo, idWidth, idHeight     = 0xe0, 0xb0, 0xba
	idDefaultDuration              = 0x23e383
	idCluster, idTime              = 0x1f43b675, 0xe7
	idBlock, idGroup, idGroupBlock = 0xa3, 0xa0, 0xa1
	idTrackNumber                  = 0xd7
)

// maxElements is how many elements are looked at: a minute of video has some
// thousands.
const maxElements = 1 << 18

// noScale is the length of a tick in nanoseconds where it is not told.
const noScale = 1_000_000

// masters are the elements that hold others. They are gone into; all others
// are read or skipped.
var masters = map[uint64]bool{
	idEBML: true, idSegment: true, idInfo: true, idTracks: true, idTrack: true, idVideo: true, idCluster: true, idGroup: true,
}

// webm is what is known of a file so far.
type webm struct {
	source
	Content

	scale   uint64  // nanoseconds in a tick
	ticks   float64 // the length as told; 0 = not told
	cluster uint64  // when the present cluster begins, in ticks
	latest  uint64  // when the latest block begins
	blocks  int     // of the first track of pictures

	track track // the present one
	video track // the first one of pictures
}

type track struct {
	kind, number, width, height uint64
	interval                    uint64 // nanoseconds between pictures; 0 = not told
}

// The kinds of tracks.
const (
	trackVideo = 1
	trackAudio = 2
)

// readWebM goes over a WebM or Matroska file. What a browser has recorded does
// not tell its length, and what is told can be wrong: the file is never shorter
// than its blocks are.
func readWebM(s source) (Content, error) {
	w := webm{source: s, scale: noScale}
	w.Type = typeMatroska
	err := w.elements()
	w.endTrack()
	w.Width, w.Height = int(min(w.video.width, largest)), int(min(w.video.height, largest))
	w.Seconds = max(w.ticks, float64(w.latest)) * float64(w.scale) / 1e9
	switch {
	case w.video.interval > 0:
		w.FPS = 1e9 / float64(w.video.interval)
	case w.blocks > 1 && w.Seconds > 0:
		w.FPS = float64(w.blocks) / w.Seconds
	}
	switch {
	case w.Type == typeWebM && w.video.number == 0 && w.Sound:
		w.Type = typeWebA
	case err == nil && w.Seconds == 0:
		err = fmt.Errorf("%w: it has no length", errDamaged)
	}
	return w.Content, err
}

// elements goes over the elements from the start of the file. Where there are
// too many, the rest is taken to be like those before.
func (w *webm) elements() error {
	at := int64(0)
	for range maxElements {
		id, n := w.number(at, false)
		size, m := w.number(at+n, true)
		if n == 0 || m == 0 {
			if at == w.size {
				return nil
			}
			return fmt.Errorf("%w: it is cut off", errDamaged)
		}
		at += n + m
		unknown := size == 1<<(7*m)-1
		if !unknown && (size > math.MaxInt64 || int64(size) > w.size-at) {
			return fmt.Errorf("%w: it is cut off", errDamaged)
		}
		switch {
		case id == idTrack:
			w.endTrack()
		case id == idCluster:
			w.endTrack()
		case unknown && !masters[id]:
			return fmt.Errorf("%w: an element without a length", errDamaged)
		}
		if masters[id] {
			continue
		}
		w.value(id, at, int64(size)) //nolint:gosec // checked above
		at += int64(size)            //nolint:gosec // as above
	}
	w.latest = uint64(float64(w.latest) * float64(w.size) / float64(at))
	return nil
}

// value takes in an element of size bytes.
func (w *webm) value(id uint64, at, size int64) {
	switch id {
	case idDocType:
		if b := w.upTo(at, int(min(size, 16))); string(b) == "webm" {
			w.Type = typeWebM
		}
	case idDuration:
		switch b := w.upTo(at, int(min(size, 8))); len(b) {
		case 4:
			w.ticks = float64(math.Float32frombits(binary.BigEndian.Uint32(b)))
		case 8:
			w.ticks = math.Float64frombits(binary.BigEndian.Uint64(b))
		}
	case idScale:
		w.scale = w.unsigned(at, size)
	case idTrackNumber:
		w.track.number = w.unsigned(at, size)
	case idTrackType:
		w.track.kind = w.unsigned(at, size)
	case idWidth:
		w.track.width = w.unsigned(at, size)
	case idHeight:
		w.track.height = w.unsigned(at, size)
	case idDefaultDuration:
		w.track.interval = w.unsigned(at, size)
	case idTime:
		w.cluster = w.unsigned(at, size)
	case idBlock, idGroupBlock:
		number, n := w.number(at, true)
		if b := w.at(at+n, 2); b != nil {
			after := int64(int16(binary.BigEndian.Uint16(b))) //nolint:gosec // it is signed
			w.latest = max(w.latest, uint64(max(0, int64(min(w.cluster, math.MaxInt32*1000))+after)))
			if number == w.video.number {
				w.blocks++
			}
		}
	}
}

// endTrack takes in the track that was read.
func (w *webm) endTrack() {
	switch {
	case w.track.kind == trackAudio:
		w.Sound = true
	case w.track.kind == trackVideo && w.video.number == 0:
		w.video = w.track
	}
	w.track = track{}
}

// number reads a number of 1 to 8 bytes, of which the first tells how many they
// are, and that number of bytes; 0 when it is cut off. bare leaves out the bit
// that tells.
func (w *webm) number(at int64, bare bool) (value uint64, n int64) {
	b := w.upTo(at, 8)
	if len(b) == 0 {
		return 0, 0
	}
	n = int64(bits.LeadingZeros8(b[0])) + 1
	if n > int64(len(b)) {
		return 0, 0
	}
	value = uint64(b[0])
	if bare {
		value &= 1<<(8-n) - 1
	}
	for _, next := range b[1:n] {
		value = value<<8 | uint64(next)
	}
	return value, n
}

// unsigned reads an integer of at most 8 bytes; 0 when it is longer.
func (w *webm) unsigned(at, size int64) (value uint64) {
	if size > 8 {
		return 0
	}
	for _, b := range w.upTo(at, int(size)) {
		value = value<<8 | uint64(b)
	}
	return value
}
