package quota

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"
	"time"

	"ltxbot/core/usd"
)

// arguments reads the arguments of an order. The first that is wrong is
// remembered as err; what is read after it is zero.
type arguments struct {
	verb Verb
	args map[string]string
	home string // the member who orders: a bare id is of the same platform
	err  error
}

// newArguments checks that there is nothing but what the verb takes, and all
// that it needs.
func newArguments(v Verb, o Order, home string) *arguments {
	r := &arguments{verb: v, args: map[string]string{}, home: home}
	for name, value := range o.Args {
		a, ok := v.arg(name)
		if !ok {
			r.fail(UnknownArg, name, value)
			return r
		}
		if value = strings.TrimSpace(value); value != "" {
			r.args[a.Name] = value
		}
	}
	for _, a := range v.Args {
		if a.Required && r.args[a.Name] == "" {
			r.fail(Missing, a.Name, "")
		}
	}
	return r
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
	m, ok := ParseMember(value, r.home)
	if !ok && r.err == nil {
		r.fail(BadMember, arg, value)
	}
	return m
}

var (
	mentionPattern = regexp.MustCompile(`^<@!?([A-Za-z0-9]+)(?:\|[^>]*)?>$`)
	discordID      = regexp.MustCompile(`^[0-9]{1,20}$`)
	slackID        = regexp.MustCompile(`^[UW][A-Z0-9]{2,}$`)
	memberName     = regexp.MustCompile(`^(discord:[0-9]{1,20}|slack:[TE][A-Z0-9]+:[UW][A-Z0-9]+)$`)
)

// ParseMember reads how people write a member: a mention of Discord, "<@1>",
// or of Slack, "<@U1|ann>" or "@U1", an id, or the full name. home is the
// member who writes: an id of Slack alone belongs to the same workspace.
func ParseMember(text, home string) (string, bool) {
	text = strings.TrimSpace(text)
	if memberName.MatchString(text) {
		return text, true
	}
	id := strings.TrimPrefix(text, "@")
	if m := mentionPattern.FindStringSubmatch(text); m != nil {
		id = m[1]
	}
	switch {
	case discordID.MatchString(id):
		return "discord:" + id, true
	case slackID.MatchString(id) && strings.HasPrefix(home, "slack:"):
		return home[:strings.LastIndexByte(home, ':')+1] + id, true
	}
	return "", false
}

// A limitName is one limit as people name it.
type limitName struct {
	unit   Unit
	window Window // empty for Jobs
}

// String is the name that the config has for the limit.
func (l limitName) String() string {
	if l.unit == Jobs {
		return "jobs_at_a_time"
	}
	return string(l.unit) + "_per_" + string(l.window)
}

// LimitNames are the names of the limits by the calendar, and of jobs at a
// time. There are as many others as there are rolling windows.
func LimitNames() []string {
	names := make([]string, 0, 7)
	for _, u := range []Unit{Videos, Dollars} {
		for _, w := range []Window{Day, Week, Month} {
			names = append(names, limitName{u, w}.String())
		}
	}
	return append(names, limitName{unit: Jobs}.String())
}

// limit is the limit that is named; all is set for AllLimits.
func (r *arguments) limit() (l limitName, all bool) {
	value := r.args["limit"]
	if r.verb.Name == "unset" && strings.EqualFold(value, AllLimits) {
		return limitName{}, true
	}
	name := strings.NewReplacer("/", "_per_", "-", "_", "$", "usd", "dollars", "usd").Replace(strings.ToLower(value))
	if name == "jobs" || name == "jobs_at_a_time" {
		return limitName{unit: Jobs}, false
	}
	unit, window, ok := strings.Cut(name, "_per_")
	w, err := ParseWindow(daysAsHours(window))
	if !ok || err != nil || (unit != string(Videos) && unit != string(Dollars)) {
		r.fail(BadLimit, "limit", value)
	}
	return limitName{Unit(unit), w}, false
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
func (r *arguments) amount(l limitName) int64 {
	value := strings.ToLower(r.args["amount"])
	switch value {
	case "none", "unlimited", "off", "-1":
		return 0
	}
	n, ok := wholeNumber(value)
	if l.unit == Dollars {
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
	if d, err := time.ParseDuration(daysAsHours(value)); err == nil && d > 0 && d <= maxRolling {
		at = now.Add(d)
	} else if day, err := time.ParseInLocation(time.DateOnly, value, zone); err == nil {
		_, at = Day.span(day.Add(12*time.Hour), zone)
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
		return Month.span(now, zone)
	case "last":
		start, _ = Month.span(now, zone)
		return Month.span(start.Add(-time.Hour), zone)
	}
	first, err := time.ParseInLocation("2006-01", value, zone)
	if err != nil {
		r.fail(BadMonth, "month", r.args["month"])
		return start, end
	}
	return Month.span(first.Add(12*time.Hour), zone)
}
