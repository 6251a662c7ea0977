package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/library"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/core/team"
)

func TestTheOperatorSeesJobsAndTheStoryOfOne(t *testing.T) {
	w := newWorld(t)
	w.made("jab100000000", "acme", ann, "a fox in the snow")
	w.made("jab200000000", "globex", eve, "a whale", generate.Failed)
	w.made("jab300000000", "acme", bob, "a cowboy", generate.Running)
	b := w.signedIn("operator")
	mustHave(t, b.page("/admin/jobs"), "jab100000000", "jab200000000", "jab300000000", "a fox in the snow",
		"Now delivered", "Now running", "Now failed", `<option value="delivered">All delivered</option>`, `<option value="unfinished">Under way</option>`)
	acme := b.page("/admin/jobs?team=acme")
	mustHave(t, acme, "jab100000000", "jab300000000")
	mustLack(t, acme, "jab200000000")
	for query, want := range map[string]string{
		"state=failed": "jab200000000", "state=unfinished": "jab300000000", "q=FOX": "jab100000000", "member=discord:2": "jab300000000",
	} {
		page := b.page("/admin/jobs?" + query)
		for _, id := range []string{"jab100000000", "jab200000000", "jab300000000"} {
			if got := strings.Contains(page, id); got != (id == want) {
				t.Errorf("%s: the list has %s: %t", query, id, got)
			}
		}
	}
	if rec := b.get("/admin/jobs?q=JAB100000000"); rec.Code != http.StatusSeeOther || !strings.HasPrefix(rec.Header().Get("Location"), "/admin/jobs/jab100000000") {
		t.Errorf("an id leads to %d %s", rec.Code, rec.Header().Get("Location"))
	}
	story := b.page("/admin/jobs/jab100000000")
	mustHave(t, story, "Told: a fox in the snow", "Now delivered", "asked for on Discord", "the video was posted", "over: All delivered", "40.0 s", "$0.50", `src="https://v3.fal.media/files/jab100000000.mp4#t=0.001"`)
	mustLack(t, story, "Give up")
	running := b.page("/admin/jobs/jab300000000")
	mustHave(t, running, "Cancel", "Give up", "data-live")
	if rec := b.post("/admin/jobs/jab300000000/cancel"); rec.Code != http.StatusSeeOther {
		t.Errorf("cancel: %d", rec.Code)
	}
	if rec := b.post("/admin/jobs/jab300000000/give-up"); rec.Code != http.StatusSeeOther {
		t.Errorf("give up: %d", rec.Code)
	}
	if got := strings.Join(w.engine.done, ", "); got != "cancel jab300000000 by operator, give up jab300000000 by operator" {
		t.Errorf("the engine was asked to: %s", got)
	}
	w.engine.err = generate.ErrTooLate
	if rec := b.post("/admin/jobs/jab300000000/cancel"); rec.Code != http.StatusConflict || !strings.Contains(rec.Body.String(), "too late") {
		t.Errorf("cancel of what is over: %d %s", rec.Code, rec.Body)
	}
}

func TestAnAdminDeliversAgainWhatCouldNotBePosted(t *testing.T) {
	w := newWorld(t)
	j := w.made("jab100000000", "acme", ann, "a fox", generate.Failed)
	admin, own := w.signedIn("9"), w.signedIn("1")
	mustLack(t, admin.page("/admin/jobs/jab100000000?team=acme"), "Deliver again") // there is no video
	w.save(j, quota.Keep(), func(j *generate.Job) {
		j.Output.URL, j.Failure.Kind = "https://v3.fal.media/files/x.mp4", generate.FailUnreachable
		j.Redelivery = &generate.Redelivery{By: "slack:T1:U9", At: w.clock.Now()}
	})
	mustHave(t, admin.page("/admin/jobs/jab100000000?team=acme"), "Deliver again", "asked to deliver it again by slack:T1:U9")
	mustLack(t, own.page("/admin/jobs/jab100000000?team=acme"), "Deliver again")
	if rec := admin.post("/admin/jobs/jab100000000/deliver?team=acme"); rec.Code != http.StatusSeeOther {
		t.Errorf("deliver again: %d %s", rec.Code, rec.Body)
	}
	if rec := own.post("/admin/jobs/jab100000000/deliver?team=acme"); rec.Code != http.StatusForbidden {
		t.Errorf("a member delivers again: %d", rec.Code)
	}
	if got := strings.Join(w.engine.done, ", "); got != "deliver jab100000000 by "+boss {
		t.Errorf("the engine was asked to: %s", got)
	}
	for err, says := range map[error]string{
		generate.ErrDelivered: "There is nothing to deliver", generate.ErrGone: "fal does not keep the video any more", generate.ErrTooLate: "too late",
	} {
		w.engine.err = err
		if rec := admin.post("/admin/jobs/jab100000000/deliver?team=acme"); rec.Code/100 != 4 || !strings.Contains(rec.Body.String(), says) {
			t.Errorf("%v: %d %s", err, rec.Code, rec.Body)
		}
	}
}

func TestWhatWasPostedFindsItsJob(t *testing.T) {
	w := newWorld(t)
	j := w.made("jab100000000", "acme", ann, "a fox")
	w.save(j, quota.Keep(), func(j *generate.Job) { j.Receipt.SHA256 = "ab12" })
	w.made("jab200000000", "acme", ann, "a whale")
	w.made("jab300000000", "globex", eve, "a whale")
	b := w.signedIn("9")
	for q, want := range map[string]bool{
		"https://discord.com/channels/G1/C1/jab100000000": true, "sha256:AB12": true, "sha256:ff": false,
		"https://discord.com/channels/G1/C1/jab300000000": false, // of another team
	} {
		page := b.page("/admin/jobs?" + url.Values{"q": {q}}.Encode())
		if strings.Contains(page, "/jobs/jab100000000") != want || strings.Contains(page, "/jobs/jab200000000") || strings.Contains(page, "/jobs/jab300000000") {
			t.Errorf("%s: %s", q, page)
		}
	}
}

// Whose a private video is, is not told to who has the file: not even that there is
// a job.
func TestAPrivateVideoIsNotFoundByItsFile(t *testing.T) {
	w := newWorld(t)
	j := w.private(w.made("jab100000000", "acme", ann, "a secret"))
	w.save(j, quota.Keep(), func(j *generate.Job) { j.Receipt.SHA256 = "ab12" })
	for _, q := range []string{"sha256:ab12", "https://discord.com/channels/G1/C1/jab100000000"} {
		query := url.Values{"team": {"acme"}, "q": {q}}
		for who, want := range map[string]bool{"9": false, "1": true, "operator": true} {
			for _, path := range []string{"/admin/jobs?", "/admin/csv/jobs?"} {
				page := w.signedIn(who).page(path + query.Encode())
				if strings.Contains(page, "jab100000000,") != (want && strings.Contains(path, "csv")) || strings.Contains(page, "/jobs/jab100000000") != (want && !strings.Contains(path, "csv")) {
					t.Errorf("%s looks for %s at %s: %s", who, q, path, page)
				}
				if !want && strings.Contains(page, "looked at") {
					t.Errorf("%s is told that there is something: %s", who, page)
				}
			}
		}
	}
}

func TestTheOperatorExportsAndErasesAMembersData(t *testing.T) {
	w := newWorld(t)
	w.made("jab100000000", "acme", ann, "a secret fox")
	w.made("jab200000000", "acme", bob, "a whale")
	b := w.signedIn("operator")
	page := "/admin/members/discord:1"
	mustHave(t, b.page(page+"?team=acme"), page+"/data?team=acme", page+"/erase")
	mustLack(t, w.signedIn("9").page(page+"?team=acme"), "/erase")
	data := b.get(page + "/data?team=acme")
	if text := data.Body.String(); data.Code != http.StatusOK || !strings.Contains(text, "a secret fox") || strings.Contains(text, "whale") {
		t.Errorf("the data: %d %s", data.Code, text)
	}
	if rec := b.post(page+"/erase", "team", "acme"); rec.Code != http.StatusUnprocessableEntity {
		t.Errorf("without being sure: %d", rec.Code)
	}
	if rec := b.post(page+"/erase", "team", "acme", "sure", "yes"); rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), "1 jobs") {
		t.Errorf("erase: %d %s", rec.Code, rec.Body)
	}
	mustLack(t, b.page("/admin/jobs"), "secret fox")
	mustHave(t, b.page("/admin/jobs"), "a whale")
}

func TestAVideoThatFalDoesNotKeepIsNotOffered(t *testing.T) {
	w := newWorld(t)
	w.made("jab100000000", "acme", ann, "a fox")
	w.clock.Advance(7 * 24 * time.Hour)
	b := w.signedIn("operator")
	for _, page := range []string{"/admin/jobs/jab100000000", "/admin/gallery"} {
		text := b.page(page)
		mustHave(t, text, "fal does not keep this video any more", "https://discord.com/channels/G1/C1/jab100000000")
		mustLack(t, text, "<video")
	}
}

func TestListsGoOnWhereAPageEnds(t *testing.T) {
	w := newWorld(t)
	w.policy.Member.Windows, w.policy.Member.JobsAtATime = nil, 0
	for i := range 120 {
		w.made("job"+string(rune('a'+i/26))+string(rune('a'+i%26)), "acme", ann, "a fox")
	}
	b := w.signedIn("operator")
	for _, list := range []struct{ path, part string }{{"/admin/jobs?team=acme", "<th scope=\"row\">"}, {"/admin/gallery?team=acme", "<article"}, {"/admin/jobs?team=acme&q=fox", "<th scope=\"row\">"}} {
		seen, pages := 0, 0
		for next := list.path; next != "" && pages < 20; pages++ {
			page := b.page(next)
			seen += strings.Count(page, list.part)
			next = between(page, `<a href="`, `" rel="next"`)
		}
		if seen != 120 {
			t.Errorf("%s: %d jobs on %d pages, want 120", list.path, seen, pages)
		}
	}
}

// between is the text before the last part of the page, from the nearest begin.
func between(page, begin, end string) string {
	before, _, ok := strings.Cut(page, end)
	if !ok {
		return ""
	}
	return strings.ReplaceAll(before[strings.LastIndex(before, begin)+len(begin):], "&amp;", "&")
}

func TestTheLastDayOfTheChartHasRoomForItsName(t *testing.T) {
	w := newWorld(t)
	w.clock.Advance(5 * 24 * time.Hour) // a Monday
	w.made(nextID(), "acme", ann, "a fox")
	_, label, ok := strings.Cut(w.signedIn("9").page("/admin/"), `<text class="scale" x="6`) // of 720
	if _, after, _ := strings.Cut(label, ">"); !ok || !strings.Contains(after, "16 Mar</text>") {
		t.Errorf("the last label does not begin between 600 and 699: %q", label)
	}
}

func TestTheOverviewSumsUp(t *testing.T) {
	w := newWorld(t)
	for range 3 {
		w.made(nextID(), "acme", ann, "a fox")
		w.clock.Advance(24 * time.Hour)
	}
	w.made(nextID(), "acme", bob, "a cowboy", generate.Failed)
	w.made(nextID(), "acme", bob, "a cowboy", generate.Running)
	page := w.signedIn("9").page("/admin/")
	mustHave(t, page, "<dt>Running</dt><dd>1</dd>", "<dt>No video in 24 hours</dt><dd>1</dd>", "42.0 s", "of $200.00", "about $", `role="img"`,
		"most on 2026-03-14", "<th scope=\"row\">2026-03-12</th><td class=\"number\">1</td><td class=\"number\">$0.50</td>")
	csv := w.signedIn("9").get("/admin/csv/days")
	if !strings.Contains(csv.Body.String(), "2026-03-12,1,0,0.50,0.00") {
		t.Errorf("the table as CSV: %s", csv.Body)
	}
}

var ids = 0

func nextID() string {
	ids++
	return "made" + string(rune('a'+ids/26)) + string(rune('a'+ids%26)) + "000000"
}

// Videos are found by the style they were made with. That of a private one is its
// requester's.
func TestJobsAreFoundByTheirStyle(t *testing.T) {
	w := newWorld(t)
	rules := ltx.Rules{Styles: func(name string) (ltx.Style, bool) { return ltx.Style{Name: name}, true }}
	styled := func(j generate.Job, name string) generate.Job {
		return w.save(j, quota.Keep(), func(j *generate.Job) {
			var err error
			if j.Request, err = j.Request.With(rules, ltx.Setting{Key: "style", Value: name}); err != nil {
				t.Fatal(err)
			}
		})
	}
	styled(w.made("jab100000000", "acme", ann, "a fox"), "noir")
	styled(w.made("jab200000000", "acme", ann, "a whale"), "pop")
	w.made("jab300000000", "acme", bob, "a cowboy")
	w.private(styled(w.made("jab400000000", "acme", bob, "a secret"), "noir"))
	b := w.signedIn("9")
	for _, path := range []string{"/admin/gallery", "/admin/jobs", "/admin/csv/jobs"} {
		page := b.page(path + "?style=NOIR")
		mustHave(t, page, "jab100000000")
		mustLack(t, page, "jab200000000", "jab300000000", "jab400000000")
	}
	mustHave(t, b.page("/admin/gallery?style=noir"), `name="style" value="noir"`, "<code>noir</code>")
	mustHave(t, b.page("/admin/jobs/jab100000000"), "<dt>Style</dt><dd><code>noir</code></dd>")
	mustLack(t, b.page("/admin/jobs/jab400000000"), "noir")
	csv := b.page("/admin/csv/jobs")
	if strings.Count(csv, "noir") != 1 || !strings.Contains(csv, "a fox,noir\n") {
		t.Errorf("the table as CSV: %s", csv)
	}
	if rec := b.post("/admin/library/style-add", "name", "noir", "options", "static", "once", "1"); rec.Code != http.StatusOK {
		t.Fatal(rec.Body)
	}
	mustHave(t, b.page("/admin/library"), `<a href="/admin/gallery?style=noir&amp;team=acme"`)
}

func TestCSVHoldsNoFormulas(t *testing.T) {
	w := newWorld(t)
	w.made("jab100000000", "acme", ann, "=HYPERLINK(1)")
	rec := w.signedIn("operator").get("/admin/csv/jobs?team=acme")
	if text := rec.Body.String(); !strings.Contains(text, "'=HYPERLINK") || rec.Header().Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Errorf("got %s %s", rec.Header().Get("Content-Type"), text)
	}
}

// The tables hold all of a team, or all that is found; the page shows fewer.
func TestALibraryIsATable(t *testing.T) {
	w := newWorld(t)
	b := w.signedIn("9")
	for i := range library.MaxListed + 1 {
		err := w.store.EditLoRA(t.Context(), "acme", fmt.Sprintf("film%03d", i), func(*library.Entry, int) (*library.Entry, team.Record, error) {
			return &library.Entry{Name: fmt.Sprintf("film%03d", i), Path: "acme/film", Scale: 0.7, By: boss, At: noon}, team.Record{ID: strconv.Itoa(i), Team: "acme"}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range [][]string{
		{"add", "name", "clay", "link", "acme/clay", "trigger", "=cmd()", "note", "@sum", "example", "+1", "seed", "7", "models", "ltx-2.3"},
		{"style-add", "name", "noir", "options", "static", "prefix", "-1", "suffix", "=cmd()", "note", "@sum"},
	} {
		if rec := b.post("/admin/library/"+step[0], append(step[1:], "once", step[0])...); rec.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", step[0], rec.Code, rec.Body)
		}
	}
	at := "2026-03-11T12:00:00Z"
	if text := b.page("/admin/csv/loras"); strings.Count(text, "\n") != library.MaxListed+3 {
		t.Errorf("%d lines", strings.Count(text, "\n"))
	}
	want := "name,path,scale,trigger,negative,note,example,seed,models,by,at\nclay,acme/clay,1,'=cmd(),,'@sum,'+1,7,ltx-2.3,discord:9," + at + "\n"
	if got := w.signedIn("1").page("/admin/csv/loras?find=clay"); got != want {
		t.Errorf("the LoRAs are\n%s, want\n%s", got, want)
	}
	want = "name,options,prefix,suffix,note,by,at\nnoir,static,'-1,'=cmd(),'@sum,discord:9," + at + "\n"
	if got := b.page("/admin/csv/styles"); got != want {
		t.Errorf("the styles are\n%s, want\n%s", got, want)
	}
	mustHave(t, b.page("/admin/library?find=film"), `"/admin/csv/loras?find=film&amp;team=acme"`, `"/admin/csv/styles?team=acme"`)
}

func TestATiersModelsAreShown(t *testing.T) {
	w := newWorld(t)
	page := w.signedIn("9").page("/admin/tiers")
	mustHave(t, page, "<td><code>pro</code> <code>ltx-2.5</code> </td>", "<code>[[quota.tier]]</code>")
	if n := strings.Count(page, "<code>pro</code>"); n != 1 {
		t.Errorf("%d tiers have the model, want 1", n)
	}
}

func TestPagesAreSmall(t *testing.T) {
	w := newWorld(t)
	w.policy.Member.Windows, w.policy.Member.JobsAtATime = nil, 0
	for range 60 {
		w.made(nextID(), "acme", ann, strings.Repeat("a fox in the snow ", 60))
	}
	b := w.signedIn("operator")
	const most = 100_000 // bytes
	for _, path := range []string{"/admin/", "/admin/jobs", "/admin/gallery", "/admin/members?team=acme", "/admin/team?team=acme", "/admin/log?team=acme"} {
		if n := len(b.page(path)); n > most {
			t.Errorf("%s has %d bytes, want at most %d", path, n, most)
		}
	}
	for _, file := range []string{"style.css", "app.js", "icon.svg"} {
		rec := b.get("/admin/assets/" + file)
		if rec.Code != http.StatusOK || rec.Body.Len() > 20_000 || !strings.Contains(rec.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d, %d bytes, %v", file, rec.Code, rec.Body.Len(), rec.Header())
		}
	}
}

// TestAVideoHasItsRoomBeforeItIsLoaded, and those that are far down a page wait until
// they are wanted.
func TestAVideoHasItsRoomBeforeItIsLoaded(t *testing.T) {
	w := newWorld(t)
	b := w.signedIn("9")
	j := w.made("jab100000000", "acme", ann, "a fox")
	w.made("jab200000000", "acme", ann, "a hen") // nobody has told its size
	j.Output.Width, j.Output.Height = 1024, 576
	if _, err := w.store.Save(t.Context(), j, quota.Keep()); err != nil {
		t.Fatal(err)
	}
	const tag = `<video controls preload="metadata" loading="lazy"`
	for _, path := range []string{"/admin/gallery", "/admin/jobs/jab100000000"} {
		mustHave(t, b.page(path), tag+` width="1024" height="576" src="https://v3.fal.media/files/jab100000000.mp4#t=0.001"`)
	}
	mustHave(t, b.page("/admin/jobs/jab200000000"), tag+` src=`)
}

// TestADeadlineIsToldWhileItMatters and not of a job that was over before.
func TestADeadlineIsToldWhileItMatters(t *testing.T) {
	w := newWorld(t)
	b := w.signedIn("9")
	for id, told := range map[string]bool{"jab100000000": true, "jab200000000": false} {
		state := generate.Running
		if !told {
			state = generate.Delivered
		}
		j := w.made(id, "acme", ann, "a fox", state)
		j.Deadline = j.Created.Add(20 * time.Minute)
		if _, err := w.store.Save(t.Context(), j, quota.Keep()); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(b.page("/admin/jobs/"+id), "deadline: fal is asked to stop"); got != told {
			t.Errorf("%s: the deadline is told: %v", state, got)
		}
	}
}

// TestWhatHasNoLimitStandsApart on the page about the own limits.
func TestWhatHasNoLimitStandsApart(t *testing.T) {
	w := newWorld(t)
	w.made("jab100000000", "acme", ann, "a fox")
	limits, free, _ := strings.Cut(w.signedIn("1").page("/admin/usage"), "What was used without a limit")
	mustHave(t, limits, "member: <code>videos_per_day")
	mustLack(t, limits, "no limit")
	mustHave(t, free, "member: <code>videos_per_week", "no limit")
	mustLack(t, free, "member: <code>videos_per_day")
}

func TestMembersStandThereByName(t *testing.T) {
	w := newWorld(t)
	w.made("jab100000000", "acme", ann, "a fox")
	w.made("jab200000000", "acme", bob, "a fox")
	w.made("jab300000000", "acme", eve, "a fox")
	b := w.signedIn("9")
	b.post("/admin/orders/block", "member", ann)
	for _, path := range []string{"/admin/", "/admin/jobs", "/admin/gallery", "/admin/members", "/admin/jobs/jab100000000", "/admin/members/discord:1"} {
		mustHave(t, b.page(path), "Ann Lee")
	}
	mustHave(t, b.page("/admin/log"), "Ann Lee", "The &lt;b&gt;Boss&lt;/b&gt;")
	mustHave(t, b.page("/admin/members/discord:1"), "<h1>Ann Lee <small><code>discord:1</code></small></h1>", "<small>by The &lt;b&gt;Boss&lt;/b&gt;</small>")
	if n := w.named.Load(); n != 4 {
		t.Errorf("names were asked for %d times, want once for each of four members", n)
	}
	w.clock.Advance(time.Minute)
	b.page("/admin/jobs")
	if n := w.named.Load(); n != 6 {
		t.Errorf("a minute later they were asked for %d times, want once more for each of the two without a name", n)
	}
	w.clock.Advance(time.Hour)
	b.page("/admin/jobs")
	if n := w.named.Load(); n != 9 {
		t.Errorf("an hour later they were asked for %d times, want once more for each on the page", n)
	}
}
