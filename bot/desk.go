// Package bot is what Discord and Slack share: the grammar of a command, the
// texts for people in their language, the card, and who may do what. An
// adapter turns a platform's event into a call of the Desk, and lays out the
// Message that comes back.
package bot

import (
	"cmp"
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
)

// Caller is who typed or pressed something, as the platform vouches for it at
// this very moment.
type Caller struct {
	Platform string   // "discord", "slack"
	Member   string   // "discord:80351110224678912", "slack:T0123ABCD:U0123ABCD"
	Team     string   // the budget: "discord:<guild id>", "slack:<workspace id>", or a name from the config
	Tiers    []string // names of the quota tiers the member is in
	Admin    bool     // may manage the team: checked with the platform, never told by the client
	// Outsider is set for somebody of another organisation, who reaches the
	// bot in a channel that both share. They see what stands in that channel:
	// not the team's budget, and no job from elsewhere but their own.
	Outsider bool
	Channel  string // where an outsider is
	Locale   string // "en-US", "de"
	Event    string // names what the caller did: an order is carried out once for it
	// Also are further names of the same person: accounts that are linked
	// with Member. The desk fills them in.
	Also []string
}

// Ask is a command that makes a video.
type Ask struct {
	Event    string // names the platform's event; the same event is the same job
	Caller   Caller
	Place    generate.Place
	Settings []ltx.Setting     // as typed
	Prompt   PromptText        // what the prompt among Settings may hold
	Request  *ltx.Request      // instead of Settings: a request made before (Again, Same seed)
	Parent   string            // the job it comes from
	Notes    map[string]string // what the courier knows already
	// Identify returns the caller in full, where Caller is only what is known at
	// once; nil = Caller is complete. It may take long.
	Identify func(ctx context.Context) Caller
}

// Generator is what the Desk needs of the engine.
type Generator interface {
	Quote(ctx context.Context, a generate.Ask) (generate.Quote, error)
	Record(ctx context.Context, a generate.Ask) (generate.Job, error)
	Accept(ctx context.Context, j generate.Job) (generate.Job, error)
	Prepare(ctx context.Context, j generate.Job) (generate.Job, error)
	Drop(ctx context.Context, job string) error
	Cancel(ctx context.Context, id, by string) (generate.Job, error)
	Note(ctx context.Context, id string, notes map[string]string) (generate.Job, error)
	Job(ctx context.Context, id string) (generate.Job, error)
	Jobs(ctx context.Context, q generate.Query) ([]generate.Job, error)
}

// Config is what a Desk is made of.
type Config struct {
	Generator Generator
	// Rules are those of this moment; a reload changes them.
	Rules   func() ltx.Rules
	Catalog *Catalog // nil = the built-in texts
	// Usage reads the limits of somebody, and their use.
	Usage func(ctx context.Context, a quota.Asker) ([]quota.Gauge, error)
	// Office is where quotas are looked at and changed; nil = that can't be
	// done, and Usage tells what is used.
	Office Office
	// Account returns the member whose limits apply to a member of a team,
	// and all other names of the same person; nil = everybody has one name.
	Account func(ctx context.Context, team, member string) (account string, others []string, err error)
	// Archive is where people's data is erased; nil = that can't be done.
	Archive generate.Archive
	Command string // what people type: "/ltx"; empty = that
	Logger  *slog.Logger
}

// Desk takes what people type and press, on any platform, and says what they
// read. Its methods may be called from many goroutines. All that is shown to
// somebody is in that person's language, and a card and a result in the
// language of who asked for the job.
type Desk struct {
	cfg    Config
	log    *slog.Logger
	recent *recent
	erased pace
	reads  sync.WaitGroup // of jobs for the memory
}

// New makes a desk.
func New(cfg Config) *Desk {
	if cfg.Catalog == nil {
		cfg.Catalog = BuiltInCatalog()
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Rules == nil {
		cfg.Rules = func() ltx.Rules { return ltx.Rules{} }
	}
	cfg.Command = cmp.Or(cfg.Command, "/ltx")
	return &Desk{cfg: cfg, log: cfg.Logger, recent: newRecent()}
}

// Stop waits for what the desk reads in the background, a few seconds at most.
func (d *Desk) Stop() { d.reads.Wait() }

// How long a person waits for what the desk reads before an answer.
const (
	quoteLimit = 500 * time.Millisecond
	readLimit  = 2 * time.Second
)

// Printer writes for somebody with this locale.
func (d *Desk) Printer(locale string) Printer {
	return d.cfg.Catalog.Printer(locale, d.cfg.Command)
}

// Languages are those that have texts: "de", "en" and so on.
func (d *Desk) Languages() []string { return d.cfg.Catalog.Languages() }

// Form is the form for a video: empty, or filled in with a request. The hidden
// part of LoRA links is not in it; Submit puts it back.
func (d *Desk) Form(locale string, from *ltx.Request) Form {
	return NewForm(d.Printer(locale), d.cfg.Rules().QualityNames(), from)
}

// sorry says that something went wrong where a person cannot do anything about
// it, and logs it under the id that the person is told.
func (d *Desk) sorry(ctx context.Context, c Caller, key, op string, err error) Message {
	return Sorry(d.Printer(c.Locale), key, d.incident(ctx, op, err, c))
}

// incident logs what went wrong where a person cannot do anything about it,
// and returns the id by which both can talk about it.
func (d *Desk) incident(ctx context.Context, op string, err error, c Caller) string {
	id := rand.Text()[:incidentLength]
	d.log.ErrorContext(ctx, "request of a person did not succeed",
		"incident", id, "op", op, "member", c.Member, "team", c.Team, "error", err)
	return id
}

// incidentLength is long enough to find one line in a log.
const incidentLength = 8

// Sorry is the message about an incident: one of the texts under [error].
func Sorry(p Printer, key, incident string) Message {
	v := voice{p}
	var m Message
	m.add(v.say(Text, key), v.say(Note, "error.reference", "id", incident))
	return m.done()
}

// Answer is a message of one text.
func Answer(p Printer, key string, args ...any) Message {
	v := voice{p}
	var m Message
	m.add(v.say(Text, key, args...))
	return m.done()
}
