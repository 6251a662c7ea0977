package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ltxbot/app/admin"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/core/usd"
	"ltxbot/internal/ingress"
	"ltxbot/store"
	"ltxbot/store/storetest"
)

// shelf is a store with one job, and the config that names it.
type shelf struct {
	store  *store.Store
	file   string
	config string
	job    generate.Job
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	s := &shelf{file: filepath.Join(t.TempDir(), "ltx.db")}
	s.open(t)
	request, err := ltx.Rules{}.Parse([]ltx.Setting{{Key: "prompt", Value: "a private fox \u202eand more"}, {Key: "seed", Value: "7"}})
	if err != nil {
		t.Fatal(err)
	}
	s.job = generate.Job{
		ID: "k3f92mq7abcd", State: generate.Accepted, Event: "discord:1", Team: "acme", Member: "discord:1",
		Place: generate.Place{Platform: "discord", Channel: "9"}, Request: request, Estimate: 130_000,
		Created: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
	}
	plan := quota.Policy{Zone: time.UTC}.Plan(s.job.ID, quota.Asker{Team: "acme", Member: "discord:1"}, s.job.Estimate, s.job.Created)
	if s.job, err = s.store.Accept(t.Context(), s.job, plan); err != nil {
		t.Fatal(err)
	}
	s.configure(t, "")
	return s
}

func (s *shelf) open(t *testing.T) {
	t.Helper()
	var err error
	if s.store, err = storetest.OpenFile(s.file, storetest.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.store.Close() })
}

// configure writes a config with these lines below [http].
func (s *shelf) configure(t *testing.T, http string) {
	t.Helper()
	s.config = filepath.Join(filepath.Dir(s.file), "ltx.toml")
	text := "[store]\nurl = \"bolt:" + s.file + "\"\n[http]\n" + http
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Cancel makes the store the engine of an admin API.
func (s *shelf) Cancel(ctx context.Context, id, _ string) (generate.Job, error) {
	return s.store.Job(ctx, id)
}

func (s *shelf) GiveUp(_ context.Context, id, _ string) (generate.Job, error) {
	if id != s.job.ID {
		return generate.Job{}, generate.ErrNoJob
	}
	j := s.job
	j.State, j.Charged, j.Finished = generate.Failed, 130_000, time.Now()
	return j, nil
}

func (s *shelf) Redeliver(ctx context.Context, id, _ string) (generate.Job, error) {
	j, err := s.store.Job(ctx, id)
	j.State = generate.Delivering
	return j, err
}

func (s *shelf) Job(ctx context.Context, id string) (generate.Job, error) {
	return s.store.Job(ctx, id)
}

func (s *shelf) Jobs(ctx context.Context, q generate.Query) ([]generate.Job, error) {
	return s.store.Jobs(ctx, q)
}

// bot runs a command line with the config.
func (s *shelf) bot(t *testing.T, args ...string) (code int, out, problems string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(append(args, "--config", s.config), terminal{in: strings.NewReader(""), out: &o, err: &e})
	return code, o.String(), e.String()
}

func (s *shelf) want(t *testing.T, wantCode int, wantText string, args ...string) {
	t.Helper()
	code, out, problems := s.bot(t, args...)
	if code != wantCode || !strings.Contains(out+problems, wantText) {
		t.Errorf("bot %s ends with %d:\n%s%s\nwant %d and %q", strings.Join(args, " "), code, out, problems, wantCode, wantText)
	}
}

func TestJobsAreReadFromTheStoreWhileNoBotRuns(t *testing.T) {
	s := newShelf(t)
	if err := s.store.Close(); err != nil {
		t.Fatal(err)
	}
	s.want(t, 0, "k3f92mq7abcd  accepted", "jobs", "list")
	s.want(t, 0, "≈ $0.13\n", "jobs", "list")
	s.want(t, 0, "k3f92mq7abcd", "jobs", "list", "--unfinished", "--team", "acme", "--json")
	s.want(t, 0, `"jobs": []`, "jobs", "list", "--member", "discord:2", "--json")
	s.want(t, 1, `no team is called "other"; there is acme`, "jobs", "list", "--team", "other", "--json")
	s.want(t, 2, "--limit must be from 1 to 1000", "jobs", "list", "--limit", "0")
	s.want(t, 1, "no such job", "jobs", "show", "nosuchjob000")
	s.want(t, 2, "http.admin_token", "jobs", "cancel", "k3f92mq7abcd")
	s.want(t, 2, "http.admin_token", "jobs", "give-up", "k3f92mq7abcd")
	_, out, _ := s.bot(t, "jobs", "show", "k3f92mq7abcd")
	if strings.Contains(out, "\u202e") || !strings.Contains(out, `fox \u202eand more`) {
		t.Errorf("text that is turned round is not shown as what it is: %s", out)
	}
	var shown admin.Job
	if err := json.Unmarshal([]byte(out), &shown); err != nil || !strings.Contains(shown.Command, "a private fox") || shown.Estimate != 0.13 {
		t.Errorf("shown is %+v, %v", shown, err)
	}
	if code, list, _ := s.bot(t, "jobs", "list"); code != 0 || strings.Contains(list, "private fox") {
		t.Errorf("the list shows a prompt:\n%s", list)
	}
}

func TestAListOfJobsShowsWhatTheyCostInTheEnd(t *testing.T) {
	s := newShelf(t)
	for _, tt := range []struct {
		state   generate.State
		charged usd.Micros
		want    string
	}{
		{generate.Fetched, 140_000, "$0.14\n"},
		{generate.Delivered, 140_000, "$0.14\n"},
		{generate.Failed, 0, "$0.00\n"},
	} {
		s.job.State, s.job.Charged = tt.state, tt.charged
		if tt.state.Terminal() {
			s.job.Finished = s.job.Created.Add(time.Minute)
		}
		var err error
		if s.job, err = s.store.Save(t.Context(), s.job, quota.Keep()); err != nil {
			t.Fatal(err)
		}
		if err := s.store.Close(); err != nil {
			t.Fatal(err)
		}
		_, out, problems := s.bot(t, "jobs", "list")
		if !strings.HasSuffix(out, tt.want) || strings.Contains(out, "≈") {
			t.Errorf("a job that is %s: %s%s", tt.state, out, problems)
		}
		s.open(t)
	}
}

func TestARunningBotIsAskedByItsAPI(t *testing.T) {
	t.Parallel()
	s := newShelf(t) // its file stays open, as a running bot has it
	s.want(t, 1, "another process is using this file", "jobs", "list")
	s.want(t, 1, "set http.admin_token", "jobs", "list")
	const token = "correct-horse-battery"
	api := admin.New(token, ingress.New(slog.New(slog.DiscardHandler), nil), slog.New(slog.DiscardHandler))
	api.KnowTeams(s.store.Teams)
	api.ServeJobs(s)
	api.ServeBackup(s.store.Backup)
	server := httptest.NewServer(api)
	defer server.Close()
	s.configure(t, "listen = \""+server.Listener.Addr().String()+"\"\nadmin_token = \""+token+"\"\n")
	s.want(t, 0, "k3f92mq7abcd", "jobs", "list")
	s.want(t, 1, `no team is called "acne"; did you mean acme?`, "jobs", "list", "--team", "acne")
	s.want(t, 0, "a private fox", "jobs", "show", "k3f92mq7abcd")
	s.want(t, 0, "k3f92mq7abcd is accepted and will be stopped", "jobs", "cancel", "k3f92mq7abcd")
	s.want(t, 1, "there is no such job", "jobs", "cancel", "nosuchjob000")
	s.want(t, 0, "k3f92mq7abcd is failed, charged $0.13", "jobs", "give-up", "k3f92mq7abcd")
	s.want(t, 1, "there is no such job", "jobs", "give-up", "nosuchjob000")
	s.want(t, 0, "k3f92mq7abcd is delivering", "jobs", "deliver", "k3f92mq7abcd")
	s.want(t, 1, "there is no such job", "jobs", "deliver", "nosuchjob000")
	s.want(t, 1, "the bot does not run", "jobs", "list", "--url", "http://127.0.0.1:1")
	s.configure(t, "listen = \""+server.Listener.Addr().String()+"\"\nadmin_token = \"another-horse-battery\"\n")
	s.want(t, 1, "the admin token is missing or wrong", "jobs", "list")
	s.configure(t, "listen = \"127.0.0.1:1\"\nadmin_token = \""+token+"\"\n") // nobody listens there, whatever runs beside this
	s.want(t, 1, "another process is using this file", "jobs", "list")        // a bot that does not answer
}

func TestABackupIsAStore(t *testing.T) {
	s := newShelf(t)
	if err := s.store.Close(); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "backup.db")
	s.want(t, 0, "backup.db: ", "jobs", "backup", to)
	s.want(t, 2, "exists; name another file", "jobs", "backup", to)
	info, err := os.Stat(to)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the backup is %v, %v; want it for its owner only", info, err)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(to), ".ltxbot-backup-*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
	restored := &shelf{file: to}
	restored.configure(t, "")
	restored.want(t, 0, "k3f92mq7abcd  accepted", "jobs", "list")
}

func TestTheTakesOfABatchAreNamedWhereJobsAreListed(t *testing.T) {
	s := newShelf(t)
	lead, second := s.job, s.job
	lead.ID, lead.Event = "aaaaaaaaaaaa", "discord:2"
	lead.Batch = generate.Batch{ID: lead.ID, Index: 1, Size: 2}
	second.ID, second.Event = lead.TakeIDs()[1], "second"
	second.Batch = generate.Batch{ID: lead.ID, Index: 2, Size: 2}
	var asked []generate.Asked
	for _, j := range []generate.Job{lead, second} {
		j.Version = 0
		asked = append(asked, generate.Asked{Job: j, Plan: quota.Policy{Zone: time.UTC}.Plan(j.ID, quota.Asker{Team: j.Team, Member: j.Member}, j.Estimate, j.Created)})
	}
	if _, err := s.store.AcceptAll(t.Context(), asked); err != nil {
		t.Fatal(err)
	}
	if err := s.store.Close(); err != nil {
		t.Fatal(err)
	}
	s.want(t, 0, "  take 1 of 2\n", "jobs", "list")
	s.want(t, 0, "  take 2 of 2, with job "+lead.ID+"\n", "jobs", "list")
	s.want(t, 0, "≈ $0.13\n", "jobs", "list") // of a video by itself nothing is said
	_, out, _ := s.bot(t, "jobs", "show", second.ID)
	var shown admin.Job
	if err := json.Unmarshal([]byte(out), &shown); err != nil || shown.Batch == nil || *shown.Batch != (admin.Batch{Lead: lead.ID, Take: 2, Size: 2}) {
		t.Errorf("shown is %s, %v", out, err)
	}
}
