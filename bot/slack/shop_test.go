package slack_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"ltxbot/bot/adapter"
	"ltxbot/bot/slack"
	"ltxbot/core/generate"
	"ltxbot/internal/testfile"
	sim "ltxbot/sim/slack"
	"ltxbot/store"
	"ltxbot/store/storetest"
)

// kept keeps installations in a store on disk.
type kept struct{ store *store.Store }

func (k kept) Get(ctx context.Context, key string) ([]byte, error) { return k.store.Setting(ctx, key) }

func (k kept) Put(ctx context.Context, key string, value []byte) error {
	return k.store.PutSetting(ctx, key, value)
}

func (k kept) Delete(ctx context.Context, key string) error { return k.store.PutSetting(ctx, key, nil) }

// A shop is a stage whose app several workspaces can install. The workspace
// of the stage has not.
type shop struct {
	*stage
	kept kept
	path string // of the store
	url  string // of the bot's pages
	mux  atomic.Pointer[http.ServeMux]
}

// newShop starts a bot that serves the workspaces that install its app.
func newShop(t *testing.T, change ...func(*slack.Config)) *shop {
	t.Helper()
	s := prepareShop(t, change...)
	s.open()
	return s
}

// prepareShop is newShop without starting the bot.
func prepareShop(t *testing.T, change ...func(*slack.Config)) *shop {
	t.Helper()
	s := &shop{path: t.TempDir() + "/ltx.db"}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.mux.Load().ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	s.url = server.URL
	store, err := storetest.OpenFile(s.path, storetest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	s.kept = kept{store}
	key := make([]byte, slack.TokenKeySize)
	if _, err := rand.Read(key); err != nil {
		t.Fatal(err)
	}
	o := &slack.OAuth{TokenKey: key, RedirectURL: s.url + slack.PathOAuth, Installations: s.kept}
	s.stage = prepareStage(t, quietSim(), append([]func(*slack.Config){func(c *slack.Config) {
		c.BotToken, c.OAuth, o.ClientID, o.ClientSecret = "", o, "1.2", "secret"
	}}, change...)...)
	o.ClientID, o.ClientSecret = s.sim.Client()
	s.bot = s.newBot()
	return s
}

// open starts the bot and its pages.
func (s *shop) open() {
	s.t.Helper()
	s.serve(s.bot)
	s.start()
}

func (s *shop) serve(b *slack.Bot) {
	mux := http.NewServeMux()
	b.RegisterInstall(mux)
	s.mux.Store(mux)
}

// reopen puts a new bot in the place of the old one.
func (s *shop) reopen() {
	s.t.Helper()
	s.stop()
	s.bot = s.newBot()
	s.open()
}

// A tenant is a workspace with somebody in a channel.
type tenant struct {
	ws      *sim.Workspace
	channel *sim.Channel
	user    *sim.User
}

func (s *shop) tenant(spec sim.WorkspaceSpec) tenant {
	ws := s.sim.AddWorkspace(spec)
	user := ws.AddUser(sim.UserSpec{Name: "eve"})
	return tenant{ws, ws.AddChannel(sim.ChannelSpec{Name: "videos", Members: []*sim.User{user, ws.Bot()}}), user}
}

// stranger is a tenant that has not installed the app.
func (s *shop) stranger(domain string) tenant {
	return s.tenant(sim.WorkspaceSpec{Domain: domain, NotInstalled: true})
}

// A browser is somebody's, with its own cookies.
type browser struct {
	*http.Client

	t *testing.T
}

func (s *shop) browser() browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	transport := &http.Transport{}
	s.t.Cleanup(transport.CloseIdleConnections)
	return browser{&http.Client{
		Jar: jar, Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, s.t}
}

// visit loads a page.
func (b browser) visit(address string) (status int, header http.Header, body string) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	resp, err := b.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(raw)
}

// begin opens the page where an installation begins, and returns what Slack
// is asked.
func (s *shop) begin(b browser) url.Values {
	s.t.Helper()
	status, header, body := b.visit(s.url + slack.PathInstall)
	if status != http.StatusFound {
		s.t.Fatalf("%d %s", status, body)
	}
	to := mustParse(s.t, header.Get("Location"))
	if got, want := to.Scheme+"://"+to.Host+to.Path, "https://slack.com/oauth/v2/authorize"; got != want {
		s.t.Fatalf("sent to %s, want %s", got, want)
	}
	return to.Query()
}

// allow is somebody who allows in Slack what was asked.
func (s *shop) allow(asked url.Values, ws *sim.Workspace) url.Values {
	code := s.sim.Authorize(ws, asked.Get("redirect_uri"), strings.Split(asked.Get("scope"), ",")...)
	return url.Values{"code": {code}, "state": {asked.Get("state")}}
}

// back is what somebody reads who comes back from Slack.
func (s *shop) back(b browser, answer url.Values) (status int, body string) {
	s.t.Helper()
	status, _, body = b.visit(s.url + slack.PathOAuth + "?" + answer.Encode())
	return status, body
}

// install is somebody who installs the app in a workspace.
func (s *shop) install(ws *sim.Workspace) (status int, body string) {
	s.t.Helper()
	b := s.browser()
	return s.back(b, s.allow(s.begin(b), ws))
}

func (s *shop) mustInstall(ws *sim.Workspace) {
	s.t.Helper()
	if status, body := s.install(ws); status != http.StatusOK || !strings.Contains(body, "Ready to make videos") {
		s.t.Fatalf("install: %d\n%s\nlog:\n%s", status, body, s.log.String())
	}
	s.secret(ws)
}

// secret checks at the end that the token of a workspace is not to be read in
// the log or in the store.
func (s *shop) secret(ws *sim.Workspace) {
	token := ws.BotToken()
	s.t.Cleanup(func() {
		if strings.Contains(s.log.String(), token) {
			s.t.Error("the log holds a token")
		}
		raw := testfile.Read(s.t, s.path)
		if bytes.Contains(raw, []byte("xoxb-")) || bytes.Contains(raw, []byte(token)) {
			s.t.Error("the store holds a token in plain text")
		}
		if len(raw) == 0 {
			s.t.Error("the store is empty")
		}
	})
}

// isKept reports whether the store holds an installation.
func (s *shop) isKept(key string) bool {
	s.t.Helper()
	raw, err := s.kept.Get(context.WithoutCancel(s.t.Context()), key)
	if err != nil {
		s.t.Fatal(err)
	}
	return raw != nil
}

// use lets somebody in a workspace make a video, up to its card.
func (s *shop) use(in tenant) generate.Job {
	s.t.Helper()
	s.slash(in.user, in.channel, cowboy)
	j := s.job()
	s.mustShow(j.ID, generate.Accepted)
	if len(fromBot(in.channel)) == 0 {
		s.t.Errorf("no card in %s; log:\n%s", in.ws.ID(), s.log.String())
	}
	return j
}

// exchanges is how often Slack was asked for a token.
func (s *shop) exchanges() int { return len(s.sim.Requests("oauth.v2.access")) }

// bad are findings that are no good.
func bad(found []adapter.Finding) []string {
	var names []string
	for _, f := range found {
		if !f.OK {
			names = append(names, f.Name)
		}
	}
	slices.Sort(names)
	return names
}
