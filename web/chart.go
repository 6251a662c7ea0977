package web

import (
	"strconv"
	"time"

	"ltxbot/core/usd"
)

// chart is a bar for each day, for a template that draws it as SVG. It is a
// page of code in place of a library: those that are alive add two megabytes to
// the program, for one kind of chart.
type chart struct {
	Width, Height int
	Bars          []bar
	Lines         []line
	Labels        []label
	Summary       string // for who does not see it
}

// The parts of a chart, in units of its own.
type (
	bar struct {
		X, Y, Width, Height, Held int
		Title                     string
	}
	line struct {
		Y    int
		Text string
	}
	label struct {
		X    int
		Text string
	}
)

// The size of a chart and of what is around its bars.
const (
	chartWidth  = 720
	chartHeight = 220
	chartLeft   = 56
	chartRight  = 16 // half of the last label, which may stand under the last bar
	chartTop    = 10
	chartBottom = 24
)

// dayChart draws what was spent on each day; nil when nothing was.
func dayChart(days []Day) *chart {
	var most, sum usd.Micros
	best := Day{}
	for _, d := range days {
		spent := d.Charged + d.Held
		sum += spent
		if spent > most {
			most, best = spent, d
		}
	}
	if most == 0 {
		return nil
	}
	top := roundUp(most)
	c := &chart{Width: chartWidth, Height: chartHeight}
	c.Summary = "Spending on each of the last " + strconv.Itoa(len(days)) + " days: " + dollars(sum) + " in all, most on " + best.Day + " with " + dollars(most) + "."
	room := chartHeight - chartTop - chartBottom
	scale := func(m usd.Micros) int { return int(int64(m) * int64(room) / int64(top)) }
	for _, part := range []usd.Micros{0, top / 2, top} {
		c.Lines = append(c.Lines, line{chartTop + room - scale(part), dollars(part)})
	}
	step := (chartWidth - chartLeft - chartRight) / len(days)
	for i, d := range days {
		x := chartLeft + i*step
		b := bar{X: x, Width: step - 4, Height: scale(d.Charged), Held: scale(d.Held), Title: d.Day + ": " + dollars(d.Charged) + ", " + count(d.Videos, "video")}
		if d.Held > 0 {
			b.Title += "; " + dollars(d.Held) + " held for what is under way"
		}
		b.Y = chartTop + room - b.Height
		c.Bars = append(c.Bars, b)
		if day, err := time.Parse(time.DateOnly, d.Day); err == nil && day.Weekday() == time.Monday {
			c.Labels = append(c.Labels, label{x + step/2, day.Format("2 Jan")})
		}
	}
	return c
}

// HeldY is where the part of a bar begins that is held, not paid.
func (b bar) HeldY() int { return b.Y - b.Held }

// roundUp is the next amount that is 1, 2 or 5 of a power of ten.
func roundUp(m usd.Micros) usd.Micros {
	for unit := usd.Micros(1); ; unit *= 10 {
		for _, n := range []usd.Micros{1, 2, 5} {
			if n*unit >= m {
				return n * unit
			}
		}
	}
}
