package ltx

import (
	"slices"
	"strings"
)

// Kind says how the text of a setting is read.
type Kind string

// The kinds of parameters.
const (
	KindText     Kind = "text"     // any text
	KindBool     Kind = "bool"     // yes or no
	KindInt      Kind = "int"      // a whole number
	KindFloat    Kind = "float"    // a number
	KindChoice   Kind = "choice"   // one of Choices
	KindSize     Kind = "size"     // one of Choices, a ratio or pixels
	KindDuration Kind = "duration" // seconds
	KindLoRAs    Kind = "loras"    // a comma-separated list, each with a scale
	KindPreset   Kind = "preset"   // one of the operator's qualities
	KindStyle    Kind = "style"    // the name of a style of the team
	KindAdvanced Kind = "advanced" // key=value pairs, each a setting of its own
	KindMedia    Kind = "media"    // a file: a link, a job's video, or what the platform has
)

// A Param is one row of the table that describes the model. Everything that
// depends on what can be set is made from these rows: the commands of both
// platforms, their forms, help, validation and what is sent to the provider.
type Param struct {
	// Name is the model's own name, "camera_lora". It is empty for what is
	// no input of the model by itself: duration, quality, count, private, advanced.
	Name string
	// Option is what people type, "camera". It is empty for a row that is
	// reachable only by its Name.
	Option string
	// Aliases are other spellings of Option: "cam".
	Aliases []string
	// Translations are what people call it in the other languages of the
	// bot's texts: "cámara". They set it as Option does.
	Translations []string
	// Words are those of Option, Aliases and Translations that are ordinary words, which a
	// prompt may hold before a colon: "sound:rain". In a line of text they
	// set something only with a value that fits.
	Words []string
	Kind  Kind
	// Choices are the values of a KindChoice, the named ones of a KindSize
	// and the built-in ones of a KindPreset.
	Choices []Choice
	// Min and Max bound a number, both included: pixels of a side for
	// KindSize, seconds at DefaultFPS for KindDuration, the scale of each
	// LoRA for KindLoRAs. Both are 0 where there is no number.
	Min, Max float64
	// MinLen and MaxLen bound a text, in Unicode code points. MaxLen is 0
	// where there is no text.
	MinLen, MaxLen int
	// Unit of the number: "frames", "fps", "seconds", "pixels", "steps" or
	// empty.
	Unit string
	// Default is the value when nothing is set: a string, bool, int or
	// float64. It is nil for a prompt (required), a seed (random), LoRAs and
	// a quality (none).
	Default any
	// Help is one line for people of at most 100 characters, the limit of
	// https://discord.com/developers/docs/interactions/application-commands#application-command-object-application-command-option-structure.
	Help string
	// Operator is set for what only the operator decides.
	Operator bool
	// Basic is set for what most people use; the rest is for experts.
	Basic bool
	// Rare is set for an option that has no field where fields are few, as
	// those of a command on Discord are. It is typed, or set by advanced.
	Rare bool
	// special is set for an input that endpoints have only where their own rows
	// name it.
	special bool
}

// Key returns what a person types to set the parameter: its option, or its
// API name when it has no option.
func (p Param) Key() string {
	if p.Option != "" {
		return p.Option
	}
	return p.Name
}

// IsWord tells whether a spelling of the parameter is an ordinary word, see
// Words.
func (p Param) IsWord(key string) bool {
	return slices.ContainsFunc(p.Words, func(w string) bool { return fold(w) == fold(key) })
}

// IsTranslation tells whether a key, in any case, is the name in another language.
func (p Param) IsTranslation(key string) bool {
	return slices.ContainsFunc(p.Translations, func(t string) bool { return fold(t) == fold(key) })
}

// Fits tells whether the parameter takes the value from somebody, under rules
// that allow all that the model can do. A blank value does not fit.
func (p Param) Fits(value string) bool {
	return strings.TrimSpace(value) != "" && p.check(value, true) == nil
}

// Check is Fits with what is wrong, or nil.
func (p Param) Check(value string) *FieldError { return p.check(value, false) }

func (p Param) check(value string, quick bool) *FieldError {
	e := evaluation{quick: quick, fps: DefaultFPS, values: map[string]any{}}
	switch {
	case p.Operator:
		e.fail(p, FieldError{Problem: OperatorOnly})
	case p.Kind == KindAdvanced, p.Kind == KindPreset:
		_, err := Rules{}.Parse([]Setting{{Key: idPrompt, Value: "a"}, {Key: p.id(), Value: value}})
		e.problems = problemsIn(err)
	case p.id() == idDuration || p.id() == idFrames:
		e.frames(layer{p.id(): value})
	default:
		e.value(p, value)
	}
	if len(e.problems) == 0 {
		return nil
	}
	return &e.problems[0]
}

// IsSetting tells whether a value is no prose, even if it does not fit: a link
// to a file, a name as models have it, a number of videos.
func (p Param) IsSetting(value string) bool {
	value = strings.TrimSpace(value)
	switch p.id() {
	case idModel:
		return modelName.MatchString(value)
	case idCount:
		_, ok := parseNumber(withoutTimes(value), p.Unit)
		return ok
	}
	return p.Kind == KindMedia && strings.Contains(value, "://")
}

// id names the row among all rows.
func (p Param) id() string {
	if p.Name != "" {
		return p.Name
	}
	return p.Option
}

// words returns what people type for each choice.
func (p Param) words() []string {
	words := make([]string, 0, len(p.Choices))
	for _, c := range p.Choices {
		words = append(words, c.Typed())
	}
	return words
}

// A Choice is one value of a Param.
type Choice struct {
	// Value is what is sent to the model: "X264 (.mp4)".
	Value string
	// Word is what people type where Value is awkward: "mp4".
	Word string
	// Synonyms are other spellings. Case, '-', '_' and ' ' do not matter.
	Synonyms []string
	// Label is what a form shows: "Dolly in".
	Label string
	// Pixels is the size that a choice of KindSize means.
	Pixels Size
}

// Typed returns what people type and forms submit.
func (c Choice) Typed() string {
	if c.Word != "" {
		return c.Word
	}
	return c.Value
}

// matches tells whether the folded text means this choice.
func (c Choice) matches(folded string) bool {
	return foldsTo(c.Value, folded) || foldsTo(c.Word, folded) ||
		slices.ContainsFunc(c.Synonyms, func(s string) bool { return foldsTo(s, folded) })
}

// Params returns every parameter in the order of use. Nothing of them may be
// changed: the table has the same lists.
func Params() []Param { return table }

// Lookup finds a parameter by its option, an alias, a translation or its API name. Case,
// '-', '_' and ' ' do not matter. Nothing of it may be changed, as with Params.
func Lookup(key string) (Param, bool) {
	i, ok := index[key]
	if !ok {
		i, ok = index[fold(key)]
	}
	if !ok {
		return Param{}, false
	}
	return table[i], true
}

// index finds the row of a spelling: as the table has it, or folded.
var index = spellings(table)

func spellings(rows []Param) map[string]int {
	m := make(map[string]int)
	for i, p := range rows {
		for _, s := range slices.Concat([]string{p.Name, p.Option}, p.Aliases, p.Translations) {
			if s != "" {
				m[s], m[fold(s)] = i, i
			}
		}
	}
	return m
}

// row returns the row with this id, which must exist.
func row(id string) Param {
	return table[index[id]]
}

// keys are the spellings of what people may set, folded, in the order of the table.
var keys = func() []string {
	var names []string
	for _, p := range table {
		for _, s := range append([]string{p.Option, p.Name}, p.Aliases...) {
			if s != "" && !p.Operator {
				names = append(names, fold(s))
			}
		}
	}
	return names
}()

// NearestKey returns the option or API name that a setting's key was probably
// meant to be, or "". What holds a link was no other option than that of LoRAs.
func NearestKey(in Setting) string {
	name := nearest(in.Key, keys)
	p, ok := Lookup(name)
	switch {
	case !ok, p.Kind != KindLoRAs && strings.Contains(in.Value, "://"):
		return ""
	case name == fold(p.Name):
		return p.Name
	}
	return p.Key()
}

// choice finds the choice that the text means.
func (p Param) choice(text string) (Choice, bool) {
	folded := fold(text)
	i := slices.IndexFunc(p.Choices, func(c Choice) bool { return c.matches(folded) })
	if i < 0 || folded == "" {
		return Choice{}, false
	}
	return p.Choices[i], true
}

// nearestChoice returns the word of the choice that the text was probably
// meant to be, or "".
func (p Param) nearestChoice(text string) string {
	names := make([]string, 0, 2*len(p.Choices))
	means := make(map[string]string)
	for _, c := range p.Choices {
		for _, s := range append([]string{c.Typed(), c.Value}, c.Synonyms...) {
			names = append(names, s)
			means[s] = c.Typed()
		}
	}
	return means[nearest(text, names)]
}

// isNone tells whether the text means "none of it".
func isNone(text string) bool {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "none", "no", "off", "nothing":
		return true
	}
	return false
}
