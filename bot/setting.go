package bot

import (
	"errors"
	"strings"
	"unicode"

	"ltxbot/core/ltx"
)

// A found is the start of a setting in a line.
type found struct {
	key   string // as typed, without dashes
	param ltx.Param
	known bool // param is what key names, or nearly
	value int  // where the value starts
	flag  bool // there is no value to read: given is it
	given string
	mark  bool // "prompt:" before the prompt: no setting unless quotes follow
	open  bool // a text goes on to the next setting
	empty bool // no value follows
}

// The dashes before a key.
type dashes int

const (
	noDash    dashes = iota
	oneDash          // -key
	twoDashes        // --key
	oddDash          // what a client made of --: —key
)

// match finds the setting that starts at i, see ParseLine for the rules.
func (p *parser) match(i int) (found, bool) {
	if !p.boundary(i) {
		return found{}, false
	}
	m, ok := p.seen[i]
	if !ok {
		m.found, m.ok = p.find(i)
		p.seen[i] = m
	}
	return m.found, m.ok
}

func (p *parser) find(i int) (found, bool) {
	dash, i := p.dashes(i)
	key, i := p.key(i)
	if key == "" {
		return found{}, false
	}
	m := found{key: key, value: i}
	m.param, m.known = ltx.Lookup(key)
	isPrompt := m.known && m.param.Name == promptKey
	if isPrompt && p.begun && !strings.EqualFold(key, promptKey) {
		return found{}, false // "a sign with text:…"
	}
	if i < len(p.in) && strings.ContainsRune(":=：＝", p.in[i]) {
		m.value = i + 1
		return p.signed(m, dash, p.in[i])
	}
	if dash == noDash || !p.ends(i) {
		return found{}, false
	}
	return p.dashed(m, dash)
}

// signed judges a key with a sign after it.
func (p *parser) signed(m found, dash dashes, sign rune) (found, bool) {
	next := p.skipSpace(m.value)
	spaced := next > m.value || next == len(p.in)
	isPrompt := m.known && m.param.Name == promptKey
	switch {
	case isPrompt && !p.begun && (!spaced || strings.EqualFold(m.key, promptKey)):
		m.value, m.mark = next, true
		return m, true
	case m.known && spaced && (dash != noDash || exact(m)) && p.lacksValue(next):
		m.value, m.empty = next, true
		return m, true
	case spaced && dash == noDash:
		m.value = next
		return m, next < len(p.in) && p.spaced(&m)
	case !p.says(next):
		return found{}, false // "look at the camera:)"
	}
	m.value = next
	if m.known {
		m.open = m.param.Kind == ltx.KindText && (p.begun || dash != noDash)
		return m, true
	}
	m.param, m.known = p.meant(m.key)
	strict := dash == noDash && (sign == ':' || sign == '：')
	if m.known && (!strict || isTypo(m.key, m.param) || p.plausible(m, true)) {
		return m, true
	}
	return m, dash == twoDashes
}

// exact tells whether a key is spelled as the help has it, and not as a word
// of prose may be.
func exact(m found) bool { return m.known && (m.key == m.param.Option || m.key == m.param.Name) }

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
	return len(key) >= shortest && editDistance(key, p.Option) == 1 &&
		strings.TrimSuffix(key, "s") != strings.TrimSuffix(p.Option, "s")
}

// spaced judges "key: value" without dashes.
func (p *parser) spaced(m *found) bool {
	exact := exact(*m)
	switch {
	case exact && m.param.Kind == ltx.KindText:
		_, _, quoted := p.quoted(m.value, false)
		m.open = true
		return m.param.Name != promptKey && (quoted || p.begun)
	case exact && (m.key == "lora" || strings.Contains(m.key, "_")):
		return true // nobody writes that in a prompt
	case m.known && !exact:
		return false
	}
	if !m.known {
		m.param, m.known = p.meant(m.key)
	}
	if !m.known || !p.plausible(*m, !exact) {
		return false
	}
	text, end := p.value(*m)
	if strings.ContainsFunc(text, func(r rune) bool { return r == '_' || unicode.IsDigit(r) }) {
		return true
	}
	next := p.skipSpace(end)
	if next == len(p.in) {
		return exact
	}
	_, ok := p.match(next)
	return exact && ok
}

// dashed judges a key with dashes before it and no sign after it.
func (p *parser) dashed(m found, dash dashes) (found, bool) {
	if rest, no := cutNo(m.key); no {
		if param, ok := ltx.Lookup(rest); ok && param.Kind == ltx.KindBool && dash != oneDash {
			return found{key: rest, param: param, known: true, value: m.value, flag: true, given: "no"}, true
		}
	}
	if !m.known {
		if dash != twoDashes {
			return found{}, false
		}
		m.flag = true
		return m, true
	}
	if dash == oneDash && m.key != m.param.Option {
		return found{}, false
	}
	next := p.skipSpace(m.value)
	if m.param.Kind == ltx.KindBool {
		if end := p.wordEnd(next); next == len(p.in) || !p.fits(m.param, trimmed(string(p.in[next:end]))) {
			m.flag, m.given = true, "yes"
			return m, dash == twoDashes
		}
	}
	m.value, m.open = next, m.param.Kind == ltx.KindText
	switch {
	case m.param.Name == promptKey && dash == twoDashes && !p.begun:
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
	start := i
	for i < len(p.in) && isKeyRune(p.in[i], i == start) {
		i++
	}
	return string(p.in[start:i]), i
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

// says tells whether the word at i says anything: "camera:)" does not.
func (p *parser) says(i int) bool {
	return strings.ContainsFunc(string(p.in[i:p.wordEnd(i)]), func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || isOpening(r)
	})
}

// plausible tells whether the value that follows is one that the parameter
// takes; or nearly, when near is set.
func (p *parser) plausible(m found, near bool) bool {
	if m.param.Kind == ltx.KindText {
		return true
	}
	text, _ := p.value(m)
	if m.param.Kind == ltx.KindLoRAs {
		return strings.Contains(text, "/")
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

// problem is problemWith, asked once for each value of a line.
func (p *parser) problem(param ltx.Param, value string) *ltx.FieldError {
	key := param.Key() + "\x00" + value
	e, ok := p.judged[key]
	if !ok {
		e = problemWith(param, value)
		p.judged[key] = e
	}
	return e
}

// problemWith is what is wrong with a value of the parameter, or nil.
func problemWith(p ltx.Param, value string) *ltx.FieldError {
	_, err := ltx.Rules{}.Parse([]ltx.Setting{{Key: promptKey, Value: "a"}, {Key: p.Key(), Value: value}})
	if e, ok := errors.AsType[ltx.FieldError](err); ok {
		return &e
	}
	return nil
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
	_, err := ltx.Rules{}.Parse([]ltx.Setting{{Key: promptKey, Value: "a"}, {Key: key, Value: "a"}})
	e, ok := errors.AsType[ltx.FieldError](err)
	if !ok || e.Problem != ltx.Unknown || e.Nearest == "" {
		return ltx.Param{}, false
	}
	param, ok := ltx.Lookup(e.Nearest)
	// Any value fits a text: only a spelling very near counts.
	if ok && param.Kind == ltx.KindText && (len(key) <= shortest || editDistance(strings.ToLower(key), param.Key()) > 2) {
		return ltx.Param{}, false
	}
	return param, ok
}
