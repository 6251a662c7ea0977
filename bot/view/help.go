package view

import (
	"strconv"
	"strings"
	"time"

	"ltxbot/bot/command"
	"ltxbot/bot/text"
	"ltxbot/core/library"
	"ltxbot/core/ltx"
	"ltxbot/core/team"
)

// helpTopics says what each topic of help is made of.
var helpTopics = map[string]func(v printer, rules ltx.Rules) []Block{
	command.TopicStart:    whatever(printer.helpStart),
	command.TopicPrompt:   whatever(printer.helpPrompt),
	command.TopicOptions:  printer.helpOptions,
	command.TopicFiles:    printer.helpFiles,
	command.TopicModels:   printer.helpModels,
	command.TopicLoRAs:    printer.helpLoRAs,
	command.TopicStyles:   whatever(printer.helpStyles),
	command.TopicTakes:    whatever(printer.helpTakes),
	command.TopicAdvanced: printer.helpAdvanced,
	command.TopicExamples: whatever(printer.helpExamples),
	command.TopicQuota:    whatever(printer.helpQuota),
}

// whatever is a topic that is the same under all rules.
func whatever(topic func(v printer) []Block) func(printer, ltx.Rules) []Block {
	return func(v printer, _ ltx.Rules) []Block { return topic(v) }
}

// HelpTopics are the topics of Help, besides the one to start with.
func HelpTopics() []string {
	return []string{
		command.TopicPrompt, command.TopicOptions, command.TopicFiles, command.TopicModels, command.TopicLoRAs, command.TopicStyles, command.TopicTakes,
		command.TopicAdvanced, command.TopicExamples, command.TopicQuota,
	}
}

// Help explains: topic is one of HelpTopics, the name of an option, or "". Of an
// unknown topic it says so, and where to start. What rules let the reader not have is
// left out.
func Help(p text.Printer, rules ltx.Rules, topic string) Message {
	v := printer{p}
	var m Message
	m.add(v.helpAbout(rules, topic)...)
	return m.done()
}

// helpAbout is the page for the first word of the topic that has one. That of an
// edit is the page of the option.
func (v printer) helpAbout(rules ltx.Rules, topic string) []Block {
	for _, word := range command.Words(strings.ToLower(topic)) {
		word = strings.TrimPrefix(strings.Trim(word, "-:=?!.,`"), "topic:") // as Discord writes it
		if name, ok := command.Topics[word]; ok {
			return helpTopics[name](v, rules)
		}
		if p, ok := ltx.Lookup(word); ok && !p.Operator {
			return v.helpOption(p, rules)
		}
		if edit, _ := ltx.Lookup("edit"); edit.Fits(word) {
			return v.helpOption(edit, rules)
		}
	}
	start := v.helpStart()
	if topic = text.OneLine(topic); topic != "" {
		start = append([]Block{v.say(Text, "help.unknown", "value", text.Shorten(ltx.Shown(topic), text.ShownValue))}, start...)
	}
	return start
}

// helpFiles is about what can go into a video.
func (v printer) helpFiles(rules ltx.Rules) []Block {
	edit, _ := ltx.Lookup("edit")
	edit, _ = rules.Offered(edit)
	var files []Fact
	for _, p := range ltx.Params() {
		if _, ok := rules.Offered(p); ok && p.Kind == ltx.KindMedia {
			files = append(files, Fact{Label: p.Key(), Value: []text.Span{{Text: v.Option(p)}}})
		}
	}
	return []Block{
		v.say(Heading, "help.files_title"), v.say(Text, "help.files_how"),
		{Kind: Facts, Facts: files},
		v.say(Text, "help.files_this"), v.say(Text, "help.files_edit"),
		{Kind: Facts, Facts: v.choiceFacts(edit)},
		v.say(Text, "help.files_again"), v.say(Note, "help.topics"),
	}
}

// choiceFacts say what each choice of an option is.
func (v printer) choiceFacts(p ltx.Param) []Fact {
	facts := make([]Fact, 0, len(p.Choices))
	for _, c := range p.Choices {
		facts = append(facts, Fact{Label: p.Key() + ":" + c.Typed(), Value: []text.Span{{Text: v.Choice(p, c)}}})
	}
	return facts
}

// helpModels is about the models that can be chosen, and what they cost.
func (v printer) helpModels(rules ltx.Rules) []Block {
	model, _ := ltx.Lookup("model")
	offers := rules.Offers()
	facts := make([]Fact, 0, len(offers))
	for _, o := range offers {
		what := []text.Span{{Text: v.Choice(model, o.Choice)}}
		if o.Cost > 0 {
			what = text.Dotted(what, v.Spans("help.models_price", "price", o.Cost, "length", v.Duration(time.Duration(o.Seconds*float64(time.Second)))))
		}
		if len(o.Tiers) > 0 {
			what = text.Dotted(what, v.Spans("help.models_tier", "tiers", v.List(o.Tiers, "format.or")))
		}
		facts = append(facts, Fact{Label: model.Key() + ":" + o.Value, Value: text.Dotted(what, v.List(o.Tasks, "format.and"))})
	}
	return []Block{
		v.say(Heading, "help.models_title"), v.say(Text, "help.models_how"),
		{Kind: Facts, Facts: facts},
		v.say(Text, "help.models_cost"), v.say(Note, "help.topics"),
	}
}

// helpLoRAs is about LoRAs, and what can be done with those of a team.
func (v printer) helpLoRAs(rules ltx.Rules) []Block {
	blocks := []Block{v.say(Heading, "loras.title"), v.aboutOption("lora")}
	lora, _ := ltx.Lookup("lora")
	if _, ok := rules.Offered(lora); ok {
		blocks = append(blocks, v.howLoRAs(rules))
	} else {
		blocks = append(blocks, v.say(Text, "help.option_not_here"))
	}
	for _, verb := range library.Verbs() {
		if !strings.HasPrefix(verb.Name, "style") {
			blocks = append(blocks, v.helpOrder(verb, command.VerbLoRAs, verb.Name))
		}
	}
	return append(blocks, v.say(Text, "help.loras_file"), v.say(Note, "help.topics"))
}

// helpStyles is about styles.
func (v printer) helpStyles() []Block {
	blocks := []Block{v.say(Heading, "library.styles"), v.aboutOption("style")}
	for _, verb := range library.Verbs() {
		if word, ok := strings.CutPrefix(verb.Name, "style-"); ok {
			blocks = append(blocks, v.helpOrder(verb, command.VerbStyles, word))
		} else if verb.Name == command.VerbStyles {
			blocks = append(blocks, v.helpOrder(verb, command.VerbStyles))
		}
	}
	return append(blocks,
		v.say(Text, "library.use_style", "example", v.example("a cowboy walks style:noir")), v.say(Text, "library.how_style"), v.say(Note, "help.topics"))
}

// helpOrder is an order about a library as it is typed, and what it does.
func (v printer) helpOrder(order team.Verb, verb string, args ...string) Block {
	return block(Text, text.Span{Text: "• "}, v.verbOf(verb, args...), text.Span{Text: v.Text("format.colon") + AboutLibrary(v.Printer, order)})
}

// aboutOption is what an option is for, after its name.
func (v printer) aboutOption(option string) Block {
	p, _ := ltx.Lookup(option)
	return block(Text, append([]text.Span{text.MonoSpan(p.Key()), {Text: v.Text("format.colon")}}, v.optionFact(p)...)...)
}

// helpButtons are the buttons under a video, with what they do.
var helpButtons = []struct{ label, does string }{
	{"button.again", "help.button_again"},
	{"button.same", "help.button_same"},
	{"button.edit", "help.button_edit"},
	{"button.details", "help.button_details"},
	{"button.delete", "help.button_delete"},
	{"button.more", "help.button_more"},
	{"button.finish", "help.button_finish"},
	{"button.verbatim", "help.button_verbatim"},
}

// helpTakes is about several videos of one command, and the buttons under them.
func (v printer) helpTakes() []Block {
	facts := make([]Fact, 0, len(helpButtons))
	for _, b := range helpButtons {
		facts = append(facts, Fact{Label: v.Text(b.label), Value: v.Spans(b.does)})
	}
	return []Block{
		v.say(Heading, "help.takes_title"), v.aboutOption("count"),
		v.say(Text, "help.takes_how", "example", v.example("a cowboy walks count:3")), v.say(Text, "help.takes_each"),
		v.say(Text, "help.takes_buttons"),
		{Kind: Facts, Facts: facts},
		v.say(Note, "help.topics"),
	}
}

// helpOption is all about one option.
func (v printer) helpOption(p ltx.Param, rules ltx.Rules) []Block {
	all := p
	p, ok := rules.Offered(p)
	if !ok {
		return []Block{
			block(Heading, text.Span{Text: p.Key()}), block(Text, text.Span{Text: v.Option(p)}),
			v.say(Text, "help.option_not_here"), v.say(Note, "help.topics"),
		}
	}
	facts := []Fact{}
	isEdit := p.Key() == "edit"
	if isEdit {
		facts = v.choiceFacts(p)
	}
	for _, c := range p.Choices {
		if models := rules.Needs(p, c); len(models) > 0 {
			facts = append(facts, Fact{Label: p.Key() + ":" + c.Typed(), Value: v.Spans("tell.possible_with", "models", v.List(models, "format.or"))})
		}
	}
	if usual := usually(p); usual != "" {
		facts = append(facts, Fact{Label: v.Text("help.option_default"), Value: []text.Span{text.MonoSpan(usual)}})
	}
	if len(p.Aliases) > 0 {
		facts = append(facts, Fact{Label: v.Text("help.option_aliases"), Value: v.List(p.Aliases, "format.or")})
	}
	blocks := []Block{block(Heading, text.Span{Text: p.Key()}), block(Text, v.optionFact(p)...)}
	if p.Kind == ltx.KindSize && p.Max < all.Max {
		blocks = append(blocks, v.say(Text, "help.option_side", "max", int(p.Max)))
	}
	blocks = append(blocks, Block{Kind: Facts, Facts: facts})
	if p.Kind == ltx.KindMedia || isEdit {
		blocks = append(blocks, v.say(Text, "help.files_how"))
	}
	return append(blocks, v.say(Note, "help.topics"))
}

// usually is the default of a parameter as it is typed, or "" where there is
// none or it is a long text.
func usually(p ltx.Param) string {
	if p.Kind == ltx.KindDuration {
		return text.NumberTyped(ltx.DefaultSeconds)
	}
	switch value := p.Default.(type) {
	case bool:
		if value {
			return "yes"
		}
		return "no"
	case int:
		return strconv.Itoa(value)
	case float64:
		return text.NumberTyped(value)
	case string:
		for _, c := range p.Choices {
			if c.Value == value {
				return c.Typed()
			}
		}
	}
	return ""
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

func (v printer) helpStart() []Block {
	blocks := []Block{v.say(Heading, "help.title"), v.say(Text, "help.start")}
	for _, e := range shortExamples {
		blocks = append(blocks, block(Code, v.example(e)))
	}
	return append(blocks, v.say(Text, "help.anywhere"), v.say(Text, "help.verbs"), v.say(Text, "help.topics"))
}

func (v printer) helpExamples() []Block {
	blocks := make([]Block, 0, 1+len(examples))
	blocks = append(blocks, v.say(Heading, "help.examples_title"))
	for _, e := range examples {
		blocks = append(blocks, block(Code, v.example(e)))
	}
	return blocks
}

// promptParts are the parts of a good prompt, in order.
var promptParts = []string{"shot", "scene", "action", "people", "camera", "sound"}

func (v printer) helpPrompt() []Block {
	blocks := []Block{v.say(Heading, "help.prompt_title"), v.say(Text, "help.prompt_form")}
	for i, part := range promptParts {
		blocks = append(blocks, block(Text, append([]text.Span{{Text: strconv.Itoa(i+1) + ". "}}, v.Spans("help.prompt_"+part)...)...))
	}
	return append(blocks,
		v.say(Text, "help.prompt_avoid"), v.say(Text, "help.prompt_negative"), v.say(Text, "help.prompt_expand"),
		v.say(Note, "help.topics"))
}

func (v printer) helpOptions(rules ltx.Rules) []Block {
	var facts []Fact
	for _, p := range ltx.Params() {
		if p, ok := rules.Offered(p); ok && !p.Operator && p.Option != "" {
			facts = append(facts, Fact{Label: p.Option, Value: v.withDefault(p, v.optionFact(p))})
		}
	}
	return []Block{
		v.say(Heading, "help.options_title"), v.say(Text, "help.options_how"), {Kind: Facts, Facts: facts}, v.say(Note, "help.topics"),
	}
}

// helpAdvanced is about what has no option of its own.
func (v printer) helpAdvanced(rules ltx.Rules) []Block {
	var facts []Fact
	for _, p := range ltx.Params() {
		if p, ok := rules.Offered(p); ok && !p.Operator && p.Option == "" {
			facts = append(facts, Fact{Label: p.Name, Value: v.withDefault(p, []text.Span{{Text: v.Option(p)}})})
		}
	}
	return []Block{
		v.say(Heading, "help.advanced_title"),
		v.say(Text, "help.advanced_how", "example", v.example("a cowboy walks video_stg_scale:0.5")),
		{Kind: Facts, Facts: facts},
		v.say(Note, "help.topics"),
	}
}

// withDefault adds the default of a parameter, if it has one, to what it is.
func (v printer) withDefault(p ltx.Param, what []text.Span) []text.Span {
	usual := usually(p)
	if usual == "" {
		return what
	}
	return text.Dotted(what, append([]text.Span{{Text: v.Text("help.option_default") + v.Text("format.colon")}}, text.MonoSpan(usual)))
}

// optionFact is what an option is for, and what it can be where that is short.
func (v printer) optionFact(p ltx.Param) []text.Span {
	what := []text.Span{{Text: v.Option(p)}}
	switch p.Kind {
	case ltx.KindChoice, ltx.KindPreset, ltx.KindSize:
		words := make([]string, 0, len(p.Choices))
		for _, c := range p.Choices {
			words = append(words, c.Typed())
		}
		return append(append(what, text.Span{Text: v.Text("format.colon")}), v.List(words, "format.or")...)
	case ltx.KindInt, ltx.KindFloat:
		between := v.Text("tell.range", "min", v.limitNumber(p.Min), "max", v.limitNumber(p.Max))
		return append(what, text.Span{Text: " (" + between + ")"})
	case ltx.KindDuration:
		between := v.Text("tell.range_unit", "min", v.limitNumber(p.Min), "max", v.limitNumber(p.Max), "unit", v.Text("unit."+p.Unit))
		return append(what, text.Span{Text: " (" + between + ")"})
	case ltx.KindBool:
		return append(append(what, text.Span{Text: v.Text("format.colon")}), v.List([]string{"yes", "no"}, "format.or")...)
	case ltx.KindText, ltx.KindLoRAs, ltx.KindStyle, ltx.KindAdvanced, ltx.KindMedia:
	}
	return what
}

func (v printer) helpQuota() []Block {
	return []Block{
		v.say(Heading, "help.quota_title"), v.say(Text, "help.quota_how"),
		v.say(Text, "help.quota_line"), v.say(Text, "help.quota_mine"),
	}
}
