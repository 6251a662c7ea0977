package team

import (
	"cmp"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	"ltxbot/core/quota"
	"ltxbot/core/usd"
)

// arguments reads the arguments of an order. The first that is wrong is
// remembered as err; what is read after it is zero.
type arguments struct {
	verb  Verb
	args  map[string]string
	parse func(text string) (member string, ok bool)
	err   error
}

func newArguments(v Verb, o Order, parse func(string) (string, bool)) *arguments {
	args, err := v.Take(o)
	return &arguments{verb: v, args: args, parse: parse, err: err}
}

// Take returns the arguments of an order, without those that are blank. There is
// nothing but what the verb takes, and all that it needs, or the error is an
// *OrderError.
func (v Verb) Take(o Order) (map[string]string, error) {
	args := map[string]string{}
	for name, value := range o.Args {
		a, ok := v.arg(name)
		if !ok {
			return args, &OrderError{Problem: UnknownArg, Verb: v.Name, Arg: name, Value: value}
		}
		if value = strings.TrimSpace(value); value != "" {
			args[a.Name] = value
		}
	}
	for _, a := range v.Args {
		if a.Required && args[a.Name] == "" {
			return args, &OrderError{Problem: Missing, Verb: v.Name, Arg: a.Name}
		}
	}
	return args, nil
}

func (r *arguments) fail(p OrderProblem, arg, value string) {
	if r.err == nil {
		r.err = &OrderError{Problem: p, Verb: r.verb.Name, Arg: arg, Value: value}
	}
}

// maxReason bounds a reason, in bytes: it is shown in cards.
const maxReason = 500

func (r *arguments) reason() string {
	s := strings.Join(strings.Fields(r.args["reason"]), " ")
	if len(s) > maxReason {
		s = strings.ToValidUTF8(s[:maxReason], "")
	}
	return s
}

// who is a member, or empty for the team.
func (r *arguments) who() string {
	if value := r.args["who"]; value != "" && !strings.EqualFold(value, TheTeam) {
		return r.parseMember("who", value)
	}
	return ""
}

func (r *arguments) member() string { return r.parseMember("member", r.args["member"]) }

func (r *arguments) parseMember(arg, value string) string {
	m, ok := r.parse(value)
	if !ok && r.err == nil {
		r.fail(BadMember, arg, value)
	}
	return m
}

// limit is the limit that is named; all is set for AllLimits.
func (r *arguments) limit() (l quota.LimitName, all bool) {
	value := r.args["limit"]
	if r.verb.Name == "unset" && strings.EqualFold(value, AllLimits) {
		return quota.LimitName{}, true
	}
	name := strings.NewReplacer("/", "_per_", "-", "_", "$", "usd", "dollars", "usd").Replace(strings.ToLower(value))
	if name == "jobs" || name == "jobs_at_a_time" {
		return quota.LimitName{Unit: quota.Jobs}, false
	}
	unit, window, ok := strings.Cut(name, "_per_")
	w, err := quota.ParseWindow(daysAsHours(window))
	if !ok || err != nil || (unit != string(quota.Videos) && unit != string(quota.Dollars)) {
		r.fail(BadLimit, "limit", value)
		if wrong, ok := errors.AsType[*OrderError](r.err); ok && wrong.Problem == BadLimit {
			wrong.Nearest = nearestLimit(value)
		}
	}
	return quota.LimitName{Unit: quota.Unit(unit), Window: w}, false
}

var dayLength = regexp.MustCompile(`^([0-9]{1,4})([dw])$`)

// daysAsHours writes "7d" and "2w" as hours, which time.ParseDuration reads.
func daysAsHours(s string) string {
	m := dayLength.FindStringSubmatch(strings.ToLower(s))
	if m == nil {
		return s
	}
	n, _ := strconv.Atoi(m[1]) // the pattern has digits only
	if m[2] == "w" {
		n *= 7
	}
	return strconv.Itoa(24*n) + "h"
}

// Amounts that no team has, so that sums stay far from the end of 64 bits.
const (
	maxVideos  = 1_000_000_000
	maxDollars = 1_000_000
)

// amount is the value of a limit; 0 is no limit.
func (r *arguments) amount(l quota.LimitName) int64 {
	value := strings.ToLower(r.args["amount"])
	switch value {
	case "none", "unlimited", "off", "-1":
		return 0
	}
	n, ok := wholeNumber(value)
	if l.Unit == quota.Dollars {
		var m usd.Micros
		m, ok = money(value)
		n = int64(m)
	}
	if !ok {
		r.fail(BadAmount, "amount", r.args["amount"])
	}
	return n
}

func (r *arguments) videos() int64 {
	value := r.args["videos"]
	if value == "" {
		return 0
	}
	n, ok := wholeNumber(value)
	if !ok {
		r.fail(BadNumber, "videos", value)
	}
	return n
}

func (r *arguments) money() usd.Micros {
	value := r.args["usd"]
	if value == "" {
		return 0
	}
	m, ok := money(value)
	if !ok {
		r.fail(BadMoney, "usd", value)
	}
	return m
}

func wholeNumber(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && n > 0 && n <= maxVideos
}

var moneyPattern = regexp.MustCompile(`^\$?([0-9]{1,7})(?:[.,]([0-9]{1,6}))?\$?$`)

// money reads "2.50", "$2", "2,5" exactly.
func money(s string) (usd.Micros, bool) {
	m := moneyPattern.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	whole, _ := strconv.ParseInt(m[1], 10, 64) // the pattern has digits only
	part, _ := strconv.ParseInt(cmp.Or((m[2] + "000000")[:6], "0"), 10, 64)
	sum := usd.Micros(whole)*usd.Dollar + usd.Micros(part)
	return sum, sum > 0 && whole <= maxDollars
}

// until is when something expires: the zero time for never. A day is over at
// its end in the team's time zone.
func (r *arguments) until(now time.Time, zone *time.Location) time.Time {
	value := r.args["expires"]
	if value == "" {
		return time.Time{}
	}
	at := time.Time{}
	if d, err := time.ParseDuration(daysAsHours(value)); err == nil && d > 0 && d <= quota.MaxRolling {
		at = now.Add(d)
	} else if day, err := time.ParseInLocation(time.DateOnly, value, zone); err == nil {
		_, at = quota.Day.Span(day.Add(12*time.Hour), zone)
	}
	if !at.After(now) {
		r.fail(BadUntil, "expires", value)
		return time.Time{}
	}
	return at.UTC().Truncate(time.Second)
}

// month is the calendar month in the team's time zone.
func (r *arguments) month(now time.Time, zone *time.Location) (start, end time.Time) {
	value := strings.ToLower(r.args["month"])
	switch value {
	case "", "this":
		return quota.Month.Span(now, zone)
	case "last":
		start, _ = quota.Month.Span(now, zone)
		return quota.Month.Span(start.Add(-time.Hour), zone)
	}
	first, err := time.ParseInLocation("2006-01", value, zone)
	if err != nil {
		r.fail(BadMonth, "month", r.args["month"])
		return start, end
	}
	return quota.Month.Span(first.Add(12*time.Hour), zone)
}
