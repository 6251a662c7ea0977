package generate_test

import (
	"errors"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/core/team"
)

// A quote says what Accept would do, whatever the limit is.
func TestAQuoteIsWhatAcceptDoes(t *testing.T) {
	day := quota.Window((24 * time.Hour).String())
	grant := quota.Grant{ID: "g1", Videos: 3, By: "discord:boss"}
	for _, tt := range []struct {
		name    string
		window  quota.Window
		grants  []quota.Grant
		refused bool
	}{
		{"a calendar window that is used up", quota.Day, nil, true},
		{"a rolling window that is used up", day, nil, true},
		{"a grant that covers it", quota.Day, []quota.Grant{grant}, false},
		{"a grant that has expired", quota.Day, []quota.Grant{{ID: "g2", Videos: 1, Expires: time.Unix(1, 0)}}, true},
	} {
		t.Run(tt.name, virtual(func(t *testing.T) {
			w := newWorld(t)
			w.policy.Member = quota.Limits{Windows: []quota.WindowLimit{{Window: tt.window, Videos: 1}}}
			p := w.run()
			first := ask(t, 1)
			quote, err := p.engine.Quote(t.Context(), first)
			if err != nil || quote.Estimate == 0 || len(quote.Gauges) != 1 || quote.Gauges[0].Used != 1 {
				t.Fatalf("the first: %+v, %v", quote, err)
			}
			p.mustSubmit(t, first)
			for _, g := range tt.grants {
				g.Scope = quota.Scope{Kind: quota.Member, ID: first.Asker.Member}
				err := p.store.Amend(t.Context(), first.Asker.Team, first.Asker.Member, func(s *quota.AdminState) (team.Record, error) {
					s.Member.Grants = append(s.Member.Grants, g)
					return team.Record{ID: g.ID, At: time.Now(), Team: first.Asker.Team, Verb: "grant"}, nil
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			second := ask(t, 2)
			quote, err = p.engine.Quote(t.Context(), second)
			_, acceptErr := p.submit(t.Context(), second)
			var quoted, accepted *quota.LimitError
			if errors.As(err, &quoted) != tt.refused || errors.As(acceptErr, &accepted) != tt.refused {
				t.Fatalf("quoted %v, accepted %v", err, acceptErr)
			}
			if tt.refused && (quoted.Reason != accepted.Reason || quoted.Gauge.Used != accepted.Gauge.Used) {
				t.Errorf("quoted %+v, accepted %+v", quoted, accepted)
			}
			if !tt.refused && (quote.Gauges[0].Used != 1 || quote.Gauges[0].Extra != 2) {
				t.Errorf("what a grant covers counts against the limit: %+v", quote.Gauges)
			}
			usage, err := p.engine.Usage(t.Context(), second.Asker)
			if err != nil || usage[0].Used != 1 || (usage[0].Extra == 2) == tt.refused {
				t.Errorf("what is used and left: %+v, %v", usage, err)
			}
			elapse(2 * time.Minute)
			want := generate.Delivered
			if tt.refused {
				want = generate.Failed
			}
			if j, err := p.engine.Job(t.Context(), generate.NewID(second.Event)); err != nil || j.State != want {
				t.Errorf("the second job is %s, %v, want it %s", j.State, err, want)
			}
		}))
	}
}
