// Package until lets a test wait for what no signal tells of.
package until

import (
	"testing"
	"time"
)

// patience is how long a test waits, on a machine that is busy.
const patience = 5 * time.Minute

// True waits until ok reports true. A test in which it never does ends with what
// was waited for, and logs what details say then.
func True(t testing.TB, what string, ok func() bool, details ...func() string) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			for _, more := range details {
				t.Log(more())
			}
			t.Fatalf("waited in vain until %s", what)
		}
	}
}
