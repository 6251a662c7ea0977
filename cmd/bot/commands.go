package main

import (
	"context"
	"errors"
	"fmt"

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
	printChanges(term, changes)
	if len(changes) > 0 {
		return errDiffer
	}
	return nil
}

// Run registers the differences and shows them.
func (c commandsSyncCmd) Run(ctx context.Context, term terminal) error {
	b, err := openDiscord(c.Config)
	if err != nil {
		return err
	}
	changes, err := b.Sync(ctx)
	printChanges(term, changes)
	return err
}

// errDiffer is what diff ends with when there is a difference.
var errDiffer = errors.New("commands differ from what is registered")

func printChanges(term terminal, changes []discord.Change) {
	for _, c := range changes {
		fmt.Fprintln(term.out, c)
	}
	if len(changes) == 0 {
		fmt.Fprintln(term.out, "commands are registered as they should be")
	}
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
