package slack_test

import (
	"strconv"
	"strings"
	"testing"

	"ltxbot/sim/slack"
)

func long(n int) string { return strings.Repeat("é", n) }

func many(n int, item string) string {
	items := make([]string, n)
	for i := range items {
		items[i] = strings.ReplaceAll(item, "#", strconv.Itoa(i))
	}
	return "[" + strings.Join(items, ",") + "]"
}

const (
	plainX  = `{"type":"plain_text","text":"x"}`
	mrkdwnX = `{"type":"mrkdwn","text":"x"}`
	optionX = `{"text":` + plainX + `,"value":"#"}`
	buttonX = `{"type":"button","action_id":"a#","text":` + plainX + `}`
	imageX  = `{"type":"image","image_url":"https://x.test/a.png","alt_text":"x"}`
)

func actions(elements string) string { return `{"type":"actions","elements":` + elements + `}` }

func input(element string) string {
	return `{"type":"input","label":` + plainX + `,"element":` + element + `}`
}

// Each case is the blocks of a message and the first thing that Slack says
// against them, or nothing.
func TestBlocksOfMessages(t *testing.T) {
	for _, c := range []struct{ name, blocks, want string }{
		{"fifty blocks", many(50, `{"type":"divider"}`), ""},
		{"fifty-one blocks", many(51, `{"type":"divider"}`), "no more than 50 items allowed [json-pointer:/blocks]"},
		{"a block without a type", `[{}]`, "missing required field: type [json-pointer:/blocks/0]"},
		{"a block nobody knows", `[{"type":"hologram"}]`, "unsupported type: hologram [json-pointer:/blocks/0/type]"},
		{"a file block", `[{"type":"file","external_id":"x","source":"remote"}]`, "unsupported type: file [json-pointer:/blocks/0/type]"},
		{"a field nobody knows", `[{"type":"divider","colour":"red"}]`, "invalid additional property: colour [json-pointer:/blocks/0]"},
		{"a block id twice", `[{"type":"divider","block_id":"a"},{"type":"divider","block_id":"a"}]`, `block_id "a" already exists [json-pointer:/blocks/1/block_id]`},
		{"a block id of 255", `[{"type":"divider","block_id":"` + long(255) + `"}]`, ""},
		{"a block id of 256", `[{"type":"divider","block_id":"` + long(256) + `"}]`, "must be less than 256 characters [json-pointer:/blocks/0/block_id]"},
		{"section text of 3000", `[{"type":"section","text":{"type":"mrkdwn","text":"` + long(3000) + `"}}]`, ""},
		{"section text of 3001", `[{"type":"section","text":{"type":"mrkdwn","text":"` + long(3001) + `"}}]`, "failed to match all allowed schemas [json-pointer:/blocks/0/text]"},
		{"an empty section", `[{"type":"section"}]`, "missing required field: text or fields [json-pointer:/blocks/0]"},
		{"empty text", `[{"type":"header","text":{"type":"plain_text","text":""}}]`, "must be more than 0 characters [json-pointer:/blocks/0/text/text]"},
		{"ten fields", `[{"type":"section","fields":` + many(10, mrkdwnX) + `}]`, ""},
		{"eleven fields", `[{"type":"section","fields":` + many(11, mrkdwnX) + `}]`, "no more than 10 items allowed [json-pointer:/blocks/0/fields]"},
		{"verbatim plain text", `[{"type":"section","text":{"type":"plain_text","text":"x","verbatim":true}}]`, "failed to match all allowed schemas [json-pointer:/blocks/0/text]"},
		{"a header of 151", `[{"type":"header","text":{"type":"plain_text","text":"` + long(151) + `"}}]`, "must be less than 151 characters [json-pointer:/blocks/0/text/text]"},
		{"a header in mrkdwn", `[{"type":"header","text":` + mrkdwnX + `}]`, "must be one of: plain_text [json-pointer:/blocks/0/text/type]"},
		{"context of ten", `[{"type":"context","elements":` + many(10, mrkdwnX) + `}]`, ""},
		{"context of eleven", `[{"type":"context","elements":` + many(11, imageX) + `}]`, "no more than 10 items allowed [json-pointer:/blocks/0/elements]"},
		{"a button in context", `[{"type":"context","elements":[` + buttonX + `]}]`, "failed to match all allowed schemas [json-pointer:/blocks/0/elements/0]"},
		{"twenty-five buttons", `[` + actions(many(25, buttonX)) + `]`, ""},
		{"twenty-six buttons", `[` + actions(many(26, buttonX)) + `]`, "no more than 25 items allowed [json-pointer:/blocks/0/elements]"},
		{"an action id twice", `[` + actions(`[`+buttonX+`,`+buttonX+`]`) + `]`, `action_id "a#" already exists [json-pointer:/blocks/0/elements]`},
		{"a button in mrkdwn", `[` + actions(`[{"type":"button","text":`+mrkdwnX+`}]`) + `]`, "must be one of: plain_text [json-pointer:/blocks/0/elements/0/text/type]"},
		{"a label of 76", `[` + actions(`[{"type":"button","text":{"type":"plain_text","text":"`+long(76)+`"}}]`) + `]`, "must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]"},
		{"a value of 2001", `[` + actions(`[{"type":"button","text":`+plainX+`,"value":"`+long(2001)+`"}]`) + `]`, "must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]"},
		{"a button in green", `[` + actions(`[{"type":"button","text":`+plainX+`,"style":"green"}]`) + `]`, "must be one of: primary, danger [json-pointer:/blocks/0/elements/0/style]"},
		{"a link that is none", `[` + actions(`[{"type":"button","text":`+plainX+`,"url":"ltx"}]`) + `]`, "must be a valid URL [json-pointer:/blocks/0/elements/0/url]"},
		{"a confirmation without a way out", `[` + actions(`[{"type":"button","text":`+plainX+`,"confirm":{"title":`+plainX+`,"text":`+mrkdwnX+`,"confirm":`+plainX+`}}]`) + `]`, "missing required field: deny [json-pointer:/blocks/0/elements/0/confirm]"},
		{"text typed into actions", `[` + actions(`[{"type":"plain_text_input"}]`) + `]`, "unsupported type: plain_text_input [json-pointer:/blocks/0/elements/0/type]"},
		{"a select of 101", `[` + actions(`[{"type":"static_select","options":`+many(101, optionX)+`}]`) + `]`, "no more than 100 items allowed [json-pointer:/blocks/0/elements/0/options]"},
		{"a select of nothing", `[` + actions(`[{"type":"static_select"}]`) + `]`, "exactly one of options and option_groups is required [json-pointer:/blocks/0/elements/0]"},
		{"a choice that is not offered", `[` + actions(`[{"type":"static_select","options":`+many(2, optionX)+`,"initial_option":`+optionX+`}]`) + `]`, "initial option must exactly match one of the options: # [json-pointer:/blocks/0/elements/0]"},
		{"an option value of 151", `[` + actions(`[{"type":"static_select","options":[{"text":`+plainX+`,"value":"`+long(151)+`"}]}]`) + `]`, "must be less than 151 characters [json-pointer:/blocks/0/elements/0/options/0/value]"},
		{"eleven radio buttons", `[` + actions(`[{"type":"radio_buttons","options":`+many(11, optionX)+`}]`) + `]`, "no more than 10 items allowed [json-pointer:/blocks/0/elements/0/options]"},
		{"an overflow of one", `[` + actions(`[{"type":"overflow","options":`+many(1, optionX)+`}]`) + `]`, "no less than 2 items required [json-pointer:/blocks/0/elements/0/options]"},
		{"an overflow of six", `[` + actions(`[{"type":"overflow","options":`+many(6, optionX)+`}]`) + `]`, "no more than 5 items allowed [json-pointer:/blocks/0/elements/0/options]"},
		{"a placeholder of 151", `[` + actions(`[{"type":"users_select","placeholder":{"type":"plain_text","text":"`+long(151)+`"}}]`) + `]`, "must be less than 151 characters [json-pointer:/blocks/0/elements/0/placeholder/text]"},
		{"an input in a message", `[` + input(`{"type":"plain_text_input"}`) + `]`, ""},
		{"a file input in a message", `[` + input(`{"type":"file_input"}`) + `]`, "unsupported type: file_input [json-pointer:/blocks/0/element/type]"},
		{"a response URL outside modals", `[` + input(`{"type":"conversations_select","response_url_enabled":true}`) + `]`, "only available in input blocks of modals [json-pointer:/blocks/0/element/response_url_enabled]"},
		{"an image without words", `[{"type":"image","image_url":"https://x.test/a.png"}]`, "missing required field: alt_text [json-pointer:/blocks/0]"},
		{"an image without an image", `[{"type":"image","alt_text":"x"}]`, "exactly one of image_url and slack_file is required [json-pointer:/blocks/0]"},
		{"markdown of 12000 in two", `[{"type":"markdown","text":"` + long(6000) + `"},{"type":"markdown","text":"` + long(6000) + `"}]`, ""},
		{"markdown of 12001 in two", `[{"type":"markdown","text":"` + long(6000) + `"},{"type":"markdown","text":"` + long(6001) + `"}]`, "markdown blocks must be less than 12001 characters in total [json-pointer:/blocks/1/text]"},
		{"a video of a stranger", `[{"type":"video","alt_text":"x","title":` + plainX + `,"thumbnail_url":"https://x.test/a","video_url":"https://x.test/b"}]`, "Video validation failed: Domain is not a valid unfurl domain claimed by your app [json-pointer:/blocks/0]"},
		{"a video of ours", `[{"type":"video","alt_text":"x","title":` + plainX + `,"thumbnail_url":"https://x.test/a","video_url":"https://player.ours.test/b"}]`, ""},
		{"rich text", `[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"x","style":{"bold":true}},{"type":"user","user_id":"U1"}]},{"type":"rich_text_list","style":"bullet","elements":[{"type":"rich_text_section","elements":[]}]}]}]`, ""},
		{"rich text with mrkdwn in it", `[{"type":"rich_text","elements":[{"type":"mrkdwn","text":"x"}]}]`, "unsupported type: mrkdwn [json-pointer:/blocks/0/elements/0/type]"},
		{"two tables", many(2, `{"type":"table","rows":[[{"type":"raw_text","text":"x"}]]}`), "only one table is allowed [json-pointer:/blocks/1]"},
		{"an action id of 256", `[` + actions(`[{"type":"button","text":`+plainX+`,"action_id":"`+long(256)+`"}]`) + `]`, "must be less than 256 characters [json-pointer:/blocks/0/elements/0/action_id]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, slack.Options{App: slack.App{UnfurlDomains: []string{"ours.test"}}})
			r := w.call("chat.postMessage", "channel", w.general.ID(), "text", "x", "blocks", c.blocks)
			wantCode := ""
			if c.want != "" {
				wantCode = "invalid_blocks"
			}
			if got := r.str("error"); got != wantCode {
				t.Fatalf("error %q, want %q (%v)", got, wantCode, r)
			}
			if got := firstMessage(r); got != c.want {
				t.Errorf("says %q, want %q", got, c.want)
			}
		})
	}
}

// firstMessage is the first of response_metadata.messages, without [ERROR].
func firstMessage(r reply) string {
	meta, _ := r["response_metadata"].(map[string]any)
	list, _ := meta["messages"].([]any)
	if len(list) == 0 {
		return ""
	}
	s, _ := list[0].(string)
	return strings.TrimPrefix(s, "[ERROR] ")
}

func TestBlocksOfModals(t *testing.T) {
	modal := func(more string) string { return `{"type":"modal","title":` + plainX + more + `}` }
	submit := `,"submit":` + plainX
	for _, c := range []struct{ name, view, want string }{
		{"a title of 25", `{"type":"modal","title":{"type":"plain_text","text":"` + long(25) + `"},"blocks":[]}`, "must be less than 25 characters [json-pointer:/view/title/text]"},
		{"a hundred blocks", modal(`,"blocks":` + many(100, `{"type":"divider"}`)), ""},
		{"a hundred and one", modal(`,"blocks":` + many(101, `{"type":"divider"}`)), "no more than 100 items allowed [json-pointer:/view/blocks]"},
		{"an input without submit", modal(`,"blocks":[` + input(`{"type":"plain_text_input"}`) + `]`), "missing required field: submit [json-pointer:/view]"},
		{"private metadata of 3000", modal(`,"blocks":[],"private_metadata":"` + long(3000) + `"`), ""},
		{"private metadata of 3001", modal(`,"blocks":[],"private_metadata":"` + long(3001) + `"`), "must be less than 3001 characters [json-pointer:/view/private_metadata]"},
		{"a callback id of 256", modal(`,"blocks":[],"callback_id":"` + long(256) + `"`), "must be less than 256 characters [json-pointer:/view/callback_id]"},
		{"a field nobody knows", modal(`,"blocks":[],"width":3`), "invalid additional property: width [json-pointer:/view]"},
		{"text of 3001 to type", modal(submit + `,"blocks":[` + input(`{"type":"plain_text_input","max_length":3001}`) + `]`), "must be less than or equal to 3000 [json-pointer:/view/blocks/0/element/max_length]"},
		{"a number without decimals said", modal(submit + `,"blocks":[` + input(`{"type":"number_input"}`) + `]`), "missing required field: is_decimal_allowed [json-pointer:/view/blocks/0/element]"},
		{"a minimum that is a number", modal(submit + `,"blocks":[` + input(`{"type":"number_input","is_decimal_allowed":false,"min_value":3}`) + `]`), "must be a string [json-pointer:/view/blocks/0/element/min_value]"},
		{"eleven files", modal(submit + `,"blocks":[` + input(`{"type":"file_input","max_files":11}`) + `]`), "must be less than or equal to 10 [json-pointer:/view/blocks/0/element/max_files]"},
		{"two things in focus", modal(submit + `,"blocks":` + many(2, input(`{"type":"plain_text_input","focus_on_load":true}`))), "only one element may have focus_on_load [json-pointer:/view/blocks/1/element/focus_on_load]"},
		{"markdown", modal(`,"blocks":[{"type":"markdown","text":"x"}]`), "unsupported type: markdown [json-pointer:/view/blocks/0/type]"},
		{"a label of 2001", modal(submit + `,"blocks":[{"type":"input","label":{"type":"plain_text","text":"` + long(2001) + `"},"element":{"type":"plain_text_input"}}]`), "must be less than 2001 characters [json-pointer:/view/blocks/0/label/text]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, slack.Options{})
			r := w.call("views.open", "trigger_id", "none", "view", c.view)
			if got := firstMessage(r); got != c.want {
				t.Errorf("says %q, want %q", got, c.want)
			}
			want := "invalid_arguments"
			if c.want == "" {
				want = "invalid_trigger_id" // the view itself was fine
			}
			if got := r.str("error"); got != want {
				t.Errorf("error %q, want %q", got, want)
			}
		})
	}
}

// FuzzBlocks sends anything as blocks: what is accepted can be shown and
// clicked, what is not is refused by name.
func FuzzBlocks(f *testing.F) {
	for _, seed := range []string{
		`[{"type":"divider"}]`, `[` + actions("["+buttonX+"]") + `]`, `[` + input(`{"type":"static_select","options":`+many(2, optionX)+`}`) + `]`,
		`[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"user","user_id":"U1"}]}]}]`,
		`[{"type":"section","fields":[` + mrkdwnX + `],"accessory":` + imageX + `}]`, `{}`, `[null]`, `[[]]`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, blocks string) {
		w := newWorld(t, slack.Options{})
		r := w.call("chat.postMessage", "channel", w.general.ID(), "text", "x", "blocks", blocks)
		switch got := r.str("error"); got {
		case "invalid_blocks", "invalid_blocks_format":
		case "":
			m := w.general.Messages()[0]
			_ = m.Blocks.Text()
			_ = m.Blocks.Inputs()
			for _, b := range m.Blocks.Buttons() {
				if _, err := w.ann.Click(t.Context(), m, b.ActionID); code(err) != "dispatch_failed" {
					t.Errorf("click: %v", err)
				}
			}
		default:
			t.Errorf("error %q", got)
		}
	})
}
