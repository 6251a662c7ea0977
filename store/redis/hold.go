package redis

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"ltxbot/core/quota"
	"ltxbot/core/usd"
)

// A hold is kept as lines. The first is what billing changes, and the time of
// the reservation:
//
//	state cost charged closed at
//
// The second is team and member, the third the scopes of its entries, each with
// a separator between. Then an entry each:
//
//	scope unit+add expires counter
//
// where scope counts from 1 and the unit is a letter: "1 d130000 1774483200
// usd/day/2026-03-11". Scripts put holds together and take them apart as well:
// see lua/ledger.lua.
const holdLines = 3 // before the entries

// unitLetters are how units are written.
var unitLetters = map[quota.Unit]byte{quota.Videos: 'v', quota.Dollars: 'd'}

// units are what the letters mean.
var units = map[byte]quota.Unit{'v': quota.Videos, 'd': quota.Dollars}

// holdHead is a hold from its time on, up to its entries.
func holdHead(team, member string, at time.Time, scopes []quota.Scope) string {
	var b strings.Builder
	b.WriteString(sortable(at) + "\n" + seat(team, member) + "\n")
	for i, s := range scopes {
		if i > 0 {
			b.WriteString(sep)
		}
		b.WriteString(s.String())
	}
	b.WriteByte('\n')
	return b.String()
}

// entrySize is how long an entry usually is at most.
const entrySize = 48

// appendEntry writes an entry, which belongs to the scope with a number.
func appendEntry(b []byte, scope int, e quota.Entry) []byte {
	b = strconv.AppendInt(b, int64(scope), 10)
	b = append(b, ' ', unitLetters[e.Unit])
	b = strconv.AppendInt(b, e.Add, 10)
	b = append(b, ' ')
	b = appendExpiry(b, e.Expires)
	b = append(b, ' ')
	return append(b, e.Counter...)
}

// expirySecond is when a counter expires, in seconds since 1970, not earlier;
// 0 for never. In Lua it is expiry.
func expirySecond(at time.Time) int64 {
	switch {
	case at.IsZero():
		return 0
	case at.Nanosecond() > 0:
		return at.Unix() + 1
	default:
		return at.Unix()
	}
}

// never is how a time is written that does not come.
const never = "-"

// appendExpiry writes a time in seconds since 1970, and what is left of one in
// nanoseconds.
func appendExpiry(b []byte, at time.Time) []byte {
	if at.IsZero() {
		return append(b, never...)
	}
	b = strconv.AppendInt(b, at.Unix(), 10)
	if n := at.Nanosecond(); n > 0 {
		b = fmt.Appendf(b, ".%09d", n)
	}
	return b
}

func parseExpiry(text string) (time.Time, error) {
	if text == never {
		return time.Time{}, nil
	}
	whole, rest, _ := strings.Cut(text, ".")
	seconds, err := strconv.ParseInt(whole, 10, 64)
	nano := int64(0)
	if err == nil && rest != "" {
		nano, err = strconv.ParseInt(rest, 10, 64)
	}
	return time.Unix(seconds, nano).UTC(), err
}

// decodeHold reads the hold of a job.
func decodeHold(job, value string) (quota.Hold, error) {
	lines := strings.SplitN(value, "\n", holdLines+1)
	if len(lines) != holdLines+1 {
		return quota.Hold{}, errDamaged
	}
	head := strings.Split(lines[0], " ")
	const fields = 5
	if len(head) != fields {
		return quota.Hold{}, errDamaged
	}
	h := quota.Hold{Job: job, State: quota.HoldState(head[0])}
	h.Team, h.Member, _ = strings.Cut(lines[1], sep)
	cost, costErr := strconv.ParseInt(head[1], 10, 64)
	charged, chargedErr := strconv.ParseInt(head[2], 10, 64)
	h.Estimate, h.Charged = usd.Micros(cost), usd.Micros(charged)
	var closedErr, atErr, err error
	if head[3] != never {
		h.Closed, closedErr = parseSortable(head[3])
	}
	h.At, atErr = parseSortable(head[4])
	h.Entries, err = decodeEntries(parseScopes(lines[2]), lines[3])
	for _, err := range [...]error{costErr, chargedErr, closedErr, atErr, err} {
		if err != nil {
			return quota.Hold{}, fmt.Errorf("%w: %w", errDamaged, err)
		}
	}
	if !slices.Contains([]quota.HoldState{quota.Held, quota.Settled, quota.Released}, h.State) {
		return quota.Hold{}, errDamaged
	}
	return h, nil
}

// parseScopes reads the third line of a hold.
func parseScopes(line string) (scopes []quota.Scope) {
	for name := range strings.SplitSeq(line, sep) {
		kind, id, _ := strings.Cut(name, "/")
		scopes = append(scopes, quota.Scope{Kind: quota.ScopeKind(kind), ID: id})
	}
	return scopes
}

// decodeEntries reads the entries of a hold with these scopes.
func decodeEntries(scopes []quota.Scope, text string) ([]quota.Entry, error) {
	entries := make([]quota.Entry, 0, strings.Count(text, "\n"))
	for line := range strings.Lines(text) {
		const fields = 4
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", fields)
		if len(f) != fields || len(f[1]) < 2 {
			return nil, errDamaged
		}
		scope, err := strconv.Atoi(f[0])
		if err != nil || scope < 1 || scope > len(scopes) {
			return nil, errDamaged
		}
		unit, known := units[f[1][0]]
		add, addErr := strconv.ParseInt(f[1][1:], 10, 64)
		expires, expiresErr := parseExpiry(f[2])
		if !known || addErr != nil || expiresErr != nil {
			return nil, errDamaged
		}
		entries = append(entries, quota.Entry{Scope: scopes[scope-1], Unit: unit, Counter: f[3], Add: add, Expires: expires})
	}
	return entries, nil
}

// encodeHold writes a hold, with the scopes that its entries have.
func encodeHold(h quota.Hold) string {
	var scopes scopeList
	var entries []byte
	for _, e := range h.Entries {
		entries = append(appendEntry(entries, scopes.number(e.Scope), e), '\n')
	}
	closed := never
	if !h.Closed.IsZero() {
		closed = sortable(h.Closed)
	}
	return fmt.Sprintf("%s %d %d %s %s%s", h.State, h.Estimate, h.Charged, closed, holdHead(h.Team, h.Member, h.At, scopes), entries)
}

// scopeList numbers scopes.
type scopeList []quota.Scope

// number is the number of a scope, from 1.
func (l *scopeList) number(s quota.Scope) int {
	i := slices.Index(*l, s)
	if i < 0 {
		i = len(*l)
		*l = append(*l, s)
	}
	return i + 1
}
