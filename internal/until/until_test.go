package until_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/internal/until"
)

// ended is a test that remembers how it was ended.
type ended struct {
	testing.TB
	says string
}

func (e *ended) Helper()         {}
func (e *ended) Log(says ...any) { e.says += fmt.Sprint(says...) + "\n" }

func (e *ended) Fatalf(format string, args ...any) {
	e.says += fmt.Sprintf(format, args...)
	panic(e)
}

func TestTrueWaitsForFiveMinutes(t *testing.T) {
	for name, tt := range map[string]struct {
		after time.Duration
		says  string
	}{
		"it happens in time": {299 * time.Second, ""},
		"it never happens":   {301 * time.Second, "the sky is blue\nwaited in vain until it rains"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began, e := time.Now(), &ended{TB: t}
				func() {
					defer func() { _ = recover() }()
					until.True(e, "it rains", func() bool { return time.Since(began) >= tt.after }, func() string { return "the sky is blue" })
				}()
				if e.says != tt.says {
					t.Errorf("after %s it says %q, want %q", time.Since(began), e.says, tt.says)
				}
			})
		})
	}
}
