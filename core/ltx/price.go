package ltx

import (
	"math"
	"slices"

	"ltxbot/core/usd"
)

// A Unit is what a price is for.
type Unit string

// The units of prices.
const (
	Megapixel    Unit = "megapixel"    // of the video: width × height × frames / 1,000,000
	OutputSecond Unit = "second"       // of the video
	InputSecond  Unit = "input_second" // of the sound or the clip that goes in
)

// A Price is what a unit costs at an endpoint, in US dollars.
type Price struct {
	Unit Unit
	// USD is the price of a unit, the highest one where BySide has several.
	USD float64
	// BySide is the price by the shorter side of the video, in pixels; nil
	// where it is the same for all.
	BySide map[int]float64
}

// At is the price of a unit of a video of a size.
func (p Price) At(s Size) float64 {
	short := min(s.Width, s.Height)
	for _, side := range p.sides() {
		if side >= short {
			return p.BySide[side]
		}
	}
	return p.USD
}

// sides are the shorter sides that have prices of their own, in order.
func (p Price) sides() []int {
	sides := make([]int, 0, len(p.BySide))
	for side := range p.BySide {
		sides = append(sides, side)
	}
	slices.Sort(sides)
	return sides
}

// DefaultUSDPerMegapixel is the provider's price of a megapixel at
// DefaultEndpoint, in US dollars.
// https://fal.ai/models/fal-ai/ltx-2.3-22b/text-to-video/lora
const DefaultUSDPerMegapixel = 0.001805

// pixelsPerMegapixel is the unit of the bill.
// https://fal.ai/models/fal-ai/ltx-2.3-22b/text-to-video/lora
const pixelsPerMegapixel = 1_000_000

// Cost is the price of so many units, rounded up to a micro-dollar so that an
// estimate is never below the bill.
func Cost(units, usdPerUnit float64) usd.Micros {
	micros := math.Ceil(units*usdPerUnit*float64(usd.Dollar) - 1e-6)
	if math.IsNaN(micros) || micros <= 0 {
		return 0
	}
	return usd.Micros(min(micros, maxMicros))
}

// maxMicros is more than anybody can pay, and far from overflowing a sum.
const maxMicros = 1 << 60

func megapixels(width, height, frames int) int64 {
	pixels := int64(width) * int64(height) * int64(frames)
	return (pixels + pixelsPerMegapixel - 1) / pixelsPerMegapixel
}

// Megapixels is the size of the whole video: width × height × frames in
// millions, rounded up.
func (r Request) Megapixels() int64 {
	s := r.Size()
	return megapixels(s.Width, s.Height, r.Frames())
}

// Estimate is the most that the request costs at this price, as far as is known
// before. The length of a file that is not known is taken to be the longest.
func (r Request) Estimate(p Price) usd.Micros {
	switch p.Unit {
	case OutputSecond:
		return Cost(r.outputSeconds(), p.At(r.Size()))
	case InputSecond:
		return Cost(r.inputSeconds(), p.At(r.Size()))
	case Megapixel:
	}
	return Cost(float64(r.Megapixels()), p.USD)
}

// outputSeconds is the length of the video that comes out at most. It is not
// documented whether an extended or retaken clip is billed as a whole, so it is
// taken to be.
func (r Request) outputSeconds() float64 {
	clip, ok := r.Media(idClip)
	switch {
	case !ok:
		return r.Seconds()
	case r.edit == retake:
		return max(known(clip), r.Seconds())
	}
	return known(clip) + r.Seconds()
}

// inputSeconds is the length of what goes in, with the last second whole.
func (r Request) inputSeconds() float64 {
	if m, ok := r.Media(idTrack); ok {
		return math.Ceil(known(m))
	}
	m, _ := r.Media(idClip)
	return math.Ceil(known(m))
}

// known is the length of a file, or the longest that the endpoints take.
func known(m Media) float64 {
	if m.Seconds > 0 {
		return m.Seconds
	}
	return longestSeconds
}

// strange is how much less than the length of what is made a bill in seconds
// may be for, as a factor, before it counts as a bill in some other unit.
const strange = 2

// leastSeconds is the least that a bill in seconds can be for: the part that is
// made, without the rest of a clip; 0 where that is not known.
func (r Request) leastSeconds() float64 {
	for _, id := range []string{idTrack, idClip} {
		if m, ok := r.Media(id); ok && m.Seconds <= 0 && r.task != extend && r.task != retake {
			return 0
		}
	}
	return r.Seconds()
}

// Bill is what the provider charges: for the units that it counted, else for
// the video as it came out, else the estimate. A bill above the estimate is
// never made smaller here: who charges it decides how much is too much.
func (r Request) Bill(p Price, units float64, out Output) usd.Micros {
	estimate := r.Estimate(p)
	if p.Unit == Megapixel {
		switch mp, ok := out.Megapixels(); {
		case units > 0:
			return Cost(units, p.USD)
		case ok:
			return Cost(float64(mp), p.USD)
		}
		return estimate
	}
	if units <= 0 || units*strange < r.leastSeconds() {
		return estimate
	}
	return Cost(units, p.At(r.Size()))
}
