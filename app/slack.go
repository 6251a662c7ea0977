package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"ltxbot/bot"
	"ltxbot/bot/adapter"
	"ltxbot/bot/slack"
)

// slackConfig is what the bot's side of Slack is made of, without the parts
// that only a running bot has. kept is where installations are; nil in one that
// is never started.
func slackConfig(b base, service *bot.Service, kept slack.Installations) (slack.Config, error) {
	c := b.cfg.Slack
	cfg := slack.Config{
		Config:        adapter.Config{Version: b.version, Logger: b.log.With("platform", "slack"), Tiers: b.tiers("slack")},
		BotToken:      c.BotToken.Reveal(),
		AppToken:      c.AppToken.Reveal(),
		SigningSecret: c.SigningSecret.Reveal(),
		Mode:          slack.Mode(c.Mode),
		APIURL:        c.APIURL,
		Command:       c.Command,
		AdminGroups:   c.AdminGroups,
		TierGroups:    groupsOf(b.cfg, "slack"),
		AllowGuests:   c.AllowGuests,
		Team: func(workspace, enterprise string) string {
			return b.now.teams().of("slack", workspace, enterprise)
		},
		Service: service,
	}
	if !c.Several() {
		return cfg, nil
	}
	key, err := c.DecodeTokenKey()
	if err != nil {
		return cfg, fmt.Errorf("slack.token_key: %w", err)
	}
	cfg.OAuth = &slack.OAuth{
		ClientID:      c.ClientID,
		ClientSecret:  c.ClientSecret.Reveal(),
		RedirectURL:   b.cfg.SlackRedirect(),
		Workspaces:    c.Workspaces,
		TokenKey:      key,
		TokenKeyLost:  c.TokenKeyLost,
		Installations: kept,
	}
	return cfg, nil
}

func newSlack(p platformParts, service *bot.Service) (chatAdapter, error) {
	cfg, err := slackConfig(p.base, service, installations{store: p.store, client: p.cfg.Slack.ClientID})
	if err != nil {
		return nil, err
	}
	cfg.ObserveAck, cfg.OnBusy = p.metrics.Ack("slack"), p.metrics.Busy("slack")
	cfg.Meter, cfg.Guard, cfg.Once = p.store.meter(), p.guard, p.store.once(p.log)
	b, err := slack.New(cfg)
	return slackAdapter{b, cfg.Mode}, err
}

// slackAdapter is the bot's side of Slack.
type slackAdapter struct {
	*slack.Bot

	mode slack.Mode
}

// Routes implements adapter.
func (a slackAdapter) Routes(mux *http.ServeMux) {
	a.RegisterInstall(mux)
	if a.mode == slack.HTTP {
		a.Register(mux)
	}
}

// ForGood implements adapter.
func (slackAdapter) ForGood(err error) bool {
	_, fatal := errors.AsType[*slack.FatalError](err)
	return fatal
}

// settings are the small values that a store keeps for the parts of the bot.
type settings interface {
	Setting(ctx context.Context, name string) ([]byte, error)
	PutSetting(ctx context.Context, name string, value []byte) error
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
