package view

import (
	"time"

	"ltxbot/bot/text"
	"ltxbot/core/quota"
	"ltxbot/core/usd"
)

// gaugeLine is "you used 3 of 10 today · team used $4.10 of $200 this month": for each scope the
// limit that is nearest.
func (v printer) gaugeLine(gauges []quota.Gauge) []text.Span {
	var pieces [][]text.Span
	for _, kind := range []quota.ScopeKind{quota.Member, quota.Team} {
		var tightest *quota.Gauge
		for i, g := range gauges {
			if g.Scope.Kind == kind && g.Max > 0 && (tightest == nil || used(g) > used(*tightest)) {
				tightest = &gauges[i]
			}
		}
		if tightest != nil {
			pieces = append(pieces, v.shortGauge(*tightest))
		}
	}
	return text.Dotted(pieces...)
}

// used is the part of a limit that is used, 1 for all of it.
func used(g quota.Gauge) float64 {
	if g.Max <= 0 {
		return 0
	}
	return float64(g.Used) / float64(g.Max)
}

// scopeWord is the key of who a limit is for.
var scopeWord = map[quota.ScopeKind]string{quota.Member: "you", quota.Team: "team", quota.Bot: "bot"}

// shortGauge is "you used 10 of 10 today (+4 extra)".
func (v printer) shortGauge(g quota.Gauge) []text.Span {
	line := v.Spans("gauge."+windowKey(g.Window), "who", v.Text("gauge."+scopeWord[g.Scope.Kind]),
		"used", v.amount(g.Unit, g.Used), "max", v.amount(g.Unit, g.Max), "window", v.length(g.Window))
	if g.Extra > 0 {
		line = append(line, v.Spans("gauge.extra", "left", v.amount(g.Unit, g.Extra))...)
	}
	return line
}

// amount writes a quantity of a limit.
func (v printer) amount(u quota.Unit, n int64) string {
	if u == quota.Dollars {
		return v.Money(usd.Micros(n))
	}
	return v.Value(n)
}

// windowKey names a window in the catalogue.
func windowKey(w quota.Window) string {
	switch w {
	case quota.Day, quota.Week, quota.Month:
		return string(w)
	}
	return "rolling"
}

// window is "today", "this month", "within 24 h".
func (v printer) window(w quota.Window) string {
	return v.Text("window."+windowKey(w), "window", v.length(w))
}

// length is how long a rolling window is: "24 h".
func (v printer) length(w quota.Window) string {
	const day = 24 * time.Hour
	switch d := w.Rolling(); {
	case d == 0:
		return ""
	case d%day == 0 && d > day:
		return v.Text("window.days", "n", int(d/day))
	case d%time.Hour == 0:
		return v.Text("window.hours", "n", int(d/time.Hour))
	default:
		return v.Text("window.minutes", "n", int(d/time.Minute))
	}
}
