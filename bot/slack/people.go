package slack

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/slack-go/slack"

	"ltxbot/bot"
	"ltxbot/bot/adapter"
)

// How long answers of Slack about people are cached, and how many.
const (
	personLife = time.Minute // who is an admin, who a guest
	groupLife  = 10 * time.Minute
	maxPeople  = 20_000
	maxGroups  = 1000
	maxNoted   = 100
)

// person is what the bot must know of somebody.
type person struct {
	admin    bool // of the workspace, or its owner
	guest    bool // of the workspace
	stranger bool // of another organisation
	gone     bool // the account is closed, or not to be seen from here
	asked    bool // Slack has said so lately; else only the name and the language are good
	name     string
	locale   string
	until    time.Time
}

// people caches who is an admin, a guest, or in a user group. Without the scope
// for one of these, or on a plan without user groups, nobody is.
type people struct {
	bot *Bot

	known  *adapter.Cache[person] // by workspace and user
	groups *adapter.Cache[group]  // by workspace and id
	noted  *adapter.Cache[bool]   // what was logged once
}

// group is the members of a user group.
type group struct {
	users  []string
	failed bool // Slack did not answer: who is in it is not known
	until  time.Time
}

func newPeople(b *Bot) *people {
	return &people{
		bot: b, known: adapter.NewCache[person](maxPeople),
		groups: adapter.NewCache[group](maxGroups), noted: adapter.NewCache[bool](maxNoted),
	}
}

// locale is the language of somebody, if it is known.
func (p *people) locale(o origin) string {
	return p.known.Get(o.Workspace + " " + o.User).locale
}

// caller is who did something, with the roles that Slack reports now.
func (b *Bot) caller(ctx context.Context, o origin) bot.Caller {
	c, _ := b.identify(ctx, o)
	return c
}

// identify is caller, and reports whether the person is a guest or of another
// organisation. Neither is ever an admin here, even if Slack says so: they may be
// one in their own workspace. While Slack does not answer, nobody is an admin.
func (b *Bot) identify(ctx context.Context, o origin) (c bot.Caller, guest bool) {
	c = bot.Caller{Platform: platform, Member: memberOf(o), Team: b.team(o), Event: o.Event}
	who := b.people.person(ctx, o)
	c.Locale = who.locale
	if who.stranger || outsider(o) {
		c.Outsider, c.Channel = true, o.Channel
		return c, true
	}
	c.Tiers = b.cfg.Tiers(c.Member, b.people.groupsOf(ctx, o, b.cfg.TierGroups))
	c.Admin = who.asked && !who.guest && (who.admin || len(b.people.groupsOf(ctx, o, b.cfg.AdminGroups)) > 0)
	return c, who.guest
}

// identifyCached is identify from the cache. known is false when Slack must be asked first:
// then the caller is who the event names, without rights.
func (b *Bot) identifyCached(ctx context.Context, o origin) (c bot.Caller, guest, known bool) {
	if b.people.knows(o, slices.Concat(b.cfg.TierGroups, b.cfg.AdminGroups)) {
		c, guest = b.identify(ctx, o)
		return c, guest, true
	}
	return b.unidentified(o), false, false
}

// unidentified is the caller that the event names, without rights.
func (b *Bot) unidentified(o origin) bot.Caller {
	return bot.Caller{
		Platform: platform, Member: memberOf(o), Team: b.team(o), Locale: b.people.locale(o), Outsider: outsider(o), Channel: o.Channel, Unidentified: true,
	}
}

// memberOf names somebody on all platforms. In an organisation people have
// one id for all workspaces.
// https://docs.slack.dev/enterprise/developing-for-enterprise-orgs
func memberOf(o origin) string {
	home := cmp.Or(o.Enterprise, o.UserTeam, o.Workspace) // there are no outsiders in an organisation
	return platform + ":" + home + ":" + o.User
}

// outsider reports whether somebody comes from another workspace by Slack
// Connect. Within an organisation, workspaces are no strangers.
func outsider(o origin) bool {
	return o.Enterprise == "" && o.UserTeam != "" && o.Workspace != "" && o.UserTeam != o.Workspace
}

// team is the budget of a workspace.
func (b *Bot) team(o origin) string {
	return cmp.Or(b.cfg.Team(o.Workspace, o.Enterprise), platform+":"+o.Workspace)
}

// knows reports whether all that is to be known of somebody is remembered, with
// these user groups.
func (p *people) knows(o origin, groups []string) bool {
	now := p.bot.cfg.Now()
	who := p.known.Get(o.Workspace + " " + o.User)
	if !now.Before(who.until) {
		return false
	}
	return who.stranger || outsider(o) || !p.unanswered(o, groups) && !slices.ContainsFunc(groups, func(id string) bool {
		return !now.Before(p.groups.Get(o.Workspace + " " + id).until)
	})
}

// unanswered reports whether Slack did not say who is in one of these groups.
func (p *people) unanswered(o origin, groups []string) bool {
	return slices.ContainsFunc(groups, func(id string) bool { return p.groups.Get(o.Workspace + " " + id).failed })
}

// person looks somebody up.
func (p *people) person(ctx context.Context, o origin) person {
	key, now := o.Workspace+" "+o.User, p.bot.cfg.Now()
	known := p.known.Get(key)
	if now.Before(known.until) {
		return known
	}
	o.acknowledge()
	u, at, err := p.ask(ctx, o)
	if err != nil {
		p.note("user", err)
		// An old answer is good for the language, not for rights. Where somebody
		// is at home is what the event says.
		stranger := known.stranger || o.UserTeam != "" && o.UserTeam != o.Workspace
		gone := hasCode(err, "user_not_found", "user_not_visible")
		return person{locale: known.locale, name: known.name, guest: known.guest, stranger: stranger, gone: gone}
	}
	member, told := at.home(u)
	fresh := person{
		admin:    member && (u.IsAdmin || u.IsOwner || u.IsPrimaryOwner),
		guest:    u.IsRestricted || u.IsUltraRestricted,
		stranger: u.IsStranger || told && !member,
		gone:     u.Deleted,
		asked:    true,
		name:     cmp.Or(u.Profile.DisplayName, u.Profile.RealName, u.RealName, u.Name),
		locale:   u.Locale, until: now.Add(personLife),
	}
	p.known.Put(key, fresh)
	return fresh
}

// home reports whether an installation is where somebody belongs: the
// workspace, or one of the same organisation. Slack marks nobody as a stranger
// who shares a channel with the bot. told is false when Slack does not say
// where somebody belongs.
// https://docs.slack.dev/apis/slack-connect
func (at identity) home(u *slack.User) (member, told bool) {
	switch {
	case at.Enterprise != "" && u.Enterprise.EnterpriseID != "":
		return u.Enterprise.EnterpriseID == at.Enterprise, true
	case u.TeamID == "":
		return false, false
	}
	return u.TeamID == at.Workspace || at.Enterprise != "" && u.TeamID == at.Enterprise, true
}

// ask looks somebody up, and says which installation was asked.
func (p *people) ask(ctx context.Context, o origin) (*slack.User, identity, error) {
	c, err := p.bot.client(ctx, o.installation())
	if err != nil {
		return nil, identity{}, err
	}
	at, err := c.identity(ctx)
	if err != nil {
		return nil, identity{}, err
	}
	var u *slack.User
	err = c.again(ctx, "read user", func(ctx context.Context) error {
		var err error
		u, err = c.api.GetUserInfoContext(ctx, o.User)
		return err
	})
	return u, at, err
}

// invalidate makes the bot ask Slack again about somebody, and about these groups.
func (p *people) invalidate(o origin, groups []string) {
	key := o.Workspace + " " + o.User
	who := p.known.Get(key)
	who.until = time.Time{} // what is no right is still good
	p.known.Put(key, who)
	for _, id := range groups {
		p.groups.Delete(o.Workspace + " " + id)
	}
}

// groupsOf is which of the user groups somebody is in.
func (p *people) groupsOf(ctx context.Context, o origin, ids []string) []string {
	var in []string
	for _, id := range ids {
		if slices.Contains(p.members(ctx, o, id), o.User) {
			in = append(in, id)
		}
	}
	return in
}

// members are the members of a user group. A failed question is not repeated
// for a while either: the limit is twenty a minute.
func (p *people) members(ctx context.Context, o origin, id string) []string {
	key, now := o.Workspace+" "+id, p.bot.cfg.Now()
	known := p.groups.Get(key)
	if now.Before(known.until) {
		return known.users
	}
	o.acknowledge()
	fresh := group{users: known.users, until: now.Add(groupLife)}
	c, err := p.bot.client(ctx, o.installation())
	if err == nil {
		err = c.again(ctx, "read user group", func(ctx context.Context) error {
			users, err := c.api.GetUserGroupMembersContext(ctx, id, slack.GetUserGroupMembersOptionTeamID(o.Workspace))
			if err == nil {
				fresh.users = users
			}
			return err
		})
	}
	switch {
	case err == nil:
	case hasCode(err, "plan_upgrade_required", "missing_scope", "no_such_subteam"):
		fresh.users = nil
		p.note("user group, which is gone without", err)
	default:
		p.note("user group", err)
		fresh.until, fresh.failed = now.Add(personLife), true
	}
	p.groups.Put(key, fresh)
	return fresh.users
}

// note logs an error once, until it is another one.
func (p *people) note(what string, err error) {
	if !p.noted.Put(what+err.Error(), true) {
		p.bot.log.Warn("cannot ask slack about people", "about", what, "error", err)
	}
}
