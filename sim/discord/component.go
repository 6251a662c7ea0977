package discord

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Component types.
// https://discord.com/developers/docs/components/reference#component-object-component-types
const (
	actionRow         = 1
	button            = 2
	stringSelect      = 3
	textInput         = 4
	userSelect        = 5
	roleSelect        = 6
	mentionableSelect = 7
	channelSelect     = 8
	section           = 9
	textDisplay       = 10
	thumbnail         = 11
	mediaGallery      = 12
	fileComponent     = 13
	separator         = 14
	container         = 17
	label             = 18
	fileUpload        = FileUpload
	radioGroup        = 21
	checkboxGroup     = 22
	checkbox          = 23
)

// FileUpload is the type of a Field that takes files.
const FileUpload = 19

// Limits of components.
// https://discord.com/developers/docs/components/reference
const (
	maxCustomID        = 100
	maxButtonLabel     = 80
	maxButtonURL       = 512
	maxRowButtons      = 5
	maxLegacyRows      = 5
	maxSelectOptions   = 25
	maxV2Components    = 40
	maxV2Text          = 4000
	maxGalleryItems    = 10
	maxMediaText       = 1024
	maxSectionTexts    = 3
	maxPlaceholder     = 150
	maxSelectText      = 100
	styleLink          = 5
	stylePremium       = 6
	maxComponentNumber = 1<<31 - 1
)

// component returns the schema of one component type; every one has a type
// and an optional number.
func component(fields map[string]schema) schema {
	fields["type"] = need(whole(0, 100))
	fields["id"] = orNull(whole(0, maxComponentNumber))
	return fieldsOf(fields)
}

// selectFields are what all select menus share.
func selectFields(more map[string]schema) schema {
	fields := map[string]schema{
		"custom_id":   need(text(1, maxCustomID)),
		"placeholder": orNull(text(0, maxPlaceholder)),
		"min_values":  orNull(whole(0, maxSelectOptions)),
		"max_values":  orNull(whole(1, maxSelectOptions)),
		"disabled":    orNull(flag()),
		"required":    orNull(flag()),
	}
	maps.Copy(fields, more)
	return component(fields)
}

var emojiSchema = fieldsOf(map[string]schema{
	"id": orNull(id()), "name": orNull(text(1, 32)), "animated": orNull(flag()),
})

var selectOptionSchema = fieldsOf(map[string]schema{
	"label": need(text(1, maxSelectText)), "value": need(text(1, maxSelectText)),
	"description": orNull(text(0, maxSelectText)), "default": orNull(flag()), "emoji": orNull(emojiSchema),
})

var defaultValuesSchema = orNull(listOf(fieldsOf(map[string]schema{
	"id": need(id()), "type": need(textOf("user", "role", "channel")),
}), 0, maxSelectOptions))

var mediaSchema = fieldsOf(map[string]schema{"url": need(link(2048))})

// inputs are the interactive components: a row of the table for each.
var (
	buttonSchema = component(map[string]schema{
		"style": need(wholeOf(1, 2, 3, 4, styleLink, stylePremium)), "custom_id": orNull(text(1, maxCustomID)),
		"label": orNull(text(0, maxButtonLabel)), "url": orNull(link(maxButtonURL)), "sku_id": orNull(id()),
		"emoji": orNull(emojiSchema), "disabled": orNull(flag()),
	})
	stringSelectSchema = selectFields(map[string]schema{"options": need(listOf(selectOptionSchema, 1, maxSelectOptions))})
	autoSelectSchema   = selectFields(map[string]schema{"default_values": defaultValuesSchema})
	channelSchema      = selectFields(map[string]schema{
		"default_values": defaultValuesSchema, "channel_types": orNull(listOf(whole(0, 100), 0, 25)),
	})
	textDisplaySchema = component(map[string]schema{"content": need(text(1, maxV2Text))})
	thumbnailSchema   = component(map[string]schema{
		"media": need(mediaSchema), "description": orNull(text(1, maxMediaText)), "spoiler": orNull(flag()),
	})
	rowSchema = component(map[string]schema{
		"components": need(listOf(oneOf(map[int]schema{
			button: buttonSchema, stringSelect: stringSelectSchema, userSelect: autoSelectSchema,
			roleSelect: autoSelectSchema, mentionableSelect: autoSelectSchema, channelSelect: channelSchema,
		}), 1, maxRowButtons)),
	})
	sectionSchema = component(map[string]schema{
		"components": need(listOf(oneOf(map[int]schema{textDisplay: textDisplaySchema}), 1, maxSectionTexts)),
		"accessory":  need(oneOf(map[int]schema{button: buttonSchema, thumbnail: thumbnailSchema})),
	})
	gallerySchema = component(map[string]schema{
		"items": need(listOf(fieldsOf(map[string]schema{
			"media": need(mediaSchema), "description": orNull(text(0, maxMediaText)), "spoiler": orNull(flag()),
		}), 1, maxGalleryItems)),
	})
	fileSchema      = component(map[string]schema{"file": need(mediaSchema), "spoiler": orNull(flag())})
	separatorSchema = component(map[string]schema{"spacing": orNull(wholeOf(1, 2)), "divider": orNull(flag())})
	containerSchema = component(map[string]schema{
		"components": need(listOf(oneOf(map[int]schema{
			actionRow: rowSchema, textDisplay: textDisplaySchema, section: sectionSchema,
			mediaGallery: gallerySchema, fileComponent: fileSchema, separator: separatorSchema,
		}), 1, maxV2Components)),
		"accent_color": orNull(whole(0, 0xffffff)), "spoiler": orNull(flag()),
	})
)

// legacyComponents and v2Components are the top levels of a message without
// and with the IS_COMPONENTS_V2 flag.
var (
	legacyComponents = orNull(listOf(oneOf(map[int]schema{actionRow: rowSchema}), 0, maxLegacyRows))
	v2Components     = orNull(listOf(oneOf(map[int]schema{
		actionRow: rowSchema, section: sectionSchema, textDisplay: textDisplaySchema, mediaGallery: gallerySchema,
		fileComponent: fileSchema, separator: separatorSchema, container: containerSchema,
	}), 0, maxV2Components))
)

// walk calls visit for each component, parents first, with its path.
func walk(path string, components []object, visit func(path string, c object)) {
	for i, c := range components {
		walkOne(at(path, i), c, visit)
	}
}

func walkOne(path string, c object, visit func(path string, c object)) {
	visit(path, c)
	walk(join(path, "components"), objectsIn(c["components"]), visit)
	for _, slot := range []string{"accessory", "component"} {
		if inner, ok := c[slot].(object); ok {
			walkOne(join(path, slot), inner, visit)
		}
	}
}

// checkComponents records what the tables cannot say: rules between fields
// and over the whole message.
func (c *checker) checkComponents(components []object, v2 bool, files []string) {
	seen := map[string]bool{}
	numbers := map[int]bool{}
	count, length := 0, 0
	walk("components", components, func(path string, m object) {
		count++
		if customID := textIn(m["custom_id"]); customID != "" {
			if seen[customID] {
				c.add(join(path, "custom_id"), "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated")
			}
			seen[customID] = true
		}
		if n := intOf(m["id"]); n != 0 {
			if numbers[n] {
				c.add(join(path, "id"), "COMPONENT_ID_DUPLICATED", "Component id cannot be duplicated")
			}
			numbers[n] = true
		}
		switch intOf(m["type"]) {
		case actionRow:
			c.checkRow(path, m)
		case button:
			c.checkButton(path, m)
		case stringSelect, userSelect, roleSelect, mentionableSelect, channelSelect:
			c.checkSelect(path, m)
		case textDisplay:
			length += utf8.RuneCountInString(textIn(m["content"]))
		case thumbnail:
			c.checkMedia(join(path, "media"), objectIn(m["media"]), files, false)
		case fileComponent:
			c.checkMedia(join(path, "file"), objectIn(m["file"]), files, true)
		case mediaGallery:
			for i, item := range objectsIn(m["items"]) {
				c.checkMedia(join(at(join(path, "items"), i), "media"), objectIn(item["media"]), files, false)
			}
		default:
		}
	})
	if v2 && count > maxV2Components {
		c.add("components", "MAX_COMPONENTS_EXCEEDED", "Total number of components must be %d or fewer.", maxV2Components)
	}
	if v2 && length > maxV2Text {
		c.add("components", "COMPONENT_TEXT_TOO_LONG", "The total text of all components must be %d or fewer in length.", maxV2Text)
	}
}

// checkRow: either up to five buttons or one select.
func (c *checker) checkRow(path string, row object) {
	items := objectsIn(row["components"])
	for _, item := range items {
		if intOf(item["type"]) != button && len(items) > 1 {
			c.add(join(path, "components"), "COMPONENT_LAYOUT_WIDTH_EXCEEDED", "The specified component exceeds the maximum width")
			return
		}
	}
}

func (c *checker) checkButton(path string, b object) {
	style := intOf(b["style"])
	has := func(field string) bool { return textIn(b[field]) != "" }
	switch {
	case style == stylePremium:
		if idIn(b["sku_id"]) == "" {
			c.add(join(path, "sku_id"), "BASE_TYPE_REQUIRED", "This field is required")
		}
		return
	case style == styleLink && !has("url"):
		c.add(join(path, "url"), "BASE_TYPE_REQUIRED", "This field is required")
	case style == styleLink && has("custom_id"):
		c.add(path, "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", "A custom id and url cannot both be specified")
	case style != styleLink && has("url"):
		c.add(join(path, "url"), "BUTTON_COMPONENT_INVALID_URL", "A url cannot be specified for this style")
	case style != styleLink && !has("custom_id"):
		c.add(join(path, "custom_id"), "BASE_TYPE_REQUIRED", "This field is required")
	}
	if !has("label") && b["emoji"] == nil {
		c.add(path, "BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED", "Either a label or an emoji must be specified")
	}
	if u := textIn(b["url"]); u != "" && !slices.Contains([]string{"http", "https", "discord"}, scheme(u)) {
		c.add(join(path, "url"), "URL_TYPE_INVALID_SCHEME", "Scheme %q must be one of ('http', 'https', 'discord').", scheme(u))
	}
}

// bounds are how many values or files a person chooses.
func bounds(m object) (least, most int) {
	least, most = 1, 1
	if m["min_values"] != nil {
		least = intOf(m["min_values"])
	}
	if m["max_values"] != nil {
		most = intOf(m["max_values"])
	}
	return least, most
}

// checkBounds returns how many can be chosen.
func (c *checker) checkBounds(path string, m object) (most int) {
	least, most := bounds(m)
	if least > most {
		c.add(join(path, "min_values"), "COMPONENT_MIN_VALUES_EXCEEDS_MAX", "min_values must be less than or equal to max_values")
	}
	return most
}

func (c *checker) checkSelect(path string, m object) {
	hi := c.checkBounds(path, m)
	if intOf(m["type"]) != stringSelect {
		return
	}
	options := objectsIn(m["options"])
	if hi > len(options) && m["max_values"] != nil {
		c.add(join(path, "max_values"), "COMPONENT_MAX_VALUES_EXCEEDS_OPTIONS", "max_values must not exceed the number of options")
	}
	c.checkUniqueOptions(path, options, hi)
}

func (c *checker) checkUniqueOptions(path string, options []object, chosen int) {
	values := map[string]bool{}
	defaults := 0
	for i, o := range options {
		v := textIn(o["value"])
		if values[v] {
			c.add(join(at(join(path, "options"), i), "value"), "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", "The specified option value is already used")
		}
		values[v] = true
		if boolIn(o["default"]) {
			defaults++
		}
	}
	if defaults > chosen {
		c.add(join(path, "options"), "SELECT_COMPONENT_TOO_MANY_DEFAULT_VALUES", "The number of default options exceeds max_values")
	}
}

// checkMedia: an attachment:// reference must name a file of the message.
func (c *checker) checkMedia(path string, media object, files []string, onlyAttachment bool) {
	u := textIn(media["url"])
	name, isAttachment := strings.CutPrefix(u, "attachment://")
	switch {
	case isAttachment && !slices.Contains(files, name):
		c.add(join(path, "url"), "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND", "The referenced attachment was not found")
	case !isAttachment && onlyAttachment:
		c.add(join(path, "url"), "UNFURLED_MEDIA_ITEM_ATTACHMENT_REQUIRED", "Only attachment:// references may be used here")
	}
}
