package ltx

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// fitShape makes size, frame rate and length of a video ones that the endpoint
// makes. It reads them from the layer, so that what nobody set has the
// endpoint's own value.
func (e *evaluation) fitShape(s *shape, l layer) {
	e.fps = e.nearestRate(s, l)
	size := e.nearestSize(s, l)
	if e.endpoint.takes(idFPS) {
		e.values[idFPS] = e.fps
	}
	e.values[idSize] = size
	seconds, ok := e.nearestLength(s, l, min(size.Width, size.Height))
	if !ok {
		return
	}
	e.values[idFrames] = int64(math.Round(seconds * e.fps))
	e.values[idFPS] = e.fps
}

// fitted notes that a value became one that the model makes.
func (e *evaluation) fitted(p Param, from, to string) {
	if from != to {
		e.note(p, FittedToModel, from, to)
	}
}

func (e *evaluation) nearestRate(s *shape, l layer) float64 {
	p := e.endpoint.row(row(idFPS))
	text, ok := l[idFPS]
	if !ok || len(s.fps) == 0 {
		return s.rate
	}
	asked, ok := e.number(p, text)
	if !ok {
		return s.rate
	}
	best := s.fps[0]
	for _, fps := range s.fps {
		if math.Abs(fps-asked) < math.Abs(best-asked) {
			best = fps
		}
	}
	e.fitted(p, num(asked), num(best))
	return best
}

// shapeOnly are the names of sizes that say nothing of the resolution.
var shapeOnly = []string{"landscape_16_9", "portrait_16_9", "landscape_4_3", "portrait_4_3", "square_hd", "square"}

func (e *evaluation) nearestSize(s *shape, l layer) Size {
	p := row(idSize)
	text, ok := l[idSize]
	if !ok || len(s.ratios) == 0 {
		return ofSide(s.side, "16:9")
	}
	asked, _, ok := askedSize(p, text)
	if !ok {
		e.size(p, text) // says what is wrong
		return ofSide(s.side, "16:9")
	}
	side := s.side
	c, isChoice := p.choice(text)
	_, _, typed := typedRatio(text)
	if byRatio := typed || isChoice && slices.Contains(shapeOnly, c.Value); !byRatio && len(s.sides) > 0 {
		side = nearestInt(s.sides, min(asked.Width, asked.Height))
	}
	ratio := nearestRatio(s.ratios, float64(asked.Width)/float64(asked.Height))
	for len(s.sides) > 0 && side > s.sides[0] && max(ofSide(side, ratio).Width, ofSide(side, ratio).Height) > e.rules.longestSide() {
		side = s.sides[max(0, slices.Index(s.sides, side)-1)]
	}
	size := ofSide(side, ratio)
	otherSide := asked != size // of pixels; a ratio has none
	switch {
	case isChoice:
		otherSide = slices.Contains(sideOnly, c.Value) && c.Value != sideText(size)
	case typed:
		otherSide = false
	}
	if otherSide || asked != size && !sameShape(asked, size) {
		e.fitted(p, shown(text), size.String())
	}
	return size
}

// sameShape tells whether two sizes have nearly the same proportions.
func sameShape(a, b Size) bool {
	return math.Abs(float64(a.Width)/float64(a.Height)/(float64(b.Width)/float64(b.Height))-1) < 0.03
}

// ofSide is the size of a shorter side and a ratio.
func ofSide(side int, ratio string) Size {
	w, h, _ := strings.Cut(ratio, ":")
	wide, high := atoi(w), atoi(h)
	if wide >= high {
		return Size{even(side * wide / high), side}
	}
	return Size{side, even(side * high / wide)}
}

func even(n int) int { return n / 2 * 2 }

func nearestInt(list []int, n int) int {
	best := list[0]
	for _, v := range list {
		if abs(v-n) < abs(best-n) {
			best = v
		}
	}
	return best
}

func abs(n int) int { return max(n, -n) }

// nearestRatio is the ratio whose shape is nearest.
func nearestRatio(list []string, asked float64) string {
	off := func(ratio string) float64 {
		s := ofSide(720, ratio)
		return math.Abs(math.Log(float64(s.Width) / float64(s.Height) / asked))
	}
	best := list[0]
	for _, r := range list {
		if off(r) < off(best) {
			best = r
		}
	}
	return best
}

// noticed is how many seconds a length must change before a note says so.
const noticed = 0.3

func (e *evaluation) nearestLength(s *shape, l layer, side int) (float64, bool) {
	p, asked, typed := row(idDuration), s.length, false
	if text, ok := l[idDuration]; ok {
		if asked, typed = parseSeconds(text); !typed {
			e.fail(p, FieldError{Problem: BadDuration, Value: shown(text), Min: s.least(), Max: s.longestAt(side, e.fps), Unit: p.Unit})
			return 0, false
		}
	} else if text, ok := l[idFrames]; ok {
		n, whole := e.whole(row(idFrames), text).(int64)
		if !whole {
			return 0, false
		}
		p, asked, typed = row(idFrames), float64(n)/e.fps, true
	}
	longest := s.longestAt(side, e.fps)
	seconds := min(max(asked, s.least()), longest)
	if len(s.seconds) > 0 {
		seconds = s.seconds[0]
		for _, v := range s.seconds {
			if v <= longest && math.Abs(v-asked) < math.Abs(seconds-asked) {
				seconds = v
			}
		}
	}
	if typed && math.Abs(seconds-asked) >= noticed {
		e.note(p, FittedToModel, secondsText(asked), secondsText(seconds))
	}
	return seconds, true
}

// least and longestAt bound the lengths that are made.
func (s *shape) least() float64 {
	if len(s.seconds) > 0 {
		return s.seconds[0]
	}
	return s.shortest
}

func (s *shape) longestAt(side int, fps float64) float64 {
	most := s.longest
	if len(s.seconds) > 0 {
		most = s.seconds[len(s.seconds)-1]
	}
	if s.most != nil {
		most = min(most, s.most(side, fps))
	}
	return most
}

// The rows that follow a file where nobody has set them.
var following = []string{idSize, idFrames, idFPS}

// WithMedia returns the request with these files as they are known now, by the
// id of their row. Size, length and frame rate follow them where nobody has set
// them. The error is Invalid.
func (r Request) WithMedia(rules Rules, media map[string]Media) (Request, error) {
	values := maps.Clone(r.values)
	for id, m := range media {
		values[id] = m
	}
	r.values = values
	return r.settle(rules)
}

// rerate gives the video another frame rate. It keeps its length in seconds as it
// was typed, or the number of frames where somebody has set that. What a note says
// of the length is said of the new frame rate.
func (r *Request) rerate(fps float64) {
	frames, most := int64(r.Frames()), mostFrames(fps)
	if slices.Contains(r.auto, idDuration) {
		if frames > most {
			r.Notes = append(r.Notes, Note{Option: row(idFrames).Key(), From: num(float64(frames)), To: num(float64(most)), Reason: ShortenedFrames})
		}
		r.values[idFPS], r.values[idFrames] = fps, min(frames, most)
		return
	}
	seconds := float64(frames-1) / r.FPS()
	for _, n := range r.Notes {
		if n.Reason == SnappedDuration {
			seconds, _ = parseSeconds(n.From)
		}
	}
	r.Notes = slices.DeleteFunc(r.Notes, func(n Note) bool { return n.Reason == SnappedDuration })
	kept := min(framesOf(seconds, fps), most)
	if p := row(idDuration); !slices.Contains(r.auto, idFrames) && !lasts(kept, fps, seconds) {
		r.Notes = append(r.Notes, Note{Option: p.Key(), From: secondsText(seconds), To: secondsText(float64(kept) / fps), Reason: SnappedDuration})
	}
	r.values[idFPS], r.values[idFrames] = fps, kept
}

// autoShape is among what follows a file when the size that was typed says
// nothing of the shape: "720p".
const autoShape = "shape"

// sideOnly are the names of such sizes.
var sideOnly = []string{"720p", "1080p", "1440p", "2160p"}

// settle makes size, frame rate and length follow the files.
func (r Request) settle(rules Rules) (Request, error) {
	e, ok := rules.find(r.endpoint)
	if !ok {
		return r, nil
	}
	r.values, r.Notes = maps.Clone(r.values), slices.DeleteFunc(slices.Clone(r.Notes), func(n Note) bool { return n.Reason == CutToLongest })
	auto := func(id string) bool { return slices.Contains(r.auto, id) }
	clip, _ := r.Media(idClip)
	if e.shape != nil {
		if problems := r.settleShape(e.shape); len(problems) > 0 {
			return r, problems
		}
	} else {
		if auto(idFPS) && clip.FPS > 0 {
			r.rerate(min(max(math.Round(clip.FPS), row(idFPS).Min), row(idFPS).Max))
		}
		switch source := r.source(); {
		case source.Width <= 0 || source.Height <= 0:
		case auto(idSize):
			r.values[idSize] = r.sizeOf(source, rules)
		case auto(autoShape):
			size := ofShorter(min(r.Size().Width, r.Size().Height), source).fit(rules.maxSide())
			r.values[idSize] = size
			for i, n := range r.Notes {
				if n.Reason == LargestSize {
					r.Notes[i].To = size.String()
				}
			}
		}
		r.settleLength(auto(idFrames))
	}
	if problems := rules.checkMegapixels(r); len(problems) > 0 {
		return r, problems
	}
	return r, nil
}

// source is the file whose size the video has: the clip, else the picture.
func (r Request) source() Media {
	source, ok := r.Media(idClip)
	if !ok {
		source, _ = r.Media(idImage)
	}
	return source
}

// sizeOf is the size that follows the picture or the clip. An extended clip
// keeps its size. Everything else keeps its shape.
func (r Request) sizeOf(source Media, rules Rules) Size {
	if r.task == extend {
		return Size{source.Width, source.Height}.fit(rules.maxSide())
	}
	ratio := float64(source.Width) / float64(source.Height)
	return ofRatio(min(max(ratio, 1.0/maxRatio), maxRatio)).fit(rules.maxSide())
}

// ofShorter is the size of a shorter side and the shape of a file.
func ofShorter(side int, source Media) Size {
	ratio := min(max(float64(source.Width)/float64(source.Height), 1.0/maxRatio), maxRatio)
	if ratio >= 1 {
		return Size{int(math.Round(float64(side) * ratio)), side}
	}
	return Size{side, int(math.Round(float64(side) / ratio))}
}

// settleLength makes the length that of the soundtrack or the clip where nobody
// has set it.
func (r *Request) settleLength(auto bool) {
	source, ok := r.Media(idTrack)
	if r.task == restyle || r.task == reference {
		source, ok = r.Media(idClip)
	}
	if !auto || !ok || source.Seconds <= 0 || r.task == extend {
		return
	}
	most := mostFrames(r.FPS())
	frames := int64(math.Ceil(source.Seconds*r.FPS()/frameStep-0.5/frameStep))*frameStep + 1
	if frames > most {
		r.Notes = append(r.Notes, Note{
			Option: row(idDuration).Key(), From: secondsText(source.Seconds), To: secondsText(float64(most-1) / r.FPS()), Reason: CutToLongest,
		})
	}
	r.values[idFrames] = min(max(frames, minFrames), most)
}

// settleShape holds the files against what the endpoint takes, and makes the
// length follow them.
func (r *Request) settleShape(s *shape) Invalid {
	clip, _ := r.Media(idClip)
	track, _ := r.Media(idTrack)
	frames := func(seconds float64) { r.values[idFrames] = int64(math.Round(seconds * r.FPS())) }
	switch r.task {
	case fromSound:
		if track.Seconds <= 0 {
			break
		}
		if track.Seconds < s.shortest || track.Seconds > s.longest+0.05 {
			return Invalid{{
				Option: row(idTrack).Key(), Problem: MediaLength, Value: secondsText(track.Seconds),
				Min: s.shortest, Max: s.longest, Unit: "seconds", Other: r.model,
			}}
		}
		frames(track.Seconds)
	case reframe:
		frames(known(clip))
	case retake:
		start := get[float64](*r, "start_time")
		if rest := clip.Seconds - start; clip.Seconds > 0 && rest < s.shortest {
			return Invalid{{
				Option: "start_time", Problem: OutOfRange, Value: num(start), Min: 0, Max: max(0, round(clip.Seconds-s.shortest)),
				Unit: "seconds", Nearest: num(max(0, math.Floor(clip.Seconds-s.shortest))),
			}}
		} else if clip.Seconds > 0 && r.Seconds() > rest {
			if !slices.Contains(r.auto, idFrames) && r.Seconds()-rest >= noticed {
				r.Notes = append(r.Notes, Note{Option: row(idDuration).Key(), From: secondsText(r.Seconds()), To: secondsText(rest), Reason: FittedToModel})
			}
			frames(rest)
		}
	case fromText, fromImage, extend, restyle, reference:
	}
	if s.follows && (slices.Contains(r.auto, idSize) || slices.Contains(r.auto, autoShape)) {
		if image, _ := r.Media(idImage); image.Width > 0 && image.Height > 0 {
			size := r.Size()
			r.values[idSize] = ofSide(min(size.Width, size.Height), nearestRatio(s.ratios, float64(image.Width)/float64(image.Height)))
		}
	}
	return nil
}

// sideText is the shorter side as endpoints call it: "1080p".
func sideText(s Size) string { return strconv.Itoa(min(s.Width, s.Height)) + "p" }
