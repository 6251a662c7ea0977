package app

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"ltxbot/app/metrics"
	"ltxbot/bot"
	"ltxbot/bot/adapter"
	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/config"
	"ltxbot/core/generate"
	"ltxbot/core/team"
	"ltxbot/internal/ingress"
	"ltxbot/media"
)

// adapters makes the adapter of each chat platform, by its name in the config.
var adapters = map[string]func(platformParts, *bot.Service) (chatAdapter, error){
	"discord": newDiscord,
	"slack":   newSlack,
}

// A chatAdapter is the bot's side of a chat platform.
type chatAdapter interface {
	generate.Courier
	bot.Announcer
	// Start returns when commands come in, or with why they can't.
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
	// Fatal receives the error that ends the platform for good.
	Fatal() <-chan error
	// ForGood reports whether an error of Start is one that no other try mends.
	ForGood(err error) bool
	// Connected reports whether commands can come in.
	Connected() bool
	// Who is somebody in a guild or workspace at this moment, or the error is
	// bot.ErrStranger.
	Who(ctx context.Context, tenant, user string) (bot.Caller, error)
	// TeamOf is the team of a guild or workspace.
	TeamOf(ctx context.Context, tenant string) string
	// NameOf is what a member is called.
	NameOf(ctx context.Context, member string) (string, error)
	// Revisit is what the courier must know to answer where a job was asked
	// for, without an event there. Its error says to a person why it can't.
	Revisit(ctx context.Context, j generate.Job, user string) (notes map[string]string, err error)
	// Routes adds what the platform calls by HTTP.
	Routes(mux *http.ServeMux)
}

// platform is a chat platform that is switched on.
type platform struct {
	chatAdapter

	name    string
	service *bot.Service
}

type platforms []platform

// base is what every adapter needs, also one that is never started.
type base struct {
	cfg     config.Config
	now     *current
	version string
	log     *slog.Logger
}

// tiers tells the tiers of a member of a platform.
func (b base) tiers(platform string) func(member string, groups []string) []string {
	return func(member string, groups []string) []string {
		return tiersOf(b.now.config(), member, platform, groups)
	}
}

// platformParts are the parts of the bot that an adapter works with.
type platformParts struct {
	base

	store   *storage
	purges  bool // fal's copies are deleted
	engine  *generate.Engine
	office  *team.Office
	loras   loras
	uploads bot.Uploads
	library libraries
	guard   *ingress.Guard
	metrics *metrics.Metrics
	frames  bool // ffmpeg takes the last picture of a video
}

// newPlatforms builds the chat platforms that are switched on.
func newPlatforms(p platformParts, parts *lifecycle) (platforms, error) {
	var all platforms
	texts := catalog(p.cfg)
	for _, c := range p.cfg.Platforms() {
		if !c.On {
			continue
		}
		service := bot.New(bot.Config{
			Generator: p.engine,
			Rules:     p.library.rules,
			Library:   p.library.Office,
			Catalog:   texts,
			Usage:     p.engine.Usage,
			LoRAs:     p.loras,
			Uploads:   p.uploads,
			MaxLoRA:   func() int64 { return p.now.config().Library.MaxBytes },
			Office:    p.office,
			Account:   p.office.Account,
			Records:   p.store,
			Purges:    p.purges,
			Evidence:  media.ReadEvidence,
			TempDir:   p.cfg.Media.Dir,
			Frames:    p.frames,
			Command:   c.Command,
			Logger:    p.log,
		})
		parts.started("service", func(context.Context) error { service.Stop(); return nil })
		a, err := adapters[c.Name](p, service)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		all = append(all, platform{a, c.Name, service})
	}
	return all, nil
}

// catalog is the texts, with the operator's words for the line that says that a
// video was made by AI.
func catalog(cfg config.Config) *text.Catalog {
	return text.BuiltInCatalog().Reworded(view.KeyLabel, cfg.Label.In)
}

// has reports whether a platform is switched on.
func (ps platforms) has(name string) bool {
	return slices.ContainsFunc(ps, func(p platform) bool { return p.name == name })
}

// erased makes the services forget what they remember of a member.
func (ps platforms) erased(member string) {
	for _, p := range ps {
		p.service.Erased(member)
	}
}

// onceLimit bounds the question whether another process has taken a request
// in: it must be acknowledged within three seconds.
const onceLimit = 500 * time.Millisecond

// once reports whether no other process that shares the store has taken a
// request in within keep. A store that does not answer is no reason to refuse it.
func (s *storage) once(log *slog.Logger) func(ctx context.Context, request string, keep time.Duration) bool {
	if s.shared == nil {
		return nil
	}
	return func(ctx context.Context, request string, keep time.Duration) bool {
		ctx, cancel := context.WithTimeout(ctx, onceLimit)
		defer cancel()
		first, err := s.shared.Lease(ctx, "request "+request, keep)
		if err != nil {
			log.DebugContext(ctx, "cannot ask whether another process has taken a request in", "error", err)
			return true
		}
		return first
	}
}

// meter is what processes that share a store count their calls with; nil if
// the store is for one process.
func (s *storage) meter() adapter.Meter {
	if s.shared == nil {
		return nil
	}
	return s.shared
}
