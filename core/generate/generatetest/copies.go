package generatetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

// copyLease is how long the suite claims a copy for.
const copyLease = 20 * time.Minute

// wantCopy claims a copy that must be due.
func (b *bench) wantCopy(job string, tries int) generate.CopyTask {
	b.t.Helper()
	t, err := b.s.ClaimCopy(b.t.Context(), copyLease)
	if err != nil || t.Job != job || t.Path != "acme/"+job || t.Tries != tries {
		b.t.Fatalf("claimed %+v, %v; want that of %s, for the %d. time", t, err, job, tries)
	}
	return t
}

func (b *bench) wantNoCopy() {
	b.t.Helper()
	if t, err := b.s.ClaimCopy(b.t.Context(), copyLease); !errors.Is(err, generate.ErrNoCopy) {
		b.t.Fatalf("claimed %+v, %v; want none", t, err)
	}
}

// setCopy saves another state of a job's copy.
func (b *bench) setCopy(job string, state generate.CopyState) {
	b.t.Helper()
	j := b.job(job)
	j.Copy = generate.Copy{State: state}
	if state != "" {
		j.Copy.Path = "acme/" + job
	}
	b.save(j, quota.Keep())
}

func testCopies(t *testing.T, h Harness) {
	b := newBench(t, h)
	ctx := t.Context()
	b.wantNoCopy()
	for i := range 3 {
		id := fmt.Sprintf("job%d", i+1)
		b.ask(id, "discord:1")
		b.deliver(id)
		b.setCopy(id, generate.CopyDue)
		b.clock.Advance(time.Second)
	}
	first, second, third := b.wantCopy("job1", 1), b.wantCopy("job2", 1), b.wantCopy("job3", 1)
	b.wantNoCopy() // each is claimed by one

	// What is written is out of the line with the save that says so.
	b.setCopy("job1", generate.CopyKept)
	b.must("delay the copy", b.s.DelayCopy(ctx, first, 0))
	b.wantNoCopy()

	// A claim ends by itself, and is nobody's then.
	b.must("delay the copy", b.s.DelayCopy(ctx, third, time.Hour))
	b.clock.Advance(copyLease)
	again := b.wantCopy("job2", 2)
	for _, err := range []error{b.s.DropCopy(ctx, second), b.s.DelayCopy(ctx, second, 0)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	b.wantNoCopy()
	b.s = h.Reopen(t, b.s, b.clock.Now)
	b.wantNoCopy() // nor after a restart

	// A change of the record while somebody writes: nobody else is let at it before
	// that is over, and then at once.
	b.setCopy("job2", "")
	b.wantNoCopy()
	b.must("drop the copy", b.s.DropCopy(ctx, again))
	again = b.wantCopy("job2", 1)
	b.must("drop the copy", b.s.DropCopy(ctx, again))
	b.clock.Advance(time.Hour)
	third = b.wantCopy("job3", 2)
	b.setCopy("job3", generate.CopyLost)
	b.must("delay the copy", b.s.DelayCopy(ctx, third, time.Hour))
	third = b.wantCopy("job3", 1)
	b.must("drop the copy", b.s.DropCopy(ctx, third))
	b.wantNoCopy()

	// A job that is erased or forgotten takes its copy with it; a prompt, what stands
	// beside it.
	b.setCopy("job3", generate.CopyKept)
	b.save(b.job("job1").WithoutPrompt(), quota.Keep())
	if got := b.job("job1").Copy.State; got != generate.CopyStale {
		t.Errorf("the copy of a job without a prompt is %s", got)
	}
	b.clock.Advance(time.Second)
	b.save(b.job("job3").Erased(), quota.Keep())
	b.wantCopy("job1", 1)
	b.wantCopy("job3", 1)
	b.setCopy("job1", generate.CopyKept)
	b.wantNoCopy()
	b.must("remove", b.s.Remove(ctx, b.job("job1")))
	b.wantCopy("job1", 1)
	b.wantNoCopy()
}
