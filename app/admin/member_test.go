package admin_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"testing"

	"ltxbot/app/admin"
	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/internal/ingress"
)

// archive is an engine that lets go of jobs.
type archive struct{ *engine }

func (a archive) Jobs(_ context.Context, q generate.Query) ([]generate.Job, error) {
	var out []generate.Job
	for _, j := range a.jobs {
		if (q.Member == "" || j.Member == q.Member) && (q.Team == "" || j.Team == q.Team) {
			out = append(out, j)
		}
	}
	return out, a.err
}

func (a archive) Save(_ context.Context, j generate.Job, _ quota.Billing) (generate.Job, error) {
	for i := range a.jobs {
		if a.jobs[i].ID == j.ID {
			a.jobs[i] = j
		}
	}
	return j, nil
}

func (archive) Remove(context.Context, generate.Job) error { return nil }

func (archive) ForgetDefaults(context.Context, string, string) error { return nil }

func TestTheOperatorExportsAndErasesAMember(t *testing.T) {
	e := newEngine(t)
	e.jobs[1].Event, e.jobs[1].Shown = "slack:1", generate.Delivered
	api := admin.New(token, ingress.New(slog.New(slog.DiscardHandler), nil), slog.New(slog.DiscardHandler))
	var told []string
	api.ServeMembers(archive{e}, false, func(member string) { told = append(told, member) })
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	client := admin.NewClient(server.URL, token)

	const member = "slack:T1:U1"
	data, err := client.Member(t.Context(), "acme", member)
	if err != nil || data.Member != member || len(data.Jobs) != 1 || data.Jobs[0].Command == "" {
		t.Errorf("export: %+v, %v", data, err)
	}
	if data, err := client.Member(t.Context(), "globex", member); err != nil || len(data.Jobs) != 0 {
		t.Errorf("export of another team: %+v, %v", data, err)
	}
	if done, err := client.EraseMember(t.Context(), "", member); err != nil || done != (generate.Erased{Jobs: 1}) {
		t.Errorf("erase: %+v, %v", done, err)
	}
	if !e.jobs[1].Request.IsZero() || e.jobs[0].Request.IsZero() {
		t.Error("the wrong jobs were erased")
	}
	if len(told) != 1 || told[0] != member {
		t.Errorf("told of %q", told)
	}
	if done, err := client.EraseMember(t.Context(), "", "discord:1"); err != nil || done != (generate.Erased{Left: 1}) {
		t.Errorf("erase who has a job under way: %+v, %v", done, err)
	}
}
