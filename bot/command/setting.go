package command

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"ltxbot/core/ltx"
	"ltxbot/internal/spell"
)

// A found is the start of a setting in a line.
type found struct {
	from  int    // where it starts
	key   string // as typed, without dashes
	param ltx.Param
	known bool // param is what key names, or nearly
	value int  // where the value starts
	flag  bool // there is no value to read: given is it
	given string
	mark  bool // "prompt:" before the prompt: no setting unless quotes follow
	open  bool // a text goes on to the next setting
	empty bool // no value follows

	bracketed bool // brackets stand round it
	asked     bool // it may be prose as well
}

// The dashes before a key.
type dashes int

const (
	noDash    dashes = iota
	oneDash          // -key
	twoDashes        // --key
	oddDash          // what a client made of --: —key
)

// match finds the setting that starts at i, see Parse for the rules.
func (p *parser) match(i int) (found, bool) {
	if !p.boundary(i) {
		return found{}, false
	}
	return p.look(i)
}

// look is match where no word need start at i.
func (p *parser) look(i int) (found, bool) {
	m := p.seen[i]
	if m == nil {
		m = new(match)
		m.found, m.ok = p.find(i)
		p.seen[i] = m
	}
	return m.found, m.ok
}

func (p *parser) find(i int) (found, bool) {
	p.work++
	m := found{from: i}
	dash, i := p.dashes(i)
	start := i
	m.key, i = p.key(i)
	if end := p.foreignKey(start); end > i {
		if word := string(p.in[start:end]); dash == twoDashes || isKnown(word) {
			m.key, i = word, end
		}
	}
	if m.key == "" {
		return found{}, false
	}
	if key, end, ok := p.twoWords(m.key, i); ok && dash == noDash {
		m.key, i = key, end
	}
	sign := p.skipBlank(i)
	if dash == noDash && !p.isSign(sign) {
		return found{}, false
	}
	m.value = i
	m.param, m.known = ltx.Lookup(m.key)
	if m.known && m.param.Name == PromptKey && p.begun && !strings.EqualFold(m.key, PromptKey) {
		return found{}, false // "a sign with text:…"
	}
	if p.isSign(i) {
		m.value = i + 1
		return p.signed(m, dash, p.in[i])
	}
	if p.isSign(sign) && dash != oneDash {
		return p.apart(m, dash, sign)
	}
	if dash == noDash || !p.ends(i) {
		return found{}, false
	}
	return p.dashed(m, dash)
}

// isSign tells whether what separates a key from its value stands at i.
func (p *parser) isSign(i int) bool {
	return i < len(p.in) && (isColon(p.in[i]) || p.in[i] == '=' || p.in[i] == '＝')
}

func isColon(r rune) bool { return r == ':' || r == '：' }

// twoWords finds a key of two words before a sign, as other tools write them:
// "Negative prompt:", "CFG scale:"; key is its first word, which ends at i. A
// negative prompt is known by the name of its option.
func (p *parser) twoWords(key string, i int) (both string, end int, ok bool) {
	next := p.skipBlank(i)
	if next == i || next == len(p.in) {
		return "", 0, false
	}
	end = p.keyEnd(next)
	if end == next || !p.isSign(p.skipBlank(end)) {
		return "", 0, false
	}
	word := string(p.in[next:end])
	both = key + "_" + word
	if !isKnown(both) {
		both = strings.TrimSuffix(both, "s")
	}
	second, _ := ltx.Lookup(word)
	switch {
	case !isKnown(both) || second.Kind == ltx.KindPreset: // "in video quality:best"
		return "", 0, false
	case strings.EqualFold(key, "negative"):
		return "negative", end, true
	}
	return both, end, true
}

// longestForeign bounds the length of a key of another language, in
// characters: more than any has.
const longestForeign = 20

// foreignKey is where letters of any script end that begin at i, as keys of other
// languages have them: "durée", "カメラ".
func (p *parser) foreignKey(i int) (end int) {
	end = i
	for end < min(len(p.in), i+longestForeign) && (unicode.In(p.in[end], unicode.L, unicode.M) || end > i && isKeyRune(p.in[end], false) || p.in[end] == 'ー') {
		end++
	}
	return end
}

func isKnown(key string) bool {
	_, ok := ltx.Lookup(key)
	return ok
}

// apart judges a key with a space before the sign.
func (p *parser) apart(m found, dash dashes, sign int) (found, bool) {
	m.value = p.skipSpace(sign + 1)
	if m.value == len(p.in) {
		return found{}, false
	}
	isPrompt := m.known && m.param.Name == PromptKey
	switch {
	case isPrompt && !p.begun && strings.EqualFold(m.key, PromptKey):
		m.mark = true
		return m, true
	case isPrompt:
		return found{}, false
	}
	m.open = m.param.Kind == ltx.KindText
	if dash == twoDashes {
		return m, m.known
	}
	if !m.known && ltx.IsHabit(m.key) && m.key == strings.ToLower(m.key) {
		return m, p.fitsHabit(m)
	}
	m.bracketed = p.opens[m.from] >= 0
	return m, exact(m) && p.plausible(m, true) || p.looksTyped(m)
}

// looksTyped tells whether a key that is spelled in another way than the help
// has it is hardly prose, because of its value: "Duration: 5", "CFG scale: 7".
func (p *parser) looksTyped(m found) bool {
	key := m.key
	if m.param.IsTranslation(key) {
		key = m.param.Option // it is prose as seldom as the English one
	}
	return m.known && m.param.Kind != ltx.KindText && !m.param.IsWord(key) && p.hasDigit(m) && p.plausible(m, true)
}

// signed judges a key with a sign right after it.
func (p *parser) signed(m found, dash dashes, sign rune) (found, bool) {
	next := p.skipSpace(m.value)
	spaced := next > m.value || next == len(p.in)
	isPrompt := m.known && m.param.Name == PromptKey
	switch {
	case isPrompt && !p.begun && (!spaced || strings.EqualFold(m.key, PromptKey)):
		m.value, m.mark = next, true
		return m, true
	case m.known && spaced && (dash != noDash || exact(m)) && m.param.Kind != ltx.KindAdvanced && p.lacksValue(next):
		m.value, m.empty = next, true
		return m, true
	case spaced && dash == noDash:
		m.value = next
		return m, next < len(p.in) && p.spaced(&m, sign)
	case !p.speaks(next):
		return found{}, false // "look at the camera:)"
	}
	m.value = next
	return p.attached(m, dash, sign)
}

// attached judges "key:value" without a space.
func (p *parser) attached(m found, dash dashes, sign rune) (found, bool) {
	switch {
	case m.known:
		m.open = m.param.Kind == ltx.KindText && (p.begun || dash != noDash)
		m.bracketed = dash == noDash && p.opens[m.from] >= 0
		word := dash == noDash && m.param.IsWord(m.key) && (m.param.Kind != ltx.KindMedia || !p.isThis(m))
		return m, (!m.bracketed || !p.isWeight(m)) && (!word || p.plausible(m, true))
	case ltx.IsHabit(m.key):
		return m, dash != noDash || p.fitsHabit(m)
	case strings.Contains(m.key, "_"), linkValue.MatchString(string(p.in[m.value:p.wordEnd(m.value)])):
		return m, true // nobody writes that in a prompt
	}
	m.param, m.known = p.meant(m.key)
	strict := dash == noDash && isColon(sign)
	if m.known && (!strict || isTypo(m.key, m.param) || p.plausible(m, true)) {
		return m, true
	}
	return m, dash == twoDashes
}

// isThis tells whether the value means a file of the conversation: "image:this".
func (p *parser) isThis(m found) bool {
	const most = len("this,")
	end := p.wordEnd(m.value)
	text := strings.TrimSuffix(string(p.in[m.value:min(end, m.value+most)]), ",")
	return end <= m.value+most && ltx.Setting{Key: m.param.Key(), Value: text}.IsThis()
}

// fitsHabit tells whether a key of another tool sets something.
func (p *parser) fitsHabit(m found) bool {
	text, _ := p.value(m)
	return strings.Contains(m.key, "_") || ltx.FitsHabit(m.key, text)
}

// promptWeight is the number after the words that it is the weight of, as in
// "(masterpiece:1.2)": one with a decimal point, or a small one.
var promptWeight = regexp.MustCompile(`^(?:[0-9]?\.[0-9]+|[0-2])$`)

// isWeight tells whether what looks like a setting in brackets is a weight: it
// is unless it is all that they hold, and fits.
func (p *parser) isWeight(m found) bool {
	const longest = 8
	end := p.closes[m.from]
	if end-m.value > longest || end >= len(p.in) {
		return false
	}
	text := string(p.in[m.value:end])
	alone := m.from == p.opens[m.from]+1 && exact(m) && p.fits(m.param, text)
	return promptWeight.MatchString(text) && !alone
}

// exact tells whether a key is spelled as the help has it, and not as a word
// of prose may be. "style" nearly always is one, as in "style: cinematic".
func exact(m found) bool {
	return m.known && m.param.Kind != ltx.KindStyle && (m.key == m.param.Option || m.key == m.param.Name || slices.Contains(m.param.Translations, m.key))
}

// lacksValue tells whether the end of the line or another setting stands
// where a value belongs.
func (p *parser) lacksValue(i int) bool {
	if i == len(p.in) {
		return true
	}
	_, ok := p.match(i)
	return ok
}

// isTypo tells whether a key can hardly be a word of prose: it is one edit
// from an option, and not its plural or singular.
func isTypo(key string, p ltx.Param) bool {
	const shortest = 5
	key = strings.ToLower(key)
	return len(key) >= shortest && spell.Distance(key, p.Option) == 1 &&
		strings.TrimSuffix(key, "s") != strings.TrimSuffix(p.Option, "s")
}

// spaced judges "key: value" without dashes.
func (p *parser) spaced(m *found, sign rune) bool {
	switch {
	case exact(*m) && m.param.Name == PromptKey:
		return false
	case exact(*m) && p.asWords && isColon(sign) && !strings.Contains(m.key, "_"):
		return false
	case exact(*m):
		m.open = m.param.Kind == ltx.KindText
		fits := m.open || p.plausible(*m, !isColon(sign) || p.hasDigit(*m))
		m.asked = fits && isColon(sign)
		// A name of the model is no word of a prompt, whatever follows.
		return fits && (!m.asked || !p.asWords) || !fits && strings.Contains(m.key, "_")
	case m.known:
		m.asked = isColon(sign)
		return (!m.asked || !p.asWords) && p.looksTyped(*m)
	case ltx.IsHabit(m.key) && m.key == strings.ToLower(m.key):
		return p.fitsHabit(*m) && p.hasDigit(*m) || strings.Contains(m.key, "_")
	case strings.Contains(m.key, "_"):
		return true
	}
	m.param, m.known = p.meant(m.key)
	return m.known && p.plausible(*m, true) && p.hasDigit(*m)
}

// followsAsValue tells whether a number, a link or a word_word is at i: after
// "--key", it hardly is a word of the prompt.
func (p *parser) followsAsValue(i int) bool {
	return i < len(p.in) && foreignValue.MatchString(string(p.in[i:p.cutEnd(i, true)]))
}

var (
	foreignValue = regexp.MustCompile(`^(?:[0-9][0-9.,:x/%]*|\w+_\w+|<?(?i:https?)://.*)$`)
	linkValue    = regexp.MustCompile(`^<?(?i:https?)://`)
)

// hasDigit tells whether the value has a digit or an underscore, as words of a
// prompt seldom have.
func (p *parser) hasDigit(m found) bool {
	text, _ := p.value(m)
	return strings.ContainsFunc(text, func(r rune) bool { return r == '_' || unicode.IsDigit(r) })
}

// dashed judges a key with dashes before it and no sign after it.
func (p *parser) dashed(m found, dash dashes) (found, bool) {
	if rest, no := cutNo(m.key); no {
		if param, ok := ltx.Lookup(rest); ok && param.Kind == ltx.KindBool && dash != oneDash {
			return found{from: m.from, key: rest, param: param, known: true, value: m.value, flag: true, given: "no"}, true
		} else if !ok && dash == twoDashes {
			return found{from: m.from, key: "no", value: m.value, flag: true, given: rest}, true // "--no-people"
		}
	}
	next := p.skipSpace(m.value)
	switch {
	case !m.known && dash != twoDashes:
		return found{}, false
	case !m.known && ltx.IsHabit(m.key) && !p.lacksValue(next):
		m.value, m.open = next, strings.EqualFold(m.key, "no") // "--no hands, text"
		return m, true
	case !m.known && p.followsAsValue(next):
		m.value = next // of a flag of another tool: "--stylize 100"
		return m, true
	case !m.known:
		m.flag = true
		return m, true
	case dash == oneDash && m.key != m.param.Option && m.param.IsWord(m.key):
		return found{}, false
	}
	if m.param.Kind == ltx.KindBool {
		if end := p.wordEnd(next); next == len(p.in) || !p.fits(m.param, trimmed(string(p.in[next:end]))) {
			m.flag, m.given = true, "yes"
			return m, dash == twoDashes
		}
	}
	m.value, m.open = next, m.param.Kind == ltx.KindText
	switch {
	case m.param.Name == PromptKey && dash == twoDashes && !p.begun:
		m.mark = true
		return m, true
	case dash == twoDashes && p.lacksValue(next):
		m.empty = true
		return m, true
	case dash == twoDashes:
		return m, true
	}
	return m, next < len(p.in) && m.param.Kind != ltx.KindText && p.plausible(m, false)
}

// dashes reads the dashes at i.
func (p *parser) dashes(i int) (dashes, int) {
	start := i
	for i < len(p.in) && unicode.In(p.in[i], unicode.Pd) || i < len(p.in) && p.in[i] == '−' {
		i++
	}
	text := string(p.in[start:i])
	switch {
	case text == "":
		return noDash, i
	case text == "-":
		return oneDash, i
	case strings.Trim(text, "-") == "":
		return twoDashes, i
	}
	return oddDash, i
}

// key reads a key at i: ASCII letters, digits, '_' and '-', a letter first.
func (p *parser) key(i int) (string, int) {
	end := p.keyEnd(i)
	return string(p.in[i:end]), end
}

func (p *parser) keyEnd(i int) int {
	start := i
	for i < len(p.in) && isKeyRune(p.in[i], i == start) {
		i++
	}
	return i
}

func isKeyRune(r rune, first bool) bool {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
		return true
	}
	return !first && (r >= '0' && r <= '9' || r == '_' || r == '-')
}

// cutNo splits "no-audio".
func cutNo(key string) (rest string, ok bool) {
	if len(key) > 3 && strings.EqualFold(key[:2], "no") && (key[2] == '-' || key[2] == '_') {
		return key[3:], true
	}
	return key, false
}

// speaks tells whether the word at i says anything: "camera:)" does not.
func (p *parser) speaks(i int) bool { return p.says[i] < p.wordEnd(i) }

// maxLook is how many characters of a value are looked at to find out whether
// a word is a key: more than any value has but a LoRA's link.
const maxLook = 500

// plausible tells whether the value that follows is one that the parameter
// takes; or nearly, when near is set.
func (p *parser) plausible(m found, near bool) bool {
	if m.param.Kind == ltx.KindText {
		return true
	}
	if p.horizon == 0 {
		p.horizon = m.value + maxLook
		defer func() { p.horizon = 0 }()
	}
	text, _ := p.value(m)
	if m.param.IsSetting(text) {
		return true
	}
	if m.param.Kind == ltx.KindLoRAs {
		return !m.param.IsWord(m.key) && exact(m) || strings.Contains(text, "/") || scaleWord.MatchString(text)
	}
	return p.fits(m.param, text) || near && p.nearlyFits(m.param, text)
}

// fits tells whether the parameter takes the value under some rules.
func (p *parser) fits(param ltx.Param, value string) bool {
	return trimSpace(value) != "" && p.problem(param, value) == nil
}

// nearlyFits tells whether the parameter takes something like the value.
func (p *parser) nearlyFits(param ltx.Param, value string) bool {
	e := p.problem(param, value)
	return e != nil && (e.Nearest != "" || e.Problem == ltx.OutOfRange)
}

// corrects is the value, or what it was probably meant to be.
func (p *parser) corrects(param ltx.Param, value string) string {
	if e := p.problem(param, value); e != nil && e.Nearest != "" && slices.Contains(hasNearest, e.Problem) {
		return e.Nearest
	}
	return value
}

// problem is what is wrong with a value, asked once for each of a line.
func (p *parser) problem(param ltx.Param, value string) *ltx.FieldError {
	key := param.Key() + "\x00" + value
	e, ok := p.judged[key]
	if !ok {
		e = param.Check(value)
		p.judged[key] = e
	}
	return e
}

// maxMeanings is for how many words of a line a meaning is looked for: nobody
// mistypes more options, and looking takes time.
const maxMeanings = 40

// meant finds the parameter that a key was probably meant to name.
func (p *parser) meant(key string) (ltx.Param, bool) {
	param, ok := p.meanings[key]
	if !ok && len(p.meanings) < maxMeanings {
		param, _ = nearestParam(key)
		p.meanings[key] = param
	}
	return param, param.Kind != ""
}

func nearestParam(key string) (ltx.Param, bool) {
	const shortest = 4
	if len(key) < shortest || len(key) > 40 {
		return ltx.Param{}, false
	}
	param, ok := ltx.Lookup(ltx.NearestKey(ltx.Setting{Key: key}))
	// Any value fits a text: only a spelling very near counts.
	if ok && param.Kind == ltx.KindText && (len(key) <= shortest || spell.Distance(strings.ToLower(key), param.Key()) > 2) {
		return ltx.Param{}, false
	}
	return param, ok
}
