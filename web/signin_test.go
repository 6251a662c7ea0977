package web_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"ltxbot/internal/ingress"
	"ltxbot/web"
)

func TestASessionEndsWithItsTime(t *testing.T) {
	w := newWorld(t)
	b := w.signedIn("9")
	w.clock.Advance(12*time.Hour - time.Second)
	b.page("/admin/")
	w.clock.Advance(2 * time.Second)
	if rec := b.get("/admin/"); rec.Code != http.StatusSeeOther {
		t.Errorf("after twelve hours: %d", rec.Code)
	}
	if web.SessionLife != 12*time.Hour || web.MaxSessions != 10 {
		t.Errorf("a session lasts %v, and there are %d", web.SessionLife, web.MaxSessions)
	}
}

func TestAnEleventhBrowserSignsTheFirstOut(t *testing.T) {
	w := newWorld(t)
	first := w.signedIn("9")
	for range 9 {
		w.clock.Advance(time.Minute)
		w.signedIn("9")
	}
	first.page("/admin/")
	w.clock.Advance(time.Minute)
	w.signedIn("9")
	if rec := first.get("/admin/"); rec.Code != http.StatusSeeOther {
		t.Errorf("the first browser is signed in still: %d", rec.Code)
	}
}

func TestSigningInMakesANewSessionAndEndsTheOld(t *testing.T) {
	w := newWorld(t)
	b := w.signedIn("1")
	old := b.session()
	if rec := b.post("/admin/sign-in/token", "token", token); rec.Code != http.StatusSeeOther {
		t.Fatalf("sign in: %d", rec.Code)
	}
	if b.session() == old || b.session() == "" {
		t.Error("the session is the one from before")
	}
	stolen := w.browser()
	stolen.cookies["ltx_session"] = &http.Cookie{Name: "ltx_session", Value: old}
	if rec := stolen.get("/admin/jobs"); rec.Code != http.StatusSeeOther {
		t.Errorf("the old session is good still: %d", rec.Code)
	}
	fixed := w.browser()
	planted := strings.Split(old, ".")[0] + ".AAAAAAAAAAAAAAAAAAAAAAAAAA"
	fixed.cookies["ltx_session"] = &http.Cookie{Name: "ltx_session", Value: planted}
	if rec := fixed.signInBack("1"); rec.Code != http.StatusSeeOther || fixed.session() == planted {
		t.Errorf("a session that somebody has planted is taken over: %d %s", rec.Code, fixed.session())
	}
}

func TestSigningOut(t *testing.T) {
	w := newWorld(t)
	one, two := w.signedIn("9"), w.signedIn("9")
	session := one.session()
	one.post("/admin/sign-out")
	if one.session() != "" {
		t.Error("the browser keeps its cookie")
	}
	one.cookies["ltx_session"] = &http.Cookie{Name: "ltx_session", Value: session}
	if rec := one.get("/admin/"); rec.Code != http.StatusSeeOther {
		t.Errorf("the session is good still: %d", rec.Code)
	}
	two.page("/admin/")
	three := w.signedIn("9")
	two.post("/admin/sign-out/everywhere")
	if rec := three.get("/admin/"); rec.Code != http.StatusSeeOther {
		t.Errorf("another browser is signed in still: %d", rec.Code)
	}
}

func TestAnotherTokenEndsTheOperatorsSessions(t *testing.T) {
	w := newWorld(t)
	b := w.signedIn("operator")
	b.page("/admin/")
	w.cfg.Token = "another-horse-battery"
	w.restart()
	if rec := b.get("/admin/"); rec.Code != http.StatusSeeOther {
		t.Errorf("with another token: %d", rec.Code)
	}
	w.cfg.Token = ""
	w.restart()
	if rec := w.browser().post("/admin/sign-in/token", "token", ""); rec.Code != http.StatusUnauthorized {
		t.Errorf("an empty token opens a console without one: %d", rec.Code)
	}
}

func TestWhoIsNoAdminAnyMoreIsRefusedWithinSeconds(t *testing.T) {
	w := newWorld(t)
	b := w.signedIn("9")
	b.page("/admin/members")
	b.page("/admin/members")
	if w.people.asked != 1 {
		t.Errorf("the platform was asked %d times within a moment, want once", w.people.asked)
	}
	w.people.known["G1 9"] = web.Person{Member: boss}
	w.clock.Advance(10*time.Second - 1)
	b.page("/admin/members")
	w.clock.Advance(time.Second)
	if rec := b.get("/admin/members"); rec.Code != http.StatusForbidden {
		t.Errorf("without the role: %d", rec.Code)
	}
	if rec := b.post("/admin/orders/pause", "team", "acme"); rec.Code != http.StatusForbidden || len(w.records()) > 0 {
		t.Errorf("an order without the role: %d", rec.Code)
	}
	delete(w.people.known, "G1 9")
	w.clock.Advance(11 * time.Second)
	if rec := b.get("/admin/jobs"); rec.Code != http.StatusForbidden || !strings.Contains(rec.Body.String(), "not in this team any more") {
		t.Errorf("who has left: %d %s", rec.Code, rec.Body)
	}
	w.people.err = errors.New("no answer")
	w.clock.Advance(11 * time.Second)
	if rec := b.get("/admin/jobs"); rec.Code != http.StatusServiceUnavailable {
		t.Errorf("while the platform does not answer: %d", rec.Code)
	}
}

func TestWhoIsInNoTeamIsNotSignedIn(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	if rec := b.signInBack("5"); rec.Code != http.StatusForbidden || b.session() != "" {
		t.Errorf("somebody from another guild: %d, session %q", rec.Code, b.session())
	}
}

func TestASignInIsFinishedOnceInItsBrowserAndInTime(t *testing.T) {
	w := newWorld(t)
	state := func(b *browser) string {
		at, _ := url.Parse(b.get("/admin/sign-in/discord").Header().Get("Location"))
		return at.Query().Get("state")
	}
	back := func(b *browser, state, code string) int {
		return b.get("/admin/sign-in/discord/back?" + url.Values{"state": {state}, "code": {code}}.Encode()).Code
	}
	one, two := w.browser(), w.browser()
	first := state(one)
	if code := back(two, first, "1"); code != http.StatusBadRequest {
		t.Errorf("in another browser: %d", code)
	}
	state(two)
	if code := back(two, first, "1"); code != http.StatusBadRequest {
		t.Errorf("in a browser that has begun another one: %d", code)
	}
	if code := back(one, first, "1"); code != http.StatusSeeOther {
		t.Errorf("as it should be: %d", code)
	}
	if code := back(one, first, "1"); code != http.StatusBadRequest {
		t.Errorf("once more: %d", code)
	}
	if code := back(w.browser(), "", "1"); code != http.StatusBadRequest {
		t.Errorf("without a state: %d", code)
	}
	slow := w.browser()
	s := state(slow)
	w.clock.Advance(10 * time.Minute)
	if code := back(slow, s, "1"); code != http.StatusBadRequest {
		t.Errorf("after ten minutes: %d", code)
	}
	refused := w.browser()
	if code := back(refused, state(refused), "nobody"); code != http.StatusBadRequest || refused.session() != "" {
		t.Errorf("with a code that the platform refuses: %d", code)
	}
}

func TestWrongTokensAreSlowedDown(t *testing.T) {
	w := newWorld(t)
	w.cfg.PublicURL = "https://ltx.example.com"
	w.restart()
	from := func(address string) *browser {
		b := w.browser()
		b.host, b.header = "ltx.example.com", http.Header{"X-Forwarded-For": {"203.0.113.9, " + address}}
		return b
	}
	for range 5 {
		if rec := from("198.51.100.1").post("/admin/sign-in/token", "token", "wrong"); rec.Code != http.StatusUnauthorized {
			t.Fatalf("a wrong token: %d", rec.Code)
		}
	}
	rec := from("198.51.100.1").post("/admin/sign-in/token", "token", token)
	if rec.Code != http.StatusTooManyRequests || rec.Header().Get("Retry-After") == "" {
		t.Errorf("the sixth try: %d", rec.Code)
	}
	if rec := from("198.51.100.2").post("/admin/sign-in/token", "token", token); rec.Code != http.StatusSeeOther {
		t.Errorf("somebody at another address: %d", rec.Code)
	}
}

func TestSignInsAreFewAtATime(t *testing.T) {
	w := newWorld(t)
	for range web.SignInsOfOne.Burst {
		w.signedIn("1")
	}
	if rec := w.browser().signInBack("1"); rec.Code != http.StatusTooManyRequests {
		t.Errorf("one more: %d", rec.Code)
	}
	other := w.browser()
	other.remote = "127.0.0.2:4711"
	if rec := other.signInBack("1"); rec.Code != http.StatusSeeOther {
		t.Errorf("somebody else at the same time: %d", rec.Code)
	}
	w.clock.Advance(web.SignInsOfOne.Pause)
	w.signedIn("1")
	one, all := ingress.Rate{Burst: 20, Pause: 3 * time.Second}, ingress.Rate{Burst: 200, Pause: 200 * time.Millisecond}
	if web.SignInsOfOne != one || web.SignInsOfAll != all || web.SignInLife != 10*time.Minute || web.PersonLife != 10*time.Second {
		t.Error("the limits are others than documented")
	}
}

func TestAfterSignInOnlyPagesOfTheConsoleOpen(t *testing.T) {
	w := newWorld(t)
	for next, want := range map[string]string{
		"":                           "/admin/",
		"/admin/jobs?team=acme":      "/admin/jobs?team=acme",
		"/admin":                     "/admin",
		"https://evil.example":       "/admin/",
		"//evil.example/admin/":      "/admin/",
		"/\\evil.example":            "/admin/",
		"/admin/\\..\\..\\evil":      "/admin/",
		"javascript:alert(1)":        "/admin/",
		"/administrator":             "/admin/",
		"/admin/../slack/install":    "/admin/",
		"/admin/sign-out":            "/admin/",
		"/admin/%2e%2e/slack":        "/admin/",
		"/admin/\r\nSet-Cookie: a=b": "/admin/",
		"http:/admin/":               "/admin/",
	} {
		rec := w.browser().post("/admin/sign-in/token", "token", token, "next", next)
		if got := rec.Header().Get("Location"); got != want {
			t.Errorf("next=%q leads to %q, want %q", next, got, want)
		}
		b := w.browser()
		at, _ := url.Parse(b.get("/admin/sign-in/discord?" + url.Values{"next": {next}}.Encode()).Header().Get("Location"))
		w.clock.Advance(web.SignInsOfOne.Pause)
		back := b.get("/admin/sign-in/discord/back?" + url.Values{"state": {at.Query().Get("state")}, "code": {"9"}}.Encode())
		if got := back.Header().Get("Location"); got != want {
			t.Errorf("next=%q leads from Discord to %q, want %q", next, got, want)
		}
	}
}
