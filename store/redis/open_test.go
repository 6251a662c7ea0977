package redis_test

import (
	"log/slog"
	"strings"
	"testing"

	"ltxbot/internal/redistest"
	"ltxbot/store/redis"
)

func TestOpenRefusesURLs(t *testing.T) {
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
	server := redistest.Start(t, "--requirepass", "right")
	_, err := redis.Open(t.Context(), "redis://:hunter2@"+server.Addr(), redis.Options{})
	if err == nil || !strings.Contains(err.Error(), "WRONGPASS") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got error %v, want that the password is wrong", err)
	}
}

func TestAServerThatWantsAPasswordIsNotWaitedFor(t *testing.T) {
	server := redistest.Start(t, "--requirepass", "hunter2")
	_, err := redis.Open(t.Context(), server.URL(), redis.Options{Logger: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "wants a password") {
		t.Errorf("got error %v, want one that says what is missing", err)
	}
}
