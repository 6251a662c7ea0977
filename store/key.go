package store

import (
	"strings"
	"time"
	"unicode/utf8"
)

// Every kind of key begins with one of these. The table in the package comment
// explains them.
const (
	jobKey       = "job/"
	allJobs      = "jobs/all/"
	jobsByTeam   = "jobs/team/"
	jobsByMember = "jobs/member/"
	jobsByPlace  = "jobs/channel/"
	jobsByState  = "jobs/state/"
	jobsByModel  = "jobs/model/"
	jobsByPosted = "jobs/posted/"
	openJobs     = "open/all/"
	openByTeam   = "open/team/"
	openByMember = "open/member/"
	endedJobs    = "ended/job/"
	endedPrompts = "ended/prompt/"
	copyKey      = "archive/job/"
	copiesByDue  = "archive/due/"

	lineBotKey    = "line/bot"
	lineTeamKey   = "line/team/"
	lineMemberKey = "line/member/"
	lineWaitKey   = "line/wait/"
	lineOrderKey  = "line/order/"
	lineNextKey   = "line/next/"

	holdKey       = "hold/"
	heldHolds     = "holds/held/"
	holdsByExpiry = "holds/expiry/"
	holdsByTeam   = "holds/team/"
	usageKey      = "usage/"
	totalsKey     = "totals"
	spentKey      = "spent/"
	daySumKey     = "spent-by-team/"

	libraryKey  = "library/team/"
	loraKey     = "library/lora/"
	styleKey    = "library/style/"
	defaultsKey = "library/defaults/"

	memberKey  = "admin/member/"
	teamKey    = "admin/team/"
	auditKey   = "audit/"
	ttlKey     = "ttl/"
	settingKey = "setting/"
	sessionKey = "session/"
	clockKey   = "clock"
	damagedKey = "damaged/"
)

// join writes a key of names, each of which may hold any character.
func join(prefix string, names ...string) string {
	size := len(prefix)
	for _, n := range names {
		size += 1 + len(n)
	}
	var b strings.Builder
	b.Grow(size)
	b.WriteString(prefix)
	for i, n := range names {
		if i > 0 {
			b.WriteByte('/')
		}
		b.WriteString(escape(n))
	}
	return b.String()
}

// escape writes a name without a slash and without what can't be in a key.
func escape(name string) string {
	plain := func(r rune) bool { return r > ' ' && r != '/' && r != '%' && r != utf8.RuneError }
	if strings.IndexFunc(name, func(r rune) bool { return !plain(r) }) < 0 {
		return name
	}
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i, r := range name {
		if plain(r) {
			b.WriteRune(r)
			continue
		}
		_, size := utf8.DecodeRuneInString(name[i:])
		for _, c := range []byte(name[i : i+size]) {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

// unescape undoes escape.
func unescape(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	digit := func(c byte) byte {
		if c >= 'A' {
			return c - 'A' + 10
		}
		return c - '0'
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			b.WriteByte(digit(s[i+1])<<4 | digit(s[i+2]))
			i += 2
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// split reads the names of a key that join wrote.
func split(prefix, key string) []string {
	names := strings.Split(strings.TrimPrefix(key, prefix), "/")
	for i, n := range names {
		names[i] = unescape(n)
	}
	return names
}

// last is the last name of a key.
func last(key string) string { return unescape(key[strings.LastIndexByte(key, '/')+1:]) }

// timeFormat sorts as the times do. All are in UTC.
const timeFormat = "2006-01-02T15:04:05.000000000Z"

func stamped(at time.Time) string { return at.UTC().Format(timeFormat) }
