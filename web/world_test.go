package web_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/library"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/core/quota/quotatest"
	"ltxbot/core/team"
	"ltxbot/core/usd"
	"ltxbot/internal/ingress"
	"ltxbot/internal/parallel"
	"ltxbot/store"
	"ltxbot/store/kv/mem"
	"ltxbot/web"
)

func TestMain(m *testing.M) {
	parallel.AtLeast(8) // they wait for pieces of open pages
	m.Run()
}

// noon is a Wednesday, far from the end of anything.
var noon = time.Date(2026, time.March, 11, 12, 0, 0, 0, time.UTC)

const token = "correct-horse-battery"

// Members: ann makes videos and is nobody's admin, boss manages acme, eve is in
// another team.
const (
	ann  = "discord:1"
	bob  = "discord:2"
	eve  = "discord:3"
	boss = "discord:9"
)

// world is a console over a store in memory.
type world struct {
	testing.TB

	clock    *quotatest.Clock
	store    *store.Store
	server   *web.Server
	cfg      web.Config
	engine   *engine
	people   *people
	policy   quota.Policy
	again    []web.Again
	log      *strings.Builder
	everyone bool         // may add LoRAs
	named    atomic.Int64 // how often a name was asked for
}

// engine is the store, and a record of what it was asked to do.
type engine struct {
	*store.Store

	done []string
	err  error
}

func (e *engine) Cancel(ctx context.Context, id, by string) (generate.Job, error) {
	e.done = append(e.done, "cancel "+id+" by "+by)
	j, err := e.Job(ctx, id)
	return j, orElse(e.err, err)
}

func (e *engine) GiveUp(ctx context.Context, id, by string) (generate.Job, error) {
	e.done = append(e.done, "give up "+id+" by "+by)
	j, err := e.Job(ctx, id)
	return j, orElse(e.err, err)
}

func (e *engine) Redeliver(ctx context.Context, id, by string) (generate.Job, error) {
	e.done = append(e.done, "deliver "+id+" by "+by)
	j, err := e.Job(ctx, id)
	return j, orElse(e.err, err)
}

func orElse(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// people are who is where.
type people struct {
	mu    sync.Mutex
	known map[string]web.Person // by tenant and user
	asked int
	err   error
}

func (p *people) Person(_ context.Context, tenant, user string) (web.Person, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	if p.err != nil {
		return web.Person{}, p.err
	}
	who, ok := p.known[tenant+" "+user]
	if !ok {
		return who, web.ErrStranger
	}
	return who, nil
}

// set changes who somebody is.
func (p *people) set(where string, who web.Person) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known[where] = who
}

// signsIn is a platform that believes every code that is the id of a user.
type signsIn struct{ guilds map[string][]string }

func (signsIn) Platform() string { return "discord" }
func (signsIn) Title() string    { return "Discord" }

func (signsIn) Address(_ context.Context, p web.Proof) (string, error) {
	return "https://discord.example/authorize?" + url.Values{"state": {p.State}, "redirect_uri": {p.Redirect}}.Encode(), nil
}

func (s signsIn) Identify(_ context.Context, code string, _ web.Proof) (web.Identity, error) {
	guilds, ok := s.guilds[code]
	if !ok {
		return web.Identity{}, &web.RefusedError{Reason: "invalid_grant"}
	}
	return web.Identity{User: code, Name: "User " + code, Tenants: guilds}, nil
}

// words are those of the chat, so that they can be told from the names in records.
type words struct{}

func (words) State(j generate.Job) string       { return "Now " + string(j.State) }
func (words) StateName(s generate.State) string { return "All " + string(s) }
func (words) Verb(name string) string           { return "To " + name }

func (words) Why(j generate.Job) string {
	if j.Failure.Kind == "" {
		return ""
	}
	return "Because " + string(j.Failure.Kind)
}

// files are what a look at the file of a LoRA finds.
type files struct{ library.Checker }

func (files) Check(_ context.Context, path string) (f library.Finding, err error) {
	switch path {
	case "acme/pickle":
		f.Warnings = []library.Warning{{Kind: library.Pickle, Value: "<b>pickle</b>"}}
	case "acme/wan":
		f.Warnings = []library.Warning{{Kind: library.OtherModel, Value: "<b>wan</b>"}}
	}
	return f, nil
}

func newWorld(t testing.TB) *world {
	t.Helper()
	clock := quotatest.NewClock(noon)
	s := store.New(mem.New(clock.Now).Open(), store.Options{Logger: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() { _ = s.Close() })
	return newWorldOn(t, clock, s)
}

// newWorldOn is a world over another store.
func newWorldOn(t testing.TB, clock *quotatest.Clock, s *store.Store) *world {
	t.Helper()
	w := &world{TB: t, clock: clock, store: s, log: &strings.Builder{}}
	w.policy = quota.Policy{
		Member: quota.Limits{JobsAtATime: 2, Windows: []quota.WindowLimit{{Window: quota.Day, Videos: 3}}},
		Team:   quota.Limits{Windows: []quota.WindowLimit{{Window: quota.Month, USD: 200 * usd.Dollar}}},
		Tiers:  []quota.Tier{{Name: "studio", Limits: quota.Limits{Windows: []quota.WindowLimit{{Window: quota.Day, Videos: 50}}}}},
	}
	policy := func() quota.Policy { return w.policy }
	teams := func(context.Context) ([]string, error) { return []string{"globex", "acme"}, nil }
	office := team.NewOffice(team.OfficeConfig{
		Store: w.store, Policy: policy, Now: w.clock.Now, Teams: teams,
		ParseMember: func(text, _ string) (string, bool) { return text, strings.HasPrefix(text, "discord:") },
		Reload:      func(context.Context) ([]string, error) { return []string{"store.url"}, nil },
	})
	shelf := library.NewShelf(w.store, slog.New(slog.DiscardHandler))
	shelves := library.NewOffice(library.OfficeConfig{
		Store: w.store, Shelf: shelf, Rules: func() ltx.Rules { return ltx.Rules{LoRAHosts: ltx.DefaultLoRAHosts()} }, Now: w.clock.Now,
		Options:  func(line string) ([]ltx.Setting, error) { return []ltx.Setting{{Key: "camera", Value: line}}, nil },
		Everyone: func() bool { return w.everyone }, Blocked: office.Blocked, Files: files{},
	})
	w.engine = &engine{Store: w.store}
	w.people = &people{known: map[string]web.Person{
		"G1 1": {Member: ann}, "G1 2": {Member: bob}, "G1 9": {Member: boss, Admin: true}, "G2 3": {Member: eve, Admin: true},
	}}
	logger := slog.New(slog.NewTextHandler(w.log, nil))
	w.cfg = web.Config{
		Token: token, SignIns: []web.SignIn{signsIn{map[string][]string{"1": {"G1"}, "2": {"G1"}, "9": {"G1"}, "3": {"G2", "G7"}, "5": {"G7"}}}},
		People: map[string]web.People{"discord": w.people}, MediaHosts: []string{"fal.media", "*.fal.media"}, KeepMedia: 7 * 24 * time.Hour,
		Sessions: w.store, Jobs: w.engine, Office: office, Library: shelves, Account: office.Account, Policy: policy, Teams: teams,
		Models: func(tiers []string) []string {
			return map[string][]string{"studio": {"pro", "ltx-2.5"}}[strings.Join(tiers, " ")]
		},
		Usage: func(ctx context.Context, a quota.Asker) ([]quota.Gauge, error) {
			var gauges []quota.Gauge
			for _, c := range w.policy.Counts(a, quota.AdminState{}, w.clock.Now()) {
				used, err := w.store.Used(ctx, a.Team, []quota.Count{c})
				if err != nil {
					return nil, err
				}
				gauges = append(gauges, c.Gauge(used[0]))
			}
			return gauges, nil
		},
		Team: func(_ context.Context, _, tenant string) string {
			return map[string]string{"G1": "acme", "G2": "globex"}[tenant]
		},
		Days: func(ctx context.Context, of string, from, to time.Time) ([]web.Day, error) {
			found, err := w.store.Spending(ctx, of, from, to)
			var days []web.Day
			for _, d := range found {
				days = append(days, web.Day{Day: d.Day, Spending: d.Spending})
			}
			return days, err
		},
		Words: words{},
		Told:  func(j generate.Job) string { return "Told: " + j.Request.Prompt() },
		Again: func(_ context.Context, a web.Again) (generate.Job, error) {
			w.again = append(w.again, a)
			return a.Job, nil
		},
		Export: func(ctx context.Context, team, member string) ([]generate.Personal, error) {
			return generate.Export(ctx, w.store, team, member)
		},
		Erase: func(ctx context.Context, team, member string) (generate.Erased, error) {
			return generate.Erase(ctx, w.store, false, team, member)
		},
		Health: func(context.Context) web.Health {
			return web.Health{Ready: true, Parts: []web.Part{{Name: "store", State: "ok"}}}
		},
		Examine: func(context.Context) []web.Finding {
			return []web.Finding{{Level: "warning", Area: "clock", Text: "is off"}}
		},
		CheckLoRA: func(_ context.Context, _, _, link string) string { return "Checked " + link },
		Brought: func(r library.Report) string {
			if r.Finding == nil || len(r.Finding.Warnings) == 0 {
				return ""
			}
			return "Brought " + r.Finding.Warnings[0].Value
		},
		NotKept: func(err *library.UnusableError) string { return "Not kept " + err.Finding.Warnings[0].Value },
		Name: func(_ context.Context, member string) (string, error) {
			w.named.Add(1)
			if member == eve {
				return "", errors.New("no answer")
			}
			return map[string]string{ann: "Ann Lee", boss: "The <b>Boss</b>"}[member], nil
		},
		Guard: ingress.New(slog.New(slog.DiscardHandler), nil), Now: w.clock.Now, Logger: logger,
	}
	t.Cleanup(w.cfg.Guard.Close)
	w.restart()
	return w
}

// restart makes the console anew, of what the config is now.
func (w *world) restart() {
	w.Helper()
	var err error
	if w.server, err = web.New(w.cfg); err != nil {
		w.Fatal(err)
	}
}

// made adds a job with its hold, which was delivered unless a state is given.
func (w *world) made(id, of, member, prompt string, states ...generate.State) generate.Job {
	w.Helper()
	r, err := ltx.Rules{}.Parse([]ltx.Setting{{Key: "prompt", Value: prompt}})
	if err != nil {
		w.Fatal(err)
	}
	now := w.clock.Now()
	j := generate.Job{
		ID: id, State: generate.Accepted, Team: of, Member: member, Event: id, Request: r, Endpoint: r.Endpoint(), Estimate: usd.Dollar, Created: now,
		Place: generate.Place{Platform: "discord", Tenant: "G1", Channel: "C1", User: strings.TrimPrefix(member, "discord:")},
	}
	j, err = w.store.Accept(w.Context(), j, w.policy.Plan(id, quota.Asker{Team: of, Member: member}, j.Estimate, now))
	if err != nil {
		w.Fatal(err)
	}
	to := generate.Delivered
	if len(states) > 0 {
		to = states[0]
	}
	billing := quota.Keep()
	j.State = to
	switch to { //nolint:exhaustive // the others are under way
	case generate.Delivered:
		billing, j.Charged = quota.Settle(usd.Dollar/2), usd.Dollar/2
		j.Output = ltx.Output{URL: "https://v3.fal.media/files/" + id + ".mp4"}
		j.Fetched, j.Finished, j.Shown = now.Add(40*time.Second), now.Add(42*time.Second), to
		j.Receipt = generate.Receipt{Link: "https://discord.com/channels/G1/C1/" + id, At: now.Add(42 * time.Second)}
	case generate.Failed, generate.Cancelled:
		billing, j.Finished, j.Shown = quota.Release(), now.Add(time.Second), to
	}
	if j, err = w.store.Save(w.Context(), j, billing); err != nil {
		w.Fatal(err)
	}
	w.clock.Advance(time.Minute)
	return j
}

// private makes a job private.
func (w *world) private(j generate.Job) generate.Job {
	w.Helper()
	j.Place.Private = true
	j, err := w.store.Save(w.Context(), j, quota.Keep())
	if err != nil {
		w.Fatal(err)
	}
	return j
}

// browser is somebody's browser.
type browser struct {
	w       *world
	cookies map[string]*http.Cookie
	host    string
	remote  string
	header  http.Header
}

func (w *world) browser() *browser {
	return &browser{w: w, cookies: map[string]*http.Cookie{}, host: "127.0.0.1:8080", remote: "127.0.0.1:50000", header: http.Header{}}
}

func (b *browser) do(method, target string, form url.Values) *httptest.ResponseRecorder {
	b.w.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r := httptest.NewRequestWithContext(b.w.Context(), method, target, body)
	r.Host, r.RemoteAddr = b.host, b.remote
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	maps.Copy(r.Header, b.header)
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	rec := httptest.NewRecorder()
	b.w.server.ServeHTTP(rec, r)
	result := rec.Result()
	defer result.Body.Close()
	for _, c := range result.Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
			continue
		}
		b.cookies[c.Name] = c
	}
	return rec
}

func (b *browser) get(target string) *httptest.ResponseRecorder {
	return b.do(http.MethodGet, target, nil)
}

// page is a page that must be there.
func (b *browser) page(target string) string {
	b.w.Helper()
	rec := b.get(target)
	if rec.Code != http.StatusOK {
		b.w.Fatalf("GET %s: %d %s %s", target, rec.Code, rec.Header().Get("Location"), rec.Body)
	}
	return rec.Body.String()
}

func (b *browser) post(target string, pairs ...string) *httptest.ResponseRecorder {
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return b.do(http.MethodPost, target, form)
}

// signedIn is a browser in which somebody has signed in: "operator", or the id of a
// user of Discord.
func (w *world) signedIn(who string) *browser {
	w.Helper()
	b := w.browser()
	if who == "operator" {
		if rec := b.post("/admin/sign-in/token", "token", token); rec.Code != http.StatusSeeOther {
			w.Fatalf("sign in: %d %s", rec.Code, rec.Body)
		}
		return b
	}
	if rec := b.signInBack(who); rec.Code != http.StatusSeeOther {
		w.Fatalf("sign in: %d %s", rec.Code, rec.Body)
	}
	return b
}

// signInBack goes to Discord and comes back with a code.
func (b *browser) signInBack(code string) *httptest.ResponseRecorder {
	b.w.Helper()
	at, err := url.Parse(b.get("/admin/sign-in/discord").Header().Get("Location"))
	if err != nil {
		b.w.Fatal(err)
	}
	return b.get("/admin/sign-in/discord/back?" + url.Values{"state": {at.Query().Get("state")}, "code": {code}}.Encode())
}

// session is the value of the cookie by which somebody is signed in.
func (b *browser) session() string {
	for name, c := range b.cookies {
		if strings.HasSuffix(name, "ltx_session") {
			return c.Value
		}
	}
	return ""
}

func mustHave(t testing.TB, page string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(page, part) {
			t.Errorf("the page has no %q:\n%s", part, page)
		}
	}
}

func mustLack(t testing.TB, page string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if strings.Contains(page, part) {
			t.Errorf("the page has %q:\n%s", part, page)
		}
	}
}

// records are the verbs of the audit log of acme, oldest first.
func (w *world) records() []team.Record {
	w.Helper()
	records, err := w.store.Records(w.Context(), "acme", 100)
	if err != nil {
		w.Fatal(err)
	}
	slices.Reverse(records)
	return records
}
