package view

import (
	"errors"
	"slices"
	"strings"

	"ltxbot/bot/command"
	"ltxbot/bot/text"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/core/usd"
)

// Refuse says no to what a person typed, for the errors that a person can do
// something about: *LengthError, *VerbError, *ValueError, *SpellingError, *AskError, ltx.Invalid, ltx.FieldError and
// *quota.LimitError. It is nil for any other error.
func Refuse(p text.Printer, err error) *Message {
	v := printer{p}
	var m Message
	problems := command.ProblemsIn(err)
	for _, e := range problems {
		m.add(block(Text, v.problem(e)...))
	}
	if len(problems) > 0 {
		m.add(block(Note, text.Spaced(v.Spans("price.nothing"), v.Spans("tell.more_help"))...))
	}
	if verb, ok := errors.AsType[*command.VerbError](err); ok {
		m.add(v.misused(verb)...)
	}
	if long, ok := errors.AsType[*command.LengthError](err); ok {
		m.add(v.say(Text, "tell.line_too_long", "count", long.Length, "max", command.MaxLine), v.say(Note, "price.nothing"))
	}
	if lacking, ok := errors.AsType[*command.ValueError](err); ok {
		for _, p := range lacking.Params {
			m.add(block(Text, v.Spans("tell.needs_value", "option", p.Key(), "what", v.optionFact(p))...))
		}
		m.add(block(Note, text.Spaced(v.Spans("price.nothing"), v.Spans("tell.more_help"))...))
	}
	if wrong, ok := errors.AsType[*command.SpellingError](err); ok {
		m.add(v.say(Note, "tell.typed"), v.toCopy(wrong.Right))
		m.add(v.attach(wrong.Right)...)
	}
	if ask, ok := errors.AsType[*command.AskError](err); ok {
		m.add(v.ask(ask)...)
	}
	if limit, ok := errors.AsType[*quota.LimitError](err); ok {
		m.add(v.limit(limit)...)
	}
	if len(m.Blocks) == 0 {
		return nil
	}
	m = m.done()
	return &m
}

// misused says what the verb takes that was nearly typed, and how a video of
// the same words is made.
func (v printer) misused(e *command.VerbError) []Block {
	typed := strings.TrimSpace(e.Word + " " + e.Rest)
	asPrompt := []ltx.Setting{{Key: command.PromptKey, Value: typed}}
	video := v.Spans("tell.verb_prompt", "example", v.video(command.Write(asPrompt), asPrompt))
	if e.Wants == "" {
		meant := v.Spans("tell.did_you_mean", "nearest", v.verbOf(e.Nearest))
		return []Block{block(Text, text.Spaced(v.Spans("tell.verb", "word", e.Word), meant)...), block(Note, video...)}
	}
	return []Block{
		v.say(Text, e.Wants, "verb", e.Nearest, "rest", e.Rest, "button", v.Text("button.delete")),
		block(Note, text.Spaced(v.Spans("price.nothing"), video)...),
	}
}

// ask says what may be settings or words of the prompt, with both spellings.
func (v printer) ask(e *command.AskError) []Block {
	const most = 3
	key := "tell.asked"
	if len(e.Typed) > 1 {
		key = "tell.asked_many"
	}
	shown := make([]string, 0, most)
	for _, typed := range e.Typed[:min(len(e.Typed), most)] {
		shown = append(shown, text.Shorten(command.HideQueries(typed), text.ShownValue))
	}
	if len(e.Typed) > most {
		shown = append(shown, "…")
	}
	return slices.Concat([]Block{
		v.say(Text, key, "words", strings.Join(shown, " · ")),
		v.say(Note, "tell.asked_setting"), v.toCopy(e.AsSettings),
		v.say(Note, "tell.asked_words"), v.toCopy(e.AsWords),
	}, v.attach(e.AsSettings), []Block{v.say(Note, "price.nothing")})
}

// toCopy is a command line to be copied, without what may be secret and without
// files: attach says that they are not in it.
func (v printer) toCopy(settings []ltx.Setting) Block {
	typed, _ := byHand(command.Shown(settings))
	return block(Code, v.video(command.Write(typed), typed))
}

// attach says which files have to come again with a line that was copied.
func (v printer) attach(settings []ltx.Setting) []Block {
	_, files := byHand(settings)
	if len(files) == 0 {
		return nil
	}
	return []Block{v.say(Note, "tell.attach", "files", strings.Join(files, ", "))}
}

// byHand are the settings that can be typed, and the names of the files among
// the others: nobody can type what a platform holds.
func byHand(settings []ltx.Setting) (typed []ltx.Setting, files []string) {
	for _, s := range settings {
		if _, ofJob := s.File.Job(); ofJob || s.File.Ref == "" || s.File.IsLink() || s.IsThis() {
			typed = append(typed, s)
			continue
		}
		files = append(files, s.File.Shown())
	}
	return typed, files
}

// FieldErrors says what is wrong with each field of a form, by the option's
// key, as plain text. It is nil when err is not about settings.
func FieldErrors(p text.Printer, err error) map[string]string {
	v := printer{p}
	var out map[string]string
	for _, e := range command.ProblemsIn(err) {
		key := e.Option
		if p, ok := ltx.Lookup(key); !ok || !OnForm(p) && p.Kind != ltx.KindMedia {
			key = AdvancedKey // where experts' inputs are typed
		}
		if out == nil {
			out = map[string]string{}
		}
		out[key] = strings.TrimSpace(out[key] + " " + text.Flat(v.problem(e)))
	}
	return out
}

// problemMore are the sentences that follow the text of a problem, if any.
var problemMore = map[ltx.Problem][]string{
	ltx.Unknown:           {"tell.did_you_mean"},
	ltx.NotAChoice:        {"tell.did_you_mean", "tell.one_of"},
	ltx.BadSize:           {"tell.did_you_mean", "tell.size_forms"},
	ltx.LoRAUnknown:       {"tell.did_you_mean"},
	ltx.StyleUnknown:      {"tell.did_you_mean"},
	ltx.TooManyMegapixels: {"tell.lasts"},
	ltx.OutOfRange:        {"tell.fps_lasts"},
	ltx.NotTaken:          {"tell.models", "tell.write"},
	ltx.ModelCannot:       {"tell.models"},
	ltx.TierOnly:          {"tell.models_yours"},
	ltx.NeedsInput:        {"tell.give_file"},
}

// problem says what is wrong with a setting, and what would be right.
func (v printer) problem(e ltx.FieldError) []text.Span {
	key := "problem." + string(e.Problem)
	if e.Problem == ltx.Duplicate && e.Value == "" {
		key += "_text"
	}
	if e.Problem == ltx.NotTaken && e.Other != "" {
		key += "_for"
	}
	args := []any{
		"option", e.Option, "value", text.Shorten(e.Value, text.ShownValue), "count", e.Count,
		"min", v.limitNumber(e.Min), "max", v.limitNumber(e.Max),
		"nearest", e.Nearest, "other", e.Other, "range", v.between(e),
		"choices", v.List(e.Choices, "format.or"),
	}
	sentences := [][]text.Span{v.Spans(key, args...)}
	for _, more := range problemMore[e.Problem] {
		switch {
		case more == "tell.models", more == "tell.models_yours":
			if len(e.Choices) > 0 {
				sentences = append(sentences, v.Spans(more, args...))
			}
		case more == "tell.give_file":
			if p, ok := ltx.Lookup(e.Other); ok && p.Kind == ltx.KindMedia {
				sentences = append(sentences, v.Spans(more, args...))
			}
		case more == "tell.fps_lasts":
			if e.Unit == "seconds" && e.Other != "" {
				sentences = append(sentences, v.Spans(more, args...))
			}
		case e.Nearest != "" || more == "tell.one_of" || more == "tell.size_forms":
			sentences = append(sentences, v.Spans(more, args...))
		case more == "tell.lasts":
			sentences = append(sentences, v.Spans("tell.smaller_size"))
		}
	}
	if len(e.Models) > 0 {
		sentences = append(sentences, v.Spans("tell.possible_with", "models", v.List(e.Models, "format.or")))
	}
	if e.Style != "" {
		sentences = append(sentences, v.Spans("tell.style", "style", e.Style))
	}
	return text.Spaced(sentences...)
}

// limitNumber writes a bound exactly.
func (v printer) limitNumber(n float64) string {
	return strings.Replace(text.NumberTyped(n), ".", v.Text("format.decimal"), 1)
}

// between is "between 9 and 481 frames".
func (v printer) between(e ltx.FieldError) string {
	least, most := v.limitNumber(e.Min), v.limitNumber(e.Max)
	if !v.Has("unit." + e.Unit) {
		return v.Text("tell.range", "min", least, "max", most)
	}
	return v.Text("tell.range_unit", "min", least, "max", most, "unit", v.Text("unit."+e.Unit))
}

// limit says which limit has no room, how much is left, when it starts over
// and who can raise it.
func (v printer) limit(e *quota.LimitError) []Block {
	var why, reason []text.Span
	if e.Block.Reason != "" {
		reason = v.Spans("refusal.reason", "reason", text.Shorten(text.OneLine(e.Block.Reason), cardPrompt))
	}
	switch e.Reason {
	case quota.LineFull:
		why = []text.Span{{Text: v.Plural("refusal.line_full", int64(e.Line))}}
		return []Block{block(Text, text.Spaced(why, v.Spans("refusal.line_next"))...), v.say(Note, "price.nothing")}
	case quota.Blocked, quota.Paused:
		by, ask := "", "refusal.ask_admin"
		if e.Block.By == quota.Operator {
			by, ask = "_operator", "refusal.ask_operator"
		}
		why = text.Spaced(v.Spans("refusal."+string(e.Reason)+by), reason, v.Spans(ask))
		return []Block{block(Text, why...), v.say(Note, "price.nothing")}
	case quota.Unlisted:
		return []Block{v.say(Text, "refusal.unlisted", "team", e.Gauge.Scope.ID), v.say(Note, "price.nothing")}
	case quota.OverLimit:
	}
	return v.overLimit(e)
}

// overLimit is limit for a limit that is used up.
func (v printer) overLimit(e *quota.LimitError) []Block {
	g := e.Gauge
	key := "refusal." + string(g.Unit) + "_" + string(g.Scope.Kind)
	tooMuch := g.Unit == quota.Dollars && e.Need > g.Max
	if tooMuch {
		key = "refusal.never_fits"
	}
	costs, smaller := "refusal.costs", "refusal.smaller"
	if e.Videos > 1 {
		costs, smaller = "refusal.costs_all", "refusal.fewer"
	}
	cost := v.Text(costs, "n", e.Videos, "need", v.Money(usd.Micros(e.Need)))
	why := v.Spans(key, "used", v.amount(g.Unit, g.Used), "max", v.amount(g.Unit, g.Max),
		"left", v.amount(g.Unit, e.Left()), "costs", cost, "window", v.window(g.Window))
	var less, resets []text.Span
	if g.Unit == quota.Videos && e.Need > 1 {
		less = v.Spans("refusal.several", "need", e.Need, "left", e.Left())
	}
	if g.Unit == quota.Dollars && (tooMuch || e.Left() > 0) {
		less = v.Spans(smaller)
	}
	if !g.Resets.IsZero() && !tooMuch {
		again := "refusal.resets"
		if g.Window.Rolling() > 0 {
			again = "refusal.frees"
		}
		resets = v.Spans(again, "since", text.SinceSpan(g.Resets), "at", text.TimeSpan(g.Resets))
	}
	who := v.Spans("refusal.admin")
	if g.Fixed {
		who = v.Spans("refusal.operator")
	}
	return []Block{
		block(Text, text.Spaced(why, less)...),
		block(Text, text.Spaced(resets, who)...),
		v.say(Note, "price.nothing"),
	}
}
