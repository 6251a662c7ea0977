package slack_test

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ltxbot/sim/slack"

	"github.com/google/go-cmp/cmp"
)

// The vector of https://docs.slack.dev/authentication/verifying-requests-from-slack.
func TestSignaturesAreSlacks(t *testing.T) {
	body := `token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c`
	got := slack.Sign("8f742231b10e8888abcd99yyyzzz85a5", "1531420618", []byte(body))
	if want := "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"; got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
}

// app is an app in HTTP mode that checks signatures.
func (w *world) app(handle http.HandlerFunc) {
	w.t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.t.Error(err)
		}
		ts := r.Header.Get("X-Slack-Request-Timestamp")
		sent, _ := strconv.ParseInt(ts, 10, 64)
		age := w.Now().Sub(time.Unix(sent, 0))
		if r.Header.Get("X-Slack-Signature") != slack.Sign(w.SigningSecret(), ts, body) || age > 5*time.Minute || age < -5*time.Minute {
			http.Error(rw, "forged", http.StatusUnauthorized)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		handle(rw, r)
	}))
	w.t.Cleanup(server.Close)
	w.UseHTTP(slack.Endpoints{
		Commands: server.URL + "/commands", Interactions: server.URL + "/interactions", Options: server.URL + "/options", Events: server.URL + "/events",
	})
}

func TestHTTPModeSendsSignedRequests(t *testing.T) {
	w := newWorld(t, slack.Options{})
	events := make(chan *http.Request, 8)
	w.app(func(rw http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/commands":
			rw.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(rw).Encode(map[string]any{"text": "got " + r.FormValue("text") + " from " + r.FormValue("user_id")})
		case "/interactions":
			if !strings.Contains(r.FormValue("payload"), `"block_actions"`) {
				http.Error(rw, "no", http.StatusBadRequest)
			}
		case "/events":
			if r.Header.Get("X-Slack-Retry-Num") == "" {
				http.Error(rw, "later", http.StatusInternalServerError)
			}
			events <- r
		}
	})
	w.slash("a fox")
	if got, want := w.general.Messages()[0].Text, "got a fox from "+w.ann.ID(); got != want {
		t.Errorf("person reads %q, want %q", got, want)
	}
	w.call("chat.postMessage", "channel", w.general.ID(), "text", "x", "blocks", "["+actions("["+buttonX+"]")+"]")
	w.click(w.general.Messages()[1], "a#")
	w.mention("hi", "")
	<-events
	again := <-events
	if num, reason := again.Header.Get("X-Slack-Retry-Num"), again.Header.Get("X-Slack-Retry-Reason"); num != "1" || reason != "http_error" {
		t.Errorf("sent again with %q, %q", num, reason)
	}
}

func TestWhatPeopleSeeWhenTheAppAnswersBadly(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		want   string
	}{
		{"500", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusInternalServerError) }, "http_service_error"},
		{"404", http.NotFound, "http_client_error"},
		{"redirect", func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, "/x", http.StatusFound) }, "dispatch_unknown_error"},
		{"no answer", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "dispatch_failed"},
		{"too late", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "operation_timeout"},
		{"broken JSON", func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(rw, "{")
		}, "invalid_command_response"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, slack.Options{})
			arrived := make(chan struct{}, 1)
			w.app(func(rw http.ResponseWriter, r *http.Request) {
				arrived <- struct{}{}
				c.answer(rw, r)
			})
			go func() {
				<-arrived
				if c.want == "operation_timeout" {
					w.Advance(3 * time.Second)
				}
			}()
			if _, err := w.ann.Slash(t.Context(), w.general, "/ltx", "x"); code(err) != c.want {
				t.Errorf("person sees %v, want %q", err, c.want)
			}
		})
	}
}

func TestAResponseURLWorksFiveTimesInHalfAnHour(t *testing.T) {
	w := newTown(t, slack.Options{})
	w.dial(answer(nil))
	rec, err := w.ann.Slash(t.Context(), w.private, "/ltx", "x")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		if r, status := w.post(rec.ResponseURL, `{"text":"still working","response_type":"in_channel"}`); status != http.StatusOK {
			t.Fatalf("use %d: %v", i, r)
		}
	}
	if r, status := w.post(rec.ResponseURL, `{"text":"x"}`); status != http.StatusNotFound || r.str("error") != "used_url" {
		t.Errorf("sixth use: %d %v", status, r)
	}
	if got := len(w.private.Seen(w.bea)); got != 5 {
		t.Errorf("somebody else sees %d messages where the app is no member, want 5", got)
	}
	rec, err = w.ann.Slash(t.Context(), w.private, "/ltx", "x")
	if err != nil {
		t.Fatal(err)
	}
	if r, _ := w.post(rec.ResponseURL, `{}`); r.str("error") != "no_text" {
		t.Errorf("saying nothing: %v", r)
	}
	if r, _ := w.post(rec.ResponseURL, `{"blocks":[{"type":"x"}]}`); r.str("error") != "invalid_blocks" {
		t.Errorf("blocks that are wrong: %v", r)
	}
	w.Advance(31 * time.Minute)
	if r, status := w.post(rec.ResponseURL, `{"text":"x"}`); status != http.StatusNotFound || r.str("error") != "expired_url" {
		t.Errorf("half an hour later: %d %v", status, r)
	}
}

func TestAResponseURLReplacesAndDeletesWhatWasClicked(t *testing.T) {
	w := newWorld(t, slack.Options{})
	w.dial(answer(nil))
	w.call("chat.postEphemeral", "channel", w.general.ID(), "user", w.ann.ID(), "text", "x", "blocks", "["+actions("["+buttonX+"]")+"]")
	rec := w.click(w.general.Messages()[0], "a#")
	w.post(rec.ResponseURL, `{"text":"replaced","replace_original":true}`)
	got := w.general.Messages()
	if len(got) != 1 || got[0].Text != "replaced" || len(got[0].Blocks) != 0 || got[0].EphemeralTo != w.ann.ID() {
		t.Errorf("after replacing: %+v", got)
	}
	w.post(rec.ResponseURL, `{"text":"another"}`)
	w.post(rec.ResponseURL, `{"delete_original":true}`)
	got = w.general.Messages()
	if len(got) != 1 || got[0].Text != "another" {
		t.Errorf("after deleting: %+v", got)
	}
}

func TestUploadsWantTheirLengthAndAppearLater(t *testing.T) {
	w := newWorld(t, slack.Options{ShareDelay: time.Minute})
	u := w.call("files.getUploadURLExternal", "filename", "fox.mp4", "length", "3")
	if !strings.HasPrefix(u.str("upload_url"), strings.TrimSuffix(w.APIURL(), "api/")) {
		t.Errorf("upload URL is elsewhere: %s", u.str("upload_url"))
	}
	for _, wrong := range []string{"ab", "abcd"} {
		if status := w.upload(u.str("upload_url"), []byte(wrong)); status != http.StatusBadRequest {
			t.Errorf("%d bytes: status %d", len(wrong), status)
		}
	}
	if status := w.uploadForm(u.str("upload_url"), "abc"); status != http.StatusOK {
		t.Fatalf("form: status %d", status)
	}
	files := `[{"id":"` + u.str("file_id") + `","title":"Fox"}]`
	r := w.call("files.completeUploadExternal", "files", files, "channel_id", w.general.ID(), "initial_comment", "here")
	list, _ := r["files"].([]any)
	if len(list) != 1 || len(list[0].(map[string]any)["shares"].(map[string]any)) != 0 {
		t.Errorf("completing says %v", r)
	}
	if n := len(w.general.Messages()); n != 0 {
		t.Errorf("%d messages at once", n)
	}
	if got := w.call("files.completeUploadExternal", "files", files, "channel_id", w.general.ID()).str("error"); got != "file_not_found" {
		t.Errorf("completing again: %q", got)
	}
	w.Advance(time.Minute)
	got := w.general.Messages()
	if len(got) != 1 || got[0].Text != "here" || got[0].Files[0].Title != "Fox" || got[0].Files[0].Size != 3 {
		t.Fatalf("channel shows %+v", got)
	}
	info := w.call("files.info", "file", u.str("file_id"))
	shares, _ := info["file"].(map[string]any)["shares"].(map[string]any)["public"].(map[string]any)[w.general.ID()].([]any)
	if len(shares) != 1 || shares[0].(map[string]any)["ts"] != got[0].TS {
		t.Errorf("files.info says %v", info)
	}
	if body, final := w.download(got[0].Files[0].URL, w.ws.BotToken()); body != "abc" || strings.Contains(final, "redir") {
		t.Errorf("downloaded %q from %s", body, final)
	}
	if _, final := w.download(got[0].Files[0].URL, "xoxb-no"); !strings.Contains(final, "/signin?redir=%2Ffiles-pri%2F") {
		t.Errorf("without a token it came from %s", final)
	}
	if r := w.call("files.delete", "file", u.str("file_id")); r["ok"] != true {
		t.Errorf("delete: %v", r)
	}
	if left := w.general.Messages()[0].Files; len(left) != 0 {
		t.Errorf("still shows %+v", left)
	}
}

func (w *world) uploadForm(to, content string) int {
	w.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", "fox.mp4")
	if err != nil {
		w.t.Fatal(err)
	}
	_, _ = io.WriteString(part, content)
	form.Close()
	req := w.newRequest(http.MethodPost, to, &body)
	req.Header.Set("Content-Type", form.FormDataContentType())
	_, res := w.send(req)
	return res.status
}

func (w *world) download(from, token string) (body, final string) {
	w.t.Helper()
	req := w.newRequest(http.MethodGet, from, nil)
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := w.client.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(raw), res.Request.URL.String()
}

func TestMessagesAreEditedThreadedAndFound(t *testing.T) {
	w := newTown(t, slack.Options{})
	c := w.general.ID()
	ts := w.call("chat.postMessage", "channel", c, "text", strings.Repeat("x", 40_001), "blocks", `[{"type":"divider"}]`).str("ts")
	m, _ := w.general.Message(ts)
	if n := len(m.Text); n != 40_000 {
		t.Errorf("text was cut to %d", n)
	}
	w.call("chat.update", "channel", c, "ts", ts, "text", "with", "blocks", `[{"type":"header","text":`+plainX+`}]`)
	if m, _ = w.general.Message(ts); m.Edited || m.Blocks.Text() != "x" || len(m.Edits) != 1 {
		t.Errorf("after an edit with blocks: %+v", m)
	}
	w.call("chat.update", "channel", c, "ts", ts, "text", "without")
	if m, _ = w.general.Message(ts); !m.Edited || len(m.Blocks) != 0 || m.Text != "without" {
		t.Errorf("after an edit with text only: %+v", m)
	}
	answer := w.call("chat.postMessage", "channel", c, "text", "reply", "thread_ts", ts).str("ts")
	orphan := w.call("chat.postMessage", "channel", c, "text", "lost", "thread_ts", "1.000000").str("ts")
	if m, _ = w.general.Message(orphan); !m.Orphan || len(w.general.Seen(w.ann)) != 2 {
		t.Errorf("a reply to nothing: %+v", m)
	}
	texts := func(r reply) (texts []string) {
		list, _ := r["messages"].([]any)
		for _, m := range list {
			texts = append(texts, m.(map[string]any)["text"].(string))
		}
		return texts
	}
	if diff := cmp.Diff([]string{"without"}, texts(w.call("conversations.history", "channel", c))); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"without", "reply"}, texts(w.call("conversations.replies", "channel", c, "ts", answer))); diff != "" {
		t.Errorf("replies (-want +got):\n%s", diff)
	}
	w.call("chat.delete", "channel", c, "ts", ts)
	if got := w.call("chat.update", "channel", c, "ts", ts, "text", "x").str("error"); got != "message_not_found" {
		t.Errorf("editing what is gone: %q", got)
	}
	if all := w.general.All(); len(all) != 3 || !all[0].Deleted {
		t.Errorf("all: %+v", all)
	}
	dm := w.call("chat.postMessage", "channel", w.ann.ID(), "text", "x")
	if got := dm.str("channel"); got != w.dm.ID() || !strings.HasPrefix(got, "D") {
		t.Errorf("a message to a person went to %q", got)
	}
	if r := w.call("conversations.join", "channel", c); r.str("warning") != "already_in_channel" {
		t.Errorf("joining again: %v", r)
	}
	if r := w.call("conversations.join", "channel", w.outside.ID()); r["ok"] != true || !w.outside.Has(w.ws.Bot()) {
		t.Errorf("joining: %v", r)
	}
}

func TestAnInstallationComesFromACode(t *testing.T) {
	w := newWorld(t, slack.Options{})
	ws := w.AddWorkspace(slack.WorkspaceSpec{NotInstalled: true})
	id, password := w.Client()
	code := w.Authorize(ws, "https://bot.test/back", "commands", "chat:write")
	args := []string{"client_id", id, "client_secret", password, "code", code, "redirect_uri", "https://bot.test/back"}
	elsewhere := slices.Concat(args, []string{"redirect_uri", "https://evil.test"})
	if got := w.call("oauth.v2.access", elsewhere...).str("error"); got != "bad_redirect_uri" {
		t.Errorf("elsewhere: %q", got)
	}
	r := w.call("oauth.v2.access", args...)
	if r.str("access_token") == "" || r.str("access_token") != ws.BotToken() || r.str("team", "id") != ws.ID() {
		t.Errorf("got %v", r)
	}
	if got := w.call("oauth.v2.access", args...).str("error"); got != "code_already_used" {
		t.Errorf("again: %q", got)
	}
	token := ws.BotToken()
	ws.Uninstall()
	if got := w.call("auth.test", "token", token).str("error"); got != "account_inactive" {
		t.Errorf("after uninstalling: %q", got)
	}
}

func TestScopesAreInTheHeader(t *testing.T) {
	w := newWorld(t, slack.Options{})
	w.ws.SetScopes("commands", "chat:write")
	req := w.request("auth.test", strings.NewReader(url.Values{"token": {w.ws.BotToken()}}.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r, res := w.send(req)
	if got := res.header.Get("X-Oauth-Scopes"); got != "commands,chat:write" || r.str("team_id") != w.ws.ID() {
		t.Errorf("scopes %q, reply %v", got, r)
	}
}

func TestAHomeTabIsPublishedAndOpened(t *testing.T) {
	w := newWorld(t, slack.Options{})
	events := make(chan frame, 2)
	w.dial(func(f frame) (any, bool) {
		events <- f
		return nil, true
	})
	w.ann.OpenHome()
	event, _ := (<-events).Payload["event"].(map[string]any)
	if event["type"] != "app_home_opened" || event["tab"] != "home" {
		t.Errorf("event is %v", event)
	}
	home := `{"type":"home","blocks":[` + actions("["+buttonX+"]") + `]}`
	if r := w.call("views.publish", "user_id", w.ann.ID(), "view", home); r["ok"] != true {
		t.Fatalf("publish: %v", r)
	}
	v, ok := w.ann.Home()
	if !ok || v.Blocks.Text() != "[x]" {
		t.Errorf("home shows %q", v.Blocks.Text())
	}
	w.click(v, "x")
}
