package app_test

import (
	"cmp"
	"context"
	"crypto/tls"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"ltxbot/config"
	"ltxbot/core/generate"
	"ltxbot/core/library"
	"ltxbot/internal/need"
	"ltxbot/internal/publichttp"
	"ltxbot/provider/hub"
	simdiscord "ltxbot/sim/discord"
	simfal "ltxbot/sim/fal"
)

// near is a checker that asks one server in place of files.example.com and of
// Hugging Face.
type near struct {
	*hub.Checker

	server string
}

func (n near) Check(ctx context.Context, path string) (library.Finding, error) {
	if strings.Contains(path, "slow") {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, 50*time.Millisecond, publichttp.ErrSlow)
		defer cancel()
	}
	return n.Checker.Check(ctx, strings.Replace(path, "https://files.example.com", n.server, 1))
}

// answers writes an answer as it stands, and ends the connection.
func answers(lines ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = io.WriteString(conn, strings.Join(lines, "\r\n")+"\r\n\r\n")
		_ = conn.Close()
	}
}

// A host can fail in many ways, and what it says then may hold a key: that of the
// link that somebody typed, or one of its own that it redirects to.
func TestAHostThatFailsTellsNoKey(t *testing.T) {
	t.Parallel()
	const secret = "hush7f3c"
	const query = "?token=" + secret
	found := func(to string) http.HandlerFunc {
		return answers("HTTP/1.1 302 Found", "Location: "+to+"?sig="+secret)
	}
	says := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
	}
	other := httptest.NewTLSServer(says("from an unknown host"))
	t.Cleanup(other.Close)
	other.Config.ErrorLog = nil
	faults := map[string]http.HandlerFunc{
		"inside":   found("https://10.0.0.1/x"),
		"nowhere":  found("https://nothing.invalid/x"),
		"broken":   found("https://cdn.example.com:x/x"),
		"insecure": found("http://cdn.example.com/x"),
		"unknown":  found(other.URL + "/x"),
		"signed":   found("/404/x"),
		"loop":     found("/loop/x"),
		"slow":     func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"large":    answers("HTTP/1.1 206 Partial Content", "Content-Range: bytes 0-9/4000000000", "", "\x02\x00\x00\x00\x00\x00\x00\x00{}"),
		"text":     says("you asked for x" + query),
		"page":     says("<html>x" + query),
		"pickle":   says("PK\x03\x04x" + query),
		"pointer":  says("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"),
		"cut":      says("\xff\x00\x00\x00\x00\x00\x00\x00{\"x" + query),
		"hostile":  says("\x20\x00\x00\x00\x00\x00\x00\x00{\"x" + query + "\":[[[[[[[[[["),
		"status":   answers("HTTP/1.1 x" + query),
		"header":   answers("HTTP/1.1 200 OK", "x"+query),
	}
	for _, status := range []string{"401", "403", "404", "410", "429", "500"} {
		faults[status] = answers("HTTP/1.1 "+status+" x"+query, "Content-Type: text/plain; x="+query, "Retry-After: "+query)
	}
	mux := http.NewServeMux()
	for name, fault := range faults {
		mux.Handle("/"+name+"/", fault)
		mux.Handle("/api/models/acme/"+name, fault)
	}
	server := httptest.NewTLSServer(mux)
	t.Cleanup(server.Close)
	client, err := publichttp.New(publichttp.Options{
		Allow: func(a netip.Addr) bool { return a.IsLoopback() }, TLS: &tls.Config{RootCAs: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs},
	})
	if err != nil {
		t.Fatal(err)
	}
	w := prepare(t, "text")
	w.opts.LoRAs = near{hub.New(hub.Config{Client: client, HuggingFace: server.URL}), server.URL}
	w.cfg.Library.Add = config.AddEveryone
	w.cfg.LoRA.Hosts = []string{"huggingface.co", "files.example.com"}
	w.cfg.Console.DiscordClientSecret = config.NewSecret(w.discord.ClientSecret())
	slack := w.withSlack(t)
	w.run(t)
	w.discord.SetRedirects(w.at("/admin/sign-in/discord/back"))
	w.make(t, "a fox") // the team is known from now on
	browser := w.console(t)
	browser.signIn("discord", w.ada.Authorize)
	var said strings.Builder
	page := func(method, path string, form url.Values) {
		t.Helper()
		_, _, text := browser.do(method, w.at(path), form)
		_, typed, _ := strings.Cut(path, "link=") // it stands in the form again
		link, _ := url.QueryUnescape(typed)
		said.WriteString(strings.Replace(text, `value="`+link+`"`, "", 1))
	}

	w.answer(t, "/ltx-loras add name:film link:https://files.example.com/429/film.safetensors")
	for _, name := range need.Some(t, slices.Sorted(maps.Keys(faults)), 4) {
		link := "https://files.example.com/" + name + "/x.safetensors"
		for _, line := range []string{
			"check link:" + link + query, "check link:acme/" + name, "add name:" + name + " link:" + link, "add name:" + name + " link:" + link + query,
			"edit name:film link:" + link, "edit name:film link:" + link + query,
		} {
			answer := w.answer(t, "/ltx-loras "+line)
			said.WriteString(answer)
			if !strings.Contains(answer, "cannot be used") && !strings.Contains(answer, "does not answer as it should") && !strings.Contains(answer, "holds a key") {
				t.Errorf("%s: nothing is said of what was found: %s", line, answer)
			}
		}
		slack.answer(t, "loras check "+link+query)
		slack.answer(t, "loras add on-slack-"+name+" "+link)
		page(http.MethodGet, "/admin/library/check?link="+url.QueryEscape(link+query), nil)
	}
	w.answer(t, "/ltx-loras add name:lost link:https://files.example.com/500/x.safetensors")
	slack.answer(t, "loras add on-slack https://files.example.com/500/x.safetensors")
	for _, verb := range []string{"add", "edit"} {
		page(http.MethodPost, "/admin/library/"+verb, url.Values{"name": {"lost"}, "link": {"https://files.example.com/404/x.safetensors" + query}, "once": {verb}})
	}
	w.fal.Inject(simfal.Fault{ // as when fal can't load the file
		Op: simfal.OpResult, Times: -1, Status: http.StatusUnprocessableEntity,
		Body: `{"detail":[{"loc":["body","loras",0,"path"],"type":"file_download_error","msg":"Max retries exceeded with url: /404/x.safetensors` +
			query + ` of https://files.example.com/404/x.safetensors` + query + `"}]}`,
	})
	made := w.slash(t, simdiscord.Arg("prompt", "a fox"), simdiscord.Arg("lora", "https://files.example.com/404/x.safetensors"+query))
	receipt := slack.slash(t, "loras try on-slack a fox")
	jobs := []generate.Job{w.over(t, generate.NewID("discord:"+made.ID)), w.over(t, generate.NewID("slack:"+receipt.TriggerID))}
	for _, j := range jobs {
		if j.Failure.Kind != generate.FailLoRA {
			t.Errorf("job %s is %s %s", j.ID, j.State, cmp.Or(j.Failure.Kind, "without a failure"))
		}
	}
	said.WriteString(w.answer(t, "/ltx-jobs show job:"+jobs[0].ID))
	slack.answer(t, "show "+jobs[1].ID)
	for _, path := range []string{"", "jobs", "jobs/" + jobs[0].ID, "gallery", "library", "library/show?name=lost", "library/edit?name=lost", "usage"} {
		page(http.MethodGet, "/admin/"+path, nil)
	}
	w.tellsNobody(t, slack, secret, &said)
}
