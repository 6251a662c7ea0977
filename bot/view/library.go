package view

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"ltxbot/bot/command"
	"ltxbot/bot/text"
	"ltxbot/core/library"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/core/team"
)

// shownLoRAs is how many LoRAs or styles of a team a list shows.
const shownLoRAs = 20

// libraryReports says how the report of a verb is shown; those that change
// something are shown by libraryDone.
var libraryReports = map[string]func(v printer, r library.Report, rules ltx.Rules) []Block{
	"list": printer.loraList, "show": printer.loraShown, "styles": printer.styleList, "style-show": printer.styleShown,
}

// Library shows what came of an order about a team's library, and what may keep a
// file that it has brought from doing what is expected. rules are those of the team.
func Library(p text.Printer, r library.Report, rules ltx.Rules) Message {
	v := printer{p}
	var m Message
	if show := libraryReports[r.Verb]; show != nil {
		m.add(show(v, r, rules)...)
	} else {
		m.add(v.libraryDone(r)...)
	}
	m.add(v.brought(r)...)
	return m.done()
}

// loraList are the LoRAs of a team; without a search also how others are used.
func (v printer) loraList(r library.Report, rules ltx.Rules) []Block {
	blocks := []Block{v.say(Heading, "loras.title")}
	switch {
	case r.Total == 0 && r.Find != "":
		return append(blocks, v.say(Text, "library.none_found", "find", text.Shorten(text.OneLine(ltx.Shown(r.Find)), text.ShownValue)))
	case r.Total == 0:
		blocks = append(blocks, v.say(Text, "loras.none"))
	default:
		blocks = append(blocks, v.say(Text, "loras.names"), v.loraFacts(r.LoRAs))
	}
	if r.Total > shownLoRAs {
		blocks = append(blocks, v.say(Note, "library.more", "n", shownLoRAs, "total", r.Total))
	}
	if r.Find != "" {
		return blocks
	}
	if r.Total > 0 {
		blocks = append(blocks, v.say(Text, "library.links"))
	}
	blocks = append(blocks, v.loraSources(rules)...)
	if r.MayAdd {
		blocks = append(blocks, v.say(Note, "library.how_add"))
	}
	return blocks
}

// loraFacts is a line for each LoRA: its name, strength and note.
func (v printer) loraFacts(loras []library.Entry) Block {
	b := Block{Kind: Facts}
	for _, e := range loras[:min(len(loras), shownLoRAs)] {
		about := text.Shorten(e.Note, 100)
		value := []text.Span{text.MonoSpan("@" + text.NumberTyped(e.Scale))}
		if about != "" {
			value = text.Dotted(value, []text.Span{{Text: about}})
		}
		b.Facts = append(b.Facts, Fact{Label: e.Name, Value: value})
	}
	return b
}

// loraSources says from where LoRAs may come beside the list, and how they are
// used.
func (v printer) loraSources(rules ltx.Rules) []Block {
	hosts := rules.LoRAHosts
	if hosts == nil {
		hosts = ltx.DefaultLoRAHosts()
	}
	return []Block{
		block(Text, append([]text.Span{{Text: "• "}}, v.Spans("loras.repo")...)...),
		block(Text, append([]text.Span{{Text: "• "}}, v.Spans("loras.file", "hosts", strings.Join(hosts, ", "))...)...),
		v.howLoRAs(rules),
		v.say(Note, "loras.model"),
	}
}

// howLoRAs says how LoRAs are named in a request, and how many there may be.
func (v printer) howLoRAs(rules ltx.Rules) Block {
	return v.say(Text, "loras.how", "max", cmp.Or(rules.MaxLoRAs, defaultMaxLoRAs), "example", v.example("a cowboy walks lora:owner/repo@0.8"))
}

// defaultMaxLoRAs is how many LoRAs a request may name under ltx.Rules that
// say nothing else.
const defaultMaxLoRAs = 3

// loraShown is all about one LoRA, with a line that uses it.
func (v printer) loraShown(r library.Report, _ ltx.Rules) []Block {
	e := r.LoRAs[0]
	prompt := e.Example
	if prompt == "" {
		prompt = "a cowboy walks through a dusty town"
	}
	use := []ltx.Setting{{Key: command.PromptKey, Value: prompt}, {Key: "lora", Value: e.Name}}
	if e.Seed != nil {
		use = append(use, ltx.Setting{Key: "seed", Value: v.Value(*e.Seed)})
	}
	return []Block{block(Heading, text.Span{Text: e.Name}), {Kind: Facts, Facts: v.loraDetails(e)}, v.say(Note, "library.use"), v.toCopy(use)}
}

// loraDetails are the facts of a LoRA.
func (v printer) loraDetails(e library.Entry) []Fact {
	var facts []Fact
	fact := func(key, value string) {
		if value != "" {
			facts = append(facts, Fact{Label: v.Text("library." + key), Value: []text.Span{text.MonoSpan(text.Shorten(value, 300))}})
		}
	}
	path, _, _ := strings.Cut(e.Path, "?")
	fact("path", path)
	fact("scale", text.NumberTyped(e.Scale))
	fact("trigger", e.Trigger)
	fact("negative", e.Negative)
	if e.Note != "" {
		facts = append(facts, Fact{Label: v.Text("library.note"), Value: []text.Span{{Text: e.Note}}})
	}
	fact("example", e.Example)
	fact("models", strings.Join(e.Models, ", "))
	return append(facts, Fact{Label: v.Text("library.by"), Value: v.added(e.By, text.SinceSpan(e.At))})
}

// added is who has added something, and when.
func (v printer) added(by string, at text.Span) []text.Span {
	who := text.NamedSpan(by)
	if by == quota.Operator {
		who = text.Span{Text: v.Text("order.operator")}
	}
	return text.Dotted([]text.Span{who}, []text.Span{at})
}

func (v printer) styleList(r library.Report, _ ltx.Rules) []Block {
	blocks := []Block{v.say(Heading, "library.styles")}
	if len(r.Styles) == 0 {
		blocks = append(blocks, v.say(Text, "library.no_styles"))
	} else {
		b := Block{Kind: Facts}
		for _, s := range r.Styles[:min(len(r.Styles), shownLoRAs)] {
			about := s.Note
			if about == "" {
				about = strings.TrimSpace(s.Prefix + " " + s.Options + " " + s.Suffix)
			}
			b.Facts = append(b.Facts, Fact{Label: s.Name, Value: []text.Span{{Text: text.Shorten(about, 100)}}})
		}
		blocks = append(blocks, b, v.say(Note, "library.use_style", "example", v.example("a cowboy walks style:"+r.Styles[0].Name)))
	}
	if len(r.Styles) > shownLoRAs {
		names := make([]string, 0, len(r.Styles)-shownLoRAs)
		for _, s := range r.Styles[shownLoRAs:] {
			names = append(names, s.Name)
		}
		blocks = append(blocks, block(Note, text.Span{Text: text.Shorten(strings.Join(names, ", "), 1000)}))
	}
	if r.MayAdd {
		blocks = append(blocks, v.say(Note, "library.how_style"))
	}
	return blocks
}

func (v printer) styleShown(r library.Report, _ ltx.Rules) []Block {
	s := r.Styles[0]
	return []Block{block(Heading, text.Span{Text: s.Name}), {Kind: Facts, Facts: v.styleDetails(s)}}
}

func (v printer) styleDetails(s library.Style) []Fact {
	var facts []Fact
	for _, f := range []struct{ key, value string }{
		{"options", s.Options}, {"prefix", s.Prefix}, {"suffix", s.Suffix}, {"note", s.Note},
	} {
		if f.value != "" {
			facts = append(facts, Fact{Label: v.Text("library." + f.key), Value: []text.Span{text.MonoSpan(text.Shorten(f.value, 300))}})
		}
	}
	return append(facts, Fact{Label: v.Text("library.by"), Value: v.added(s.By, text.SinceSpan(s.At))})
}

// libraryDone says what was changed.
func (v printer) libraryDone(r library.Report) []Block {
	if len(r.Styles) > 0 {
		s := r.Styles[0]
		said := v.say(Text, "library_done."+r.Verb, "name", text.MonoSpan(s.Name), "use", text.MonoSpan("style:"+s.Name))
		if r.Verb == "style-remove" {
			return []Block{said}
		}
		return []Block{said, {Kind: Facts, Facts: v.styleDetails(s)}}
	}
	e := r.LoRAs[0]
	said := v.say(Text, "library_done."+r.Verb, "name", text.MonoSpan(e.Name), "use", text.MonoSpan("lora:"+e.Name))
	if r.Verb == "remove" {
		return []Block{said}
	}
	return []Block{said, {Kind: Facts, Facts: v.loraDetails(e)}}
}

// RefuseLibrary says no to an order about a library, for the errors that a
// person can do something about. It is nil for any other error.
func RefuseLibrary(p text.Printer, err error) *Message {
	v := printer{p}
	var m Message
	if e, ok := errors.AsType[*library.Error](err); ok {
		said := v.Spans("library_problem."+string(e.Problem), "value", text.Shorten(text.OneLine(e.Value), text.ShownValue), "arg", e.Arg, "max", e.Max, "edit", e.Edit())
		if e.Nearest != "" {
			said = text.Spaced(said, v.Spans("tell.did_you_mean", "nearest", e.Nearest))
		}
		m.add(block(Text, said...))
		m.add(v.overtaken(e)...)
		m = m.done()
		return &m
	}
	if e, ok := errors.AsType[*library.UnusableError](err); ok {
		m := LoRAChecked(p, library.Look{Finding: &e.Finding})
		m.add(v.say(Text, "lora_check.not_kept"))
		m = m.done()
		return &m
	}
	if e, ok := errors.AsType[*team.OrderError](err); ok {
		said := v.Spans("order_problem."+string(e.Problem), "verb", e.Verb, "arg", e.Arg, "value", text.Shorten(text.OneLine(ltx.Shown(e.Value)), text.ShownValue))
		if e.Nearest != "" {
			said = text.Spaced(said, v.Spans("tell.did_you_mean", "nearest", v.verbOf(command.VerbLoRAs, e.Nearest)))
		}
		m.add(block(Text, said...))
		if verb, ok := library.Verbs().Find(e.Verb); ok {
			m.add(v.usage(command.VerbLoRAs, verb))
		} else {
			m.add(v.say(Note, "order.all", "all", v.verbOf(command.VerbHelp, command.TopicLoRAs)))
		}
		m = m.done()
		return &m
	}
	if invalid, ok := errors.AsType[ltx.Invalid](err); ok {
		for _, e := range invalid {
			m.add(block(Text, v.problem(e)...))
		}
		m = m.done()
		return &m
	}
	if refused := RefuseOrder(p, err); refused != nil {
		return refused
	}
	return Refuse(p, err)
}

// overtaken says what is there in place of what a form has shown, and what was
// typed into the form: that would be lost.
func (v printer) overtaken(e *library.Error) []Block {
	if e.Problem != library.Changed {
		return nil
	}
	facts := func(args map[string]string) Block {
		b := Block{Kind: Facts}
		for _, name := range e.Differs() {
			b.Facts = append(b.Facts, Fact{Label: v.Text("library." + name), Value: []text.Span{text.MonoSpan(cmp.Or(args[name], "–"))}})
		}
		return b
	}
	return []Block{v.say(Text, "library.now"), facts(e.Now.Args), v.say(Text, "library.typed"), facts(e.Typed.Args)}
}

// NewerLibraryForm is the form of an order that was overtaken: with what was
// typed, and a note that says what is there. Sent again, it replaces that.
func NewerLibraryForm(p text.Printer, e *library.Error) Form {
	v := printer{p}
	typed := e.Typed
	typed.Seen = e.Now.Seen
	f := LibraryForm(p, typed, 0)
	now := e.Differs()
	for i, name := range now {
		now[i] = v.Text("library."+name) + " " + text.Shorten(cmp.Or(e.Now.Args[name], "–"), text.ShownValue)
	}
	f.Note = strings.Join([]string{
		v.Text("library_problem.changed", "value", e.Value), v.Text("library.now"), strings.Join(now, " · ") + ".", v.Text("library.save_again"),
	}, " ")
	return f
}

// LibraryHelp lists what can be done with a library. Who may not add reads only
// what everybody may do.
func LibraryHelp(p text.Printer, mayAdd bool) Message {
	v := printer{p}
	var facts []Fact
	for _, verb := range library.Verbs() {
		if verb.Reads || mayAdd {
			facts = append(facts, Fact{Label: verb.Usage(), Value: []text.Span{{Text: AboutLibrary(p, verb)}}})
		}
	}
	var m Message
	m.add(v.say(Heading, "library.title"), Block{Kind: Facts, Facts: facts})
	if mayAdd {
		m.add(v.say(Note, "library.quotes"))
	}
	return m.done()
}

// AboutLibrary says what a verb of libraries does, in at most 100 characters.
func AboutLibrary(p text.Printer, verb team.Verb) string { return p.Text("library_verb." + verb.Name) }

// AboutLibraryArg says what an argument of such a verb is.
func AboutLibraryArg(p text.Printer, verb team.Verb, a team.Arg) string {
	if a.Name == "name" && strings.HasPrefix(verb.Name, "style") {
		return p.Text("library_arg.style_name")
	}
	return p.Text("library_arg." + a.Name)
}

// LoRAChoice is a LoRA of a team as it is offered while somebody types: name,
// strength, and what it is good for.
func LoRAChoice(e library.Entry) string {
	label := e.Name + " · @" + text.NumberTyped(e.Scale)
	if e.Note != "" {
		label += " · " + e.Note
	}
	return label
}

// StyleChoice is a style of a team as it is offered while somebody types.
func StyleChoice(s library.Style) string {
	about := s.Note
	if about == "" {
		about = s.Options
	}
	if about == "" {
		return s.Name
	}
	return s.Name + " · " + about
}

// Defaults are the options that all videos of a member begin with.
func Defaults(p text.Printer, own []ltx.Setting) Message {
	v := printer{p}
	var m Message
	m.add(v.say(Heading, "defaults.title"))
	if len(own) == 0 {
		m.add(v.say(Text, "defaults.none"))
	} else {
		m.add(v.say(Text, "defaults.are", "options", text.MonoSpan(command.HideQueries(command.Write(own)))))
	}
	return m.done()
}

// libraryForm are the fields of the forms of verbs that have one.
var libraryForm = map[string][]string{
	"add":        {"name", "link", "scale", "trigger", "negative", "note", "example", "seed", "models", "weight"},
	"edit":       {"link", "scale", "trigger", "negative", "note", "example", "seed", "models", "weight"},
	"style-add":  {"name", "options", "prefix", "suffix", "note"},
	"style-edit": {"options", "prefix", "suffix", "note"},
}

// HasLibraryForm reports whether there is a form for a verb.
func HasLibraryForm(verb string) bool { return libraryForm[verb] != nil }

// LoRAFileKey is the field for the file of a LoRA.
const LoRAFileKey = "file"

// LibraryForm is the form for an order about a library. Its arguments are filled
// in as far as they are known; those without a field go with it. mostFile is how
// large a file can be that is given in the form, in MB; 0 = none can be.
func LibraryForm(p text.Printer, o team.Order, mostFile int) Form {
	v := printer{p}
	verb, _ := library.Verbs().Find(o.Verb)
	fields := libraryForm[verb.Name]
	if o.Args["link"] == library.Uploaded {
		fields = slices.DeleteFunc(slices.Clone(fields), func(name string) bool { return name == "link" || name == "weight" })
	}
	f := Form{
		Title: v.Text("library_form."+verb.Name, "name", o.Args["name"]), Submit: v.Text("library.save"),
		Order: &team.Order{Verb: verb.Name, Args: map[string]string{}, Seen: o.Seen},
	}
	for _, a := range verb.Args {
		if !slices.Contains(fields, a.Name) {
			f.Order.Args[a.Name] = o.Args[a.Name]
			continue
		}
		field := Field{
			Key: a.Name, Label: v.Text("library." + a.Name), Hint: AboutLibraryArg(p, verb, a), Value: o.Args[a.Name],
			Kind: TextLine, MaxLen: library.MaxLength(a.Name), Required: a.Required,
		}
		if slices.Contains([]string{"negative", "example", "options"}, a.Name) {
			field.Kind = TextArea
		}
		if a.Name != "link" || verb.Name != library.VerbAdd || mostFile == 0 {
			f.Fields = append(f.Fields, field)
			continue
		}
		field.Required = false // a file can take its place
		file := Field{Key: LoRAFileKey, Label: v.Text("library.path"), Hint: v.Text("lora_upload.hint", "limit", mostFile), Kind: Files, Most: 1}
		f.Fields = append(f.Fields, field, file)
	}
	return f
}
