package config

import (
	"cmp"
	"log/slog"
	"math"
	"net/url"
	"strconv"
	"strings"
)

// Store is where jobs and the quota ledger live.
type Store struct {
	URL Secret `toml:"url" doc:"\"bolt:FILE\": one process, one file, nothing to install. Redis, for any number of processes, with a user and a password where needed: \"redis://HOST:6379/0\", or \"rediss://…\" with TLS; \"redis+cluster://HOST1:6379?addr=HOST2:6379\"; \"redis+sentinel://HOST1:26379/0?master_name=NAME&addr=HOST2:26379\"; the last two also as rediss+cluster and rediss+sentinel. It may be env:NAME or file:/path, for a password is never printed."`
}

// Scheme returns what the URL begins with: "bolt", "redis", "rediss",
// "redis+cluster", "rediss+cluster", "redis+sentinel" or "rediss+sentinel".
func (s Store) Scheme() string {
	scheme, _, _ := strings.Cut(s.URL.Reveal(), ":")
	return scheme
}

// Path returns the file of a bolt store; empty for any other.
func (s Store) Path() string {
	path, ok := strings.CutPrefix(s.URL.Reveal(), "bolt:")
	if !ok {
		return ""
	}
	return path
}

// ParseStore returns the store that a URL names as it would be written in the
// file: literally, or as env:NAME or file:/path, which is looked up here.
func ParseStore(url string, env func(string) (string, bool)) (Store, error) {
	s := Store{URL: secretRef(url)}
	if err := s.URL.resolve(env, false); err != nil {
		return Store{}, err
	}
	var k checker
	s.check(&k)
	return s, k.err()
}

func (s Store) check(k *checker) {
	const key = "store.url"
	switch scheme := s.Scheme(); scheme {
	case "bolt":
		if s.Path() == "" || strings.HasPrefix(s.Path(), "//") {
			k.add(key, quote(s.URL.Reveal()), `must name a file, such as "bolt:ltx.db" or "bolt:/var/lib/ltxbot/ltx.db"`)
		}
	case "redis", "rediss", "redis+cluster", "rediss+cluster", "redis+sentinel", "rediss+sentinel":
		u, err := url.Parse(s.URL.Reveal())
		if err != nil || u.Hostname() == "" {
			k.add(key, "", "must name a host, such as "+scheme+"://HOST:6379")
			return
		}
		if db := strings.Trim(u.Path, "/"); db != "" {
			if n, err := strconv.Atoi(db); err != nil || n < 0 || n > 0 && strings.HasSuffix(scheme, "cluster") {
				k.add(key, "", "must end in the number of a database, such as /0; a cluster has only 0")
			}
		}
		if strings.HasSuffix(scheme, "sentinel") && u.Query().Get("master_name") == "" {
			k.add(key, "", "must say which master the sentinels watch, with ?master_name=NAME")
		}
	default:
		k.add(key, "", "must begin with bolt:, redis://, rediss://, redis+cluster://, rediss+cluster://, redis+sentinel:// or rediss+sentinel://")
	}
}

// HTTP is the bot's own web server.
type HTTP struct {
	Listen     string `toml:"listen" doc:"Address and port. What is public needs a proxy with TLS before it."`
	OpsListen  string `toml:"ops_listen" doc:"Address and port of /healthz, /readyz, /metrics and /admin/api alone, which listen then does not have: keep it private. Empty = they are at listen."`
	PublicURL  string `toml:"public_url" doc:"Address by which people reach listen through a proxy, without a path, such as \"https://ltx.example.com\": the console at /admin answers there. Empty = it answers browsers on this machine only."`
	AdminToken Secret `toml:"admin_token" doc:"Opens the operator's API at /admin/api, which \"bot quota\" and \"bot jobs\" use, and signs the operator in to the console; at least 16 characters; empty = both are closed."`
}

const minAdminToken = 16

// Ops is the address of what is for the operator: OpsListen, or else Listen.
func (h HTTP) Ops() string { return cmp.Or(h.OpsListen, h.Listen) }

func (h HTTP) check(k *checker) {
	k.address("http.listen", h.Listen)
	if h.OpsListen != "" {
		k.address("http.ops_listen", h.OpsListen)
		if h.OpsListen == h.Listen && !strings.HasSuffix(h.Listen, ":0") {
			k.add("http.ops_listen", quote(h.OpsListen), "must differ from http.listen; empty = the same server")
		}
	}
	if h.PublicURL != "" {
		k.baseURL("http.public_url", h.PublicURL)
		if u, err := url.Parse(h.PublicURL); err == nil && u.Host != "" && strings.Trim(u.Path, "/") != "" {
			k.add("http.public_url", quote(h.PublicURL), "must not have a path")
		}
	}
	if t := h.AdminToken.Reveal(); t != "" && len(t) < minAdminToken {
		k.add("http.admin_token", "", "must be at least 16 characters long; `openssl rand -hex 16` makes one")
	}
}

// Media is what happens to a video between fal and the channel.
type Media struct {
	Dir      string `toml:"dir" doc:"Directory for videos under way; empty = the system's temporary directory."`
	FFmpeg   string `toml:"ffmpeg" doc:"Program that makes a video fit where it is too large for the channel; empty = it is sent as a link. A program that is not installed counts as empty."`
	MaxBytes int64  `toml:"max_bytes" doc:"Largest video that is downloaded, in bytes; a larger one is sent as a link. Videos that wait for a platform to come back take four times as much disk at most."`
}

func (m Media) check(k *checker) { k.whole("media.max_bytes", m.MaxBytes, 1, math.MaxInt64) }

// Retention is how long finished jobs are remembered; zero is for ever.
type Retention struct {
	Jobs    Duration `toml:"jobs" doc:"Records of finished jobs; their buttons work this long."`
	Prompts Duration `toml:"prompts" doc:"Prompts in them, which Again and Edit need."`
}

func (r Retention) check(k *checker) {
	for _, c := range []struct {
		key string
		d   Duration
	}{{"retention.jobs", r.Jobs}, {"retention.prompts", r.Prompts}} {
		if c.d.Duration < 0 {
			k.add(c.key, quote(c.d.String()), `must not be negative; "0s" = for ever`)
		}
	}
}

// Log is the log on standard error.
type Log struct {
	Level  string `toml:"level" doc:"debug, info, warn or error."`
	Format string `toml:"format" doc:"text or json."`
}

// levels is every word for a level.
var levels = map[string]slog.Level{
	"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
}

// SlogLevel returns Level for slog; info if it is not a level.
func (l Log) SlogLevel() slog.Level { return levels[l.Level] }

func (l Log) check(k *checker) {
	k.oneOf("log.level", l.Level, "debug", "info", "warn", "error")
	k.oneOf("log.format", l.Format, "text", "json")
}
