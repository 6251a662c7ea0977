package slack_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ltxbot/bot/view"
	"ltxbot/core/generate"
	sim "ltxbot/sim/slack"
)

// deliverBatch delivers the videos of a batch as the engine does: again and
// again.
func (s *stage) deliverBatch(whole generate.Job, videos ...generate.Video) (receipts []generate.Receipt) {
	s.t.Helper()
	s.atLast("deliver", func() (err error) {
		whole.Notes = s.notes(whole.ID)
		receipts, err = s.bot.Courier().Deliver(s.ctx, whole, videos, s.engine.Keep(whole.ID))
		if err != nil {
			return err
		}
		return s.engine.Keep(whole.ID)(s.ctx, receipts[0].Notes) // as the engine does
	})
	return receipts
}

// ofTakes are videos of the takes of a batch.
func (s *stage) ofTakes(whole generate.Job) (videos []generate.Video) {
	for _, t := range whole.Takes {
		videos = append(videos, s.video(t))
	}
	return videos
}

func TestTheVideosOfABatchAreSharedByOneMessage(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]*sim.Fault{
		"all goes well":                    nil,
		"the reply to the sharing is lost": {Method: "files.completeUploadExternal", Kind: sim.LoseReply},
		"the reply to the text is lost":    {Method: "chat.postMessage", Kind: sim.LoseReply},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			j := s.ask("a cowboy count:3")
			if j.Request.Count() != 3 {
				t.Fatalf("the job asks for %d videos", j.Request.Count())
			}
			s.mustShow(j.ID, generate.Accepted)
			if fault != nil {
				s.sim.Inject(*fault)
			}
			whole := s.engine.Batch(j.ID, 3)
			first := s.deliverBatch(whole, s.ofTakes(whole)...)
			again := s.deliverBatch(whole, s.ofTakes(whole)...)
			shares := videos(s.general)
			if len(shares) != 1 || len(shares[0].Files) != 3 || len(results(s.general, j.ID)) != 1 {
				t.Fatalf("%d messages share files, %d have the text:\n%s", len(shares), len(results(s.general, j.ID)), texts(s.general))
			}
			if len(first) != 3 || first[1].Message != again[1].Message || first[2].SHA256 != "0a1b" || first[2].Fit != generate.FitOriginal || first[2].Link == "" {
				t.Errorf("the receipts are %+v and %+v", first, again)
			}
			for i, take := range whole.Takes {
				if !strings.Contains(string(blocksJSON(t, results(s.general, j.ID)[0])), view.ButtonID(view.ActTake, take.ID)) {
					t.Errorf("there is no button for take %d", i+1)
				}
			}
		})
	}
}

func TestOneVideoOfABatchThatCannotBeUploadedIsALink(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.shown("a cowboy count:2", generate.Accepted)
	whole := s.engine.Batch(j.ID, 2)
	parts := s.ofTakes(whole)
	parts[0].Fetch = func(_ context.Context, _ int64) (generate.File, error) {
		return generate.File{}, &generate.LinkError{Err: generate.ErrForeign}
	}
	receipts := s.deliverBatch(whole, parts...)
	text := results(s.general, j.ID)[0].Text
	if receipts[0].Fit != generate.FitLink || receipts[1].Fit != generate.FitOriginal || len(videos(s.general)[0].Files) != 1 {
		t.Errorf("the receipts are %+v", receipts)
	}
	if !strings.Contains(text, "a server that I do not fetch videos from") {
		t.Errorf("the text does not say why there is a link:\n%s", text)
	}
}

func TestDeletingTheMessageOfABatchDeletesAllFiles(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.shown("a cowboy count:2", generate.Accepted)
	whole := s.engine.Batch(j.ID, 2)
	s.deliverBatch(whole, s.ofTakes(whole)...)
	for _, take := range whole.Takes {
		s.engine.Put(take.ID, func(j *generate.Job) { j.State = generate.Delivered })
	}
	s.click(s.ann, results(s.general, j.ID)[0], "Delete all")
	s.until("the files are deleted", func() bool { return len(videos(s.general)) == 0 })
	for _, take := range whole.Takes {
		s.until("each take is noted as deleted", func() bool { return s.notes(take.ID)[generate.NoteDeleted] != "" })
	}
}

func TestTheFileOfOneTakeIsDeletedAndTheOthersStay(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.shown("a cowboy count:3", generate.Accepted)
	whole := s.engine.Batch(j.ID, 3)
	parts := s.ofTakes(whole)
	parts[0].Fetch = func(context.Context, int64) (generate.File, error) { // so the files are those of the others
		return generate.File{}, &generate.LinkError{Err: generate.ErrForeign}
	}
	s.deliverBatch(whole, parts...)
	for _, take := range whole.Takes {
		s.engine.Put(take.ID, func(j *generate.Job) { j.State = generate.Delivered })
	}
	for n, i := range []int{1, 0, 2} {
		s.click(s.ann, results(s.general, j.ID)[0], fmt.Sprintf("Take %d", i+1))
		reply := s.whisper(s.ann, s.general, fmt.Sprintf("take %d", i+1))
		s.click(s.ann, reply, "Delete")
		s.until("the take is noted as deleted", func() bool { return s.notes(whole.Takes[i].ID)[generate.NoteDeleted] != "" })
		s.until("it is said", func() bool {
			return slices.ContainsFunc(s.general.Messages(), func(m sim.Message) bool {
				return m.TS == reply.TS && strings.Contains(m.Text+m.Blocks.Text(), "is deleted")
			})
		})
		if n == 2 {
			s.until("the text is gone", func() bool { return len(results(s.general, j.ID)) == 0 })
			s.until("the files are gone", func() bool { return len(videos(s.general)) == 0 })
			break
		}
		s.until("the text says it", func() bool {
			text := results(s.general, j.ID)[0]
			blocks := string(blocksJSON(t, text))
			return !strings.Contains(blocks, view.ButtonID(view.ActTake, whole.Takes[i].ID)) && strings.Contains(text.Text, fmt.Sprintf("Take %d", i+1)) &&
				strings.Contains(blocks, view.ButtonID(view.ActTake, whole.Takes[2].ID))
		})
		s.until("the other file stays", func() bool {
			shares := videos(s.general)
			return len(shares) == 1 && len(shares[0].Files) == 1 && shares[0].Files[0].Name == "ltx-"+whole.Takes[2].ID+".mp4"
		})
	}
}

func TestATakeWhoseFileCannotBeDeletedStays(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.shown("a cowboy count:2", generate.Accepted)
	whole := s.engine.Batch(j.ID, 2)
	s.deliverBatch(whole, s.ofTakes(whole)...)
	for _, take := range whole.Takes {
		s.engine.Put(take.ID, func(j *generate.Job) { j.State = generate.Delivered })
	}
	for _, f := range []sim.Fault{
		{Method: "files.delete", Kind: sim.APIError, Error: "cant_delete_file"},
		{Method: "files.delete", Kind: sim.RateLimited, RetryAfter: 30 * time.Second},
	} {
		s.sim.Inject(f)
		s.click(s.ann, results(s.general, j.ID)[0], "Take 2")
		s.click(s.ann, s.whisper(s.ann, s.general, "take 2"), "Delete")
		s.whisper(s.ann, s.general, "could not delete")
		if s.notes(whole.Takes[1].ID)[generate.NoteDeleted] != "" || len(videos(s.general)[0].Files) != 2 {
			t.Errorf("after %v it is noted as deleted, or its file is gone", f.Kind)
		}
	}
}

// TestALateTakeIsToldByAMessageOfItsOwn, once, also when the reply is lost.
func TestALateTakeIsToldByAMessageOfItsOwn(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.shown("a cowboy count:2", generate.Accepted)
	late := s.engine.Batch(j.ID, 2).Takes[1]
	late.State, late.Failure = generate.Failed, generate.Failure{Kind: generate.FailRefused}
	before := len(fromBot(s.general))
	s.sim.Inject(sim.Fault{Method: "chat.postMessage", Kind: sim.LoseReply})
	for range 2 {
		s.atLast("tell", func() error {
			late.Notes = s.notes(late.ID)
			return s.bot.Courier().Tell(s.ctx, late, s.engine.Keep(late.ID))
		})
	}
	told := fromBot(s.general)[before:]
	if len(told) != 1 || !slices.Contains(told[0].Pings.Users, s.ann.ID()) || !strings.Contains(told[0].Text+told[0].Blocks.Text(), "take 2 of 2") {
		t.Errorf("told by %d messages:\n%s", len(told), texts(s.general))
	}
}
