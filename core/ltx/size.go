package ltx

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A Size is the picture's, in pixels.
type Size struct {
	Width  int `json:"width"`
	Height int `json:"height"`
}

// String writes the size as people type it: "1280x704".
func (s Size) String() string {
	return fmt.Sprintf("%dx%d", s.Width, s.Height)
}

const (
	// sideStep divides every side. The model works on blocks of 32 pixels.
	// https://huggingface.co/Lightricks/LTX-2
	sideStep = 32
	// minSide is the shortest side that gives a usable picture, in pixels.
	minSide = 256
	// maxSide is the longest side the model has learned, in pixels.
	maxSide = 2048
	// maxTypedSide is the longest side that is taken for a size at all. It is
	// the limit of the provider's own type, in pixels.
	maxTypedSide = 14142
	// ratioStep divides the sides of a size made from a ratio. Multiples of
	// 64 come through the model's multi-scale passes unchanged.
	ratioStep = 64
	// ratioArea is the area of a size made from a ratio, in pixels: that of
	// the model's default size.
	ratioArea = 1024 * 576
	// maxRatio is how much longer one side may be than the other.
	maxRatio = 4
	// maxRatioPart is the largest number of a ratio that is typed as pixels
	// are, "16x9": no video has sides of less than a block.
	maxRatioPart = sideStep
)

var (
	pixelsForm = regexp.MustCompile(`^([0-9]{1,6})(?:x|×|\*|by)([0-9]{1,6})(?:px)?$`)
	signForm   = regexp.MustCompile(`(?:^|[x×*:/])\s*\p{Pd}`)
	ratioForm  = regexp.MustCompile(`^([0-9]{1,3})[:/]([0-9]{1,3})$`)
)

// askedSize reads a name, a ratio or pixels, before it is made to fit. The note's
// reason is empty when the text names the size exactly.
func askedSize(p Param, text string) (Size, Note, bool) {
	text = narrow(strings.TrimSpace(text))
	if strings.ContainsFunc(text, isDash) && signForm.MatchString(text) {
		return Size{}, Note{}, false // a side is never negative
	}
	if c, ok := p.choice(text); ok {
		return c.Pixels, Note{}, true
	}
	s := withoutSpaces(text)
	if w, h, ok := typedRatio(s); ok {
		if w == 0 || h == 0 || w > maxRatio*h || h > maxRatio*w {
			return Size{}, Note{}, false
		}
		d := divisor(w, h)
		if c, ok := p.choice(fmt.Sprintf("%d:%d", w/d, h/d)); ok {
			return c.Pixels, Note{}, true
		}
		size := ofRatio(float64(w) / float64(h))
		return size, Note{Option: p.Key(), From: s, To: size.String(), Reason: SizeOfRatio}, true
	}
	if m := pixelsForm.FindStringSubmatch(s); m != nil {
		size := Size{atoi(m[1]), atoi(m[2])}
		ok := min(size.Width, size.Height) > 0 && max(size.Width, size.Height) <= maxTypedSide
		return size, Note{}, ok
	}
	return Size{}, Note{}, false
}

// withoutSpaces is a text as pixelsForm and ratioForm read it.
func withoutSpaces(text string) string {
	return strings.ToLower(strings.Join(strings.Fields(narrow(text)), ""))
}

// typedRatio reads a ratio: "16:9", "16x9".
func typedRatio(text string) (width, height int, ok bool) {
	s := withoutSpaces(text)
	if m := ratioForm.FindStringSubmatch(s); m != nil {
		return atoi(m[1]), atoi(m[2]), true
	}
	if m := pixelsForm.FindStringSubmatch(s); m != nil && !strings.HasSuffix(s, "px") {
		width, height = atoi(m[1]), atoi(m[2])
	}
	return width, height, width > 0 && height > 0 && max(width, height) <= maxRatioPart
}

// linesForm is a resolution as people name it: "480p", "8k".
var linesForm = regexp.MustCompile(`^([0-9]{1,4})([pk])$`)

// nearestSize returns the name of the size that the text was probably meant to
// be, or "".
func (p Param) nearestSize(text string) string {
	m := linesForm.FindStringSubmatch(withoutSpaces(text))
	if m == nil {
		return p.nearestChoice(text)
	}
	lines := atoi(m[1])
	if m[2] == "k" {
		lines *= 540 // 4k has 2160
	}
	best, least := "", math.MaxInt
	for _, c := range p.Choices {
		if off := abs(min(c.Pixels.Width, c.Pixels.Height) - lines); slices.Contains(sideOnly, c.Value) && off < least {
			best, least = c.Typed(), off
		}
	}
	return best
}

// ofRatio returns the size whose shape is near the ratio and whose area is
// near that of the default size.
func ofRatio(ratio float64) Size {
	best, least := Size{}, math.Inf(1)
	for w := minSide; w <= maxSide; w += ratioStep {
		h := int(math.Round(float64(w)/ratio/ratioStep)) * ratioStep
		if h < minSide || h > maxSide {
			continue
		}
		shape := math.Abs(float64(w)/float64(h)/ratio - 1)
		area := math.Abs(float64(w*h)/ratioArea - 1)
		if off := shape + area/4; off < least {
			best, least = Size{w, h}, off
		}
	}
	return best
}

// fit returns the nearest size that the model can make with no side longer
// than longest. The shape is kept as far as possible.
func (s Size) fit(longest int) Size {
	w, h := float64(s.Width), float64(s.Height)
	if long := max(w, h); long > float64(longest) {
		w, h = w*float64(longest)/long, h*float64(longest)/long
	}
	if short := min(w, h); short < minSide {
		w, h = w*minSide/short, h*minSide/short
	}
	return Size{snapSide(w, longest), snapSide(h, longest)}
}

// snapSide returns the nearest multiple of sideStep, the smaller one of two,
// within minSide and longest.
func snapSide(side float64, longest int) int {
	n := int(math.Ceil(side/sideStep-0.5)) * sideStep
	return min(max(n, minSide), longest/sideStep*sideStep)
}

// divisor is the greatest common divisor.
func divisor(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// atoi reads digits that a pattern has already found to be few.
func atoi(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return n
}
