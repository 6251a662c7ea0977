// Package slack brings the bot to Slack: commands, buttons, forms and the
// Home tab in, cards and videos out.
//
// What people do comes in by Socket Mode or by HTTP and goes through one
// dispatcher, which acknowledges first and works then. A Bot is also the
// generate.Courier of Slack's jobs: it keeps their cards current and shares
// their videos, each once. What it must know across a restart is kept in the
// notes of the job.
//
// A finished video is two messages that follow one another: the file, which
// plays in place, and a text that mentions the requester and has the buttons.
// Slack shares a file by a message of its own that takes no buttons, and an
// edit of the card would notify nobody.
package slack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"ltxbot/bot"
	"ltxbot/bot/adapter"
	"ltxbot/bot/lookback"
	"ltxbot/core/generate"
	"ltxbot/internal/ingress"
)

// platform is the name of Slack in jobs and members.
const platform = "slack"

// Mode is how events come in.
type Mode string

// The modes. An app uses one of them.
// https://docs.slack.dev/apis/events-api/comparing-http-socket-mode
const (
	Socket Mode = "socket" // the bot connects to Slack
	HTTP   Mode = "http"   // Slack calls Bot.Handler
)

// Config is what a Bot is made of.
type Config struct {
	adapter.Config

	BotToken      string // xoxb-…
	AppToken      string // xapp-…, for Socket
	SigningSecret string // for HTTP
	Mode          Mode   // empty = Socket
	APIURL        string // empty = https://slack.com/api/
	Command       string // empty = /ltx

	AdminGroups []string // user groups that may manage the team, besides admins and owners
	TierGroups  []string // user groups that decide about quota tiers
	AllowGuests bool     // guests and people of other organisations may make videos

	// Team names the budget of a workspace, which may belong to an
	// organisation; nil or "" = "slack:<workspace id>".
	Team func(workspace, enterprise string) string

	Service *bot.Service
	// OAuth lets any number of workspaces install the app; nil = BotToken is
	// the only installation's. With it, BotToken may be empty.
	OAuth *OAuth
	// Timing of connections and calls; zero fields are the defaults.
	Timing Timing
}

// Timing is how long the bot waits for Slack, and pauses.
type Timing struct {
	Ping      time.Duration // without a ping, a connection is given up
	Reconnect time.Duration // pause before a connection that broke at once is tried again, growing
	Share     time.Duration // that a shared file may take to appear before a link takes its place
	Settle    time.Duration // that a post whose reply was lost may take to appear
}

func (t *Timing) setDefaults() {
	t.Ping = cmp.Or(t.Ping, 30*time.Second)
	t.Reconnect = cmp.Or(t.Reconnect, 2*time.Second)
	t.Share = cmp.Or(t.Share, 30*time.Second)
	t.Settle = cmp.Or(t.Settle, 5*time.Second)
}

// Bot is the program's presence on Slack.
type Bot struct {
	cfg     Config
	log     *slog.Logger
	tokens  tokens
	web     *http.Client // short calls
	uploads *http.Client // without a timeout of its own
	work    *adapter.Pool
	people  *people
	edits   *editLimits
	shown   adapter.ShownCards
	posts   *lookback.Posts[ownPost]
	clicks  *ingress.Seen // presses, so that a double click counts once
	events  *ingress.Seen // ids of events and signatures of requests

	registry *registry     // nil without OAuth
	states   *states       // of installations under way
	installs *rate.Limiter // of codes that are exchanged

	fatal   chan error
	live    atomic.Int32 // connections on which events come
	greeted atomic.Bool  // a connection was made since the start
	off     *switchedOff

	mu      sync.Mutex
	clients map[string]*client // by token
	stop    context.CancelFunc // of connections and handlers; nil before Start
	group   sync.WaitGroup
}

// New makes a bot. It talks to nobody until Start or Check.
func New(cfg Config) (*Bot, error) {
	cfg.setDefaults()
	switch {
	case cfg.Service == nil:
		return nil, errors.New("slack: the service is missing")
	case cfg.BotToken == "" && cfg.OAuth == nil:
		return nil, errors.New("slack: the bot token is missing")
	case cfg.Mode == Socket && cfg.AppToken == "":
		return nil, errors.New("slack: the app-level token is missing; it is needed for Socket Mode")
	case cfg.Mode == HTTP && cfg.SigningSecret == "":
		return nil, errors.New("slack: the signing secret is missing; it is needed in the HTTP mode")
	case cfg.Mode != Socket && cfg.Mode != HTTP:
		return nil, fmt.Errorf("slack: there is no mode %q", cfg.Mode)
	}
	b := &Bot{
		cfg: cfg, log: cfg.Logger, tokens: oneToken(cfg.BotToken),
		web: newHTTPClient(callTimeout), uploads: newHTTPClient(0),
		work: adapter.NewPool(platform), edits: newEditLimits(cfg.Now, cfg.Meter), shown: adapter.NewShownCards(),
		posts:  lookback.New[ownPost](uint64(searchOverlap / time.Microsecond)),
		clicks: ingress.NewSeen(cfg.Now, adapter.DoubleClick), events: ingress.NewSeen(cfg.Now, 2*replayWindow),
		installs: rate.NewLimiter(rate.Every(installPause), installBurst),
		fatal:    make(chan error, 1), off: newSwitchedOff(), clients: map[string]*client{},
	}
	if cfg.OAuth != nil {
		if err := b.addOAuth(*cfg.OAuth); err != nil {
			return nil, err
		}
	}
	b.people = newPeople(b)
	return b, nil
}

func (c *Config) setDefaults() {
	c.Mode = cmp.Or(c.Mode, Socket)
	c.APIURL = strings.TrimSuffix(cmp.Or(c.APIURL, "https://slack.com/api"), "/") + "/"
	c.Command = cmp.Or(c.Command, "/ltx")
	if c.Team == nil {
		c.Team = func(string, string) string { return "" }
	}
	c.SetDefaults()
	c.Timing.setDefaults()
}

// Start returns when events come in: in the Socket mode with the first
// connection, in the HTTP mode at once. Connections that end later are
// replaced until Stop. An error that no new connection can mend, such as a
// revoked token, is a *FatalError, from Start or later from Fatal.
func (b *Bot) Start(ctx context.Context) error {
	if b.registry != nil {
		if err := b.registry.open(ctx); err != nil {
			return err
		}
	}
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	b.mu.Lock()
	if b.stop != nil {
		b.mu.Unlock()
		stop()
		return errors.New("slack: already started")
	}
	b.stop = stop
	b.mu.Unlock()
	if err := b.hello(ctx); err != nil {
		return err
	}
	b.work.Open(life)
	if b.cfg.Mode == HTTP {
		return nil
	}
	return b.connect(ctx, life)
}

// hello learns who the bot is. Only an error that stays is one, and only when
// nobody else is served.
func (b *Bot) hello(ctx context.Context) error {
	c, err := b.client(ctx, "")
	if err != nil {
		return nil //nolint:nilerr // no installation yet: it is looked up when it is needed
	}
	if _, err := c.identity(ctx); err != nil {
		if f := fatal(err); f != nil && b.registry == nil {
			return f
		}
		b.log.WarnContext(ctx, "cannot ask slack who the bot is", "error", err)
	}
	return nil
}

// Stop ends the connections, lets handlers under way finish until ctx is done,
// and returns when none is left. It may be called twice.
func (b *Bot) Stop(ctx context.Context) error {
	b.mu.Lock()
	stop := b.stop
	b.mu.Unlock()
	if stop == nil {
		return nil
	}
	err := b.work.Close(ctx)
	stop()
	b.group.Wait()
	b.web.CloseIdleConnections()
	b.uploads.CloseIdleConnections()
	return err
}

// Connected reports whether events come in: in the HTTP mode always, as far
// as the bot can know.
func (b *Bot) Connected() bool { return b.cfg.Mode == HTTP || b.live.Load() > 0 }

// Fatal yields the *FatalError that ended the bot's presence for good.
func (b *Bot) Fatal() <-chan error { return b.fatal }

// Courier is the bot as the engine sees it.
func (b *Bot) Courier() generate.Courier { return b }

// fail reports an error that does not go away by itself.
func (b *Bot) fail(err error) {
	select {
	case b.fatal <- err:
	default: // one is enough
	}
}

// callTimeout bounds one call to Slack without a file.
const callTimeout = 15 * time.Second

// newHTTPClient follows no redirect: Slack's API has none, and a token must
// not go where one points.
func newHTTPClient(timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			ForceAttemptHTTP2:     true,
			MaxIdleConns:          64,
			MaxIdleConnsPerHost:   32,
			IdleConnTimeout:       90 * time.Second,
			TLSHandshakeTimeout:   5 * time.Second,
			ResponseHeaderTimeout: time.Minute,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
