package discord

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"ltxbot/bot"
	"ltxbot/core/generate"
)

// membership is what a member is allowed in a guild.
type membership struct {
	owner       bool
	roles       []string
	permissions uint64 // of all roles together, without a channel's
}

// all reports whether everything is allowed, in each channel.
func (s membership) all() bool { return s.owner || s.permissions&permAdministrator != 0 }

// membership asks Discord what somebody is allowed in a guild.
// https://discord.com/developers/docs/topics/permissions#permission-hierarchy
func (b *Bot) membership(ctx context.Context, guild, user string) (membership, error) {
	var in struct {
		Owner string `json:"owner_id"`
		Roles []struct {
			ID          string `json:"id"`
			Permissions string `json:"permissions"`
		} `json:"roles"`
	}
	var member struct {
		Roles []string `json:"roles"`
	}
	if err := b.rest.do(ctx, call{op: "read roles", route: routeGuild(guild), out: &in}); err != nil {
		return membership{}, err
	}
	if err := b.rest.do(ctx, call{op: "read roles of a member", route: routeMember(guild, user), out: &member}); err != nil {
		return membership{}, err
	}
	s := membership{owner: in.Owner == user, roles: member.Roles}
	for _, r := range in.Roles {
		if r.ID == guild || slices.Contains(member.Roles, r.ID) { // the role of everyone has the guild's id
			s.permissions |= permissions(r.Permissions)
		}
	}
	return s, nil
}

// Who is somebody in a guild, with the roles that they have now. It returns
// bot.ErrStranger for somebody who is not there.
func (b *Bot) Who(ctx context.Context, guild, user string) (bot.Caller, error) {
	if len(b.cfg.Guilds) > 0 && !slices.Contains(b.cfg.Guilds, guild) {
		return bot.Caller{}, bot.ErrStranger
	}
	s, err := b.membership(ctx, guild, user)
	if hasCode(err, codeUnknownGuild, codeUnknownMember, codeUnknownUser, codeMissingAccess) {
		return bot.Caller{}, bot.ErrStranger
	}
	if err != nil {
		return bot.Caller{}, err
	}
	c := bot.Caller{Platform: platform, Member: platform + ":" + user, Team: b.team(guild)}
	c.Tiers = b.cfg.Tiers(c.Member, s.roles)
	c.Admin = s.all() || s.permissions&permManageGuild != 0 ||
		slices.ContainsFunc(s.roles, func(r string) bool { return slices.Contains(b.cfg.AdminRoles, r) })
	return c, nil
}

// TeamOf is the budget of a guild.
func (b *Bot) TeamOf(_ context.Context, guild string) string { return b.team(guild) }

// NameOf is what a member is called on Discord.
func (b *Bot) NameOf(ctx context.Context, member string) (string, error) {
	var user struct {
		Username   string `json:"username"`
		GlobalName string `json:"global_name"`
	}
	id := strings.TrimPrefix(member, platform+":")
	err := b.rest.do(ctx, call{op: "read name", route: routeUser(id), out: &user})
	return cmp.Or(user.GlobalName, user.Username), err
}

// ClientID is the id of the application, which is asked of Discord where it is not
// configured.
func (b *Bot) ClientID(ctx context.Context) (string, error) { return b.application(ctx) }

// Revisit looks whether the bot can post a video where a job was asked for, without
// an interaction, and whether a user sees the place. Its error is for a person.
func (b *Bot) Revisit(ctx context.Context, j generate.Job, user string) (notes map[string]string, err error) {
	if j.Place.Private {
		return map[string]string{}, nil // it comes by direct message
	}
	var app struct {
		Bot struct {
			ID string `json:"id"`
		} `json:"bot"`
	}
	if err := b.rest.do(ctx, call{op: "read application", route: routeApplication(), out: &app}); err != nil {
		return nil, err
	}
	if f := b.checkChannel(ctx, j.Place.Channel, app.Bot.ID, true); !f.OK {
		return nil, errors.New("the video can't be posted there now: " + f.Text)
	}
	there, err := b.readChannel(ctx, j.Place.Channel)
	if err != nil {
		return nil, err
	}
	sees, err := b.sees(ctx, j.Place.Channel, there, user)
	switch {
	case err != nil:
		return nil, err
	case !sees:
		return nil, errors.New("you can't see the channel that the video would be posted in")
	}
	return map[string]string{}, nil
}

// sees reports whether a user sees a channel: a private thread is seen by those who
// are in it, and by who may manage threads.
// https://discord.com/developers/docs/topics/threads#private-threads
func (b *Bot) sees(ctx context.Context, channel string, there channelFacts, user string) (bool, error) {
	have, err := b.allowed(ctx, there, user)
	if err != nil || have&permViewChannel == 0 || there.Type != typePrivateThread || have&permManageThreads != 0 {
		return have&permViewChannel != 0, err
	}
	err = b.rest.do(ctx, call{op: "look who is in the thread", route: routeThreadMember(channel, user)})
	if refused, ok := errors.AsType[*APIError](err); ok && refused.Status == http.StatusNotFound {
		return false, nil
	}
	return err == nil, err
}
