package need_test

import (
	"slices"
	"testing"

	"ltxbot/internal/need"
)

func TestADeveloperTriesSomeCasesAndTheGateAll(t *testing.T) {
	all := []int{0, 1, 2, 3, 4, 5, 6}
	t.Setenv("LTXBOT_SEED", "4")
	t.Setenv("LTXBOT_REQUIRE", "")
	if got := need.Some(t, all, 3); !slices.Equal(got, []int{1, 4}) {
		t.Errorf("with seed 4 every third of %v is %v", all, got)
	}
	t.Setenv("LTXBOT_SEED", "")
	tried := map[int]bool{}
	for range 200 { // all are tried in 200 runs but once in 10^33
		for _, n := range need.Some(t, all, 3) {
			tried[n] = true
		}
	}
	if len(tried) != len(all) {
		t.Errorf("over many runs only %v are tried", tried)
	}
	t.Setenv("LTXBOT_REQUIRE", "ffmpeg")
	if got := need.Some(t, all, 3); !slices.Equal(got, all) {
		t.Errorf("where programs are required %v are tried", got)
	}
}

func TestATestThatWaitsLongIsSpared(t *testing.T) {
	for require, want := range map[string]string{"": "skipped", "ffmpeg": ""} {
		t.Setenv("LTXBOT_REQUIRE", require)
		r := &recorder{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			need.Spare(r)
		}()
		<-done
		if r.outcome != want {
			t.Errorf("where %q is required it is %q, want %q", require, r.outcome, want)
		}
	}
}
