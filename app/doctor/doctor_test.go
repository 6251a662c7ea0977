package doctor_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"ltxbot/app"
	"ltxbot/app/doctor"
	"ltxbot/config"
	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/core/usd"
	"ltxbot/internal/golden"
	"ltxbot/internal/parallel"
	"ltxbot/internal/redistest"
	"ltxbot/internal/testfile"
	simdiscord "ltxbot/sim/discord"
	simfal "ltxbot/sim/fal"
	simslack "ltxbot/sim/slack"
	"ltxbot/store"
	"ltxbot/store/storetest"
)

func TestMain(m *testing.M) {
	parallel.AtLeast(8) // they wait for what is not there
	m.Run()
}

// world is what a bot needs to be well, and the config that names it.
type world struct {
	dir     string
	fal     *simfal.Server
	discord *simdiscord.Server
	slack   *simslack.Server
	keys    map[string]map[string]any // by table
	opts    doctor.Options
	metrics string      // of a bot that runs
	made    int         // videos
	mode    os.FileMode // of the config
}

// newWorld is a world in which all is well.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{dir: t.TempDir(), mode: 0o600}
	var err error
	if w.fal, err = simfal.Start(simfal.Options{Speed: 1000}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.fal.Close)
	if w.discord, err = simdiscord.Start(simdiscord.Options{BotName: "ltx", Private: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.discord.Close() })
	w.discord.NewGuild("Acme")
	if w.slack, err = simslack.Start(simslack.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.slack.Close)
	workspace := w.slack.AddWorkspace(simslack.WorkspaceSpec{})
	for _, dir := range []string{"bin", "media", "data"} {
		if err := os.Mkdir(filepath.Join(w.dir, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	w.tool(t, "ffmpeg", `for last; do :; done; echo a video >"$last"`)
	w.tool(t, "ffprobe", `echo '{"streams":[{"codec_type":"video","codec_name":"h264","pix_fmt":"yuv420p"},{"codec_type":"audio"}],"format":{"duration":"0.5"}}'`)
	w.keys = map[string]map[string]any{
		"fal": {
			"key": w.fal.Key(), "queue_url": w.fal.QueueURL(), "rest_url": w.fal.RESTURL(), "api_url": w.fal.APIURL(),
			"media_hosts": w.fal.MediaHost(),
		},
		"discord": {
			"token": w.discord.Token(), "application_id": w.discord.ApplicationID(), "public_key": w.discord.PublicKey(),
			"api_url": w.discord.APIURL(),
		},
		"slack": {"bot_token": workspace.BotToken(), "app_token": w.slack.AppToken(), "api_url": w.slack.APIURL()},
		"store": {"url": "bolt:" + filepath.Join(w.dir, "data", "ltx.db")},
		"http":  {"listen": free(t), "admin_token": "0123456789abcdef"},
		"media": {"dir": filepath.Join(w.dir, "media"), "ffmpeg": filepath.Join(w.dir, "bin", "ffmpeg")},
	}
	w.opts = doctor.Options{Version: "1.2.3"}
	return w
}

// anybody makes the bot one that anybody can add, on Discord and on Slack.
func (w *world) anybody(t *testing.T) {
	t.Helper()
	public, err := simdiscord.Start(simdiscord.Options{BotName: "ltx"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = public.Close() })
	w.discord = public
	d := w.keys["discord"]
	d["token"], d["application_id"], d["public_key"], d["api_url"] = public.Token(), public.ApplicationID(), public.PublicKey(), public.APIURL()
	s := w.keys["slack"]
	s["client_id"], s["client_secret"] = w.slack.Client()
	s["token_key"], s["redirect_url"] = strings.Repeat("0a", 32), "http://localhost:1/slack/oauth"
}

// free is an address where nobody listens.
func free(t *testing.T) string {
	t.Helper()
	return fmt.Sprintf("127.0.0.1:%d", redistest.FreePort(t))
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// tool makes a program.
func (w *world) tool(t *testing.T, name, script string) {
	t.Helper()
	testfile.WriteProgram(t, filepath.Join(w.dir, "bin", name), "#!/bin/sh\n"+script+"\n")
}

// config writes the config.
func (w *world) config(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for _, table := range []string{"fal", "discord", "slack", "store", "http", "media", "archive", "quota"} {
		fmt.Fprintf(&b, "[%s]\n", table)
		for key, v := range w.keys[table] {
			format := "%s = %#v\n"
			if key == "media_hosts" {
				format = "%s = [%#v]\n"
			}
			fmt.Fprintf(&b, format, key, v)
		}
	}
	path := filepath.Join(w.dir, "ltx.toml")
	testfile.Write(t, path, b.String())
	if err := os.Chmod(path, w.mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// load reads the config as the bot would.
func (w *world) load(t *testing.T) config.Config {
	t.Helper()
	cfg, err := config.Load(w.config(t), empty)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// settle registers the commands and makes the store, as a first start does.
func (w *world) settle(t *testing.T) {
	t.Helper()
	b, err := app.Discord(w.load(t), app.Options{Version: "1.2.3"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.open(t).Close(); err != nil {
		t.Fatal(err)
	}
}

func (w *world) open(t *testing.T) *store.Store {
	t.Helper()
	s, err := storetest.OpenFile(filepath.Join(w.dir, "data", "ltx.db"), storetest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// bucket makes the archive one on S3 that refuses everything.
func (w *world) bucket(t *testing.T, status int, code, region string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader(status)
		_, _ = fmt.Fprintf(rw, "<Error><Code>%s</Code><Message>hunter2</Message><Region>%s</Region></Error>", code, region)
	}))
	t.Cleanup(s.Close)
	w.keys["archive"] = map[string]any{"url": "s3://videos/ltx", "endpoint": s.URL, "access_key": "AKIA", "secret_key": "hunter2"}
}

func empty(string) (string, bool) { return "", false }

func TestFindings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		ill  func(*testing.T, *world) // makes something wrong
		ok   bool
	}{
		{"all is well", func(t *testing.T, w *world) { w.settle(t) }, true},
		{"strangers can spend", func(t *testing.T, w *world) {
			w.anybody(t)
			w.settle(t)
		}, true},
		{"strangers can come and are refused", func(t *testing.T, w *world) {
			w.anybody(t)
			w.settle(t)
			w.keys["quota"] = map[string]any{"unlisted_teams": "refuse"}
		}, true},
		{"before the first start", func(*testing.T, *world) {}, true},
		{"nothing is set up", func(_ *testing.T, w *world) {
			delete(w.keys["fal"], "key")
			delete(w.keys["discord"], "token")
			delete(w.keys["slack"], "bot_token")
			delete(w.keys["http"], "admin_token")
			w.keys["media"]["ffmpeg"] = ""
		}, false},
		{"a config that is not TOML", func(_ *testing.T, w *world) { w.keys["fal"]["[x"] = "20m" }, false},
		{"a line that is not TOML", func(_ *testing.T, w *world) { w.keys["fal"]["]"] = "20m" }, false},
		{"a config that everybody reads", func(t *testing.T, w *world) {
			w.settle(t)
			w.mode = 0o644
		}, true},
		{"mistakes of every kind", func(_ *testing.T, w *world) {
			w.keys["fal"]["dedline"] = "20m"
			w.keys["media"]["max_bytes"] = "many"
			w.keys["discord"]["mode"] = "pigeon"
			w.keys["http"]["admin_token"] = "env:LTX_TEST_ABSENT"
		}, false},
		{"an address for the operator alone", func(t *testing.T, w *world) {
			w.settle(t)
			w.keys["http"]["ops_listen"] = free(t)
		}, true},
		{"a public address and none for the operator alone", func(t *testing.T, w *world) {
			w.settle(t)
			w.keys["http"]["public_url"] = "https://ltx.example.com"
		}, true},
		{"wrong values", func(_ *testing.T, w *world) {
			w.keys["fal"]["deadline"] = "-20m"
			w.keys["http"]["admin_token"] = "short"
		}, false},
		{"wrong keys", func(t *testing.T, w *world) {
			w.settle(t)
			w.keys["fal"]["key"] = "00000000-0000-0000-0000-000000000000:wrong"
			w.keys["discord"]["token"] = "MTIz.wrong.token"
			w.keys["slack"]["bot_token"] = "xoxb-wrong"
			w.keys["slack"]["app_token"] = "xapp-wrong"
		}, false},
		{"platforms that are not there", func(t *testing.T, w *world) {
			w.settle(t)
			w.keys["discord"]["api_url"] = "http://" + free(t)
			w.keys["slack"]["api_url"] = "http://" + free(t)
		}, false},
		{"an exhausted balance", func(t *testing.T, w *world) {
			w.settle(t)
			w.fal.Lock("Exhausted balance")
		}, false},
		{"another application and no guild", func(t *testing.T, w *world) {
			w.settle(t)
			w.keys["discord"]["application_id"] = "175928847299117063"
		}, false},
		{"prices have risen", func(t *testing.T, w *world) {
			w.settle(t)
			w.keys["fal"]["usd_per_megapixel"] = 0.0015
		}, false},
		{"prices have fallen", func(t *testing.T, w *world) {
			w.settle(t)
			w.keys["fal"]["usd_per_megapixel"] = 0.002
			w.keys["fal"]["model_without_lora"] = "fal-ai/ltx-2.3-22b/text-to-video"
		}, true},
		{"a clock that is late", func(t *testing.T, w *world) {
			w.settle(t)
			w.opts.Now = func() time.Time { return time.Now().Add(-10 * time.Minute) }
		}, false},
		{"a clock that is early", func(t *testing.T, w *world) {
			w.settle(t)
			w.opts.Now = func() time.Time { return time.Now().Add(time.Minute) }
		}, true},
		{"the bot runs", func(t *testing.T, w *world) {
			w.settle(t)
			s := w.open(t)
			t.Cleanup(func() { _ = s.Close() })
			w.serve(t, `{"status":"ok","version":"1.2.2"}`)
		}, true},
		{"the bot runs and was billed less than estimated", func(t *testing.T, w *world) {
			w.settle(t)
			s := w.open(t)
			t.Cleanup(func() { _ = s.Close() })
			w.serve(t, `{"status":"ok","version":"1.2.2"}`)
			w.metrics = "# HELP x y\nltxbot_charged_to_estimated_ratio_count 12\nltxbot_estimated_usd_total{model=\"ltx-2.3\"} 1\nltxbot_estimated_usd_total{model=\"pro\"} 0.2\nltxbot_charged_usd_total{model=\"ltx-2.3\"} 0.9\nltxbot_charged_usd_total{model=\"pro\"} 0.18\nltxbot_oldest_deletion_age_seconds 10800\n"
		}, true},
		{"fal bills more than estimated", func(t *testing.T, w *world) {
			w.settle(t)
			w.videos(t, 12, 100_000, 107_000)
			w.videos(t, 3, 100_000, 0) // cost nothing
		}, true},
		{"fal bills about what is estimated", func(t *testing.T, w *world) {
			w.settle(t)
			w.videos(t, 12, 100_000, 96_000)
		}, true},
		{"too few videos to compare", func(t *testing.T, w *world) {
			w.settle(t)
			w.videos(t, 9, 100_000, 200_000)
		}, true},
		{"another program has the address", func(t *testing.T, w *world) {
			w.settle(t)
			w.serve(t, "<html>")
		}, false},
		{"a machine without tools and folders", func(t *testing.T, w *world) {
			w.settle(t)
			w.keys["media"]["dir"] = filepath.Join(w.dir, "gone")
			w.keys["media"]["ffmpeg"] = filepath.Join(w.dir, "bin", "gone")
			w.keys["store"]["url"] = "bolt:" + filepath.Join(w.dir, "gone", "ltx.db")
		}, false},
		{"an ffmpeg without H.264", func(t *testing.T, w *world) {
			w.settle(t)
			w.tool(t, "ffmpeg", `echo "Unknown encoder 'libx264'" >&2; exit 8`)
		}, true},
		{"an archive in a folder", func(t *testing.T, w *world) {
			w.settle(t)
			w.keys["archive"] = map[string]any{"url": "file://" + filepath.Join(w.dir, "media")}
		}, true},
		{"an archive on a disk that is not mounted", func(t *testing.T, w *world) {
			w.settle(t)
			w.keys["archive"] = map[string]any{"url": "file://" + filepath.Join(w.dir, "gone")}
		}, false},
		{"an archive that refuses the key", func(t *testing.T, w *world) {
			w.settle(t)
			w.bucket(t, http.StatusForbidden, "SignatureDoesNotMatch", "")
		}, false},
		{"an archive in another region", func(t *testing.T, w *world) {
			w.settle(t)
			w.bucket(t, http.StatusBadRequest, "AuthorizationHeaderMalformed", "eu-central-1")
		}, false},
		{"an archive that is not there", func(t *testing.T, w *world) {
			w.settle(t)
			w.bucket(t, http.StatusNotFound, "NoSuchBucket", "")
		}, false},
		{"a store that is none", func(t *testing.T, w *world) {
			w.settle(t)
			testfile.Write(t, filepath.Join(w.dir, "data", "ltx.db"), bytes.Repeat([]byte("x"), 8192))
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c.ill(t, w)
			r := doctor.Examine(t.Context(), w.config(t), empty, w.opts)
			if r.OK != c.ok {
				t.Errorf("ok = %v, want %v", r.OK, c.ok)
			}
			var out strings.Builder
			if err := r.Write(&out); err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{w.fal.Key(), w.discord.Token(), w.slack.AppToken(), "0123456789abcdef"} {
				if strings.Contains(out.String(), secret) {
					t.Error("the findings tell a secret")
				}
			}
			golden.Equal(t, strings.ReplaceAll(c.name, " ", "_")+".txt", w.scrub(out.String()))
			if v := w.fal.Submits(); len(v) != 0 {
				t.Errorf("%d jobs were submitted", len(v))
			}
		})
	}
}

// videos records delivered videos with what they were expected to cost and
// what they did.
func (w *world) videos(t *testing.T, n int, estimated, charged usd.Micros) {
	t.Helper()
	s := w.open(t)
	defer func() { _ = s.Close() }()
	for range n {
		w.made++
		id := generate.NewID(fmt.Sprintf("discord:%d", w.made))
		now := time.Now()
		asker := quota.Asker{Team: "acme", Member: "discord:1"}
		j := generate.Job{ID: id, State: generate.Accepted, Team: asker.Team, Member: asker.Member, Estimate: estimated, Created: now}
		j, err := s.Accept(t.Context(), j, quota.Policy{}.Plan(id, asker, estimated, now))
		if err != nil {
			t.Fatal(err)
		}
		j.State, j.Shown, j.Charged, j.Fetched, j.Finished = generate.Delivered, generate.Delivered, charged, now, now
		if _, err := s.Save(t.Context(), j, quota.Settle(charged)); err != nil {
			t.Fatal(err)
		}
	}
}

// serve answers at the bot's address.
func (w *world) serve(t *testing.T, body string) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/metrics" {
			_, _ = out.Write([]byte(w.metrics))
			return
		}
		_, _ = out.Write([]byte(body))
	}))
	_ = server.Listener.Close()
	server.Listener = listen(t)
	server.Start()
	t.Cleanup(server.Close)
	w.keys["http"]["listen"] = server.Listener.Addr().String()
}

// changing is what is different each time.
var changing = []struct {
	pattern *regexp.Regexp
	by      string
}{
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "127.0.0.1:<port>"},
	{regexp.MustCompile(`\d+\.\d [kMG]B`), "<size>"},
	{regexp.MustCompile(`(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day \d\d:\d\d`), "<time>"},
	{regexp.MustCompile(`\d{17,20}`), "<id>"},
	{regexp.MustCompile(`\.ltxbot-doctor-\d+`), ".ltxbot-doctor-<number>"},
	{regexp.MustCompile(`ltx\.toml:\d+:\d+`), "ltx.toml:<line>"}, // keys are written in any order
	{regexp.MustCompile(`(9|10)m\d*s`), "<minutes>"},
	{regexp.MustCompile(`(5\ds|1m\d+s)`), "<seconds>"},
	{regexp.MustCompile(`in https?://[^ \n]*`), "in <workspace>"},
}

func (w *world) scrub(text string) string {
	text = strings.ReplaceAll(text, w.dir, "<dir>")
	for _, c := range changing {
		text = c.pattern.ReplaceAllString(text, c.by)
	}
	return text
}

func TestARedisThatForgetsIsAWarning(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ appendOnly, want string }{
		"without an append-only file": {"no", "writes no append-only file"},
		"with one":                    {"yes", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, "--appendonly", c.appendOnly)
			w := newWorld(t)
			w.keys["store"]["url"] = server.URL()
			r := doctor.Examine(t.Context(), w.config(t), empty, w.opts)
			var all []string
			for _, f := range r.Findings {
				if f.Level == doctor.Warning && f.Area == "store" {
					all = append(all, f.Text)
				}
			}
			warned := strings.Join(all, "; ")
			if (c.want == "") != (warned == "") || !strings.Contains(warned, c.want) {
				t.Errorf("warned: %q, want %q", warned, c.want)
			}
		})
	}
}

func TestAnUnknownTimeZoneIsToldOnce(t *testing.T) {
	w := newWorld(t)
	w.keys["quota"] = map[string]any{"time_zone": "Mars/Base"}
	var told []string
	for _, f := range doctor.Examine(t.Context(), w.config(t), empty, w.opts).Findings {
		if strings.Contains(f.Text, "Mars/Base") {
			told = append(told, f.Area+": "+f.Text)
		}
	}
	if len(told) != 1 || !strings.Contains(told[0], "quota.time_zone") {
		t.Errorf("told %q, want one finding that names the key", told)
	}
}

// A first look, before there are any keys, must work without a network.
func TestNobodyIsAskedWhenNothingIsConfigured(t *testing.T) {
	t.Parallel()
	r := doctor.Examine(t.Context(), "", empty, doctor.Options{HTTP: &http.Client{Transport: noNetwork{t}}})
	for _, f := range r.Findings {
		if f.Area == "clock" || strings.Contains(f.Text, "network") || strings.Contains(f.Advice, "network") {
			t.Errorf("%s: %s %s", f.Area, f.Text, f.Advice)
		}
	}
}

// noNetwork is a network that nobody may use, but for this machine.
type noNetwork struct{ t *testing.T }

func (n noNetwork) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Hostname() != "127.0.0.1" {
		n.t.Errorf("%s is asked", r.URL)
	}
	return nil, errors.New("no network")
}
