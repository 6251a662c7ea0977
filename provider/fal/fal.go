// Package fal makes videos on fal.ai: it is the generate.Provider that speaks
// fal's queue API over plain HTTP.
//
// The one call that costs money is Submit. It is sent at most once, on a
// connection of its own, and its error says which of three things is known: it was
// refused, it was not sent, or the outcome is unknown. All other calls may be
// repeated, and are retried with back-off.
//
// No error and no log line of this package holds the key, the query of a URL, or a
// prompt.
//
// The API is described at https://fal.ai/docs/documentation/model-apis/inference/queue.
package fal

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"ltxbot/core/generate"
)

// Client talks to fal. It is made by New and may be used from many goroutines.
type Client struct {
	key        Key
	queue      *url.URL
	rest       *url.URL
	api        *url.URL
	hosts      mediaHosts
	webhookURL func(job string) string
	userAgent  string
	log        *slog.Logger
	observe    func(op, outcome string, d time.Duration)
	retry      Retry
	limits     Timeouts
	rand       func() float64
	scrub      scrubber
	webhooks   *Webhooks
	slots      chan struct{} // a token for each call under way
	downloads  chan struct{} // a token for each download under way
	uploads    chan struct{} // a token for each upload under way
	keepMedia  time.Duration
	adminKey   Key

	once  *http.Client // for the paid POST: a new connection for each, no redirects
	calls *http.Client // for everything else that carries the key: no redirects
	media *http.Client // for downloads and uploads: never carries the key
}

var _ generate.Provider = (*Client)(nil)

// Config is what New needs. Only Key and the three URLs are required.
type Config struct {
	Key      Key
	QueueURL string // "https://queue.fal.run"
	RESTURL  string // "https://rest.fal.ai"
	APIURL   string // "https://api.fal.ai/v1"

	// MediaHosts are the hosts that results may be downloaded from:
	// "fal.media", "*.fal.media". A loopback server over plain http is
	// reached only when its "host:port" is listed.
	MediaHosts []string

	// WebhookURL returns where fal shall call for a job, "" for nowhere.
	// May be nil.
	WebhookURL func(job string) string

	// Transport is the base of all connections; nil is http.DefaultTransport.
	// New works on clones of it.
	Transport *http.Transport

	Logger    *slog.Logger // nil discards
	UserAgent string

	// AdminKey is a key of scope ADMIN, for Purge; empty = there is none.
	AdminKey Key

	// KeepMedia is how long fal keeps the files that are made and uploaded; 0
	// is as long as fal likes.
	KeepMedia time.Duration

	// Observe is told of every finished operation: one of Ops, one of
	// Outcomes, and how long it took with its retries. May be nil.
	Observe func(op, outcome string, d time.Duration)

	Retry    Retry            // zero fields take their defaults
	Timeouts Timeouts         // zero fields take their defaults
	Rand     func() float64   // jitter in [0,1); nil is math/rand/v2
	Now      func() time.Time // the clock that signed webhooks are held against; nil is time.Now
}

// Timeouts bound each HTTP call by itself, below the deadline of its context.
type Timeouts struct {
	Submit time.Duration // the paid POST; default 60 s
	Call   time.Duration // one attempt of any other call, and the headers of a download; default 20 s
	Idle   time.Duration // silence on a status stream or a download; default 45 s
}

// New checks cfg and returns a client. It makes no connection.
func New(cfg Config) (*Client, error) {
	if cfg.Key.empty() {
		return nil, errors.New("fal: the key is empty")
	}
	c := &Client{
		key:        cfg.Key,
		webhookURL: cfg.WebhookURL,
		userAgent:  orElse(cfg.UserAgent, "ltxbot"),
		keepMedia:  cfg.KeepMedia,
		adminKey:   cfg.AdminKey,
		log:        cfg.Logger,
		observe:    cfg.Observe,
		retry:      cfg.Retry.withDefaults(),
		limits: Timeouts{
			Submit: orElse(cfg.Timeouts.Submit, 60*time.Second),
			Call:   orElse(cfg.Timeouts.Call, 20*time.Second),
			Idle:   orElse(cfg.Timeouts.Idle, 45*time.Second),
		},
		rand:  cfg.Rand,
		scrub: newScrubber(cfg.Key, cfg.AdminKey),
		slots: make(chan struct{}, maxCalls), downloads: make(chan struct{}, maxDownloads), uploads: make(chan struct{}, maxUploads),
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.rand == nil {
		c.rand = rand.Float64
	}
	if c.observe == nil {
		c.observe = func(string, string, time.Duration) {}
	}
	for _, u := range []struct {
		name, value string
		to          **url.URL
	}{
		{"queue_url", cfg.QueueURL, &c.queue},
		{"rest_url", cfg.RESTURL, &c.rest},
		{"api_url", cfg.APIURL, &c.api},
	} {
		parsed, err := baseURL(u.value)
		if err != nil {
			return nil, fmt.Errorf("fal: %s: %w", u.name, err)
		}
		*u.to = parsed
	}
	var err error
	if c.hosts, err = parseMediaHosts(cfg.MediaHosts); err != nil {
		return nil, fmt.Errorf("fal: media_hosts: %w", err)
	}
	c.connect(cfg.Transport)
	c.webhooks = newWebhooks(c, cfg.Now)
	return c, nil
}

// connect makes the three HTTP clients, each on its own clone of base.
func (c *Client) connect(base *http.Transport) {
	if base == nil {
		base = http.DefaultTransport.(*http.Transport) //nolint:forcetypeassert // the standard library declares it so
	}
	base = base.Clone()
	base.MaxIdleConnsPerHost = maxCalls // the standard library keeps two: most calls would begin with a handshake
	once := base.Clone()
	// net/http sends a request again by itself when a kept-alive connection
	// turns out to be dead. A connection that is never reused can't be.
	once.DisableKeepAlives = true
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.once = &http.Client{Transport: once, CheckRedirect: stay}
	c.calls = &http.Client{Transport: base.Clone(), CheckRedirect: stay}
	media := base.Clone()
	media.DisableCompression = true // a decompressed body has no size and no ranges
	c.media = &http.Client{Transport: media, CheckRedirect: c.checkRedirect}
}

// Webhooks returns the verifier of fal's signed calls to this bot.
func (c *Client) Webhooks() *Webhooks { return c.webhooks }

// Close drops idle connections. Calls under way go on.
func (c *Client) Close() {
	for _, h := range []*http.Client{c.once, c.calls, c.media} {
		h.CloseIdleConnections()
	}
}

// secret is what a Key shows of itself.
const secret = "<secret>"

// A Key is fal's API key, "id:secret". No verb of fmt, no logger and no
// encoder prints it.
type Key string

// Format implements fmt.Formatter for every verb.
func (Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, secret) }

// LogValue implements slog.LogValuer.
func (Key) LogValue() slog.Value { return slog.StringValue(secret) }

// MarshalText implements encoding.TextMarshaler.
func (Key) MarshalText() ([]byte, error) { return []byte(secret), nil }

func (k Key) empty() bool { return strings.TrimSpace(string(k)) == "" }

// authorize puts the key on r.
// https://fal.ai/docs/documentation/model-apis/authentication
func (k Key) authorize(r *http.Request) {
	r.Header.Set("Authorization", "Key "+strings.TrimSpace(string(k)))
}

func orElse[T comparable](v, other T) T {
	var zero T
	if v == zero {
		return other
	}
	return v
}
