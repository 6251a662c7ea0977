package ltx

import (
	"fmt"
	"strings"
)

// ManualTable is the table of parameters of the manual, as Markdown. What only the operator
// sets is left out.
func ManualTable() string {
	var b strings.Builder
	b.WriteString("| Option | Values | Default | Unit | API name | What it does |\n")
	b.WriteString("|---|---|---|---|---|---|\n")
	for _, p := range table {
		if p.Operator {
			continue
		}
		option := code(p.Option)
		if p.Option == "" {
			option = "advanced"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n",
			option, p.describeValues(), p.describeDefault(), p.Unit, code(p.Name), cell(p.Help))
	}
	return b.String()
}

// describeValues says what the parameter may be.
func (p Param) describeValues() string {
	between := num(p.Min) + " to " + num(p.Max)
	switch p.Kind {
	case KindText:
		return fmt.Sprintf("text, up to %d characters", p.MaxLen)
	case KindBool:
		return "`yes`, `no`"
	case KindInt, KindFloat:
		return between
	case KindDuration:
		return between + " (at 24 fps): `5`, `8s`"
	case KindChoice, KindPreset:
		return p.codeWords()
	case KindSize:
		return p.codeWords() + "; a ratio: `16:9`; sides from " + between + ": `1280x704`"
	case KindLoRAs:
		return "up to 3 of a team name, `owner/repo`, `https://….safetensors`; each with `@` and a scale from " + between
	case KindMedia:
		return "a file, `https://…`, the id of a job"
	case KindStyle:
		return "a name that your team gave a style"
	case KindAdvanced:
		return "`key=value key=value`"
	}
	return ""
}

func (p Param) codeWords() string {
	words := p.words()
	for i := range words {
		words[i] = code(words[i])
	}
	return strings.Join(words, ", ")
}

// describeDefault says what the parameter is when nobody sets it.
func (p Param) describeDefault() string {
	switch p.id() {
	case idPrompt:
		return "required"
	case idSeed:
		return "random"
	case idFrames, idDuration:
		return "121 frames (5 s)"
	case idLoRAs, idQuality, idImage, idEndImage, idTrack, idClip:
		return "none"
	case idNegative:
		return "a list of things that spoil most videos"
	}
	return code(p.typedText(p.defaultText()))
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + cell(s) + "`"
}

// cell makes a text fit for a cell of a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// given are the combinations of what a person gives that the manual shows.
var given = []struct {
	what     string
	settings []Setting
}{
	{"text", nil},
	{"text, `lora`", []Setting{{Key: idLoRAs, Value: "https://huggingface.co/a/b/resolve/main/c.safetensors"}}},
	{"`image`", files(idImage)},
	{"`image`, `end_image`: from one to the other", files(idImage, idEndImage)},
	{"`end_image` alone", files(idEndImage)},
	{"`soundtrack`", files(idTrack)},
	{"`soundtrack`, `image`", files(idTrack, idImage)},
	{"`soundtrack`, `image`, `end_image`", files(idTrack, idImage, idEndImage)},
	{"`clip`, also with `edit:extend`", files(idClip)},
	{"`clip`, `end_image`", files(idClip, idEndImage)},
	{"`clip`, `image`", files(idClip, idImage)},
	{"`clip`, `soundtrack`", files(idClip, idTrack)},
	{"`clip`, `edit:restyle`", edited(restyle, idClip)},
	{"`clip`, `edit:restyle`, `image`", edited(restyle, idClip, idImage)},
	{"`clip`, `edit:reference`", edited(reference, idClip)},
	{"`clip`, `edit:reference`, `image`", edited(reference, idClip, idImage)},
	{"`clip`, `edit:reference`, `soundtrack`", edited(reference, idClip, idTrack)},
	{"`clip`, `edit:retake`", edited(retake, idClip)},
	{"`clip`, `edit:reframe`, `size`", append(edited(reframe, idClip), Setting{Key: idSize, Value: "9:16"})},
	{"`edit` without `clip`", edited(extend)},
}

// files are settings that give files.
func files(ids ...string) []Setting {
	settings := make([]Setting, 0, len(ids)+1)
	for _, id := range ids {
		settings = append(settings, Setting{Key: id, Value: "https://example.com/a"})
	}
	return settings
}

// edited is files with what is done with the clip.
func edited(t task, ids ...string) []Setting {
	return append(files(ids...), Setting{Key: idEdit, Value: string(t)})
}

// ManualInputs tells, as Markdown, which endpoint each model has for what is
// given, or that it is refused.
func ManualInputs() string {
	var b strings.Builder
	b.WriteString("| given | " + strings.Join(Models(), " | ") + " |\n|---|" + strings.Repeat("---|", len(models)) + "\n")
	for _, g := range given {
		b.WriteString("| " + g.what + " |")
		for _, m := range models {
			req, err := Rules{}.Parse(append([]Setting{{Key: idPrompt, Value: "a"}, {Key: idModel, Value: m.Value}}, g.settings...))
			cell := "refused"
			if err == nil {
				cell = code(strings.TrimPrefix(req.Endpoint(), "fal-ai/"))
			}
			b.WriteString(" " + cell + " |")
		}
		b.WriteString("\n")
	}
	return b.String()
}

// ManualModels tells, as Markdown, what each model costs, who runs it and what
// it makes.
func ManualModels() string {
	var b strings.Builder
	b.WriteString("| `model:` | also | run by | price | LoRAs | sizes | lengths | not there |\n|---|---|---|---|---|---|---|---|\n")
	for _, m := range models {
		e := m.makes[0].plain
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s | %s | %s |\n", m.Value, codes(m.Synonyms), e.runBy(), m.describePrice(),
			m.describeLoRAs(), e.describeSizes(), e.describeLengths(), e.describeMissing())
	}
	return b.String()
}

func codes(words []string) string {
	out := make([]string, 0, len(words))
	for _, w := range words {
		out = append(out, code(w))
	}
	return strings.Join(out, ", ")
}

func (e Endpoint) runBy() string {
	if e.Partner == "" {
		return "fal"
	}
	return e.Partner
}

// describePrice is the price of a video from text, and with LoRAs.
func (m Model) describePrice() string {
	e, lora := m.makes[0].plain, m.makes[0].lora
	if e.Price.Unit == Megapixel {
		return fmt.Sprintf("$%s a megapixel, $%s with LoRAs", num(e.Price.USD), num(lora.Price.USD))
	}
	var tiers []string
	for _, side := range e.Price.sides() {
		tiers = append(tiers, fmt.Sprintf("%dp $%s", side, num(e.Price.BySide[side])))
	}
	return "a second: " + strings.Join(tiers, ", ")
}

func (m Model) describeLoRAs() string {
	f := m.makes[0].lora.byRow[idLoRAs]
	switch {
	case f == nil:
		return "none"
	case f.values != nil:
		return "links to files, strength up to " + num(m.makes[0].lora.row(row(idLoRAs)).Max)
	}
	return "`owner/repo` or links, strength up to " + num(row(idLoRAs).Max)
}

func (e Endpoint) describeSizes() string {
	if e.shape == nil {
		return "free"
	}
	sides := make([]string, 0, len(e.shape.sides))
	for _, s := range e.shape.sides {
		sides = append(sides, fmt.Sprintf("%dp", s))
	}
	return strings.Join(sides, ", ") + "; " + strings.Join(e.shape.ratios, ", ")
}

func (e Endpoint) describeLengths() string {
	if e.shape == nil {
		return "up to 20 s"
	}
	texts := make([]string, 0, len(e.shape.seconds))
	for _, s := range e.shape.seconds {
		texts = append(texts, num(s))
	}
	return strings.Join(texts, ", ") + " s"
}

// describeMissing names the options that the model does not have for a video
// from text.
func (e Endpoint) describeMissing() string {
	var missing []string
	for _, p := range table {
		if p.Option != "" && p.Kind != KindMedia && p.Kind != KindLoRAs && p.Kind != KindStyle && !e.takes(p.id()) {
			missing = append(missing, p.Option)
		}
	}
	return codes(missing)
}
