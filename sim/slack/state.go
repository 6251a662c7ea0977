package slack

import (
	"slices"
	"strconv"
	"strings"
)

// state is what people have typed and chosen, by block id and action id, as
// payloads carry it in state.values.
type state map[string]map[string]obj

// initialState is the state of blocks that nobody has touched; what old holds
// for an element that still exists is kept.
func initialState(bs Blocks, old state) state {
	st := state{}
	for _, p := range bs.placed() {
		block, action := str(p.block["block_id"]), str(p.el["action_id"])
		value := initialOf(p.el, nil)
		if value == nil {
			continue
		}
		if kept := old[block][action]; kept != nil && kept["type"] == p.el["type"] {
			value = kept
		}
		if st[block] == nil {
			st[block] = map[string]obj{}
		}
		st[block][action] = value
	}
	return st
}

func (st state) payload() obj {
	values := obj{}
	for block, actions := range st {
		o := obj{}
		for action, value := range actions {
			o[action] = value
		}
		values[block] = o
	}
	return obj{"values": values}
}

// stateField is a row of the table below: where an element keeps its value.
type stateField struct {
	field, initial string
	many           bool
	option         bool
}

// stateFields are the elements that have a state. Buttons and overflow menus
// have none.
var stateFields = map[string]stateField{
	"plain_text_input":           {"value", "initial_value", false, false},
	"email_text_input":           {"value", "initial_value", false, false},
	"url_text_input":             {"value", "initial_value", false, false},
	"number_input":               {"value", "initial_value", false, false},
	"rich_text_input":            {"rich_text_value", "initial_value", false, false},
	"file_input":                 {"files", "", true, false},
	"static_select":              {"selected_option", "initial_option", false, true},
	"external_select":            {"selected_option", "initial_option", false, true},
	"radio_buttons":              {"selected_option", "initial_option", false, true},
	"overflow":                   {"selected_option", "", false, true},
	"multi_static_select":        {"selected_options", "initial_options", true, true},
	"multi_external_select":      {"selected_options", "initial_options", true, true},
	"checkboxes":                 {"selected_options", "initial_options", true, true},
	"users_select":               {"selected_user", "initial_user", false, false},
	"multi_users_select":         {"selected_users", "initial_users", true, false},
	"channels_select":            {"selected_channel", "initial_channel", false, false},
	"multi_channels_select":      {"selected_channels", "initial_channels", true, false},
	"conversations_select":       {"selected_conversation", "initial_conversation", false, false},
	"multi_conversations_select": {"selected_conversations", "initial_conversations", true, false},
	"datepicker":                 {"selected_date", "initial_date", false, false},
	"timepicker":                 {"selected_time", "initial_time", false, false},
	"datetimepicker":             {"selected_date_time", "initial_date_time", false, false},
}

// initialOf is the state of an element that nobody has touched, or nil when it
// has none. current is the conversation that default_to_current_conversation
// stands for.
func initialOf(el obj, current *Channel) obj {
	f, ok := stateFields[str(el["type"])]
	if !ok || el["type"] == "overflow" {
		return nil
	}
	value := el[f.initial]
	if current != nil && el["default_to_current_conversation"] == true {
		value = current.spec.ID
		if f.many {
			value = []any{current.spec.ID}
		}
	}
	if value == nil && f.many {
		value = []any{}
	}
	return obj{"type": el["type"], f.field: value}
}

// chosen is a state as texts and option values.
func chosen(value obj) []string {
	f, ok := stateFields[str(value["type"])]
	if !ok || value[f.field] == nil {
		return nil
	}
	given := []any{value[f.field]}
	if f.many {
		given = asList(value[f.field])
	}
	var texts []string
	for _, x := range given {
		switch x := x.(type) {
		case string:
			texts = append(texts, x)
		case float64:
			texts = append(texts, strconv.FormatFloat(x, 'f', -1, 64))
		case obj:
			switch {
			case f.option:
				texts = append(texts, str(x["value"]))
			case f.field == "files":
				texts = append(texts, str(x["id"]))
			default:
				texts = append(texts, richText(x))
			}
		}
	}
	return texts
}

// choose is the state of an element after a person has typed or chosen values:
// texts, ids, or the label or value of options. It reports a problem in the
// words a person would see.
func choose(el obj, values []string, external []obj) (value obj, problem string) {
	f, ok := stateFields[str(el["type"])]
	if !ok {
		return nil, "cannot be filled in"
	}
	if !f.many && len(values) > 1 {
		return nil, "takes one value"
	}
	var picked []any
	for _, text := range values {
		if !f.option {
			picked = append(picked, text)
			continue
		}
		options := append(optionsOf(el), external...)
		at := slices.IndexFunc(options, func(o obj) bool { return str(o["value"]) == text || textOf(o["text"]) == text })
		if at < 0 {
			return nil, "has no option " + strconv.Quote(text)
		}
		picked = append(picked, options[at])
	}
	value = obj{"type": el["type"], f.field: nil}
	switch {
	case f.many:
		value[f.field] = append([]any{}, picked...)
	case len(picked) == 1 && picked[0] != "":
		value[f.field] = picked[0]
		problem = typedProblem(el, str(picked[0]))
	}
	if seconds := str(value["selected_date_time"]); seconds != "" {
		n, err := strconv.ParseFloat(seconds, 64)
		if err != nil {
			return nil, "is not a time"
		}
		value["selected_date_time"] = n
	}
	if most, ok := el["max_selected_items"].(float64); ok && float64(len(picked)) > most {
		problem = "has too many items selected"
	}
	return value, problem
}

// typedProblem is what the client says about a typed text before it sends it.
func typedProblem(el obj, typed string) string {
	length := float64(len([]rune(typed)))
	least, _ := el["min_length"].(float64)
	most, limited := el["max_length"].(float64)
	switch el["type"] {
	case "plain_text_input":
		if length < least {
			return "is too short"
		}
		if limited && length > most || length > maxInputText {
			return "is too long"
		}
	case "number_input":
		n, err := strconv.ParseFloat(typed, 64)
		if err != nil || el["is_decimal_allowed"] == false && n != float64(int64(n)) {
			return "is not a number it accepts"
		}
		if low, err := strconv.ParseFloat(str(el["min_value"]), 64); err == nil && n < low {
			return "is below the minimum"
		}
		if high, err := strconv.ParseFloat(str(el["max_value"]), 64); err == nil && n > high {
			return "is above the maximum"
		}
	case "url_text_input":
		if !strings.Contains(typed, "://") {
			return "is not a URL"
		}
	case "email_text_input":
		if !strings.Contains(typed, "@") {
			return "is not an e-mail address"
		}
	}
	return ""
}
