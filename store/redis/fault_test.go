package redis_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/core/usd"
	"ltxbot/internal/flaky"
	"ltxbot/internal/redistest"
	"ltxbot/store/redis"
)

func TestSumsAreExactWhenEveryFourthReplyIsLost(t *testing.T) {
	server := redistest.Start(t)
	proxy := flaky.New(t, server.Addr())
	s := open(t, "redis://"+proxy.Addr(), redis.Options{})
	defer s.Close()
	const jobs, paid = 200, 70_000
	policy := quota.Policy{
		Bot: quota.Limits{Windows: []quota.WindowLimit{{Window: quota.Month, USD: jobs * cost}}},
	}
	proxy.LoseEvery(4) // a connection takes three until its first command is answered
	var all sync.WaitGroup
	for i := range jobs {
		all.Go(func() {
			j := newJob(fmt.Sprintf("job%d", i), fmt.Sprintf("discord:%d", i%7))
			j.Team = fmt.Sprintf("team%d", i%5)
			if i%2 == 0 {
				policy := quota.Policy{} // without passing the turnstile
				if err := persist(t, func() error { _, err := s.Reserve(t.Context(), key(j), plan(j, policy)); return err }); err != nil {
					t.Errorf("reserve %s: %v", j.ID, err)
				}
			} else if err := persist(t, func() error { _, err := s.Reserve(t.Context(), key(j), plan(j, policy)); return err }); err != nil {
				t.Errorf("reserve %s under the bot's limit: %v", j.ID, err)
			}
			if err := persist(t, func() error { _, err := s.Bill(t.Context(), j.ID, quota.Settle(paid), time.Now()); return err }); err != nil {
				t.Errorf("settle %s: %v", j.ID, err)
			}
		})
	}
	all.Wait()
	proxy.LoseEvery(0)
	wantTotals(t, s, quota.Totals{Holds: jobs, Reserved: jobs * cost, Settled: jobs * cost, Charged: jobs * paid})
}

func TestAReplyThatIsLostDoesNotChangeTheAnswer(t *testing.T) {
	proxy := flaky.New(t, redistest.Start(t).Addr())
	s := open(t, "redis://"+proxy.Addr(), redis.Options{})
	defer s.Close()
	j := newJob("job1", "discord:1")
	s.Accept(t.Context(), newJob("warm", "discord:1"), plan(j, quota.Policy{})) // what admins decided is known now

	proxy.LoseReplyTo("job1")
	accepted, err := s.Accept(t.Context(), j, plan(j, quota.Policy{}))
	if err != nil || accepted.Version != 1 || !accepted.Admitted {
		t.Fatalf("accept: got version %d, %v; want the first", accepted.Version, err)
	}
	proxy.LoseReplyTo("job1")
	accepted.State = generate.Submitting
	saved, err := s.Save(t.Context(), accepted, quota.Keep())
	if err != nil || saved.Version != 2 {
		t.Fatalf("save: got version %d, %v; want the second", saved.Version, err)
	}
	if _, err := s.Save(t.Context(), accepted, quota.Keep()); !errors.Is(err, generate.ErrConflict) {
		t.Errorf("save by another call: got error %v, want ErrConflict", err)
	}
	if _, err := s.Accept(t.Context(), j, plan(j, quota.Policy{})); !errors.Is(err, generate.ErrExists) {
		t.Errorf("accept by another call: got error %v, want ErrExists", err)
	}
}

func TestCallsEndWhenRedisIsAway(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.URL(), redis.Options{Timeout: 200 * time.Millisecond})
	defer s.Close()
	accept(t, s, 1)
	calls := map[string]func(context.Context) error{
		"accept": func(ctx context.Context) error {
			j := newJob("other", "discord:1")
			_, err := s.Accept(ctx, j, plan(j, quota.Policy{}))
			return err
		},
		"accept under the bot's limit": func(ctx context.Context) error {
			j := newJob("capped", "discord:1")
			_, err := s.Accept(ctx, j, plan(j, quota.Policy{Bot: quota.Limits{JobsAtATime: 1}}))
			return err
		},
		"save": func(ctx context.Context) error {
			_, err := s.Save(ctx, newJob("job0", "discord:0"), quota.Keep())
			return err
		},
		"read":     func(ctx context.Context) error { _, err := s.Job(ctx, "job0"); return err },
		"list":     func(ctx context.Context) error { _, err := s.Jobs(ctx, generate.Query{}); return err },
		"standing": func(ctx context.Context) error { _, err := s.Standing(ctx, "acme", "discord:1"); return err },
		"setting":  func(ctx context.Context) error { return s.PutSetting(ctx, "a", []byte("b")) },
		"lease":    func(ctx context.Context) error { _, err := s.Acquire(ctx, "gateway", "me", time.Second); return err },
		"sweep":    func(ctx context.Context) error { _, err := s.Sweep(ctx); return err },
	}
	check := func(t *testing.T) {
		for name, call := range calls {
			began := time.Now()
			if err := call(t.Context()); !errors.Is(err, redis.ErrUnavailable) {
				t.Errorf("%s: got error %v, want ErrUnavailable", name, err)
			}
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("%s took %v, want 200 ms and a little", name, took)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		began := time.Now()
		if _, err := s.Job(ctx, "job0"); !errors.Is(err, redis.ErrUnavailable) || time.Since(began) > 300*time.Millisecond {
			t.Errorf("a sooner deadline: got error %v after %v", err, time.Since(began))
		}
	}
	t.Run("it hangs", func(t *testing.T) {
		server.Freeze()
		defer server.Thaw()
		check(t)
	})
	if _, err := s.Job(t.Context(), "job0"); err != nil {
		t.Errorf("after it went on: %v", err)
	}
	t.Run("it is gone", func(t *testing.T) {
		server.Kill()
		check(t)
	})
}

func TestARestartOfRedisLosesNothing(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.URL(), redis.Options{})
	defer s.Close()
	accept(t, s, 20)
	claims := map[string]generate.Claim{}
	for range 10 {
		c := take(t, s)
		claims[c.Job.ID] = c
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	found := make(chan generate.Claim)
	var taker sync.WaitGroup
	defer taker.Wait()
	server.Kill()
	taker.Go(func() { // waits through the outage
		for range 10 {
			c, err := s.Take(ctx)
			if err != nil {
				t.Errorf("take: %v", err)
				return
			}
			found <- c
		}
	})
	if _, err := s.Job(ctx, "job0"); !errors.Is(err, redis.ErrUnavailable) {
		t.Errorf("read while Redis is away: got error %v, want ErrUnavailable", err)
	}
	server.Start()
	for range 10 {
		select {
		case c := <-found:
			if _, twice := claims[c.Job.ID]; twice {
				t.Errorf("job %s was handed out twice", c.Job.ID)
			}
			claims[c.Job.ID] = c
		case <-ctx.Done():
			t.Fatalf("%d of 20 jobs were handed out", len(claims))
		}
	}
	for id, c := range claims {
		select {
		case <-c.Lost:
			t.Errorf("claim of %s is lost", id)
		default:
		}
		j := c.Job
		j.State, j.Shown = generate.Delivered, generate.Delivered
		if _, err := s.Save(t.Context(), j, quota.Settle(cost)); err != nil {
			t.Errorf("save %s: %v", id, err)
		}
		c.Done()
	}
	wantTotals(t, s, quota.Totals{Holds: 20, Reserved: 20 * cost, Settled: 20 * cost, Charged: 20 * cost})
}

func TestTheServerForgetsScripts(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.URL(), redis.Options{})
	defer s.Close()
	accept(t, s, 1)
	server.CLI("SCRIPT", "FLUSH")
	j := newJob("after", "discord:1")
	if _, err := s.Accept(t.Context(), j, plan(j, quota.Policy{})); err != nil {
		t.Errorf("accept: %v", err)
	}
}

func TestOpenWaitsForTheServerAndSaysSoOnce(t *testing.T) {
	server := redistest.New(t)
	var log syncBuffer
	ctx, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond)
	defer cancel()
	_, err := redis.Open(ctx, "redis://:hunter2@"+server.Addr(), redis.Options{
		Logger: slog.New(slog.NewTextHandler(&log, nil)), Timeout: 100 * time.Millisecond,
	})
	if !errors.Is(err, redis.ErrUnavailable) {
		t.Errorf("got error %v, want ErrUnavailable", err)
	}
	if n := strings.Count(log.String(), "does not answer, waiting"); n != 1 {
		t.Errorf("log says %d times that it waits, want once:\n%s", n, log.String())
	}
	if strings.Contains(log.String()+err.Error(), "hunter2") {
		t.Errorf("the password is shown: %s, %v", log.String(), err)
	}
	done := make(chan error, 1)
	go func() {
		s, err := redis.Open(t.Context(), server.URL(), redis.Options{Logger: slog.New(slog.DiscardHandler)})
		if err == nil {
			err = s.Close()
		}
		done <- err
	}()
	server.Start()
	if err := <-done; err != nil {
		t.Errorf("open once the server is there: %v", err)
	}
}

// syncBuffer is a log that many goroutines may write.
type syncBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// generous is a budget that is never reached.
var generous = quota.Policy{Member: quota.Limits{Windows: []quota.WindowLimit{{Window: quota.Month, USD: 1000 * usd.Dollar}}}}

func TestALostReplyDoesNotChangeWhoGetsAMarkOrWhatIsAmended(t *testing.T) {
	proxy := flaky.New(t, redistest.Start(t).Addr())
	s := open(t, "redis://"+proxy.Addr(), redis.Options{})
	defer s.Close()
	ctx, expires := t.Context(), time.Now().Add(time.Hour)
	proxy.LoseReplyTo("mark:code")
	if got, err := s.ClaimMark(ctx, "code", "v", expires); err != nil || !got {
		t.Errorf("claim: got %t, %v; want the mark", got, err)
	}
	proxy.LoseReplyTo("mark:code")
	if got, err := s.TakeMark(ctx, "code"); err != nil || got != "v" {
		t.Errorf("take: got %q, %v; want the value", got, err)
	}
	if _, err := s.TakeMark(ctx, "code"); !errors.Is(err, quota.ErrNoMark) {
		t.Errorf("take by another call: got error %v, want ErrNoMark", err)
	}
	proxy.LoseReplyTo("r-lost")
	err := s.Amend(ctx, "acme", "discord:1", func(st *quota.Standing) (quota.Record, error) {
		st.Member.Epoch++
		return quota.Record{ID: "r-lost", At: time.Now(), Team: "acme"}, nil
	})
	st, readErr := s.Standing(ctx, "acme", "discord:1")
	records, listErr := s.Records(ctx, "acme", 10)
	if err := errors.Join(err, readErr, listErr); err != nil || st.Member.Epoch != 1 || len(records) != 1 {
		t.Errorf("amend: epoch %d and %d records, %v; want one of each", st.Member.Epoch, len(records), err)
	}
}
