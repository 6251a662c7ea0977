package bot

import (
	"strconv"
	"strings"

	"ltxbot/core/ltx"
)

// helpTopics says what each topic of help is made of.
var helpTopics = map[string]func(d *Desk, v voice) []Block{
	TopicStart:    (*Desk).helpStart,
	TopicPrompt:   (*Desk).helpPrompt,
	TopicOptions:  (*Desk).helpOptions,
	TopicExamples: (*Desk).helpExamples,
	TopicQuota:    (*Desk).helpQuota,
}

// Topics are the topics of Help, besides the one to start with.
func Topics() []string { return []string{TopicPrompt, TopicOptions, TopicExamples, TopicQuota} }

// Help explains: topic is "", "prompt", "options", "examples" or "quota". An
// unknown topic is as good as none.
func (d *Desk) Help(locale, topic string) Message {
	v := d.voice(locale)
	write, ok := helpTopics[topics[strings.ToLower(strings.TrimSpace(topic))]]
	if !ok {
		write = (*Desk).helpStart
	}
	var m Message
	m.add(write(d, v)...)
	return m.done()
}

// examples are lines to copy. Prompts are in the language that the model
// knows best, whatever the reader's.
var examples = []string{
	`prompt:"Medium close-up, warm evening light. A woman in her sixties with silver hair and a green apron stands behind a bakery counter, ` +
		`flour on her hands. She lifts a loaf from the oven, taps the crust and smiles. The camera slowly pushes in until the steam fills the frame. ` +
		`She says in a soft Irish accent, 'That one is for you.' Oven hum, a bell over the door." camera:dolly_in`,
	`prompt:"Wide establishing shot at dawn, pale blue fog over a pine lake. A red canoe glides from left to right, its paddler in a yellow raincoat. ` +
		`The camera tracks alongside and rises to reveal snow-covered peaks. Water drips from the paddle, a loon calls in the distance." ` +
		`camera:jib_up size:16:9 duration:8`,
	`prompt:"Style: stop-motion clay. A small round robot rolls onto a wooden desk, stops at a coffee cup and tilts its head. The static frame holds ` +
		`as the robot looks into the cup and its antenna droops. A tinny, monotone voice says, 'Empty. Again.' Soft clock ticking." ` +
		`camera:static negative:none size:1:1`,
}

// shortExamples are the same, short enough to begin with.
var shortExamples = []string{
	`a cowboy walks through a dusty town camera:dolly_in`,
	`a red canoe glides over a foggy lake at dawn, a loon calls camera:jib_up size:16:9 duration:8`,
	`Style: stop-motion clay. A small robot looks into an empty coffee cup camera:static negative:none size:1:1`,
}

func (d *Desk) helpStart(v voice) []Block {
	blocks := []Block{v.say(Heading, "help.title"), v.say(Text, "help.start")}
	for _, e := range shortExamples {
		blocks = append(blocks, block(Code, Span{Text: d.cfg.Command + " " + e}))
	}
	return append(blocks, v.say(Text, "help.anywhere"), v.say(Text, "help.verbs"), v.say(Text, "help.topics"))
}

func (d *Desk) helpExamples(v voice) []Block {
	blocks := make([]Block, 0, 1+len(examples))
	blocks = append(blocks, v.say(Heading, "help.examples_title"))
	for _, e := range examples {
		blocks = append(blocks, block(Code, Span{Text: d.cfg.Command + " " + e}))
	}
	return blocks
}

// promptParts are the parts of a good prompt, in order.
var promptParts = []string{"shot", "scene", "action", "people", "camera", "sound"}

func (d *Desk) helpPrompt(v voice) []Block {
	blocks := []Block{v.say(Heading, "help.prompt_title"), v.say(Text, "help.prompt_form")}
	for i, part := range promptParts {
		blocks = append(blocks, block(Text, append([]Span{{Text: strconv.Itoa(i+1) + ". "}}, v.spans("help.prompt_"+part)...)...))
	}
	return append(blocks,
		v.say(Text, "help.prompt_avoid"), v.say(Text, "help.prompt_negative"), v.say(Text, "help.prompt_expand"),
		v.say(Note, "help.topics"))
}

func (d *Desk) helpOptions(v voice) []Block {
	var basic, expert []Fact
	for _, p := range ltx.Params() {
		switch {
		case p.Operator:
		case p.Option != "":
			basic = append(basic, Fact{Label: p.Option, Value: v.optionFact(p)})
		default:
			expert = append(expert, Fact{Label: p.Name, Value: []Span{{Text: v.option(p)}}})
		}
	}
	return []Block{
		v.say(Heading, "help.options_title"), v.say(Text, "help.options_how"),
		{Kind: Facts, Facts: basic},
		{Kind: Text, Spans: []Span{{Text: v.text("help.advanced_title"), Style: Strong}}},
		{Kind: Facts, Facts: expert},
	}
}

// optionFact is what an option is for, and what it can be where that is short.
func (v voice) optionFact(p ltx.Param) []Span {
	what := []Span{{Text: v.option(p)}}
	switch p.Kind {
	case ltx.KindChoice, ltx.KindPreset:
		words := make([]string, 0, len(p.Choices))
		for _, c := range p.Choices {
			words = append(words, c.Typed())
		}
		return append(append(what, Span{Text: v.text("format.colon")}), v.list(words, "format.or")...)
	case ltx.KindInt, ltx.KindFloat:
		between := v.text("tell.range", "min", v.limitNumber(p.Min), "max", v.limitNumber(p.Max))
		return append(what, Span{Text: " (" + between + ")"})
	case ltx.KindText, ltx.KindBool, ltx.KindSize, ltx.KindDuration, ltx.KindLoRAs, ltx.KindAdvanced:
	}
	return what
}

func (d *Desk) helpQuota(v voice) []Block {
	return []Block{
		v.say(Heading, "help.quota_title"), v.say(Text, "help.quota_how"),
		v.say(Text, "help.quota_line"), v.say(Text, "help.quota_mine"),
	}
}
