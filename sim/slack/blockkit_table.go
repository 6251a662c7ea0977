package slack

import (
	"slices"
	"strings"
)

// Block Kit's limits, in characters or items.
// https://docs.slack.dev/reference/block-kit
const (
	maxMessageBlocks  = 50
	maxViewBlocks     = 100
	maxBlockID        = 255
	maxActionID       = 255
	maxSectionText    = 3000
	maxSectionFields  = 10
	maxFieldText      = 2000
	maxHeader         = 150
	maxContext        = 10
	maxActions        = 25
	maxAltText        = 2000
	maxImageTitle     = 2000
	maxURL            = 3000
	maxMarkdown       = 12000
	maxButtonText     = 75
	maxButtonValue    = 2000
	maxConfirmTitle   = 100
	maxConfirmText    = 300
	maxConfirmButton  = 30
	maxOptionText     = 75
	maxOptionValue    = 150
	maxOptions        = 100
	maxRadio          = 10
	minOverflow       = 2
	maxOverflow       = 5
	maxPlaceholder    = 150
	maxLabel          = 2000
	maxInputText      = 3000
	maxInputFiles     = 10
	maxVideoTitle     = 199
	maxVideoAuthor    = 49
	maxTableRows      = 100
	maxTableColumns   = 20
	maxViewTitle      = 24
	maxCallbackID     = 255
	maxExternalID     = 255
	maxPrivateMeta    = 3000
	maxViewBytes      = 250_000
	maxAttachments    = 100
	maxRichTextLength = 12000
)

// blockType is a row of the table of blocks.
type blockType struct {
	surfaces surface
	fields   []field
	also     func(*validation, string, obj)
}

// blockTypes are the blocks that an app may send. What is absent (file, alert,
// card, carousel, container, data_table, plan, task_card, context_actions) is
// refused as an unsupported type.
var blockTypes = map[string]blockType{
	"actions": {anywhere, []field{need("elements", items(1, maxActions, oneOfTypes(actionElements...)))}, nil},
	"context": {anywhere, []field{need("elements", items(1, maxContext, contextElement))}, nil},
	"divider": {anywhere, nil, nil},
	"header":  {anywhere, []field{need("text", plain(maxHeader))}, nil},
	"image": {anywhere, []field{
		may("image_url", link), may("slack_file", anything), need("alt_text", text(1, maxAltText)), may("title", plain(maxImageTitle)),
	}, oneImage},
	"input": {anywhere, []field{
		need("label", plain(maxLabel)), need("element", oneOfTypes(inputElements...)), may("hint", plain(maxLabel)),
		may("optional", boolean), may("dispatch_action", boolean),
	}, nil},
	"markdown":  {onMessage, []field{need("text", text(1, maxMarkdown))}, cumulativeMarkdown},
	"rich_text": {anywhere, []field{need("elements", items(0, maxOptions, richElement))}, nil},
	"section": {anywhere, []field{
		may("text", rich(maxSectionText)), may("fields", items(1, maxSectionFields, rich(maxFieldText))),
		may("accessory", oneOfTypes(sectionElements...)), may("expand", boolean),
	}, sectionHasText},
	"table": {onMessage, []field{
		need("rows", items(1, maxTableRows, items(1, maxTableColumns, tableCell))), may("column_settings", items(0, maxTableColumns, anything)),
	}, oneTable},
	"video": {anywhere, []field{
		need("alt_text", text(1, maxAltText)), need("title", plain(maxVideoTitle)), need("thumbnail_url", link), need("video_url", link),
		may("title_url", link), may("author_name", text(1, maxVideoAuthor)), may("description", plain(maxVideoTitle)),
		may("provider_icon_url", link), may("provider_name", text(1, maxVideoAuthor)),
	}, claimedDomain},
}

var (
	selects         = []string{"static_select", "external_select", "users_select", "conversations_select", "channels_select"}
	multiSelects    = []string{"multi_static_select", "multi_external_select", "multi_users_select", "multi_conversations_select", "multi_channels_select"}
	choices         = []string{"checkboxes", "radio_buttons", "datepicker", "timepicker"}
	actionElements  = slices.Concat([]string{"button", "overflow", "datetimepicker", "rich_text_input"}, selects, multiSelects, choices)
	sectionElements = slices.Concat([]string{"button", "overflow", "image"}, selects, multiSelects, choices)
	inputElements   = slices.Concat(
		[]string{"plain_text_input", "email_text_input", "url_text_input", "number_input", "datetimepicker", "rich_text_input", "file_input"},
		selects, multiSelects, choices)
)

// elementTypes are the elements within blocks.
var elementTypes = map[string]blockType{
	"button": {0, []field{
		need("text", plain(maxButtonText)), actionID, may("value", text(0, maxButtonValue)), may("url", link),
		may("style", oneOf("primary", "danger")), may("confirm", confirm), may("accessibility_label", text(1, maxButtonText)),
	}, nil},
	"image": {0, []field{may("image_url", link), may("slack_file", anything), need("alt_text", text(1, maxAltText))}, oneImage},
	"overflow": {0, []field{
		actionID, need("options", items(minOverflow, maxOverflow, option(false, true))), may("confirm", confirm),
	}, nil},
	"static_select": {0, append(menu("initial_option", option(false, false)),
		may("options", items(1, maxOptions, option(false, false))), may("option_groups", items(1, maxOptions, optionGroup))), hasOptions},
	"multi_static_select": {0, append(manyMenu("initial_options", option(false, false)),
		may("options", items(1, maxOptions, option(false, false))), may("option_groups", items(1, maxOptions, optionGroup))), hasOptions},
	"external_select":       {0, append(menu("initial_option", option(false, false)), may("min_query_length", whole(0, maxOptions))), nil},
	"multi_external_select": {0, append(manyMenu("initial_options", option(false, false)), may("min_query_length", whole(0, maxOptions))), nil},
	"users_select":          {0, menu("initial_user", text(1, maxActionID)), nil},
	"multi_users_select":    {0, manyMenu("initial_users", text(1, maxActionID)), nil},
	"channels_select":       {0, append(menu("initial_channel", text(1, maxActionID)), responseURLEnabled), nil},
	"multi_channels_select": {0, manyMenu("initial_channels", text(1, maxActionID)), nil},
	"conversations_select": {0, append(menu("initial_conversation", text(1, maxActionID)), responseURLEnabled,
		may("default_to_current_conversation", boolean), may("filter", anything)), nil},
	"multi_conversations_select": {0, append(manyMenu("initial_conversations", text(1, maxActionID)),
		may("default_to_current_conversation", boolean), may("filter", anything)), nil},
	"checkboxes": {0, []field{
		actionID, need("options", items(1, maxRadio, option(true, false))), may("initial_options", items(1, maxRadio, option(true, false))),
		may("confirm", confirm), focus,
	}, initialIsOption},
	"radio_buttons": {0, []field{
		actionID, need("options", items(1, maxRadio, option(true, false))), may("initial_option", option(true, false)), may("confirm", confirm), focus,
	}, initialIsOption},
	"datepicker": {0, menu("initial_date", text(10, 10)), nil},
	"timepicker": {0, append(menu("initial_time", text(5, 5)), may("timezone", text(1, maxActionID))), nil},
	"datetimepicker": {0, []field{
		actionID, may("initial_date_time", whole(1e9, 1e10)), may("confirm", confirm), focus,
	}, nil},
	"plain_text_input": {0, append(typed(), may("multiline", boolean),
		may("min_length", whole(0, maxInputText)), may("max_length", whole(1, maxInputText))), nil},
	"email_text_input": {0, typed(), nil},
	"url_text_input":   {0, typed(), nil},
	"number_input": {0, append(typed(), need("is_decimal_allowed", boolean),
		may("min_value", text(1, maxInputText)), may("max_value", text(1, maxInputText))), nil},
	"rich_text_input": {0, []field{
		actionID, may("initial_value", anything), may("placeholder", plain(maxPlaceholder)), may("dispatch_action_config", dispatchConfig), focus,
		may("max_lines", whole(1, maxOptions)), may("min_lines", whole(1, maxOptions)),
	}, nil},
	"file_input": {onModal, []field{
		actionID, may("filetypes", items(1, maxOptions, text(1, maxActionID))), may("max_files", whole(1, maxInputFiles)),
	}, readsFiles},
}

var (
	actionID           = may("action_id", text(1, maxActionID))
	responseURLEnabled = may("response_url_enabled", inputInModal)
	focus              = may("focus_on_load", focusOnce)
	dispatchConfig     = object(may("trigger_actions_on", items(1, minOverflow, oneOf("on_enter_pressed", "on_character_entered"))))
	confirm            = object(
		need("title", plain(maxConfirmTitle)), need("text", rich(maxConfirmText)), need("confirm", plain(maxConfirmButton)),
		need("deny", plain(maxConfirmButton)), may("style", oneOf("primary", "danger")))
	optionGroup = object(need("label", plain(maxOptionText)), need("options", items(1, maxOptions, option(false, false))))
)

// menu are the fields of an element with one choice, manyMenu with several,
// typed of one that is typed into.
func menu(initial string, r rule) []field {
	return []field{actionID, may("placeholder", plain(maxPlaceholder)), may(initial, r), may("confirm", confirm), focus}
}

func manyMenu(initial string, r rule) []field {
	return append(menu(initial, items(1, maxOptions, r)), may("max_selected_items", whole(1, maxOptions)))
}

func typed() []field {
	return []field{
		actionID, may("placeholder", plain(maxPlaceholder)), may("initial_value", text(0, maxInputText)),
		may("dispatch_action_config", dispatchConfig), focus,
	}
}

// option is a choice; with markup its texts may be mrkdwn, with links it may
// carry a URL.
func option(markup, links bool) rule {
	words := plain(maxOptionText)
	if markup {
		words = rich(maxOptionText)
	}
	fields := []field{need("text", words), need("value", text(1, maxOptionValue)), may("description", words)}
	if links {
		fields = append(fields, may("url", link))
	}
	return object(fields...)
}

func contextElement(v *validation, at string, x any) {
	if asObj(x)["type"] == "image" {
		oneOfTypes("image")(v, at, x)
		return
	}
	rich(maxSectionText)(v, at, x)
}

func oneImage(v *validation, at string, o obj) {
	if (o["image_url"] == nil) == (o["slack_file"] == nil) {
		v.errorf(at, "exactly one of image_url and slack_file is required")
	}
}

// readsFiles notes that the app needs the scope for what people put into a
// file input. How Slack refuses one without it is not documented.
// https://docs.slack.dev/reference/block-kit/block-elements/file-input-element
func readsFiles(v *validation, _ string, _ obj) { v.files = true }

func sectionHasText(v *validation, at string, o obj) {
	if o["text"] == nil && o["fields"] == nil {
		v.errorf(at, "missing required field: text or fields")
	}
}

func cumulativeMarkdown(v *validation, at string, o obj) {
	v.markdown += len([]rune(str(o["text"])))
	if v.markdown > maxMarkdown {
		v.errorf(at+"/text", "markdown blocks must be less than %d characters in total", maxMarkdown+1)
	}
}

func oneTable(v *validation, at string, _ obj) {
	if v.tables++; v.tables > 1 {
		v.errorf(at, "only one table is allowed")
	}
}

func claimedDomain(v *validation, at string, o obj) {
	host, _, _ := strings.Cut(strings.TrimPrefix(str(o["video_url"]), "https://"), "/")
	claimed := slices.ContainsFunc(v.app.UnfurlDomains, func(d string) bool { return host == d || strings.HasSuffix(host, "."+d) })
	if !v.embed || !claimed {
		v.errorf(at, "Video validation failed: Domain is not a valid unfurl domain claimed by your app")
	}
}

// hasOptions demands options or groups of them, not both, and that what is
// chosen from the start is among them.
func hasOptions(v *validation, at string, o obj) {
	if (o["options"] == nil) == (o["option_groups"] == nil) {
		v.errorf(at, "exactly one of options and option_groups is required")
	}
	initialIsOption(v, at, o)
}

func initialIsOption(v *validation, at string, o obj) {
	given := asList(o["initial_options"])
	if o["initial_option"] != nil {
		given = []any{o["initial_option"]}
	}
	values := map[string]int{}
	for _, x := range optionsOf(o) {
		values[str(x["value"])]++
	}
	for _, x := range given {
		same := slices.ContainsFunc(optionsOf(o), func(y obj) bool { return string(marshal(y)) == string(marshal(x)) })
		if !same {
			v.errorf(at, "initial option must exactly match one of the options: %s", str(asObj(x)["value"]))
		}
	}
	if o["type"] == "checkboxes" || o["type"] == "radio_buttons" {
		for value, n := range values {
			if n > 1 {
				v.errorf(at+"/options", "value %q is not unique", value)
			}
		}
	}
}

// focusOnce allows focus_on_load for one element of a view.
func focusOnce(v *validation, at string, x any) {
	boolean(v, at, x)
	if x == true && v.focused {
		v.errorf(at, "only one element may have focus_on_load")
	}
	v.focused = v.focused || x == true
}

// inputInModal allows a field in the input blocks of modals.
func inputInModal(v *validation, at string, x any) {
	boolean(v, at, x)
	if v.surface != onModal || !v.input {
		v.errorf(at, "only available in input blocks of modals")
	}
}

// richElement is a part of a rich text block.
func richElement(v *validation, at string, x any) {
	kind := str(asObj(x)["type"])
	inline := items(0, maxRichTextLength, richInline)
	fields := map[string][]field{
		"rich_text_section":      {need("elements", inline)},
		"rich_text_quote":        {need("elements", inline), may("border", whole(0, 1))},
		"rich_text_preformatted": {need("elements", inline), may("border", whole(0, 1)), may("language", text(1, maxActionID))},
		"rich_text_list": {
			need("style", oneOf("bullet", "ordered")), need("elements", items(1, maxRichTextLength, richElement)),
			may("indent", whole(0, 8)), may("offset", whole(0, maxRichTextLength)), may("border", whole(0, 1)),
		},
	}[kind]
	if fields == nil {
		v.errorf(at+"/type", "unsupported type: %s", kind)
		return
	}
	object(fields...)(v, at, x)
}

// richInline is a piece of text or a mention within a rich text section.
func richInline(v *validation, at string, x any) {
	name := text(1, maxActionID)
	fields := map[string][]field{
		"text":      {need("text", text(1, maxRichTextLength))},
		"link":      {need("url", text(1, maxURL)), may("text", text(0, maxRichTextLength)), may("unsafe", boolean)},
		"user":      {need("user_id", name)},
		"usergroup": {need("usergroup_id", name)},
		"channel":   {need("channel_id", name)},
		"broadcast": {need("range", oneOf("here", "channel", "everyone"))},
		"emoji":     {need("name", name), may("unicode", name), may("url", link)},
		"date":      {need("timestamp", anything), need("format", name), may("fallback", name), may("url", link)},
		"color":     {need("value", name)},
		"team":      {need("team_id", name)},
	}[str(asObj(x)["type"])]
	if fields == nil {
		v.errorf(at+"/type", "unsupported type: %v", asObj(x)["type"])
		return
	}
	object(append(fields, may("style", anything))...)(v, at, x)
}

// tableCell is a cell of a table block.
func tableCell(v *validation, at string, x any) {
	switch asObj(x)["type"] {
	case "raw_text":
		object(need("text", text(1, maxSectionText)))(v, at, x)
	case "rich_text":
		object(need("elements", items(0, maxOptions, richElement)))(v, at, x)
	default:
		v.errorf(at+"/type", "unsupported type: %v", asObj(x)["type"])
	}
}
