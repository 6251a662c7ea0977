package quota

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Window is a stretch of time in which usage is added up: "day", "week",
// "month" in the team's time zone, or a rolling one written as a duration:
// "24h", "168h". The zero value is no window.
type Window string

// The calendar windows. Weeks begin on Monday.
const (
	Day   Window = "day"
	Week  Window = "week"
	Month Window = "month"
)

// rollingSlices is how many counters a rolling window is cut into: usage
// leaves it in steps of a 24th of its length, never early.
const rollingSlices = 24

// Shortest and longest rolling windows.
const (
	minRolling = time.Minute
	MaxRolling = 366 * 24 * time.Hour
)

// ParseWindow reads a window as it is written in the config.
func ParseWindow(s string) (Window, error) {
	switch w := Window(strings.ToLower(strings.TrimSpace(s))); w {
	case Day, Week, Month:
		return w, nil
	}
	d, err := time.ParseDuration(strings.TrimSpace(s))
	if err != nil || d < minRolling || d > MaxRolling {
		return "", fmt.Errorf("window %q: want day, week, month, or a duration from 1m to 8784h such as 24h", s)
	}
	return Window(d.String()), nil
}

// Rolling is the length of a rolling window, and 0 for a calendar window.
func (w Window) Rolling() time.Duration {
	switch w {
	case Day, Week, Month, "":
		return 0
	}
	d, err := time.ParseDuration(string(w))
	if err != nil {
		return 0
	}
	return d
}

// Span is the calendar window around t in loc.
func (w Window) Span(t time.Time, loc *time.Location) (start, end time.Time) {
	y, m, d := t.In(loc).Date()
	if w == Month {
		return midnight(y, m, 1, loc), midnight(y, m+1, 1, loc)
	}
	if w == Week {
		d -= (int(t.In(loc).Weekday()) + 6) % 7
		return midnight(y, m, d, loc), midnight(y, m, d+7, loc)
	}
	return midnight(y, m, d, loc), midnight(y, m, d+1, loc)
}

// midnight is the first instant of a day. Where summer time begins at
// midnight, as in Chile and Cuba, that is one o'clock: there time.Date may
// answer with the evening before.
func midnight(y int, m time.Month, d int, loc *time.Location) time.Time {
	t, noon := time.Date(y, m, d, 0, 0, 0, 0, loc), time.Date(y, m, d, 12, 0, 0, 0, loc)
	if t.Day() != noon.Day() {
		_, before := t.Zone()
		_, after := noon.Zone()
		t = t.Add(time.Duration(after-before) * time.Second)
	}
	return t
}

// count says where usage at t is counted in this window, and when it resets. Its
// counters are named when it is of a unit.
func (w Window) count(scope Scope, t time.Time, loc *time.Location) Count {
	c := Count{Scope: scope, Window: w}
	if length := w.Rolling(); length > 0 {
		slice := length / rollingSlices
		n := t.UnixNano() / int64(slice)
		name := func(n int64) string { return string(w) + "/" + strconv.FormatInt(n, 10) }
		c.Counter = name(n)
		for i := int64(1); i <= rollingSlices; i++ {
			c.Also = append(c.Also, name(n-i))
		}
		c.Resets = time.Unix(0, (n+1)*int64(slice)).In(loc)
		c.Expires = time.Unix(0, (n+rollingSlices+2)*int64(slice)).UTC()
		return c
	}
	start, end := w.Span(t, loc)
	c.Counter = string(w) + "/" + start.Format(time.DateOnly)
	c.Resets = end
	c.Expires = end.Add(counterGrace).UTC()
	return c
}

// counterGrace is how long a calendar counter outlives its window, so that a
// job reserved before midnight can be settled after it.
const counterGrace = 14 * 24 * time.Hour

// of is c with the counters of a unit in an epoch, under a limit. The first epoch
// has plain names.
func (c Count) of(unit Unit, epoch int, most int64) Count {
	before, after := string(unit)+"/", ""
	if epoch != 0 {
		after = fmt.Sprintf("+%d", epoch)
	}
	c.Unit, c.Max = unit, most
	c.Counter = before + c.Counter + after
	also := c.Also
	c.Also = nil
	for _, name := range also {
		c.Also = append(c.Also, before+name+after)
	}
	return c
}
