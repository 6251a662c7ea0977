package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"ltxbot/app/health"
	"ltxbot/archive"
	"ltxbot/bot"
	"ltxbot/bot/discord"
	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/library"
	"ltxbot/core/team"
	"ltxbot/internal/ingress"
	"ltxbot/web"
)

// consoleParts are the parts of the bot that the console shows.
type consoleParts struct {
	base

	people  records
	office  *team.Office
	library libraries
	chats   platforms
	archive archive.Archive // nil = there is none
	health  *health.Monitor
	guard   *ingress.Guard
	purges  bool // the bot may delete what the provider keeps
	examine func(ctx context.Context) []web.Finding
}

// newConsole makes the pages under /admin.
func newConsole(p consoleParts) (*web.Server, error) {
	store, engine := p.people.store, p.people.engine
	printer := text.BuiltInCatalog().Printer(text.DefaultLanguage, p.cfg.Slack.Command)
	cfg := web.Config{
		PublicURL:  p.cfg.HTTP.PublicURL,
		Token:      p.cfg.HTTP.AdminToken.Reveal(),
		SignIns:    p.signIns(),
		People:     map[string]web.People{},
		MediaHosts: p.cfg.Fal.MediaHosts,
		KeepMedia:  p.cfg.Fal.KeepMedia.Duration,
		Archive:    p.archive,
		Sessions:   store,
		Jobs:       engine,
		Office:     p.office,
		Library:    p.library.Office,
		CheckLoRA:  p.checkLoRA,
		Brought:    func(r library.Report) string { return view.Brought(printer, r).String() },
		NotKept:    func(err *library.UnusableError) string { return view.RefuseLibrary(printer, err).String() },
		Usage:      engine.Usage,
		Account:    p.office.Account,
		Policy:     p.now.policy,
		Models:     p.now.models,
		Teams:      p.people.allTeams,
		Team:       p.teamOf,
		Days:       p.days,
		Again:      p.again,
		Name:       p.nameOf,
		Export: func(ctx context.Context, team, member string) ([]generate.Personal, error) {
			return generate.Export(ctx, store, team, member)
		},
		Erase: func(ctx context.Context, team, member string) (generate.Erased, error) {
			done, err := generate.Erase(ctx, store, p.purges, team, member)
			p.chats.erased(member)
			return done, err
		},
		Health:  func(ctx context.Context) web.Health { return shownHealth(p.health.Report(ctx)) },
		Examine: p.examine,
		Guard:   p.guard,
		Logger:  p.log,
		Words:   consoleWords{printer},
		Told: func(j generate.Job) string {
			m := view.Card(printer, j)
			m.Buttons = nil
			return plain(m)
		},
	}
	for _, c := range p.chats {
		cfg.People[c.name] = consolePeople{c}
	}
	return web.New(cfg)
}

// consoleWords are the words of the chat. It implements web.Words.
type consoleWords struct{ text.Printer }

func (w consoleWords) State(j generate.Job) string       { return view.JobState(w.Printer, j) }
func (w consoleWords) StateName(s generate.State) string { return view.StateName(w.Printer, s) }
func (w consoleWords) Why(j generate.Job) string         { return view.Why(w.Printer, j) }
func (w consoleWords) Verb(name string) string           { return view.VerbName(w.Printer, name) }

// signIns are the platforms by which people sign in.
func (p consoleParts) signIns() []web.SignIn {
	var all []web.SignIn
	agent := "DiscordBot (" + discord.Homepage + ", " + p.version + ")"
	for _, c := range p.chats {
		switch a := c.chatAdapter.(type) {
		case discordAdapter:
			if secret := p.cfg.Console.DiscordClientSecret.Reveal(); secret != "" {
				all = append(all, web.Discord{Client: web.Client{ID: a.ClientID, Secret: secret, APIURL: p.cfg.Discord.APIURL, UserAgent: agent}})
			}
		case slackAdapter:
			if id, secret := p.cfg.SlackSignIn(); id != "" {
				all = append(all, web.Slack{Client: web.NewClient(id, secret, p.cfg.Slack.APIURL, "ltxbot/"+p.version)})
			}
		}
	}
	return all
}

// consolePeople asks a platform who somebody is.
type consolePeople struct{ platform }

// Person implements web.People.
func (c consolePeople) Person(ctx context.Context, tenant, user string) (web.Person, error) {
	who, err := c.Who(ctx, tenant, user)
	if errors.Is(err, bot.ErrStranger) {
		return web.Person{}, web.ErrStranger
	}
	return web.Person{Member: who.Member, Tiers: who.Tiers, Admin: who.Admin, Locale: who.Locale}, err
}

// checkLoRA looks at the file of a LoRA as a command in the chat does.
func (p consoleParts) checkLoRA(ctx context.Context, team, member, link string) string {
	for _, c := range p.chats { // they all say the same
		m := c.service.CheckLoRA(ctx, bot.Caller{Team: team, Member: member, Locale: text.DefaultLanguage}, link)
		m.Buttons = nil
		return m.String()
	}
	return ""
}

// teamOf is the team of a guild or workspace.
func (p consoleParts) teamOf(ctx context.Context, platform, tenant string) string {
	for _, c := range p.chats {
		if c.name == platform {
			return c.TeamOf(ctx, tenant)
		}
	}
	return p.now.teams().of(platform, tenant)
}

// nameOf asks the platform of a member for the name.
func (p consoleParts) nameOf(ctx context.Context, member string) (string, error) {
	platform, _, _ := strings.Cut(member, ":")
	for _, c := range p.chats {
		if c.name == platform {
			return c.NameOf(ctx, member)
		}
	}
	return "", nil
}

func (p consoleParts) days(ctx context.Context, team string, from, to time.Time) ([]web.Day, error) {
	found, err := p.people.store.Spending(ctx, team, from, to)
	days := make([]web.Day, 0, len(found))
	for _, d := range found {
		days = append(days, web.Day{Day: d.Day, Spending: d.Spending})
	}
	return days, err
}

func shownHealth(r health.Report) web.Health {
	h := web.Health{Ready: r.Ready}
	for _, p := range r.Parts {
		h.Parts = append(h.Parts, web.Part{Name: p.Name, State: string(p.State), Detail: p.Detail})
	}
	return h
}

// again makes the video of a job once more, where the first one was posted.
func (p consoleParts) again(ctx context.Context, a web.Again) (generate.Job, error) {
	for _, c := range p.chats {
		if c.name != a.Job.Place.Platform {
			continue
		}
		caller := bot.Caller{
			Platform: c.name, Member: a.Person.Member, Team: a.Team, Tiers: a.Person.Tiers, Admin: a.Person.Admin,
			Locale: text.DefaultLanguage, Event: a.Event,
		}
		press := c.service.Press(ctx, caller, view.ActAgain, a.Job.ID)
		if press.Ask == nil {
			return generate.Job{}, refusedAgain(press.Reply)
		}
		notes, err := c.Revisit(ctx, a.Job, a.User)
		if err != nil {
			return generate.Job{}, &web.AgainError{Text: "It was not made: " + err.Error() + "."}
		}
		ask := *press.Ask
		ask.Event, ask.Place = a.Event, a.Job.Place
		ask.Place.User, ask.Place.Member, ask.Place.Locale = a.User, "", a.Person.Locale
		r := &consoleResponder{notes: notes}
		if j, ok := c.service.Submit(ctx, ask, r); ok {
			return j, nil
		}
		return generate.Job{}, refusedAgain(r.refusal)
	}
	return generate.Job{}, &web.AgainError{Text: fmt.Sprintf("The bot is not on %s any more.", a.Job.Place.Platform)}
}

// refusedAgain says what the chat would have said.
func refusedAgain(m *view.Message) error {
	if m == nil {
		return &web.AgainError{Text: "It could not be done now. Try again in a minute."}
	}
	m.Buttons = nil
	return &web.AgainError{Text: plain(*m)}
}

// consoleResponder answers the form of the console. It implements bot.Responder.
type consoleResponder struct {
	notes   map[string]string
	refusal *view.Message
}

// Check implements bot.Responder.
func (r *consoleResponder) Check(g *generate.Ask) *view.Message {
	maps.Copy(g.Notes, r.notes)
	return nil
}

// Refuse implements bot.Responder.
func (r *consoleResponder) Refuse(_ context.Context, m view.Message) { r.refusal = &m }

// Acknowledge implements bot.Responder: the page of the job is the answer.
func (*consoleResponder) Acknowledge(context.Context, *generate.Job) error { return nil }
