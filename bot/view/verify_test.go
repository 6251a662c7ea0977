package view_test

import (
	"testing"
	"time"

	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
)

func TestAVerdictSaysHowSureItIs(t *testing.T) {
	inBothLanguages(t, "verify", func(t *testing.T, p text.Printer) []shown {
		const sum = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
		j := job(t, jobA, cowboy, generate.Delivered)
		j.Endpoint = "fal-ai/ltx-2.3-22b/text-to-video"
		j.Receipt = generate.Receipt{
			Link: "https://discord.com/channels/1/2/3", Fit: generate.FitOriginal, Mark: generate.MarkWritten, SHA256: sum, At: time.Now(),
		}
		as := func(change func(*generate.Job)) *generate.Job {
			j := j
			change(&j)
			return &j
		}
		mark := &generate.Mark{Model: "fal-ai/ltx-2.3-22b/text-to-video", Job: jobA}
		return []shown{
			{"exactly this file", view.Verified(p, view.Verdict{File: &generate.Evidence{SHA256: sum, Mark: mark}, Exact: true, Job: &j})},
			{"exactly this file, of another team", view.Verified(p, view.Verdict{File: &generate.Evidence{SHA256: sum}, Exact: true})},
			{"a mark", view.Verified(p, view.Verdict{File: &generate.Evidence{SHA256: sum, Mark: mark}})},
			{"a mark with a job of the team", view.Verified(p, view.Verdict{File: &generate.Evidence{SHA256: sum, Mark: mark}, Job: &j})},
			{"a mark that says nothing more", view.Verified(p, view.Verdict{File: &generate.Evidence{SHA256: sum, Mark: &generate.Mark{}}})},
			{"nothing", view.Verified(p, view.Verdict{File: &generate.Evidence{SHA256: sum}})},
			{"nothing, and signed", view.Verified(p, view.Verdict{File: &generate.Evidence{SHA256: sum, Signed: true}})},
			{"a job", view.Verified(p, view.Verdict{Job: &j})},
			{"a job whose video had a mark", view.Verified(p, view.Verdict{Job: as(func(j *generate.Job) { j.Receipt.Mark = generate.MarkFound })})},
			{"a job whose video can't have one", view.Verified(p, view.Verdict{Job: as(func(j *generate.Job) { j.Receipt.Mark = generate.MarkMissing })})},
			{"a job with a link", view.Verified(p, view.Verdict{Job: as(func(j *generate.Job) {
				j.Receipt.Fit, j.Receipt.Mark, j.Receipt.SHA256 = generate.FitLink, "", ""
			})})},
			{"the message of a batch", view.Verified(p, view.Verdict{
				Job: as(func(j *generate.Job) { j.Batch = generate.Batch{ID: j.ID, Index: 1, Size: 2} }),
				Takes: []generate.Job{*as(func(j *generate.Job) {
					j.ID, j.Receipt.SHA256, j.Batch = "b00000000002", "another", generate.Batch{ID: j.ID, Index: 2, Size: 2}
				})},
			})},
			{"a job whose video was deleted", view.Verified(p, view.Verdict{Job: as(func(j *generate.Job) { j.Notes = map[string]string{"deleted": "yes"} })})},
			{"a job under way", view.Verified(p, view.Verdict{Job: as(func(j *generate.Job) { j.Receipt = generate.Receipt{} })})},
		}
	})
}
