// Package discord simulates Discord on loopback: the gateway, the REST API in
// versions 9 and 10, the attachment host, and the people who type commands
// and press buttons.
//
// It refuses what the real service refuses. Every body is checked against the
// documented rules, deadlines and token lifetimes run on a clock that a test
// can advance, permissions decide what the bot may see and send, and rate
// limits are enforced. A script plays the people:
//
//	server, err := discord.Start(discord.Options{})
//	guild := server.NewGuild("Acme")
//	general := guild.NewChannel("general")
//	ada := server.NewUser("ada")
//	guild.Join(ada)
//	interaction, err := ada.Slash(ctx, general, "ltx", discord.Arg("prompt", "a cowboy"))
//	card, err := general.WaitMessage(ctx, func(m discord.Message) bool { return !m.Loading })
//
// The people see only what a Discord client shows them: messages, buttons,
// modals, pings. Faults of the network and of the service are scripted with
// [Server.Inject] and [Server.GatewayFault].
package discord

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// Options says how a simulator behaves. The zero value is as strict as the
// real service, on a free port of 127.0.0.1.
type Options struct {
	// Addr is where to listen. Empty means 127.0.0.1:0.
	Addr string
	// BotName is the bot's user name. Empty means "ltx".
	BotName string
	// Now is the time on which deadlines, token lifetimes, rate limits and
	// snowflakes run. Nil means time.Now. Server.Advance adds to it.
	Now func() time.Time
	// Heartbeat is the interval announced in HELLO. Zero means 41.25 s.
	Heartbeat time.Duration
	// IdentifyEvery is the time in which MaxConcurrency identifies are
	// allowed. Zero means 5 s, negative means no limit.
	IdentifyEvery time.Duration
	// MaxConcurrency is the number of identifies in IdentifyEvery. Zero means 1.
	MaxConcurrency int
	// SessionStarts is how many identifies are allowed in 24 h. Zero means 1000.
	// Exceeding it resets the bot's token, as the real service does.
	SessionStarts int
	// AnswerWithin is how long the bot may take to answer an interaction. Zero
	// means 3 s, as of the real service; a test of something else gives a busy
	// machine more.
	AnswerWithin time.Duration
	// RateLimits says which request limits are enforced. The zero value
	// enforces the real ones.
	RateLimits RateLimits
	// Private makes the application one that only its owner can add to guilds.
	// A new application of the real service is public.
	Private bool
	// Dir is where uploaded files are kept. Empty means a temporary
	// directory that Close removes.
	Dir string
}

// A Server is a running simulator. Its methods may be called from any
// goroutine.
type Server struct {
	opts      Options
	http      *http.Server
	listener  net.Listener
	dir       string
	filesAt   string // where the files that people give are, if not here
	ownDir    bool
	signer    ed25519.PrivateKey
	public    ed25519.PublicKey
	cdnKey    []byte
	routes    []route
	token     string
	bot       *User
	app       string // application id, the same as the bot's user id
	done      chan struct{}
	closeOnce sync.Once
	closeErr  error
	running   sync.WaitGroup

	mu           sync.Mutex // guards all below and the mutable state of every world object
	advanced     time.Duration
	lastID       uint64
	tail         *changeNode
	world        world
	commands     map[string]*commandScope
	interactions map[string]*Interaction // by token
	limits       limiter
	faults       []*Fault
	requests     requestLog
	gateway      gatewayState
	webhookURL   string // interactions endpoint, empty in gateway mode
	tokenReset   bool
	oauth        *oauthState // nil until it is used
}

// Start starts a simulator. The caller closes it.
func Start(opts Options) (*Server, error) {
	opts.setDefaults()
	s := &Server{
		opts:         opts,
		cdnKey:       make([]byte, 32),
		done:         make(chan struct{}),
		tail:         newChangeNode(),
		world:        newWorld(),
		commands:     map[string]*commandScope{},
		interactions: map[string]*Interaction{},
		limits:       newLimiter(),
		gateway:      newGatewayState(),
		dir:          opts.Dir,
	}
	var err error
	if s.public, s.signer, err = ed25519.GenerateKey(rand.Reader); err != nil {
		return nil, fmt.Errorf("start discord simulator: %w", err)
	}
	if _, err = rand.Read(s.cdnKey); err != nil {
		return nil, fmt.Errorf("start discord simulator: %w", err)
	}
	if s.dir == "" {
		if s.dir, err = os.MkdirTemp("", "sim-discord-"); err != nil {
			return nil, fmt.Errorf("start discord simulator: %w", err)
		}
		s.ownDir = true
	}
	if s.listener, err = (&net.ListenConfig{}).Listen(context.Background(), "tcp", opts.Addr); err != nil {
		return nil, fmt.Errorf("start discord simulator: %w", err)
	}
	s.bot = s.NewUser(opts.BotName)
	s.bot.bot = true
	s.app = s.bot.ID
	s.token = s.newToken()
	s.routes = routeTable()
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	s.running.Go(func() { _ = s.http.Serve(s.listener) })
	return s, nil
}

func (o *Options) setDefaults() {
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.BotName == "" {
		o.BotName = "ltx"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Heartbeat == 0 {
		o.Heartbeat = 41250 * time.Millisecond
	}
	if o.IdentifyEvery == 0 {
		o.IdentifyEvery = 5 * time.Second
	}
	if o.MaxConcurrency == 0 {
		o.MaxConcurrency = 1
	}
	if o.SessionStarts == 0 {
		o.SessionStarts = 1000
	}
	o.RateLimits.setDefaults()
}

// enter lets a request in unless the simulator is closing. The caller calls
// running.Done when it is through.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.done:
		return false
	default:
		s.running.Add(1)
		return true
	}
}

// Close stops the simulator, drops every connection and removes the uploaded
// files. It may be called more than once.
func (s *Server) Close() error {
	s.closeOnce.Do(func() {
		close(s.done)
		s.closeErr = s.http.Close()
		s.mu.Lock()
		conns := s.gateway.open()
		s.mu.Unlock()
		for _, c := range conns {
			c.drop()
		}
		s.running.Wait()
		if s.ownDir {
			if err := os.RemoveAll(s.dir); err != nil && s.closeErr == nil {
				s.closeErr = err
			}
		}
	})
	return s.closeErr
}

// BaseURL returns the address of the simulator, "http://127.0.0.1:PORT".
func (s *Server) BaseURL() string { return "http://" + s.listener.Addr().String() }

// ServeFilesAt makes files have the address of something that stands before the
// simulator, "http://127.0.0.1:PORT". It must be called before there are any.
func (s *Server) ServeFilesAt(address string) { s.filesAt = address }

// APIURL returns the address of the REST API without a version,
// "http://127.0.0.1:PORT/api".
func (s *Server) APIURL() string { return s.BaseURL() + "/api" }

// GatewayURL returns the address that GET /gateway answers with,
// "ws://127.0.0.1:PORT".
func (s *Server) GatewayURL() string { return "ws://" + s.listener.Addr().String() }

// Token returns the bot's token, without the "Bot " prefix.
func (s *Server) Token() string { return s.token }

// ApplicationID returns the id of the bot's application.
func (s *Server) ApplicationID() string { return s.app }

// PublicKey returns the key that signs HTTP interactions, in hex.
func (s *Server) PublicKey() string {
	return hex.EncodeToString(s.public)
}

// Bot returns the user that the bot is.
func (s *Server) Bot() *User { return s.bot }
