package ltx

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A habit is a key of another tool that nobody should pay for as words of a
// prompt. It is no parameter: it says what another setting says, or asks for
// what does not exist here.
type habit struct {
	problem Problem
	right   func(value string, in []Setting) string // what the bot writes instead; nil = nothing
}

var (
	startsWithDigit = regexp.MustCompile(`^\p{Nd}`)
	modelName       = regexp.MustCompile(`(?i)^(?:ltxv?.*|.*\p{Nd}.*|quality|pro|fast|distilled|turbo|dev|full)$`)
)

var habits = func() map[string]habit {
	negative := func(value string, _ []Setting) string {
		return row(idNegative).Key() + ":" + inQuotes(cmp.Or(value, "text, logos"))
	}
	out := map[string]habit{
		"width":  {Spelling, func(value string, _ []Setting) string { return sizeOf(value, "") }},
		"height": {Spelling, func(value string, _ []Setting) string { return sizeOf("", value) }},
		"no":     {NotShown, negative},
	}
	for _, key := range []string{"lorascale", "loraweight", "lorastrength"} {
		out[key] = habit{Spelling, scaledLoRA}
	}
	return out
}()

// IsHabit tells whether a key is one of another tool: lora_scale, width. Parse
// understands what it sets, or refuses it with the right spelling.
func IsHabit(key string) bool { return habits[fold(key)].problem != "" }

// FitsHabit tells whether the value of such a key is hardly prose.
func FitsHabit(key, value string) bool {
	h := habits[fold(key)]
	return h.problem != "" && startsWithDigit.MatchString(strings.TrimSpace(value))
}

// withoutHabits writes width and height as the size that they make, and says
// how each other habit is written here.
func withoutHabits(in []Setting) (rest []Setting, problems Invalid) {
	if !slices.ContainsFunc(in, func(s Setting) bool { _, ours := index[s.Key]; return !ours }) {
		return in, nil
	}
	at := func(key string) int {
		return slices.IndexFunc(in, func(s Setting) bool { return fold(s.Key) == key })
	}
	if w, h := at("width"), at("height"); w >= 0 && h >= 0 && in[w].Value != "" && in[h].Value != "" {
		both := Setting{Key: row(idSize).Key(), Value: strings.TrimSpace(in[w].Value) + "x" + strings.TrimSpace(in[h].Value)}
		in = slices.Clone(in)
		in[min(w, h)] = both
		in = slices.Delete(in, max(w, h), max(w, h)+1)
	}
	for _, s := range in {
		h := habits[fold(s.Key)]
		switch {
		case h.problem == "":
			rest = append(rest, s)
		case len(problems) < maxProblems:
			e := FieldError{Option: shown(s.Key), Problem: h.problem, Value: shown(s.Key + ":" + s.Value)}
			if h.problem == NotShown {
				e.Value = shown(strings.TrimSpace("--no " + s.Value))
			}
			if h.right != nil {
				e.Nearest = h.right(strings.TrimSpace(s.Value), in)
			}
			problems = append(problems, e)
		}
	}
	return rest, problems
}

// sizeOf writes a size of which one side is known: in the shape of the
// default. A side that is no number is that of 720p.
func sizeOf(width, height string) string {
	const wide, high = 16, 9
	w, errW := strconv.Atoi(width)
	h, errH := strconv.Atoi(height)
	switch {
	case errW == nil && w > 0 && w <= maxTypedSide:
		h = w * high / wide
	case errH == nil && h > 0 && h <= maxTypedSide:
		w = h * wide / high
	default:
		w, h = 1280, 720
	}
	return row(idSize).Key() + ":" + Size{w, h}.String()
}

// scaledLoRA writes the only LoRA of the settings with the scale, or an
// example.
func scaledLoRA(scale string, in []Setting) string {
	p, name := row(idLoRAs), "owner/repo"
	for _, s := range in {
		if q, ok := Lookup(s.Key); !ok || q.Kind != KindLoRAs {
			continue
		}
		items := loraItems(s.Value)
		if len(items) == 1 && !isNone(items[0]) {
			name, _, _ = splitScale(p, withoutSecrets(unwrapLink(strings.TrimSpace(items[0]))))
		}
	}
	if v, ok := parseNumber(scale, ""); !ok || v < p.Min || v > p.Max || name == "" {
		scale = "0.8"
	}
	return p.Key() + ":" + name + "@" + scale
}

var (
	// loraSeparator stands between two LoRAs in other tools.
	loraSeparator = regexp.MustCompile(`\s*[;；]\s*|\s+[+&]\s+`)
	// loraWithScale is a LoRA with its scale as other tools write it.
	loraWithScale = regexp.MustCompile(`^(\S+?)(?:\s*[:：=＝*×(]\s*|\s+[x×*]?)([0-9]*\.?[0-9]+)\)?$`)
)

// maxRespelled is the length in bytes of the longest list that is corrected.
const maxRespelled = 500

// respelled writes a list of LoRAs in the way of other tools as it is written
// here. It is false when that can't be what was meant.
func respelled(text string) (string, bool) {
	text = strings.TrimSpace(text)
	if len(text) > maxRespelled {
		return "", false
	}
	items := loraSeparator.Split(text, -1)
	if plus := strings.Split(text, "+"); len(items) == 1 && !strings.Contains(text, "://") {
		items = plus
	}
	changed := len(items) > 1
	for i, item := range items {
		item = unwrapLink(strings.TrimSpace(item))
		if m := loraWithScale.FindStringSubmatch(item); m != nil && (!strings.Contains(m[1], ":") || strings.Contains(m[1], "://")) {
			item, changed = m[1]+"@"+m[2], true
		}
		name, scale, ferr := splitScale(row(idLoRAs), item)
		if name == "" || ferr != nil || len(items) > 1 && !isRepo(name) && !strings.Contains(name, "://") {
			return "", false
		}
		items[i] = withoutSecrets(name)
		if scale != nil {
			items[i] += "@" + num(*scale)
		}
	}
	return strings.Join(items, ","), changed
}
