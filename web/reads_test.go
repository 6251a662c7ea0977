package web_test

import (
	"context"
	"fmt"
	"html"
	"iter"
	"log/slog"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota/quotatest"
	"ltxbot/store"
	"ltxbot/store/kv"
	"ltxbot/store/kv/mem"
)

// counting counts the views, and the keys that they read.
type counting struct {
	kv.Engine
	views, reads atomic.Int64
}

func (e *counting) View(ctx context.Context, fn func(kv.Tx) error) error {
	e.views.Add(1)
	return e.Engine.View(ctx, func(tx kv.Tx) error { return fn(countingTx{tx, e}) })
}

type countingTx struct {
	kv.Tx
	engine *counting
}

func (t countingTx) Get(key string) []byte {
	t.engine.reads.Add(1)
	return t.Tx.Get(key)
}

func (t countingTx) Scan(prefix, from string) iter.Seq2[string, []byte] {
	return t.each(t.Tx.Scan(prefix, from))
}

func (t countingTx) ScanReverse(prefix, before string) iter.Seq2[string, []byte] {
	return t.each(t.Tx.ScanReverse(prefix, before))
}

func (t countingTx) each(found iter.Seq2[string, []byte]) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for k, v := range found {
			t.engine.reads.Add(1)
			if !yield(k, v) {
				return
			}
		}
	}
}

// TestNoPageReadsMoreThanItShows however many jobs there are: a job that is listed is
// two reads, its place in the index and its record. What no index finds is looked for
// among 500 jobs.
func TestNoPageReadsMoreThanItShows(t *testing.T) {
	t.Parallel()
	const (
		jobs   = 1300
		others = 60 // sessions, teams, limits, sums of 30 days
		days   = 11 // of the month until now
		people = 12 // who have made something on each, of 60
		list   = 2*51 + others
		more   = list + 2*100 // a few of a list are left out
		search = 2*(51+500) + others
	)
	clock := quotatest.NewClock(noon)
	e := &counting{Engine: mem.New(clock.Now).Open()}
	s := store.New(e, store.Options{Logger: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() { _ = s.Close() })
	// Half are one member's, half have failed, none of these are of globex.
	fill(t, s, jobs, func(i int) ended {
		at := ended{"acme", fmt.Sprintf("discord:%d", i%60), noon.Add(time.Duration(i-jobs) * 30 * time.Minute), i%4 > 1 && i%10 > 0}
		if i%2 == 0 {
			at.member = "discord:7"
		}
		if i%10 == 0 {
			at.team = "globex"
		}
		return at
	})
	w := newWorldOn(t, clock, s)
	session := w.signedIn("operator")
	for path, most := range map[string]int64{
		"/admin/":                                                 2*100 + 2*30 + others, // of two teams
		"/admin/?team=acme":                                       2*100 + others,
		"/admin/jobs":                                             list,
		"/admin/jobs?team=acme":                                   list,
		"/admin/jobs?team=acme&state=failed":                      more,
		"/admin/jobs?team=globex&state=failed":                    search,
		"/admin/jobs?state=cancelled":                             list,
		"/admin/jobs?team=acme&state=running":                     list,
		"/admin/jobs?team=acme&member=discord:7":                  more,
		"/admin/jobs?team=acme&member=discord:7&state=failed":     search,
		"/admin/jobs?team=acme&member=discord:7&state=unfinished": list,
		"/admin/jobs?team=acme&model=other":                       search,
		"/admin/jobs?model=other":                                 search,
		"/admin/jobs?model=acme/other":                            list,
		"/admin/jobs?team=acme&q=cowboy":                          list,
		"/admin/jobs?team=acme&q=whale":                           search,
		"/admin/gallery?team=acme":                                more,
		"/admin/gallery?team=acme&channel=C2":                     search,
		"/admin/gallery":                                          list,
		"/admin/members?team=acme":                                days*(people+1) + 10,
		"/admin/members/discord:7?team=acme":                      3*11 + 31 + others, // a few of its jobs are of another team; the days of the month
		"/admin/team?team=acme":                                   days*(people+1) + 10,
		"/admin/team":                                             2*31 + 10,
		"/admin/tiers?team=acme":                                  others,
		"/admin/log?team=acme":                                    others,
		"/admin/library?team=acme":                                others,
	} {
		e.reads.Store(0)
		if size := len(session.page(path)); size > 80_000 { // with stylesheet and script, 100 kB
			t.Errorf("%s has %d bytes", path, size)
		}
		if n := e.reads.Load(); n > most {
			t.Errorf("%s reads %d keys, want %d at most", path, n, most)
		}
	}
}

// TestAListIsReadInFewTransactions, also when the jobs that are wanted are few among
// others of the same member.
func TestAListIsReadInFewTransactions(t *testing.T) {
	t.Parallel()
	const others, own = 320, 24
	clock := quotatest.NewClock(noon)
	e := &counting{Engine: mem.New(clock.Now).Open()}
	s := store.New(e, store.Options{Logger: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() { _ = s.Close() })
	fill(t, s, others+own, func(i int) ended {
		at := ended{"acme", "discord:7", noon.Add(time.Duration(i-others-own) * time.Minute), false}
		if i >= own {
			at.team = "globex"
		}
		return at
	})
	for _, limit := range []int{1, own, own + 1} {
		e.views.Store(0)
		found, err := s.Jobs(t.Context(), generate.Query{Team: "acme", Member: "discord:7", Limit: limit})
		if err != nil || len(found) != min(limit, own) {
			t.Fatalf("found %d of %d, error %v", len(found), min(limit, own), err)
		}
		if n := e.views.Load(); n > (others+own)/32+3 {
			t.Errorf("%d jobs are read in %d transactions", limit, n)
		}
	}
}

// TestNoTakeOfABatchIsLeftOut where a page ends between two of them: they were asked
// for at the same moment.
func TestNoTakeOfABatchIsLeftOut(t *testing.T) {
	t.Parallel()
	const jobs = 400
	clock := quotatest.NewClock(noon)
	s := store.New(mem.New(clock.Now).Open(), store.Options{Logger: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() { _ = s.Close() })
	failed := func(i int) bool { return i%7 == 3 || i%11 == 5 }
	fill(t, s, jobs, func(i int) ended {
		return ended{"acme", "discord:7", noon.Add(time.Duration(i/4-jobs) * time.Minute), failed(i)}
	})
	session := newWorldOn(t, clock, s).signedIn("operator")
	next := regexp.MustCompile(`href="([^"]+)" rel="next"`)
	for _, path := range []string{"/admin/gallery?team=acme", "/admin/jobs?team=acme&state=delivered", "/admin/jobs?state=delivered", "/admin/csv/jobs?team=acme&state=delivered"} {
		var read strings.Builder
		for at, pages := path, 0; at != "" && pages < jobs; pages++ {
			page := session.page(at)
			read.WriteString(page)
			at = ""
			if m := next.FindStringSubmatch(page); m != nil {
				at = html.UnescapeString(m[1])
			}
		}
		for i := range jobs {
			if id := fmt.Sprintf("j%011d", i); strings.Contains(read.String(), id) == failed(i) {
				t.Errorf("%s: job %s, which failed: %t", path, id, failed(i))
			}
		}
	}
}
