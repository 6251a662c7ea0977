package quota

import (
	"fmt"
	"strconv"
	"strings"

	"ltxbot/core/usd"
)

// A LimitName is one limit as people name it.
type LimitName struct {
	Unit   Unit
	Window Window // empty for Jobs
}

// String is the name that the config has for the limit.
func (l LimitName) String() string {
	if l.Unit == Jobs {
		return "jobs_at_a_time"
	}
	return string(l.Unit) + "_per_" + string(l.Window)
}

// LimitNames are the names of the limits by the calendar, and of jobs at a
// time. There are as many others as there are rolling windows.
func LimitNames() []string {
	names := make([]string, 0, 7)
	for _, u := range []Unit{Videos, Dollars} {
		for _, w := range []Window{Day, Week, Month} {
			names = append(names, LimitName{u, w}.String())
		}
	}
	return append(names, LimitName{Unit: Jobs}.String())
}

// Max is how much one limit is; 0 is no limit.
func (l Limits) Max(name LimitName) int64 {
	switch name.Unit {
	case Jobs:
		return int64(l.JobsAtATime)
	case Videos:
		return l.in(name.Window).Videos
	case Dollars:
	}
	return int64(l.in(name.Window).USD)
}

// WriteAmount writes an amount for the log.
func WriteAmount(u Unit, n int64) string {
	switch {
	case n == 0:
		return "none"
	case u == Dollars:
		return WriteDollars(usd.Micros(n))
	}
	return strconv.FormatInt(n, 10)
}

// WriteDollars writes an amount exactly, with two decimals at least: "2.50".
func WriteDollars(m usd.Micros) string {
	sign := ""
	if m < 0 {
		sign, m = "-", -m
	}
	decimals := strings.TrimRight(fmt.Sprintf("%06d", m%usd.Dollar), "0")
	for len(decimals) < 2 {
		decimals += "0"
	}
	return fmt.Sprintf("%s%d.%s", sign, m/usd.Dollar, decimals)
}
