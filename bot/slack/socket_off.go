package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/slack-go/slack"
)

// Socket Mode can be switched off on the app's page while the bot runs. Then
// nothing comes in, but what is under way is delivered all the same, by the Web
// API; and whoever switched it off can switch it on again.

// offCodes are the answers for an app whose Socket Mode is off. At a first
// start they are fatal.
// https://docs.slack.dev/reference/methods/apps.connections.open#errors
var offCodes = []string{"socket_mode_not_enabled", "link_disabled"}

// switchOn says what to do when Socket Mode is off.
const switchOn = "Socket Mode is switched off for the app; switch it on at https://api.slack.com/apps, or set slack.mode to \"http\""

// A switchedOffError says that Socket Mode is off.
type switchedOffError struct {
	waited bool // for events on a connection that Slack gave all the same
}

func (e *switchedOffError) Error() string { return switchOn }

// remindEvery is how often the log says that Socket Mode is off.
const remindEvery = time.Minute

// switchedOff knows whether Socket Mode is off.
type switchedOff struct {
	off  atomic.Bool
	news chan struct{}
}

func newSwitchedOff() *switchedOff { return &switchedOff{news: make(chan struct{}, 1)} }

// foundOff notes that Socket Mode is off, unless events come on another
// connection.
func (b *Bot) foundOff() {
	if b.Connected() || b.off.off.Swap(true) {
		return
	}
	select {
	case b.off.news <- struct{}{}:
	default:
	}
}

// over notes that events come.
func (s *switchedOff) over() { s.off.Store(false) }

// remind logs that Socket Mode is off when it is found, and each minute until
// that is over.
func (b *Bot) remind(ctx context.Context) {
	again := time.NewTicker(remindEvery)
	defer again.Stop()
	for {
		select {
		case <-b.off.news:
			again.Reset(remindEvery)
		case <-again.C:
		case <-ctx.Done():
			return
		}
		if b.off.off.Load() {
			b.log.ErrorContext(ctx, "no command comes in from slack", "reason", switchOn)
		}
	}
}

// socketAPI is the client that asks for connections. It sets warned to whether
// Slack warns with an address that Socket Mode is off: apps have been given
// connections then, on which no event came.
func (b *Bot) socketAPI(warned *atomic.Bool) *slack.Client {
	return slack.New("", slack.OptionAppLevelToken(b.cfg.AppToken), slack.OptionAPIURL(b.cfg.APIURL),
		slack.OptionHTTPClient(&warnings{client: b.web, socketOff: warned}))
}

// warnings reads the warnings in Slack's answers, which slack-go drops when they
// have no code.
type warnings struct {
	client    *http.Client
	socketOff *atomic.Bool
}

// maxAddress bounds an answer with the address of a connection, in bytes.
const maxAddress = 64 << 10

// Do makes a call.
func (w *warnings) Do(req *http.Request) (*http.Response, error) {
	resp, err := w.client.Do(req) //nolint:gosec // the address is the config's
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAddress))
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(raw))
	var answer struct {
		Warning  string `json:"warning"`
		Metadata struct {
			Messages []string `json:"messages"`
			Warnings []string `json:"warnings"`
		} `json:"response_metadata"`
	}
	_ = json.Unmarshal(raw, &answer) // what is no JSON has no warnings
	said := append(append(answer.Metadata.Messages, answer.Metadata.Warnings...), answer.Warning)
	w.socketOff.Store(strings.Contains(strings.ToLower(strings.Join(said, " ")), "socket mode is not turned on"))
	return resp, nil
}
