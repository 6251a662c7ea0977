package ltx

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Style is a set of options with words round the prompt.
type Style struct {
	Name           string
	Settings       []Setting
	Prefix, Suffix string
}

// styleForm is what can be the name of a style.
var styleForm = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{M}\p{N}._-]{0,39}$`)

// styled puts what a style says into what a person set, which wins. LoRAs are
// used together, unless the person wants none. From then on it is as if the
// person had set all of it: a style that is changed later changes no request.
func (r Rules) styled(given layer) (_ layer, name string, problems Invalid) {
	text, ok := given[idStyle]
	if !ok {
		return given, "", nil
	}
	rest := maps.Clone(given)
	delete(rest, idStyle)
	if isNone(text) {
		return rest, "", nil
	}
	var s Style
	found := false
	if r.Styles != nil {
		s, found = r.Styles(strings.TrimSpace(text))
	}
	if !found {
		e := FieldError{Option: row(idStyle).Key(), Problem: StyleUnknown, Value: shown(text)}
		if r.StyleNames != nil {
			e.Nearest = nearest(text, r.StyleNames())
		}
		return rest, "", Invalid{e}
	}
	of, problems := collect(byStyle, s.Settings)
	out := rest.over(of)
	if own, both := rest[idLoRAs]; both && of.set(idLoRAs) && !isNone(own) {
		out[idLoRAs] = together(of[idLoRAs], own)
	}
	if prompt, ok := rest[idPrompt]; ok {
		out[idPrompt] = withWords(s.Prefix, prompt, s.Suffix)
	}
	return out, s.Name, problems
}

// withStyle tells of each problem whether a style has set what is wrong.
func (r Rules) withStyle(in []Setting, style string, problems Invalid) Invalid {
	if style == "" {
		return problems
	}
	s, _ := r.Styles(style)
	of, _ := collect(byStyle, s.Settings)
	typed, _ := collect(byPerson, in)
	for i, e := range problems {
		p, known := Lookup(e.Option)
		id := p.id()
		if own := typed.has(id) && (id != idLoRAs || strings.Contains(typed[id], e.Value)); known && of.has(id) && !own {
			problems[i].Style = style
		}
	}
	return problems
}

// together is a list of LoRAs with those of another list, which wins where both
// name the same.
func together(below, above string) string {
	name := func(item string) string {
		name, _, _ := splitScale(row(idLoRAs), strings.TrimSpace(item))
		return strings.ToLower(name)
	}
	items := loraItems(above)
	for i, item := range loraItems(below) {
		if !slices.ContainsFunc(items, func(other string) bool { return name(other) == name(item) }) {
			items = slices.Insert(items, min(i, len(items)), item)
		}
	}
	return strings.Join(items, ",")
}

// withWords puts words before and after a prompt that does not have them.
func withWords(before, prompt, after string) string {
	if strings.TrimSpace(prompt) == "" {
		return prompt
	}
	has := func(words string) bool { return strings.Contains(strings.ToLower(prompt), strings.ToLower(words)) }
	if !has(before) {
		prompt = inOneSentence(before, prompt)
	}
	if !has(after) {
		prompt = inOneSentence(prompt, after)
	}
	return prompt
}

// inOneSentence joins two texts with a comma, unless the first ends with a mark
// of its own.
func inOneSentence(a, b string) string {
	a = strings.TrimRightFunc(a, unicode.IsSpace)
	if last, _ := utf8.DecodeLastRuneInString(a); unicode.IsPunct(last) {
		return a + " " + b
	}
	return a + ", " + b
}

// withOwn puts the member's own defaults under what the member set.
func (r Rules) withOwn(given layer) (layer, Invalid) {
	if len(r.Own) == 0 {
		return given, nil
	}
	own, problems := collect(byStyle, r.Own)
	if given.has(idQuality) {
		if name, _ := r.quality(given); name != "" {
			preset, _ := collect(byQuality, r.qualities()[name])
			for id := range preset {
				delete(own, id)
			}
		}
	}
	return given.over(own), problems
}

// CheckOptions tells whether options can be kept to be used later, in a style or
// as somebody's defaults: each of them is one that can be kept, and together
// they make a video. The error is Invalid.
func (r Rules) CheckOptions(settings []Setting) error {
	_, problems := collect(byStyle, settings)
	if len(problems) > 0 {
		return sorted(problems)
	}
	_, err := r.Parse(append([]Setting{{Key: idPrompt, Value: "a"}}, settings...))
	return err
}

// CanBeKept tells whether a parameter can be part of a style and of a member's
// defaults.
func CanBeKept(p Param) bool { return !p.Operator && !misplaced(p, byStyle) }

// has tells whether a layer says anything for a row.
func (l layer) has(id string) bool {
	_, ok := l[id]
	return ok
}

// triggers are the words of a LoRA that a prompt must hold, each by itself.
func triggers(trigger string) []string {
	var words []string
	for item := range strings.SplitSeq(clean(trigger), ",") {
		if item = strings.TrimSpace(item); item != "" {
			words = append(words, item)
		}
	}
	return words
}

// missingWords are the trigger words that a prompt does not hold.
func missingWords(prompt, trigger string) []string {
	return slices.DeleteFunc(triggers(trigger), func(words string) bool { return holds(prompt, words) })
}

// holds tells whether a text holds words, and not only as a part of others:
// "cat" is not in "a catalogue". Case and white space do not matter.
func holds(text, words string) bool {
	text, words = strings.ToLower(oneSpace(text)), strings.ToLower(oneSpace(words))
	inWord := func(r rune) bool { // of a script that has spaces between its words
		return (unicode.IsLetter(r) || unicode.IsNumber(r) || r == '_') && !unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana)
	}
	for from := 0; ; {
		i := strings.Index(text[from:], words)
		if i < 0 {
			return false
		}
		start := from + i
		end := start + len(words)
		before, _ := utf8.DecodeLastRuneInString(text[:start])
		after, _ := utf8.DecodeRuneInString(text[end:])
		first, _ := utf8.DecodeRuneInString(words)
		last, _ := utf8.DecodeLastRuneInString(words)
		if (!inWord(before) || !inWord(first)) && (!inWord(after) || !inWord(last)) {
			return true
		}
		_, size := utf8.DecodeRuneInString(text[start:])
		from = start + size
	}
}

func oneSpace(s string) string { return strings.Join(strings.Fields(s), " ") }

// LostTriggers are the trigger words of the LoRAs that a prompt does not hold,
// as the model has elaborated on it.
func (r Request) LostTriggers(used string) []string {
	if strings.TrimSpace(used) == "" {
		return nil
	}
	var lost []string
	for _, l := range get[[]LoRA](r, idLoRAs) {
		lost = append(lost, missingWords(used, l.Trigger)...)
	}
	return lost
}

// Shown makes a value fit to be shown: short, on one line, without what may be a
// secret in a URL.
func Shown(value string) string { return shown(value) }

// Nearest is the candidate that a word was probably meant to be, or "".
func Nearest(word string, candidates []string) string { return nearest(word, candidates) }
