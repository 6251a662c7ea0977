// Package web is the console: the pages under /admin where members see their own
// jobs and videos, admins run their team, and the operator sees everything.
//
// Pages are html/template with one stylesheet and a few lines of script; they
// work without the script. Nothing comes from another host but the videos. Every
// page and every action asks anew who somebody is: a session only says who
// signed in, the platform says what they may do now. What changes a team goes
// through the same Office as a command in the chat.
//
// A page is a row of the table of routes (route.go) and a template in html/.
package web

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/library"
	"ltxbot/core/quota"
	"ltxbot/core/team"
	"ltxbot/internal/ingress"
)

// Path is where the console is.
const Path = "/admin"

// Config is what a Server is made of. What is not said to be optional must be
// set.
type Config struct {
	// PublicURL is the address by which people reach the bot, without a path:
	// "https://ltx.example.com". Without it the console answers only browsers
	// on the same machine.
	PublicURL string
	// Token is the operator's; empty = nobody signs in with one.
	Token string
	// SignIns are the platforms by which people sign in; none is fine.
	SignIns []SignIn
	// People tells of each platform who somebody is there now.
	People map[string]People
	// MediaHosts are the hosts of videos: "fal.media", "*.fal.media",
	// "127.0.0.1:9000". KeepMedia is how long the videos are there; 0 = for ever.
	MediaHosts []string
	KeepMedia  time.Duration
	// Archive has copies of videos; nil = there are none. A job says whether it has
	// one.
	Archive Archive

	Sessions Sessions
	Jobs     Jobs
	Office   Office
	Library  Library
	// CheckLoRA says what the file of a LoRA is, and what keeps it from working.
	CheckLoRA func(ctx context.Context, team, member, link string) string
	// Brought says what there is to know of the file that an order has brought into a
	// library, and NotKept why one is not taken.
	Brought func(r library.Report) string
	NotKept func(err *library.UnusableError) string
	// Usage reads limits and their use.
	Usage func(ctx context.Context, a quota.Asker) ([]quota.Gauge, error)
	// Account is the member whose limits apply to a member, and whose jobs are
	// theirs.
	Account func(ctx context.Context, team, member string) (account string, others []string, err error)
	Policy  func() quota.Policy
	// Models are those that tiers add to those that everybody may choose.
	Models func(tiers []string) []string
	// Teams names all teams; Team is the one of a guild or workspace.
	Teams func(ctx context.Context) ([]string, error)
	Team  func(ctx context.Context, platform, tenant string) string
	// Days is what was spent on each day, in UTC; all teams when team is empty.
	Days func(ctx context.Context, team string, from, to time.Time) ([]Day, error)
	// Told is what a job's requester reads about it, in English.
	Told func(j generate.Job) string
	// Words are what the chat calls things.
	Words Words
	// Again makes the video of a job once more, for a member; nil = that can't
	// be done here.
	Again func(ctx context.Context, a Again) (generate.Job, error)
	// Name is what a member is called; nil = nobody tells.
	Name func(ctx context.Context, member string) (string, error)
	// Export is all that is kept of a member's jobs, Erase erases it. Without a team
	// they mean all teams.
	Export func(ctx context.Context, team, member string) ([]generate.Personal, error)
	Erase  func(ctx context.Context, team, member string) (generate.Erased, error)
	// Health looks at the parts of the bot, Examine runs the doctor.
	Health  func(ctx context.Context) Health
	Examine func(ctx context.Context) []Finding

	Version string
	Guard   *ingress.Guard
	Now     func() time.Time // nil = time.Now
	Logger  *slog.Logger     // nil = discard
}

// Words are what the chat calls things, in English: the pages have no words of their
// own for them. Addresses, forms and CSV have the names of the records.
type Words interface {
	// State is what has become of a job: "Making your video".
	State(j generate.Job) string
	// StateName is a state alone.
	StateName(s generate.State) string
	// Why is why a job has no video, without anything that its requester typed;
	// empty = there is nothing to say.
	Why(j generate.Job) string
	// Verb is an order by its name in the audit log: "Give extra" for "grant".
	Verb(name string) string
}

// Jobs is what the console needs of the engine.
type Jobs interface {
	Job(ctx context.Context, id string) (generate.Job, error)
	Jobs(ctx context.Context, q generate.Query) ([]generate.Job, error)
	Cancel(ctx context.Context, id, by string) (generate.Job, error)
	GiveUp(ctx context.Context, id, by string) (generate.Job, error)
	Redeliver(ctx context.Context, id, by string) (generate.Job, error)
}

// Office is where quotas are looked at and changed.
type Office interface {
	Do(ctx context.Context, a team.Actor, o team.Order) (team.Report, error)
}

// Day is what was spent on one day.
type Day struct {
	Day string // "2026-03-11"
	team.Spending
}

// Health is how the parts of the bot are.
type Health struct {
	Ready bool
	Parts []Part
}

// Part is one of them.
type Part struct{ Name, State, Detail string }

// Finding is one thing that the doctor looked at.
type Finding struct{ Level, Area, Text, Advice string }

// Server is the console. It is an http.Handler for Path and all below it.
type Server struct {
	cfg    Config
	log    *slog.Logger
	public *url.URL // nil = only this machine
	pages  loaded
	mux    *http.ServeMux
	guard  *http.CrossOriginProtection
	policy string // Content-Security-Policy
	tries  *ingress.Backoff
	begun  *ingress.Limiter
	people *people
	names  *names
	watch  *watch
}

// New makes a console.
func New(cfg Config) (*Server, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{
		cfg: cfg, log: cfg.Logger, mux: http.NewServeMux(), guard: http.NewCrossOriginProtection(),
		policy: contentPolicy(cfg.MediaHosts, cfg.Archive != nil), tries: ingress.NewBackoff(), begun: ingress.NewLimiter(signInsOfOne, signInsOfAll),
		people: newPeople(cfg.People, cfg.Now), names: newNamesOf(cfg.Name, cfg.Now),
	}
	s.watch = newWatch(cfg.Jobs, func(ctx context.Context, err error) {
		s.log.WarnContext(ctx, "cannot keep a page of the console up to date", "error", err)
	})
	if cfg.PublicURL != "" {
		var err error
		if s.public, err = url.Parse(cfg.PublicURL); err != nil {
			return nil, err
		}
	}
	var err error
	if s.pages, err = load(); err != nil {
		return nil, err
	}
	for _, r := range routes() {
		s.mux.Handle(r.pattern, s.handle(r))
	}
	s.mux.Handle(Path+"/", s.handle(route{may: Nobody, do: (*Server).missing}))
	s.mux.Handle("GET "+Path, http.RedirectHandler(Path+"/", http.StatusSeeOther))
	return s, nil
}

// maxForm bounds the body of a request, in bytes.
const maxForm = 64 << 10

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", s.policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if why := s.unreachable(r); why != "" {
		http.Error(w, why, http.StatusNotFound)
		return
	}
	if err := s.guard.Check(r); err != nil {
		s.cfg.Guard.Note(ingress.Console, ingress.Foreign)
		http.Error(w, "this form was sent by another site; open the console and try again", http.StatusForbidden)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	s.mux.ServeHTTP(w, r)
}
