package web_test

import (
	"context"
	"html"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestEveryVerbOfTeamManagementIsAForm(t *testing.T) {
	w := newWorld(t)
	w.made("jab100000000", "acme", ann, "a fox")
	b := w.signedIn("operator")
	for _, step := range []struct {
		verb  string
		pairs []string
		after string
	}{
		{"set", []string{"who", ann, "limit", "videos_per_day", "amount", "25", "reason", "she <b>asked</b>"}, "videos_per_day 25"},
		{"grant", []string{"who", "team", "usd", "2.50", "expires", "7d"}, "$2.50 until 2026-03-18 12:01 UTC"},
		{"block", []string{"member", bob, "reason", "spam"}, "stopped"},
		{"unblock", []string{"member", bob}, ""},
		{"pause", nil, "stopped"},
		{"resume", nil, ""},
		{"reset", []string{"who", ann}, "0"},
	} {
		w.clock.Advance(time.Second)
		rec := b.post("/admin/orders/"+step.verb+"?team=acme", append(step.pairs, "team", "acme", "once", step.verb)...)
		if rec.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", step.verb, rec.Code, rec.Body)
		}
		mustHave(t, rec.Body.String(), "Done: To "+step.verb)
		all := w.records()
		if last := all[len(all)-1]; last.Verb != step.verb || last.After != step.after || last.By != "operator" || last.From != "console" {
			t.Errorf("the log has %+v, want %s → %s", last, step.verb, step.after)
		}
	}
	mustHave(t, b.page("/admin/members/"+ann+"?team=acme"), "videos_per_day 25", "she &lt;b&gt;asked&lt;/b&gt;", "a fox")
	mustHave(t, b.page("/admin/team?team=acme"), "This month: 1 video, $0.50 charged", "0 of $2.50 used", "discord:1")
	mustHave(t, b.page("/admin/log?team=acme"), "To unblock", "stopped: spam")
	mustHave(t, b.page("/admin/members?team=acme"), ann, "$0.50")
	mustHave(t, b.page("/admin/team"), "globex", "acme", "To reload")
	mustHave(t, b.page("/admin/tiers?team=acme"), "studio", "videos_per_day 50", "usd_per_month 200.00")
	if rec := b.post("/admin/orders/reload"); !strings.Contains(rec.Body.String(), "store.url") {
		t.Errorf("reload: %d %s", rec.Code, rec.Body)
	}
	mustHave(t, b.page("/admin/health"), "The bot is ready", "store", "Examine")
	mustHave(t, b.page("/admin/health?examine=yes"), "clock", "is off")
}

func TestAFormThatIsSentTwiceDoesSomethingOnce(t *testing.T) {
	w := newWorld(t)
	b := w.signedIn("operator")
	form := []string{"team", "acme", "who", ann, "videos", "5", "once", "abc"}
	if rec := b.post("/admin/orders/grant", form...); rec.Code != http.StatusOK {
		t.Fatalf("grant: %d %s", rec.Code, rec.Body)
	}
	if rec := b.post("/admin/orders/grant", form...); rec.Code != http.StatusUnprocessableEntity {
		t.Errorf("the same form again: %d %s", rec.Code, rec.Body)
	}
	if n := len(w.records()); n != 1 {
		t.Errorf("%d extras were given, want 1", n)
	}
}

func TestAMemberIsNamedAsPagesShowThem(t *testing.T) {
	w := newWorld(t)
	foxOfAnn, foxOfBob := w.made(nextID(), "acme", ann, "a fox").ID, w.made(nextID(), "acme", bob, "a fox").ID
	b := w.signedIn("operator")
	mustHave(t, b.page("/admin/members?team=acme"), `<option value="Ann Lee"></option><option value="`+bob+`"></option>`)
	for _, who := range []string{"Ann Lee", "@ann lee"} {
		if rec := b.post("/admin/orders/grant", "team", "acme", "who", who, "videos", "5"); rec.Code != http.StatusOK {
			t.Errorf("%s: %d %s", who, rec.Code, rec.Body)
		}
	}
	for _, r := range w.records() {
		if r.Member != ann {
			t.Errorf("%s is given to %s", r.After, r.Member)
		}
	}
	mustHave(t, b.post("/admin/orders/block", "team", "acme", "member", "Ann").Body.String(), `value="Ann"`, "“Ann” is not a member", "slack:WORKSPACE-ID:USER-ID")
	for _, page := range []string{"/admin/log?who=", "/admin/jobs?member=", "/admin/gallery?member=", "/admin/csv/jobs?member=", "/admin/csv/log?who="} {
		if rec := b.get(page + "Ann&team=acme"); rec.Code != http.StatusUnprocessableEntity || !strings.Contains(rec.Body.String(), "“Ann” is not a member") {
			t.Errorf("%s: %d %s", page, rec.Code, rec.Body)
		}
		if rec := b.get(page + "Ann+Lee&team=acme"); rec.Code != http.StatusOK {
			t.Errorf("%s: %d %s", page, rec.Code, rec.Body)
		}
	}
	mustHave(t, b.page("/admin/jobs?member=ann+lee&team=acme"), foxOfAnn, `value="ann lee"`)
	mustLack(t, b.page("/admin/jobs?member=ann+lee&team=acme"), foxOfBob)
	mustHave(t, b.page("/admin/log?who=Ann+Lee&team=acme"), "5 videos", ann)
	mustHave(t, b.page("/admin/log?who="+bob+"&team=acme"), "Nothing was changed for "+bob)
	mustHave(t, b.get("/admin/jobs?member=Ann").Body.String(), "choose one at the top")
	w.cfg.Name = func(context.Context, string) (string, error) { return "Ann Lee", nil } // both
	w.restart()
	b = w.signedIn("operator")
	mustHave(t, b.post("/admin/orders/block", "team", "acme", "member", "Ann Lee").Body.String(), "is the name of several members: "+ann+", "+bob)
}

func TestAWrongOrderIsExplained(t *testing.T) {
	w := newWorld(t)
	b := w.signedIn("operator")
	for _, c := range []struct {
		verb  string
		pairs []string
		wrong string // the field, empty = none of them
		want  string
	}{
		{"orders/grant", []string{"who", ann, "reason", "she <asked>"}, "", "Say how many videos or dollars"},
		{"orders/grant", []string{"who", ann, "videos", "5", "expires", "soon"}, "expires", "is not a time in the future"},
		{"orders/grant", []string{"who", "", "videos", "5"}, "who", "Grant needs who"},
		{"orders/set", []string{"who", "nobody", "limit", "videos_per_day", "amount", "5"}, "who", "is not a member"},
		{"orders/set", []string{"who", ann, "limit", "videos_per_day", "amount", "many"}, "amount", "is not an amount"},
		{"library/add", []string{"name", "my film", "link", "acme/film", "note", "<i>warm</i>"}, "name", "can&#39;t be a name"},
		{"library/add", []string{"name", "film", "link", "https://civitai.com/x", "note", "warm"}, "", "civitai"},
		{"library/style-add", []string{"name", "noir", "note", "dark"}, "", "A style needs"},
	} {
		rec := b.post("/admin/"+c.verb, append(c.pairs, "team", "acme")...)
		page := rec.Body.String()
		if rec.Code != http.StatusUnprocessableEntity || !strings.Contains(page, c.want) {
			t.Errorf("%s: %d, want 422 with %q: %s", c.verb, rec.Code, c.want, page)
		}
		_, verb, _ := strings.Cut(c.verb, "/")
		if alert := "-" + c.wrong + "-wrong"; c.wrong != "" && !strings.Contains(page, `id="f-`+verb+alert+`"`) {
			t.Errorf("%s %v: %s is not marked: %s", c.verb, c.pairs, c.wrong, page)
		}
		for i := 0; i < len(c.pairs); i += 2 {
			mustHave(t, page, ` name="`+c.pairs[i]+`"`, `value="`+html.EscapeString(c.pairs[i+1])+`"`)
		}
		mustHave(t, page, `role="alert"`, `name="once"`)
	}
	rec := b.post("/admin/orders/unset", "who", ann, "limit", "all", "team", "acme")
	if rec.Code != http.StatusUnprocessableEntity || !strings.Contains(rec.Body.String(), "It is so already") || strings.Contains(rec.Body.String(), `<form class="order"`) {
		t.Errorf("nothing to do: %d %s", rec.Code, rec.Body)
	}
	if rec := b.post("/admin/orders/pause"); rec.Code != http.StatusBadRequest || !strings.Contains(rec.Body.String(), "Choose a team first") {
		t.Errorf("an order for no team: %d %s", rec.Code, rec.Body)
	}
	if rec := b.get("/admin/jobs?team=nope"); rec.Code != http.StatusNotFound {
		t.Errorf("a team that nobody knows: %d", rec.Code)
	}
}

func TestATeamsLoRAsAndStylesAreKeptInTheConsole(t *testing.T) {
	w := newWorld(t)
	b := w.signedIn("9")
	for _, step := range []struct {
		verb  string
		pairs []string
	}{
		{"add", []string{"name", "film", "link", "acme/film-look", "trigger", "filmic", "note", "warm <i>grain</i>"}},
		{"edit", []string{"name", "film", "scale", "0.7"}},
		{"style-add", []string{"name", "noir", "options", "static", "suffix", "black and white", "note", "shadows"}},
		{"style-edit", []string{"name", "noir", "options", "static", "prefix", "at night", "suffix", "black and white", "note", ""}},
	} {
		w.clock.Advance(time.Second)
		rec := b.post("/admin/library/"+step.verb, append(step.pairs, "once", step.verb)...)
		if rec.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", step.verb, rec.Code, rec.Body)
		}
		mustHave(t, rec.Body.String(), "Done: To loras "+step.verb)
	}
	mustHave(t, b.page("/admin/library"), "film", "acme/film-look", "0.7", "filmic", "warm &lt;i&gt;grain&lt;/i&gt;", "noir", "black and white", "The &lt;b&gt;Boss&lt;/b&gt;")
	mustHave(t, b.page("/admin/library/edit?name=film"), `value="acme/film-look"`, `value="0.7"`)
	mustHave(t, b.page("/admin/library"), `href="/admin/library/style-edit?`, "at night")
	mustLack(t, b.page("/admin/library"), "shadows") // what was emptied is taken back
	mustHave(t, b.page("/admin/library/style-edit?name=noir"), `value="at night"`, `value="black and white"`, `maxlength="1000"`)
	mustHave(t, b.page("/admin/library/check?link=a/b"), "Checked a/b")
	mustLack(t, b.page("/admin/library?find=nothing"), "acme/film-look")
	if rec := b.post("/admin/library/add", "name", "film", "link", "acme/other"); rec.Code != http.StatusUnprocessableEntity || !strings.Contains(rec.Body.String(), "already: use edit") {
		t.Errorf("a name that is taken: %d %s", rec.Code, rec.Body)
	}
	_, seen, _ := strings.Cut(b.page("/admin/library/edit?name=film"), `name="seen" value="`)
	seen, _, _ = strings.Cut(seen, `"`)
	b.post("/admin/library/edit", "name", "film", "note", "cold")
	typed := []string{"name", "film", "link", "acme/film-look", "scale", "0.7", "trigger", "filmic", "note", "a <b>hue</b>"}
	rec := b.post("/admin/library/edit", append(typed, "seen", seen)...)
	if rec.Code != http.StatusConflict {
		t.Errorf("an edit that was overtaken: %d", rec.Code)
	}
	mustHave(t, rec.Body.String(), "nothing was saved", "<li>note: cold</li>", `value="a &lt;b&gt;hue&lt;/b&gt;"`)
	mustHave(t, b.page("/admin/library/show?name=film"), "cold")
	_, seen, _ = strings.Cut(rec.Body.String(), `name="seen" value="`)
	seen, _, _ = strings.Cut(seen, `"`)
	if rec := b.post("/admin/library/edit", append(typed, "seen", seen)...); rec.Code != http.StatusOK {
		t.Errorf("sent again: %d %s", rec.Code, rec.Body)
	}
	mustHave(t, b.page("/admin/library/show?name=film"), "a &lt;b&gt;hue&lt;/b&gt;")
	for _, verb := range []string{"add", "edit"} {
		name := map[string]string{"add": "pickle", "edit": "film"}[verb]
		rec := b.post("/admin/library/"+verb, "name", name, "link", "acme/pickle", "note", "my note")
		if rec.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s with a file that can't be used: %d", verb, rec.Code)
		}
		mustHave(t, rec.Body.String(), "Not kept &lt;b&gt;pickle", `value="acme/pickle"`, `value="my note"`, `name="name"`)
		mustLack(t, rec.Body.String(), "Done: ")
	}
	mustHave(t, b.post("/admin/library/add", "name", "wan", "link", "acme/wan").Body.String(), "Done: To loras add", "Brought &lt;b&gt;wan")
	mustLack(t, b.page("/admin/library"), "acme/pickle")
	member := w.signedIn("1")
	mustHave(t, member.page("/admin/library"), "acme/film-look")
	mustLack(t, member.page("/admin/library"), "Remove", "style-add")
	w.everyone = true
	mustHave(t, member.page("/admin/library"), "style-add")
	b.post("/admin/orders/block", "member", ann, "reason", "crypto ads")
	rec = member.post("/admin/library/add", "name", "mine", "link", "acme/mine")
	if rec.Code != http.StatusForbidden {
		t.Errorf("a blocked member: %d", rec.Code)
	}
	mustHave(t, rec.Body.String(), "An admin has stopped you from making videos. The reason: “crypto ads”. Only an admin can change that.")
	mustHave(t, member.page("/admin/library"), "acme/film-look")
	if rec := b.post("/admin/library/remove", "name", "film"); rec.Code != http.StatusOK {
		t.Errorf("remove: %d %s", rec.Code, rec.Body)
	}
	mustLack(t, b.page("/admin/library"), "acme/film-look")
	mustHave(t, b.page("/admin/log"), "loras remove", "console")
}
