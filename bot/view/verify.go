package view

import (
	"ltxbot/bot/text"
	"ltxbot/core/generate"
)

// A Verdict is what is known of where a video comes from.
type Verdict struct {
	// File is what a file tells; nil when somebody asked about a message or a
	// job.
	File *generate.Evidence
	// Exact says that the bot has posted this very file.
	Exact bool
	// Job is the job of the video, or the one that a mark in the file names; nil
	// where the reader may not see it, or there is none.
	Job *generate.Job
	// Takes are the other videos of the message that somebody asked about.
	Takes []generate.Job
}

// checker is where people look at what a file is signed with.
const checker = "https://contentcredentials.org/verify"

// Verified says what is known of where a video comes from, and how sure that is.
func Verified(p text.Printer, r Verdict) Message {
	v := printer{p}
	var m Message
	switch {
	case r.File == nil && r.Job.Receipt.At.IsZero():
		m.add(v.say(Text, "verify.unposted", "id", text.MonoSpan(r.Job.ID)))
		return m.done()
	case r.File == nil:
		m.add(v.say(Text, "verify.job"))
	case r.Exact:
		m.add(v.say(Text, "verify.exact"))
	case r.File.Mark != nil:
		m.add(v.say(Text, "verify.claimed"), Block{Kind: Facts, Facts: v.claims(*r.File.Mark)})
		if r.Job != nil {
			m.add(v.say(Text, "verify.names"))
		}
	default:
		m.add(v.say(Text, "verify.none"))
	}
	if r.Job != nil {
		for _, j := range append([]generate.Job{*r.Job}, r.Takes...) {
			facts := v.origin(j)
			if sum := j.Receipt.SHA256; len(r.Takes) > 0 && sum != "" {
				facts = append(facts, Fact{hashLabel, []text.Span{text.MonoSpan(sum)}})
			}
			m.add(Block{Kind: Facts, Facts: facts})
		}
	} else if r.Exact {
		m.add(v.say(Note, "verify.hidden"))
	}
	if r.File != nil && r.File.Signed {
		m.add(v.say(Note, "verify.signed", "link", text.Span{Text: checker, Style: text.Link, URL: checker}))
	}
	if sum := r.sum(); sum != "" {
		m.add(block(Note, text.Span{Text: hashLabel + " "}, text.MonoSpan(sum)))
	}
	return m.done()
}

// hashLabel names a hash. It is the same in every language.
const hashLabel = "SHA-256"

// sum is the hash that was looked for, or that of the one video that was posted.
func (r Verdict) sum() string {
	switch {
	case r.File != nil:
		return r.File.SHA256
	case r.Job != nil && len(r.Takes) == 0:
		return r.Job.Receipt.SHA256
	}
	return ""
}

// claims are what the mark in a file says. Anybody may have written it.
func (v printer) claims(m generate.Mark) []Fact {
	var facts []Fact
	for _, c := range []struct{ key, value string }{{"verify.fact_model", m.Model}, {"verify.fact_job", m.Job}} {
		if value := text.Shorten(text.OneLine(c.value), text.ShownValue); value != "" {
			facts = append(facts, Fact{Label: v.Text("verify.fact_says") + " · " + v.Text(c.key), Value: []text.Span{text.MonoSpan(value)}})
		}
	}
	return facts
}

// marks are the texts for what became of the mark in a file.
var marks = map[generate.Marking]string{
	generate.MarkWritten: "verify.mark_written",
	generate.MarkFound:   "verify.mark_found",
	generate.MarkMissing: "verify.mark_missing",
}

// origin is who had a video made, with what, and where it is.
func (v printer) origin(j generate.Job) []Fact {
	facts := []Fact{
		{v.Text("verify.fact_job"), []text.Span{text.MonoSpan(j.ID)}},
		{v.Text("details.by"), []text.Span{text.MentionSpan(j.AskedBy())}},
		{v.Text("verify.fact_model"), []text.Span{text.MonoSpan(j.Endpoint)}},
	}
	if j.Batch.Size > 1 {
		facts = append(facts, Fact{v.Text("details.take"), v.Spans("details.take_of", "n", j.Batch.Index, "size", j.Batch.Size)})
	}
	if r := j.Receipt; !r.At.IsZero() {
		posted := []text.Span{text.TimeSpan(r.At)}
		if r.Link != "" && !IsDeleted(j) {
			posted = text.Dotted(posted, []text.Span{{Text: v.Text("verify.link"), Style: text.Link, URL: r.Link}})
		}
		facts = append(facts, Fact{v.Text("verify.fact_posted"), posted})
		switch {
		case r.Fit == generate.FitLink:
			facts = append(facts, Fact{v.Text("verify.fact_file"), []text.Span{{Text: v.Text("verify.as_link")}}})
		case r.Mark != "":
			facts = append(facts, Fact{v.Text("verify.fact_mark"), []text.Span{{Text: v.Text(marks[r.Mark])}}})
		}
	}
	return facts
}
