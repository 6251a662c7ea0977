package discord

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"time"
)

// discordEpoch is the first millisecond of 2015, from which snowflakes count.
// https://discord.com/developers/docs/reference#snowflakes
const discordEpoch = 1420070400000

// Now returns the simulator's time: Options.Now plus what was advanced.
func (s *Server) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now()
}

// Advance moves the simulator's time forward by d. Deadlines, token
// lifetimes, rate-limit windows and signed URLs follow at once. Heartbeats
// and scripted delays run on real time.
func (s *Server) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advanced += d
	s.changed(Change{Kind: ClockAdvanced})
}

func (s *Server) now() time.Time { return s.opts.Now().Add(s.advanced) }

// newID returns a snowflake for the present time, larger than all before it.
func (s *Server) newID() string {
	ms := max(s.now().UnixMilli()-discordEpoch, 0)
	id := uint64(ms) << 22
	if id <= s.lastID {
		id = s.lastID + 1
	}
	s.lastID = id
	return strconv.FormatUint(id, 10)
}

// newToken returns a bot token of the real shape: the base64 of the user id,
// a timestamp, a signature.
func (s *Server) newToken() string {
	id := base64.RawStdEncoding.EncodeToString([]byte(s.bot.ID))
	return id + ".Gsim01." + randomText(38)
}

// randomText returns n random characters that are safe in a URL.
func randomText(n int) string {
	raw := make([]byte, n)
	_, _ = rand.Read(raw) // never fails, see crypto/rand.Read
	return base64.RawURLEncoding.EncodeToString(raw)[:n]
}

// snowflakeTime returns when a snowflake was made.
func snowflakeTime(id string) time.Time {
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(int64(n>>22) + discordEpoch)
}

// older says whether snowflake a was made before b.
func older(a, b string) bool {
	if len(a) != len(b) {
		return len(a) < len(b)
	}
	return a < b
}

func isoTime(t time.Time) string {
	return t.UTC().Format("2006-01-02T15:04:05.000000-07:00")
}

// randomHex returns n random bytes in hex.
func randomHex(n int) string {
	raw := make([]byte, n)
	_, _ = rand.Read(raw) // never fails, see crypto/rand.Read
	return hex.EncodeToString(raw)
}
