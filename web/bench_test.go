package web_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/core/quota/quotatest"
	"ltxbot/core/usd"
	"ltxbot/internal/redistest"
	"ltxbot/store"
	"ltxbot/store/kv/mem"
	"ltxbot/store/storetest"
)

// ended is a job that was asked for and is over.
type ended struct {
	team, member string
	at           time.Time
	failed       bool
}

// ofLongUse are jobs of two teams and a hundred members, a minute apart and the newest
// first of all, until now.
func ofLongUse(now time.Time, jobs int) func(i int) ended {
	return func(i int) ended {
		e := ended{"acme", fmt.Sprintf("discord:%d", i%100), now.Add(time.Duration(i-jobs) * time.Minute), i%20 == 3}
		if i%10 == 0 {
			e.team = "globex"
		}
		return e
	}
}

// fill adds jobs, the oldest first.
func fill(b testing.TB, s *store.Store, jobs int, of func(i int) ended) {
	b.Helper()
	r, err := ltx.Rules{}.Parse([]ltx.Setting{{Key: "prompt", Value: "a cowboy walks through a dusty town"}})
	if err != nil {
		b.Fatal(err)
	}
	const chunk = 20 // a transaction reads so many keys
	for first := 0; first < jobs; first += chunk {
		var batch []generate.Asked
		for i := first; i < min(jobs, first+chunk); i++ {
			e := of(i)
			j := generate.Job{
				ID: fmt.Sprintf("j%011d", i), State: generate.Accepted, Team: e.team, Member: e.member, Event: strconv.Itoa(i), Request: r,
				Endpoint: r.Endpoint(), Estimate: usd.Dollar, Created: e.at, Place: generate.Place{Platform: "discord", Tenant: "G1", Channel: "C1"},
			}
			batch = append(batch, generate.Asked{Job: j, Plan: quota.Policy{Waiting: 1 << 30}.Plan(j.ID, quota.Asker{Team: e.team, Member: e.member}, usd.Dollar, e.at)})
		}
		accepted, err := s.AcceptAll(b.Context(), batch)
		if err != nil {
			b.Fatal(err)
		}
		for i, j := range accepted {
			j.State, j.Finished, j.Charged = generate.Delivered, j.Created.Add(time.Minute), usd.Dollar/2
			j.Output.URL, j.Fetched = "https://v3.fal.media/files/"+j.ID+".mp4", j.Finished
			billing := quota.Settle(usd.Dollar / 2)
			if of(first + i).failed {
				j.State, j.Charged, billing = generate.Failed, 0, quota.Release()
			}
			j.Shown = j.State
			if _, err := s.Save(b.Context(), j, billing); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkLists measures the console's pages with 100,000 jobs in the store: each is
// to take 50 ms at most on an idle machine. Beside the mean it tells the median, and the
// processor's time, of which other programs take none.
func BenchmarkLists(b *testing.B) {
	const jobs = 100_000
	clock := quotatest.NewClock(time.Now())
	full := store.New(mem.New(clock.Now).Open(), store.Options{Logger: slog.New(slog.DiscardHandler)})
	b.Cleanup(func() { _ = full.Close() })
	fill(b, full, jobs, ofLongUse(clock.Now(), jobs))
	for name, open := range map[string]func() *store.Store{
		"bolt": func() *store.Store {
			return storetest.File(b, filepath.Join(b.TempDir(), "ltx.db"), storetest.Options{Now: clock.Now})
		},
		"redis": func() *store.Store { return storetest.Redis(b, redistest.Start(b).URL()) },
	} {
		s := open()
		if _, err := store.Copy(b.Context(), full, s); err != nil {
			b.Fatal(err)
		}
		w := newWorldOn(b, clock, s)
		session := w.signedIn("operator")
		for _, path := range []string{
			"/admin/?team=acme", "/admin/", "/admin/jobs", "/admin/jobs?team=acme", "/admin/jobs?team=acme&state=failed", "/admin/jobs?team=globex&state=failed", "/admin/jobs?team=acme&member=discord:7",
			"/admin/jobs?team=acme&q=cowboy", "/admin/jobs?team=acme&q=whale", "/admin/gallery?team=acme", "/admin/members?team=acme", "/admin/members/discord:7?team=acme",
			"/admin/team?team=acme", "/admin/team", "/admin/log?team=acme",
		} {
			b.Run(name+path, func(b *testing.B) {
				var took []time.Duration
				before := processorTime(b)
				for b.Loop() {
					from := time.Now()
					if rec := session.get(path); rec.Code != http.StatusOK {
						b.Fatalf("%d %s", rec.Code, rec.Body)
					}
					took = append(took, time.Since(from))
				}
				slices.Sort(took)
				b.ReportMetric(took[len(took)/2].Seconds()*1000, "median-ms")
				b.ReportMetric(float64((processorTime(b)-before).Milliseconds())/float64(b.N), "cpu-ms/op")
			})
		}
	}
}

// BenchmarkOpenPages measures what 50 open pages cost while nothing happens: less
// than 5 % of a core.
func BenchmarkOpenPages(b *testing.B) {
	const jobs, pages, measured = 1000, 50, 10 * time.Second
	clock := quotatest.NewClock(time.Now())
	s := storetest.File(b, filepath.Join(b.TempDir(), "ltx.db"), storetest.Options{Now: clock.Now})
	b.Cleanup(func() { _ = s.Close() })
	fill(b, s, jobs, ofLongUse(clock.Now(), jobs))
	w := newWorldOn(b, clock, s)
	w.policy = quota.Policy{}
	for i := range 20 {
		w.made(fmt.Sprintf("jab%09d", i), "acme", bob, "a fox", generate.Running)
	}
	server, sessions := w.served(b), []*browser{w.signedIn("operator"), w.signedIn("9"), w.signedIn("2")}
	for i := range pages {
		path := []string{"/admin/", "/admin/?team=acme", "/admin/jobs/jab000000000?team=acme"}[i%len(sessions)]
		sessions[i%len(sessions)].live(b, server, path).next()
	}
	for b.Loop() {
		<-time.NewTimer(4 * time.Second).C // the first looks are over
		before := processorTime(b)
		<-time.NewTimer(measured).C
		b.ReportMetric(100*(processorTime(b)-before).Seconds()/measured.Seconds(), "%core")
	}
}

// processorTime is what this process has used.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
