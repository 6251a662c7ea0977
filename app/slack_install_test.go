package app_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"ltxbot/app"
	"ltxbot/config"
	"ltxbot/internal/testfile"
	simslack "ltxbot/sim/slack"
	"ltxbot/store/storetest"
)

// open opens a page of the bot with the cookie that an earlier one has set.
func (w *world) open(t *testing.T, path, cookie string) (status int, header http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+w.app.Addr()+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Cookie", cookie)
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode, resp.Header
}

// videosIn is how many messages of a channel carry a file.
func videosIn(channel *simslack.Channel) int {
	n := 0
	for _, m := range channel.Messages() {
		n += len(m.Files)
	}
	return n
}

// A shop is a world whose Slack app workspaces install by OAuth, with one that
// has not done so yet.
type shop struct {
	*world

	slack   *simslack.Server
	beta    *simslack.Workspace
	channel *simslack.Channel
	eve     *simslack.User
	secrets []string
}

func prepareShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{world: prepare(t, "text")}
	var err error
	if s.slack, err = simslack.Start(simslack.Options{NoRateLimits: true, AnswerWithin: answerLimit}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.slack.Close)
	s.beta = s.slack.AddWorkspace(simslack.WorkspaceSpec{Domain: "beta", NotInstalled: true})
	s.eve = s.beta.AddUser(simslack.UserSpec{Name: "eve", Locale: "de-DE"})
	s.channel = s.beta.AddChannel(simslack.ChannelSpec{Name: "videos", Members: []*simslack.User{s.eve, s.beta.Bot()}})
	id, password := s.slack.Client()
	s.secrets = []string{password}
	c := &s.cfg.Slack
	c.ClientID, c.ClientSecret, c.AppToken = id, config.NewSecret(password), config.NewSecret(s.slack.AppToken())
	c.TokenKey, c.APIURL, c.RedirectURL = config.NewSecret(strings.Repeat("0a", 32)), s.slack.APIURL(), "http://localhost:1/slack/oauth"
	if err := s.cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	return s
}

// install lets the workspace install the app.
func (s *shop) install(t *testing.T) {
	t.Helper()
	_, begun := s.open(t, "/slack/install", "")
	to, err := url.Parse(begun.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	code := s.slack.Authorize(s.beta, s.cfg.Slack.RedirectURL, strings.Split(to.Query().Get("scope"), ",")...)
	back := url.Values{"code": {code}, "state": {to.Query().Get("state")}}
	cookie, _, _ := strings.Cut(begun.Get("Set-Cookie"), ";")
	if status, _ := s.open(t, "/slack/oauth?"+back.Encode(), cookie); status != http.StatusOK {
		t.Fatalf("install: %d\nlog:\n%s", status, s.log.String())
	}
}

// makes lets eve make a video and waits for it.
func (s *shop) makes(t *testing.T) {
	t.Helper()
	before := videosIn(s.channel)
	if _, err := s.eve.Slash(t.Context(), s.channel, "/ltx", "a cowboy"); err != nil {
		t.Fatalf("%v\nlog:\n%s", err, s.log.String())
	}
	if _, err := s.channel.WaitMessage(t.Context(), func(simslack.Message) bool { return videosIn(s.channel) > before }); err != nil {
		t.Fatalf("no video: %v\nlog:\n%s", err, s.log.String())
	}
}

func TestAWorkspaceInstallsTheSlackAppAndStaysAcrossARestart(t *testing.T) {
	t.Parallel()
	s := prepareShop(t)
	s.run(t)
	s.install(t)
	s.makes(t)
	s.stop(t)
	raw := testfile.Read(t, s.cfg.Store.Path())
	kept := storetest.File(t, s.cfg.Store.Path(), storetest.Options{})
	installation, err := kept.Setting(t.Context(), "slack/"+s.cfg.Slack.ClientID+"/"+s.beta.ID())
	if err := errors.Join(err, kept.Close()); err != nil || installation == nil {
		t.Errorf("the store does not hold the installation: %v", err)
	}
	raw = append(raw, installation...) // in the file it is in base64
	for _, secret := range append(s.secrets, s.beta.BotToken(), "xoxb-") {
		if bytes.Contains(raw, []byte(secret)) || strings.Contains(s.log.String(), secret) {
			t.Errorf("the store or the log holds %q", secret)
		}
	}
	s.run(t)
	s.makes(t)
	s.stop(t)

	s.cfg.Slack.TokenKey = config.NewSecret(strings.Repeat("0b", 32))
	other, err := app.New(t.Context(), s.cfg, s.opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "slack.token_key is not the key") {
		t.Errorf("start with another key: %v", err)
	}
}

// A workspace that has installed the app by OAuth, whose people speak German,
// is told of its budget there and in German.
func TestAdminsOfAnInstalledWorkspaceReadInTheirLanguageThatTheBudgetIsUsed(t *testing.T) {
	t.Parallel()
	s := prepareShop(t)
	office := s.beta.AddChannel(simslack.ChannelSpec{Name: "office", Members: []*simslack.User{s.eve, s.beta.Bot()}})
	s.cfg.Teams = []config.Team{{
		Name: "acme", SlackWorkspaces: []string{s.beta.ID()}, AdminChannel: "slack:" + office.ID(), Limit: config.Limit{VideosPerDay: 2},
	}}
	s.run(t)
	s.install(t)
	s.makes(t)
	s.stop(t)
	s.run(t) // a start looks at once
	m, err := office.WaitMessage(t.Context(), func(m simslack.Message) bool { return m.FromApp })
	if err != nil {
		t.Fatalf("nothing was posted: %v\nlog:\n%s", err, s.log.String())
	}
	if !strings.Contains(m.Text, "50 % des Budgets des Teams sind verbraucht") {
		t.Errorf("told %q", m.Text)
	}
}
