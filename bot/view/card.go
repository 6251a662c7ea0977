package view

import (
	"slices"
	"strings"
	"time"

	"ltxbot/bot/text"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
)

// How much of a text a card and a result show, in UTF-16 units.
const (
	cardPrompt   = 300
	resultPrompt = 800
)

// Card is the message that shows how a job is doing, in the language of who
// asked for it. It is the same for the same job and progress, but for what is
// expected in the future.
func Card(p text.Printer, j generate.Job) Message {
	v := printer{p}
	var m Message
	m.add(block(Text, v.stateLine(j)...))
	m.add(block(Quote, text.Span{Text: text.Shorten(j.Request.Prompt(), cardPrompt)}))
	m.add(block(Note, changed(j)...))
	m.add(block(Note, v.takeStates(j)...))
	if part, ok := bar(j); ok {
		m.add(Block{Kind: Bar, Bar: part})
	}
	if !j.State.Terminal() {
		m.add(v.seedNote(j)...)
		m.add(v.notes(j)...)
	}
	if isBatch(j) && j.State.Terminal() && !IsDeleted(j) {
		m.add(v.withoutVideo(j, false)...)
	} else {
		m.add(v.explain(j)...)
	}
	m.add(block(Note, v.smallPrint(j)...))
	m.Buttons = v.cardButtons(j)
	return m.done()
}

// LastWord is the card of a job that is over, as a message of its own: it mentions
// who asked for the job.
func LastWord(p text.Printer, j generate.Job) Message {
	m := Card(p, j)
	m.Blocks = append([]Block{block(Text, text.MentionSpan(j.AskedBy()))}, m.Blocks...)
	return m
}

// JobState says how a job is doing: "Making your video".
func JobState(p text.Printer, j generate.Job) string {
	state := shownState(j)
	if state == string(generate.Preparing) && j.Progress.Input != "" {
		return p.Text(uploading(j.Progress.Input))
	}
	return p.Text("state." + state)
}

// StateName is what a state is called.
func StateName(p text.Printer, s generate.State) string { return p.Text("state." + string(s)) }

// shownState is the state of a job, or what a person should know instead.
func shownState(j generate.Job) string {
	switch {
	case j.Cancel != nil && j.State.Cancellable():
		return "cancelling"
	case j.Waiting():
		return "waiting"
	case IsDeleted(j):
		return "deleted"
	}
	return string(j.State)
}

// uploading is what is said of a job whose file for a parameter is on its way.
func uploading(parameter string) (key string) {
	switch parameter {
	case "audio_url":
		return "state.uploading_sound"
	case "video_url":
		return "state.uploading_clip"
	}
	return "state.uploading_picture"
}

// stateLine is "Making your video · 42 % · started 20 seconds ago".
func (v printer) stateLine(j generate.Job) []text.Span {
	pieces := [][]text.Span{{{Text: JobState(v.Printer, j), Style: text.Strong}}}
	say := func(key string, args ...any) { pieces = append(pieces, v.Spans(key, args...)) }
	switch {
	case j.Cancel != nil && j.State.Cancellable():
	case j.State == generate.Preparing && j.Progress.Retrying:
		say("card.retrying")
	case isBatch(j) && !j.State.Terminal():
		pieces = append(pieces, v.batchLine(j))
		say("card.asked", "since", text.SinceSpan(j.Created))
	case j.Waiting():
		if j.Progress.Waiting > 0 {
			say("card.place", "n", j.Progress.Waiting)
		}
		say("card.asked", "since", text.SinceSpan(j.Created))
	case j.State == generate.Queued:
		switch ahead := j.Progress.Position; {
		case ahead == 0:
			say("card.next")
		case ahead > 0:
			pieces = append(pieces, []text.Span{{Text: v.Plural("card.ahead", int64(ahead))}})
		}
		say("card.asked", "since", text.SinceSpan(j.Created))
	case j.State == generate.Running:
		if j.Progress.Percent > 0 {
			say("card.percent", "n", j.Progress.Percent)
		}
		if !j.Started.IsZero() {
			say("card.started", "since", text.SinceSpan(j.Started))
		}
		if ready := j.Started.Add(j.Progress.Expected); j.Progress.Expected > 0 && time.Until(ready) > 0 {
			say("card.expected", "until", text.SinceSpan(ready))
		}
	case j.State == generate.Delivered:
		if isBatch(j) {
			pieces = append(pieces, v.batchLine(j))
		}
		if j.Receipt.Link != "" && !IsDeleted(j) {
			pieces = append(pieces, []text.Span{{Text: v.Text("card.watch"), Style: text.Link, URL: j.Receipt.Link}})
		}
	}
	return text.Dotted(pieces...)
}

// explain says what a person may wonder about in this state.
func (v printer) explain(j generate.Job) []Block {
	stopping := j.Cancel != nil && j.State.Cancellable()
	switch {
	case stopping && j.Cancel.By == generate.ByDeadline:
		return []Block{v.say(Text, "card.overdue")}
	case j.State == generate.Unknown:
		return []Block{v.say(Text, "card.unknown")}
	case stopping && j.State != generate.Accepted:
		return []Block{v.say(Text, "card.cancelling")}
	case j.Waiting() && !stopping:
		return []Block{v.say(Note, "card.waiting")}
	case j.State == generate.Failed && j.Failure.Kind == generate.FailUnreachable && j.Output.URL != "":
		// It was made, and could not be brought here.
		watch := text.Span{Text: v.Text("result.watch"), Style: text.Link, URL: j.Output.URL}
		return []Block{block(Text, v.failure(j)...), block(Text, watch), v.say(Note, KeyLabel), v.say(Note, "result.public")}
	case j.State == generate.Failed && j.Failure.Refusal != nil:
		return v.limit(j.Failure.Refusal)
	case j.State == generate.Failed:
		return []Block{block(Text, v.failure(j)...)}
	case IsDeleted(j):
		return []Block{block(Text, v.bill(j)...)}
	case j.State == generate.Cancelled:
		var by []text.Span
		if j.Cancel != nil && j.Cancel.By != j.Member && strings.Contains(j.Cancel.By, ":") {
			by = v.Spans("card.cancelled_by", "member", text.MentionSpan(j.Cancel.By))
		}
		return []Block{block(Text, text.Spaced(by, v.bill(j))...)}
	}
	return nil
}

// bill says whether a job without a video cost something.
func (v printer) bill(j generate.Job) []text.Span {
	if j.Charged > 0 {
		return v.Spans("price.charged", "price", j.Charged)
	}
	return v.Spans("price.nothing")
}

// smallPrint is "≈ $0.13 · you used 3 of 10 today · team used $4.10 of $200 this month · k3f9…".
func (v printer) smallPrint(j generate.Job) []text.Span {
	var price []text.Span
	switch {
	case j.State == generate.Failed, j.State == generate.Cancelled, IsDeleted(j):
	case j.Charged > 0:
		price = []text.Span{{Text: v.Money(j.Charged)}}
	case j.Request.Unmeasured():
		price = v.Spans("price.at_most", "price", j.Estimate)
	default:
		price = v.Spans("price.estimate", "price", j.Estimate)
	}
	var parent, take []text.Span
	if j.Batch.Size > 1 && !isBatch(j) {
		take = v.Spans("batch.take_of", "n", j.Batch.Index, "size", j.Batch.Size)
	}
	if j.Parent != "" {
		parent = v.Spans("card.parent", "id", text.MonoSpan(j.Parent))
	}
	return text.Dotted(price, v.gaugeLine(j.Gauges), []text.Span{text.MonoSpan(j.ID)}, take, parent)
}

// changed are the settings of a job that are not as usual, as they are typed.
func changed(j generate.Job) []text.Span {
	var out []text.Span
	for _, s := range j.Request.Changed() {
		if len(out) > 0 {
			out = append(out, text.Span{Text: " "})
		}
		out = append(out, text.MonoSpan(s.Key+":"+text.Shorten(text.OneLine(s.Value), text.ShownValue)))
	}
	return out
}

// notes tell what was changed of a request, but for what nobody typed: that is
// in the details.
func (v printer) notes(j generate.Job) []Block {
	var out []Block
	for _, n := range j.Request.Notes {
		paid := n.Reason == ltx.ByPartner && !j.Fetched.IsZero() // it is said before
		if n.Reason != ltx.DroppedStatic && !paid {
			out = append(out, block(Note, v.note(n)...))
		}
	}
	return out
}

// note tells what was changed to fit.
func (v printer) note(n ltx.Note) []text.Span {
	return v.Spans("note."+string(n.Reason), "option", n.Option, "from", n.From, "to", n.To)
}

// cardButtons are what a person can do about a job.
func (v printer) cardButtons(j generate.Job) []Button {
	var actions []Action
	switch {
	case j.State.Cancellable() && j.Cancel == nil:
		actions = []Action{ActCancel}
	case unposted(j): // to try again would cost again
		actions = []Action{ActDetails}
	case j.State == generate.Failed:
		f, ok := failures[j.Failure.Kind]
		if actions = f.actions; !ok {
			actions = []Action{ActRetry, ActEdit}
		}
	case IsDeleted(j):
		actions = []Action{ActAgain, ActDetails}
	case j.State == generate.Cancelled:
		actions = []Action{ActRetry, ActEdit}
	}
	if at := slices.Index(actions, ActEdit) + 1; at > 0 && ofFiles(j) {
		actions = slices.Insert(slices.Clone(actions), at, ActInputs)
	}
	buttons := v.buttons(j.ID, actions...)
	if j.State == generate.Failed && (j.Failure.Kind == generate.FailInterrupted || j.Failure.Kind == generate.FailUnprepared) {
		buttons[0].Label = v.Text("button.make")
	}
	return buttons
}

// confirms are the questions before what can't be undone.
var confirms = map[Action]string{ActDelete: "confirm.delete", ActRemove: "confirm.remove"}

// ofFiles reports whether files go into a job's video.
func ofFiles(j generate.Job) bool {
	return slices.ContainsFunc(ltx.Params(), func(p ltx.Param) bool { _, ok := j.Request.Media(p.Name); return ok })
}

// buttons are buttons for actions on a job.
func (v printer) buttons(job string, actions ...Action) []Button {
	out := make([]Button, 0, len(actions))
	for _, a := range actions {
		b := Button{Action: a, Job: job, Label: v.Text("button." + string(a))}
		b.Danger = slices.Contains([]Action{ActCancel, ActDelete, ActRemove}, a)
		if key := confirms[a]; key != "" {
			b.Confirm = v.Text(key)
		}
		out = append(out, b)
	}
	return out
}
