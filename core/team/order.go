package team

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"ltxbot/core/quota"
	"ltxbot/internal/spell"
)

// An Order is a verb with its arguments, as somebody gave them.
type Order struct {
	Verb string            `json:"verb"`
	Team string            `json:"team,omitempty"` // of an operator's order; others order about their own team
	Args map[string]string `json:"args,omitempty"` // by the name of the Arg
	// Seen names the edition of what is to be changed that a form has shown. A
	// later one is not overwritten; empty = it does not matter.
	Seen string `json:"seen,omitempty"`
	// LookFor is how long it may take to look at the file of a LoRA, at most; 0 = as
	// long as that takes. In JSON it is in nanoseconds.
	LookFor time.Duration `json:"look_for,omitempty"`
}

// ParseOrder reads the words of a line, "grant", "<@1>", "videos:5", as an
// order about quotas. Its errors are *OrderError.
func ParseOrder(words []string) (Order, error) { return verbs.Parse(words) }

// Parse reads the words of a line as an order. Its errors are *OrderError.
func (t Table) Parse(words []string) (Order, error) {
	if len(words) == 0 {
		return Order{}, &OrderError{Problem: NoVerb}
	}
	verb, ok := t.Find(words[0])
	if !ok {
		return Order{}, t.Unknown(words[0])
	}
	o := Order{Verb: verb.Name, Args: map[string]string{}}
	var places []Arg
	for _, a := range verb.Args {
		if !a.Named {
			places = append(places, a)
		}
	}
	give := func(a Arg, value string) error {
		if _, twice := o.Args[a.Name]; twice {
			return &OrderError{Problem: GivenTwice, Verb: verb.Name, Arg: a.Name, Value: value}
		}
		o.Args[a.Name] = value
		return nil
	}
	open := "" // the argument that goes on until the next one that is named
	for i, word := range words[1:] {
		if a, value, ok := verb.named(word); ok {
			open = ""
			if a.Kind == WordsArg || a.Kind == LineArg {
				open = a.Name
			}
			if a.Kind == TextArg { // it goes on to the end of the line
				value = strings.Join(append([]string{value}, words[i+2:]...), " ")
			}
			if err := give(a, strings.TrimSpace(value)); err != nil || a.Kind == TextArg {
				return o, err
			}
			continue
		}
		if open != "" {
			o.Args[open] = strings.TrimSpace(o.Args[open] + " " + word)
			continue
		}
		for len(places) > 0 && o.Args[places[0].Name] != "" {
			places = places[1:]
		}
		if len(places) == 0 {
			return o, &OrderError{Problem: TooMuch, Verb: verb.Name, Value: word}
		}
		if places[0].Kind == TextArg {
			return o, give(places[0], strings.Join(words[i+1:], " "))
		}
		if err := give(places[0], word); err != nil {
			return o, err
		}
		if places[0].Kind == LineArg {
			open = places[0].Name
		}
	}
	return o, nil
}

// named takes "reason:spam", "reason=spam" or "--reason=spam" apart if it
// names an argument of v.
func (v Verb) named(word string) (Arg, string, bool) {
	i := strings.IndexAny(word, ":=")
	if i < 0 {
		return Arg{}, "", false
	}
	a, ok := v.arg(strings.TrimLeft(word[:i], "-—–"))
	return a, word[i+1:], ok
}

// OrderProblem is what is wrong with an order.
type OrderProblem string

// The problems of orders. Each has a text in the catalogue of bot/text.
const (
	NoVerb        OrderProblem = "no_verb"
	UnknownVerb   OrderProblem = "unknown_verb"
	UnknownArg    OrderProblem = "unknown_arg"
	Missing       OrderProblem = "missing"
	GivenTwice    OrderProblem = "given_twice"
	TooMuch       OrderProblem = "too_much"
	BadMember     OrderProblem = "bad_member"
	BadLimit      OrderProblem = "bad_limit"
	BadAmount     OrderProblem = "bad_amount"
	BadNumber     OrderProblem = "bad_number"
	BadMoney      OrderProblem = "bad_money"
	BadUntil      OrderProblem = "bad_until"
	BadMonth      OrderProblem = "bad_month"
	BadTeam       OrderProblem = "bad_team"      // an operator named none, or one that can't be
	NothingGiven  OrderProblem = "nothing_given" // grant without videos and dollars
	NoSuchCode    OrderProblem = "no_such_code"
	SamePlatform  OrderProblem = "same_platform" // both accounts to link are on one
	AlreadyLinked OrderProblem = "already_linked"
	NotLinked     OrderProblem = "not_linked"
	NotLinkable   OrderProblem = "not_linkable"  // the team is on one platform only
	Decided       OrderProblem = "decided"       // an admin has decided something about the account
	NothingToDo   OrderProblem = "nothing_to_do" // it is so already
	TooMany       OrderProblem = "too_many"      // limits over rolling time, or extras, of one holder

	BlocksOneself OrderProblem = "blocks_oneself"

	AboveOperator   OrderProblem = "above_operator"   // Value is the limit that it has set
	OperatorStopped OrderProblem = "operator_stopped" // a block or a pause
	OperatorsTeam   OrderProblem = "operators_team"   // extras for the team, resets of the team
	OperatorsMember OrderProblem = "operators_member" // the same, for a member whose limit it has set
)

// OrderProblems are all problems, for whoever needs a text for each.
var OrderProblems = []OrderProblem{
	NoVerb, UnknownVerb, UnknownArg, Missing, GivenTwice, TooMuch, BadMember, BadLimit, BadAmount, BadNumber, BadMoney,
	BadUntil, BadMonth, BadTeam, NothingGiven, NoSuchCode, SamePlatform, AlreadyLinked, NotLinked, NotLinkable, Decided, NothingToDo, TooMany, BlocksOneself,
	AboveOperator, OperatorStopped, OperatorsTeam, OperatorsMember,
}

// OrderError says what is wrong with an order. Texts for people are made of
// its fields by the chat platforms; Error is for the command line and the API.
type OrderError struct {
	Problem OrderProblem
	Verb    string
	Arg     string
	Value   string // as typed
	Nearest string // what was probably meant
}

// orderTexts say each problem in English.
var orderTexts = map[OrderProblem]string{
	NoVerb:        "say what to do",
	UnknownVerb:   "%[1]q is not a command here",
	UnknownArg:    "%[2]s takes no %[3]q",
	Missing:       "%[2]s needs %[3]s",
	GivenTwice:    "%[3]s is given twice",
	TooMuch:       "%[2]s: %[1]q is too much",
	BadMember:     "%[1]q is not a member: write discord:USER-ID or slack:WORKSPACE-ID:USER-ID",
	BadLimit:      "%[1]q is not a limit: write videos_per_day, usd_per_week, videos_per_month, usd_per_24h, jobs_at_a_time …",
	BadAmount:     "%[1]q is not an amount for this limit: write a number above 0, or none for no limit; to stop somebody, block them",
	BadNumber:     "%[1]q is not a whole number above 0",
	BadMoney:      "%[1]q is not an amount in dollars above 0",
	BadUntil:      "%[1]q is not a time in the future: write 12h, 7d or a day such as 2026-12-31",
	BadMonth:      "%[1]q is not a month: write one such as 2026-03",
	BadTeam:       "%[1]q is not a team: name one from the config, or discord:GUILD-ID or slack:WORKSPACE-ID",
	NothingGiven:  "say how many videos or dollars: videos:5 or usd:2.50",
	NoSuchCode:    "this code does not exist, was used, or is older than ten minutes",
	SamePlatform:  "the code is from the same platform: give it on the other one",
	AlreadyLinked: "this account is linked already",
	NotLinked:     "this account is not linked",
	NotLinkable:   "this team is on one platform only",
	Decided:       "an admin has decided something about this account, so that it can't be linked or unlinked now",
	NothingToDo:   "it is so already",
	TooMany:       "there are as many as there may be: take some back first, with unset or revoke",

	BlocksOneself: "this is your own account: another admin or the operator can block it",

	AboveOperator:   "the operator allows %[1]s: an admin of the team can set less, and only the operator more",
	OperatorStopped: "the operator has done that, and only the operator can undo it",
	OperatorsTeam:   "only the operator gives a team extras and resets what it has used",
	OperatorsMember: "the operator has set a limit for this member: only the operator gives extras and resets what was used",
}

func (e *OrderError) Error() string {
	text := orderTexts[e.Problem]
	if e.Problem == BadTeam && e.Value == "" {
		text = "say which team: --team NAME with one of the config, discord:GUILD-ID or slack:WORKSPACE-ID"
	}
	if strings.Contains(text, "%") {
		text = fmt.Sprintf(text+"%[4]s", e.Value, e.Verb, e.Arg, "")
	}
	if e.Nearest != "" {
		text += "; did you mean " + e.Nearest + "?"
	}
	return text
}

// Who may not do something.
var (
	ErrNotAdmin    = errors.New("only an admin of the team may do that")
	ErrNotOperator = errors.New("only whoever runs the bot may do that")
	ErrOtherTeam   = errors.New("an admin manages only their own team")
)

// Unknown is the error for a word that is no verb of the table.
func (t Table) Unknown(word string) *OrderError {
	return &OrderError{Problem: UnknownVerb, Value: word, Nearest: t.nearest(word)}
}

// meanings are the verbs that people mean by other words.
var meanings = map[string]string{
	"give": "grant", "bonus": "grant", "ban": "block", "mute": "block", "unban": "unblock", "limit": "set", "stop": "pause", "continue": "resume",
}

// nearest is the verb that a word means or is most like, or "".
func (t Table) nearest(word string) string {
	if v, ok := t.Find(meanings[strings.ToLower(word)]); ok {
		return v.Name
	}
	best, least := "", 3
	for _, v := range t {
		if d := spell.Distance(strings.ToLower(word), v.Name); d < least && d < len(v.Name)-1 {
			best, least = v.Name, d
		}
	}
	return best
}

// nearestLimit is the limit that a word is most like, or "".
func nearestLimit(word string) string {
	windows := []quota.Window{quota.Day, quota.Week, quota.Month}
	names := make([]string, 0, 1+2*len(windows))
	names = append(names, quota.LimitName{Unit: quota.Jobs}.String())
	for _, w := range windows {
		names = append(names, quota.LimitName{Unit: quota.Videos, Window: w}.String(), quota.LimitName{Unit: quota.Dollars, Window: w}.String())
	}
	best, least := "", 3
	for _, name := range names {
		if d := spell.Distance(strings.ToLower(word), name); d < least {
			best, least = name, d
		}
	}
	return best
}
