package config

import (
	"cmp"
	"fmt"
	"math"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A checker collects problems.
type checker struct {
	origin   *document
	problems []Problem
	unread   bool // the file could not be read beyond a mistake
}

// merge adds what other has found, but for what follows from a problem that is
// known: a value that could not be read is not missing.
func (k *checker) merge(other *checker) {
	known := k.problems
	for _, p := range other.problems {
		if !slices.ContainsFunc(known, func(before Problem) bool { return follows(p.Key, before.Key) }) {
			k.problems = append(k.problems, p)
		}
	}
}

// follows reports whether a problem with key may come of one with before: they
// are about the same setting, or one is a part of the other. That no platform is
// on, which is about no key, may come of any problem with one.
func follows(key, before string) bool {
	a, b := keyPath(key), keyPath(before)
	if key == "" {
		return slices.ContainsFunc(chats, func(p chat) bool { return p.name == b[0] })
	}
	n := min(len(a), len(b))
	return slices.Equal(a[:n], b[:n])
}

// add records a problem; value is as a person would read it, or empty.
func (k *checker) add(key, value, text string) {
	at := k.origin.find(key)
	k.problems = append(k.problems, Problem{Key: key, Value: value, Text: text, Line: at.line, Column: at.column})
}

// err returns what was found, in the order of the file, or nil.
func (k *checker) err() error {
	if len(k.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(k.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	e := &InvalidError{Problems: k.problems, Unread: k.unread}
	if k.origin != nil {
		e.File = k.origin.file
	}
	return e
}

// oneOf checks that v is one of the allowed words.
func (k *checker) oneOf(key, v string, allowed ...string) {
	if !slices.Contains(allowed, v) {
		k.add(key, quote(v), "must be one of: "+strings.Join(allowed, ", "))
	}
}

// whole checks that low ≤ v ≤ high.
func (k *checker) whole(key string, v, low, high int64) {
	switch {
	case v >= low && v <= high:
	case high == math.MaxInt64:
		k.add(key, strconv.FormatInt(v, 10), fmt.Sprintf("must be %d or more", low))
	default:
		k.add(key, strconv.FormatInt(v, 10), fmt.Sprintf("must be from %d to %d", low, high))
	}
}

// address checks where a server listens.
func (k *checker) address(key, v string) {
	_, port, err := net.SplitHostPort(v)
	if n, convErr := strconv.Atoi(port); err != nil || convErr != nil || n < 0 || n > 65535 {
		k.add(key, quote(v), `must be an address and a port, such as "127.0.0.1:8080" or ":8080"`)
	}
}

// notNegative checks an amount that may be zero.
func (k *checker) notNegative(key string, v float64) {
	if !(v >= 0) || v > maxAmount {
		k.add(key, fmt.Sprint(v), fmt.Sprintf("must be from 0 to %d", maxAmount))
	}
}

// maxAmount is more than anybody has to spend, in dollars: sums of it stay far
// from the end of 64 bits of micro-dollars.
const maxAmount = 1_000_000

// positive checks that a duration is longer than nothing.
func (k *checker) positive(key string, d Duration) {
	if d.Duration <= 0 {
		k.add(key, quote(d.String()), "must be longer than nothing")
	}
}

// zone checks the name of a time zone.
func (k *checker) zone(key, name string) {
	if _, err := time.LoadLocation(name); err != nil || name == "" || name == "Local" {
		k.add(key, quote(name), `must be the IANA name of a time zone, such as "UTC" or "Europe/Berlin"`)
	}
}

// matches checks a value against a pattern that want describes.
func (k *checker) matches(key, v string, pattern *regexp.Regexp, want string) {
	if !pattern.MatchString(v) {
		k.add(key, quote(v), "must be "+want)
	}
}

// each checks every element of a list against a pattern, and that none is
// there twice.
func (k *checker) each(key string, list []string, pattern *regexp.Regexp, want string) {
	for i, v := range list {
		element := fmt.Sprintf("%s[%d]", key, i)
		k.matches(element, v, pattern, want)
		if slices.Contains(list[:i], v) {
			k.add(element, quote(v), "is listed twice")
		}
	}
}

// baseURL checks the address of a service: https, or plain http on this
// machine, which is how tests and simulators are reached.
func (k *checker) baseURL(key, v string) {
	u, err := url.Parse(v)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		k.add(key, "", "must be an address such as https://example.com")
	case u.User != nil:
		k.add(key, "", "must not hold a user name or a password")
	case u.RawQuery != "" || u.Fragment != "":
		k.add(key, "", "must not hold a query (?) or a fragment (#)")
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
	default:
		k.add(key, quote(v), "must be https; plain http is for this machine only (127.0.0.1, [::1], localhost)")
	}
}

// isLoopback tells a host that is this machine.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// hostPattern is a lower-case host name, one with "*." for any name below it,
// or this machine with or without a port.
var hostPattern = regexp.MustCompile(`^((localhost|127\.0\.0\.1)(:[0-9]{1,5})?|(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]([a-z0-9-]*[a-z0-9])?)$`)

// hosts checks a list of host patterns.
func (k *checker) hosts(key string, list []string) {
	k.each(key, list, hostPattern, `a host in lower case such as "fal.media", or "*.fal.media" for every host below it`)
}

// quote writes a value as it stands in the file.
func quote(s string) string { return fmt.Sprintf("%q", s) }
