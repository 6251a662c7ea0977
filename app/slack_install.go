package app

import (
	"context"
	"fmt"

	"ltxbot/bot/slack"
)

// settings are the small values that a store keeps for the parts of the bot.
type settings interface {
	Setting(ctx context.Context, name string) ([]byte, error)
	PutSetting(ctx context.Context, name string, value []byte) error
}

// slackOAuth is what several workspaces install the app by; nil when the bot
// is for one.
func (a *App) slackOAuth() (*slack.OAuth, error) {
	c := a.cfg.Slack
	if !c.Several() {
		return nil, nil //nolint:nilnil // there is none, which is no error
	}
	key, err := c.DecodeTokenKey()
	if err != nil {
		return nil, fmt.Errorf("slack.token_key: %w", err)
	}
	o := &slack.OAuth{
		ClientID:     c.ClientID,
		ClientSecret: c.ClientSecret.Reveal(),
		RedirectURL:  a.cfg.SlackRedirect(),
		Workspaces:   c.Workspaces,
		TokenKey:     key,
		TokenKeyLost: c.TokenKeyLost,
	}
	if a.store == nil {
		return o, nil // nothing is started, only looked at
	}
	o.Installations = installations{store: a.store, client: c.ClientID}
	return o, nil
}

// installations keeps the workspaces that have installed the Slack app among
// the settings of the store. They belong to one app: what another one has kept
// in the same store stays its own.
type installations struct {
	store  settings
	client string
}

func (i installations) name(key string) string { return "slack/" + i.client + "/" + key }

// Get implements slack.Installations.
func (i installations) Get(ctx context.Context, key string) ([]byte, error) {
	return i.store.Setting(ctx, i.name(key))
}

// Put implements slack.Installations.
func (i installations) Put(ctx context.Context, key string, value []byte) error {
	return i.store.PutSetting(ctx, i.name(key), value)
}

// Delete implements slack.Installations.
func (i installations) Delete(ctx context.Context, key string) error {
	return i.store.PutSetting(ctx, i.name(key), nil)
}
