package discord

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// An option is a registered option as a client knows it.
type option struct {
	kind         int
	name         string
	required     bool
	autocomplete bool
	choices      []Choice
	min, max     *float64
	minLen       int
	maxLen       int // 0 means no limit but the platform's
	channelTypes []int
	fileTypes    []string
	options      []*option
}

// A Choice is one of the values that a client offers.
type Choice struct {
	Name  string
	Value any // string or json.Number
}

func parseOptions(def object) []*option {
	list := objectsIn(def["options"])
	out := make([]*option, 0, len(list))
	for _, o := range list {
		opt := &option{
			kind: intOf(o["type"]), name: textIn(o["name"]), required: boolIn(o["required"]),
			autocomplete: boolIn(o["autocomplete"]), minLen: intOf(o["min_length"]), maxLen: intOf(o["max_length"]),
			options: parseOptions(o),
		}
		for field, to := range map[string]**float64{"min_value": &opt.min, "max_value": &opt.max} {
			if o[field] != nil {
				f := floatOf(o[field])
				*to = &f
			}
		}
		for _, ch := range objectsIn(o["choices"]) {
			opt.choices = append(opt.choices, Choice{Name: textIn(ch["name"]), Value: ch["value"]})
		}
		for _, t := range listIn(o["channel_types"]) {
			opt.channelTypes = append(opt.channelTypes, intOf(t))
		}
		opt.fileTypes = fileTypesIn(o)
		out = append(out, opt)
	}
	return out
}

// An Argument is an option with the value that a person gave it.
type Argument struct {
	Name  string
	Value any
}

// Arg returns an argument. The value is a string, int, float64, bool, *User,
// *Role, *Channel or File; a string is read as the client reads what is typed.
func Arg(name string, value any) Argument { return Argument{Name: name, Value: value} }

// An invocation collects the options of a command as they are sent.
type invocation struct {
	s        *Server
	channel  *Channel
	user     *User
	action   string
	raw      bool // autocomplete: half-typed values are sent as they are
	focus    string
	focused  *option
	resolved object
}

func (u *User) invocation(ch *Channel, action string) *invocation {
	return &invocation{s: u.server, channel: ch, user: u, action: action}
}

func (v *invocation) refuse(field, format string, args ...any) error {
	return &RefusedError{Action: v.action, Field: field, Reason: fmt.Sprintf(format, args...)}
}

// options returns the JSON of the arguments, checked against one level of the
// definition as a client does.
func (v *invocation) options(defs []*option, args []Argument) ([]object, error) {
	out := []object{}
	given := map[string]bool{}
	for _, a := range args {
		n := slices.IndexFunc(defs, func(o *option) bool { return o.name == a.Name })
		if n < 0 || defs[n].kind == optionSubcommand || defs[n].kind == optionGroup {
			return nil, v.refuse(a.Name, "the command has no such option")
		}
		if given[a.Name] {
			return nil, v.refuse(a.Name, "the option was given twice")
		}
		given[a.Name] = true
		value, err := v.value(defs[n], a.Value)
		if err != nil {
			return nil, err
		}
		o := object{"name": a.Name, "type": defs[n].kind, "value": value}
		if v.raw && a.Name == v.focus {
			o["focused"] = true
			v.focused = defs[n]
		}
		out = append(out, o)
	}
	if v.raw {
		return out, nil
	}
	for _, d := range defs {
		if d.required && !given[d.name] {
			return nil, v.refuse(d.name, "the option is required")
		}
	}
	return out, nil
}

// value returns what the client sends for an option.
func (v *invocation) value(o *option, given any) (any, error) {
	if v.raw && o.name == v.focus {
		return fmt.Sprint(given), nil
	}
	if len(o.choices) > 0 {
		return v.choice(o, given)
	}
	switch o.kind {
	case optionString:
		return v.text(o, given)
	case optionInteger, optionNumber:
		return v.number(o, given)
	case optionBoolean:
		b, err := strconv.ParseBool(strings.ToLower(fmt.Sprint(given)))
		if err != nil {
			return nil, v.refuse(o.name, "must be True or False")
		}
		return b, nil
	default:
		return v.reference(o, given)
	}
}

func (v *invocation) choice(o *option, given any) (any, error) {
	text := fmt.Sprint(given)
	for _, ch := range o.choices {
		if text == fmt.Sprint(ch.Value) || strings.EqualFold(text, ch.Name) {
			return ch.Value, nil
		}
	}
	return nil, v.refuse(o.name, "%q is not one of the choices", text)
}

func (v *invocation) text(o *option, given any) (any, error) {
	t, ok := given.(string)
	if !ok {
		return nil, v.refuse(o.name, "must be text")
	}
	limit := o.maxLen
	if limit == 0 {
		limit = maxStringLength
	}
	if n := utf8.RuneCountInString(t); n < max(o.minLen, 1) || n > limit {
		return nil, v.refuse(o.name, "must be %d to %d characters", max(o.minLen, 1), limit)
	}
	return t, nil
}

func (v *invocation) number(o *option, given any) (any, error) {
	f, err := strconv.ParseFloat(strings.TrimSpace(fmt.Sprint(given)), 64)
	switch {
	case err != nil, o.kind == optionInteger && f != math.Trunc(f):
		return nil, v.refuse(o.name, "%v is not a number of this kind", given)
	case o.min != nil && f < *o.min:
		return nil, v.refuse(o.name, "must be at least %v", *o.min)
	case o.max != nil && f > *o.max:
		return nil, v.refuse(o.name, "must be at most %v", *o.max)
	case math.Abs(f) > maxInt:
		return nil, v.refuse(o.name, "is too large")
	case o.kind == optionInteger:
		return int64(f), nil
	}
	return f, nil
}

// reference returns the id of a user, channel, role or attachment and adds
// the object to the resolved data.
func (v *invocation) reference(o *option, given any) (any, error) {
	wants := func(kinds ...int) bool { return slices.Contains(kinds, o.kind) }
	switch g := given.(type) {
	case *User:
		if wants(optionUser, optionMentionable) {
			v.resolveUser(g)
			return g.ID, nil
		}
	case *Role:
		if wants(optionRole, optionMentionable) {
			v.resolve("roles", g.ID, g.json())
			return g.ID, nil
		}
	case *Channel:
		if wants(optionChannel) {
			if len(o.channelTypes) > 0 && !slices.Contains(o.channelTypes, int(g.Type)) {
				return nil, v.refuse(o.name, "this kind of channel cannot be chosen")
			}
			body := g.partialJSON(v.s.bot.ID)
			body["app_permissions"] = g.permissions(v.s.bot.ID).String()
			v.resolve("channels", g.ID, body)
			return g.ID, nil
		}
	case File:
		if wants(optionAttachment) {
			return v.attach(o.name, g, o.fileTypes)
		}
	}
	return nil, v.refuse(o.name, "%T is not a value of this kind", given)
}

func (v *invocation) resolveUser(u *User) {
	v.resolve("users", u.ID, u.json())
	if g := v.channel.guild; g != nil && g.members[u.ID] != nil {
		m := g.members[u.ID].partialJSON()
		m["permissions"] = v.channel.permissions(u.ID).String()
		v.resolve("members", u.ID, m)
	}
}

func (v *invocation) resolve(kind, id string, body object) {
	if v.resolved == nil {
		v.resolved = object{}
	}
	list, ok := v.resolved[kind].(object)
	if !ok {
		list = object{}
		v.resolved[kind] = list
	}
	list[id] = body
}
