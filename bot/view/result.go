package view

import (
	"cmp"
	"errors"
	"strings"
	"time"

	"ltxbot/bot/text"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
)

// ResultFacts is what only the courier knows about a delivery.
type ResultFacts struct {
	Fit generate.Fit
	URL string     // of the video, when only a link can be given
	Why LinkReason // only a link can be given
	// Frames is set where the last picture of a video can be taken.
	Frames bool
}

// A LinkReason is why a message has a link in the place of the video. It is
// the key of a text.
type LinkReason string

// The reasons for a link. The zero value is LinkTooLarge.
const (
	LinkTooLarge   LinkReason = "result.link"
	LinkUploadsOff LinkReason = "result.link_off"       // the conversation takes no files
	LinkShared     LinkReason = "result.link_shared"    // the channel is shared with others who take no files
	LinkFull       LinkReason = "result.link_full"      // there is no room for files
	LinkDenied     LinkReason = "result.link_denied"    // this kind of file is not taken
	LinkExplicit   LinkReason = "result.link_explicit"  // the platform takes it for explicit content
	LinkModerated  LinkReason = "result.link_moderated" // a moderation rule of the conversation
	LinkLimited    LinkReason = "result.link_limited"   // the platform takes few files there for now
	LinkNoRight    LinkReason = "result.link_no_right"  // the bot may not upload
	LinkFailing    LinkReason = "result.link_failing"   // all tries have failed
	LinkUnseen     LinkReason = "result.link_unseen"    // it was uploaded and does not appear
	LinkForeign    LinkReason = "result.link_foreign"   // it is on a host that the bot fetches nothing from
	LinkUnfetched  LinkReason = "result.link_unfetched" // it cannot be fetched
)

// WhyLink is why a link takes the place of a video.
func WhyLink(e *generate.LinkError) LinkReason {
	_, large := errors.AsType[*generate.TooLargeError](e)
	switch {
	case large:
		return LinkTooLarge
	case errors.Is(e, generate.ErrUploads):
		return LinkFailing
	case errors.Is(e, generate.ErrForeign):
		return LinkForeign
	}
	return LinkUnfetched
}

// Result is the message that carries the video.
func Result(p text.Printer, j generate.Job, r ResultFacts) Message {
	v := printer{p}
	var m Message
	ready := v.Spans("result.ready")
	if j.Parent != "" && j.Notes[NoteRepeat] == "" {
		ready = v.Spans(madeFrom(j), "id", text.MonoSpan(j.Parent))
	}
	m.add(block(Text, text.Spaced([]text.Span{text.MentionSpan(j.AskedBy())}, ready)...), v.say(Note, KeyLabel))
	if j.Cancel != nil && j.Cancel.By != generate.ByDeadline {
		m.add(v.tooLate(j))
	}
	m.add(block(Quote, text.Span{Text: text.Shorten(j.Request.Prompt(), resultPrompt)}))
	if expanded := expandedPrompt(j); expanded != "" {
		m.add(v.say(Note, "result.expanded"), block(Quote, text.Span{Text: text.Shorten(expanded, resultPrompt)}))
	}
	if r.Fit == generate.FitLink && r.URL != "" {
		m.add(v.linkTo(r), v.say(Note, "result.public"))
	}
	m.add(block(Note, changed(j)...))
	m.add(block(Note, v.madeLine(j)...))
	if r.Fit == generate.FitReencoded {
		m.add(v.smaller(j))
	}
	m.add(v.notes(j)...)
	repeat := again(j)
	if lost := lostTriggers(j); len(lost) > 0 {
		m.add(v.say(Text, "result.lost_trigger", "words", v.List(lost, "format.and")))
		repeat = []Action{ActAgain, ActVerbatim} // there is room for five buttons
	}
	m.add(block(Note, v.smallPrint(j)...))
	m.Buttons = v.buttons(j.ID, append(repeat, ActEdit, ActDetails, ActDelete)...)
	m.Menu, m.Prompt = v.buttons(j.ID, goOn(j, r)...), v.Text("button.more")
	return m.done()
}

// goesOn are the texts for what is done with a clip.
var goesOn = map[string]string{
	"extend": "result.extend", "retake": "result.retake", "reframe": "result.reframe", "restyle": "result.restyle", "reference": "result.reference",
}

// madeFrom is the text for what a video is to the one that it was made from.
func madeFrom(j generate.Job) string {
	of := func(option string) bool {
		p, _ := ltx.Lookup(option)
		m, _ := j.Request.Media(p.Name)
		id, ok := m.Job()
		return ok && id == j.Parent
	}
	switch {
	case of("clip"):
		return cmp.Or(goesOn[j.Request.Edit()], "result.remix")
	case of("image"):
		return "result.continue"
	}
	return "result.remix"
}

// tooLate says that a cancel came too late.
func (v printer) tooLate(j generate.Job) Block {
	return v.say(Text, "result.too_late", "price", cmp.Or(j.Charged, j.Estimate))
}

// linkTo is the link that takes the place of a video, and why.
func (v printer) linkTo(r ResultFacts) Block {
	watch := text.Span{Text: v.Text("result.watch"), Style: text.Link, URL: r.URL}
	return v.say(Text, string(cmp.Or(r.Why, LinkTooLarge)), "link", watch)
}

// KeyLabel is the key of the line that says that a video was made by AI. Whoever
// posts what the model makes must say so; the operator chooses the words.
const KeyLabel = "result.label"

// Label is that line.
func Label(p text.Printer) string { return p.Text(KeyLabel) }

// goOn are the actions that go on from a finished video.
func goOn(j generate.Job, r ResultFacts) []Action {
	moving := !strings.HasPrefix(j.Output.ContentType, "image/") // a GIF is no clip
	var actions []Action
	if j.Request.IsDraft() {
		actions = append(actions, ActFinish)
	}
	if moving {
		actions = append(actions, ActExtend)
	}
	if moving && r.Frames {
		actions = append(actions, ActContinue)
	}
	if moving {
		actions = append(actions, ActRetake, ActReframe)
	}
	return append(actions, ActInputs, ActStyle)
}

// lostTriggers are the words that a LoRA needs and that the model has dropped
// from the prompt.
func lostTriggers(j generate.Job) []string {
	if !j.Request.Expand() {
		return nil
	}
	return j.Request.LostTriggers(j.Output.Prompt)
}

// smaller says that the video was made smaller, and where it is in full.
func (v printer) smaller(j generate.Job) Block {
	if j.Output.URL == "" {
		return v.say(Note, "result.smaller")
	}
	return v.say(Note, "result.reencoded", "link", text.Span{Text: v.Text("result.original"), Style: text.Link, URL: j.Output.URL})
}

// expandedPrompt is the prompt as the model elaborated on it, or "" when that
// is the prompt that was sent.
func expandedPrompt(j generate.Job) string {
	used := strings.TrimSpace(j.Output.Prompt)
	if strings.EqualFold(text.OneLine(used), text.OneLine(j.Request.Prompt())) {
		return ""
	}
	return used
}

// madeLine is "seed 7 · 1024×576 · 5 s · made in 48 s", without the seed of a
// model that has none.
func (v printer) madeLine(j generate.Job) []text.Span {
	f := madeOf(j)
	var pieces [][]text.Span
	if j.Request.HasSeed() || j.Output.Seed != nil {
		pieces = append(pieces, v.Spans("result.seed", "n", text.MonoSpan(v.Value(f.seed))))
	}
	pieces = append(pieces, []text.Span{{Text: times(f.size)}}, []text.Span{{Text: v.Duration(f.length)}})
	if f.took > 0 {
		pieces = append(pieces, v.Spans("result.took", "time", f.took))
	}
	return text.Dotted(pieces...)
}

// made is the video as it came out, as far as the provider tells; else as it
// was asked for.
type made struct {
	seed   int64
	size   ltx.Size
	fps    float64
	frames int
	length time.Duration
	took   time.Duration // 0 when not known
}

func madeOf(j generate.Job) made {
	r, o := j.Request, j.Output
	f := made{seed: r.Seed(), size: r.Size(), fps: r.FPS(), frames: r.Frames(), length: seconds(r.Seconds())}
	if o.Seed != nil {
		f.seed = *o.Seed
	}
	if o.Width > 0 && o.Height > 0 {
		f.size = ltx.Size{Width: o.Width, Height: o.Height}
	}
	if o.FPS > 0 {
		f.fps = o.FPS
	}
	if o.Frames > 0 {
		f.frames = o.Frames
	}
	if o.Seconds > 0 {
		f.length = seconds(o.Seconds)
	}
	switch {
	case j.Seconds > 0:
		f.took = seconds(j.Seconds)
	case !j.Fetched.IsZero() && !j.Submitted.IsZero():
		f.took = j.Fetched.Sub(j.Submitted)
	}
	return f
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// times writes a size as people read it: "1024×576".
func times(s ltx.Size) string { return strings.Replace(s.String(), "x", "×", 1) }

// maxAlt is the longest description of a file, in characters.
// https://discord.com/developers/docs/resources/message#attachment-object
// https://docs.slack.dev/reference/methods/files.getUploadURLExternal
const maxAlt = 1000

// AltText describes the video for people who do not see it.
func AltText(p text.Printer, j generate.Job) string {
	length := p.Number(madeOf(j).length.Seconds())
	return text.Shorten(p.Text("result.alt", "label", Label(p), "seconds", length, "prompt", text.OneLine(j.Request.Prompt())), maxAlt)
}
