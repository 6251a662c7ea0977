package ltx

import (
	"math"
	"strings"
)

const (
	// frameStep is the grid of lengths: a video has 8k+1 frames.
	// https://huggingface.co/Lightricks/LTX-2
	frameStep = 8
	// minFrames and maxFrames are the provider's limits, both on the grid.
	minFrames = 9
	maxFrames = 481
	// longestSeconds is how long a video the model has learned to make. It
	// is what limits the number of frames below DefaultFPS.
	longestSeconds = 20
)

// mostFrames returns the largest length on the grid at this frame rate.
func mostFrames(fps float64) int64 {
	return min(floorFrames(longestSeconds*fps+1+1e-9), maxFrames)
}

// floorFrames returns the longest length on the grid that is not above n.
func floorFrames(n float64) int64 {
	return int64(math.Floor((n-1)/frameStep))*frameStep + 1
}

// snapFrames returns the nearest length on the grid, the longer one of two.
func snapFrames(n float64) int64 {
	return int64(math.Round((n-1)/frameStep))*frameStep + 1
}

// framesOf returns the length on the grid that is nearest to the seconds.
func framesOf(seconds, fps float64) int64 {
	return int64(math.Round(seconds*fps/frameStep))*frameStep + 1
}

// secondsRange returns the shortest and the longest duration at this frame
// rate, in seconds, rounded inwards to tenths where they are not exact.
func secondsRange(fps float64) (shortest, longest float64) {
	shortest = math.Ceil((minFrames-1)/fps*10-1e-9) / 10
	longest = math.Floor(float64(mostFrames(fps)-1)/fps*10+1e-9) / 10
	return shortest, max(shortest, longest)
}

// durationUnits are the units a duration may be typed in, in seconds, the
// longer spellings first.
var durationUnits = []struct {
	suffix  string
	seconds float64
}{
	{"milliseconds", 0.001},
	{"sekunden", 1},
	{"sekunde", 1},
	{"segundos", 1},
	{"segundo", 1},
	{"secondes", 1},
	{"seconde", 1},
	{"秒間", 1},
	{"秒", 1},
	{"msec", 0.001},
	{"ms", 0.001},
	{"minutes", 60},
	{"minute", 60},
	{"mins", 60},
	{"min", 60},
	{"seconds", 1},
	{"second", 1},
	{"secs", 1},
	{"sec", 1},
	{"s", 1},
	{"m", 60},
}

// parseSeconds reads a duration: "5", "6.5s", "5 sec", "1500ms".
func parseSeconds(text string) (float64, bool) {
	s := strings.ToLower(strings.TrimSpace(text))
	factor := 1.0
	for _, u := range durationUnits {
		if rest, ok := strings.CutSuffix(s, u.suffix); ok {
			s, factor = rest, u.seconds
			break
		}
	}
	v, ok := parseNumber(s, "")
	return v * factor, ok && v >= 0
}

// lasts tells whether so many frames, or one less, are so many seconds.
func lasts(frames int64, fps, seconds float64) bool {
	is := func(n int64) bool { return math.Abs(float64(n)/fps-seconds) < 0.01 }
	return is(frames) || is(frames-1)
}

// secondsText writes a duration with two decimals at most: "6.71s".
func secondsText(seconds float64) string {
	return num(math.Round(seconds*100)/100) + "s"
}

// typedDuration returns the shortest text of a duration that gives exactly
// this many frames.
func typedDuration(frames int64, fps float64) (string, bool) {
	exact := float64(frames-1) / fps
	for _, decimals := range []float64{1, 10, 100} {
		s := math.Round(exact*decimals) / decimals
		if framesOf(s, fps) == frames {
			return num(s), true
		}
	}
	return "", false
}
