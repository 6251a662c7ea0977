// Package fal is a simulator of fal.ai that listens on loopback: the queue, the
// storage and webhook keys of rest.fal.ai, the request history and prices of
// api.fal.ai, and the CDN, each below its own path of one address.
//
// It is for people, who can try the bot without a key (a job takes a few
// seconds, and Triggers lists the words in a prompt that make it fail), and for
// tests, which script it (Next, When, Inject), look at what it was sent
// (Submits, Log, Billed) and ask whether a client broke a rule (Violations).
//
// It refuses what fal refuses, and in fal's words: see
// https://fal.ai/docs/documentation/model-apis/inference/queue. No video is
// made; every job returns the same small clip, with the size, length and seed
// that were asked for written beside it.
package fal

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// Server is a running simulator. Its methods may be called from many
// goroutines.
type Server struct {
	o        Options
	base     url.URL
	http     *http.Server
	stop     context.CancelFunc
	routines sync.WaitGroup
	kick     chan struct{} // wakes the scheduler
	ahead    atomic.Int64  // how far its time is ahead of the real one, in nanoseconds

	mu      sync.Mutex
	changed chan struct{} // closed and replaced when any job changes
	wakeAt  time.Time     // when the scheduler has something to do next
	jobs    map[string]*job
	order   []*job // all jobs, oldest first
	queue   []*job
	running []*job
	files   map[string]*file
	uploads map[string]*upload // by token
	stored  int64              // bytes that clients have put here
	next    []Outcome
	calls   []webhookCall // to be made
	faults  []*Fault
	signer  ed25519.PrivateKey
	locked  string
	record
}

// Options are how a simulator behaves. The zero value is a demo.
type Options struct {
	Listen string // default "127.0.0.1:0"
	Key    string // the one key it accepts; default DemoKey
	// AdminKey is the key of scope ADMIN; empty = there is none.
	AdminKey string
	Timing   Timing // how long a job takes; zero fields take the demo's

	// Speed divides every duration of Timing, HistoryLag and the pauses
	// between webhooks. A test runs at 1000. Default 1.
	Speed float64

	Concurrency int           // jobs in progress at a time; default 2, as on a new account
	HistoryLag  time.Duration // until a request shows in the history; default 2 s
	Retention   time.Duration // how long a result is kept; default 1 h
	MediaTTL    time.Duration // how long the CDN keeps a video; default 7 days
	KeepAlive   time.Duration // between comments on a silent status stream; default 10 s

	Exact          bool  // do not snap sizes to 32 and frames to 8n+1
	RefuseAtSubmit bool  // answer a bad input at once with a 422; fal tells it with the result
	FileSize       int64 // pad every video to this many bytes

	Logger *slog.Logger // nil discards
}

// DemoKey is the key that a simulator accepts when Options names none.
const DemoKey = "00000000-demo-demo-demo-000000000000:0123456789abcdef0123456789abcdef"

// Timing is the life of a job.
type Timing struct {
	Queue time.Duration // least time in the queue; default 1.2 s
	Ahead int           // strangers' jobs ahead at first, gone after Queue; default 3
	Run   time.Duration // time in progress; default 3.5 s
	Steps int           // progress lines logged while in progress; default 15
}

// Start listens and serves until Close.
func Start(o Options) (*Server, error) {
	o = o.withDefaults()
	_, signer, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("simulated fal: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.Listen)
	if err != nil {
		stop()
		return nil, fmt.Errorf("simulated fal: %w", err)
	}
	s := &Server{
		o:       o,
		base:    url.URL{Scheme: "http", Host: l.Addr().String()},
		stop:    stop,
		kick:    make(chan struct{}, 1),
		changed: make(chan struct{}),
		jobs:    map[string]*job{},
		files:   map[string]*file{},
		uploads: map[string]*upload{},
		signer:  signer,
		record:  record{counts: map[Op]int{}},
	}
	s.http = &http.Server{
		Handler:           s.routes(),
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(o.Logger.Handler(), slog.LevelDebug),
	}
	s.routines.Go(func() { _ = s.http.Serve(l) }) // ends with ErrServerClosed
	s.routines.Go(func() { s.schedule(ctx) })
	return s, nil
}

// Close stops serving at once and waits for all that the simulator runs. It
// may be called twice.
func (s *Server) Close() {
	s.stop()
	_ = s.http.Close()
	s.routines.Wait()
}

func (o Options) withDefaults() Options {
	o.Listen = or(o.Listen, "127.0.0.1:0")
	o.Key = or(o.Key, DemoKey)
	o.Timing.Queue = or(o.Timing.Queue, 1200*time.Millisecond)
	o.Timing.Ahead = or(o.Timing.Ahead, 3)
	o.Timing.Run = or(o.Timing.Run, 3500*time.Millisecond)
	o.Timing.Steps = or(o.Timing.Steps, 15)
	o.Speed = or(o.Speed, 1)
	o.Concurrency = or(o.Concurrency, 2)
	o.HistoryLag = or(o.HistoryLag, 2*time.Second)
	o.Retention = or(o.Retention, time.Hour)
	o.MediaTTL = or(o.MediaTTL, 7*24*time.Hour)
	o.KeepAlive = or(o.KeepAlive, 10*time.Second)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

func or[T comparable](v, other T) T {
	var zero T
	if v == zero {
		return other
	}
	return v
}

// scaled is how long d takes at the simulator's speed.
func (s *Server) scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) / s.o.Speed)
}

// QueueURL is what fal.queue_url must be to reach the simulator.
func (s *Server) QueueURL() string { return s.base.JoinPath("queue").String() }

// RESTURL is what fal.rest_url must be.
func (s *Server) RESTURL() string { return s.base.JoinPath("rest").String() }

// APIURL is what fal.api_url must be.
func (s *Server) APIURL() string { return s.base.JoinPath("api/v1").String() }

// MediaHost is the host:port that fal.media_hosts must list.
func (s *Server) MediaHost() string { return s.base.Host }

// Key is the key that the simulator accepts.
func (s *Server) Key() string { return s.o.Key }

// Lock makes every call answer 403 with fal's sentence for a locked account,
// until reason is "". The best known reason is "Exhausted balance".
func (s *Server) Lock(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.locked = reason
}
