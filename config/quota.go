package config

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
)

// Quota is how much may be made and spent.
type Quota struct {
	TimeZone     string `toml:"time_zone" doc:"IANA name of the time zone in which days, weeks and months begin, for teams that name none."`
	Waiting      int    `toml:"waiting" doc:"Jobs of one member that may wait for their turn; more are refused. 0 = none waits."`
	BillFailures bool   `toml:"bill_failures" doc:"Whether a request that fal refused after it had started, and may bill, is charged."`
	WarnAt       []int  `toml:"warn_at" doc:"Percent of the team's budget at which its admins are told."`

	AdminsMayRaise bool   `toml:"admins_may_raise" doc:"Who may raise the limits of a team, give it extra or reset what it has used. false: only you, here or with bot quota; its admins can set less, and decide about its members. true: its admins, too. What you have set with bot quota holds in any case."`
	UnlistedTeams  string `toml:"unlisted_teams" doc:"Whether guilds and workspaces that this file does not name may make videos: \"allow\" or \"refuse\". Named are those of a [[team]], of discord.guilds and of slack.workspaces. Empty = refuse once a [[team]] or discord.guilds is set, else allow; the workspace of slack.bot_token is refused then only if other workspaces are named."`

	Member Limit `toml:"member" doc:"Limits of each member."`
	Team   Limit `toml:"team" doc:"Limits of each team."`
	Bot    Limit `toml:"bot" doc:"Limits of the whole bot, all teams together. usd_per_month is by default the larger of 200 and the sum of usd_per_month of all [[team]] that name one; 0 = no limit."`

	Tiers []Tier `toml:"tier" doc:"Members with a role, in a user group or listed by name may have more. What a tier does not name is as in quota.member, and -1 is no limit; of quota.member and all tiers that a member is in, the most generous limit of each kind counts. Repeat the table for each tier."`
}

func defaultQuota() Quota {
	return Quota{
		TimeZone: "UTC",
		Waiting:  5,
		WarnAt:   []int{50, 75, 90, 100},
		Member:   Limit{VideosPerDay: 10, USDPerMonth: 10, JobsAtATime: 2},
		Team:     Limit{USDPerMonth: 200, JobsAtATime: 10},
		Bot:      Limit{USDPerMonth: defaultBotUSD},
	}
}

// defaultBotUSD is what the whole bot may spend in a month, in dollars, unless
// its teams may spend more or the config says otherwise.
const defaultBotUSD = 200

// BotLimit is quota.bot. Where the config does not say what the bot may spend
// in a month, that is what its teams may, if they name more than the default.
func (c Config) BotLimit() Limit {
	l := c.Quota.Bot
	const key = "quota.bot.usd_per_month"
	if c.origin.has(key) || l.USDPerMonth != defaultBotUSD {
		return l
	}
	sum := 0.0
	for _, t := range c.Teams {
		sum += max(0, t.USDPerMonth)
	}
	l.USDPerMonth = max(l.USDPerMonth, sum)
	return l
}

// The values of quota.unlisted_teams.
const (
	allowUnlisted  = "allow"
	refuseUnlisted = "refuse"
)

// NoLimit is how a tier or a team says that it has no limit where the default
// has one.
const NoLimit = -1

// A Limit is how much one member, team or the bot may make and spend. Zero is
// no limit; in a tier or a team it is the default, and NoLimit is none.
type Limit struct {
	VideosPerDay   int       `toml:"videos_per_day" doc:"Videos, by the calendar."`
	VideosPerWeek  int       `toml:"videos_per_week"`
	VideosPerMonth int       `toml:"videos_per_month"`
	USDPerDay      float64   `toml:"usd_per_day" doc:"US dollars, by the calendar."`
	USDPerWeek     float64   `toml:"usd_per_week"`
	USDPerMonth    float64   `toml:"usd_per_month"`
	JobsAtATime    int       `toml:"jobs_at_a_time" doc:"Jobs under way; more wait for their turn."`
	Rolling        []Rolling `toml:"rolling" example:"[{window = \"24h\", videos = 5, usd = 1.0}]" doc:"Limits over the time that has just passed; none unless set, as in this example."`
}

// ReservedModels are the models that only members of some tiers may choose, each
// with the names of these tiers.
func (c Config) ReservedModels() map[string][]string {
	of := map[string][]string{}
	for _, t := range c.Quota.Tiers {
		for _, m := range t.Models {
			if !slices.Contains(c.Models.Allow, m) && !slices.Contains(of[m], t.Name) {
				of[m] = append(of[m], t.Name)
			}
		}
	}
	return of
}

// Or returns the limits that l names and, where it names none, those of base.
// In l, -1 is no limit, and so is an empty list of rolling ones.
func (l Limit) Or(base Limit) Limit {
	or := Limit{
		VideosPerDay:   cmp.Or(l.VideosPerDay, base.VideosPerDay),
		VideosPerWeek:  cmp.Or(l.VideosPerWeek, base.VideosPerWeek),
		VideosPerMonth: cmp.Or(l.VideosPerMonth, base.VideosPerMonth),
		USDPerDay:      cmp.Or(l.USDPerDay, base.USDPerDay),
		USDPerWeek:     cmp.Or(l.USDPerWeek, base.USDPerWeek),
		USDPerMonth:    cmp.Or(l.USDPerMonth, base.USDPerMonth),
		JobsAtATime:    cmp.Or(l.JobsAtATime, base.JobsAtATime),
		Rolling:        l.Rolling,
	}
	if or.Rolling == nil {
		or.Rolling = base.Rolling
	}
	return or
}

// Rolling is a limit over the time that has just passed.
type Rolling struct {
	Window Duration `toml:"window" doc:"How long, such as \"24h\" or \"7d\"."`
	Videos int      `toml:"videos" doc:"Videos in that time; 0 = no limit."`
	USD    float64  `toml:"usd" doc:"US dollars in that time; 0 = no limit."`
}

// A Tier gives some members limits of their own.
type Tier struct {
	Name         string   `toml:"name" example:"\"studio\"" doc:"What the tier is called."`
	DiscordRoles []string `toml:"discord_roles" doc:"Ids of the roles whose members are in it."`
	SlackGroups  []string `toml:"slack_groups" doc:"Ids of the user groups whose members are in it."`
	Members      []string `toml:"members" doc:"Members by name: \"discord:<user id>\" or \"slack:<team or enterprise id>:<user id>\"."`
	Models       []string `toml:"models" doc:"Models that its members may choose beside those of models.allow."`
	Limit
}

// A Team shares one budget.
type Team struct {
	Name            string   `toml:"name" example:"\"acme\"" doc:"What the team is called; the ledger knows it by this name."`
	DiscordGuilds   []string `toml:"discord_guilds" doc:"Ids of its guilds."`
	SlackWorkspaces []string `toml:"slack_workspaces" doc:"Ids of its workspaces, T…, or of its Enterprise organisation, E…."`
	TimeZone        string   `toml:"time_zone" doc:"Empty = quota.time_zone."`
	AdminChannel    string   `toml:"admin_channel" doc:"Where warnings about the budget go: \"discord:<channel id>\" or \"slack:<channel id>\"; empty = nowhere."`
	Limit
}

const maxRolling = 366 * day

var (
	memberPattern  = anyOf(func(p chat) ids { return p.member })
	channelPattern = anyOf(func(p chat) ids { return p.channel })
	namePattern    = regexp.MustCompile(`^[\pL\pN][\pL\pN _.-]{0,63}$`)
)

const name = "1 to 64 letters, digits, spaces, _, . or -, and start with a letter or a digit"

func (q Quota) check(k *checker, everybodys []string) {
	k.zone("quota.time_zone", q.TimeZone)
	k.whole("quota.waiting", int64(q.Waiting), 0, 1000)
	if q.UnlistedTeams != "" {
		k.oneOf("quota.unlisted_teams", q.UnlistedTeams, allowUnlisted, refuseUnlisted)
	}
	for i, percent := range q.WarnAt {
		k.whole(fmt.Sprintf("quota.warn_at[%d]", i), int64(percent), 1, 100)
	}
	q.Member.check(k, "quota.member", 0)
	q.Team.check(k, "quota.team", 0)
	q.Bot.check(k, "quota.bot", 0)
	seen := map[string]string{}
	for i, t := range q.Tiers {
		table := fmt.Sprintf("quota.tier[%d]", i)
		k.matches(table+".name", t.Name, namePattern, name)
		k.unique(seen, table+".name", t.Name, "tier")
		for _, p := range chats {
			k.each(table+"."+p.group.key, p.groups(t), p.group.pattern, p.group.text)
		}
		k.each(table+".members", t.Members, memberPattern, list(" or ", func(p chat) string { return p.member.text }))
		k.models(table+".models", t.Models)
		if len(t.Models) > 0 && len(everybodys) == 0 {
			k.add(table+".models", "", "allows nothing more, since models.allow is empty and everybody may choose all models: name in models.allow what everybody may choose")
		}
		t.check(k, table, NoLimit)
	}
}

// check checks limits that may be as low as lowest.
func (l Limit) check(k *checker, table string, lowest int64) {
	for _, c := range []struct {
		key string
		v   int
	}{
		{"videos_per_day", l.VideosPerDay},
		{"videos_per_week", l.VideosPerWeek},
		{"videos_per_month", l.VideosPerMonth},
		{"jobs_at_a_time", l.JobsAtATime},
	} {
		k.whole(table+"."+c.key, int64(c.v), lowest, math.MaxInt64)
	}
	for _, c := range []struct {
		key string
		v   float64
	}{
		{"usd_per_day", l.USDPerDay},
		{"usd_per_week", l.USDPerWeek},
		{"usd_per_month", l.USDPerMonth},
	} {
		if lowest < 0 && c.v == NoLimit {
			continue
		}
		k.notNegative(table+"."+c.key, c.v)
	}
	for i, r := range l.Rolling {
		key := fmt.Sprintf("%s.rolling[%d]", table, i)
		if r.Window.Duration <= 0 || r.Window.Duration > maxRolling {
			k.add(key+".window", quote(r.Window.String()), `must be longer than nothing and at most "366d"`)
		}
		k.whole(key+".videos", int64(r.Videos), 0, math.MaxInt64)
		k.notNegative(key+".usd", r.USD)
		if r.Videos == 0 && r.USD == 0 {
			k.add(key, "", "limits nothing: set videos or usd")
		}
	}
}

// checkTeams also checks that no guild and no workspace is in two teams.
func checkTeams(k *checker, teams []Team) {
	seen, owner := map[string]string{}, map[string]string{}
	for i, t := range teams {
		table := fmt.Sprintf("team[%d]", i)
		k.matches(table+".name", t.Name, namePattern, name)
		k.unique(seen, table+".name", t.Name, "team")
		for _, p := range chats {
			k.each(table+"."+p.tenant.key, p.tenants(t), p.tenant.pattern, p.tenant.text)
			k.owned(owner, table+"."+p.tenant.key, p.tenants(t), table)
		}
		if t.TimeZone != "" {
			k.zone(table+".time_zone", t.TimeZone)
		}
		if t.AdminChannel != "" {
			k.matches(table+".admin_channel", t.AdminChannel, channelPattern, list(" or ", func(p chat) string { return p.channel.text }))
		}
		t.check(k, table, NoLimit)
	}
}

// unique checks that no other table has the same name.
func (k *checker) unique(seen map[string]string, key, name, what string) {
	if first, ok := seen[name]; ok && name != "" {
		k.add(key, quote(name), "is the name of another "+what+", "+first)
		return
	}
	seen[name] = key
}

// owned checks that no other team has one of the ids.
func (k *checker) owned(owner map[string]string, key string, ids []string, table string) {
	for i, id := range ids {
		if other, ok := owner[id]; ok && other != table {
			k.add(fmt.Sprintf("%s[%d]", key, i), quote(id), "belongs to another team already, "+other)
			continue
		}
		owner[id] = table
	}
}
