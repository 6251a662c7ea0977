package ltx

import (
	"fmt"
	"io"
	"strings"
)

// WriteTable writes the table of parameters as Markdown, for the manual. What
// only the operator sets is left out.
func WriteTable(w io.Writer) error {
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
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write table of parameters: %w", err)
	}
	return nil
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
