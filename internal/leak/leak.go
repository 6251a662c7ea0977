// Package leak finds goroutines that the tests of a package have left behind.
package leak

import (
	"testing"
	"time"

	"go.uber.org/goleak"
)

// limit is how long goroutines may take to end after the last test. goleak alone
// gives them less than half a second, which a busy machine misses.
const limit = 30 * time.Second

// Verify runs the tests of a package, and fails when goroutines stay that ignore
// does not name. TestMain calls it in place of m.Run.
func Verify(m *testing.M, ignore ...goleak.Option) {
	goleak.VerifyTestMain(patient{m, ignore}, ignore...)
}

// patient is the tests of a package, and the end of their goroutines.
type patient struct {
	*testing.M

	ignore []goleak.Option
}

// Run implements goleak.TestingM.
func (p patient) Run() int {
	code := p.M.Run()
	end := time.Now().Add(limit)
	for code == 0 && time.Now().Before(end) {
		if goleak.Find(p.ignore...) == nil { // it waits, too
			break
		}
	}
	return code
}
