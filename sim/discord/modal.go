package discord

// Limits of modals.
// https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-response-object-modal
const (
	maxModalTitle     = 45
	maxModalTop       = 5
	maxLabel          = 45
	maxLabelHelp      = 100
	maxInputText      = 4000
	maxInputHint      = 100
	maxGroupOptions   = 10
	minRadioOptions   = 2
	maxUploads        = 10
	styleShort        = 1
	styleParagraph    = 2
	maxFileTypes      = 10
	maxFileTypeLength = 32
)

// groupOptionsSchema is an option of a radio or checkbox group.
var groupOptionsSchema = fieldsOf(map[string]schema{
	"label": need(text(1, maxSelectText)), "value": need(text(1, maxSelectText)),
	"description": orNull(text(0, maxSelectText)), "default": orNull(flag()),
})

var (
	textInputSchema = component(map[string]schema{
		"custom_id": need(text(1, maxCustomID)), "style": need(wholeOf(styleShort, styleParagraph)),
		"label": orNull(text(1, maxLabel)), "value": orNull(text(0, maxInputText)),
		"placeholder": orNull(text(0, maxInputHint)), "required": orNull(flag()),
		"min_length": orNull(whole(0, maxInputText)), "max_length": orNull(whole(1, maxInputText)),
	})
	fileUploadSchema = component(map[string]schema{
		"custom_id": need(text(1, maxCustomID)), "min_values": orNull(whole(0, maxUploads)),
		"max_values": orNull(whole(1, maxUploads)), "required": orNull(flag()),
		"file_types": orNull(listOf(text(1, maxFileTypeLength), 0, maxFileTypes)),
	})
	radioGroupSchema = component(map[string]schema{
		"custom_id": need(text(1, maxCustomID)), "required": orNull(flag()),
		"options": need(listOf(groupOptionsSchema, minRadioOptions, maxGroupOptions)),
	})
	checkboxGroupSchema = component(map[string]schema{
		"custom_id": need(text(1, maxCustomID)), "required": orNull(flag()),
		"min_values": orNull(whole(0, maxGroupOptions)), "max_values": orNull(whole(1, maxGroupOptions)),
		"options": need(listOf(groupOptionsSchema, 1, maxGroupOptions)),
	})
	checkboxSchema = component(map[string]schema{
		"custom_id": need(text(1, maxCustomID)), "default": orNull(flag()),
	})
	labelSchema = component(map[string]schema{
		"label": need(text(1, maxLabel)), "description": orNull(text(1, maxLabelHelp)),
		"component": need(oneOf(map[int]schema{
			textInput: textInputSchema, stringSelect: stringSelectSchema, userSelect: autoSelectSchema,
			roleSelect: autoSelectSchema, mentionableSelect: autoSelectSchema, channelSelect: channelSchema,
			fileUpload: fileUploadSchema, radioGroup: radioGroupSchema, checkboxGroup: checkboxGroupSchema,
			checkbox: checkboxSchema,
		})),
	})
	modalRowSchema = component(map[string]schema{
		"components": need(listOf(oneOf(map[int]schema{textInput: textInputSchema}), 1, 1)),
	})
	modalSchema = fieldsOf(map[string]schema{
		"custom_id": need(text(1, maxCustomID)),
		"title":     need(text(1, maxModalTitle)),
		"components": need(listOf(oneOf(map[int]schema{
			actionRow: modalRowSchema, textDisplay: textDisplaySchema, label: labelSchema,
		}), 1, maxModalTop)),
	})
)

// checkModal records what the table cannot say about a modal under path.
func (c *checker) checkModal(path string, modal object) {
	seen := map[string]bool{}
	walk(join(path, "components"), objectsIn(modal["components"]), func(path string, m object) {
		if customID := textIn(m["custom_id"]); customID != "" {
			if seen[customID] {
				c.add(join(path, "custom_id"), "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated")
			}
			seen[customID] = true
		}
		if boolIn(m["disabled"]) {
			c.add(join(path, "disabled"), "MODAL_COMPONENT_DISABLED", "Components in a modal cannot be disabled")
		}
		optional := m["required"] != nil && !boolIn(m["required"])
		if m["min_values"] != nil && intOf(m["min_values"]) == 0 && !optional {
			c.add(join(path, "min_values"), "COMPONENT_REQUIRED_MIN_VALUES", "min_values can only be 0 when required is false")
		}
		switch intOf(m["type"]) {
		case textInput:
			c.checkTextInput(path, m)
		case stringSelect, userSelect, roleSelect, mentionableSelect, channelSelect:
			c.checkSelect(path, m)
		case fileUpload:
			c.checkFileTypes(path, m)
			c.checkBounds(path, m)
		case radioGroup:
			c.checkUniqueOptions(path, objectsIn(m["options"]), 1)
		case checkboxGroup:
			c.checkUniqueOptions(path, objectsIn(m["options"]), maxGroupOptions)
		case label:
			if inner := objectIn(m["component"]); textIn(inner["label"]) != "" {
				c.add(join(join(path, "component"), "label"), "TEXT_INPUT_LABEL_IN_LABEL", "label is not allowed on a text input within a label")
			}
		case actionRow:
			for i, inner := range objectsIn(m["components"]) {
				if textIn(inner["label"]) == "" {
					c.add(join(at(join(path, "components"), i), "label"), "BASE_TYPE_REQUIRED", "This field is required")
				}
			}
		default:
		}
	})
}

func (c *checker) checkTextInput(path string, m object) {
	lo, hi := intOf(m["min_length"]), maxInputText
	if m["max_length"] != nil {
		hi = intOf(m["max_length"])
	}
	if lo > hi {
		c.add(join(path, "min_length"), "TEXT_INPUT_MIN_LENGTH_EXCEEDS_MAX", "min_length must be less than or equal to max_length")
	}
	if n := len([]rune(textIn(m["value"]))); n > 0 && (n > hi || n < lo) {
		c.add(join(path, "value"), "BASE_TYPE_BAD_LENGTH", "Must be between %d and %d in length.", lo, hi)
	}
}
