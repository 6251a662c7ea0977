package view

import (
	"strings"

	"ltxbot/bot/text"
	"ltxbot/core/library"
	"ltxbot/core/ltx"
)

// LoRAChecked says what a LoRA is, what keeps it from working, and how it is
// used.
func LoRAChecked(p text.Printer, c library.Look) Message {
	v := printer{p}
	var m Message
	f := c.Finding
	switch {
	case f == nil:
		m.add(v.say(Text, "lora_check.link_only"))
	case !f.Usable():
		m.add(v.say(Text, "lora_check.bad"))
	case len(f.Warnings) > 0:
		m.add(v.say(Text, "lora_check.doubtful"))
	default:
		m.add(v.say(Text, "lora_check.good"))
	}
	if f != nil {
		for _, w := range f.Warnings {
			m.add(v.warning(w)...)
		}
		m.add(Block{Kind: Facts, Facts: v.findings(c.LoRA, *f)})
	}
	m.add(v.loraNotes(c.Notes, f)...)
	if c.LoRA.Path != "" && (f == nil || f.Usable()) && !strings.Contains(c.LoRA.Path, "?") {
		m.add(v.say(Note, "lora_check.use"), v.toCopy(useOf(c)))
	}
	return m.done()
}

// loraNotes are the notes about a link. What was found in its file is more than
// what its name lets suppose.
func (v printer) loraNotes(notes []ltx.Note, f *library.Finding) []Block {
	var blocks []Block
	for _, n := range notes {
		knows := f != nil && (n.Reason == ltx.CivitaiAccount || n.Reason == ltx.BrokenLoRA || n.Reason == ltx.OtherModelLoRA && f.BaseModel != "")
		if !knows {
			blocks = append(blocks, block(Note, v.note(n)...))
		}
	}
	return blocks
}

// Brought is what there is to know of the file of a link that an order has brought
// into a library; nothing is said where there is nothing to know.
func Brought(p text.Printer, r library.Report) Message {
	m := Message{Blocks: printer{p}.brought(r)}
	return m.done()
}

func (v printer) brought(r library.Report) []Block {
	var blocks []Block
	if len(r.Broken) > 0 {
		blocks = append(blocks, v.say(Text, "library.broken", "styles", strings.Join(r.Broken, ", ")))
	}
	if r.Members > 0 {
		blocks = append(blocks, block(Text, text.Span{Text: v.Plural("library.defaults", int64(r.Members))}))
	}
	if r.Finding != nil {
		for _, w := range r.Finding.Warnings {
			blocks = append(blocks, v.warning(w)...)
		}
	}
	blocks = append(blocks, v.loraNotes(r.Notes, r.Finding)...)
	if r.Unseen {
		blocks = append(blocks, v.say(Note, "lora_check.not_seen", "name", r.LoRAs[0].Name))
	}
	return blocks
}

// useOf are the settings of a video with the LoRA.
func useOf(c library.Look) []ltx.Setting {
	name, prompt := c.LoRA.Path, "a cowboy walks through a dusty town"
	if c.LoRA.Name != "" {
		name = c.LoRA.Name
	}
	if f := c.Finding; f != nil && f.Trigger != "" {
		prompt = f.Trigger + ", " + prompt
	}
	return []ltx.Setting{{Key: "prompt", Value: prompt}, {Key: "lora", Value: name + "@0.8"}}
}

// warning says what may keep a LoRA from working, and what to do.
func (v printer) warning(w library.Warning) []Block {
	sentence := v.Spans("lora_warning."+string(w.Kind), "value", text.Shorten(text.OneLine(w.Value), maxFileShown))
	blocks := append(make([]Block, 0, 1+len(w.Files)), block(Text, append([]text.Span{{Text: "• "}}, sentence...)...))
	for _, file := range w.Files {
		blocks = append(blocks, block(Code, text.Span{Text: file}))
	}
	return blocks
}

// maxFileShown is how much of a file's address is shown, in UTF-16 units.
const maxFileShown = 200

// findings are the facts of a file.
func (v printer) findings(l ltx.LoRA, f library.Finding) []Fact {
	var facts []Fact
	fact := func(key, value string) {
		if value = text.Shorten(text.OneLine(value), maxFileShown); value != "" {
			facts = append(facts, Fact{Label: v.Text(key), Value: []text.Span{{Text: value}}})
		}
	}
	fact("lora_check.fact_lora", l.Name)
	if f.File != "" {
		facts = append(facts, Fact{Label: v.Text("lora_check.fact_file"), Value: []text.Span{text.MonoSpan(text.Shorten(text.OneLine(f.File), maxFileShown))}})
	}
	fact("lora_check.fact_model", f.BaseModel)
	fact("lora_check.fact_trigger", f.Trigger)
	if f.Rank > 0 {
		fact("lora_check.fact_rank", v.Value(f.Rank))
	}
	if f.Tensors > 0 {
		fact("lora_check.fact_tensors", v.Value(f.Tensors))
	}
	if f.Bytes > 0 {
		fact("lora_check.fact_size", v.size(f.Bytes))
	}
	return facts
}

// size writes a number of bytes: "340 MB".
func (v printer) size(bytes int64) string {
	const mb, gb = 1 << 20, 1 << 30
	switch {
	case bytes >= gb:
		return v.Number(float64(bytes)/gb) + " GB"
	case bytes >= mb:
		return v.Value(bytes/mb) + " MB"
	}
	return v.Value(max(1, bytes>>10)) + " KB"
}
