// Package bot says what a command, a press of a button and a form mean, and who
// may do it. An adapter turns an event of its platform into a call of the
// Service, and lays out the view.Message that comes back.
//
// What people type is read in bot/command. What they read is made in bot/view,
// of texts from bot/text. What both adapters do in the same way is in
// bot/adapter and bot/lookback.
package bot

import (
	"cmp"
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
	"time"

	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/library"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
)

// Generator is what the Service needs of the engine.
type Generator interface {
	Quote(ctx context.Context, a generate.Ask) (generate.Quote, error)
	Record(ctx context.Context, a generate.Ask) (generate.Job, error)
	Accept(ctx context.Context, j generate.Job) (generate.Job, error)
	Prepare(ctx context.Context, j generate.Job) (generate.Job, error)
	Drop(ctx context.Context, job string) error
	Cancel(ctx context.Context, id, by string) (generate.Job, error)
	Note(ctx context.Context, id string, notes map[string]string) (generate.Job, error)
	Discard(ctx context.Context, id string, notes map[string]string) (generate.Job, error)
	Restore(ctx context.Context, id string, notes map[string]string) (generate.Job, error)
	Job(ctx context.Context, id string) (generate.Job, error)
	Jobs(ctx context.Context, q generate.Query) ([]generate.Job, error)
}

// Config is what a Service is made of.
type Config struct {
	Generator Generator
	// Rules are those of this moment for a team, with its library and styles;
	// a reload changes them. The empty team has neither.
	Rules   func(team string) ltx.Rules
	Catalog *text.Catalog // nil = the built-in texts
	// Usage reads the limits of somebody, and their use.
	Usage func(ctx context.Context, a quota.Asker) ([]quota.Gauge, error)
	// LoRAs looks at the files of LoRAs; nil = only their links are looked at.
	LoRAs library.Checker
	// Uploads is where LoRAs go that people give as files; nil = none are taken.
	Uploads Uploads
	// MaxLoRA is the size of the largest of them, in bytes; nil = 1 GB.
	MaxLoRA func() int64
	// Library is where LoRAs and styles are kept; nil = there are none.
	Library Library
	// Office is where quotas are looked at and changed; nil = that can't be
	// done, and Usage tells what is used.
	Office Office
	// Account returns the member whose limits apply to a member of a team,
	// and all other names of the same person; nil = everybody has one name.
	Account func(ctx context.Context, team, member string) (account string, others []string, err error)
	// Records is where people's data is erased; nil = that can't be done.
	Records generate.Records
	// Purges is set where the provider's copies are deleted as well.
	Purges bool
	// Evidence reads what a file tells of where it comes from; nil = files are
	// not verified.
	Evidence func(ctx context.Context, path string) (generate.Evidence, error)
	TempDir  string // for files that are verified; empty = the system's
	// Frames is set where the last picture of a video can be taken.
	Frames  bool
	Command string // what people type: "/ltx"; empty = that
	Logger  *slog.Logger
}

// Service takes what people type and press, on any platform, and says what they
// read. Its methods may be called from many goroutines. All that is shown to
// somebody is in that person's language, and a card and a result in the
// language of who asked for the job.
type Service struct {
	cfg    Config
	log    *slog.Logger
	recent *recent
	erased pace
	reads  sync.WaitGroup // of jobs for the memory

	uploading chan struct{}
}

// New makes a service.
func New(cfg Config) *Service {
	if cfg.Catalog == nil {
		cfg.Catalog = text.BuiltInCatalog()
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Rules == nil {
		cfg.Rules = func(string) ltx.Rules { return ltx.Rules{} }
	}
	if cfg.MaxLoRA == nil {
		cfg.MaxLoRA = func() int64 { return 1 << 30 }
	}
	if cfg.LoRAs != nil {
		cfg.Rules = withKnown(cfg.Rules, cfg.LoRAs)
	}
	cfg.Command = cmp.Or(cfg.Command, "/ltx")
	return &Service{cfg: cfg, log: cfg.Logger, recent: newRecent(), uploading: make(chan struct{}, uploadsAtATime)}
}

// Stop waits for what the service reads in the background, a few seconds at most.
func (svc *Service) Stop() { svc.reads.Wait() }

// How long a person waits for what the service reads before an answer.
const (
	quoteLimit = 500 * time.Millisecond
	readLimit  = 2 * time.Second
)

// Printer writes for somebody with this locale.
func (svc *Service) Printer(locale string) text.Printer {
	return svc.cfg.Catalog.Printer(locale, svc.cfg.Command)
}

// Languages are those that have texts: "de", "en" and so on.
func (svc *Service) Languages() []string { return svc.cfg.Catalog.Languages() }

// Choices are those of a parameter, without what nobody here may choose.
func (svc *Service) Choices(p ltx.Param) []ltx.Choice {
	rules := svc.cfg.Rules("")
	rules.AnyTier = true
	p, _ = rules.Offered(p)
	return p.Choices
}

// sorry tells a person that something went wrong inside the bot, and logs the
// error under the id that the message shows.
func (svc *Service) sorry(ctx context.Context, c Caller, key, op string, err error) view.Message {
	return view.Sorry(svc.Printer(c.Locale), key, svc.incident(ctx, op, err, c))
}

// incident logs an error that a person cannot mend, and returns its id: the
// person quotes it, and the operator finds it in the log.
func (svc *Service) incident(ctx context.Context, op string, err error, c Caller) string {
	id := rand.Text()[:incidentLength]
	svc.log.ErrorContext(ctx, "request of a person did not succeed",
		"incident", id, "op", op, "member", c.Member, "team", c.Team, "error", err)
	return id
}

// incidentLength is long enough to find one line in a log.
const incidentLength = 8
