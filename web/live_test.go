package web_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/web"
)

// livePage is an open page that is kept up to date.
type livePage struct {
	testing.TB

	status int
	lines  *bufio.Scanner
	close  func()
}

// live opens a page as its script does.
func (b *browser) live(t testing.TB, server *httptest.Server, target string) *livePage {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+target, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = b.host
	r.Header.Set("Accept", "text/event-stream")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	end := func() {
		cancel()
		_ = resp.Body.Close()
	}
	t.Cleanup(end)
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	return &livePage{t, resp.StatusCode, lines, end}
}

// next is the next piece; "" when the stream has ended, "end" when the page does not
// change any more.
func (p *livePage) next() string {
	p.Helper()
	name := ""
	for p.lines.Scan() {
		line := p.lines.Text()
		if of, ok := strings.CutPrefix(line, "event: "); ok {
			name = of
		}
		data, ok := strings.CutPrefix(line, "data: ")
		switch {
		case !ok:
		case name != "":
			return name
		default:
			var html string
			if err := json.Unmarshal([]byte(data), &html); err != nil {
				p.Fatalf("%q: %v", data, err)
			}
			return html
		}
	}
	return ""
}

// until reads pieces until one has a text.
func (p *livePage) until(text string) string {
	p.Helper()
	for {
		html := p.next()
		if strings.Contains(html, text) {
			return html
		}
		if html == "" {
			p.Fatalf("the stream has ended without %q", text)
		}
	}
}

// save saves a job in another state.
func (w *world) save(j generate.Job, b quota.Billing, change func(*generate.Job)) generate.Job {
	w.Helper()
	change(&j)
	j, err := w.store.Save(w.Context(), j, b)
	if err != nil {
		w.Fatal(err)
	}
	return j
}

// served is the console at an address.
func (w *world) served(t testing.TB) *httptest.Server {
	server := httptest.NewServer(w.server)
	t.Cleanup(server.Close)
	t.Cleanup(w.server.Close) // before the server, which waits for the streams
	return server
}

func TestAnOpenPageOfAJobIsKeptUpToDate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	j := w.made("jab100000000", "acme", ann, "a fox", generate.Queued)
	server, b := w.served(t), w.signedIn("9")
	page := b.live(t, server, "/admin/jobs/jab100000000?team=acme")
	first := page.until("queued")
	if !strings.HasPrefix(first, "<div data-live>") || strings.Contains(first, "<html") {
		t.Errorf("the piece is not the live part: %s", first)
	}
	j = w.save(j, quota.Keep(), func(j *generate.Job) { j.State = generate.Running })
	page.until("running")
	w.save(j, quota.Release(), func(j *generate.Job) {
		j.State, j.Finished, j.Shown = generate.Failed, w.clock.Now(), generate.Failed
	})
	if last := page.until("failed"); strings.Contains(last, "data-live") {
		t.Error("a job that is over is still live")
	}
	if got := page.next(); got != "end" {
		t.Errorf("after the last piece comes %q", got)
	}
	if got := page.next(); got != "" {
		t.Errorf("after the end comes %q", got)
	}
}

// A page of one team hears nothing of another one.
func TestAPieceComesOnlyWhenSomethingHasChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.made("jab200000000", "globex", eve, "a whale", generate.Queued)
	mine := w.made("jab100000000", "acme", ann, "a fox", generate.Queued)
	server, b := w.served(t), w.signedIn("9")
	page := b.live(t, server, "/admin/?team=acme")
	page.until("jab100000000")
	all := w.signedIn("operator").live(t, server, "/admin/")
	all.until("jab200000000")
	w.save(other, quota.Keep(), func(j *generate.Job) { j.State = generate.Running })
	all.until(">Now running<")
	w.save(mine, quota.Keep(), func(j *generate.Job) { j.State = generate.Running })
	if html := page.next(); !strings.Contains(html, ">Now running<") || strings.Contains(html, "jab200000000") {
		t.Errorf("the next piece is that of another change: %s", html)
	}
}

func TestAStreamEndsWithTheRightToSeeThePage(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*world, *browser){
		"the session is ended": func(_ *world, b *browser) { b.post("/admin/sign-out") },
		"who is no admin any more": func(w *world, _ *browser) {
			w.people.set("G1 9", web.Person{Member: boss})
			w.clock.Advance(time.Minute)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			j := w.made("jab100000000", "acme", ann, "a fox", generate.Queued)
			server, b := w.served(t), w.signedIn("9")
			page := b.live(t, server, "/admin/jobs/jab100000000?team=acme")
			page.until("queued")
			lose(w, b)
			w.save(j, quota.Keep(), func(j *generate.Job) { j.State = generate.Running })
			for {
				switch html := page.next(); {
				case html == "":
					return
				case strings.Contains(html, "running"):
					t.Fatalf("it is shown to somebody without the right: %s", html)
				}
			}
		})
	}
}

func TestWhoMayNotSeeAPageGetsNoStream(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.made("jab100000000", "acme", ann, "a fox", generate.Queued)
	server := w.served(t)
	for who, want := range map[string]int{"nobody": http.StatusSeeOther, "2": http.StatusNotFound, "3": http.StatusNotFound} {
		b := w.browser()
		if who != "nobody" {
			b = w.signedIn(who)
		}
		page := b.live(t, server, "/admin/jobs/jab100000000?"+url.Values{"team": {"acme"}}.Encode())
		// A member's stream begins, and ends at once: it is not their job.
		if got := page.status; got != want && (got != http.StatusOK || page.next() != "") {
			t.Errorf("%s gets %d", who, got)
		}
	}
}

func TestTheStreamsOfAPersonAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server, b := w.served(t), w.signedIn("operator")
	var pages []*livePage
	for i := range 21 {
		page := b.live(t, server, "/admin/")
		if (page.status == http.StatusOK) != (i < 20) {
			t.Fatalf("page %d: %d", i+1, page.status)
		}
		pages = append(pages, page)
	}
	pages[0].close()
	for b.live(t, server, "/admin/").status != http.StatusOK {
		if t.Context().Err() != nil {
			t.Fatal("a page that was closed leaves no room")
		}
	}
}

// A console that stops ends its streams: the web server waits for them.
func TestStreamsEndWithTheConsole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server, b := w.served(t), w.signedIn("operator")
	page := b.live(t, server, "/admin/")
	page.until("Running")
	w.server.Close()
	for page.next() != "" {
	}
}
