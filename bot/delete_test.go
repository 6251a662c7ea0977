package bot_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"ltxbot/bot"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
)

// removed takes a message out of a conversation.
func removed(context.Context) error { return nil }

// deletedOf are the jobs that are recorded as deleted, and those whose copies are
// to be deleted at the provider.
func deletedOf(g *fakeGenerator) (noted, purged []string) {
	for _, j := range g.jobs {
		if j.Notes[generate.NoteDeleted] != "" {
			noted = append(noted, j.ID)
		}
		if !j.Purge.IsZero() {
			purged = append(purged, j.ID)
		}
	}
	return noted, purged
}

// TestADeletionIsRecordedBeforeItIsDone: whatever becomes of the process then, the
// provider deletes its copy. What could not be removed is not deleted.
func TestADeletionIsRecordedBeforeItIsDone(t *testing.T) {
	d, g := newArchive(t)
	lead, second := batchOf(g)
	refused := fmt.Errorf("%w: forbidden", bot.ErrStays)
	_, _, err := d.Delete(t.Context(), lead.ID, func(context.Context) error {
		if noted, purged := deletedOf(g); len(noted) != 2 || len(purged) != 2 {
			t.Errorf("before it is done, %v are deleted, %v at the provider", noted, purged)
		}
		return refused
	})
	if !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
	if noted, purged := deletedOf(g); len(noted) != 0 || len(purged) != 0 {
		t.Errorf("after it was refused, %v are deleted, %v at the provider", noted, purged)
	}
	// What was deleted before stays so.
	if _, _, err := d.DeleteTake(t.Context(), second.ID, func(context.Context, generate.Job) error { return nil }); err != nil {
		t.Fatal(err)
	}
	_, _, _ = d.Delete(t.Context(), lead.ID, func(context.Context) error { return refused })
	if noted, _ := deletedOf(g); !slices.Equal(noted, []string{second.ID}) {
		t.Errorf("after that, %v are deleted", noted)
	}
}

// A removal whose outcome is not known stays recorded: some of it may be gone, and
// the button can be pressed again.
func TestADeletionIsNotTakenBackOnASuspicion(t *testing.T) {
	d, g := newArchive(t)
	lead, _ := batchOf(g)
	lost := errors.New("connection reset")
	if _, _, err := d.Delete(t.Context(), lead.ID, func(context.Context) error { return lost }); !errors.Is(err, lost) {
		t.Errorf("got %v", err)
	}
	if noted, purged := deletedOf(g); len(noted) != 2 || len(purged) != 2 {
		t.Errorf("deleted are %v, at the provider %v", noted, purged)
	}
	if _, _, err := d.Delete(t.Context(), lead.ID, removed); err != nil {
		t.Errorf("the second press: %v", err)
	}
}

// A message is deleted with the videos that are in it, and no others: that of a lead
// may have been found later, and is linked on its card.
func TestAMessageIsDeletedWithWhatIsInIt(t *testing.T) {
	d, g := newArchive(t)
	lead, second := batchOf(g)
	lead.Batch.Posting = []string{second.ID}
	g.jobs[lead.ID] = lead
	if _, _, err := d.Delete(t.Context(), lead.ID, removed); err != nil {
		t.Fatal(err)
	}
	if noted, _ := deletedOf(g); !slices.Equal(noted, []string{second.ID}) {
		t.Errorf("deleted are %v, want %s", noted, second.ID)
	}
}

// While a video is being posted, the bot would post it once more.
func TestAVideoThatIsBeingPostedIsNotDeleted(t *testing.T) {
	d, g := newArchive(t)
	lead, second := batchOf(g)
	second.State = generate.Delivering
	g.jobs[second.ID] = second
	removes := func(context.Context) error { t.Error("the message is removed"); return nil }
	if _, _, err := d.Delete(t.Context(), lead.ID, removes); err == nil {
		t.Error("it is deleted")
	}
	if noted, purged := deletedOf(g); len(noted)+len(purged) != 0 {
		t.Errorf("%v are deleted, %v at the provider", noted, purged)
	}
}

func TestOneTakeIsDeletedAndTheOthersStay(t *testing.T) {
	d, g := newArchive(t)
	lead, second := batchOf(g)
	for _, j := range []generate.Job{lead, second} {
		j.State = generate.Delivered
		g.jobs[j.ID] = j
	}
	left := func(_ context.Context, whole generate.Job) error {
		if got := view.Left(whole); len(got) != 1 || got[0].ID != second.ID {
			t.Errorf("%d takes are left", len(got))
		}
		return nil
	}
	whole, _, err := d.DeleteTake(t.Context(), lead.ID, left)
	if err != nil || view.IsDeleted(whole) || !view.IsDeleted(whole.Takes[0]) || view.IsDeleted(whole.Takes[1]) {
		t.Errorf("the batch is %+v, %v", whole.Takes, err)
	}
	whole, _, err = d.DeleteTake(t.Context(), second.ID, func(_ context.Context, whole generate.Job) error {
		if got := view.Left(whole); len(got) != 0 {
			t.Errorf("%d takes are left", len(got))
		}
		return nil
	})
	if err != nil || !view.IsDeleted(whole) {
		t.Errorf("the batch is deleted: %v, %v", view.IsDeleted(whole), err)
	}
}

func TestATakeIsDeletedByItsRequester(t *testing.T) {
	d, g := newArchive(t)
	lead, second := batchOf(g)
	if p := d.Press(t.Context(), caller(bob), view.ActRemove, second.ID); p.Remove || p.Reply == nil {
		t.Errorf("another member's press is %+v", p)
	}
	if p := d.Press(t.Context(), caller(ann), view.ActRemove, second.ID); !p.Remove {
		t.Errorf("its requester's press is %+v", p)
	}
	if _, _, err := d.DeleteTake(t.Context(), second.ID, func(context.Context, generate.Job) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if p := d.Press(t.Context(), caller(ann), view.ActRemove, second.ID); !p.Remove {
		t.Errorf("the second press is %+v", p)
	}
	late := second
	late.ID = jobC
	g.jobs[jobC] = late
	if _, _, err := d.DeleteTake(t.Context(), jobC, func(context.Context, generate.Job) error { return nil }); err == nil {
		t.Errorf("a take was taken out of the message of %s, which does not hold it", lead.ID)
	}
}

// Two takes of one message are deleted at the same time: whoever comes last makes it
// say what is left, and a refusal of what another has removed meanwhile is none.
func TestTwoTakesAreDeletedAtTheSameTime(t *testing.T) {
	for name, first := range map[string]error{"both edits are taken": nil, "one edit is refused": fmt.Errorf("%w: unknown attachment", bot.ErrStays)} {
		t.Run(name, func(t *testing.T) {
			d, g := newArchive(t)
			lead, second := batchOf(g)
			shown := -1
			edit := func(_ context.Context, whole generate.Job) error { shown = len(view.Left(whole)); return nil }
			tries := 0
			whole, _, err := d.DeleteTake(t.Context(), lead.ID, func(ctx context.Context, whole generate.Job) error {
				if tries++; tries > 1 {
					return edit(ctx, whole)
				}
				if _, _, err := d.DeleteTake(ctx, second.ID, edit); err != nil {
					t.Error(err)
				}
				shown = len(view.Left(whole)) // of before
				return first
			})
			if err != nil || shown != 0 || len(view.Left(whole)) != 0 {
				t.Errorf("%d videos are in the message, %d in what is shown of it, error %v", shown, len(view.Left(whole)), err)
			}
			if noted, purged := deletedOf(g); len(noted) != 2 || len(purged) != 2 {
				t.Errorf("deleted are %v, at the provider %v", noted, purged)
			}
		})
	}
}

// One press is refused while another removes the message: the video is gone.
func TestARemovalThatAnotherPressHasDoneIsNotTakenBack(t *testing.T) {
	d, g := newArchive(t)
	_, _, err := d.Delete(t.Context(), jobA, func(ctx context.Context) error {
		if _, _, err := d.Delete(ctx, jobA, removed); err != nil {
			t.Error(err)
		}
		return fmt.Errorf("%w: rate limit", bot.ErrStays)
	})
	if noted, purged := deletedOf(g); err == nil || len(noted) != 1 || len(purged) != 1 {
		t.Errorf("deleted are %v, at the provider %v, error %v", noted, purged, err)
	}
	// The refusal may be told first.
	_, _, err = d.Delete(t.Context(), jobC, func(ctx context.Context) error {
		_, _, err := d.Delete(ctx, jobC, func(context.Context) error {
			_, err := g.Restore(ctx, jobC, map[string]string{generate.NoteDeleted: ""})
			return err
		})
		return err
	})
	if noted, purged := deletedOf(g); err != nil || len(noted) != 2 || len(purged) != 2 {
		t.Errorf("deleted are %v, at the provider %v, error %v", noted, purged, err)
	}
}

// What becomes of a removal is known before the copies of the video go.
func TestARemovalEndsBeforeTheCopiesGo(t *testing.T) {
	d, g := newArchive(t)
	lead, _ := batchOf(g)
	began := time.Now()
	_, _, err := d.Delete(t.Context(), lead.ID, func(ctx context.Context) error {
		if end, ok := ctx.Deadline(); !ok || end.Sub(began) > generate.PurgeAfter-15*time.Second || end.Sub(began) < 30*time.Second {
			t.Errorf("it may take until %s after the press: %t", end.Sub(began), ok)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// What was removed stays so when the message can't be made anew for what another has
// deleted meanwhile.
func TestARemovalThatSucceededIsNotTakenBack(t *testing.T) {
	d, g := newArchive(t)
	lead, second := batchOf(g)
	tries := 0
	_, _, err := d.DeleteTake(t.Context(), lead.ID, func(ctx context.Context, _ generate.Job) error {
		if tries++; tries > 1 {
			return fmt.Errorf("%w: rate limit", bot.ErrStays)
		}
		_, _, err := d.DeleteTake(ctx, second.ID, func(context.Context, generate.Job) error { return nil })
		return err
	})
	if noted, _ := deletedOf(g); err != nil || len(noted) != 2 {
		t.Errorf("deleted are %v, error %v", noted, err)
	}
}

// A removal of which nobody knows whether it was done is not tried once more for what
// another has deleted meanwhile: that would say of nothing but the second try.
func TestARemovalThatWasPerhapsDoneIsNotTakenBack(t *testing.T) {
	d, g := newArchive(t)
	lead, second := batchOf(g)
	tries := 0
	_, _, err := d.DeleteTake(t.Context(), lead.ID, func(ctx context.Context, _ generate.Job) error {
		if tries++; tries > 1 {
			return fmt.Errorf("%w: rate limit", bot.ErrStays)
		}
		if _, _, err := d.DeleteTake(ctx, second.ID, func(context.Context, generate.Job) error { return nil }); err != nil {
			return err
		}
		return errors.New("connection reset")
	})
	if noted, _ := deletedOf(g); err == nil || len(noted) != 2 {
		t.Errorf("deleted are %v, error %v", noted, err)
	}
}
