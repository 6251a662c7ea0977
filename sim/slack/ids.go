package slack

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// obj is a JSON object.
type obj = map[string]any

// newID returns a fresh id with the prefix that Slack gives to its kind: T
// workspace, U user, C G D channel, F file, V view. s.mu is held, or the server
// is not yet serving.
func (s *Server) newID(prefix string) string {
	s.counter++
	digits := strings.ToUpper(strconv.FormatUint(s.counter*7919+36*36*36, 36))
	return prefix + strings.Repeat("0", max(0, 10-len(digits))) + digits
}

// newTS returns the timestamp that names a message: seconds and microseconds,
// never the same twice. s.mu is held.
func (s *Server) newTS() string {
	s.lastTS = max(s.lastTS+1, s.clock.Now().UnixMicro())
	return fmt.Sprintf("%d.%06d", s.lastTS/1e6, s.lastTS%1e6)
}

// tsTime is the moment that a timestamp names.
func tsTime(ts string) time.Time {
	seconds, micros, _ := strings.Cut(ts, ".")
	sec, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return time.Time{}
	}
	frac, err := strconv.ParseInt(micros, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMicro(sec*1e6 + frac)
}

// validTS reports whether ts has the form of a message timestamp.
func validTS(ts string) bool {
	_, micros, found := strings.Cut(ts, ".")
	return found && len(micros) == 6 && !tsTime(ts).IsZero()
}
