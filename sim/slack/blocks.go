package slack

import (
	"fmt"
	"slices"
	"strings"
)

// A Block is one block as JSON: "type", "block_id" and what its type has.
type Block = map[string]any

// Blocks is the layout of a message or a view. It is not to be changed.
type Blocks []Block

// A Button is a button as a person sees it.
type Button struct {
	Label, ActionID, BlockID, Value, URL, Style string
	// Confirm is the text of the question asked first, or empty.
	Confirm string
}

// An Input is anything but a button that a person can fill in or choose from.
type Input struct {
	// Type is the element's type, such as plain_text_input.
	Type string
	// Label, Hint and Placeholder are the texts around it.
	Label, Hint, Placeholder string
	ActionID, BlockID        string
	// Optional inputs may be left empty.
	Optional bool
	// Options are the choices of a select, radio buttons or checkboxes.
	Options []Option
	// Initial is what it shows before anybody touches it, as texts and option
	// values.
	Initial []string
}

// An Option is a choice.
type Option struct {
	Label, Value, Description string
}

// Text is everything the blocks say, one line for each text, buttons in
// brackets.
func (bs Blocks) Text() string {
	lines := make([]string, 0, len(bs))
	for _, b := range bs {
		lines = append(lines, blockLines(b)...)
	}
	return strings.Join(lines, "\n")
}

func blockLines(b Block) []string {
	var lines []string
	add := func(text string) {
		if text != "" {
			lines = append(lines, text)
		}
	}
	for _, field := range []string{"title", "text", "label", "hint", "alt_text"} {
		add(textOf(b[field]))
	}
	for _, x := range asList(b["fields"]) {
		add(textOf(x))
	}
	for _, row := range asList(b["rows"]) {
		var cells []string
		for _, cell := range asList(row) {
			cells = append(cells, richText(cell))
		}
		add(strings.Join(cells, " | "))
	}
	if b["type"] == "rich_text" {
		add(richText(b))
		return lines
	}
	var line []string
	for _, el := range elements(b) {
		switch el["type"] {
		case "button":
			line = append(line, "["+textOf(el["text"])+"]")
		case "image":
			line = append(line, textOf(el["alt_text"]))
		case "plain_text", "mrkdwn":
			line = append(line, textOf(el))
		default:
			line = append(line, "["+textOf(el["placeholder"])+"]")
		}
	}
	add(strings.Join(line, " "))
	return lines
}

// richText is the plain text of a rich text block, section or element.
func richText(x any) string {
	o := asObj(x)
	switch o["type"] {
	case "user":
		return "<@" + str(o["user_id"]) + ">"
	case "usergroup":
		return "<!subteam^" + str(o["usergroup_id"]) + ">"
	case "broadcast":
		return "<!" + str(o["range"]) + ">"
	case "channel":
		return "<#" + str(o["channel_id"]) + ">"
	case "emoji":
		return ":" + str(o["name"]) + ":"
	case "date":
		seconds, _ := o["timestamp"].(float64)
		return fmt.Sprintf("<!date^%d^%s|%s>", int64(seconds), str(o["format"]), str(o["fallback"]))
	case "link":
		if o["text"] == nil {
			return str(o["url"])
		}
	}
	if o["elements"] == nil {
		return textOf(o["text"])
	}
	var parts []string
	separator := ""
	for _, el := range asList(o["elements"]) {
		if strings.HasPrefix(str(asObj(el)["type"]), "rich_text_") {
			separator = "\n"
		}
		parts = append(parts, richText(el))
	}
	return strings.Join(parts, separator)
}

// Buttons are the buttons in the order a person sees them.
func (bs Blocks) Buttons() []Button {
	var buttons []Button
	for _, p := range bs.placed() {
		if p.el["type"] != "button" {
			continue
		}
		buttons = append(buttons, Button{
			Label: textOf(p.el["text"]), ActionID: str(p.el["action_id"]), BlockID: str(p.block["block_id"]), Value: str(p.el["value"]),
			URL: str(p.el["url"]), Style: str(p.el["style"]), Confirm: textOf(asObj(p.el["confirm"])["text"]),
		})
	}
	return buttons
}

// Button is the first button with that action id or label.
func (bs Blocks) Button(name string) (Button, bool) {
	buttons := bs.Buttons()
	at := slices.IndexFunc(buttons, func(b Button) bool { return b.ActionID == name || b.Label == name })
	if at < 0 {
		return Button{}, false
	}
	return buttons[at], true
}

// Inputs are the inputs and menus in the order a person sees them.
func (bs Blocks) Inputs() []Input {
	var inputs []Input
	for _, p := range bs.placed() {
		if p.el["type"] == "button" {
			continue
		}
		in := Input{
			Type: str(p.el["type"]), Label: textOf(p.block["label"]), Hint: textOf(p.block["hint"]), Placeholder: textOf(p.el["placeholder"]),
			ActionID: str(p.el["action_id"]), BlockID: str(p.block["block_id"]), Optional: p.block["type"] != "input" || p.block["optional"] == true,
			Initial: chosen(initialOf(p.el, nil)),
		}
		for _, o := range optionsOf(p.el) {
			in.Options = append(in.Options, Option{Label: textOf(o["text"]), Value: str(o["value"]), Description: textOf(o["description"])})
		}
		inputs = append(inputs, in)
	}
	return inputs
}

// placed is an interactive element and the block it stands in.
type placed struct{ block, el obj }

func (bs Blocks) placed() []placed {
	var found []placed
	for _, b := range bs {
		for _, el := range elements(b) {
			if el["action_id"] != nil {
				found = append(found, placed{b, el})
			}
		}
	}
	return found
}

// elements are the elements of a block, whichever field its type keeps them in.
func elements(b Block) []obj {
	var els []obj
	if b["type"] == "rich_text" {
		return nil
	}
	for _, field := range []string{"accessory", "element"} {
		if el := asObj(b[field]); el != nil {
			els = append(els, el)
		}
	}
	for _, x := range asList(b["elements"]) {
		els = append(els, asObj(x))
	}
	return els
}

// optionsOf are the options of a menu, with its groups unfolded.
func optionsOf(el obj) []obj {
	options := make([]obj, 0, len(asList(el["options"])))
	for _, o := range asList(el["options"]) {
		options = append(options, asObj(o))
	}
	for _, g := range asList(el["option_groups"]) {
		options = append(options, optionsOf(asObj(g))...)
	}
	return options
}

// identify gives every block and element an id, as Slack does, in a copy.
func (s *Server) identify(bs Blocks) Blocks {
	out := make(Blocks, 0, len(bs))
	for _, b := range bs {
		b, _ = clone(b).(obj)
		if str(b["block_id"]) == "" {
			b["block_id"] = s.newID("")
		}
		for _, el := range elements(b) {
			_, isAction := elementTypes[str(el["type"])]
			if isAction && el["type"] != "image" && str(el["action_id"]) == "" {
				el["action_id"] = s.newID("")
			}
		}
		out = append(out, b)
	}
	return out
}

func clone(x any) any {
	switch x := x.(type) {
	case obj:
		o := make(obj, len(x))
		for k, v := range x {
			o[k] = clone(v)
		}
		return o
	case []any:
		l := make([]any, len(x))
		for i, v := range x {
			l[i] = clone(v)
		}
		return l
	}
	return x
}

// textOf is the text of a text object, or of a string.
func textOf(x any) string {
	if o := asObj(x); o != nil {
		return str(o["text"])
	}
	return str(x)
}

func str(x any) string {
	s, _ := x.(string)
	return s
}

func asObj(x any) obj {
	o, _ := x.(obj)
	return o
}

func asList(x any) []any {
	l, _ := x.([]any)
	return l
}

// toBlocks takes a decoded JSON array of objects as Blocks.
func toBlocks(x any) Blocks {
	var bs Blocks
	for _, b := range asList(x) {
		if o := asObj(b); o != nil {
			bs = append(bs, o)
		}
	}
	return bs
}
