package slack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"ltxbot/bot/adapter"
	"ltxbot/bot/text"
	"ltxbot/internal/ingress"
)

// The paths by which people install the app in their workspace.
const (
	PathInstall = "/slack/install" // begins, and sends the browser to Slack
	PathOAuth   = "/slack/oauth"   // where the browser comes back to
)

// authorizeURL is where somebody allows an installation.
// https://docs.slack.dev/authentication/installing-with-oauth
const authorizeURL = "https://slack.com/oauth/v2/authorize"

// How often somebody may come back from Slack: each code is a call to Slack, and
// each error a line of the log, and anybody can make one up. So many at once, and one more after each pause.
const (
	installBurst = 10
	installPause = 6 * time.Second
)

// installWithin bounds what is done when a browser comes back from Slack.
const installWithin = 30 * time.Second

// RegisterInstall adds the paths by which people install the app to mux, in
// both modes; nothing without OAuth.
func (b *Bot) RegisterInstall(mux *http.ServeMux) {
	if b.registry == nil {
		return
	}
	mux.HandleFunc("GET "+PathInstall, b.serveInstall)
	mux.HandleFunc("GET "+PathOAuth, b.serveOAuth)
}

// serveInstall sends the browser to Slack, where somebody chooses a workspace
// and allows what the app asks for.
func (b *Bot) serveInstall(w http.ResponseWriter, r *http.Request) {
	state := b.states.begin(w)
	scopes := make([]string, 0, len(Scopes()))
	for _, s := range Scopes() {
		scopes = append(scopes, s.Name)
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, authorizeURL+"?"+url.Values{
		"client_id": {b.registry.oauth.ClientID}, "scope": {strings.Join(scopes, ",")}, "state": {state},
		"redirect_uri": {b.registry.oauth.RedirectURL},
	}.Encode(), http.StatusFound)
}

// serveOAuth takes the browser back from Slack and says how it went.
func (b *Bot) serveOAuth(w http.ResponseWriter, r *http.Request) {
	// Somebody who closes the page does not undo what Slack has done.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), installWithin)
	defer cancel()
	query := r.URL.Query()
	switch code := query.Get("code"); {
	case b.states.finish(w, r) != nil:
		b.cfg.Guard.Note(ingress.Install, ingress.Unknown)
		b.writePage(w, pageState)
	case query.Get("error") == "access_denied":
		b.writePage(w, pageDenied)
	case !b.installs.AllowN(b.cfg.Now(), 1):
		b.cfg.Guard.Note(ingress.Install, ingress.TooOften)
		b.writePage(w, pageBusy)
	case query.Get("error") != "" || code == "":
		b.log.WarnContext(ctx, "slack did not allow an installation", "code", cut(text.OneLine(query.Get("error")), maxTitle))
		b.writePage(w, pageTrouble)
	default:
		in, err := b.install(ctx, code)
		if err != nil {
			b.log.ErrorContext(ctx, "cannot install the app", "workspace", in.key(), "error", err)
			b.writePage(w, pageOf(err))
			return
		}
		b.log.InfoContext(ctx, "the app was installed in a workspace", "workspace", in.key(), "name", in.Name, "org_wide", in.OrgWide, "by", in.By)
		b.writePage(w, b.welcome(in))
	}
}

// The reasons why the app was not installed, besides Slack's.
var (
	errNotAllowed = errors.New("the workspace is not among slack.workspaces")
	errRotation   = errors.New("token rotation is switched on for the app; tokens of that kind end after hours")
	errNoBotToken = errors.New("slack gave no bot token")
)

// install exchanges a code for a token and keeps it. The error leaves out what
// was not learned of the installation.
func (b *Bot) install(ctx context.Context, code string) (installation, error) {
	in, err := b.exchange(ctx, code)
	if err != nil {
		return in, err
	}
	if !b.registry.allowed(in) {
		if home, err := b.registry.isHome(ctx, in.key()); err != nil || !home {
			return in, errors.Join(errNotAllowed, err, b.revoke(ctx, in))
		}
	}
	return in, b.registry.put(ctx, in)
}

// exchange asks Slack for the token that somebody has allowed.
// https://docs.slack.dev/reference/methods/oauth.v2.access
func (b *Bot) exchange(ctx context.Context, code string) (installation, error) {
	var r *slack.OAuthV2Response
	err := attempt(ctx, "exchange code", false, func(ctx context.Context) error {
		var err error
		o := b.registry.oauth
		r, err = slack.GetOAuthV2ResponseContext(ctx, b.web, o.ClientID, o.ClientSecret, code, o.RedirectURL, slack.OAuthOptionAPIURL(b.cfg.APIURL))
		return err
	})
	if err != nil {
		return installation{}, err
	}
	in := installation{
		Workspace: r.Team.ID, Enterprise: r.Enterprise.ID, OrgWide: r.IsEnterpriseInstall, Name: r.Team.Name, App: r.AppID,
		Token: r.AccessToken, Scopes: splitScopes(r.Scope), By: r.AuthedUser.ID, At: b.cfg.Now().UTC(),
	}
	if in.OrgWide {
		in.Workspace, in.Name = "", r.Enterprise.Name
	}
	switch {
	case r.ExpiresIn != 0 || r.RefreshToken != "":
		return in, errRotation
	case !strings.HasPrefix(in.Token, "xoxb-") || in.key() == "":
		return in, errNoBotToken
	}
	return in, nil
}

// revoke gives back a token that is not wanted, and with it the installation.
func (b *Bot) revoke(ctx context.Context, in installation) error {
	c := b.clientOf(in.Token)
	defer b.dropClient(in.Token)
	return c.again(ctx, "revoke token", func(ctx context.Context) error {
		_, err := c.api.SendAuthRevokeContext(ctx, "")
		return err
	})
}

// splitScopes reads a list of scopes as Slack writes it.
func splitScopes(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

// lacking are the scopes that the bot needs and was not granted.
func (i installation) lacking() []string {
	var out []string
	for _, s := range Scopes() {
		if !s.Optional && !slices.Contains(i.Scopes, s.Name) {
			out = append(out, s.Name)
		}
	}
	return out
}

// checkOAuth looks at what several workspaces install the app by. Slack looks
// at the client before it looks at the code, so a code that nobody has made
// tells whether the client is right, and has no effect.
func (b *Bot) checkOAuth(ctx context.Context) []adapter.Finding {
	client := adapter.Finding{Name: "client"}
	_, err := b.exchange(ctx, "none")
	switch {
	case hasCode(err, "invalid_code", "code_already_used"):
		client.OK, client.Text = true, "is right; workspaces install the app at "+b.registry.oauth.installURL()
	case hasCode(err, "invalid_client_id", "bad_client_secret"):
		client.Text = "is not the app's: copy slack.client_id and slack.client_secret again, from Basic Information at https://api.slack.com/apps"
	case hasCode(err, "bad_redirect_uri"):
		client.Text = redirectAdvice
	default:
		client.Text, client.Away = fmt.Sprint(err), true
	}
	return []adapter.Finding{client}
}

const redirectAdvice = "slack.redirect_url is not among the Redirect URLs under OAuth & Permissions at https://api.slack.com/apps; add it there"
