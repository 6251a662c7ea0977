package library

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"ltxbot/core/ltx"
	"ltxbot/core/team"
)

// maxName is the longest name, in code points.
const maxName = 40

// nameForm is what can be a name: letters of any script, digits, and marks that
// mean nothing in a list of LoRAs.
var nameForm = regexp.MustCompile(fmt.Sprintf(`^[\p{L}\p{N}][\p{L}\p{M}\p{N}._-]{0,%d}$`, maxName-1))

// reserved are words that mean no LoRA and no style.
var reserved = []string{None, "no", "off", "nothing", "help"}

// name is the name for something new.
func (c *call) name() (string, error) {
	name := c.args["name"]
	if !nameForm.MatchString(name) || slices.Contains(reserved, Fold(name)) || strings.HasSuffix(Fold(name), ".safetensors") {
		return "", c.fail(BadName, "name", ltx.Shown(name))
	}
	return name, nil
}

// The longest texts of an entry and of a style, in characters. All of a library
// is in memory.
var longest = map[string]int{
	"link": 500, "trigger": 200, "negative": 1000, "note": 200, "example": 1000, "models": 200, "weight": 200,
	"options": 1000, "prefix": 500, "suffix": 500, "prompt": 2000,
}

// text is an argument; set reports whether it was given. None is an empty one.
func (c *call) text(arg string) (value string, set bool, err error) {
	value, set = c.args[arg]
	value = strings.Join(strings.Fields(strings.ToValidUTF8(value, "")), " ")
	if utf8.RuneCountInString(value) > longest[arg] {
		return "", set, &Error{Problem: TooLong, Verb: c.verb.Name, Arg: arg, Max: longest[arg]}
	}
	if strings.EqualFold(value, None) {
		value = ""
	}
	return value, set, nil
}

// fill puts what an order says into an entry.
func (o *Office) fill(c *call, e *Entry) ([]ltx.Note, error) {
	for arg, into := range map[string]*string{
		"trigger": &e.Trigger, "negative": &e.Negative, "note": &e.Note, "example": &e.Example,
	} {
		value, set, err := c.text(arg)
		if err != nil {
			return nil, err
		}
		if set {
			*into = value
		}
	}
	if err := o.fillModels(c, e); err != nil {
		return nil, err
	}
	if text, set := c.args["seed"]; set {
		seed, err := strconv.ParseInt(text, 10, 64)
		switch {
		case strings.EqualFold(text, None):
			e.Seed = nil
		case err != nil || seed < 0 || seed > ltx.MaxSeed:
			return nil, c.fail(BadSeed, "seed", ltx.Shown(text))
		default:
			e.Seed = &seed
		}
	}
	return o.fillPath(c, e)
}

func (o *Office) fillModels(c *call, e *Entry) error {
	models, set, err := c.text("models")
	if err != nil || !set {
		return err
	}
	e.Models = nil
	for name := range strings.SplitSeq(models, ",") {
		if name = strings.ToLower(strings.TrimSpace(name)); name == "" {
			continue
		}
		if !slices.Contains(ltx.Models(), name) {
			return &Error{Problem: BadModel, Verb: c.verb.Name, Arg: "models", Value: ltx.Shown(name), Nearest: ltx.Nearest(name, ltx.Models())}
		}
		if !slices.Contains(e.Models, name) {
			e.Models = append(e.Models, name)
		}
	}
	return nil
}

// fillPath puts link, weight and scale into an entry.
func (o *Office) fillPath(c *call, e *Entry) ([]ltx.Note, error) {
	link, linked, err := c.text("link")
	if err != nil {
		return nil, err
	}
	weight, weighed, err := c.text("weight")
	if err != nil {
		return nil, err
	}
	var notes []ltx.Note
	if linked {
		l, told, err := o.parse(c, link)
		if err != nil {
			return nil, err
		}
		e.Path, notes = l.Path, told
		if strings.Contains(link, "@") || e.Scale == 0 {
			e.Scale = l.Scale
		}
	}
	if scale, scaled := c.args["scale"]; scaled { // it wins over that of the link
		path := e.Path
		if c.file != "" {
			path = Uploaded
		}
		l, told, err := o.parse(c, path+"@"+scale)
		if err != nil {
			return nil, err
		}
		e.Scale = l.Scale
		for _, n := range told {
			if !slices.Contains(notes, n) {
				notes = append(notes, n)
			}
		}
	}
	if weighed {
		if strings.Contains(e.Path, "://") || !strings.HasSuffix(strings.ToLower(weight), ".safetensors") || strings.HasPrefix(weight, "/") {
			return nil, c.fail(BadWeight, "weight", ltx.Shown(weight))
		}
		file := url.URL{Scheme: "https", Host: "huggingface.co", Path: "/" + e.Path + "/resolve/main/" + weight}
		l, _, err := o.cfg.Rules().ParseLoRA(file.String())
		if err != nil {
			return nil, invalid(err)
		}
		e.Path = l.Path
	}
	return notes, nil
}

// invalid is the error of one option as that of a request.
func invalid(err error) error {
	if e, ok := err.(ltx.FieldError); ok { //nolint:errorlint // ParseLoRA returns nothing else
		return ltx.Invalid{e}
	}
	return err
}

// harmless are the parts of a link's query that are no secret, and keptOf those
// of them that say which file is meant.
var (
	harmless = []string{"download", "dl", "type", "format", "size", "fp"}
	kept     = []string{"dl", "type", "format", "size", "fp"}
)

// public is a path without what says nothing. Everybody in the team can use an
// entry, and see it: a link with a key in it is refused, and one that is signed
// ends some day.
func (c *call) public(path string) (string, error) {
	before, query, found := strings.Cut(path, "?")
	if !found {
		return path, nil
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", c.fail(SecretLink, "link", ltx.Shown(path))
	}
	for key := range values {
		if !slices.Contains(harmless, key) {
			return "", c.fail(SecretLink, "link", ltx.Shown(path))
		}
		if !slices.Contains(kept, key) {
			values.Del(key)
		}
	}
	if len(values) == 0 {
		return before, nil
	}
	return before + "?" + values.Encode(), nil
}

// fillStyle puts what an order says into a style. Options are checked by rules.
func (o *Office) fillStyle(c *call, rules ltx.Rules, s *Style) error {
	for arg, into := range map[string]*string{"prefix": &s.Prefix, "suffix": &s.Suffix, "note": &s.Note, "options": &s.Options} {
		value, set, err := c.text(arg)
		if err != nil {
			return err
		}
		if set {
			*into = value
		}
	}
	if s.Options == "" && s.Prefix == "" && s.Suffix == "" {
		return c.fail(EmptyStyle, "options", "")
	}
	if c.args["options"] == "" {
		return nil
	}
	settings, err := o.cfg.Options(s.Options)
	if err != nil {
		return err
	}
	for _, setting := range settings {
		if p, ok := ltx.Lookup(setting.Key); ok && p.Kind == ltx.KindLoRAs && strings.Contains(setting.Value, "?") {
			return c.fail(SecretLink, "options", ltx.Shown(setting.Value))
		}
	}
	s.Settings = settings
	return rules.CheckOptions(settings)
}

// MaxLength is the longest text of an argument, in characters; 0 = it is not
// bounded by itself.
func MaxLength(arg string) int { return longest[arg] }

// ArgOf is the argument that an error is about, or "".
func ArgOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Arg
	}
	if e, ok := errors.AsType[*team.OrderError](err); ok {
		return e.Arg
	}
	if e, ok := errors.AsType[ltx.Invalid](err); ok {
		if slices.ContainsFunc(e, func(e ltx.FieldError) bool { return e.Problem == ltx.LoRAScale }) {
			return "scale"
		}
		return "link"
	}
	return ""
}

// Filled is the order of a filled in form. What was emptied is taken back.
func Filled(o team.Order) team.Order {
	args := maps.Clone(o.Args)
	for name, value := range args {
		if Edits(o.Verb) && strings.TrimSpace(value) == "" && !slices.Contains([]string{"link", "weight", "scale"}, name) {
			args[name] = None
		}
	}
	o.Args = args
	return o
}

// ToEdit is an order that edits with what is there now, for a form; ok is false
// where there is no such thing.
func (s *Snapshot) ToEdit(o team.Order) (_ team.Order, ok bool) {
	var what item
	if o.Verb == VerbStyleEdit {
		what, ok = s.Style(o.Args["name"])
	} else {
		what, ok = s.LoRA(o.Args["name"])
	}
	if !ok {
		return o, false
	}
	return shows(o, what), true
}

// shows is an order with the arguments and the edition of what is there.
func shows(o team.Order, what item) team.Order {
	sum := sha256.Sum256([]byte(what.describe()))
	o.Args, o.Seen = what.Args(), hex.EncodeToString(sum[:8])
	return o
}

// Args are the arguments of an order that adds the entry.
func (e Entry) Args() map[string]string {
	args := map[string]string{
		"name": e.Name, "link": e.Path, "scale": strconv.FormatFloat(e.Scale, 'f', -1, 64), "trigger": e.Trigger,
		"negative": e.Negative, "note": e.Note, "example": e.Example, "models": strings.Join(e.Models, ","),
	}
	if e.Seed != nil {
		args["seed"] = strconv.FormatInt(*e.Seed, 10)
	}
	return args
}

// Args are the arguments of an order that adds the style.
func (s Style) Args() map[string]string {
	return map[string]string{"name": s.Name, "options": s.Options, "prefix": s.Prefix, "suffix": s.Suffix, "note": s.Note}
}
