package discord

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
)

// A Change is one difference between the commands that are registered and
// those that should be.
type Change struct {
	Guild   string // "" = everywhere
	Command string // its name
	Kind    ChangeKind

	id      string // of the registered command
	command appCommand
}

// ChangeKind is what is to be done about a difference.
type ChangeKind string

// The kinds of changes.
const (
	Create ChangeKind = "create"
	Update ChangeKind = "update"
	Delete ChangeKind = "delete"
)

// String is a line about the change: "update /ltx in guild 123".
func (c Change) String() string {
	name := c.Command
	if c.command.Type != commandMessage {
		name = "/" + name
	}
	where := "everywhere"
	if c.Guild != "" {
		where = "in guild " + c.Guild
	}
	return fmt.Sprintf("%s %s %s", c.Kind, name, where)
}

// registered is a command as Discord has it.
type registered struct {
	ID string `json:"id"`
	appCommand
}

// Diff compares the registered commands with those that should be. Commands
// that are not this bot's are left alone.
func (b *Bot) Diff(ctx context.Context) ([]Change, error) {
	app, err := b.application(ctx)
	if err != nil {
		return nil, err
	}
	var changes []Change
	// With guilds in the config, commands everywhere would be there twice.
	for _, guild := range append([]string{""}, b.cfg.Guilds...) {
		var want []appCommand
		if guild != "" || len(b.cfg.Guilds) == 0 {
			want = b.commands(guild)
		}
		for _, c := range want {
			if n := c.size(); n > maxCommandLength {
				return nil, fmt.Errorf("command %s has %d characters, at most %d are allowed", c.Name, n, maxCommandLength)
			}
		}
		var have []registered
		err := b.rest.do(ctx, call{
			op: "list commands", route: routeCommands(http.MethodGet, app, guild, ""), out: &have,
			query: url.Values{"with_localizations": {"true"}},
		})
		if err != nil {
			return nil, err
		}
		changes = append(changes, compare(guild, want, have)...)
	}
	return changes, nil
}

// compare lists what makes have into want.
func compare(guild string, want []appCommand, have []registered) []Change {
	var changes []Change
	find := func(list []registered, name string, kind int) int {
		return slices.IndexFunc(list, func(r registered) bool { return r.Name == name && cmp.Or(r.Type, commandChat) == kind })
	}
	for _, w := range want {
		n := find(have, w.Name, w.Type)
		switch {
		case n < 0:
			changes = append(changes, Change{Guild: guild, Command: w.Name, Kind: Create, command: w})
		case !same(w, have[n].appCommand, guild):
			changes = append(changes, Change{Guild: guild, Command: w.Name, Kind: Update, id: have[n].ID, command: w})
		}
	}
	for _, h := range have {
		wanted := slices.ContainsFunc(want, func(w appCommand) bool { return w.Name == h.Name && w.Type == h.Type })
		if !wanted && ours(h.appCommand) {
			changes = append(changes, Change{Guild: guild, Command: h.Name, Kind: Delete, id: h.ID, command: h.appCommand})
		}
	}
	return changes
}

// same reports whether two commands are alike in all that the bot decides.
func same(want, have appCommand, guild string) bool {
	if guild != "" {
		have.Contexts, have.IntegrationTypes = nil, nil
	}
	a, errA := json.Marshal(want)
	b, errB := json.Marshal(have)
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

// Sync registers what differs, command by command, and returns what it did. A
// command that stays keeps its id, and with it the permissions that servers
// gave it.
func (b *Bot) Sync(ctx context.Context) ([]Change, error) {
	changes, err := b.Diff(ctx)
	if err != nil {
		return nil, err
	}
	app, err := b.application(ctx)
	if err != nil {
		return nil, err
	}
	for n, c := range changes {
		k := call{op: string(c.Kind) + " command " + c.Command}
		switch c.Kind {
		case Create:
			k.route, k.body = routeCommands(http.MethodPost, app, c.Guild, ""), c.command
			k.again = true // creating what is there replaces it
		case Update:
			k.route, k.body = routeCommands(http.MethodPatch, app, c.Guild, c.id), patchOf(c.command)
		case Delete:
			k.route = routeCommands(http.MethodDelete, app, c.Guild, c.id)
		}
		if err := b.rest.do(ctx, k); err != nil {
			return changes[:n], err
		}
		b.log.InfoContext(ctx, "registered command changed", "command", c.Command, "change", string(c.Kind), "guild", c.Guild)
	}
	return changes, nil
}

// patch is a command in full, so that what it no longer has is taken away.
// The type cannot be changed.
type patch struct {
	Name                     string            `json:"name"`
	Description              string            `json:"description,omitempty"` // none for a message command
	DescriptionLocalizations map[string]string `json:"description_localizations"`
	Options                  []commandOption   `json:"options"`
	DefaultMemberPermissions *string           `json:"default_member_permissions"`
	Contexts                 []int             `json:"contexts,omitempty"`
	IntegrationTypes         []int             `json:"integration_types,omitempty"`
}

func patchOf(c appCommand) patch {
	p := patch{
		Name: c.Name, Description: c.Description, DescriptionLocalizations: c.DescriptionLocalizations,
		Options: c.Options, DefaultMemberPermissions: c.DefaultMemberPermissions,
		Contexts: c.Contexts, IntegrationTypes: c.IntegrationTypes,
	}
	if p.Options == nil {
		p.Options = []commandOption{}
	}
	return p
}
