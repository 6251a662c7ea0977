package slack

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/slack-go/slack"

	"ltxbot/bot/adapter"
)

// Check looks at what must be right for the bot to work: the tokens, their
// scopes, and the user groups of the config. What is only of use is found to
// be right when it is missing, and said.
func (b *Bot) Check(ctx context.Context) []adapter.Finding {
	var found []adapter.Finding
	if b.registry != nil {
		found = b.checkOAuth(ctx)
	}
	if b.registry != nil && b.cfg.BotToken == "" {
		if b.cfg.Mode == Socket {
			found = append(found, b.checkAppToken(ctx))
		}
		return found
	}
	return append(found, b.checkBotToken(ctx)...)
}

// checkBotToken looks at the token of the config, and at what it can see.
func (b *Bot) checkBotToken(ctx context.Context) []adapter.Finding {
	c, err := b.client(ctx, "")
	if err != nil {
		return []adapter.Finding{{Name: "bot token", Text: err.Error()}}
	}
	me, err := c.identity(ctx)
	if f := fatal(err); f != nil {
		return []adapter.Finding{{Name: "bot token", Text: f.Error()}}
	}
	if err != nil {
		return []adapter.Finding{{Name: "bot token", Text: err.Error(), Away: true}}
	}
	found := []adapter.Finding{{Name: "bot token", OK: true, Text: "is that of @" + me.Name + " in " + me.URL}}
	found = append(found, checkScopes(c)...)
	if b.cfg.Mode == Socket {
		found = append(found, b.checkAppToken(ctx))
	}
	groups := slices.Concat(b.cfg.AdminGroups, b.cfg.TierGroups)
	slices.Sort(groups)
	for _, group := range slices.Compact(groups) {
		found = append(found, checkGroup(ctx, c, me.Workspace, group))
	}
	return found
}

// checkScopes compares what the token may do with what the bot needs.
func checkScopes(c *client) []adapter.Finding {
	var found []adapter.Finding
	for _, s := range Scopes() {
		if c.may(s.Name) {
			continue
		}
		text := "is missing; it is for " + s.Why + ". Add it under OAuth & Permissions at https://api.slack.com/apps and install the app again"
		found = append(found, adapter.Finding{Name: "scope " + s.Name, OK: s.Optional, Text: text})
	}
	if len(found) == 0 {
		found = append(found, adapter.Finding{Name: "scopes", OK: true, Text: "are all there"})
	}
	return found
}

// checkAppToken asks for the address of a connection, which is not made.
func (b *Bot) checkAppToken(ctx context.Context) adapter.Finding {
	f := adapter.Finding{Name: "app-level token"}
	if !strings.HasPrefix(b.cfg.AppToken, "xapp-") {
		f.Text = "must start with xapp-"
		return f
	}
	var off atomic.Bool
	api := b.socketAPI(&off)
	err := attempt(ctx, "ask for a connection", true, func(ctx context.Context) error {
		_, _, err := api.StartSocketModeContext(ctx)
		return err
	})
	if hasCode(err, "missing_scope") {
		err = &APIError{Op: "ask for a connection", Code: "app_token_scope"}
	}
	switch reason := fatal(err); {
	case reason != nil:
		f.Text = reason.Error()
	case err != nil:
		f.Text, f.Away = err.Error(), true
	case off.Load():
		f.Text = switchOn
	default:
		f.OK, f.Text = true, "opens connections"
	}
	return f
}

func checkGroup(ctx context.Context, c *client, workspace, group string) adapter.Finding {
	f := adapter.Finding{Name: "user group " + group}
	err := c.again(ctx, "read user group", func(ctx context.Context) error {
		_, err := c.api.GetUserGroupMembersContext(ctx, group, slack.GetUserGroupMembersOptionTeamID(workspace))
		return err
	})
	switch {
	case hasCode(err, "plan_upgrade_required"):
		f.Text = "cannot be used: this workspace's plan has no user groups"
	case err != nil:
		f.Text = err.Error()
	default:
		f.OK, f.Text = true, "is there"
	}
	return f
}
