package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"ltxbot/app"
	"ltxbot/bot/discord"
)

// commandsCmd is about the commands that are registered on Discord.
type commandsCmd struct {
	Diff commandsDiffCmd `cmd:"" help:"Show what differs from what is registered; exit 1 if anything does."`
	Sync commandsSyncCmd `cmd:"" help:"Register what differs. bot run does the same at its start."`
}

type commandsDiffCmd struct{ configFlag }

type commandsSyncCmd struct{ configFlag }

// Run shows the differences.
func (c commandsDiffCmd) Run(ctx context.Context, term terminal) error {
	b, err := openDiscord(c.Config)
	if err != nil {
		return err
	}
	changes, err := b.Diff(ctx)
	if err != nil {
		return err
	}
	err = printChanges(term, changes)
	if len(changes) > 0 && err == nil {
		err = errDiffer
	}
	return err
}

// Run registers the differences and shows them.
func (c commandsSyncCmd) Run(ctx context.Context, term terminal) error {
	b, err := openDiscord(c.Config)
	if err != nil {
		return err
	}
	changes, err := b.Sync(ctx)
	return errors.Join(printChanges(term, changes), err)
}

// errDiffer is what diff ends with when there is a difference.
var errDiffer = errors.New("commands differ from what is registered")

func printChanges(term terminal, changes []discord.Change) error {
	lines := make([]string, 0, len(changes)+1)
	for _, c := range changes {
		lines = append(lines, c.String())
	}
	if len(lines) == 0 {
		lines = append(lines, "commands are registered as they should be")
	}
	_, err := fmt.Fprintln(term.out, strings.Join(lines, "\n"))
	return err
}

func openDiscord(path string) (*discord.Bot, error) {
	cfg, err := loadConfig(path)
	if err != nil {
		return nil, err
	}
	if !cfg.Discord.On() {
		return nil, &exitError{2, errors.New("discord.token is empty; on Slack, commands are in the app's manifest: bot manifest slack")}
	}
	return app.Discord(cfg, app.Options{Version: versionText()})
}
