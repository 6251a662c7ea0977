package team

import (
	"slices"
	"strings"
)

// A Verb is one thing that people do with quotas, on every way there is: a
// chat command, the command line, the HTTP API. Grammar, help and
// documentation are made of the table of verbs.
type Verb struct {
	Name string
	// Who may do it.
	Who  Audience
	Help string // one line, in English
	Args []Arg
	// Reads reports that nothing is changed.
	Reads bool
	// InChat reports that it makes videos, which come to a conversation: the
	// command line, the HTTP API and the web pages do not have it.
	InChat bool
}

// Audience is who may do something.
type Audience string

// The audiences, from the widest to the narrowest.
const (
	Everybody Audience = "everybody" // members, about themselves
	Admins    Audience = "admins"    // who manages the team, and the operator
	Operators Audience = "operators" // who holds the bot's admin token
)

// Arg is what a verb needs to know. An argument can always be given by name,
// "reason:spam"; one that is not Named can be given by its place as well.
type Arg struct {
	Name     string
	Aliases  []string // other names that people type
	Kind     ArgKind
	Required bool
	Named    bool
	Help     string // in English
}

// ArgKind says what an argument looks like.
type ArgKind string

// The kinds of arguments.
const (
	WhoArg    ArgKind = "who"    // a member, or "team"
	MemberArg ArgKind = "member" // a mention, an id, or a name such as "discord:80351110224678912"
	LimitArg  ArgKind = "limit"  // a name of the config: "videos_per_day"
	AmountArg ArgKind = "amount" // a number, or "none"
	VideosArg ArgKind = "videos" // a whole number
	MoneyArg  ArgKind = "money"  // in dollars: "2.50"
	UntilArg  ArgKind = "until"  // "7d", "12h", or a day: "2026-12-31"
	MonthArg  ArgKind = "month"  // "2026-03"
	CodeArg   ArgKind = "code"   // of link
	TextArg   ArgKind = "text"   // all that is left of a line
	WordsArg  ArgKind = "words"  // one word in its place; by its name, up to the next argument that is named
	LineArg   ArgKind = "line"   // up to the next argument that is named
)

// AllLimits stands for every limit where one can be named.
const AllLimits = "all"

// TheTeam is what people write for the team where a member could be.
const TheTeam = "team"

var (
	argWho    = Arg{Name: "who", Kind: WhoArg, Required: true, Help: "A member, or team"}
	argMember = Arg{Name: "member", Kind: MemberArg, Required: true, Help: "A member: a mention or an id"}
	argReason = Arg{Name: "reason", Kind: TextArg, Help: "Why, for the log and whoever it concerns"}
	argMonth  = Arg{Name: "month", Kind: MonthArg, Help: "A month such as 2026-03; this one if not given"}
)

// A Table is what can be ordered about something.
type Table []Verb

// verbs is the table of orders about quotas.
var verbs = Table{
	{Name: "mine", Who: Everybody, Reads: true, Help: "What you and your team have used, and what is left"},
	{Name: "link", Who: Everybody, Help: "Share your limits between Discord and Slack: get a code here, give it there", Args: []Arg{
		{Name: "code", Kind: CodeArg, Help: "The code from the other platform; without one you get a code"},
	}},
	{Name: "unlink", Who: Everybody, Help: "Stop sharing your limits between Discord and Slack"},

	{Name: "show", Who: Admins, Reads: true, Help: "What a member or the team has used, and what applies to them", Args: []Arg{
		{Name: "who", Kind: WhoArg, Help: "A member; the team if not given"},
	}},
	{Name: "top", Who: Admins, Reads: true, Help: "Who has spent the most in a month", Args: []Arg{argMonth}},
	{Name: "set", Who: Admins, Help: "Give a member or the team a limit other than the configured one", Args: []Arg{
		argWho,
		{Name: "limit", Kind: LimitArg, Required: true, Help: "Which limit: videos_per_day, usd_per_month, jobs_at_a_time …"},
		{Name: "amount", Kind: AmountArg, Required: true, Help: "How much, or none for no limit"},
		argReason,
	}},
	{Name: "unset", Who: Admins, Help: "Go back to the configured limit", Args: []Arg{
		argWho,
		{Name: "limit", Kind: LimitArg, Required: true, Help: "Which limit, or all"},
	}},
	{Name: "grant", Who: Admins, Help: "Give extra videos or dollars on top of the limits", Args: []Arg{
		argWho,
		{Name: "videos", Kind: VideosArg, Named: true, Help: "How many videos"},
		{Name: "usd", Kind: MoneyArg, Named: true, Help: "How many dollars"},
		{Name: "expires", Kind: UntilArg, Named: true, Help: "7d, 12h or a day such as 2026-12-31; until used up if not given"},
		argReason,
	}},
	{Name: "revoke", Who: Admins, Help: "Take back what is left of all extras", Args: []Arg{argWho, argReason}},
	{Name: "block", Who: Admins, Help: "Stop a member from making videos", Args: []Arg{argMember, argReason}},
	{Name: "unblock", Who: Admins, Help: "Let a member make videos again", Args: []Arg{argMember}},
	{Name: "reset", Who: Admins, Help: "Reset the usage of a member or the team to zero", Args: []Arg{argWho, argReason}},
	{Name: "pause", Who: Admins, Help: "Stop everybody in the team from making videos", Args: []Arg{argReason}},
	{Name: "resume", Who: Admins, Help: "Let the team make videos again"},
	{Name: "export", Who: Admins, Reads: true, Help: "What was made and charged in a month, as CSV", Args: []Arg{argMonth}},
	{Name: "log", Who: Admins, Reads: true, Help: "Who changed what", Args: []Arg{
		{Name: "who", Kind: WhoArg, Help: "Only about this member; all if not given"},
	}},
	{Name: "teams", Who: Operators, Reads: true, Help: "All teams: what they have spent this month, and their limits"},
	{Name: "reload", Who: Operators, Help: "Read the config file again"},
}

// Verbs are all verbs, in the order of help.
func Verbs() Table { return slices.Clone(verbs) }

// FindVerb finds a verb about quotas by its name, in any case.
func FindVerb(name string) (Verb, bool) { return verbs.Find(name) }

// Find finds a verb by its name, in any case.
func (t Table) Find(name string) (Verb, bool) {
	for _, v := range t {
		if strings.EqualFold(v.Name, name) {
			return v, true
		}
	}
	return Verb{}, false
}

// arg finds an argument of the verb by its name, in any case.
func (v Verb) arg(name string) (Arg, bool) {
	for _, a := range v.Args {
		is := func(s string) bool { return strings.EqualFold(s, name) }
		if is(a.Name) || slices.ContainsFunc(a.Aliases, is) {
			return a, true
		}
	}
	return Arg{}, false
}

// Usage is how the verb is typed: "set who limit amount [reason]".
func (v Verb) Usage() string {
	var b strings.Builder
	b.WriteString(v.Name)
	for _, a := range v.Args {
		word := strings.ToUpper(a.Name)
		if a.Named {
			word = a.Name + ":" + word
		}
		if !a.Required {
			word = "[" + word + "]"
		}
		b.WriteString(" " + word)
	}
	return b.String()
}
