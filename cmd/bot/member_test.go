package main

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ltxbot/app/admin"
	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/internal/ingress"
)

// deliver ends the shelf's job.
func (s *shelf) deliver(t *testing.T) {
	t.Helper()
	j := s.job
	j.State, j.Shown, j.Finished = generate.Delivered, generate.Delivered, j.Created.Add(time.Minute)
	var err error
	if s.job, err = s.store.Save(t.Context(), j, quota.Settle(j.Estimate)); err != nil {
		t.Fatal(err)
	}
}

func TestAMembersDataIsExportedAndErasedWhileNoBotRuns(t *testing.T) {
	s := newShelf(t)
	s.deliver(t)
	if err := s.store.Close(); err != nil {
		t.Fatal(err)
	}
	s.want(t, 2, "--member", "jobs", "export")
	s.want(t, 0, "a private fox", "jobs", "export", "--member", "discord:1")
	s.want(t, 0, `"jobs": []`, "jobs", "export", "--member", "discord:2")
	s.want(t, 1, `no team is called "other"`, "jobs", "erase", "--member", "discord:1", "--team", "other")
	for _, order := range [][]string{{"jobs", "export"}, {"jobs", "erase"}, {"jobs", "list"}} {
		for _, member := range []string{"bogus", "@ann", "discord:", "slack:U1", ""} {
			s.want(t, 2, "is not a member", append(order, "--member", member)...)
		}
	}
	s.want(t, 0, "erased 1 jobs of discord:1; 0 are under way", "jobs", "erase", "--member", "discord:1")
	s.want(t, 0, "erased 0 jobs", "jobs", "erase", "--member", "discord:1")
	s.want(t, 0, `"charged_usd_micros": 0`, "jobs", "export", "--member", "discord:1")
	s.open(t)
	j, err := s.store.Job(t.Context(), s.job.ID)
	if err != nil || !j.Request.IsZero() {
		t.Errorf("after erasing: %+v, %v", j, err)
	}
}

func TestErasingIsAskedAboutOnATerminal(t *testing.T) {
	s := newShelf(t)
	s.deliver(t)
	if err := s.store.Close(); err != nil {
		t.Fatal(err)
	}
	const question = "1 jobs of discord:1 in all teams? It can't be taken back. [y/N]"
	for _, step := range []struct {
		typed string
		args  []string
		code  int
		says  string
	}{
		{"", nil, 1, question},
		{"\n", nil, 1, "nothing was erased"},
		{"no\n", nil, 1, "nothing was erased"},
		{"", []string{"--team", "other"}, 1, `no team is called "other"`},
		{"Yes\n", nil, 0, question + " erased 1 jobs"},
		{"", []string{"--yes"}, 0, "erased 0 jobs"},
	} {
		var out bytes.Buffer
		args := append([]string{"jobs", "erase", "--config", s.config, "--member", "discord:1"}, step.args...)
		code := run(args, terminal{in: strings.NewReader(step.typed), out: &out, err: &out, person: true})
		if code != step.code || !strings.Contains(out.String(), step.says) {
			t.Errorf("%q, %v ends with %d: %s; want %d and %q", step.typed, step.args, code, out.String(), step.code, step.says)
		}
	}
}

func TestARunningBotErasesAMember(t *testing.T) {
	s := newShelf(t) // its file stays open, as a running bot has it
	s.deliver(t)
	const token = "correct-horse-battery"
	api := admin.New(token, ingress.New(slog.New(slog.DiscardHandler), nil), slog.New(slog.DiscardHandler))
	api.KnowTeams(s.store.Teams)
	api.ServeMembers(s.store, false, func(string) {})
	server := httptest.NewServer(api)
	defer server.Close()
	s.configure(t, "listen = \""+server.Listener.Addr().String()+"\"\nadmin_token = \""+token+"\"\n")
	s.want(t, 0, "a private fox", "jobs", "export", "--member", "discord:1")
	s.want(t, 1, "did you mean acme?", "jobs", "export", "--member", "discord:1", "--team", "acmee")
	s.want(t, 1, "did you mean acme?", "jobs", "erase", "--member", "discord:1", "--team", "acmee")
	s.want(t, 0, "erased 1 jobs of discord:1", "jobs", "erase", "--member", "discord:1")

	_, err := admin.NewClient(server.URL, token).EraseMember(t.Context(), "", "@ann")
	var refused *admin.Error
	if !errors.As(err, &refused) || refused.Status != http.StatusBadRequest || !strings.Contains(refused.Text, "is not a member") {
		t.Errorf("erase somebody who is no member by the API: %v", err)
	}
}

// The accounts of ann were linked when she asked for it on Slack.
func TestWhatALinkedAccountAskedForIsFoundByItsName(t *testing.T) {
	s := newShelf(t)
	s.job.Place.Member = "slack:T1:U1"
	s.deliver(t)
	if err := s.store.Close(); err != nil {
		t.Fatal(err)
	}
	s.want(t, 0, "a private fox", "jobs", "export", "--member", "slack:T1:U1")
	s.want(t, 0, "erased 1 jobs of slack:T1:U1", "jobs", "erase", "--member", "slack:T1:U1")
	s.want(t, 0, `"jobs": []`, "jobs", "export", "--member", "slack:T1:U1")
}
