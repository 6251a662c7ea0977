// Package slack simulates Slack on loopback, as strictly as the real service:
// Socket Mode, the Web API, signed HTTP requests, the upload host and response
// URLs on one side; people, channels and workspaces that a test or a page can
// script on the other.
//
// Start a Server, add a Workspace with users and channels, point a bot at
// Server.APIURL with Workspace.BotToken and Server.AppToken, and act as a
// person: User.Slash types a command, User.Click presses a button,
// User.SubmitView fills in a form. Channel.Messages is what people then see.
// Server.Inject breaks things on purpose, and Server.Advance moves the time.
//
// The simulator refuses what Slack refuses, with the same error names. Its
// facts come from https://docs.slack.dev.
package slack

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// Options say how a Server behaves. The zero value is Slack as it is, with an
// app that has the command /ltx.
type Options struct {
	// Addr is the address to listen on; empty means 127.0.0.1:0.
	Addr string
	// Clock is the time that deadlines and rate limits follow; nil means a
	// running clock of the server's own.
	Clock *Clock
	// Logger receives what the server notices; nil discards it.
	Logger *slog.Logger
	// App is the app under test.
	App App
	// AnswerWithin is how long the app may take to acknowledge what it is sent,
	// and to open a view for it. Zero means 3 s, as of the real service; a test of
	// something else gives a busy machine more.
	AnswerWithin time.Duration
	// PingInterval is the time between the server's WebSocket pings, in real
	// time; zero means 5 s.
	PingInterval time.Duration
	// ShareDelay is how long a completed upload takes to appear in its
	// channel; zero means 200 ms.
	ShareDelay time.Duration
	// RateScale multiplies every rate limit; zero means 1.
	RateScale float64
	// NoRateLimits switches the rate limits off, but for those of Rates.
	NoRateLimits bool
	// Rates overrides the calls per minute and workspace of single methods.
	Rates map[string]int
	// Seed makes the choice of connections repeatable; zero means random.
	Seed uint64
}

// A Server is one simulated Slack with one app. Its methods are safe for
// concurrent use.
type Server struct {
	opts    Options
	app     App
	clock   *Clock
	log     *slog.Logger
	dir     string
	base    string
	filesAt string // where the files that people give are: base, or what stands before it
	methods map[string]method
	http    *http.Server
	client  *http.Client
	stop    context.CancelFunc
	done    <-chan struct{}
	wg      sync.WaitGroup

	mu         sync.Mutex
	closed     bool
	change     chan struct{}
	counter    uint64
	lastTS     int64
	random     *mathrand.Rand
	creds      credentials
	endpoints  Endpoints
	socketOff  bool
	socketMute bool
	workspaces []*Workspace
	users      map[string]*User
	channels   map[string]*Channel
	tokens     map[string]*token
	codes      map[string]*authCode
	triggers   map[string]*trigger
	urls       map[string]*responseURL
	files      map[string]*file
	uploads    map[string]*file
	views      map[string]*view
	tickets    map[string]bool
	conns      map[*conn]struct{}
	pending    map[string]*pending
	late       map[string]bool // envelopes that are over: whether nobody answered in time
	acks       []Ack
	rates      map[string]*window
	faults     []*Fault
	requests   []Request
	events     map[string]*Workspace
	sharing    time.Duration
	signIn     *signInState // nil until somebody signs in
}

// Start returns a server that is listening.
func Start(o Options) (*Server, error) {
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.PingInterval == 0 {
		o.PingInterval = 5 * time.Second
	}
	if o.ShareDelay == 0 {
		o.ShareDelay = 200 * time.Millisecond
	}
	if o.RateScale == 0 {
		o.RateScale = 1
	}
	if o.Seed == 0 {
		o.Seed = mathrand.Uint64() //nolint:gosec // chooses connections, guards nothing
	}
	if o.Clock == nil {
		o.Clock = NewClock()
	}
	dir, err := os.MkdirTemp("", "sim-slack-")
	if err != nil {
		return nil, fmt.Errorf("start sim/slack: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.Addr)
	if err != nil {
		cancel()
		return nil, errors.Join(fmt.Errorf("start sim/slack: %w", err), os.RemoveAll(dir))
	}
	s := &Server{
		opts: o, clock: o.Clock, log: o.Logger, dir: dir,
		base:     "http://" + listener.Addr().String(),
		client:   &http.Client{Transport: &http.Transport{}, CheckRedirect: noRedirects},
		stop:     cancel,
		done:     ctx.Done(),
		change:   make(chan struct{}),
		random:   mathrand.New(mathrand.NewPCG(o.Seed, o.Seed)), //nolint:gosec // repeatable on purpose, guards nothing
		sharing:  o.ShareDelay,
		users:    map[string]*User{},
		channels: map[string]*Channel{},
		tokens:   map[string]*token{},
		codes:    map[string]*authCode{},
		triggers: map[string]*trigger{},
		urls:     map[string]*responseURL{},
		files:    map[string]*file{},
		uploads:  map[string]*file{},
		views:    map[string]*view{},
		tickets:  map[string]bool{},
		conns:    map[*conn]struct{}{},
		pending:  map[string]*pending{},
		late:     map[string]bool{},
		rates:    map[string]*window{},
		events:   map[string]*Workspace{},
	}
	s.app = o.App.withDefaults(s)
	s.creds = s.newCredentials()
	s.methods = methods()
	s.http = &http.Server{Handler: s.routes(), ReadHeaderTimeout: 10 * time.Second}
	s.wg.Go(func() {
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("serve", "error", err)
		}
	})
	return s, nil
}

func noRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Close stops the server and waits for everything it started. It may be called
// twice.
func (s *Server) Close() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		s.wg.Wait()
		return
	}
	s.closed = true
	conns := s.liveConns()
	for _, p := range s.pending {
		p.resolve(nil, "server_closed")
	}
	s.mu.Unlock()
	s.stop()
	for _, c := range conns {
		c.drop()
	}
	if err := s.http.Close(); err != nil {
		s.log.Error("close", "error", err)
	}
	s.client.CloseIdleConnections()
	s.wg.Wait()
	s.clock.release(s)
	if err := os.RemoveAll(s.dir); err != nil {
		s.log.Error("remove files", "error", err)
	}
}

// ServeFilesAt makes files have the address of something that stands before the
// simulator, "http://127.0.0.1:PORT". It must be called before there are any.
func (s *Server) ServeFilesAt(address string) { s.filesAt = address }

// APIURL is the base URL of the Web API, with a trailing slash.
func (s *Server) APIURL() string { return s.base + "/api/" }

// Advance moves the server's clock by d and returns when everything that fell
// due has happened.
func (s *Server) Advance(d time.Duration) { s.clock.Advance(d) }

// Now is the server's time.
func (s *Server) Now() time.Time { return s.clock.Now() }

// routes is the server's whole surface: Web API, sockets, upload host, file
// host, response URLs and the sign-in page that downloads are redirected to.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/api/{method}", s.serveAPI)
	mux.HandleFunc("GET /link/", s.serveSocket)
	mux.HandleFunc("POST /upload/v1/{key}", s.serveUpload)
	mux.HandleFunc("GET /files-pri/{file}/{name}", s.serveDownload)
	mux.HandleFunc("GET /files-pri/{file}/download/{name}", s.serveDownload)
	mux.HandleFunc("POST /commands/{key}", s.serveResponseURL)
	mux.HandleFunc("POST /actions/{key}", s.serveResponseURL)
	mux.HandleFunc("GET /signin", serveSignIn)
	mux.HandleFunc("GET /openid/connect/authorize", s.serveSignInPage)
	mux.HandleFunc("GET /openid/connect/keys", s.serveKeys)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.enter() {
			http.Error(w, "closed", http.StatusServiceUnavailable)
			return
		}
		defer s.wg.Done()
		mux.ServeHTTP(w, r)
	})
}

// enter counts one more thing to wait for, unless the server is closing.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.wg.Add(1)
	return true
}

// spawn runs f in a goroutine that Close waits for; s.mu is held.
func (s *Server) spawn(f func(context.Context)) {
	if s.closed {
		return
	}
	s.wg.Go(func() {
		ctx, cancel := s.bounded(context.Background())
		defer cancel()
		f(ctx)
	})
}

// bounded derives a context from parent that also ends when the server closes.
func (s *Server) bounded(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(parent)
	stop := make(chan struct{})
	var once sync.Once
	var wg sync.WaitGroup
	wg.Go(func() {
		select {
		case <-s.done:
			cancel()
		case <-stop:
		}
	})
	return ctx, func() {
		once.Do(func() { close(stop) })
		wg.Wait()
		cancel()
	}
}

// secret is an unguessable string for tokens and URLs.
func secret() string { return rand.Text() }
