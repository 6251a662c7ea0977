package redis_test

import (
	"context"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"ltxbot/internal/redistest"
	"ltxbot/internal/testfile"
	"ltxbot/internal/until"
	"ltxbot/store/kv"
	"ltxbot/store/redis"
)

func TestOpenRefusesURLs(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, url, want string }{
		{"without a scheme", "localhost:6379", "must begin with redis://"},
		{"of another kind", "bolt://hunter2", `scheme "bolt"`},
		{"of an unknown topology", "redis+ring://hunter2", `scheme "redis+ring"`},
		{"of sentinels without a master", "redis+sentinel://:hunter2@127.0.0.1:1", "master_name"},
		{"with an unknown option", "redis://:hunter2@127.0.0.1:1?shoe=9", "shoe"},
		{"that can't be read", "redis://:hunter2@127.0.0.1:port", "can't be read"},
		{"of a cluster that can't be read", "rediss+cluster://:hunter2@[", "can't be read"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := redis.Open(t.Context(), test.url, redis.Options{})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want one about %s", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2@") {
				t.Errorf("the password is shown: %v", err)
			}
		})
	}
}

func TestOpenLooksAtTheServer(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		args    []string
		prepare func(*redistest.Server)
		options redis.Options
		refused string // in the error; empty = it opens
		warned  string // in the log; empty = no warning
	}{
		{name: "one that is set up well"},
		{name: "one that evicts", args: []string{"--maxmemory-policy", "allkeys-lru"}, refused: "maxmemory-policy allkeys-lru"},
		{
			name: "one that evicts, if that is allowed", args: []string{"--maxmemory-policy", "allkeys-lru"},
			options: redis.Options{AllowEviction: true}, warned: "forgets keys",
		},
		{name: "one that keeps nothing on disk", args: []string{"--appendonly", "no"}, warned: "writes no append-only file"},
		{name: "one that only keeps snapshots", args: []string{"--appendonly", "no", "--save", "60 1"}, warned: "writes no append-only file"},
		{
			name: "one that does not tell", warned: "does not say",
			prepare: func(s *redistest.Server) { s.CLI("ACL", "SETUSER", "default", "-info", "-config") },
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := redistest.Start(t, test.args...)
			if test.prepare != nil {
				test.prepare(server)
			}
			var log syncBuffer
			test.options.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
			s, err := redis.Open(t.Context(), server.URL(), test.options)
			if err == nil {
				defer s.Close()
			}
			if test.refused == "" && err != nil || test.refused != "" && (err == nil || !strings.Contains(err.Error(), test.refused)) {
				t.Errorf("got error %v, want %q", err, test.refused)
			}
			if got := log.String(); test.warned == "" && got != "" || !strings.Contains(got, test.warned) {
				t.Errorf("log is %q, want %q", got, test.warned)
			}
		})
	}
}

func TestAWrongPasswordIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--requirepass", "right")
	_, err := redis.Open(t.Context(), "redis://:hunter2@"+server.Addr(), redis.Options{})
	if err == nil || !strings.Contains(err.Error(), "WRONGPASS") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got error %v, want that the password is wrong", err)
	}
}

func TestAServerThatWantsAPasswordIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--requirepass", "hunter2")
	_, err := redis.Open(t.Context(), server.URL(), redis.Options{Logger: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "wants a password") {
		t.Errorf("got error %v, want one that says what is missing", err)
	}
}

func TestOpenWaitsForTheServerAndSaysSoOnce(t *testing.T) {
	t.Parallel()
	server := redistest.New(t)
	var log syncBuffer
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
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

// hintLog ends a wait as soon as what it looks for is logged.
type hintLog struct {
	syncBuffer

	hint  string
	found func()
}

func (l *hintLog) Write(p []byte) (int, error) {
	n, err := l.syncBuffer.Write(p)
	if strings.Contains(l.String(), l.hint) {
		l.found()
	}
	return n, err
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// A server that was restarted, or told to, has none of the scripts.
func TestTheServerForgetsScripts(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	e := newDatabase(server, nil).Open(t)
	t.Cleanup(func() { e.Close() })
	increment(t, e, "n")
	server.CLI("SCRIPT", "FLUSH")
	increment(t, e, "n")
	if got := read(t, e, "n"); got != "2" {
		t.Errorf("counted %s, want 2", got)
	}
}

// TestTheRightsOfAUserAreEnough: those that the manual names, and without the
// channel of news.
func TestTheRightsOfAUserAreEnough(t *testing.T) {
	t.Parallel()
	for name, rights := range map[string][]string{
		"of the manual":    manualRights(t),
		"without channels": {"~*", "+@all", "resetchannels"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			server.CLI(append([]string{"ACL", "SETUSER", "ltx", "on", ">pw", "resetchannels"}, rights...)...)
			log := &strings.Builder{}
			e, err := redis.Open(t.Context(), "redis://ltx:pw@"+server.Addr(), redis.Options{Logger: slog.New(slog.NewTextHandler(log, nil))})
			if err != nil {
				t.Fatal(err)
			}
			publish(t, e, "a")
			c := claim(t, e)
			increment(t, e, "n")
			if got := read(t, e, "n"); got != "1" || c.Job != "a" {
				t.Errorf("counted %s, claimed %q", got, c.Job)
			}
			if err := e.Sync(t.Context()); err != nil {
				t.Error(err)
			}
			e.Close()
			if name == "of the manual" && strings.Contains(log.String(), "may not publish") {
				t.Errorf("the log has\n%s", log)
			}
		})
	}
}

// manualRights are the rights that the manual gives to the user of the bot.
func manualRights(t *testing.T) []string {
	t.Helper()
	page := testfile.Read(t, "../../docs/scaling.md")
	row := regexp.MustCompile("(?m)^\\| ACL \\| `([^`]+)`").FindSubmatch(page)
	if row == nil {
		t.Fatal("the manual has no row for the ACL")
	}
	return strings.Fields(string(row[1]))
}

func TestCallsEndWhenRedisIsAway(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	d := newDatabase(server, nil)
	d.opts.Timeout = 200 * time.Millisecond // for which a busy machine may need more than one try
	e := d.openAtLast(t)
	t.Cleanup(func() { e.Close() })
	answers := func() bool {
		return e.Update(t.Context(), func(tx kv.Tx) error { tx.Put("n", []byte("1")); return nil }) == nil
	}
	until.True(t, "it answers", answers)
	calls := map[string]func(context.Context) error{
		"update": func(ctx context.Context) error {
			return e.Update(ctx, func(tx kv.Tx) error { tx.Put("a", []byte("1")); return nil })
		},
		"view":      func(ctx context.Context) error { return e.View(ctx, func(tx kv.Tx) error { tx.Get("a"); return nil }) },
		"sync":      e.Sync,
		"stray":     func(ctx context.Context) error { _, err := e.Stray(ctx, []string{"a"}); return err },
		"processes": func(ctx context.Context) error { _, err := e.Processes(ctx); return err },
		"lease":     func(ctx context.Context) error { _, err := e.Lease(ctx, "gateway", time.Second); return err },
		"spend":     func(ctx context.Context) error { _, _, err := e.Spend(ctx, "edits", time.Second, 1, 1); return err },
	}
	check := func(t *testing.T) {
		began := time.Now()
		for name, call := range calls {
			if err := call(t.Context()); !errors.Is(err, redis.ErrUnavailable) {
				t.Errorf("%s: got error %v, want ErrUnavailable", name, err)
			}
		}
		// By default each would take three seconds.
		if took, most := time.Since(began), time.Duration(len(calls))*1500*time.Millisecond; took > most {
			t.Errorf("%d calls took %s, want 200 ms each, %s at most", len(calls), took, most)
		}
	}
	t.Run("it hangs", func(t *testing.T) {
		server.Freeze()
		defer server.Thaw()
		check(t)
	})
	until.True(t, "it answers again", answers)
	t.Run("it is gone", func(t *testing.T) {
		server.Kill()
		check(t)
	})
}
