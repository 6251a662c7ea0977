package ltx

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode"
)

// Settings returns what Parse makes the same request of under the same
// rules: prompt and seed, and all that the person set to another value than
// it would have anyway. LoRA paths are whole and may hold secrets: the result
// is for the requester's own form, never for a channel or a log.
func (r Request) Settings() []Setting {
	return r.settings(func(id string) bool {
		return id == idPrompt || id == idSeed || slices.Contains(r.given, id)
	}, LoRA.typed)
}

// Changed returns what the person changed, for a card: without the prompt,
// without a seed that was drawn, LoRA paths without what may be secret.
func (r Request) Changed() []Setting {
	return shownSettings(r.settings(func(id string) bool {
		return id != idPrompt && slices.Contains(r.given, id)
	}, r.shownTried))
}

// CommandLine writes Settings as one line that can be typed after the
// command: prompt:"a cowboy" camera:dolly_in seed:7. It is fit to be shown:
// LoRA paths are without what may be secret. Use Settings to make the request
// again.
func (r Request) CommandLine() string {
	return commandLine(r.TypedSettings())
}

// TypedSettings are the settings that CommandLine writes.
func (r Request) TypedSettings() []Setting {
	return shownSettings(r.settings(func(id string) bool {
		return id == idPrompt || id == idSeed || slices.Contains(r.given, id)
	}, LoRA.shownTyped))
}

// shownSettings are settings without their files: the address of one may be
// secret.
func shownSettings(settings []Setting) []Setting {
	for i := range settings {
		settings[i].File = Media{}
	}
	return settings
}

// With returns the request that the settings of this one make after some are
// replaced. A blank value takes a setting back. The seed stays unless the
// changes name one, or the model that they choose has none and nobody typed it.
// The name of the style stays unless they choose one. A trial of a LoRA goes on,
// unless the LoRA is gone or the changes set the count. The error is Invalid.
func (r Request) With(rules Rules, changes ...Setting) (Request, error) {
	settings := r.Changing(changes...)
	parse := func(settings []Setting) (Request, error) {
		req, err := rules.Parse(settings)
		if !slices.Contains(req.given, idCount) {
			req = req.Try(r.trial.LoRA, r.trial.Scales...)
		}
		if !slices.ContainsFunc(unfold(changes), func(c Setting) bool { return sameParam(c.Key, idStyle) }) {
			req.style = r.style
		}
		return req, err
	}
	req, err := parse(settings)
	if !r.HasSeed() || slices.Contains(r.given, idSeed) {
		return req, err
	}
	if slices.ContainsFunc(problemsIn(err), func(e FieldError) bool { return e.Option == idSeed && e.Problem == NotTaken }) {
		return parse(slices.DeleteFunc(unfold(settings), r.Drew))
	}
	if err == nil && req.Seed() == r.Seed() {
		req.given = slices.DeleteFunc(req.given, func(id string) bool { return id == idSeed })
	}
	return req, err
}

// Changing returns the settings of the request after some are replaced, as With
// does.
func (r Request) Changing(changes ...Setting) []Setting {
	settings := r.Settings()
	for _, c := range changes {
		named := []Setting{c}
		if p, ok := Lookup(c.Key); ok && p.Kind == KindAdvanced {
			named, _ = splitPairs(p, c.Value)
		}
		settings = slices.DeleteFunc(settings, func(s Setting) bool {
			return slices.ContainsFunc(named, func(n Setting) bool { return sameParam(s.Key, n.Key) })
		})
	}
	return append(settings, changes...)
}

// Drew tells whether a setting is the seed that was drawn for the request.
func (r Request) Drew(s Setting) bool {
	return r.HasSeed() && !slices.Contains(r.given, idSeed) && sameParam(s.Key, idSeed) && strings.TrimSpace(s.Value) == num(float64(r.Seed()))
}

// sameParam tells whether two keys set the same thing.
func sameParam(a, b string) bool {
	p, okA := Lookup(a)
	q, okB := Lookup(b)
	length := func(p Param) bool { return p.id() == idFrames || p.id() == idDuration }
	return okA && okB && (p.id() == q.id() || length(p) && length(q))
}

// Over adds to the options that a person chose the settings that stand in the
// text of their prompt. An option wins over the text, and a note tells when
// that made a difference.
func Over(options, typed []Setting) ([]Setting, []Note) {
	out := slices.Clone(options)
	chosen := unfold(options)
	var notes []Note
	for _, s := range unfold(typed) {
		i := slices.IndexFunc(chosen, func(o Setting) bool {
			return sameParam(o.Key, s.Key) && strings.TrimSpace(o.Value) != ""
		})
		if i < 0 {
			out = append(out, s)
			continue
		}
		if p, _ := Lookup(s.Key); !p.sameText(chosen[i].Value, s.Value) {
			notes = append(notes, Note{Option: p.Key(), From: shown(s.Value), To: shown(chosen[i].Value), Reason: Overridden})
		}
	}
	return out, notes
}

// unfold takes apart what is set by the option advanced, where that can be.
func unfold(settings []Setting) []Setting {
	var out []Setting
	for _, s := range settings {
		p, ok := Lookup(s.Key)
		if ok && p.Kind == KindAdvanced {
			if pairs, problems := splitPairs(p, s.Value); len(problems) == 0 {
				out = append(out, pairs...)
				continue
			}
		}
		out = append(out, s)
	}
	return out
}

// Fold puts the settings that have no option of their own into one setting of
// the option advanced, for forms that have a field for each option.
func Fold(settings []Setting) []Setting {
	var folded, rest []Setting
	for _, s := range settings {
		if p, ok := Lookup(s.Key); ok && p.Option == "" {
			rest = append(rest, s)
			continue
		}
		folded = append(folded, s)
	}
	if len(rest) == 0 {
		return folded
	}
	pairs := make([]string, 0, len(rest))
	for _, s := range rest {
		pairs = append(pairs, s.Key+"="+quoted(s.Value))
	}
	return append(folded, Setting{Key: row(idAdvanced).Key(), Value: strings.Join(pairs, " ")})
}

// settings returns the settings of the rows that are wanted, in the order of
// the table.
func (r Request) settings(want func(id string) bool, lora func(LoRA) string) []Setting {
	var settings []Setting
	if r.IsZero() {
		return nil
	}
	for _, p := range table {
		if _, has := r.values[p.id()]; !want(p.id()) || !has && p.Name != "" {
			continue
		}
		settings = append(settings, r.setting(p, lora))
	}
	return settings
}

// setting writes the value of one row as a person would type it.
func (r Request) setting(p Param, lora func(LoRA) string) Setting {
	switch v := r.values[p.id()].(type) {
	case bool:
		return Setting{Key: p.Key(), Value: yesNo(v)}
	case float64:
		return Setting{Key: p.Key(), Value: num(v)}
	case int64:
		if p.id() == idFrames {
			text, ok := typedDuration(v, r.FPS())
			ok = ok && !slices.Contains(r.auto, idDuration) // the number itself was set
			if e := endpoints[r.like]; e.shape != nil {     // it makes seconds, whatever the frames
				text, ok = num(math.Round(r.Seconds()*100)/100), true
			}
			if ok {
				return Setting{Key: row(idDuration).Key(), Value: text}
			}
		}
		return Setting{Key: p.Key(), Value: num(float64(v))}
	case Size:
		return Setting{Key: p.Key(), Value: p.typedSize(v)}
	case []LoRA:
		return Setting{Key: p.Key(), Value: typedLoRAs(v, lora)}
	case Media:
		return FileSetting(p.Key(), v)
	case string:
		return Setting{Key: p.Key(), Value: p.typedText(v)}
	}
	switch p.id() {
	case idPrivate:
		return Setting{Key: p.Key(), Value: yesNo(r.Private)}
	case idCount:
		return Setting{Key: p.Key(), Value: num(float64(r.Count()))}
	case idModel:
		return Setting{Key: p.Key(), Value: r.model}
	case idEdit:
		return Setting{Key: p.Key(), Value: string(r.edit)}
	}
	return Setting{Key: p.Key(), Value: cmp.Or(r.quality, "none")}
}

// typedSize writes a size by its name if it has one.
func (p Param) typedSize(s Size) string {
	for _, c := range p.Choices {
		if c.Pixels == s {
			return c.Typed()
		}
	}
	return s.String()
}

// typedText writes a text, or the word of a choice.
func (p Param) typedText(text string) string {
	for _, c := range p.Choices {
		if c.Value == text {
			return c.Typed()
		}
	}
	return text
}

func typedLoRAs(loras []LoRA, lora func(LoRA) string) string {
	if len(loras) == 0 {
		return "none"
	}
	items := make([]string, 0, len(loras))
	for _, l := range loras {
		items = append(items, lora(l))
	}
	return strings.Join(items, ",")
}

func commandLine(settings []Setting) string {
	words := make([]string, 0, len(settings))
	for _, s := range settings {
		value := quoted(s.Value)
		if s.Key == row(idPrompt).Key() {
			value = inQuotes(s.Value)
		}
		words = append(words, s.Key+":"+value)
	}
	return strings.Join(words, " ")
}

// quoted puts quotes round a value that would not be read as one word.
func quoted(value string) string {
	if value == "" || strings.ContainsFunc(value, func(r rune) bool {
		return unicode.IsSpace(r) || isQuote(r) || strings.ContainsRune(`\,'`, r)
	}) {
		return inQuotes(value)
	}
	return value
}

func inQuotes(value string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range value {
		if r == '\\' || isQuote(r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	b.WriteByte('"')
	return b.String()
}
