package ltx

import (
	"errors"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// neutralNegative is sent for "none": what the provider makes of an empty
// negative prompt is not documented, and it could be its default.
const neutralNegative = "watermark, signature"

// An evaluation turns the texts of a layer into values. It collects what it
// changed and what it could not read on the way.
type evaluation struct {
	rules    Rules
	endpoint Endpoint         // zero = one that takes everything
	quick    bool             // nobody reads the problems: look for no nearest
	fps      float64          // what durations are measured with
	given    layer            // what a person set
	files    map[string]Media // that a platform gave, by id
	values   map[string]any
	private  bool
	count    int
	notes    []Note
	problems Invalid
}

// evaluate turns a whole layer into the values of a request to an endpoint.
// given is what a person set of it.
func (r Rules) evaluate(at Endpoint, l, given layer, files map[string]Media) *evaluation {
	e := r.begin(at, l, len(table))
	e.given, e.files = given, files
	for _, p := range table {
		if at.takes(p.id()) {
			e.read(at.row(p), l)
		}
	}
	if r.AllowUnsafe && at.takes(idSafety) {
		e.values[idSafety] = false
	}
	if len(e.problems) == 0 {
		e.combine()
	}
	return e
}

// begin is an evaluation of a layer that has read only what the reading of other
// rows depends on. It has room for so many.
func (r Rules) begin(at Endpoint, l layer, rows int) *evaluation {
	e := &evaluation{rules: r, endpoint: at, fps: DefaultFPS, values: make(map[string]any, rows)}
	if at.shape != nil {
		e.fitShape(at.shape, l.fitting(at))
	} else if at.takes(idFPS) {
		e.values[idFPS] = e.worth(at.row(row(idFPS)), l)
		if v, ok := e.values[idFPS].(float64); ok {
			e.fps = v
		}
	}
	return e
}

// worth is the value that the layer gives a row, or the row's default.
func (e *evaluation) worth(p Param, l layer) any {
	text, ok := l[p.id()]
	if ok {
		return e.value(p, text)
	}
	switch d := p.Default.(type) {
	case int:
		return int64(d)
	case bool, float64:
		return d
	case string:
		if p.Kind != KindSize { // a name of pixels
			return d
		}
	}
	return e.value(p, p.defaultText())
}

// read reads what the layer says for one row.
func (e *evaluation) read(p Param, l layer) {
	switch p.id() {
	case idFPS, idDuration, idQuality, idStyle, idAdvanced, idModel, idEdit:
		return
	case idPrivate:
		e.private = e.worth(p, l) == true
		return
	case idCount:
		count, _ := e.worth(p, l).(int64)
		e.count = int(count)
		return
	case idFrames, idSize:
		if e.endpoint.shape != nil {
			return
		}
	}
	if p.id() == idFrames {
		e.values[idFrames] = e.frames(l)
		return
	}
	if _, ok := l[p.id()]; !ok && p.Default == (unset{}) {
		return
	}
	if v := e.worth(p, l); v != nil {
		e.values[p.id()] = v
	}
}

// likeSetting finds a word that is typed like a setting whose name is a common
// word too, and is none: those with a value that fits have left the prompt.
var likeSetting = regexp.MustCompile(`(?:^|\s)(` + idModel + `|` + idEdit + `):([\pL\d][\w.+-]*)`)

// combine settles what depends on more than one row.
func (e *evaluation) combine() {
	req := Request{values: e.values}
	loras, prompt := get[[]LoRA](req, idLoRAs), req.Prompt()
	e.negative(req)
	var missing []string
	for _, l := range loras {
		words := missingWords(prompt, l.Trigger)
		if len(words) > 0 && e.endpoint.takes(idPrompt) {
			missing = append(missing, words...)
			e.note(row(idLoRAs), AddedTrigger, l.Name, strings.Join(words, ", "))
		}
	}
	if e.endpoint.TakesLoRAs() {
		e.values[idLoRAs] = withoutNegatives(loras)
	}
	if len(missing) > 0 {
		e.values[idPrompt] = e.value(row(idPrompt), strings.Join(append(missing, prompt), ", "))
	}
	e.likeSettings(req.Prompt())
	if req.OutputType() == gifValue && req.Audio() {
		e.note(row(idFormat), SilentFormat, "gif", "")
	}
}

// likeSettings notes what stays in a prompt though it is typed like a setting.
func (e *evaluation) likeSettings(prompt string) {
	if !strings.Contains(prompt, ":") { // most have none
		return
	}
	for _, m := range likeSetting.FindAllStringSubmatch(prompt, -1) {
		p := row(m[1])
		there := p.words()
		if p.id() == idModel {
			there = modelNames(e.rules.allowed())
		}
		e.note(p, KeptAsWords, m[2], strings.Join(there, ", "))
	}
}

// withoutNegatives are LoRAs as a request has them: their negative prompts are in
// its own.
func withoutNegatives(loras []LoRA) []LoRA {
	loras = slices.Clone(loras)
	for i := range loras {
		loras[i].Negative = ""
	}
	return loras
}

// negative settles the negative prompt, unless a person has set it: the LoRAs
// of a library have their own, and a camera that stands still is not to be
// avoided.
func (e *evaluation) negative(req Request) {
	if e.given.has(idNegative) || !e.endpoint.takes(idNegative) {
		return
	}
	var own, names []string
	for _, l := range get[[]LoRA](req, idLoRAs) {
		if l.Negative != "" && e.endpoint.TakesLoRAs() {
			own, names = append(own, l.Negative), append(names, l.Name)
		}
	}
	negative := req.Negative()
	if len(own) > 0 {
		negative = strings.Join(own, ", ")
		e.note(row(idNegative), LoRANegative, strings.Join(names, ", "), "")
	}
	if req.Camera() == "static" {
		items := strings.Split(negative, ",")
		kept := slices.DeleteFunc(items, func(item string) bool { return strings.EqualFold(strings.TrimSpace(item), "static") })
		if len(kept) < strings.Count(negative, ",")+1 {
			negative = strings.TrimSpace(strings.Join(kept, ","))
			e.note(row(idNegative), DroppedStatic, "static", "")
		}
	}
	if negative != req.Negative() {
		e.values[idNegative] = e.value(row(idNegative), negative)
	}
}

// nearestChoice is that of the row, unless nobody reads it.
func (e *evaluation) nearestChoice(p Param, text string) string {
	if e.quick {
		return ""
	}
	return p.nearestChoice(text)
}

func (e *evaluation) note(p Param, why Reason, from, to string) {
	e.notes = append(e.notes, Note{Option: p.Key(), From: from, To: to, Reason: why})
}

// fail records a problem with a row.
func (e *evaluation) fail(p Param, problem FieldError) {
	problem.Option = p.Key()
	e.problems = append(e.problems, problem)
}

// value reads the text of one row into the type of its kind: string, bool,
// int64, float64, Size or []LoRA. It returns nil after a problem.
func (e *evaluation) value(p Param, text string) any {
	switch p.Kind {
	case KindText:
		return e.text(p, text)
	case KindBool:
		if v, ok := parseBool(text); ok {
			return v
		}
		e.fail(p, FieldError{Problem: NotABool, Value: shown(text), Choices: []string{"yes", "no"}})
		return nil
	case KindInt:
		return e.whole(p, text)
	case KindFloat:
		if v, ok := e.number(p, text); ok {
			return round(v)
		}
		return nil
	case KindChoice:
		if c, ok := p.choice(text); ok {
			return c.Value
		}
		e.fail(p, FieldError{Problem: NotAChoice, Value: shown(text), Choices: p.words(), Nearest: e.nearestChoice(p, text)})
		return nil
	case KindSize:
		return e.size(p, text)
	case KindLoRAs:
		return e.loras(p, text)
	case KindMedia:
		return e.media(p, text)
	case KindStyle:
		if !styleForm.MatchString(strings.TrimSpace(text)) {
			e.fail(p, FieldError{Problem: StyleUnknown, Value: shown(text)})
		}
		return nil
	case KindDuration, KindPreset, KindAdvanced:
	}
	e.fail(p, FieldError{Problem: Misplaced})
	return nil
}

func (e *evaluation) text(p Param, text string) any {
	s := clean(text)
	most := p.MaxLen
	if p.id() == idPrompt {
		most = e.rules.maxPrompt()
		if f := e.endpoint.byRow[idPrompt]; f != nil && f.maxLen > 0 {
			most = min(most, f.maxLen)
		}
	}
	n := utf8.RuneCountInString(s)
	switch {
	case n < p.MinLen:
		e.fail(p, FieldError{Problem: Missing})
		return nil
	case n > most:
		e.fail(p, FieldError{Problem: TooLong, Count: int64(n), Max: float64(most), Unit: "characters"})
		return nil
	case p.id() == idNegative && (n == 0 || isNone(s)):
		return neutralNegative
	}
	return s
}

// number reads a number within the limits of the row.
func (e *evaluation) number(p Param, text string) (float64, bool) {
	v, ok := parseNumber(text, p.Unit)
	if !ok && p.Kind == KindFloat && p.Max < 1000 { // a comma separates no thousands there
		v, ok = parseNumber(strings.Replace(text, ",", ".", 1), p.Unit)
	}
	if ok && v >= p.Min && v <= p.Max {
		return v, true
	}
	problem := FieldError{Problem: NotANumber, Value: shown(text), Min: p.Min, Max: p.Max, Unit: p.Unit}
	if ok {
		problem.Problem, problem.Nearest = OutOfRange, num(min(max(v, p.Min), p.Max))
	}
	e.fail(p, problem)
	return 0, false
}

func (e *evaluation) whole(p Param, text string) any {
	if p.id() == idSeed && isRandom(text) {
		return e.rules.NewSeed()
	}
	if p.id() == idCount {
		text = withoutTimes(text)
	}
	v, ok := e.number(p, text)
	if !ok {
		return nil
	}
	if v != math.Trunc(v) {
		e.fail(p, FieldError{
			Problem: NotWhole, Value: shown(text),
			Min: p.Min, Max: p.Max, Unit: p.Unit, Nearest: num(math.Round(v)),
		})
		return nil
	}
	return int64(v)
}

// withoutTimes is a number of videos without the sign of "x3".
func withoutTimes(text string) string { return strings.Trim(text, "xX×") }

// isRandom tells whether the text asks for a new seed. -1 is what other tools
// use for it.
func isRandom(text string) bool {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "", "random", "rand", "new", "any", "-1":
		return true
	}
	return false
}

// frames reads the length of the video from the duration or from the number
// of frames, whichever the layer has.
func (e *evaluation) frames(l layer) any {
	if text, ok := l[idDuration]; ok {
		return e.duration(row(idDuration), text)
	}
	p := row(idFrames)
	asked, ok := e.worth(p, l).(int64)
	if !ok {
		return nil
	}
	frames, why := snapFrames(float64(asked)), SnappedFrames
	if most := mostFrames(e.fps); frames > most {
		frames, why = most, ShortenedFrames
	}
	if frames != asked {
		e.note(p, why, num(float64(asked)), num(float64(frames)))
	}
	return frames
}

func (e *evaluation) duration(p Param, text string) any {
	s, ok := parseSeconds(text)
	frames := framesOf(min(s, 2*longestSeconds), e.fps)
	if ok && frames >= minFrames && frames <= mostFrames(e.fps) {
		if !lasts(frames, e.fps, s) {
			e.note(p, SnappedDuration, secondsText(s), secondsText(float64(frames)/e.fps))
		}
		return frames
	}
	shortest, longest := secondsRange(e.fps)
	problem := FieldError{Problem: BadDuration, Value: shown(text), Min: shortest, Max: longest, Unit: p.Unit}
	if ok {
		problem.Problem, problem.Nearest = OutOfRange, num(min(max(s, shortest), longest))
		if longest < longestSeconds {
			problem.Other = num(e.fps)
		}
	}
	e.fail(p, problem)
	return nil
}

func (e *evaluation) size(p Param, text string) any {
	longest := e.rules.maxSide()
	asked, note, ok := askedSize(p, text)
	if !ok {
		problem := FieldError{Problem: BadSize, Value: shown(text), Min: p.Min, Max: float64(longest), Unit: p.Unit}
		if !e.quick {
			made := e.rules.made(e.endpoint, p)
			problem.Choices, problem.Nearest = made.words(), made.nearestSize(text)
		}
		e.fail(p, problem)
		return nil
	}
	fitted := asked.fit(longest)
	switch {
	case max(asked.Width, asked.Height) > longest:
		note = Note{Option: p.Key(), From: shown(text), To: fitted.String(), Reason: LargestSize}
	case fitted != asked:
		note = Note{Option: p.Key(), From: asked.String(), To: fitted.String(), Reason: SnappedSize}
	}
	if note.Reason != "" {
		e.notes = append(e.notes, note)
	}
	return fitted
}

// loras reads a list with commas. A comma inside a URL is written %2C.
func (e *evaluation) loras(p Param, text string) any {
	if strings.TrimSpace(text) == "" || isNone(text) {
		return []LoRA(nil)
	}
	var loras []LoRA
	items := loraItems(text)
	for _, item := range items[:min(len(items), e.rules.maxLoRAs())] {
		l, notes, err := e.rules.parseLoRA(p, item)
		if f := e.endpoint.byRow[idLoRAs]; err == nil && f != nil && f.values != nil && !isLink(l.Path) {
			err = FieldError{Problem: LoRANotDirect, Value: l.label(), Other: modelOf(e.endpoint.ID).Value}
		}
		if problem, ok := errors.AsType[FieldError](err); ok {
			e.fail(p, problem)
			continue
		}
		loras, e.notes = append(loras, l), append(e.notes, notes...)
	}
	if most := e.rules.maxLoRAs(); len(items) > most {
		e.fail(p, FieldError{Problem: TooManyLoRAs, Count: int64(len(items)), Max: float64(most)})
		return nil
	}
	return loras
}

// decimalComma is the comma in the scale of a LoRA. No LoRA is a number alone, but
// for one of the team's list: a space before it makes it the next one.
var decimalComma = regexp.MustCompile(`([@:：=＝*×(]\s*[0-9]+)[,，]([0-9]+\)?(?:[\s,，、;；]|$))`)

// loraItems splits a list at its commas.
func loraItems(text string) []string {
	text = decimalComma.ReplaceAllString(text, "$1.$2")
	items := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '，' || r == '、' })
	return slices.DeleteFunc(items, func(item string) bool { return strings.TrimSpace(item) == "" })
}

func sameValue(a, b any) bool { return reflect.DeepEqual(a, b) }
