package slack

import (
	"context"

	"github.com/slack-go/slack"

	"ltxbot/bot"
	"ltxbot/bot/view"
)

// home shows the Home tab of somebody who has opened it.
// https://docs.slack.dev/surfaces/app-home
func (b *Bot) home(ctx context.Context, in inbound) {
	hash := ""
	if v := in.event.Event.View; v != nil {
		hash = v.Hash
	}
	b.publish(ctx, in.origin(), hash, nil)
}

// typeHome is the type of the Home tab among views.
const typeHome = string(slack.VTHomeTab)

// publish shows the Home tab, with the answer to a button on it, if there is
// one. The hash keeps an older picture from replacing a newer one that was
// published in between.
func (b *Bot) publish(ctx context.Context, o origin, hash string, answer *view.Message) {
	ctx, cancel := context.WithTimeout(ctx, replyWithin)
	defer cancel()
	c, err := b.client(ctx, o.installation())
	if err != nil {
		b.log.ErrorContext(ctx, "cannot show the home tab", "error", err)
		return
	}
	view := slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: b.homeBlocks(ctx, b.caller(ctx, o), answer)}}
	request := slack.PublishViewContextRequest{UserID: o.User, View: view}
	if hash != "" {
		request.Hash = &hash
	}
	err = c.again(ctx, "show home tab", func(ctx context.Context) error {
		_, err := c.api.PublishViewContext(ctx, request)
		return err
	})
	if err != nil && !hasCode(err, "hash_conflict") {
		b.log.WarnContext(ctx, "cannot show the home tab", "workspace", o.Workspace, "error", err)
	}
}

// homeBlocks are what somebody sees on the Home tab: how to begin, the quota,
// the jobs, and for admins the team and where to manage it.
func (b *Bot) homeBlocks(ctx context.Context, c bot.Caller, answer *view.Message) []slack.Block {
	l := b.layout(c.Locale)
	begin := slack.NewButtonBlockElement(buttonForm, "", plainText(cut(b.text(c.Locale, "slack.home.make"), maxButtonLabel)))
	begin.Style = slack.StylePrimary
	var out []slack.Block
	if answer != nil {
		out = append(l.blocks(answer.WithoutPictures(), maxViewBlocks/2), slack.NewDividerBlock())
	}
	out = append(out, l.blocks(b.sentence(c.Locale, "slack.home.welcome"), 1)...)
	out = append(out, slack.NewActionBlock("", begin))
	parts := []view.Message{b.cfg.Service.Usage(ctx, c), b.cfg.Service.Jobs(ctx, c)}
	if c.Admin {
		parts = append(parts, b.cfg.Service.Summary(ctx, c)...)
		parts = append(parts, b.sentence(c.Locale, "slack.home.admin"))
	}
	for _, m := range parts {
		room := maxViewBlocks - len(out) - 1
		if room <= 0 {
			break
		}
		out = append(out, slack.NewDividerBlock())
		out = append(out, l.blocks(m, room)...)
	}
	return out
}
