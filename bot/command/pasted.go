package command

import (
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strings"

	"ltxbot/bot/text"
	"ltxbot/core/ltx"
)

// mostPasted is how many pieces of a line are looked at as pasted ones: each may
// be as long as the line.
const mostPasted = 8

// takePasted reads at pos what was copied from elsewhere: the JSON that the
// model takes, or the block of settings that image tools write into a file.
func (p *parser) takePasted() bool {
	return p.takeObject() || p.takeBlock()
}

// jsonStart is the beginning of an object, up to its first key.
var jsonStart = regexp.MustCompile(`^\{\s*["'“”„‘’]([A-Za-z_][A-Za-z0-9_ -]*)["'“”„‘’]\s*[:=]`)

// takeObject reads a JSON object that names a setting. What is not quite JSON
// is refused with the settings as they are written here.
func (p *parser) takeObject() bool {
	if p.in[p.pos] != '{' || p.pasted >= mostPasted {
		return false
	}
	const longestStart = 100
	if !jsonStart.MatchString(string(p.in[p.pos:min(p.pos+longestStart, len(p.in))])) {
		return false
	}
	p.pasted++
	text := string(p.in[p.pos:])
	settings, length, err := decodeObject(text)
	if err != nil {
		settings, length = looseObject(text)
	}
	if !namesASetting(settings) {
		return false
	}
	from := p.pos
	p.pos += len([]rune(text[:length]))
	p.cut = true
	if err != nil {
		p.misspellAll(string(p.in[from:p.pos]), settings)
	}
	p.settings = append(p.settings, settings...)
	return true
}

// namesASetting tells whether one of the keys can hardly be prose.
func namesASetting(settings []ltx.Setting) bool {
	for _, s := range settings {
		if p, ok := ltx.Lookup(s.Key); ok && !p.IsWord(s.Key) {
			return true
		}
	}
	return false
}

// misspellAll records that several settings were typed in the way of another
// tool.
func (p *parser) misspellAll(typed string, settings []ltx.Setting) {
	p.misspelt = append(p.misspelt, ltx.FieldError{
		Option: settings[0].Key, Problem: ltx.Spelling, Value: text.Shorten(linkQuery.ReplaceAllString(text.OneLine(typed), "$1"), text.ShownValue), Nearest: Write(settings),
	})
}

// errNotFlat says that JSON holds no list of settings.
var errNotFlat = errors.New("no list of settings")

// decodeObject reads the settings of a JSON object at the start of the text,
// and how many bytes it has. Those of {"input": {…}} are the inner ones.
func decodeObject(text string) (settings []ltx.Setting, length int, err error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if _, err := d.Token(); err != nil {
		return nil, 0, err
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, 0, err
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil, 0, err
		}
		name, ok := key.(string)
		switch {
		case !ok:
			return nil, 0, errNotFlat
		case name == "input" && strings.HasPrefix(string(raw), "{"):
			inner, _, err := decodeObject(string(raw))
			if err != nil {
				return nil, 0, err
			}
			settings = append(settings, inner...)
		default:
			if value := settingOf(raw); value != "" {
				settings = append(settings, ltx.Setting{Key: name, Value: value})
			}
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, 0, err
	}
	return settings, int(d.InputOffset()), nil
}

// settingOf writes a value of JSON as people type it; empty when it says
// nothing.
func settingOf(raw json.RawMessage) string {
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil && !errors.Is(err, io.EOF) {
		return string(raw)
	}
	return typedValue(value, raw)
}

func typedValue(value any, raw json.RawMessage) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return map[bool]string{true: "yes", false: "no"}[v]
	case json.Number:
		return v.String()
	case []any:
		items := make([]string, 0, len(v))
		for _, item := range v {
			if text := typedValue(item, raw); text != "" {
				items = append(items, text)
			}
		}
		return strings.Join(items, ",")
	case map[string]any:
		text := func(key string) string { return typedValue(v[key], nil) }
		switch {
		case v["width"] != nil && v["height"] != nil:
			return text("width") + "x" + text("height")
		case text("path") != "" && v["scale"] != nil:
			return text("path") + "@" + text("scale")
		case v["path"] != nil:
			return text("path") // an empty one is no LoRA
		}
	}
	return string(raw)
}

// loosePair is a key and its value in what is not quite JSON.
var loosePair = regexp.MustCompile(`["'“”„‘’]([A-Za-z_][A-Za-z0-9_-]*)["'“”„‘’]\s*[:=]\s*(?:"((?:[^"\\]|\\.)*)"|[“”„]([^“”„"]*)[“”"]|['‘’]((?:[^'‘’\\]|\\.)*)['‘’]|([^\s,{}"'“”„‘’\[\]]+))`)

// looseObject is decodeObject for what a person or a program wrote that is not
// quite JSON: 'single quotes', curly quotes, a comma too many, no end.
func looseObject(text string) (settings []ltx.Setting, length int) {
	for _, m := range loosePair.FindAllStringSubmatchIndex(text, -1) {
		key, value := text[m[2]:m[3]], ""
		for group := 2; group <= 5; group++ {
			if m[2*group] >= 0 {
				value = text[m[2*group]:m[2*group+1]]
			}
		}
		switch strings.ToLower(value) {
		case "null", "":
			continue
		case "true":
			value = "yes"
		case "false":
			value = "no"
		}
		settings = append(settings, ltx.Setting{Key: key, Value: strings.ReplaceAll(value, `\"`, `"`)})
		length = m[1]
	}
	if end := strings.IndexByte(text[length:], '}'); end >= 0 && strings.Trim(text[length:length+end], " \t\n,;]\"'") == "" {
		length += end + 1
	}
	return settings, length
}

var (
	// blockStart is how image tools begin the settings that they write.
	// https://github.com/AUTOMATIC1111/stable-diffusion-webui/wiki/Features#png-info
	blockStart = regexp.MustCompile(`^Steps: ?[0-9]+, *[A-Z][A-Za-z ]*: ?[^\n]*`)
	blockPair  = regexp.MustCompile(`([A-Za-z][A-Za-z ]*): *("[^"]*"|[^,\n]*)`)
	// blockKeys are those that mean something here.
	blockKeys = []string{"Steps", "CFG scale", "Seed", "Size"}
)

// takeBlock reads "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5": it is
// refused with those settings that exist here.
func (p *parser) takeBlock() bool {
	if p.in[p.pos] != 'S' || p.pasted >= mostPasted || !p.boundary(p.pos) || !strings.HasPrefix(string(p.in[p.pos:min(p.pos+6, len(p.in))]), "Steps:") {
		return false
	}
	p.pasted++
	block := blockStart.FindString(string(p.in[p.pos:]))
	if block == "" {
		return false
	}
	var settings []ltx.Setting
	for _, m := range blockPair.FindAllStringSubmatch(block, -1) {
		for _, key := range blockKeys {
			param, ok := ltx.Lookup(key)
			if value := trimSpace(m[2]); ok && key == trimSpace(m[1]) && value != "" {
				settings = append(settings, ltx.Setting{Key: param.Key(), Value: p.corrects(param, value)})
			}
		}
	}
	p.misspellAll(block, settings)
	p.settings = append(p.settings, settings...)
	p.pos += len([]rune(block))
	p.cut = true
	return true
}
