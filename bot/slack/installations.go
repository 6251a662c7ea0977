package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"ltxbot/core/generate"
)

// Installations keeps what is known of the workspaces that have installed the
// app. Values are encrypted. Its methods may be called at the same time.
type Installations interface {
	// Get returns what is kept under key, or nil.
	Get(ctx context.Context, key string) ([]byte, error)
	Put(ctx context.Context, key string, value []byte) error
	// Delete removes what is kept under key, if anything is.
	Delete(ctx context.Context, key string) error
}

// OAuth is what several workspaces install the app by.
// https://docs.slack.dev/authentication/installing-with-oauth
type OAuth struct {
	ClientID     string
	ClientSecret string
	// RedirectURL is the public address of PathOAuth, as the app's settings
	// name it. That of PathInstall is beside it.
	RedirectURL string
	// Workspaces are the workspaces and organisations that may install the
	// app, by id; empty = all.
	Workspaces []string
	// TokenKey encrypts what is kept: TokenKeySize bytes, the same ones in all
	// processes and after every restart.
	TokenKey []byte
	// TokenKeyLost means that another TokenKey than before is no mistake.
	// What the old one has encrypted counts for nothing then.
	TokenKeyLost bool
	// Installations is where tokens are kept; nil is enough for Check.
	Installations Installations
}

// installation is the app in one workspace, or in all of an organisation.
type installation struct {
	Workspace  string    `json:"workspace,omitempty"` // empty for an organisation
	Enterprise string    `json:"enterprise,omitempty"`
	OrgWide    bool      `json:"org_wide,omitempty"`
	Name       string    `json:"name,omitempty"` // of the workspace or organisation
	App        string    `json:"app,omitempty"`
	Token      string    `json:"token"`
	Scopes     []string  `json:"scopes"`       // that were granted
	By         string    `json:"by,omitempty"` // the user who installed it
	At         time.Time `json:"at"`
}

// key is what the installation is found by.
func (i installation) key() string { return installationKey(i.OrgWide, i.Workspace, i.Enterprise) }

// installationKey is what the installation is found by that serves a
// workspace: an organisation has one for all its workspaces.
// https://docs.slack.dev/enterprise/developing-for-enterprise-orgs
func installationKey(orgWide bool, workspace, enterprise string) string {
	if orgWide && enterprise != "" {
		return enterprise
	}
	return workspace
}

// addOAuth lets workspaces install the app.
func (b *Bot) addOAuth(o OAuth) error {
	redirect, err := url.Parse(o.RedirectURL)
	switch {
	case o.ClientID == "" || o.ClientSecret == "":
		return errors.New("slack: the client id or the client secret is missing; they are needed for installations by OAuth")
	case err != nil || redirect.Host == "" || !strings.HasSuffix(redirect.Path, PathOAuth):
		return errors.New("slack: the redirect URL is no address that ends in " + PathOAuth)
	}
	sealer, err := newSealer(o.TokenKey)
	if err != nil {
		return err
	}
	b.states = newStates(redirect, sealer.stateKey, b.cfg.Now)
	b.registry = &registry{oauth: o, sealer: sealer, token: b.cfg.BotToken}
	b.registry.home = func(ctx context.Context) (identity, error) { return b.clientOf(b.cfg.BotToken).identity(ctx) }
	b.tokens = b.registry
	return nil
}

// errNotInstalled says that a workspace does not have the app, or not any
// more.
var errNotInstalled = errors.New("the app is not installed in this workspace")

// registry finds tokens among the installations that people have made, and
// beside them that of the config, for its own workspace.
type registry struct {
	oauth  OAuth
	sealer *sealer
	home   func(ctx context.Context) (identity, error) // who the token of the config is
	token  string                                      // of the config; empty = there is none
}

// keyRecord is the name under which the id of the key is kept. Ids of
// workspaces and organisations are in capitals.
const keyRecord = "token_key"

// open makes sure that the key is the one that the installations were
// encrypted with, so that a wrong one is noticed before anybody waits for a
// video. It is a *FatalError.
func (r *registry) open(ctx context.Context) error {
	if r.oauth.Installations == nil {
		return errors.New("slack: there is no place to keep installations in")
	}
	known, err := r.oauth.Installations.Get(ctx, keyRecord)
	if err != nil {
		return fmt.Errorf("slack: read installations: %w", err)
	}
	switch id := r.sealer.id; {
	case string(known) == id:
		return nil
	case known != nil && !r.oauth.TokenKeyLost:
		return &FatalError{Code: "another_token_key", Reason: fmt.Sprintf("slack.token_key is not the key that the installations of "+
			"the app are encrypted with: it is key %s, and they need key %s. Set that one again; a key cannot be exchanged for another. "+
			"If it is lost, set slack.token_key_lost = true: then every workspace must install the app again", id, known)}
	}
	if err := r.oauth.Installations.Put(ctx, keyRecord, []byte(r.sealer.id)); err != nil {
		return fmt.Errorf("slack: write installations: %w", err)
	}
	return nil
}

// Token implements tokens.
func (r *registry) Token(ctx context.Context, key string) (string, error) {
	if key != "" {
		in, err := r.get(ctx, key)
		if err == nil && r.allowed(in) {
			return in.Token, nil
		}
		if err != nil && !errors.Is(err, errNotInstalled) {
			return "", err
		}
	}
	if home, err := r.isHome(ctx, key); err != nil || home {
		return r.token, err
	}
	return "", errNotInstalled
}

// isHome reports whether the token of the config serves an installation. One
// that does not work any more serves none.
func (r *registry) isHome(ctx context.Context, key string) (bool, error) {
	if r.token == "" || key == "" {
		return r.token != "", nil
	}
	me, err := r.home(ctx)
	if fatal(err) != nil {
		return false, nil //nolint:nilerr // it serves nobody, which is the answer
	}
	return key == me.Workspace || key == me.Enterprise, err
}

// allowed reports whether the operator lets a workspace have the app.
func (r *registry) allowed(in installation) bool {
	return len(r.oauth.Workspaces) == 0 || slices.ContainsFunc([]string{in.Workspace, in.Enterprise}, func(id string) bool {
		return id != "" && slices.Contains(r.oauth.Workspaces, id)
	})
}

// get reads an installation. One that a lost key has encrypted is none.
func (r *registry) get(ctx context.Context, key string) (installation, error) {
	var in installation
	raw, err := r.oauth.Installations.Get(ctx, key)
	if err != nil {
		return in, fmt.Errorf("read installation %s: %w", key, err)
	}
	if raw == nil {
		return in, errNotInstalled
	}
	plain, err := r.sealer.open(key, raw)
	if errors.Is(err, errOtherKey) {
		return in, fmt.Errorf("%w: %w", errNotInstalled, err)
	}
	if err == nil {
		err = json.Unmarshal(plain, &in)
	}
	if err != nil {
		return in, fmt.Errorf("read installation %s: %w", key, err)
	}
	return in, nil
}

// put keeps an installation in the place of an older one.
func (r *registry) put(ctx context.Context, in installation) error {
	plain, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("write installation %s: %w", in.key(), err)
	}
	raw, err := r.sealer.seal(in.key(), plain)
	if err == nil {
		err = r.oauth.Installations.Put(ctx, in.key(), raw)
	}
	if err != nil {
		return fmt.Errorf("write installation %s: %w", in.key(), err)
	}
	return nil
}

// deadCodes are the answers to a token that works never again.
// https://docs.slack.dev/reference/methods/auth.test#errors
var deadCodes = []string{"account_inactive", "invalid_auth", "token_expired", "token_revoked"}

// removals are the events that tell that the app was removed, with what calls
// are answered from then on.
// https://docs.slack.dev/reference/events/app_uninstalled
// https://docs.slack.dev/reference/events/tokens_revoked
var removals = map[string]string{"app_uninstalled": "app_uninstalled", "tokens_revoked": "token_revoked"}

// uninstalled forgets the installations that an event is about, if their
// tokens are dead: an event that comes late may be about an older token than
// the one that is kept. Without OAuth, the bot's presence ends with its token.
func (b *Bot) uninstalled(ctx context.Context, in inbound) {
	o := in.origin()
	if b.registry == nil {
		b.confirmFatal(ctx, o, removals[in.event.Event.Type])
		return
	}
	// The event of an app that is gone may not say any more how it was there.
	keys := []string{o.Workspace, o.Enterprise}
	for _, key := range keys {
		if key == "" {
			continue
		}
		if err := b.removeDead(ctx, key, in.event.Event.Type); err != nil {
			b.log.WarnContext(ctx, "cannot tell whether the app was removed; its next call to slack will show it", "workspace", key, "error", err)
		}
	}
}

// removeDead asks Slack about the token of an installation, and removes the
// installation if it is dead.
func (b *Bot) removeDead(ctx context.Context, key, why string) error {
	in, err := b.registry.get(ctx, key)
	if errors.Is(err, errNotInstalled) {
		return nil
	}
	if err != nil {
		return err
	}
	c := b.clientOf(in.Token)
	err = c.again(ctx, "try the token", func(ctx context.Context) error {
		_, err := c.api.AuthTestContext(ctx)
		return err
	})
	if !hasCode(err, deadCodes...) {
		return err
	}
	if now, err := b.registry.get(ctx, key); err != nil || now.Token != in.Token {
		return nil //nolint:nilerr // somebody else was faster
	}
	if err := b.registry.oauth.Installations.Delete(ctx, key); err != nil {
		return fmt.Errorf("remove installation %s: %w", key, err)
	}
	b.dropClient(in.Token)
	b.log.InfoContext(ctx, "the app was removed from a workspace", "workspace", key, "name", in.Name, "reason", why)
	return nil
}

// refusedInstallation says to the engine what it means for a job that Slack
// refuses the token of its installation.
func (b *Bot) refusedInstallation(ctx context.Context, key string, err error) error {
	if !hasCode(err, append([]string{"team_access_not_granted"}, deadCodes...)...) {
		return &generate.RetryError{After: time.Minute, Err: err}
	}
	if askErr := b.removeDead(ctx, key, "a call was refused"); askErr != nil {
		return &generate.RetryError{After: time.Minute, Err: errors.Join(err, askErr)}
	}
	if in, readErr := b.registry.get(ctx, key); readErr == nil && hasCode(err, deadCodes...) {
		return &generate.RetryError{After: time.Second, Err: fmt.Errorf("%w; %s has installed the app anew", err, in.key())}
	}
	return fmt.Errorf("%w: %w", generate.ErrUnreachable, err)
}

// missing answers a person in a workspace that does not have the app any more,
// and reports whether it is one.
func (b *Bot) missing(ctx context.Context, o origin) bool {
	if b.registry == nil {
		return false
	}
	if _, err := b.tokens.Token(ctx, o.installation()); !errors.Is(err, errNotInstalled) {
		return false
	}
	b.log.WarnContext(ctx, "command from a workspace where the app is not installed", "workspace", o.installation())
	b.tell(ctx, o, b.sentence(b.people.locale(o), "slack.not_installed", "url", b.registry.oauth.installURL()))
	return true
}

// installURL is the public address of PathInstall.
func (o OAuth) installURL() string {
	return strings.TrimSuffix(o.RedirectURL, PathOAuth) + PathInstall
}
