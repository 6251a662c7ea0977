package web_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"ltxbot/core/generate"
	"ltxbot/core/library"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/core/team"
	"ltxbot/web"
)

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	for _, route := range web.Routes() {
		method, _, _ := strings.Cut(route.Pattern, " ")
		if method != http.MethodPost {
			continue
		}
		for _, row := range matrix[route.Pattern] {
			for name, header := range map[string]http.Header{
				"cross-site":     {"Sec-Fetch-Site": {"cross-site"}},
				"same-site":      {"Sec-Fetch-Site": {"same-site"}},
				"an old browser": {"Sec-Fetch-Site": nil, "Origin": {"https://evil.example"}},
				"a hidden page":  {"Sec-Fetch-Site": nil, "Origin": {"null"}},
			} {
				w := newWorld(t)
				w.made("jab100000000", "acme", ann, "a fox", generate.Running)
				b := w.signedIn("operator")
				session := b.session()
				b.header = header
				rec := b.post(row.path, row.form...)
				if rec.Code != http.StatusForbidden || len(w.records())+len(w.engine.done)+len(w.again) > 0 || b.session() != session {
					t.Errorf("%s from %s: %d, done: %v", row.path, name, rec.Code, w.engine.done)
				}
			}
		}
	}
}

// hostile are texts of people that would be more than text on a page that does not
// write them as they are.
var hostile = []string{
	`<xss>`, `"><xss onload=x>`, `' onmouseover='x`, `" onfocus="x" autofocus="`, `</title><xss>`, `</textarea><xss>`, `<script>x()</script>`,
	`javascript:x()`, `<!--`, `]]><xss>`, "\u2028<xss>", `{{.}}<xss>`, "`${x}`<xss>", `<svg onload=x>`, `&lt;xss&gt;<xss>`,
}

// inspect parses a page and reports what no page may have: elements and
// attributes that come out of a text, script or style in the page itself, links to
// other things than pages.
func inspect(t *testing.T, where, page string) {
	t.Helper()
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return
		case html.StartTagToken, html.SelfClosingTagToken:
			token := z.Token()
			if token.Data == "xss" || token.Data == "svg" && !slices.ContainsFunc(token.Attr, func(a html.Attribute) bool { return a.Key == "viewbox" }) {
				t.Errorf("%s has the element %s", where, token)
			}
			outside := token.Data == "script" && !slices.ContainsFunc(token.Attr, func(a html.Attribute) bool { return a.Key == "src" })
			if outside || token.Data == "style" || token.Data == "iframe" || token.Data == "object" || token.Data == "base" {
				t.Errorf("%s has %s", where, token)
			}
			for _, a := range token.Attr {
				value := strings.ToLower(strings.TrimSpace(a.Val))
				if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "autofocus" || a.Key == "srcdoc" {
					t.Errorf("%s has the attribute %s", where, token)
				}
				if slices.Contains([]string{"href", "src", "action"}, a.Key) &&
					!strings.HasPrefix(value, "/admin") && !strings.HasPrefix(value, "https://") && !strings.HasPrefix(value, "#") && !strings.HasPrefix(value, "http://127.0.0.1") {
					t.Errorf("%s has the address %s", where, token)
				}
			}
		case html.TextToken, html.EndTagToken, html.CommentToken, html.DoctypeToken:
		}
	}
}

// named is a platform with a title.
type named struct{ title string }

func (n named) Platform() string { return "discord" }
func (n named) Title() string    { return n.title }

func (n named) Address(ctx context.Context, p web.Proof) (string, error) {
	return signsIn{}.Address(ctx, p)
}

func (n named) Identify(context.Context, string, web.Proof) (web.Identity, error) {
	return web.Identity{User: "1", Name: n.title, Tenants: []string{"G1"}}, nil
}

// Every text of a person stands on every page as it is.
func TestTextsOfPeopleStayTexts(t *testing.T) {
	for _, text := range hostile {
		w := newWorld(t)
		w.policy.Tiers = append(w.policy.Tiers, quota.Tier{Name: text})
		w.cfg.Health = func(context.Context) web.Health {
			return web.Health{Parts: []web.Part{{Name: text, State: text, Detail: text}}}
		}
		w.cfg.Examine = func(context.Context) []web.Finding {
			return []web.Finding{{Level: text, Area: text, Text: text, Advice: text}}
		}
		w.cfg.Told = func(generate.Job) string { return text }
		w.cfg.Team = func(context.Context, string, string) string { return text }
		w.cfg.Teams = func(context.Context) ([]string, error) { return []string{text}, nil }
		w.cfg.SignIns = []web.SignIn{named{text}}
		w.people.known = map[string]web.Person{"G1 1": {Member: "discord:" + text, Admin: true}}
		w.restart()
		j := w.made("jab100000000", text, "discord:"+text, "x "+text)
		j.Place.Channel, j.Endpoint, j.Parent, j.Submission.RequestID = text, text, text, text
		j.Failure = generate.Failure{Kind: generate.FailureKind(text), Field: text}
		j.Receipt.Link, j.Receipt.Fit = text, generate.Fit(text)
		j.Cancel = &generate.CancelRequest{By: text, At: noon}
		if _, err := w.store.Save(t.Context(), j, quota.Keep()); err != nil {
			t.Fatal(err)
		}
		bad := j
		bad.ID, bad.Event, bad.State, bad.Version, bad.Admitted = "jab200000000", "e2", generate.Accepted, 0, false
		bad.Output = ltx.Output{}
		kept, err := w.store.Accept(t.Context(), bad, w.policy.Plan(bad.ID, quota.Asker{Team: text, Member: "discord:x"}, 1, noon))
		if err != nil {
			t.Fatal(err)
		}
		kept.State, kept.Shown, kept.Output.URL, kept.Fetched = generate.Delivered, generate.Delivered, text, noon
		if _, err := w.store.Save(t.Context(), kept, quota.Keep()); err != nil {
			t.Fatal(err)
		}
		if err := w.store.Amend(t.Context(), text, "discord:"+text, func(s *quota.AdminState) (team.Record, error) {
			s.Member.Blocked = &quota.Block{By: text, Reason: text}
			s.Team.Paused = &quota.Block{By: text, Reason: text}
			s.Member.Overrides = []quota.Override{{Unit: quota.Videos, Window: quota.Day, Max: 1, By: text, Reason: text}}
			s.Member.Grants = []quota.Grant{{ID: "g", Videos: 2, By: text, Reason: text}}
			return team.Record{ID: "r", At: noon, Team: text, Member: "discord:" + text, By: text, From: text, Verb: text, Before: text, After: text, Reason: text}, nil
		}); err != nil {
			t.Fatal(err)
		}
		if err := w.store.EditLoRA(t.Context(), text, "film", func(*library.Entry, int) (*library.Entry, team.Record, error) {
			e := library.Entry{Name: "film", Path: text, Trigger: text, Negative: text, Note: text, Example: text, Models: []string{text}, By: text, At: noon}
			return &e, team.Record{ID: "r2", At: noon, Team: text, Verb: "add"}, nil
		}); err != nil {
			t.Fatal(err)
		}
		if err := w.store.EditStyle(t.Context(), text, "look", func(*library.Style, int) (*library.Style, team.Record, error) {
			s := library.Style{Name: "look", Options: text, Prefix: text, Suffix: text, Note: text, By: text, At: noon}
			return &s, team.Record{ID: "r3", At: noon, Team: text, Verb: "style-add"}, nil
		}); err != nil {
			t.Fatal(err)
		}
		operator, admin := w.signedIn("operator"), w.signedIn("1")
		for _, b := range []*browser{operator, admin} {
			for _, path := range []string{
				"/admin/", "/admin/jobs", "/admin/jobs/jab100000000", "/admin/jobs/jab200000000", "/admin/gallery", "/admin/members",
				"/admin/members/" + url.PathEscape("discord:"+text), "/admin/team", "/admin/tiers", "/admin/log", "/admin/usage", "/admin/health?examine=1",
				"/admin/library", "/admin/library/show?name=film", "/admin/library/edit?name=film", "/admin/library/list?find=" + url.QueryEscape(text),
				"/admin/library/check?link=" + url.QueryEscape(text), "/admin/library/" + url.PathEscape(text), "/admin/library/style-show?name=look",
				"/admin/orders/show", "/admin/orders/grant?who=" + url.QueryEscape(text), "/admin/orders/teams", "/admin/orders/log",
				"/admin/jobs?q=" + url.QueryEscape(text) + "&member=" + url.QueryEscape(text) + "&model=" + url.QueryEscape(text) + "&state=" + url.QueryEscape(text),
				"/admin/gallery?q=" + url.QueryEscape(text) + "&lora=" + url.QueryEscape(text) + "&style=" + url.QueryEscape(text) + "&channel=" + url.QueryEscape(text),
				"/admin/log?who=" + url.QueryEscape(text), "/admin/members?month=" + url.QueryEscape(text), "/admin/jobs?team=" + url.QueryEscape(text+"x"),
				"/admin/sign-in?next=" + url.QueryEscape(text), "/admin/" + url.PathEscape(text), "/admin/orders/" + url.PathEscape(text),
				"/admin/sign-in/" + url.PathEscape(text) + "/back?error=" + url.QueryEscape(text),
			} {
				rec := b.get(path)
				if rec.Code >= 500 {
					t.Errorf("%s: %d %s", path, rec.Code, w.log)
				}
				inspect(t, path+" with "+text, rec.Body.String())
			}
			for _, verb := range []string{"add", "edit", "style-add", "remove", text} {
				rec := b.post("/admin/library/"+url.PathEscape(verb), "name", text, "link", text, "note", text, "options", text, "prefix", text, "seed", text, "models", text)
				inspect(t, verb+" with "+text, rec.Body.String())
			}
			for _, verb := range []string{"set", "grant", "block", "pause", "resume", text} {
				rec := b.post("/admin/orders/"+url.PathEscape(verb), "who", text, "member", "discord:"+text, "limit", text, "amount", text, "reason", text, "videos", "1", "once", text)
				inspect(t, verb+" with "+text, rec.Body.String())
			}
		}
	}
}

func TestEveryAnswerIsStrict(t *testing.T) {
	w := newWorld(t)
	w.made("jab100000000", "acme", ann, "a fox")
	w.cfg.PublicURL = "https://ltx.example.com"
	w.restart()
	b := w.browser()
	b.host = "ltx.example.com"
	check := func(path string, rec http.Header) {
		t.Helper()
		csp := rec.Get("Content-Security-Policy")
		for _, want := range []string{
			"default-src 'none'", "script-src 'self'", "style-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
			"media-src https://fal.media https://*.fal.media;",
		} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: the policy lacks %s: %s", path, want, csp)
			}
		}
		if strings.Contains(csp, "unsafe") {
			t.Errorf("%s: %s", path, csp)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := rec.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
		if cache := rec.Get("Cache-Control"); cache != "no-store" && !strings.HasPrefix(path, "/admin/assets/") {
			t.Errorf("%s may be kept: %s", path, cache)
		}
	}
	rec := b.post("/admin/sign-in/token", "token", token)
	check("signing in", rec.Header())
	c := b.cookies["__Host-ltx_session"]
	if c == nil || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
		t.Fatalf("the cookie is %+v", c)
	}
	for pattern, rows := range matrix {
		for _, row := range rows {
			if strings.HasPrefix(pattern, "GET") {
				check(row.path, b.get(row.path).Header())
			}
		}
	}
	begun := b.get("/admin/sign-in/discord")
	check("to Discord", begun.Header())
	if p := b.cookies["__Host-ltx_signin"]; p == nil || !p.Secure || !p.HttpOnly || p.SameSite != http.SameSiteLaxMode {
		t.Errorf("the cookie of a sign-in is %+v", p)
	}
	b.host = "evil.example"
	check("another host", b.get("/admin/").Header())
}

func TestWithoutAPublicAddressOnlyThisMachineIsAnswered(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		host, remote string
		header       http.Header
		want         int
	}{
		{"127.0.0.1:8080", "127.0.0.1:5000", nil, 200},
		{"localhost:8080", "[::1]:5000", nil, 200},
		{"[::1]:8080", "[::1]:5000", nil, 200},
		{"ltx.example.com", "127.0.0.1:5000", nil, 404},
		{"127.0.0.1.evil.example", "127.0.0.1:5000", nil, 404},
		{"localhost.evil.example", "127.0.0.1:5000", nil, 404},
		{"127.0.0.1:8080", "192.168.1.7:5000", nil, 404},
		{"127.0.0.1:8080", "203.0.113.7:5000", nil, 404},
		{"127.0.0.1:8080", "127.0.0.1:5000", http.Header{"X-Forwarded-For": {"203.0.113.7"}}, 404},
		{"127.0.0.1:8080", "127.0.0.1:5000", http.Header{"Forwarded": {"for=203.0.113.7"}}, 404},
		{"127.0.0.1:8080", "127.0.0.1:5000", http.Header{"X-Real-Ip": {"203.0.113.7"}}, 404},
		{"127.0.0.1:8080", "127.0.0.1:5000", http.Header{"Via": {"1.1 proxy"}}, 404},
	} {
		b := w.browser()
		b.host, b.remote, b.header = c.host, c.remote, c.header
		if rec := b.get("/admin/sign-in"); rec.Code != c.want {
			t.Errorf("%s from %s with %v: %d, want %d", c.host, c.remote, c.header, rec.Code, c.want)
		}
	}
}

// A proxy that tells nothing of whom it speaks for, and gives the bot the name by
// which it reaches it, as nginx does by itself, is known by the old HTTP that it
// speaks: no browser does.
func TestWithoutAPublicAddressAProxyThatTellsNothingIsNotAnswered(t *testing.T) {
	w := newWorld(t)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:8080/admin/sign-in", nil)
	r.Host, r.RemoteAddr = "127.0.0.1:8080", "127.0.0.1:5000"
	r.Proto, r.ProtoMinor = "HTTP/1.0", 0
	rec := httptest.NewRecorder()
	w.server.ServeHTTP(rec, r)
	if rec.Code != http.StatusNotFound {
		t.Errorf("a request in %s: %d", r.Proto, rec.Code)
	}
}

func TestSecretsAreNotInThePages(t *testing.T) {
	w := newWorld(t)
	w.made("jab100000000", "acme", ann, "a fox")
	b := w.signedIn("operator")
	for pattern, rows := range matrix {
		for _, row := range rows {
			if strings.HasPrefix(pattern, "GET") && !strings.Contains(row.path, "sign-in/discord") {
				mustLack(t, b.get(row.path).Body.String(), token, strings.Split(b.session(), ".")[1])
			}
		}
	}
	mustLack(t, w.log.String(), token, strings.Split(b.session(), ".")[1])
}

func TestALargeFormIsRefused(t *testing.T) {
	w := newWorld(t)
	b := w.signedIn("operator")
	if rec := b.post("/admin/orders/pause", "team", "acme", "reason", strings.Repeat("x", 65<<10)); rec.Code != http.StatusBadRequest || len(w.records()) > 0 {
		t.Errorf("65 kB: %d", rec.Code)
	}
}
