package app_test

import (
	"bytes"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"ltxbot/app"
	"ltxbot/config"
	simslack "ltxbot/sim/slack"
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

func TestAWorkspaceInstallsTheSlackAppAndStaysAcrossARestart(t *testing.T) {
	w := prepare(t, "text")
	slack, err := simslack.Start(simslack.Options{NoRateLimits: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(slack.Close)
	beta := slack.AddWorkspace(simslack.WorkspaceSpec{Domain: "beta", NotInstalled: true})
	eve := beta.AddUser(simslack.UserSpec{Name: "eve"})
	channel := beta.AddChannel(simslack.ChannelSpec{Name: "videos", Members: []*simslack.User{eve, beta.Bot()}})
	id, password := slack.Client()
	c := &w.cfg.Slack
	c.ClientID, c.ClientSecret, c.AppToken = id, config.NewSecret(password), config.NewSecret(slack.AppToken())
	c.TokenKey, c.APIURL, c.RedirectURL = config.NewSecret(strings.Repeat("0a", 32)), slack.APIURL(), "http://localhost:1/slack/oauth"
	if err := w.cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	w.run(t)

	_, begun := w.open(t, "/slack/install", "")
	to, err := url.Parse(begun.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	code := slack.Authorize(beta, c.RedirectURL, strings.Split(to.Query().Get("scope"), ",")...)
	back := url.Values{"code": {code}, "state": {to.Query().Get("state")}}
	cookie, _, _ := strings.Cut(begun.Get("Set-Cookie"), ";")
	if status, _ := w.open(t, "/slack/oauth?"+back.Encode(), cookie); status != http.StatusOK {
		t.Fatalf("install: %d\nlog:\n%s", status, w.log.String())
	}

	works := func() {
		t.Helper()
		before := videosIn(channel)
		if _, err := eve.Slash(t.Context(), channel, "/ltx", "a cowboy"); err != nil {
			t.Fatalf("%v\nlog:\n%s", err, w.log.String())
		}
		if _, err := channel.WaitMessage(t.Context(), func(simslack.Message) bool { return videosIn(channel) > before }); err != nil {
			t.Fatalf("no video: %v\nlog:\n%s", err, w.log.String())
		}
	}
	works()
	w.stop(t)
	raw, err := os.ReadFile(w.cfg.Store.Path())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(raw, []byte("slack/"+id+"/"+beta.ID())) {
		t.Error("the store does not hold the installation")
	}
	for _, secret := range []string{beta.BotToken(), "xoxb-", password} {
		if bytes.Contains(raw, []byte(secret)) || strings.Contains(w.log.String(), secret) {
			t.Errorf("the store or the log holds %q", secret)
		}
	}
	w.run(t)
	works()
	w.stop(t)

	c.TokenKey = config.NewSecret(strings.Repeat("0b", 32))
	other, err := app.New(t.Context(), w.cfg, w.opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "slack.token_key is not the key") {
		t.Errorf("start with another key: %v", err)
	}
}
