package admin_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ltxbot/app/admin"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/internal/ingress"
)

const token = "0123456789abcdef"

// engine is an engine with a few jobs.
type engine struct {
	jobs      []generate.Job
	query     generate.Query
	cancelled string
	err       error
}

func (e *engine) Jobs(_ context.Context, q generate.Query) ([]generate.Job, error) {
	e.query = q
	return e.jobs, e.err
}

func (e *engine) Job(_ context.Context, id string) (generate.Job, error) {
	for _, j := range e.jobs {
		if j.ID == id {
			return j, nil
		}
	}
	return generate.Job{}, generate.ErrNoJob
}

func (e *engine) Cancel(ctx context.Context, id, by string) (generate.Job, error) {
	j, err := e.Job(ctx, id)
	if err == nil && !j.State.Cancellable() {
		err = generate.ErrTooLate
	}
	if err == nil {
		e.cancelled = id + " by " + by
	}
	return j, err
}

func (e *engine) GiveUp(ctx context.Context, id, by string) (generate.Job, error) {
	j, err := e.Job(ctx, id)
	if err == nil && !j.Unfinished() {
		err = generate.ErrTooLate
	}
	if err == nil {
		e.cancelled = id + " given up by " + by
	}
	return j, err
}

func (e *engine) Redeliver(ctx context.Context, id, by string) (generate.Job, error) {
	j, err := e.Job(ctx, id)
	if err == nil && !j.Undelivered() {
		err = generate.ErrDelivered
	}
	if err == nil {
		e.cancelled = id + " delivered by " + by
	}
	return j, err
}

// secretNote stands for a token of a platform that a courier remembers.
const secretNote = "aW50ZXJhY3Rpb24tdG9rZW4"

func newEngine(t *testing.T) *engine {
	t.Helper()
	request, err := ltx.Rules{}.Parse([]ltx.Setting{{Key: "prompt", Value: "a very private fox"}, {Key: "seed", Value: "7"}})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	return &engine{jobs: []generate.Job{
		{
			ID: "k3f92mq7abcd", State: generate.Running, Team: "acme", Member: "discord:1", Request: request, Created: at,
			Notes: map[string]string{"token": secretNote}, Place: generate.Place{Platform: "discord", Channel: "9"},
		},
		{ID: "m4f92mq7abcd", State: generate.Delivered, Team: "acme", Member: "slack:T1:U1", Request: request, Created: at},
	}}
}

// serve starts an API and returns a client of it.
func serve(t *testing.T, e *engine, backup func(context.Context, io.Writer) error, log io.Writer) (*admin.Client, string) {
	t.Helper()
	api := admin.New(token, ingress.New(slog.New(slog.DiscardHandler), nil), slog.New(slog.NewTextHandler(log, nil)))
	api.ServeJobs(e)
	if backup != nil {
		api.ServeBackup(backup)
	}
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	return admin.NewClient(server.URL+"/", token), server.URL
}

func TestTheAPIIsOpenToItsTokenOnly(t *testing.T) {
	for _, c := range []struct {
		name, token, header string
		want                int
	}{
		{"the token opens it", token, "Bearer " + token, 200},
		{"the scheme is not case-sensitive", token, "bearer " + token, 200},
		{"no header", token, "", 401},
		{"another token", token, "Bearer 0123456789abcdeF", 401},
		{"a part of the token", token, "Bearer 0123456789abcde", 401},
		{"another scheme", token, "Basic " + token, 401},
		{"an empty token never matches", token, "Bearer ", 401},
		{"without a token in the config there is no API", "", "Bearer ", 404},
		{"not even for a guess", "", "Bearer " + token, 404},
	} {
		t.Run(c.name, func(t *testing.T) {
			api := admin.New(c.token, ingress.New(slog.New(slog.DiscardHandler), nil), slog.New(slog.DiscardHandler))
			api.ServeJobs(newEngine(t))
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/admin/api/jobs", nil)
			if c.header != "" {
				r.Header.Set("Authorization", c.header)
			}
			r.AddCookie(&http.Cookie{Name: "token", Value: token}) // never looked at
			w := httptest.NewRecorder()
			api.ServeHTTP(w, r)
			if w.Code != c.want {
				t.Errorf("status = %d, want %d: %s", w.Code, c.want, w.Body)
			}
		})
	}
}

func TestListsAreWithoutPromptsAndNothingShowsTokens(t *testing.T) {
	_, base := serve(t, newEngine(t), nil, io.Discard)
	get := func(path string) string {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+admin.Path+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	list, one := get("jobs"), get("jobs/k3f92mq7abcd")
	if strings.Contains(list, "private fox") {
		t.Error("the list shows a prompt")
	}
	if !strings.Contains(one, "private fox") {
		t.Errorf("a single job shows no prompt: %s", one)
	}
	if strings.Contains(list+one, secretNote) {
		t.Error("a courier's note is shown")
	}
}

func TestTheClientSaysWhatTheBotSays(t *testing.T) {
	e := newEngine(t)
	client, _ := serve(t, e, nil, io.Discard)
	q := generate.Query{Team: "acme", Member: "discord:1", Unfinished: true, Limit: 7}
	jobs, err := client.Jobs(t.Context(), q)
	if err != nil || len(jobs) != 2 || jobs[0].ID != "k3f92mq7abcd" || jobs[0].Command != "" {
		t.Errorf("list = %v, %v", jobs, err)
	}
	if diff := cmp.Diff(q, e.query); diff != "" {
		t.Errorf("the engine is asked for something else (-want +got):\n%s", diff)
	}
	j, err := client.Job(t.Context(), "k3f92mq7abcd")
	if diff := cmp.Diff(admin.Details(e.jobs[0]), j); diff != "" || err != nil {
		t.Errorf("job, %v (-want +got):\n%s", err, diff)
	}
	lost := e.jobs[1]
	lost.ID, lost.State, lost.Output.URL = "x5f92mq7abcd", generate.Failed, "https://v3.fal.media/files/x.mp4"
	e.jobs = append(e.jobs, lost)
	if _, err := client.Deliver(t.Context(), lost.ID); err != nil || e.cancelled != "x5f92mq7abcd delivered by operator" {
		t.Errorf("delivered %q, %v", e.cancelled, err)
	}
	if _, err := client.Cancel(t.Context(), "k3f92mq7abcd"); err != nil || e.cancelled != "k3f92mq7abcd by operator" {
		t.Errorf("cancelled %q, %v", e.cancelled, err)
	}
}

func TestRefusalsNameWhatIsWrong(t *testing.T) {
	e := newEngine(t)
	var log bytes.Buffer
	client, base := serve(t, e, nil, &log)
	check := func(name string, err error, status int, text string) {
		t.Helper()
		var refused *admin.Error
		if !errors.As(err, &refused) || refused.Status != status || !strings.Contains(refused.Text, text) {
			t.Errorf("%s: %v, want %d %q", name, err, status, text)
		}
	}
	_, err := client.Job(t.Context(), "nosuchjob000")
	check("a job that is not there", err, 404, "there is no such job")
	_, err = client.Cancel(t.Context(), "m4f92mq7abcd")
	check("a job that is over", err, 409, "past cancelling")
	_, err = client.Deliver(t.Context(), "m4f92mq7abcd")
	check("a video that is posted", err, 409, "no video that could not be posted")
	_, err = client.Jobs(t.Context(), generate.Query{Limit: admin.MaxList + 1})
	check("too long a list", err, 400, "from 1 to 1000")
	err = client.Backup(t.Context(), io.Discard)
	check("a store that writes no copies", err, 404, "not")
	_, err = admin.NewClient(base, "0123456789abcdeX").Jobs(t.Context(), generate.Query{})
	check("a wrong token", err, 401, "http.admin_token")
	e.err = errors.New("open /var/lib/secret/ltx.db: no space left")
	_, err = client.Jobs(t.Context(), generate.Query{})
	check("a broken store", err, 500, "the log says why")
	if !strings.Contains(log.String(), "no space left") {
		t.Errorf("the log does not say why: %s", log.String())
	}
	if strings.Contains(log.String(), token) {
		t.Error("the log has the token")
	}
}

func TestNobodyThereIsToldApart(t *testing.T) {
	_, err := admin.NewClient("http://127.0.0.1:1", token).Jobs(t.Context(), generate.Query{})
	if !errors.Is(err, admin.ErrNotRunning) {
		t.Errorf("error = %v, want ErrNotRunning", err)
	}
}

func TestABackupIsWholeOrAnError(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789"), 20_000)
	broken := false
	client, _ := serve(t, newEngine(t), func(_ context.Context, w io.Writer) error {
		if broken {
			_, _ = w.Write(content[:50_000])
			return errors.New("the disk is gone")
		}
		_, err := w.Write(content)
		return err
	}, io.Discard)
	var got bytes.Buffer
	if err := client.Backup(t.Context(), &got); err != nil || !bytes.Equal(got.Bytes(), content) {
		t.Errorf("got %d bytes of %d, %v", got.Len(), len(content), err)
	}
	broken = true
	if err := client.Backup(t.Context(), io.Discard); err == nil {
		t.Error("a copy that broke off is taken for a whole one")
	}
}

func TestBodiesAreBounded(t *testing.T) {
	api := admin.New(token, ingress.New(slog.New(slog.DiscardHandler), nil), slog.New(slog.DiscardHandler))
	api.Handle("POST echo", func(r *http.Request) (any, error) {
		_, err := io.Copy(io.Discard, r.Body)
		return "fine", err
	})
	for size, want := range map[int]int{10: 200, 65 << 10: 413} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/admin/api/echo", strings.NewReader(strings.Repeat("x", size)))
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("a body of %d bytes gets %d, want %d", size, w.Code, want)
		}
	}
}

func TestBaseURLIsReachedFromTheSameMachine(t *testing.T) {
	for listen, want := range map[string]string{
		"127.0.0.1:8080": "http://127.0.0.1:8080",
		":8080":          "http://127.0.0.1:8080",
		"0.0.0.0:80":     "http://127.0.0.1:80",
		"[::]:8080":      "http://127.0.0.1:8080",
		"[::1]:8080":     "http://[::1]:8080",
		"bot.local:8080": "http://bot.local:8080",
	} {
		if got := admin.BaseURL(listen); got != want {
			t.Errorf("%s is reached at %s, want %s", listen, got, want)
		}
	}
}
