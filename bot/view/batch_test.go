package view_test

import (
	"fmt"
	"testing"
	"time"

	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
)

// batch is a command for several videos whose takes are in these states.
func batch(t *testing.T, line string, states ...generate.State) generate.Job {
	t.Helper()
	ids := []string{jobA, "b00000000002", "b00000000003", "b00000000004"}
	var takes []generate.Job
	for i, state := range states {
		j := job(t, ids[i], line, state)
		j.Batch = generate.Batch{ID: jobA, Index: i + 1, Size: len(states)}
		j.Request = j.Request.WithSeed(int64(7 + i))
		switch state { //nolint:exhaustive // the other states have nothing to show
		case generate.Running:
			j.Progress.Percent = 20 * (i + 1)
		case generate.Fetched, generate.Delivering, generate.Delivered:
			j.Charged = 130_000
			j.Output = ltx.Output{URL: "https://v3.fal.media/files/b/" + j.ID + ".mp4", Width: 1024, Height: 576, Seconds: 5}
			j.Seconds = 48
			j.Receipt.Link = "https://discord.com/channels/1/2/3"
		case generate.Failed:
			j.Failure.Kind = generate.FailRefused
		}
		j.Admitted = state != generate.Accepted
		takes = append(takes, j)
	}
	return takes[0].Whole(takes)
}

func TestABatchHasOneCardAndOneMessage(t *testing.T) {
	const line = "a cowboy walks through a dusty town camera:dolly_in"
	inBothLanguages(t, "batch", func(t *testing.T, p text.Printer) []shown {
		var out []shown
		card := func(name string, j generate.Job) { out = append(out, shown{"card: " + name, view.Card(p, j)}) }
		card("all wait", batch(t, line, generate.Accepted, generate.Accepted))
		card("one is made, one runs, one waits", batch(t, line, generate.Fetched, generate.Running, generate.Accepted))
		card("one has failed, one runs", batch(t, line+" seed:7", generate.Failed, generate.Running))
		stopping := batch(t, line, generate.Running, generate.Running)
		for i := range stopping.Takes {
			stopping.Takes[i].Cancel = &generate.CancelRequest{By: ann, At: time.Now()}
		}
		card("being cancelled", stopping.Takes[0].Whole(stopping.Takes))
		card("all are made", batch(t, line, generate.Delivering, generate.Fetched))
		card("all are there", batch(t, line, generate.Delivered, generate.Delivered, generate.Delivered))
		card("one is there, one has failed, one was cancelled", batch(t, line, generate.Delivered, generate.Failed, generate.Cancelled))
		card("all have failed", batch(t, line, generate.Failed, generate.Failed))
		card("all were cancelled", batch(t, line, generate.Cancelled, generate.Cancelled))
		unposted := batch(t, line, generate.Delivered, generate.Failed)
		unposted.Takes[1].Failure.Kind, unposted.Takes[1].Output.URL = generate.FailUnreachable, "https://v3.fal.media/files/b/x.mp4"
		card("one was found too late", unposted.Takes[0].Whole(unposted.Takes))
		deleted := batch(t, line, generate.Delivered, generate.Delivered)
		deleted.Notes = map[string]string{generate.NoteDeleted: "yes"}
		card("deleted", deleted)

		result := func(name string, j generate.Job, facts ...view.ResultFacts) {
			by := map[string]view.ResultFacts{}
			for i, f := range facts {
				if f.Fit != "" {
					by[j.Takes[i].ID] = f
				}
			}
			out = append(out, shown{"message: " + name, view.Results(p, j, by, true)})
		}
		original := view.ResultFacts{Fit: generate.FitOriginal}
		result("two videos", batch(t, line+" seed:7", generate.Delivering, generate.Fetched), original, original)
		result("a file, a smaller one, a link and a failure", batch(t, line, generate.Delivering, generate.Fetched, generate.Fetched, generate.Failed),
			original, view.ResultFacts{Fit: generate.FitReencoded}, view.ResultFacts{Fit: generate.FitLink, URL: "https://v3.fal.media/files/b/z.mp4"})
		result("one comes later", batch(t, line, generate.Delivering, generate.Running), original)
		posted := batch(t, line, generate.Delivered, generate.Running)
		posted.Takes[0].Batch.Posting = []string{jobA}
		card("one comes later", posted.Takes[0].Whole(posted.Takes))
		less := batch(t, line, generate.Delivered, generate.Delivered, generate.Delivered)
		for i, t := range less.Takes {
			less.Batch.Posting = append(less.Batch.Posting, t.ID)
			less.Takes[i].Notes = map[string]string{}
		}
		less.Takes[1].Notes[generate.NoteDeleted] = "yes"
		card("one of three was deleted", less)
		result("one of three was deleted", less, original, view.ResultFacts{}, original)
		failing := batch(t, line, generate.Delivered, generate.Failed)
		failing.Batch.Posting, failing.Batch.Late = []string{failing.Takes[0].ID}, []string{failing.Takes[1].ID}
		result("a late one fails while it is posted", failing, original)
		late := batch(t, line, generate.Delivering, generate.Fetched)
		late.Takes[1].Cancel = &generate.CancelRequest{By: ann, At: time.Now()}
		result("one was cancelled too late", late, original, original)

		one := batch(t, line+" model:distilled", generate.Delivered, generate.Delivered).Takes[1]
		out = append(out,
			shown{"take", view.Take(p, one, true)}, shown{"details of a take", view.Details(p, one)},
			shown{"list", view.JobList(p, batch(t, line, generate.Delivered, generate.Running).Takes)},
			shown{"shown", view.ShownJob(p, batch(t, line, generate.Delivered, generate.Failed))},
		)
		return out
	})
}

// trial is a batch that compares the strengths of a LoRA.
func trial(t *testing.T, line string, states ...generate.State) generate.Job {
	t.Helper()
	whole := batch(t, line+" seed:7", states...)
	r, err := whole.Takes[0].Request.With(ltx.Rules{Library: func(name string) (ltx.LoRA, bool) {
		return ltx.LoRA{Name: name, Path: "owner/film", Scale: 0.8, Trigger: "ohwx"}, name == "film"
	}}, ltx.Setting{Key: "lora", Value: "film"})
	if err != nil {
		t.Fatal(err)
	}
	r = r.Try("film", ltx.TrialScales()[:len(states)]...)
	for i := range whole.Takes {
		whole.Takes[i].Batch.Trial, whole.Takes[i].Request = r.Trial(), r.Take(i)
	}
	return whole.Takes[0].Whole(whole.Takes)
}

func TestATrialNamesEachStrength(t *testing.T) {
	const line = "a cowboy walks through a dusty town"
	inBothLanguages(t, "trial", func(t *testing.T, p text.Printer) []shown {
		waits := job(t, jobA, line, generate.Preparing)
		waits.Request = trial(t, line, generate.Accepted, generate.Accepted, generate.Accepted).Request
		made := trial(t, line, generate.Delivering, generate.Fetched, generate.Fetched, generate.Failed)
		facts := map[string]view.ResultFacts{}
		for _, take := range made.Takes[:3] {
			facts[take.ID] = view.ResultFacts{Fit: generate.FitOriginal}
		}
		take := trial(t, line, generate.Delivered, generate.Delivered).Takes[1]
		lost := trial(t, line, generate.Delivering, generate.Fetched)
		lost.Takes[1].Output.Prompt = "A tall cowboy walks"
		return []shown{
			{"card: before it is accepted", view.Card(p, waits)},
			{"card: one is made, one runs, two wait", view.Card(p, trial(t, line, generate.Fetched, generate.Running, generate.Accepted, generate.Accepted))},
			{"card: one is there, one was cancelled, one has failed", view.Card(p, trial(t, line, generate.Delivered, generate.Cancelled, generate.Failed))},
			{"message: three videos of four", view.Results(p, made, facts, true)},
			{"message: one has lost its trigger words", view.Results(p, lost, facts, true)},
			{"take that has lost its trigger words", view.Take(p, lost.Takes[1], true)},
			{"take", view.Take(p, take, true)},
			{"details of a take", view.Details(p, take)},
		}
	})
}

func TestTheLabelOfAIIsInTheMessageOfABatch(t *testing.T) {
	p := text.BuiltInCatalog().Printer("en-US", "/ltx")
	j := batch(t, "a cat", generate.Delivering, generate.Fetched)
	m := view.Results(p, j, map[string]view.ResultFacts{j.Takes[0].ID: {}, j.Takes[1].ID: {}}, false)
	if got := fmt.Sprint(m.Blocks[1].Spans); len(m.Blocks) < 2 || got != fmt.Sprint(p.Spans(view.KeyLabel)) {
		t.Errorf("the second block is %s, want the label", got)
	}
}
