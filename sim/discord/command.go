package discord

import (
	"encoding/json"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Command types and option types.
// https://discord.com/developers/docs/interactions/application-commands
const (
	commandChat    = 1
	commandUser    = 2
	commandMessage = 3

	optionSubcommand  = 1
	optionGroup       = 2
	optionString      = 3
	optionInteger     = 4
	optionBoolean     = 5
	optionUser        = 6
	optionChannel     = 7
	optionRole        = 8
	optionMentionable = 9
	optionNumber      = 10
	optionAttachment  = 11
)

// Limits of command definitions.
const (
	maxCommandName  = 32
	maxDescription  = 100
	maxOptions      = 25
	maxChoices      = 25
	maxChoiceName   = 100
	maxChoiceValue  = 100
	maxStringLength = 6000
	maxCommandText  = 8000
	maxInt          = 1<<53 - 1
	maxLocales      = 34
)

// commandName is the documented pattern for names of chat commands and of
// options.
var commandName = regexp.MustCompile(`^[-_'\p{L}\p{N}\p{Devanagari}\p{Thai}]{1,32}$`)

// locales are the languages of the client.
// https://discord.com/developers/docs/reference#locales
var locales = strings.Fields("id da de en-GB en-US es-ES es-419 fr hr it lt hu nl no pl pt-BR ro fi sv-SE vi tr cs el bg ru uk hi th zh-CN ja zh-TW ko")

func localizations(limit float64) schema { return orNull(dictOf(text(1, limit), maxLocales)) }

var choiceSchema = fieldsOf(map[string]schema{
	"name": need(text(1, maxChoiceName)), "name_localizations": localizations(maxChoiceName), "value": need(schema{}),
})

var optionSchema = fieldsOf(map[string]schema{
	"type": need(whole(1, 11)), "name": need(text(1, maxCommandName)), "name_localizations": localizations(maxCommandName),
	"description": need(text(1, maxDescription)), "description_localizations": localizations(maxDescription),
	"required": orNull(flag()), "choices": orNull(listOf(choiceSchema, 0, maxChoices)),
	"options": orNull(listOf(schema{}, 0, maxOptions)), "channel_types": orNull(listOf(whole(0, 100), 0, 25)),
	"min_value": orNull(schema{kind: number}), "max_value": orNull(schema{kind: number}),
	"min_length": orNull(whole(0, maxStringLength)), "max_length": orNull(whole(1, maxStringLength)),
	"autocomplete": orNull(flag()), "file_types": orNull(listOf(text(1, maxFileTypeLength), 0, maxFileTypes)),
})

var commandFields = map[string]schema{
	"name": need(text(1, maxCommandName)), "name_localizations": localizations(maxCommandName),
	"description": orNull(text(0, maxDescription)), "description_localizations": localizations(maxDescription),
	"options": orNull(listOf(schema{}, 0, maxOptions)), "default_member_permissions": orNull(schema{kind: bitset}),
	"dm_permission": orNull(flag()), "default_permission": orNull(flag()), "nsfw": orNull(flag()),
	"contexts":          orNull(listOf(wholeOf(0, 1, 2), 1, 3)),
	"integration_types": orNull(listOf(wholeOf(0, 1), 1, 2)),
	"type":              orNull(wholeOf(commandChat, commandUser, commandMessage)),
	"id":                orNull(id()),
}

// optionOnly says for which option types a field means anything.
var optionOnly = []struct {
	field string
	types []int
}{
	{"choices", []int{optionString, optionInteger, optionNumber}},
	{"autocomplete", []int{optionString, optionInteger, optionNumber}},
	{"min_value", []int{optionInteger, optionNumber}},
	{"max_value", []int{optionInteger, optionNumber}},
	{"min_length", []int{optionString}},
	{"max_length", []int{optionString}},
	{"channel_types", []int{optionChannel}},
	{"file_types", []int{optionAttachment}},
	{"options", []int{optionSubcommand, optionGroup}},
}

// checkCommand records what is wrong with a command definition.
func (c *checker) checkCommand(prefix string, def object, guild bool) {
	sub := &checker{}
	sub.check("", fieldsOf(commandFields), def)
	kind := commandKind(def)
	if kind == commandChat {
		sub.checkName("name", textIn(def["name"]), "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
		if textIn(def["description"]) == "" {
			sub.add("description", "BASE_TYPE_REQUIRED", "This field is required")
		}
	} else {
		for _, field := range []string{"description", "options"} {
			if textIn(def[field]) != "" || len(listIn(def[field])) > 0 {
				sub.add(field, "APPLICATION_COMMAND_CONTEXT_MENU_FIELD", "Context menu commands cannot have %s", field)
			}
		}
	}
	for _, field := range []string{"contexts", "integration_types"} {
		if guild && def[field] != nil {
			sub.add(field, "APPLICATION_COMMAND_GUILD_FIELD", "%s can only be set on global commands", field)
		}
		sub.checkDistinct(field, listIn(def[field]))
	}
	sub.checkLocales("", def, kind == commandChat)
	sub.checkOptions("options", objectsIn(def["options"]), 0)
	if commandText(def) > maxCommandText {
		sub.add("", "APPLICATION_COMMAND_TOO_LARGE", "Command exceeds maximum size (%d)", maxCommandText)
	}
	for _, e := range sub.errs {
		path := e.path
		if prefix != "" {
			path = join(prefix, path)
		}
		c.errs = append(c.errs, fieldError{path: strings.TrimSuffix(path, "."), code: e.code, message: e.message})
	}
}

func commandKind(def object) int {
	if def["type"] == nil {
		return commandChat
	}
	return intOf(def["type"])
}

func (c *checker) checkName(path, name, code, message string) {
	if name == "" {
		return // reported as required
	}
	lower := strings.Map(unicode.ToLower, name) == name
	if !commandName.MatchString(name) || !lower {
		c.add(path, code, "%s", message)
	}
}

func (c *checker) checkDistinct(path string, values []any) {
	seen := map[int]bool{}
	for i, v := range values {
		if seen[intOf(v)] {
			c.add(at(path, i), "SET_TYPE_ALREADY_CONTAINS_VALUE", "The set already contains the value %d", intOf(v))
		}
		seen[intOf(v)] = true
	}
}

// checkLocales checks the translations of a command or an option. Plain names
// have the pattern of chat commands.
func (c *checker) checkLocales(path string, def object, plain bool) {
	for _, field := range []string{"name_localizations", "description_localizations"} {
		for _, k := range slices.Sorted(maps.Keys(objectIn(def[field]))) {
			if !slices.Contains(locales, k) {
				c.add(join(join(path, field), k), "DICT_TYPE_KEY_INVALID", "Unknown locale %q", k)
			}
			if field == "name_localizations" && plain {
				c.checkName(join(join(path, field), k), textIn(objectIn(def[field])[k]), "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
			}
		}
	}
}

// checkOptions checks one level of options; depth 0 is the command's.
func (c *checker) checkOptions(path string, options []object, depth int) {
	names := map[string]bool{}
	optional, plain, nested := false, false, false
	for i, o := range options {
		p := at(path, i)
		c.check(p, optionSchema, o)
		c.checkLocales(p, o, true)
		kind, name := intOf(o["type"]), textIn(o["name"])
		c.checkName(join(p, "name"), name, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
		if names[name] {
			c.add(join(p, "name"), "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", "The specified option name is already used")
		}
		names[name] = true
		for _, only := range optionOnly {
			if isSet(o[only.field]) && !slices.Contains(only.types, kind) {
				c.add(join(p, only.field), "APPLICATION_COMMAND_OPTION_FIELD_INVALID", "Option type %d cannot have %s", kind, only.field)
			}
		}
		switch kind {
		case optionSubcommand, optionGroup:
			nested = true
			c.checkNested(p, o, kind, depth)
		default:
			plain = true
			required := boolIn(o["required"])
			if required && optional {
				c.add(p, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", "Required options must be placed before non-required options")
			}
			optional = optional || !required
			c.checkValueRules(p, o, kind)
		}
	}
	if nested && plain {
		c.add(path, "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Sub-command and sub-command group option types are mutually exclusive to all other types")
	}
}

func isSet(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case []any:
		return len(v) > 0
	default:
		return true
	}
}

// checkNested: command, group, subcommand, and no deeper.
func (c *checker) checkNested(path string, o object, kind, depth int) {
	const code, message = "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Sub-commands can be nested one group deep"
	children := objectsIn(o["options"])
	if boolIn(o["required"]) {
		c.add(join(path, "required"), code, "Sub-commands cannot be required")
	}
	if kind == optionGroup && depth > 0 || kind == optionSubcommand && depth > 1 {
		c.add(join(path, "type"), code, message)
		return
	}
	for i, child := range children {
		isSub := intOf(child["type"]) == optionSubcommand
		if isSub != (kind == optionGroup) || intOf(child["type"]) == optionGroup {
			c.add(join(at(join(path, "options"), i), "type"), code, message)
			return
		}
	}
	if kind == optionGroup && len(children) == 0 {
		c.add(join(path, "options"), "BASE_TYPE_REQUIRED", "This field is required")
	}
	c.checkOptions(join(path, "options"), children, depth+1)
}

func (c *checker) checkValueRules(path string, o object, kind int) {
	c.checkFileTypes(path, o)
	choices := objectsIn(o["choices"])
	if boolIn(o["autocomplete"]) && len(choices) > 0 {
		c.add(join(path, "choices"), "APPLICATION_COMMAND_OPTIONS_CHOICES_AUTOCOMPLETE", "Options with autocomplete cannot have choices")
	}
	names, values := map[string]bool{}, map[any]bool{}
	for i, ch := range choices {
		p := at(join(path, "choices"), i)
		c.checkChoiceValue(join(p, "value"), kind, ch["value"])
		if names[textIn(ch["name"])] {
			c.add(join(p, "name"), "APPLICATION_COMMAND_OPTIONS_CHOICE_NAME_EXISTS", "The specified choice name is already used")
		}
		if values[ch["value"]] {
			c.add(join(p, "value"), "APPLICATION_COMMAND_OPTIONS_CHOICE_VALUE_EXISTS", "The specified choice value is already used")
		}
		names[textIn(ch["name"])], values[ch["value"]] = true, true
	}
	if lo, hi := o["min_value"], o["max_value"]; lo != nil && hi != nil && floatOf(lo) > floatOf(hi) {
		c.add(join(path, "min_value"), "APPLICATION_COMMAND_OPTIONS_MIN_VALUE_INVALID", "min_value must be less than or equal to max_value")
	}
	for _, field := range []string{"min_value", "max_value"} {
		if v := o[field]; v != nil && kind == optionInteger && floatOf(v) != math.Trunc(floatOf(v)) {
			c.add(join(path, field), "NUMBER_TYPE_COERCE", "Value %q is not int.", v)
		}
		if v := o[field]; v != nil && math.Abs(floatOf(v)) > maxInt {
			c.add(join(path, field), "NUMBER_TYPE_MAX", "int value should be less than or equal to %d.", maxInt)
		}
	}
	if lo, hi := o["min_length"], o["max_length"]; lo != nil && hi != nil && intOf(lo) > intOf(hi) {
		c.add(join(path, "min_length"), "APPLICATION_COMMAND_OPTIONS_MIN_LENGTH_INVALID", "min_length must be less than or equal to max_length")
	}
}

// checkChoiceValue: the value of a choice has the type of its option.
func (c *checker) checkChoiceValue(path string, kind int, v any) {
	switch kind {
	case optionString:
		t, ok := v.(string)
		if !ok {
			c.add(path, "STRING_TYPE_CONVERT", "Could not interpret the value as string.")
			return
		}
		c.checkLength(path, text(1, maxChoiceValue), utf8.RuneCountInString(t))
	case optionInteger:
		c.checkNumber(path, whole(-maxInt, maxInt), v)
	case optionNumber:
		c.checkNumber(path, schema{kind: number, min: -maxInt, max: maxInt, limited: true}, v)
	default:
	}
}

func floatOf(v any) float64 {
	n, _ := v.(json.Number)
	f, _ := n.Float64()
	return f
}

// commandText counts the characters of names, descriptions and choice values;
// of a text with translations the longest counts.
func commandText(o object) int {
	n := longest(o, "name") + longest(o, "description")
	for _, ch := range objectsIn(o["choices"]) {
		n += longest(ch, "name") + utf8.RuneCountInString(textIn(ch["value"]))
	}
	for _, child := range objectsIn(o["options"]) {
		n += commandText(child)
	}
	return n
}

func longest(o object, field string) int {
	n := utf8.RuneCountInString(textIn(o[field]))
	for _, v := range objectIn(o[field+"_localizations"]) {
		n = max(n, utf8.RuneCountInString(textIn(v)))
	}
	return n
}
