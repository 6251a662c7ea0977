package slack

import (
	"context"
	"errors"
	"strings"

	"github.com/slack-go/slack"

	"ltxbot/bot"
	"ltxbot/core/generate"
)

// errNobody says that Slack was asked who somebody is, and did not answer.
var errNobody = errors.New("slack does not say who somebody is")

// Who is somebody in a workspace, with the rights that they have now. It returns
// bot.ErrStranger for somebody who is at home elsewhere, or not there.
func (b *Bot) Who(ctx context.Context, workspace, user string) (bot.Caller, error) {
	o, err := b.in(ctx, workspace)
	if err != nil {
		return bot.Caller{}, err
	}
	o.User = user
	b.people.invalidate(o, nil) // what was true a minute ago is not enough
	who := b.people.person(ctx, o)
	switch {
	case who.gone, who.stranger:
		return bot.Caller{}, bot.ErrStranger
	case !who.asked:
		return bot.Caller{}, errNobody
	}
	caller, _ := b.identify(ctx, o)
	return caller, nil
}

// in is a workspace, with the organisation that it belongs to.
func (b *Bot) in(ctx context.Context, workspace string) (origin, error) {
	o := origin{Workspace: workspace}
	c, err := b.client(ctx, o.installation())
	if err != nil {
		return o, err
	}
	me, err := c.identity(ctx)
	o.Enterprise = me.Enterprise
	return o, err
}

// TeamOf is the budget of a workspace. While Slack does not answer, it is that of
// the workspace alone.
func (b *Bot) TeamOf(ctx context.Context, workspace string) string {
	o, err := b.in(ctx, workspace)
	if err != nil {
		b.log.WarnContext(ctx, "cannot ask slack about a workspace", "workspace", workspace, "error", err)
	}
	return b.team(o)
}

// NameOf is what a member is called on Slack.
func (b *Bot) NameOf(ctx context.Context, member string) (string, error) {
	home, user, _ := strings.Cut(strings.TrimPrefix(member, platform+":"), ":")
	o := origin{Workspace: home, User: user}
	if strings.HasPrefix(home, "E") {
		o = origin{Enterprise: home, OrgWide: true, User: user}
	}
	who := b.people.person(ctx, o)
	if who.name == "" {
		return "", errNobody
	}
	return who.name, nil
}

// errGuest says that somebody may not make videos.
var errGuest = errors.New("guests and people of other organisations cannot make videos with this bot")

// Who may not make a video once more in a conversation.
var (
	errNotThere = errors.New("you are not in the channel that the video would be posted in: join it first")
	errNoRoom   = errors.New("the bot is not in the conversation that the video would be posted in: invite it there")
	errAlone    = errors.New("the video was made in direct messages of somebody else")
)

// Revisit is what the courier must know to post where a job was asked for, for
// another user, who must be allowed to make videos and be there. Whether it can
// post there is tried out by the card, before money is spent.
func (b *Bot) Revisit(ctx context.Context, j generate.Job, user string) (notes map[string]string, err error) {
	o := originOf(j)
	o.User, o.UserTeam = user, ""
	if _, guest := b.identify(ctx, o); guest && !b.cfg.AllowGuests {
		return nil, errGuest
	}
	at := spotOf(j)
	if at.direct() || strings.HasPrefix(at.channel, "D") {
		if user != j.Place.User {
			return nil, errAlone
		}
		return notesOf(o, b.cfg.Now()), nil
	}
	if err := b.announceThere(ctx, j, at, o); err != nil {
		return nil, err
	}
	return notesOf(o, b.cfg.Now()), nil
}

// announceThere tells somebody, and nobody else, in a conversation that a video
// comes there: Slack takes such a message for people in the conversation alone, and
// no scope of the app asks who they are.
// https://docs.slack.dev/reference/methods/chat.postEphemeral
func (b *Bot) announceThere(ctx context.Context, j generate.Job, at spot, o origin) error {
	c, err := b.client(ctx, o.installation())
	if err != nil {
		return err
	}
	locale := b.people.locale(o)
	options := b.layout(locale).message(b.sentence(locale, "slack.again", "id", j.ID)).options()
	if at.thread != "" {
		options = append(options, slack.MsgOptionTS(at.thread))
	}
	tell := func(ctx context.Context) error {
		_, err := c.api.PostEphemeralContext(ctx, at.channel, o.User, options...)
		return err
	}
	err = c.once(ctx, "look who is there", tell)
	if hasCode(err, "not_in_channel") {
		if err = b.join(ctx, c, at.channel); err == nil {
			err = c.once(ctx, "look who is there", tell)
		}
	}
	switch {
	case hasCode(err, "user_not_in_channel"):
		return errNotThere
	case hasCode(err, "not_in_channel", "channel_not_found"):
		return errNoRoom
	}
	return err
}
