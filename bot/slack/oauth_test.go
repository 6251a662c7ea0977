package slack_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ltxbot/bot/slack"
	"ltxbot/core/generate"
	"ltxbot/internal/golden"
	sim "ltxbot/sim/slack"
)

func TestTwoWorkspacesInstallTheAppAndGetTheirVideosAcrossARestart(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	tenants := []tenant{s.stranger("beta"), s.stranger("gamma")}
	var jobs []generate.Job
	for _, in := range tenants {
		s.mustInstall(in.ws)
		jobs = append(jobs, s.use(in))
	}
	if tenants[0].ws.BotToken() == tenants[1].ws.BotToken() {
		t.Fatal("both have one token")
	}
	s.reopen()
	for n, in := range tenants {
		s.mustShow(jobs[n].ID, generate.Running)
		s.mustDeliver(jobs[n].ID)
		if len(videos(in.channel)) != 1 || len(results(in.channel, jobs[n].ID)) != 1 {
			t.Errorf("in %s: %s", in.ws.ID(), texts(in.channel))
		}
		if jobs[n].Team != "slack:"+in.ws.ID() {
			t.Errorf("the budget of %s is %s", in.ws.ID(), jobs[n].Team)
		}
	}
	if len(fromBot(s.general)) != 0 {
		t.Errorf("in the workspace that has not installed the app: %s", texts(s.general))
	}
}

func TestAnInstallationAsksForTheScopesOfTheTable(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	asked := s.begin(s.browser())
	if diff := cmp.Diff(strings.Join(appScopes(t), ","), asked.Get("scope")); diff != "" {
		t.Errorf("scopes (-want +got):\n%s", diff)
	}
	id, _ := s.sim.Client()
	if asked.Get("client_id") != id || asked.Get("redirect_uri") != s.url+slack.PathOAuth {
		t.Errorf("asked: %v", asked)
	}
}

func TestAStateIsForOneBrowserOnceAndForTenMinutes(t *testing.T) {
	s := newShop(t)
	beta := s.stranger("beta")
	other := prepareShop(t)
	other.serve(other.bot)
	for _, tt := range []struct {
		name   string
		answer func(b browser) (browser, url.Values)
	}{
		{"another browser", func(b browser) (browser, url.Values) { return s.browser(), s.allow(s.begin(b), beta.ws) }},
		{"a browser that has begun another", func(b browser) (browser, url.Values) {
			s.begin(b)
			return b, s.allow(s.begin(s.browser()), beta.ws)
		}},
		{"no state", func(b browser) (browser, url.Values) {
			answer := s.allow(s.begin(b), beta.ws)
			answer.Del("state")
			return b, answer
		}},
		{"too late", func(b browser) (browser, url.Values) {
			asked := s.begin(b)
			s.sim.Advance(10*time.Minute + 2*time.Second)
			return b, s.allow(asked, beta.ws)
		}},
		{"used", func(b browser) (browser, url.Values) {
			asked := s.begin(b)
			cookies := b.Jar.Cookies(mustParse(t, s.url+slack.PathOAuth))
			s.back(b, url.Values{"error": {"access_denied"}, "state": {asked.Get("state")}})
			b.Jar.SetCookies(mustParse(t, s.url+slack.PathOAuth), cookies)
			return b, s.allow(asked, beta.ws)
		}},
		{"signed by somebody else", func(b browser) (browser, url.Values) { return b, forge(t, s, b, other.begin(b), beta) }},
		{"longer", func(b browser) (browser, url.Values) {
			asked := s.begin(b)
			asked.Set("state", asked.Get("state")+"AAAA")
			return b, forge(t, s, b, asked, beta)
		}},
		{"with a later end", func(b browser) (browser, url.Values) {
			asked := s.begin(b)
			raw, err := base64.RawURLEncoding.DecodeString(asked.Get("state"))
			if err != nil {
				t.Fatal(err)
			}
			raw[30]++
			asked.Set("state", base64.RawURLEncoding.EncodeToString(raw))
			return b, forge(t, s, b, asked, beta)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := s.exchanges()
			status, body := s.back(tt.answer(s.browser()))
			if status != http.StatusBadRequest || !strings.Contains(body, "This link has expired") {
				t.Errorf("%d %s", status, body)
			}
			if !strings.Contains(body, s.url+slack.PathInstall) {
				t.Error("the page does not say where to begin again")
			}
			if s.exchanges() != before || s.isKept(beta.ws.ID()) {
				t.Error("a token was asked for")
			}
		})
	}
	s.mustInstall(beta.ws)
}

// forge puts a state of one's own into the cookie, too.
func forge(t *testing.T, s *shop, b browser, asked url.Values, in tenant) url.Values {
	t.Helper()
	b.Jar.SetCookies(mustParse(t, s.url+slack.PathOAuth), []*http.Cookie{
		{Name: "ltx_slack_install", Value: asked.Get("state"), Path: slack.PathOAuth},
	})
	asked.Set("redirect_uri", s.url+slack.PathOAuth)
	return s.allow(asked, in.ws)
}

func mustParse(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestTheCookieIsForTheWayBackOnly(t *testing.T) {
	t.Parallel()
	s := prepareShop(t)
	s.cfg.OAuth.RedirectURL = "https://bot.example.com/base/slack/oauth"
	s.serve(s.newBot())
	w := httptest.NewRecorder()
	s.mux.Load().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, slack.PathInstall, nil))
	cookies := w.Result().Cookies()
	if len(cookies) != 1 {
		t.Fatalf("cookies: %v", cookies)
	}
	got := *cookies[0]
	got.Value, got.Raw = "", ""
	want := http.Cookie{
		Name: "ltx_slack_install", Path: "/base/slack/oauth", MaxAge: 600, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("cookie (-want +got):\n%s", diff)
	}
	if w.Header().Get("Cache-Control") != "no-store" {
		t.Error("a browser may keep the way to Slack")
	}
}

func TestWhatPeopleReadWhenNothingWasInstalled(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		spoil  func(s *shop, answer url.Values)
		status int
		says   string
		again  bool // trying again may help
	}{
		{"denied", func(_ *shop, answer url.Values) {
			answer.Del("code")
			answer.Set("error", "access_denied")
		}, http.StatusForbidden, "You did not allow it", true},
		{"another error of Slack", func(_ *shop, answer url.Values) {
			answer.Del("code")
			answer.Set("error", "invalid_scope")
		}, http.StatusBadGateway, "That did not work", true},
		{"a code that does not exist", func(_ *shop, answer url.Values) { answer.Set("code", "made up") }, http.StatusBadRequest, "That took too long", true},
		{"another secret", func(s *shop, _ url.Values) { s.cfg.OAuth.ClientSecret = "hunter2" }, http.StatusInternalServerError, "not set up right", false},
		{"a lost reply", func(s *shop, _ url.Values) {
			s.sim.Inject(sim.Fault{Method: "oauth.v2.access", Kind: sim.LoseReply})
		}, http.StatusBadGateway, "That did not work", true},
		{"Slack is down", func(s *shop, _ url.Values) {
			s.sim.Inject(sim.Fault{Method: "oauth.v2.access", Kind: sim.HTTPStatus})
		}, http.StatusBadGateway, "That did not work", true},
		{"a store that does not write", func(s *shop, _ url.Values) { _ = s.kept.store.Close() }, http.StatusBadGateway, "That did not work", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			beta := s.stranger("beta")
			b := s.browser()
			answer := s.allow(s.begin(b), beta.ws)
			tt.spoil(s, answer)
			s.serve(s.newBot())
			status, body := s.back(b, answer)
			if status != tt.status || !strings.Contains(body, tt.says) {
				t.Errorf("%d %s", status, body)
			}
			if again := strings.Contains(body, "Try again"); again != tt.again {
				t.Errorf("offers to try again: %t", again)
			}
			log := s.log.String()
			for _, secret := range []string{answer.Get("code"), answer.Get("state"), "hunter2"} {
				if secret != "" && strings.Contains(log, secret) {
					t.Errorf("the log holds %q", secret)
				}
			}
		})
	}
}

func TestThePageOfAnInstallationRunsNothingAndTellsNobody(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	ws := s.sim.AddWorkspace(sim.WorkspaceSpec{Domain: "<b>acme</b>", NotInstalled: true})
	b := s.browser()
	_, headers, body := b.visit(s.url + slack.PathOAuth + "?" + s.allow(s.begin(b), ws).Encode())
	for header, want := range map[string]string{
		"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Content-Type": "text/html; charset=utf-8",
	} {
		if got := headers.Get(header); got != want {
			t.Errorf("%s: %q, want %q", header, got, want)
		}
	}
	if csp := headers.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") {
		t.Errorf("content security policy: %q", csp)
	}
	golden.Equal(t, "installed.html", strings.ReplaceAll(body, s.sim.AppID(), "A0APP"))
}

func TestAnInstallationWithoutAScopeThatIsNeededSaysSo(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	beta := s.stranger("beta")
	b := s.browser()
	asked := s.begin(b)
	asked.Set("scope", "commands,chat:write,users:read")
	_, body := s.back(b, s.allow(asked, beta.ws))
	if !strings.Contains(body, "will not work without: files:write.") {
		t.Errorf("page: %s", body)
	}
}

func TestAnOrganisationInstallsTheAppForAllItsWorkspaces(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	spec := sim.WorkspaceSpec{Enterprise: "E0GRID0001", EnterpriseName: "Grid", OrgInstall: true, NotInstalled: true}
	first := s.tenant(spec)
	status, body := s.install(first.ws)
	if status != http.StatusOK || !strings.Contains(body, "Ready to make videos in Grid") || !strings.Contains(body, "An admin still has to add it") {
		t.Fatalf("%d %s", status, body)
	}
	s.secret(first.ws)
	spec.NotInstalled = false
	second := s.tenant(spec)
	if !s.isKept("E0GRID0001") || s.isKept(first.ws.ID()) || s.isKept(second.ws.ID()) {
		t.Fatal("the installation is not kept under the organisation")
	}
	var jobs []generate.Job
	for _, in := range []tenant{first, second} {
		jobs = append(jobs, s.use(in))
		s.mention(in.user, in.channel, cowboy, "")
		if j := s.job(); j.Place.Tenant != in.ws.ID() {
			t.Errorf("a mention in %s is a job of %s", in.ws.ID(), j.Place.Tenant)
		}
	}
	s.reopen()
	for n, in := range []tenant{first, second} {
		s.mustDeliver(jobs[n].ID)
		if len(videos(in.channel)) != 1 {
			t.Errorf("in %s: %s", in.ws.ID(), texts(in.channel))
		}
		s.click(in.user, results(in.channel, jobs[n].ID)[0], "Again")
		s.job()
	}
}

func TestOnlyTheWorkspacesOfTheListInstallTheApp(t *testing.T) {
	t.Parallel()
	s := newShop(t, func(c *slack.Config) { c.OAuth.Workspaces = []string{"T0BETA0001", "E0GRID0001"} })
	var served tenant
	for _, tt := range []struct {
		spec    sim.WorkspaceSpec
		allowed bool
	}{
		{sim.WorkspaceSpec{ID: "T0BETA0001", NotInstalled: true}, true},
		{sim.WorkspaceSpec{ID: "T0GRID0001", Enterprise: "E0GRID0001", NotInstalled: true}, true},
		{sim.WorkspaceSpec{ID: "T0GAMMA001", NotInstalled: true}, false},
	} {
		in := s.tenant(tt.spec)
		status, body := s.install(in.ws)
		if allowed := status == http.StatusOK; allowed != tt.allowed || s.isKept(in.ws.ID()) != tt.allowed {
			t.Errorf("%s: %d %s", in.ws.ID(), status, body)
		}
		s.secret(in.ws)
		if in.ws.ID() == "T0BETA0001" {
			served = in
		}
	}
	if revoked := s.sim.Requests("auth.revoke"); len(revoked) != 1 || revoked[0].Error != "" {
		t.Errorf("tokens given back: %+v", revoked)
	}
	// A workspace that is taken off the list is served no more.
	beta := s.use(served)
	s.cfg.OAuth.Workspaces = []string{"E0GRID0001"}
	s.reopen()
	if err := s.show(beta.ID, generate.Running); !errors.Is(err, generate.ErrUnreachable) {
		t.Errorf("show: %v", err)
	}
}

func TestTheClientOfTheConfigIsChecked(t *testing.T) {
	t.Parallel()
	s := prepareShop(t)
	s.cfg.OAuth.Installations = nil
	found := s.newBot().Check(s.ctx)
	if got := bad(found); len(got) != 0 || len(found) != 2 || !strings.Contains(found[0].Text, s.url+slack.PathInstall) {
		t.Errorf("findings: %+v", found)
	}
	s.cfg.BotToken = s.ws.BotToken()
	if found := s.newBot().Check(s.ctx); len(bad(found)) != 0 || len(found) < 3 {
		t.Errorf("findings with a bot token: %+v", found)
	}
	s.cfg.OAuth.ClientSecret, s.cfg.BotToken = "hunter2", ""
	if diff := cmp.Diff([]string{"client"}, bad(s.newBot().Check(s.ctx))); diff != "" {
		t.Errorf("findings with another secret (-want +got):\n%s", diff)
	}
}

func TestWhatSeveralWorkspacesNeedIsThere(t *testing.T) {
	t.Parallel()
	s := prepareShop(t)
	for says, spoil := range map[string]func(*slack.OAuth){
		"client id":            func(o *slack.OAuth) { o.ClientID = "" },
		"client secret":        func(o *slack.OAuth) { o.ClientSecret = "" },
		"ends in /slack/oauth": func(o *slack.OAuth) { o.RedirectURL = "https://bot.example.com" },
		"has 31 bytes":         func(o *slack.OAuth) { o.TokenKey = o.TokenKey[1:] },
	} {
		o := *s.cfg.OAuth
		spoil(&o)
		cfg := s.cfg
		cfg.OAuth = &o
		if _, err := slack.New(cfg); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", says, err)
		}
	}
}

// A state is free for everybody, so what comes back with one is written by
// anybody.
func TestErrorsThatAnybodyMakesUpFillNoLog(t *testing.T) {
	t.Parallel()
	s := newShop(t, func(c *slack.Config) { c.Now = newHandClock().now })
	const tries = 100
	for range tries {
		b := s.browser()
		s.back(b, url.Values{"error": {"made_up"}, "state": {s.begin(b).Get("state")}})
	}
	if n := strings.Count(s.log.String(), "slack did not allow an installation"); n == 0 || n > 11 {
		t.Errorf("%d lines for %d errors, want some and 11 at most", n, tries)
	}
}
