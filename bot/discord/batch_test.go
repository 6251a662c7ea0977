package discord_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"ltxbot/bot/view"
	"ltxbot/core/generate"
	sim "ltxbot/sim/discord"
)

// deliverBatch delivers the videos of a batch, of so many bytes each.
func (s *stage) deliverBatch(id string, sizes ...int64) ([]generate.Receipt, generate.Job) {
	s.t.Helper()
	whole := s.engine.Batch(id, len(sizes))
	var videos []generate.Video
	for i, t := range whole.Takes {
		videos = append(videos, s.video(t, sizes[i]))
	}
	receipts, err := s.bot.Courier().Deliver(s.ctx, whole, videos, s.engine.Keep(id))
	if err == nil {
		err = s.engine.Keep(id)(s.ctx, receipts[0].Notes) // as the engine does
	}
	if err != nil {
		s.t.Fatalf("deliver: %v\nlog:\n%s", err, s.log.String())
	}
	return receipts, whole
}

func TestTheVideosOfABatchAreInOneMessage(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.ask("/ltx prompt:a cowboy count:3")
	if j.Request.Count() != 3 {
		t.Fatalf("the job asks for %d videos", j.Request.Count())
	}
	s.mustShow(j.ID, generate.Running)
	s.sim.Inject(sim.Fault{Route: sim.RouteCreateMessage, LoseReply: true})
	first, whole := s.deliverBatch(j.ID, 1<<20, 2<<20, 3<<20)
	again, _ := s.deliverBatch(j.ID, 1<<20, 2<<20, 3<<20)
	found := videos(s.general, j.ID)
	if len(found) != 1 || first[2].Message != again[2].Message || len(first) != 3 || first[0].Message != found[0].ID {
		t.Fatalf("%d messages, receipts %+v and %+v", len(found), first, again)
	}
	var names []string
	for _, a := range found[0].Attachments {
		names = append(names, a.Name)
	}
	for i, take := range whole.Takes {
		if len(names) != 3 || names[i] != "ltx-"+take.ID+".mp4" {
			t.Errorf("the files are %v, want that of %s", names, take.ID)
		}
		if _, ok := found[0].Button(view.ButtonID(view.ActTake, take.ID)); !ok {
			t.Errorf("there is no button for take %d", i+1)
		}
	}
	if found[0].ReplyTo == "" || !slices.Contains(found[0].Pings.Users, s.ada.ID) {
		t.Errorf("it answers %q and notifies %v", found[0].ReplyTo, found[0].Pings.Users)
	}
}

func TestTheVideosOfABatchFitTogether(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.running("/ltx prompt:a cowboy count:3")
	receipts, _ := s.deliverBatch(j.ID, 1<<20, 9<<20, 9<<20)
	var fits []string
	for _, r := range receipts {
		fits = append(fits, string(r.Fit))
	}
	if want := []string{"original", "reencoded", "reencoded"}; !slices.Equal(fits, want) {
		t.Errorf("the videos are %v, want %v", fits, want)
	}
	sum := int64(0)
	for _, a := range videos(s.general, j.ID)[0].Attachments {
		sum += a.Size
	}
	if sum > 10<<20 || sum < 9<<20 {
		t.Errorf("they have %d bytes together, want nearly all of 10 MB", sum)
	}
}

func TestATakeIsChosenBeforeGoingOn(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.running("/ltx prompt:a cowboy model:distilled count:2")
	_, whole := s.deliverBatch(j.ID, 1<<20, 1<<20)
	second := s.engine.Put(whole.Takes[1].ID, func(j *generate.Job) {
		j.State, j.Request = generate.Delivered, j.Request.WithSeed(77)
	})
	message := videos(s.general, j.ID)[0]
	reply := s.response(s.press(s.ada, message, view.ButtonID(view.ActTake, second.ID)))
	if reply.EphemeralTo == "" || !strings.Contains(reply.Text(), "77") {
		t.Errorf("the reply is for %q and says\n%s", reply.EphemeralTo, reply.Text())
	}
	chosen := s.pick(s.ada, reply, view.MenuID(second.ID), view.ButtonID(view.ActFinish, second.ID))
	if done := s.job(chosen); done.Request.Seed() != 77 || done.Request.Model() != "ltx-2.3" || done.Request.Count() != 1 || done.Parent != second.ID {
		t.Errorf("finished: %s, of job %s", done.Request.CommandLine(), done.Parent)
	}
}

func TestDeletingTheMessageOfABatchDeletesAllTakes(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.running("/ltx prompt:a cowboy count:2")
	_, whole := s.deliverBatch(j.ID, 1<<20, 1<<20)
	for _, take := range whole.Takes {
		s.engine.Put(take.ID, func(j *generate.Job) { j.State = generate.Delivered })
	}
	s.click(s.ada, videos(s.general, j.ID)[0], view.ActDelete, j.ID)
	if _, err := s.general.WaitMessage(s.ctx, func(m sim.Message) bool { return strings.Contains(m.Text(), "Deleted") }); err != nil {
		t.Errorf("the card does not say that the videos are gone: %v", err)
	}
	for i, take := range whole.Takes {
		if got, err := s.engine.Job(s.ctx, take.ID); err != nil || got.Notes[generate.NoteDeleted] == "" {
			t.Errorf("take %d is not noted as deleted: %v", i+1, err)
		}
	}
}

// TestTheAnnouncementOfABatchCountsItsVideos: it notifies, and stands without
// them until they are put into it.
func TestTheAnnouncementOfABatchCountsItsVideos(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.running("/ltx prompt:a secret count:3 private:True")
	s.sim.Inject(sim.Fault{Route: sim.RouteEditResponse, Status: http.StatusInternalServerError, Times: -1})
	whole := s.engine.Batch(j.ID, 3)
	var videos []generate.Video
	for _, t := range whole.Takes {
		videos = append(videos, s.video(t, 1<<20))
	}
	if _, err := s.bot.Courier().Deliver(s.ctx, whole, videos, s.engine.Keep(j.ID)); err == nil {
		t.Fatal("the videos were put into it")
	}
	var said []string
	for _, m := range s.general.Messages() {
		if slices.Contains(m.Pings.Users, s.ada.ID) {
			said = append(said, m.Text())
		}
	}
	if len(said) != 1 || !strings.Contains(said[0], "3 of 3") || strings.Contains(said[0], "0 of") {
		t.Errorf("it says %q", said)
	}
}

// deliveredBatch is a batch of three takes that was delivered, and its message.
func (s *stage) deliveredBatch() (j, whole generate.Job, message sim.Message) {
	s.t.Helper()
	j = s.ask("/ltx prompt:a cowboy count:3")
	s.mustShow(j.ID, generate.Running)
	_, whole = s.deliverBatch(j.ID, 1<<20, 1<<20, 1<<20)
	for _, take := range whole.Takes {
		s.engine.Put(take.ID, func(j *generate.Job) { j.State = generate.Delivered })
	}
	return j, whole, videos(s.general, j.ID)[0]
}

// removal presses Delete in what the button of a take shows.
func (s *stage) removal(message sim.Message, take string) *sim.Interaction {
	s.t.Helper()
	i := s.click(s.ada, message, view.ActTake, take)
	return s.click(s.ada, s.response(i), view.ActRemove, take)
}

func TestOneTakeIsTakenOutOfItsMessage(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j, whole, message := s.deliveredBatch()
	for n, i := range []int{0, 2, 1} {
		said := s.removal(message, whole.Takes[i].ID)
		if _, err := said.WaitResponse(s.ctx, func(m sim.Message) bool { return strings.Contains(m.Text(), "is deleted") }); err != nil {
			t.Fatalf("it is not said that take %d is deleted: %v\n%s", i+1, err, s.log)
		}
		if got, err := s.engine.Job(s.ctx, whole.Takes[i].ID); err != nil || got.Notes[generate.NoteDeleted] == "" {
			t.Errorf("take %d is not noted as deleted: %v", i+1, err)
		}
		now, _ := s.sim.Message(message.ID)
		if n == 2 {
			if !now.Deleted {
				t.Errorf("the message is still there without videos:\n%s", now.Text())
			}
			break
		}
		if len(now.Attachments) != 2-n || now.Deleted {
			t.Fatalf("after %d deletions it has %d files", n+1, len(now.Attachments))
		}
		for _, a := range now.Attachments {
			if !a.Shown || a.Name == "ltx-"+whole.Takes[i].ID+".mp4" {
				t.Errorf("after take %d was deleted, it has %+v", i+1, a)
			}
		}
		if _, ok := now.Button(view.ButtonID(view.ActTake, whole.Takes[i].ID)); ok {
			t.Errorf("the deleted take %d has a button", i+1)
		}
		if want := fmt.Sprintf("Take %d was deleted", i+1); !strings.Contains(strings.ReplaceAll(now.Text(), "*", ""), want) {
			t.Errorf("it does not say %q:\n%s", want, now.Text())
		}
	}
	if _, err := s.general.WaitMessage(s.ctx, func(m sim.Message) bool { return m.ID == j.Notes["card"] && strings.Contains(m.Text(), "Deleted") }); err != nil {
		t.Errorf("the card does not say that the videos are gone: %v", err)
	}
}

// TestATakeThatIsALinkIsTakenOutToo, and the reason for the other link stays.
func TestATakeThatIsALinkIsTakenOutToo(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.running("/ltx prompt:a cowboy count:3")
	whole := s.engine.Batch(j.ID, 3)
	var parts []generate.Video
	for i, take := range whole.Takes {
		v := s.video(take, 1<<20)
		if i > 0 {
			v.Fetch = func(context.Context, int64) (generate.File, error) {
				return generate.File{}, &generate.LinkError{Err: generate.ErrForeign}
			}
		}
		parts = append(parts, v)
	}
	receipts, err := s.bot.Courier().Deliver(s.ctx, whole, parts, s.engine.Keep(j.ID))
	if err == nil {
		err = s.engine.Keep(j.ID)(s.ctx, receipts[0].Notes)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, take := range whole.Takes {
		s.engine.Put(take.ID, func(j *generate.Job) { j.State = generate.Delivered })
	}
	message := videos(s.general, j.ID)[0]
	s.response(s.removal(message, whole.Takes[0].ID))
	changed, err := s.general.WaitMessage(s.ctx, func(m sim.Message) bool { return m.ID == message.ID && len(m.Attachments) == 0 })
	if err != nil || strings.Count(changed.Text(), "a server that I do not fetch videos from") != 2 {
		t.Errorf("what is left: %v\n%s", err, changed.Text())
	}
}

// TestNoTakeIsTakenOutOfWhatOnlyItsReaderSees: Discord lets nobody edit that
// without the interaction that made it. All stays as it is.
func TestNoTakeIsTakenOutOfWhatOnlyItsReaderSees(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.running("/ltx prompt:a secret count:2 private:True")
	receipts, whole := s.deliverBatch(j.ID, 1<<20, 1<<20)
	message, _ := s.sim.Message(receipts[0].Message)
	s.removal(message, whole.Takes[1].ID)
	if _, err := s.general.WaitMessage(s.ctx, func(m sim.Message) bool { return strings.Contains(m.Text(), "could not take this video out") }); err != nil {
		t.Errorf("it is not said: %v", err)
	}
	if now, _ := s.sim.Message(message.ID); len(now.Attachments) != 2 {
		t.Errorf("it has %d files", len(now.Attachments))
	}
	if got, err := s.engine.Job(s.ctx, whole.Takes[1].ID); err != nil || got.Notes[generate.NoteDeleted] != "" {
		t.Errorf("it is noted as deleted: %v, %v", got.Notes, err)
	}
}

// TestALateTakeIsToldByAMessageThatNotifies, once.
func TestALateTakeIsToldByAMessageThatNotifies(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.running("/ltx prompt:a cowboy count:2")
	late := s.engine.Batch(j.ID, 2).Takes[1]
	late.State, late.Failure = generate.Failed, generate.Failure{Kind: generate.FailRefused}
	s.sim.Inject(sim.Fault{Route: sim.RouteCreateMessage, LoseReply: true})
	for range 2 {
		s.check("tell", s.bot.Courier().Tell(s.ctx, late, s.engine.Keep(late.ID)))
		noted := s.read(late.ID)
		late.Notes = noted.Notes
	}
	var told []sim.Message
	for _, m := range s.general.Messages() {
		if slices.Contains(m.Pings.Users, s.ada.ID) {
			told = append(told, m)
		}
	}
	if len(told) != 1 || !strings.Contains(told[0].Text(), "take 2 of 2") {
		t.Errorf("%d messages notify:\n%v", len(told), told)
	}
}

// TestWhatDiscordPutsOffIsNotDeleted: nothing has happened, so it is not recorded.
func TestWhatDiscordPutsOffIsNotDeleted(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j, video := s.delivered("/ltx prompt:a cowboy")
	s.engine.Put(j.ID, func(j *generate.Job) { j.State = generate.Delivered })
	s.sim.Inject(sim.Fault{Route: sim.RouteDeleteResponse, Limit: sim.SharedLimit, RetryAfter: 30 * time.Second, Times: -1})
	s.click(s.ada, video, view.ActDelete, j.ID)
	s.reads("could not delete")
	if got, err := s.engine.Job(s.ctx, j.ID); err != nil || got.Notes[generate.NoteDeleted] != "" {
		t.Errorf("it is recorded as deleted: %v", err)
	}
}

// TestTwoTakesAreTakenOutAtTheSameTime: the first edit comes when the message has
// changed, and names a file that is gone.
func TestTwoTakesAreTakenOutAtTheSameTime(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	_, whole, message := s.deliveredBatch()
	var replies []sim.Message
	for _, take := range whole.Takes[:2] {
		replies = append(replies, s.response(s.click(s.ada, message, view.ActTake, take.ID)))
	}
	s.sim.Inject(sim.Fault{Route: sim.RouteEditMessage, Delay: time.Second})
	s.click(s.ada, replies[0], view.ActRemove, whole.Takes[0].ID)
	if _, err := s.sim.WaitRequest(s.ctx, func(r sim.Request) bool { return r.Route == sim.RouteGetMessage }); err != nil {
		t.Fatal(err)
	}
	s.click(s.ada, replies[1], view.ActRemove, whole.Takes[1].ID)
	for i, take := range whole.Takes[:2] {
		said := func(m sim.Message) bool { return m.ID == replies[i].ID && strings.Contains(m.Text(), "is deleted") }
		if _, err := s.general.WaitMessage(s.ctx, said); err != nil {
			t.Fatalf("it is not said that take %d is deleted: %v\n%s", i+1, err, s.log)
		}
		if got, err := s.engine.Job(s.ctx, take.ID); err != nil || got.Notes[generate.NoteDeleted] == "" {
			t.Errorf("take %d is not recorded as deleted: %v", i+1, err)
		}
	}
	now, _ := s.sim.Message(message.ID)
	if len(now.Attachments) != 1 || !strings.Contains(now.Attachments[0].Name, whole.Takes[2].ID) || strings.Contains(now.Text(), "Take 1 ·") {
		t.Errorf("the message has %d files:\n%s", len(now.Attachments), now.Text())
	}
	if strings.Contains(s.log.String(), "cannot delete a video") {
		t.Errorf("somebody was told that it was not possible:\n%s", s.log)
	}
}
