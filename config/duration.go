package config

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

// A Duration is a time span, written "90s", "20m", "1h30m" or "90d"; a day is
// 24 hours. A bare number is refused, because its unit would be a guess.
type Duration struct{ time.Duration }

// minutes returns a duration of n minutes.
func minutes(n int) Duration { return Duration{time.Duration(n) * time.Minute} }

// errDuration says what a duration looks like.
var errDuration = errors.New(`must be a duration such as "90s", "20m", "1h30m" or "90d"`)

// ParseDuration reads a duration as it is written in the file.
func ParseDuration(s string) (Duration, error) {
	whole, rest, hasDays := strings.Cut(s, "d")
	if !hasDays {
		whole, rest = "0", s
	}
	days, err := strconv.ParseUint(whole, 10, 32)
	if err != nil || days > uint64(math.MaxInt64/day) {
		return Duration{}, errDuration
	}
	var d time.Duration
	if rest != "" || !hasDays {
		if d, err = time.ParseDuration(rest); err != nil || hasDays && d < 0 {
			return Duration{}, errDuration
		}
	}
	total := time.Duration(days)*day + d
	if hasDays && total < d {
		return Duration{}, errDuration
	}
	return Duration{total}, nil
}

// String writes the duration as it is written in the file.
func (d Duration) String() string {
	if d.Duration > day && d.Duration%day == 0 {
		return strconv.FormatInt(int64(d.Duration/day), 10) + "d"
	}
	s := d.Duration.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// MarshalText writes the duration as it is written in the file.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads a duration as it is written in the file.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := ParseDuration(string(text))
	*d = v
	return err
}
