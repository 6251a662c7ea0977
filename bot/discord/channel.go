package discord

import (
	"context"
	"slices"
	"strings"

	"ltxbot/bot/adapter"
	"ltxbot/bot/text"
)

// typeCategory is the type of a channel that holds others.
// https://discord.com/developers/docs/resources/channel#channel-object-channel-types
const typeCategory = 4

// forumTypes are the types of channels whose posts are threads.
var forumTypes = []int{15, 16}

// A channelFacts is what decides over a channel.
// https://discord.com/developers/docs/resources/channel#channel-object
type channelFacts struct {
	Name       string `json:"name"`
	Type       int    `json:"type"`
	Guild      string `json:"guild_id"`
	Parent     string `json:"parent_id"`
	Overwrites []struct {
		ID    string `json:"id"` // of a role or a user
		Allow string `json:"allow"`
		Deny  string `json:"deny"`
	} `json:"permission_overwrites"`
}

// checkChannel looks whether the bot, which is this user, may post in a
// channel: videos, or only messages.
func (b *Bot) checkChannel(ctx context.Context, channel, user string, videos bool) adapter.Finding {
	f := adapter.Finding{Name: "channel " + channel}
	seen, err := b.readChannel(ctx, channel)
	if err != nil {
		f.Text = err.Error() + ": let the bot see it, or take it out of the config"
		return f
	}
	have, err := b.allowed(ctx, seen, user)
	if err != nil {
		f.Text = err.Error()
		return f
	}
	missing := b.missing(text.DefaultLanguage, have, seen.Type, videos)
	if slices.Contains(voiceTypes, seen.Type) && have&permConnect == 0 {
		missing = append(missing, b.text(text.DefaultLanguage, "discord.permission.connect"))
	}
	if len(missing) > 0 {
		f.Text = "in " + seen.Name + " the bot lacks: " + strings.Join(missing, ", ") + ". Give these permissions to its role, in the channel or in the server"
		return f
	}
	f.OK, f.Text = true, "is "+seen.Name
	return f
}

func (b *Bot) readChannel(ctx context.Context, channel string) (channelFacts, error) {
	var facts channelFacts
	err := b.rest.do(ctx, call{op: "look at it", route: routeChannel(channel), out: &facts})
	return facts, err
}

// allowed is what a member may do in a channel.
// https://discord.com/developers/docs/topics/permissions#permission-overwrites
func (b *Bot) allowed(ctx context.Context, in channelFacts, user string) (uint64, error) {
	as, err := b.membership(ctx, in.Guild, user)
	if err != nil {
		return 0, err
	}
	from := in
	if slices.Contains(threadTypes, in.Type) { // it has what its parent has
		if from, err = b.readChannel(ctx, in.Parent); err != nil {
			return 0, err
		}
	}
	have := as.permissions
	if as.all() {
		return ^uint64(0), nil
	}
	for _, is := range []func(id string) bool{
		func(id string) bool { return id == in.Guild },
		func(id string) bool { return slices.Contains(as.roles, id) },
		func(id string) bool { return id == user },
	} {
		var allow, deny uint64
		for _, o := range from.Overwrites {
			if is(o.ID) {
				allow |= permissions(o.Allow)
				deny |= permissions(o.Deny)
			}
		}
		have = have&^deny | allow
	}
	return have, nil
}
