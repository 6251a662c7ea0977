package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
)

// A process does not decode again what it has written itself: what it gets must
// be what another process reads, its own to change, and not older.
func TestARecordThatIsKnownIsReadAsByAnotherProcess(t *testing.T) {
	w := newWorld(t)
	other := w.open()
	t.Cleanup(func() { _ = other.Close() })
	w.accept(w.newJob("job1", "acme", "discord:1"))
	claim := w.take(w.Store)
	defer claim.Done()
	same := func(when string) generate.Job {
		t.Helper()
		mine := w.job("job1")
		theirs, err := other.Job(t.Context(), "job1")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(theirs, mine, cmp.Comparer(func(a, b ltx.Request) bool { return a.Prompt() == b.Prompt() })); diff != "" {
			t.Errorf("%s (-other +own):\n%s", when, diff)
		}
		return mine
	}
	j := claim.Job
	j.Notes = map[string]string{"card": "1"}
	j.Progress = generate.Progress{Percent: 40} // is not stored
	w.save(j, quota.Keep())
	j = same("after a save")
	j.Notes["card"] = "mine alone"
	j = same("after a change of what was read")

	j.Notes = map[string]string{"card": "2"}
	if _, err := other.Save(t.Context(), j, quota.Keep()); err != nil {
		t.Fatal(err)
	}
	if j = same("after a save of another process"); j.Notes["card"] != "2" {
		t.Errorf("notes are %v", j.Notes)
	}
	if _, err := w.Save(t.Context(), claim.Job, quota.Keep()); err == nil {
		t.Error("a save of an old version is taken")
	}
}
