package slack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"ltxbot/bot/adapter"
	"ltxbot/internal/retry"
)

// tokens finds the bot token of an installation: of a workspace by its id, or
// of an organisation by its id, when the app is installed there for all its
// workspaces. An empty id asks for the token of the only installation, if there
// is just one.
type tokens interface {
	Token(ctx context.Context, installation string) (string, error)
}

// oneToken is the token of the only installation.
type oneToken string

// Token implements tokens.
func (t oneToken) Token(context.Context, string) (string, error) { return string(t), nil }

// How persistent a call is.
const (
	callTries   = 4
	longestWait = 3 * time.Second // for a rate limit inside a call
)

// callBackoff is the pause after the first try; it doubles with each. Only
// tests change it.
var callBackoff = 200 * time.Millisecond

// client calls the Web API with one token. slack-go's own repetitions stay
// off: they repeat posts whose reply was lost.
type client struct {
	api *slack.Client

	mu sync.Mutex
	me *identity
	// scopes are what the token may do, as the last answer said.
	scopes []string
}

// identity is who the bot is.
type identity struct {
	Workspace  string // empty for a token of an organisation
	Enterprise string
	User       string // U…, whom people mention
	Bot        string // B…, the author of the bot's messages
	Name       string // what people type after /invite @
	URL        string // of the workspace: "https://acme.slack.com/"
}

// client is the client for an installation.
func (b *Bot) client(ctx context.Context, installation string) (*client, error) {
	token, err := b.tokens.Token(ctx, installation)
	if err != nil {
		return nil, err
	}
	return b.clientOf(token), nil
}

// clientOf is the client with a token.
func (b *Bot) clientOf(token string) *client {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c := b.clients[token]; c != nil {
		return c
	}
	c := &client{}
	c.api = slack.New(token, slack.OptionAPIURL(b.cfg.APIURL), slack.OptionHTTPClient(b.web),
		slack.OptionOnResponseHeaders(c.learn))
	b.clients[token] = c
	return c
}

// dropClient removes the client with a token that is not used any more.
func (b *Bot) dropClient(token string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.clients, token)
}

// learn notes the scopes of the token.
// https://docs.slack.dev/authentication/installing-with-oauth
func (c *client) learn(_ string, h http.Header) {
	list := h.Get("X-Oauth-Scopes")
	if list == "" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.scopes = splitScopes(list)
}

// may reports whether the token has a scope, as far as is known.
func (c *client) may(scope string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Contains(c.scopes, scope)
}

// identity is who the bot is with this token.
func (c *client) identity(ctx context.Context) (identity, error) {
	c.mu.Lock()
	known := c.me
	c.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	var me identity
	err := c.again(ctx, "ask who the bot is", func(ctx context.Context) error {
		r, err := c.api.AuthTestContext(ctx)
		if err == nil {
			me = identity{Workspace: r.TeamID, Enterprise: r.EnterpriseID, User: r.UserID, Bot: r.BotID, Name: r.User, URL: r.URL}
		}
		return err
	})
	if err != nil {
		return identity{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.me = &me
	return me, nil
}

// known is identity from memory: the zero value when Slack was not asked yet.
func (c *client) known() identity {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.me == nil {
		return identity{}
	}
	return *c.me
}

// again makes a call that does no harm when it is done twice.
func (c *client) again(ctx context.Context, op string, call func(context.Context) error) error {
	return attempt(ctx, op, true, call)
}

// once makes a call that must not be done twice. Its error is a *adapter.LostError
// when it may have been done.
func (c *client) once(ctx context.Context, op string, call func(context.Context) error) error {
	return attempt(ctx, op, false, call)
}

// attempt makes a call. It waits out short rate limits and repeats what may
// be repeated. Its errors are an *APIError, a *limitError when the wait is
// long, and an *adapter.LostError when the call may have been done; adapter.ErrNotDone is
// in those of calls that were surely not.
func attempt(ctx context.Context, op string, again bool, call func(context.Context) error) error {
	maybeDone := false // an earlier try may have arrived
	for try := 1; ; try++ {
		what, err := judge(op, call(ctx))
		var wait time.Duration
		switch what {
		case done:
			return err
		case limited:
			if l, ok := errors.AsType[*limitError](err); ok {
				wait = l.after
			}
			if wait > longestWait {
				return end(err, maybeDone)
			}
		case unsent:
			wait = backoff(try)
		case unknown:
			if !again {
				return &adapter.LostError{Op: op, Err: err}
			}
			maybeDone = true
			wait = backoff(try)
		}
		deadline, bounded := ctx.Deadline()
		if try == callTries || bounded && time.Until(deadline) < wait || !retry.Wait(ctx, wait) {
			return end(err, maybeDone)
		}
	}
}

// end is the error of a call that is given up.
func end(err error, maybeDone bool) error {
	if maybeDone {
		return err
	}
	return fmt.Errorf("%w (%w)", err, adapter.ErrNotDone)
}

func backoff(try int) time.Duration {
	return retry.Backoff{First: callBackoff, Spread: 1}.After(try)
}
