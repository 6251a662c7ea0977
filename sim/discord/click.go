package discord

import (
	"context"
	"fmt"
	"slices"
	"unicode/utf8"
)

// find returns the stored message that a person sees and wants to touch.
func (u *User) find(action string, seen Message) (*message, error) {
	m := u.server.world.messages[seen.ID]
	switch {
	case m == nil || m.deleted:
		return nil, &RefusedError{Action: action, Reason: "the message is gone"}
	case !m.reaches(u.ID):
		return nil, &RefusedError{Action: action, Reason: "the person cannot see the message"}
	}
	return m, nil
}

// component returns the interactive component with a custom id.
func (m *message) component(customID string) object {
	var found object
	walk("", m.components, func(_ string, c object) {
		if textIn(c["custom_id"]) == customID {
			found = c
		}
	})
	return found
}

// Click presses a button of a message.
func (u *User) Click(ctx context.Context, on Message, customID string) (*Interaction, error) {
	return u.use(ctx, "click", on, customID, nil)
}

// Select chooses values in a select menu of a message; for the menus of
// users, roles and channels the values are ids.
func (u *User) Select(ctx context.Context, on Message, customID string, values ...string) (*Interaction, error) {
	if values == nil {
		values = []string{}
	}
	return u.use(ctx, "select", on, customID, values)
}

func (u *User) use(ctx context.Context, action string, on Message, customID string, values []string) (*Interaction, error) {
	return u.do(ctx, func() (*Interaction, object, error) {
		refuse := func(reason string) (*Interaction, object, error) {
			return nil, nil, &RefusedError{Action: action, Field: customID, Reason: reason}
		}
		m, err := u.find(action, on)
		if err != nil {
			return nil, nil, err
		}
		c := m.component(customID)
		if c == nil {
			return refuse("the message has no such component")
		}
		kind := intOf(c["type"])
		if (kind == button) != (values == nil) {
			return refuse("the component is of another kind")
		}
		if boolIn(c["disabled"]) {
			return refuse("the component is disabled")
		}
		data := object{"custom_id": customID, "component_type": kind, "id": c["id"]}
		if values != nil {
			if err := checkSelection(c, values); err != "" {
				return refuse(err)
			}
			data["values"] = values
			v := u.invocation(m.channel, action)
			v.resolveIDs(kind, values)
			if v.resolved != nil {
				data["resolved"] = v.resolved
			}
		}
		i := u.server.newInteraction(typeComponent, u, m.channel)
		i.target, i.parent = m, m.interaction
		return i, data, nil
	})
}

// checkSelection says why the values cannot be chosen, if they cannot.
func checkSelection(c object, values []string) string {
	lo, hi := bounds(c)
	if len(values) < lo || len(values) > hi {
		return fmt.Sprintf("%d to %d values have to be chosen", lo, hi)
	}
	options := objectsIn(c["options"])
	for _, v := range values {
		if len(options) > 0 && !slices.ContainsFunc(options, func(o object) bool { return textIn(o["value"]) == v }) {
			return fmt.Sprintf("%q is not one of the options", v)
		}
	}
	return ""
}

func (v *invocation) resolveIDs(kind int, ids []string) {
	if kind == stringSelect {
		return
	}
	for _, id := range ids {
		if u := v.s.world.users[id]; u != nil {
			v.resolveUser(u)
		} else if ch := v.s.world.channels[id]; ch != nil {
			v.resolve("channels", id, ch.partialJSON(v.s.bot.ID))
		} else if g := v.channel.guild; g != nil && g.roles[id] != nil {
			v.resolve("roles", id, g.roles[id].json())
		}
	}
}

// A Modal is a form that the bot opened.
type Modal struct {
	CustomID string
	Title    string
	Text     string // of its TextDisplays
	Fields   []Field

	top []object
}

// A Field is one input of a Modal.
type Field struct {
	CustomID    string
	Type        int
	Label       string
	Description string
	Placeholder string
	Value       string // prefilled text
	Paragraph   bool
	Required    bool
	MinLength   int
	MaxLength   int
	Options     []Choice
	Selected    []string // options chosen in advance
}

func newModal(data object) *Modal {
	m := &Modal{CustomID: textIn(data["custom_id"]), Title: textIn(data["title"]), top: numbered(objectsIn(data["components"]))}
	for _, top := range m.top {
		switch intOf(top["type"]) {
		case textDisplay:
			m.Text += textIn(top["content"]) + "\n"
		case label:
			m.Fields = append(m.Fields, newField(objectIn(top["component"]), textIn(top["label"]), textIn(top["description"])))
		case actionRow:
			for _, c := range objectsIn(top["components"]) {
				m.Fields = append(m.Fields, newField(c, textIn(c["label"]), ""))
			}
		default:
		}
	}
	return m
}

func newField(c object, name, help string) Field {
	f := Field{
		CustomID: textIn(c["custom_id"]), Type: intOf(c["type"]), Label: name, Description: help,
		Placeholder: textIn(c["placeholder"]), Value: textIn(c["value"]), Paragraph: intOf(c["style"]) == styleParagraph,
		Required: c["required"] == nil || boolIn(c["required"]), MinLength: intOf(c["min_length"]), MaxLength: intOf(c["max_length"]),
	}
	if f.MaxLength == 0 {
		f.MaxLength = maxInputText
	}
	for _, o := range objectsIn(c["options"]) {
		f.Options = append(f.Options, Choice{Name: textIn(o["label"]), Value: textIn(o["value"])})
		if boolIn(o["default"]) {
			f.Selected = append(f.Selected, textIn(o["value"]))
		}
	}
	if f.Type == checkbox {
		f.Required = false
	}
	return f
}

// SubmitModal sends the form that the bot opened in answer to i. values holds
// a string, []string, bool or File by custom id; a field that is absent keeps
// what was prefilled.
func (u *User) SubmitModal(ctx context.Context, i *Interaction, values map[string]any) (*Interaction, error) {
	return u.do(ctx, func() (*Interaction, object, error) {
		const action = "submit modal"
		if i.modal == nil || i.User != u {
			return nil, nil, &RefusedError{Action: action, Reason: "no form is open"}
		}
		v := u.invocation(i.Channel, action)
		for name := range values {
			if !slices.ContainsFunc(i.modal.Fields, func(f Field) bool { return f.CustomID == name }) {
				return nil, nil, v.refuse(name, "the form has no such field")
			}
		}
		components := []object{}
		for _, top := range i.modal.top {
			c, err := v.submitted(i.modal, top, values)
			if err != nil {
				return nil, nil, err
			}
			components = append(components, c)
		}
		data := object{"custom_id": i.modal.CustomID, "components": components}
		if v.resolved != nil {
			data["resolved"] = v.resolved
		}
		sub := u.server.newInteraction(typeModalSubmit, u, i.Channel)
		sub.parent = i
		if i.kind == typeComponent {
			sub.target = i.target
		}
		return sub, data, nil
	})
}

// submitted returns a top-level component of a form as it is sent back.
func (v *invocation) submitted(modal *Modal, top object, values map[string]any) (object, error) {
	out := object{"type": top["type"], "id": top["id"]}
	switch intOf(top["type"]) {
	case label:
		inner, err := v.field(modal, objectIn(top["component"]), values)
		out["component"] = inner
		return out, err
	case actionRow:
		inner := []object{}
		for _, c := range objectsIn(top["components"]) {
			one, err := v.field(modal, c, values)
			if err != nil {
				return nil, err
			}
			inner = append(inner, one)
		}
		out["components"] = inner
	}
	return out, nil
}

// field returns one input of a form with its value.
func (v *invocation) field(modal *Modal, c object, values map[string]any) (object, error) {
	n := slices.IndexFunc(modal.Fields, func(f Field) bool { return f.CustomID == textIn(c["custom_id"]) })
	f := modal.Fields[n]
	out := object{"type": f.Type, "custom_id": f.CustomID}
	if c["id"] != nil {
		out["id"] = c["id"]
	}
	given, ok := values[f.CustomID]
	switch f.Type {
	case textInput:
		text := f.Value
		if ok {
			text = fmt.Sprint(given)
		}
		length := utf8.RuneCountInString(text)
		if (f.Required || length > 0) && (length < max(f.MinLength, 1) || length > f.MaxLength) {
			return nil, v.refuse(f.CustomID, "must be %d to %d characters", max(f.MinLength, 1), f.MaxLength)
		}
		out["value"] = text
		return out, nil
	case checkbox:
		checked, isBool := given.(bool)
		if ok && !isBool {
			return nil, v.refuse(f.CustomID, "must be true or false")
		}
		out["value"] = (ok && checked) || (!ok && boolIn(c["default"]))
		return out, nil
	case fileUpload:
		return v.uploads(out, f, c, given)
	}
	chosen := f.Selected
	switch g := given.(type) {
	case string:
		chosen = []string{g}
	case []string:
		chosen = g
	}
	if len(chosen) > 0 || f.Required {
		if reason := checkSelection(c, chosen); reason != "" {
			return nil, v.refuse(f.CustomID, "%s", reason)
		}
	}
	if f.Type == radioGroup {
		out["value"] = nil
		if len(chosen) > 0 {
			out["value"] = chosen[0]
		}
		return out, nil
	}
	if chosen == nil {
		chosen = []string{}
	}
	out["values"] = chosen
	v.resolveIDs(f.Type, chosen)
	return out, nil
}

func (v *invocation) uploads(out object, f Field, c object, given any) (object, error) {
	var files []File
	switch g := given.(type) {
	case File:
		files = []File{g}
	case []File:
		files = g
	}
	least, most := bounds(c)
	if (f.Required || len(files) > 0) && len(files) < least || len(files) > most {
		return nil, v.refuse(f.CustomID, "%d to %d files have to be chosen", least, most)
	}
	ids := []string{}
	for _, given := range files {
		id, err := v.attach(f.CustomID, given, fileTypesIn(c))
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	out["values"] = ids
	return out, nil
}
