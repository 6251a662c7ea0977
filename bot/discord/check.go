package discord

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"ltxbot/bot/adapter"
)

// NamePublic is the finding that not only the application's owner can add it
// to guilds. Whether that is well depends on which guilds are served.
const NamePublic = "public"

// Check looks at what must be right for the bot to work: the token, the
// application with its key and endpoint, the guilds of the config, what the
// bot may do in its channels, and the registered commands. It changes nothing.
func (b *Bot) Check(ctx context.Context) []adapter.Finding {
	var app struct {
		ID        string `json:"id"`
		Name      string `json:"name"`
		VerifyKey string `json:"verify_key"`
		Endpoint  string `json:"interactions_endpoint_url"`
		Public    bool   `json:"bot_public"`
		Bot       struct {
			ID string `json:"id"`
		} `json:"bot"`
	}
	if err := b.rest.do(ctx, call{op: "read application", route: routeApplication(), out: &app}); err != nil {
		refused, ok := errors.AsType[*APIError](err)
		return []adapter.Finding{{Name: "token", Text: err.Error(), Away: !ok || refused.Status != http.StatusUnauthorized}}
	}
	found := []adapter.Finding{{Name: "token", OK: true, Text: "is that of " + app.Name}}
	add := func(name string, ok bool, good, bad string) {
		f := adapter.Finding{Name: name, OK: ok, Text: bad}
		if ok {
			f.Text = good
		}
		found = append(found, f)
	}
	if b.cfg.ApplicationID != "" {
		add("application id", b.cfg.ApplicationID == app.ID, "is right", "the token belongs to application "+app.ID)
	}
	if b.cfg.PublicKey != "" {
		add("public key", b.cfg.PublicKey == app.VerifyKey, "is right",
			"the application has another one; it is on its General Information page")
	}
	if b.cfg.Mode == Gateway {
		add("interactions endpoint", app.Endpoint == "", "is not set, so interactions come by the gateway",
			"is set at Discord, so nothing comes by the gateway: clear it, or use the mode http")
	} else {
		add("interactions endpoint", app.Endpoint != "", "is "+app.Endpoint,
			"is not set at Discord: set it to the public address of /discord/interactions")
	}
	if app.Public {
		found = append(found, adapter.Finding{Name: NamePublic, OK: true, Text: "anybody can add the bot to a server"})
	}
	for _, guild := range b.cfg.Guilds {
		found = append(found, b.checkGuild(ctx, guild))
	}
	for _, channel := range b.cfg.Channels {
		found = append(found, b.checkChannel(ctx, channel, cmp.Or(app.Bot.ID, app.ID), true))
	}
	for _, channel := range b.cfg.Announcements {
		if !slices.Contains(b.cfg.Channels, channel) {
			found = append(found, b.checkChannel(ctx, channel, cmp.Or(app.Bot.ID, app.ID), false))
		}
	}
	if b.cfg.ApplicationID == "" || b.cfg.ApplicationID == app.ID {
		found = append(found, b.checkCommands(ctx))
	}
	return found
}

// checkGuild looks whether the bot is in a guild.
func (b *Bot) checkGuild(ctx context.Context, guild string) adapter.Finding {
	f := adapter.Finding{Name: "guild " + guild}
	var seen struct {
		Name string `json:"name"`
	}
	if err := b.rest.do(ctx, call{op: "look at it", route: routeGuild(guild), out: &seen}); err != nil {
		f.Text = err.Error() + ": invite the bot, or take the guild out of the config"
		return f
	}
	f.OK, f.Text = true, "is "+seen.Name
	return f
}

// checkCommands looks whether the commands are registered as they should be.
func (b *Bot) checkCommands(ctx context.Context) adapter.Finding {
	changes, err := b.Diff(ctx)
	switch {
	case err != nil:
		return adapter.Finding{Name: "commands", Text: err.Error()}
	case len(changes) > 0:
		return adapter.Finding{Name: "commands", Text: fmt.Sprintf("%d differ from what is registered; the bot registers them when it starts", len(changes))}
	}
	return adapter.Finding{Name: "commands", OK: true, Text: "are registered"}
}
