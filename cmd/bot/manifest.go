package main

import (
	"cmp"
	"context"
	"fmt"

	"ltxbot/bot/slack"
)

// manifestCmd prints what a platform needs to know of the app.
type manifestCmd struct {
	Slack manifestSlackCmd `cmd:"" help:"Print the manifest for \"Create New App, From a manifest\" at https://api.slack.com/apps."`
}

// manifestSlackCmd prints the manifest of the Slack app. It needs no tokens:
// those come into being with the app, so secrets are not looked up.
type manifestSlackCmd struct {
	configFlag
	Name string `help:"Name of the app."`
	URL  string `help:"Public https address of the bot, for slack.mode = \"http\"; without it, that of fal.webhook_url."`
}

// Run prints the manifest.
func (c manifestSlackCmd) Run(_ context.Context, term terminal) error {
	cfg, err := readConfig(c.Config)
	if err != nil {
		return err
	}
	redirect := ""
	if cfg.Slack.Several() {
		redirect = cfg.SlackRedirect()
	}
	m, err := slack.Manifest(slack.ManifestOptions{
		Mode:        slack.Mode(cfg.Slack.Mode),
		Command:     cfg.Slack.Command,
		BaseURL:     cmp.Or(c.URL, cfg.Fal.WebhookURL),
		Name:        c.Name,
		RedirectURL: redirect,
	})
	if err != nil {
		return &exitError{2, err}
	}
	_, err = fmt.Fprintf(term.out, "%s\n", m)
	return err
}
