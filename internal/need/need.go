// Package need finds the programs that some tests want: ffmpeg, exiftool,
// redis-server, node, chromium. Where one is missing the test is skipped, but where
// LTXBOT_REQUIRE names it, as .ci/run does, the test fails: nothing is skipped
// there unseen. Where it is set, long tests try all of their cases, unless the race detector
// makes them slow: races are found with some of the cases.
package need

import (
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// requireVariable holds the names of the programs that must be there, with
// commas between them; "all" is every program.
const requireVariable = "LTXBOT_REQUIRE"

// Thorough reports whether there is time for every case of a long test: for
// .ci/run, which sets LTXBOT_REQUIRE, but not for a developer's go test, which
// tries some of them, nor with the race detector.
func Thorough() bool { return !Quick() && !Race }

// Quick reports whether a developer waits for the test: LTXBOT_REQUIRE is not
// set.
func Quick() bool { return os.Getenv(requireVariable) == "" }

// Some is every stride-th of the cases of a long test for a developer's go test,
// and all of them for .ci/run. The first one is random, so that over many runs
// all are tried.
func Some[T any](t testing.TB, cases []T, stride int) []T {
	t.Helper()
	if !Quick() {
		return cases
	}
	var some []T
	for n := int(Seed(t) % uint64(stride)); n < len(cases); n += stride { //nolint:gosec // it is less than stride
		some = append(some, cases[n])
	}
	t.Logf("%d of %d cases; %s=all tries all", len(some), len(cases), requireVariable)
	return some
}

// Seed is where random choices begin. It is printed, and LTXBOT_SEED repeats a
// run.
func Seed(t testing.TB) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(os.Getenv("LTXBOT_SEED"), 10, 64)
	if err != nil {
		n = rand.Uint64() //nolint:gosec // it chooses cases, and keeps no secret
	}
	t.Logf("LTXBOT_SEED=%d repeats this run", n)
	return n
}

// Speed skips a test of many jobs that counts and compares, which the race
// detector makes take minutes: .ci/run runs it without, and smaller tests run the
// same code with it.
func Speed(t testing.TB) {
	t.Helper()
	if Race {
		t.Skip("runs without the race detector")
	}
}

// Long skips a test of a whole cluster that takes minutes, unless every case of
// long tests is tried: in .ci/run.
func Long(t testing.TB) {
	t.Helper()
	if !Thorough() {
		t.Skipf("takes minutes: set %s=all and leave the race detector out", requireVariable)
	}
}

// Spare skips a test that waits for many seconds, where a developer waits for it.
// .ci/run runs it, also with the race detector.
func Spare(t testing.TB) {
	t.Helper()
	if Quick() {
		t.Skipf("takes many seconds: set %s=all", requireVariable)
	}
}

// someChecks is how many random cases a property test tries unless every case
// is.
const someChecks = 15

// Checks makes the property tests of this program, which rapid runs, try few
// cases each, unless every case of long tests is tried, or rapid's flag says how
// many. It is called before such a test on an engine that needs milliseconds
// for each step.
var Checks = sync.OnceFunc(func() {
	if f := flag.Lookup("rapid.checks"); f != nil && f.Value.String() == f.DefValue && !Thorough() {
		_ = f.Value.Set(strconv.Itoa(someChecks)) // it takes numbers
	}
})

// Tool returns the path of a program. If it is not installed the test ends:
// failed if LTXBOT_REQUIRE names it, skipped otherwise.
func Tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	required := strings.FieldsFunc(os.Getenv(requireVariable), func(r rune) bool { return r == ',' || r == ' ' })
	if slices.Contains(required, name) || slices.Contains(required, "all") {
		t.Fatalf("%s is not installed, and %s says that it must be", name, requireVariable)
	}
	t.Skipf("%s is not installed", name)
	return ""
}

// Missing ends a test for want of something that install would bring: failed
// where LTXBOT_REQUIRE is set, skipped otherwise.
func Missing(t testing.TB, what, install string) {
	t.Helper()
	if os.Getenv(requireVariable) != "" {
		t.Fatalf("%s is not there: %s", what, install)
	}
	t.Skipf("%s is not there: %s", what, install)
}
