package view

import (
	"net/url"
	"slices"
	"strings"

	"ltxbot/bot/command"
	"ltxbot/bot/text"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
)

// shownText is how much of a long text the details show, in UTF-16 units.
const shownText = 120

// Details shows every parameter of a job, and the line that makes it again.
// It is for who asks only.
func Details(p text.Printer, j generate.Job) Message {
	v := printer{p}
	var m Message
	m.add(v.say(Heading, "details.title", "id", j.ID))
	m.add(Block{Kind: Facts, Facts: v.jobFacts(j)})
	if expanded := expandedPrompt(j); expanded != "" {
		m.add(v.say(Note, "result.expanded"), block(Quote, text.Span{Text: text.Shorten(expanded, resultPrompt)}))
	}
	m.add(v.inputs(j)...)
	m.add(Block{Kind: Text, Spans: []text.Span{{Text: v.Text("details.settings"), Style: text.Strong}}})
	m.add(Block{Kind: Facts, Facts: v.settingFacts(j.Request)})
	for _, n := range j.Request.Notes {
		if n.Reason == ltx.AppliedStyle {
			continue // it is among the settings
		}
		m.add(block(Note, v.note(n)...))
	}
	again := shownSettings(j.Request)
	m.add(v.say(Note, "details.again"), v.toCopy(again))
	m.add(v.attach(again)...)
	for _, l := range j.Request.LoRAs() {
		if strings.Contains(l.Path, "?") {
			m.add(v.say(Note, "details.hidden"))
			break
		}
	}
	return m.done()
}

// inputs are the files that went into a job's video; pictures are shown.
func (v printer) inputs(j generate.Job) []Block {
	var out []Block
	for _, p := range ltx.Params() {
		if m, ok := j.Request.Media(p.Name); ok {
			b := block(Text, text.Span{Text: v.label(p), Style: text.Strong}, text.Span{Text: v.Text("format.colon")}, text.MonoSpan(m.Shown()))
			if j.Notes[generate.NoteDeleted] == "" && j.Purge.IsZero() {
				b.Picture = openPicture(m)
			}
			out = append(out, b)
		}
	}
	return out
}

// pictureTypes are the kinds of pictures that both platforms show.
// https://docs.slack.dev/reference/block-kit/block-elements/image-element
var pictureTypes = []string{"image/png", "image/jpeg", "image/gif", "image/webp"}

// openPicture is where the provider has a picture, if its address may be shown:
// what could be a secret in it stays where it is.
func openPicture(m ltx.Media) string {
	u, err := url.Parse(m.URL)
	if err != nil || !slices.Contains(pictureTypes, m.Type) || u.Host == "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.User != nil {
		return ""
	}
	return m.URL
}

// jobFacts are the facts of a job that are no setting.
func (v printer) jobFacts(j generate.Job) []Fact {
	var facts []Fact
	fact := func(key string, value ...text.Span) {
		facts = append(facts, Fact{Label: v.Text(key), Value: value})
	}
	fact("details.state", text.Span{Text: JobState(v.Printer, j)})
	fact("details.by", text.MentionSpan(j.AskedBy()))
	fact("details.created", text.TimeSpan(j.Created))
	if j.Batch.Size > 1 {
		fact("details.take", v.Spans("details.take_of", "n", j.Batch.Index, "size", j.Batch.Size)...)
	}
	if j.Parent != "" {
		fact("details.parent", text.MonoSpan(j.Parent))
	}
	fact("details.cost", text.Span{Text: v.Money(j.Estimate)})
	if j.Charged > 0 {
		fact("details.charged", text.Span{Text: v.Money(j.Charged)})
	}
	if j.Output.URL != "" {
		f := madeOf(j)
		fact("details.made", text.Dotted(
			[]text.Span{{Text: times(f.size)}}, []text.Span{{Text: v.Duration(f.length)}},
			[]text.Span{{Text: v.Value(f.frames) + " " + v.Text("unit.frames")}}, []text.Span{{Text: v.Number(f.fps) + " " + v.Text("unit.fps")}},
		)...)
	}
	if j.Submission.RequestID != "" {
		fact("details.request", text.MonoSpan(j.Submission.RequestID))
	}
	return facts
}

// settingFacts are all parameters of a request but the prompt and files, as typed,
// and its style.
func (v printer) settingFacts(r ltx.Request) []Fact {
	var facts []Fact
	for _, p := range ltx.Params() {
		if p.Kind == ltx.KindStyle && r.Style() != "" {
			facts = append(facts, Fact{Label: p.Key(), Value: []text.Span{text.MonoSpan(r.Style())}})
		}
		if p.Name == "" || p.Name == command.PromptKey || p.Operator || p.Kind == ltx.KindMedia || r.Value(p.Name) == nil {
			continue
		}
		facts = append(facts, Fact{Label: p.Key(), Value: []text.Span{text.MonoSpan(v.setting(p, r))}})
	}
	return facts
}

// setting writes the value of a parameter as it is typed.
func (v printer) setting(p ltx.Param, r ltx.Request) string {
	switch value := r.Value(p.Name).(type) {
	case bool:
		if value {
			return "yes"
		}
		return "no"
	case float64:
		return text.NumberTyped(value)
	case ltx.Size:
		return value.String()
	case []ltx.LoRA:
		var items []string
		for _, l := range value {
			name := l.Name
			if name == "" {
				name, _, _ = strings.Cut(l.Path, "?")
			}
			items = append(items, name+"@"+text.NumberTyped(l.Scale))
		}
		if len(items) == 0 {
			return "none"
		}
		return strings.Join(items, ", ")
	case string:
		for _, c := range p.Choices {
			if c.Value == value {
				return c.Typed()
			}
		}
		return text.Shorten(text.OneLine(value), shownText)
	default:
		return v.Value(value)
	}
}
