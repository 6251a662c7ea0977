package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/slack-go/slack"

	"ltxbot/bot/adapter"
	"ltxbot/bot/text"
	"ltxbot/bot/view"
)

// maxText is the longest text of a message that can be edited, in characters.
// https://docs.slack.dev/reference/methods/chat.update
const maxText = 4000

// outgoing is every message and every edit that the bot sends: the blocks, and
// the whole of it as text, which notifications show and screen readers read.
type outgoing struct {
	blocks []slack.Block
	text   string
}

// content is what the message shows, as a JSON value.
func (o outgoing) content() any { return []any{o.text, o.blocks} }

// message lays out what the bot says. The text mentions nobody: a mention is
// in a block or nowhere.
func (l layout) message(m view.Message) outgoing {
	o := outgoing{blocks: l.blocks(m, maxMessageBlocks), text: escape(text.OneLine(m.Plain), maxText)}
	if o.text == "" {
		for _, b := range m.Blocks {
			o.text += text.Unstyled(b.Spans) + " "
		}
		o.text = escape(text.OneLine(o.text), maxText)
	}
	return o
}

// options are the message as slack-go takes it, for a new one. Links are not
// expanded, names are not looked for in the text.
func (o outgoing) options(more ...slack.MsgOption) []slack.MsgOption {
	return slices.Concat(o.edit(), []slack.MsgOption{slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl()}, more)
}

// edit is the message as slack-go takes it in the place of an older one, of
// which links stay as they are.
// https://docs.slack.dev/reference/methods/chat.update
func (o outgoing) edit() []slack.MsgOption {
	return []slack.MsgOption{slack.MsgOptionText(o.text, false), slack.MsgOptionBlocks(o.blocks...), slack.MsgOptionParse(false)}
}

// response is a message to a response URL, or in an acknowledgement.
// https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
type response struct {
	Type    string        `json:"response_type,omitempty"`
	Replace bool          `json:"replace_original"`
	Delete  bool          `json:"delete_original,omitempty"`
	Text    string        `json:"text,omitempty"`
	Blocks  []slack.Block `json:"blocks,omitempty"`
	Thread  string        `json:"thread_ts,omitempty"`
	Unfurl  bool          `json:"unfurl_links"`
	Media   bool          `json:"unfurl_media"`
}

// response is the message for its reader only.
func (o outgoing) response(thread string) response {
	return response{Type: "ephemeral", Text: o.text, Blocks: o.blocks, Thread: thread}
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 64 << 10

// respond posts to a response URL. slack-go's way is not used: it drops the
// options against expanding links, and takes an empty answer for an error.
func (b *Bot) respond(ctx context.Context, address string, r response) error {
	const op = "answer by response URL"
	body, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return attempt(ctx, op, false, func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
		if err != nil {
			return adapter.Scrub(err)
		}
		req.Header.Set("Content-Type", "application/json; charset=utf-8")
		resp, err := b.web.Do(req)
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		switch {
		case resp.StatusCode == http.StatusTooManyRequests:
			return &slack.RateLimitedError{}
		case resp.StatusCode != http.StatusOK:
			return slack.StatusCodeError{Code: resp.StatusCode, Status: resp.Status}
		case err != nil:
			return err
		}
		var said slack.SlackResponse
		if json.Unmarshal(answer, &said) == nil && !said.Ok && said.Error != "" {
			return slack.SlackErrorResponse{Err: said.Error}
		}
		return nil // "ok", {"ok":true} or nothing
	})
}

// replace puts something in the place of the message whose button was
// pressed, which only its reader sees, so that the button is gone.
func (b *Bot) replace(ctx context.Context, o origin, m view.Message) {
	o.acknowledge()
	r := b.layout(b.people.locale(o)).message(m).response("")
	r.Replace = true
	if err := b.respond(ctx, o.ResponseURL, r); err != nil {
		b.log.WarnContext(ctx, "cannot replace an answer", "user", o.User, "workspace", o.Workspace, "error", err)
	}
}

// tell says something to who did something, and to nobody else: by the
// response URL, else as an ephemeral message, else as a direct message.
func (b *Bot) tell(ctx context.Context, o origin, m view.Message) {
	l := b.layout(b.people.locale(o))
	b.tellOut(ctx, o, l.message(m), l.message(m.WithoutPictures()))
}

// tellOut says the first of some messages that Slack takes: it refuses one with a
// picture that it can't load.
func (b *Bot) tellOut(ctx context.Context, o origin, outs ...outgoing) {
	var err error
	for _, out := range outs {
		if err = b.tellBy(ctx, o, out); !hasCode(err, "invalid_blocks") {
			break
		}
	}
	if err != nil {
		b.log.WarnContext(ctx, "cannot answer", "user", o.User, "workspace", o.Workspace, "error", err)
	}
}

func (b *Bot) tellBy(ctx context.Context, o origin, out outgoing) error {
	o.acknowledge()
	if o.ResponseURL != "" {
		err := b.respond(ctx, o.ResponseURL, out.response(o.Thread))
		if err == nil || adapter.Lost(err) {
			return err
		}
	}
	c, err := b.client(ctx, o.installation())
	if err != nil {
		return err
	}
	if o.Channel != "" {
		err = c.once(ctx, "answer", func(ctx context.Context) error {
			options := out.options()
			if o.Thread != "" {
				options = append(options, slack.MsgOptionTS(o.Thread))
			}
			_, err := c.api.PostEphemeralContext(ctx, o.Channel, o.User, options...)
			return err
		})
		if err == nil || adapter.Lost(err) {
			return err
		}
	}
	return c.once(ctx, "answer by direct message", func(ctx context.Context) error {
		_, _, err := c.api.PostMessageContext(ctx, o.User, out.options()...)
		return err
	})
}
