package generate

import (
	"slices"
	"sync"
	"time"
)

// historySeed is how many past jobs are read at the start, and historySize
// how many durations are remembered for each kind of video.
const (
	historySeed = 500
	historySize = 50
)

// history remembers how long the model ran, to guess how long it will.
type history struct {
	mu   sync.Mutex
	past map[kindOfWork][]time.Duration
}

func newHistory() *history { return &history{past: map[kindOfWork][]time.Duration{}} }

// kindOfWork groups videos that take about as long.
type kindOfWork struct {
	endpoint string
	class    int64 // doublings of megapixels times steps
}

// sizeClass is the group of a job.
func sizeClass(j Job) kindOfWork {
	work := j.Request.Megapixels() * int64(max(1, j.Request.Steps()))
	var class int64
	for work > 1 {
		work /= 2
		class++
	}
	return kindOfWork{j.Endpoint, class}
}

// add learns from a job that came to an output.
func (h *history) add(j Job) {
	took := time.Duration(j.Seconds * float64(time.Second))
	if took <= 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	class := sizeClass(j)
	h.past[class] = append(h.past[class], took)
	if n := len(h.past[class]); n > historySize {
		h.past[class] = h.past[class][n-historySize:]
	}
}

// expect is the median time that the model ran for jobs like j; 0 when none
// is known.
func (h *history) expect(j Job) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	past := slices.Clone(h.past[sizeClass(j)])
	if len(past) == 0 {
		return 0
	}
	slices.Sort(past)
	return past[len(past)/2]
}
