package web_test

import (
	"net/http"
	"strings"
	"testing"

	"ltxbot/core/generate"
	"ltxbot/web"
)

// may is what becomes of a request for each visitor, as the status of the answer.
// A member is ann, whose job it is; another member is bob; the admin of another
// team is eve, who names acme.
type may struct {
	path                                        string
	form                                        []string
	nobody, member, other, foreign, admin, boss int // boss is the operator
}

// In the matrix: to the page for signing in, away to another page, no such thing.
const (
	in   = http.StatusSeeOther
	away = http.StatusSeeOther
	ok   = http.StatusOK
	no   = http.StatusForbidden
	none = http.StatusNotFound
	late = http.StatusUnprocessableEntity // allowed, and there is nothing to do
)

// matrix has a row for each route, and for routes with a verb or a platform
// several. A route without a row fails the test.
var matrix = map[string][]may{
	"GET /admin/{$}":                     {{"/admin/?team=acme", nil, in, away, away, none, ok, ok}},
	"GET /admin/jobs":                    {{"/admin/jobs?team=acme", nil, in, ok, ok, none, ok, ok}},
	"GET /admin/jobs/{id}":               {{"/admin/jobs/jab100000000?team=acme", nil, in, ok, none, none, ok, ok}, {"/admin/jobs/jab200000000?team=acme", nil, in, none, none, none, none, none}},
	"GET /admin/jobs/{id}/video":         {{"/admin/jobs/jab100000000/video?team=acme", nil, in, none, none, none, none, none}},
	"POST /admin/jobs/{id}/cancel":       {{"/admin/jobs/jab100000000/cancel?team=acme", []string{}, in, away, none, none, away, away}},
	"POST /admin/jobs/{id}/give-up":      {{"/admin/jobs/jab100000000/give-up?team=acme", []string{}, in, no, no, none, no, away}},
	"POST /admin/jobs/{id}/deliver":      {{"/admin/jobs/jab100000000/deliver?team=acme", []string{}, in, no, no, none, away, away}},
	"POST /admin/jobs/{id}/again":        {{"/admin/jobs/jab100000000/again?team=acme", []string{"once", "a"}, in, away, none, none, away, no}},
	"GET /admin/gallery":                 {{"/admin/gallery?team=acme", nil, in, ok, ok, none, ok, ok}},
	"GET /admin/usage":                   {{"/admin/usage?team=acme", nil, in, ok, ok, none, ok, none}},
	"GET /admin/members":                 {{"/admin/members?team=acme", nil, in, no, no, none, ok, ok}},
	"GET /admin/members/{member}":        {{"/admin/members/discord:1?team=acme", nil, in, no, no, none, ok, ok}},
	"GET /admin/members/{member}/data":   {{"/admin/members/discord:1/data?team=acme", nil, in, no, no, none, no, ok}},
	"POST /admin/members/{member}/erase": {{"/admin/members/discord:1/erase?team=acme", []string{}, in, no, no, none, no, late}},
	"GET /admin/team":                    {{"/admin/team?team=acme", nil, in, no, no, none, ok, ok}},
	"GET /admin/tiers":                   {{"/admin/tiers?team=acme", nil, in, no, no, none, ok, ok}},
	"GET /admin/log":                     {{"/admin/log?team=acme", nil, in, no, no, none, ok, ok}},
	"GET /admin/health":                  {{"/admin/health?team=acme", nil, in, no, no, none, no, ok}},
	"GET /admin/csv/jobs":                {{"/admin/csv/jobs?team=acme", nil, in, ok, ok, none, ok, ok}},
	"GET /admin/csv/days":                {{"/admin/csv/days?team=acme", nil, in, no, no, none, ok, ok}},
	"GET /admin/csv/members":             {{"/admin/csv/members?team=acme", nil, in, no, no, none, ok, ok}},
	"GET /admin/csv/holds":               {{"/admin/csv/holds?team=acme", nil, in, no, no, none, ok, ok}},
	"GET /admin/csv/log":                 {{"/admin/csv/log?team=acme", nil, in, no, no, none, ok, ok}},
	"GET /admin/csv/loras":               {{"/admin/csv/loras?team=acme", nil, in, ok, ok, none, ok, ok}},
	"GET /admin/csv/styles":              {{"/admin/csv/styles?team=acme", nil, in, ok, ok, none, ok, ok}},
	"GET /admin/sign-in":                 {{"/admin/sign-in?team=acme", nil, ok, ok, ok, ok, ok, ok}},
	"POST /admin/sign-in/token":          {{"/admin/sign-in/token", []string{"token", "wrong"}, 401, 401, 401, 401, 401, 401}},
	"GET /admin/sign-in/{platform}":      {{"/admin/sign-in/discord", nil, away, away, away, away, away, away}},
	"POST /admin/sign-out":               {{"/admin/sign-out", []string{}, away, away, away, away, away, away}},
	"POST /admin/sign-out/everywhere":    {{"/admin/sign-out/everywhere", []string{}, away, away, away, away, away, away}},
	"GET /admin/assets/{file}":           {{"/admin/assets/style.css", nil, ok, ok, ok, ok, ok, ok}},
	"GET /admin/sign-in/{platform}/back": {{"/admin/sign-in/discord/back?code=9&state=x", nil, 400, 400, 400, 400, 400, 400}},
	"GET /admin/library":                 {{"/admin/library?team=acme", nil, in, ok, ok, none, ok, ok}},
	"GET /admin/library/{verb}": {
		{"/admin/library/list?team=acme", nil, in, ok, ok, none, ok, ok},
		{"/admin/library/check?team=acme&link=a/b", nil, in, ok, ok, none, ok, ok},
		{"/admin/library/nothing?team=acme", nil, in, none, none, none, none, none},
	},
	"POST /admin/library/{verb}": {
		{"/admin/library/add?team=acme", []string{"name", "film", "link", "owner/repo"}, in, no, no, none, ok, ok},
		{"/admin/library/remove?team=acme", []string{"name", "film"}, in, no, no, none, late, late},
		{"/admin/library/list?team=acme", []string{}, in, none, none, none, none, none},
	},
	"GET /admin/orders/{verb}": {
		{"/admin/orders/mine?team=acme", nil, in, ok, ok, none, ok, no},
		{"/admin/orders/show?team=acme", nil, in, no, no, none, ok, ok},
		{"/admin/orders/grant?team=acme", nil, in, no, no, none, ok, ok},
		{"/admin/orders/teams?team=acme", nil, in, no, no, none, no, ok},
		{"/admin/orders/nothing?team=acme", nil, in, none, none, none, none, none},
	},
	"POST /admin/orders/{verb}": {
		{"/admin/orders/unlink?team=acme", []string{}, in, late, late, none, late, no},
		{"/admin/orders/grant?team=acme", []string{"who", ann, "videos", "1"}, in, no, no, none, ok, ok},
		{"/admin/orders/set?team=acme", []string{"who", "team", "limit", "usd_per_month", "amount", "900"}, in, no, no, none, late, ok},
		{"/admin/orders/reset?team=acme", []string{"who", "team"}, in, no, no, none, late, ok},
		{"/admin/orders/reload?team=acme", []string{}, in, no, no, none, no, ok},
		{"/admin/orders/show?team=acme", []string{}, in, no, no, none, none, none},
	},
}

func TestWhoMayHaveWhichPageAndAction(t *testing.T) {
	for _, route := range web.Routes() {
		rows := matrix[route.Pattern]
		if len(rows) == 0 {
			t.Errorf("%s has no row in the matrix", route.Pattern)
		}
		method, _, _ := strings.Cut(route.Pattern, " ")
		for _, row := range rows {
			for who, want := range map[string]int{"": row.nobody, "1": row.member, "2": row.other, "3": row.foreign, "9": row.admin, "operator": row.boss} {
				w := newWorld(t)
				w.made("jab100000000", "acme", ann, "a fox", generate.Running)
				w.made("jab200000000", "globex", eve, "a whale")
				b := w.browser()
				if who != "" {
					b = w.signedIn(who)
				}
				before := len(w.records())
				rec := b.get(row.path)
				if method == http.MethodPost {
					rec = b.post(row.path, row.form...)
				}
				if rec.Code != want {
					t.Errorf("%s %s for %q: %d, want %d: %s", method, row.path, who, rec.Code, want, rec.Body)
				}
				if who == "" && want == in && route.May != web.Nobody && !strings.HasPrefix(rec.Header().Get("Location"), "/admin/sign-in?next=") {
					t.Errorf("%s %s leads nobody to %q", method, row.path, rec.Header().Get("Location"))
				}
				done := len(w.records()) - before + len(w.engine.done) + len(w.again)
				if refused := rec.Code >= 400 || who == ""; refused && done > 0 {
					t.Errorf("%s %s for %q was refused, and done all the same: %v", method, row.path, who, w.engine.done)
				}
				mustLack(t, rec.Body.String(), "a whale")
			}
		}
	}
}

func TestOtherMethodsAreRefusedEverywhere(t *testing.T) {
	known := map[string]map[string]bool{}
	for _, route := range web.Routes() {
		method, _, _ := strings.Cut(route.Pattern, " ")
		for _, row := range matrix[route.Pattern] {
			path, _, _ := strings.Cut(row.path, "?")
			if known[path] == nil {
				known[path] = map[string]bool{}
			}
			known[path][method] = true
		}
	}
	w := newWorld(t)
	w.made("jab100000000", "acme", ann, "a fox", generate.Running)
	b := w.signedIn("operator")
	for path, methods := range known {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			form := method == http.MethodGet && strings.HasPrefix(path, "/admin/orders/") // of any verb
			if methods[method] || form || strings.HasPrefix(path, "/admin/sign-out") {
				continue
			}
			if rec := b.do(method, path, nil); rec.Code < 400 && !strings.HasPrefix(path, "/admin/sign-in/") {
				t.Errorf("%s %s: %d", method, path, rec.Code)
			}
		}
	}
	if done := len(w.records()) + len(w.engine.done); done > 0 {
		t.Errorf("%d things were done", done)
	}
}

func TestAMemberSeesNothingOfOthers(t *testing.T) {
	w := newWorld(t)
	w.made("jab100000000", "acme", ann, "a fox in the snow")
	w.made("jab300000000", "acme", bob, "a secret cowboy")
	b := w.signedIn("1")
	for _, path := range []string{
		"/admin/jobs", "/admin/gallery", "/admin/jobs?member=discord:2", "/admin/gallery?member=discord:2", "/admin/jobs?q=cowboy",
		"/admin/csv/jobs?member=discord:2", "/admin/usage",
	} {
		mustLack(t, b.page(path), "secret cowboy", "jab300000000", bob)
	}
	mustHave(t, b.page("/admin/jobs"), "a fox in the snow")
	mustHave(t, b.page("/admin/gallery"), "a fox in the snow", "Make it again")
}

func TestAPrivateVideoIsItsRequesters(t *testing.T) {
	w := newWorld(t)
	w.private(w.made("jab100000000", "acme", ann, "a surprise for the boss"))
	for who, sees := range map[string]bool{"1": true, "9": false, "operator": true} {
		b := w.signedIn(who)
		for _, path := range []string{"/admin/jobs?team=acme", "/admin/jobs/jab100000000?team=acme", "/admin/gallery?team=acme", "/admin/jobs?team=acme&q=surprise", "/admin/csv/jobs?team=acme"} {
			page := b.page(path)
			if got := strings.Contains(page, "a surprise for") || strings.Contains(page, "jab100000000.mp4"); got != sees {
				t.Errorf("%s shows %q the private prompt or video: %t", path, who, got)
			}
		}
	}
}

func TestAnAdminMakesAnothersVideoAgainUnderTheirOwnName(t *testing.T) {
	w := newWorld(t)
	w.made("jab100000000", "acme", ann, "a fox")
	b := w.signedIn("9")
	mustHave(t, b.page("/admin/jobs/jab100000000"), "Make it again")
	if rec := b.post("/admin/jobs/jab100000000/again", "once", "abc"); rec.Code != http.StatusSeeOther {
		t.Fatalf("again: %d %s", rec.Code, rec.Body)
	}
	if len(w.again) != 1 || w.again[0].Person.Member != boss || w.again[0].User != "9" || w.again[0].Event != "console:discord:9:abc" {
		t.Errorf("made again: %+v", w.again)
	}
	if rec := b.post("/admin/jobs/jab100000000/again"); rec.Code != http.StatusBadRequest || len(w.again) != 1 {
		t.Errorf("a form without a name: %d", rec.Code)
	}
	mustLack(t, w.signedIn("operator").page("/admin/jobs/jab100000000"), "Make it again")
}
