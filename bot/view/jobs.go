package view

import (
	"slices"

	"ltxbot/bot/text"
	"ltxbot/core/generate"
)

// Limits of the list of jobs: what a person reads at one look, and what fits
// on both platforms.
const (
	listedJobs   = 10
	listedPrompt = 80
	cancelable   = 5 // buttons
)

// NoJobs says that somebody has no jobs yet, and how to begin.
func NoJobs(p text.Printer) Message {
	return Answer(p, "job.none", "example", printer{p}.example("a cowboy walks through a dusty town camera:dolly_in"))
}

// GoneJob says that what was asked for in a job is no longer kept.
func GoneJob(p text.Printer) Message {
	return Answer(p, "job.gone", "example", printer{p}.example("a cowboy walks through a dusty town"))
}

// JobList lists jobs: first those that are not over, with a button each.
func JobList(p text.Printer, jobs []generate.Job) Message {
	v := printer{p}
	var m Message
	m.add(v.say(Heading, "job.title"))
	for _, over := range []bool{false, true} {
		title := map[bool]string{false: "job.unfinished", true: "job.recent"}[over]
		listed := 0
		for _, j := range jobs {
			if j.State.Terminal() != over || listed == listedJobs {
				continue
			}
			if listed++; listed == 1 {
				m.add(Block{Kind: Text, Spans: []text.Span{{Text: v.Text(title), Style: text.Strong}}})
			}
			m.add(block(Text, v.listed(j)...))
			if j.State.Cancellable() && j.Cancel == nil && len(m.Buttons) < cancelable {
				m.Buttons = append(m.Buttons, Button{
					Action: ActCancel, Job: j.ID, Label: v.Text("button.cancel_job", "id", j.ID), Danger: true,
				})
			}
		}
	}
	return m.done()
}

// listed is one job in a list: "k3f9… · Making your video · a cowboy … · 3
// minutes ago".
func (v printer) listed(j generate.Job) []text.Span {
	var link []text.Span
	if j.Receipt.Link != "" && !IsDeleted(j) {
		link = []text.Span{{Text: v.Text("job.link"), Style: text.Link, URL: j.Receipt.Link}}
	}
	var take []text.Span
	if j.Batch.Size > 1 {
		take = v.Spans("batch.take_of", "n", j.Batch.Index, "size", j.Batch.Size)
	}
	return text.Dotted(
		[]text.Span{text.MonoSpan(j.ID)},
		[]text.Span{{Text: JobState(v.Printer, j)}},
		[]text.Span{{Text: text.Shorten(text.OneLine(j.Request.Prompt()), listedPrompt)}},
		take,
		[]text.Span{text.SinceSpan(j.Created)},
		link,
	)
}

// ShownJob is the card of a job for who looks it up, with what can be done now.
func ShownJob(p text.Printer, j generate.Job) Message {
	v, m := printer{p}, Card(p, j)
	if j.State == generate.Delivered {
		m.Buttons = v.buttons(j.ID, append(again(j), ActEdit)...)
	}
	if isBatch(j) && j.State == generate.Delivered {
		m.Buttons = v.takeButtons(slices.DeleteFunc(slices.Clone(j.Takes), func(t generate.Job) bool { return !isMade(t) }))
	}
	if !slices.ContainsFunc(m.Buttons, func(b Button) bool { return b.Action == ActDetails }) {
		m.Buttons = append(m.Buttons, v.buttons(j.ID, ActDetails)...)
	}
	return m
}

// UnknownJob says that there is no job with an id, and which one may be meant.
func UnknownJob(p text.Printer, id, nearest string) Message {
	var m Message
	said := p.Spans("job.unknown", "id", text.Shorten(text.OneLine(id), text.ShownValue))
	if nearest != "" {
		said = text.Spaced(said, p.Spans("tell.did_you_mean", "nearest", nearest))
	}
	m.add(block(Text, said...))
	return m.done()
}

// NoteRepeat is the note of a job that repeats the request of its parent. An
// adapter keeps it beside its own.
const NoteRepeat = "repeat"

// IsDeleted reports whether the video of a job was deleted, or all those in the
// message of a batch.
func IsDeleted(j generate.Job) bool {
	if isBatch(j) && len(j.Batch.Posting) > 0 {
		return j.State == generate.Delivered && len(Left(j)) == 0
	}
	return j.State == generate.Delivered && j.Notes[generate.NoteDeleted] != ""
}

// Left are the takes whose videos are in the message of a batch and were not
// deleted.
func Left(whole generate.Job) []generate.Job { return slices.DeleteFunc(whole.Posted(), IsDeleted) }

// ErasedJobs says what was erased; more says that there is more to erase.
func ErasedJobs(p text.Printer, total generate.Erased, more bool) Message {
	v := printer{p}
	var m Message
	m.add(v.say(Text, "job.erased", "videos", v.Plural("usage.videos_count", int64(total.Jobs))))
	if more {
		m.add(v.say(Note, "job.erase_more"))
	}
	if total.Copies > 0 {
		m.add(v.say(Note, "job.erase_copies"))
	}
	if total.Left > 0 {
		m.add(v.say(Note, "job.erase_left", "videos", v.Plural("usage.videos_count", int64(total.Left))))
	}
	return m.done()
}
