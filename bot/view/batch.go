package view

import (
	"slices"

	"ltxbot/bot/text"
	"ltxbot/core/generate"
)

// isBatch reports whether j is a whole batch.
func isBatch(j generate.Job) bool { return len(j.Takes) > 0 }

// takeName is "take 2", or of a trial what is tried: "film@0.7".
func (v printer) takeName(t generate.Job) []text.Span {
	if t.Batch.Trial.LoRA != "" {
		return []text.Span{{Text: v.takeTitle(t)}}
	}
	return v.Spans("batch.take", "n", t.Batch.Index)
}

// takeTitle is takeName at the beginning of a line, and on a button.
func (v printer) takeTitle(t generate.Job) string {
	if t.Batch.Trial.LoRA != "" {
		return t.Batch.Trial.Label(t.Batch.Index - 1)
	}
	return v.Text("button.take", "n", t.Batch.Index)
}

// ready counts the takes whose video is made.
func ready(takes []generate.Job) (n int) {
	for _, t := range takes {
		if isMade(t) {
			n++
		}
	}
	return n
}

// isMade reports whether there is a video of a job.
func isMade(j generate.Job) bool {
	return slices.Contains([]generate.State{generate.Fetched, generate.Delivering, generate.Delivered}, j.State)
}

// batchLine is "1 of 3 videos made".
func (v printer) batchLine(j generate.Job) []text.Span {
	return v.Spans("batch.made", "n", ready(j.Takes), "size", len(j.Takes))
}

// takeStates is "take 1: done · take 2: 42 % · take 3: waiting for its turn",
// while takes are made.
func (v printer) takeStates(j generate.Job) []text.Span {
	if j.State.Terminal() {
		return nil
	}
	var pieces [][]text.Span
	for _, t := range j.Takes {
		state := JobState(v.Printer, t)
		switch {
		case isMade(t):
			state = v.Text("state.delivered")
		case t.State == generate.Running && t.Progress.Percent > 0:
			state = v.Text("card.percent", "n", t.Progress.Percent)
		}
		pieces = append(pieces, slices.Concat(v.takeName(t), []text.Span{{Text: v.Text("format.colon") + state}}))
	}
	return text.Dotted(pieces...)
}

// bar is how far a job, or a batch, is: 0 to 1. It is false where that is not
// known.
func bar(j generate.Job) (float64, bool) {
	percent := func(j generate.Job) float64 { return float64(min(max(j.Progress.Percent, 0), 100)) / 100 }
	if !isBatch(j) {
		return percent(j), j.State == generate.Running
	}
	sum, begun := 0.0, false
	for _, t := range j.Takes {
		switch {
		case isMade(t) || t.State.Terminal():
			sum++
			begun = true
		case t.State == generate.Running:
			sum += percent(t)
			begun = true
		}
	}
	return sum / float64(len(j.Takes)), begun && !j.State.Terminal()
}

// withoutVideo says, once the message is there or there is none, of each take
// that has no video why, and whether it cost something; of one that was deleted,
// that it was; of one that is late, that it comes by itself. In the message, a late
// one stays so until its requester has been told how it ended.
func (v printer) withoutVideo(j generate.Job, message bool) []Block {
	var out []Block
	for _, t := range j.Takes {
		var what []text.Span
		late := message && slices.Contains(j.Batch.Late, t.ID) && t.State != generate.Delivered && t.Shown != t.State
		switch {
		case late:
			what = v.Spans("batch.late", "take", v.takeTitle(t))
		case IsDeleted(t):
			what = v.Spans("batch.deleted", "take", v.takeTitle(t))
		case t.State == generate.Failed && t.Failure.Kind == generate.FailUnreachable && t.Output.URL != "":
			watch := text.Span{Text: v.Text("result.watch"), Style: text.Link, URL: t.Output.URL}
			out = append(out, v.say(Text, "batch.linked", "take", v.takeTitle(t), "link", watch), v.say(Note, KeyLabel), v.say(Note, "result.public"))
			continue
		case t.State == generate.Failed:
			what = text.Spaced(v.Spans("batch.failed", "take", v.takeTitle(t)), v.failure(t))
		case t.State == generate.Cancelled:
			what = text.Spaced(v.Spans("batch.cancelled", "take", v.takeTitle(t)), v.bill(t))
		case !isMade(t):
			what = v.Spans("batch.late", "take", v.takeTitle(t))
		}
		out = append(out, block(Note, what...))
	}
	return out
}

// seedNote says whose seed it is that was typed.
func (v printer) seedNote(j generate.Job) []Block {
	if j.Batch.Trial.LoRA != "" {
		return nil // it is that of all takes
	}
	if !slices.ContainsFunc(j.Takes, func(t generate.Job) bool { return t.Batch.Index == 1 && givesSeed(t) }) {
		return nil
	}
	return []Block{v.say(Note, "batch.seed")}
}

// givesSeed reports whether somebody has typed the seed of j.
func givesSeed(j generate.Job) bool {
	for _, s := range j.Request.Changed() {
		if s.Key == "seed" {
			return true
		}
	}
	return false
}

// Results is the message that carries the videos of a job, or of a batch, by
// what only the courier knows of each, by the job's id. frames is
// ResultFacts.Frames.
func Results(p text.Printer, j generate.Job, facts map[string]ResultFacts, frames bool) Message {
	if !isBatch(j) {
		f := facts[j.ID]
		f.Frames = frames
		return Result(p, j, f)
	}
	v := printer{p}
	var m Message
	posted := slices.DeleteFunc(slices.Clone(j.Takes), func(t generate.Job) bool { _, ok := facts[t.ID]; return !ok || IsDeleted(t) })
	said := v.Spans("batch.ready", "n", len(posted), "size", len(j.Takes))
	if slices.ContainsFunc(j.Takes, IsDeleted) {
		said = []text.Span{{Text: v.Plural("batch.left", int64(len(posted)))}}
	}
	m.add(block(Text, text.Spaced([]text.Span{text.MentionSpan(j.AskedBy())}, said)...), v.say(Note, KeyLabel))
	m.add(block(Quote, text.Span{Text: text.Shorten(j.Request.Prompt(), resultPrompt)}))
	m.add(block(Note, changed(j)...))
	for _, t := range posted {
		m.add(block(Note, text.Dotted(v.takeName(t), v.madeLine(t))...))
		if lost := lostTriggers(t); len(lost) > 0 {
			m.add(v.say(Note, "batch.lost_trigger", "take", v.takeTitle(t), "words", v.List(lost, "format.and")))
		}
		f := facts[t.ID]
		if f.Fit == generate.FitLink && f.URL != "" {
			m.add(v.linkTo(f), v.say(Note, "result.public"))
		}
		if f.Fit == generate.FitReencoded {
			m.add(v.smaller(t))
		}
		if t.Cancel != nil && t.Cancel.By != generate.ByDeadline {
			m.add(v.tooLate(t))
		}
	}
	m.add(v.withoutVideo(j, true)...)
	m.add(v.seedNote(j)...)
	m.add(v.notes(j)...)
	m.add(block(Note, v.smallPrint(j)...))
	remove := v.buttons(j.ID, ActDelete)
	if len(posted) > 1 {
		remove[0].Label, remove[0].Confirm = v.Text("button.delete_all"), v.Text("confirm.delete_all")
	}
	m.Buttons = append(v.takeButtons(posted), remove...)
	return m.done()
}

// takeButtons are a button for each take, which shows what can be done with it.
func (v printer) takeButtons(takes []generate.Job) []Button {
	buttons := make([]Button, 0, len(takes)+1)
	for _, t := range takes {
		buttons = append(buttons, Button{Action: ActTake, Job: t.ID, Label: v.takeTitle(t)})
	}
	return buttons
}

// Take is what can be done with one video of a batch.
func Take(p text.Printer, j generate.Job, frames bool) Message {
	v := printer{p}
	var m Message
	m.add(Block{Kind: Text, Spans: text.Dotted(v.takeName(j), v.madeLine(j))})
	if expanded := expandedPrompt(j); expanded != "" {
		m.add(v.say(Note, "result.expanded"), block(Quote, text.Span{Text: text.Shorten(expanded, resultPrompt)}))
	}
	repeat := again(j)
	if lost := lostTriggers(j); len(lost) > 0 {
		m.add(v.say(Text, "result.lost_trigger", "words", v.List(lost, "format.and")))
		repeat = []Action{ActAgain, ActVerbatim} // there is room for five buttons
	}
	m.add(block(Note, v.smallPrint(j)...))
	m.Buttons = v.buttons(j.ID, append(repeat, ActEdit, ActDetails, ActRemove)...)
	m.Menu, m.Prompt = v.buttons(j.ID, goOn(j, ResultFacts{Frames: frames})...), v.Text("button.more")
	return m.done()
}
