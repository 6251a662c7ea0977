package config_test

import (
	"bytes"
	"encoding"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ltxbot/config"
	"ltxbot/core/ltx"
	"ltxbot/internal/testfile"
)

var update = flag.Bool("update", false, "write the golden files")

// environment returns a lookup in which exactly these variables are set.
func environment(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := vars[name]
		return v, ok
	}
}

// complete is an environment that is enough to run.
var complete = environment(map[string]string{
	"FAL_KEY":         "id:secret",
	"DISCORD_TOKEN":   "discord-token",
	"SLACK_BOT_TOKEN": "xoxb-1",
	"SLACK_APP_TOKEN": "xapp-1",
})

// same compares configurations as an operator would: where they came from
// does not matter.
var same = cmp.Options{
	cmpopts.IgnoreUnexported(config.Config{}),
	cmp.Comparer(func(a, b config.Secret) bool { return a.Reveal() == b.Reveal() && a.Source() == b.Source() }),
	cmpopts.EquateEmpty(),
}

// write puts a configuration in a file and returns its path.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ltx.toml")
	testfile.Write(t, path, text)
	return path
}

// load reads a file and variables, which can be read.
func load(t *testing.T, path string, env func(string) (string, bool)) config.Config {
	t.Helper()
	cfg, err := config.Load(path, env)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// parse reads a text, which can be read.
func parse(t *testing.T, text string) config.Config {
	t.Helper()
	cfg, err := config.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestEnvironmentAloneIsEnoughToRun(t *testing.T) {
	for _, vars := range []map[string]string{
		{"FAL_KEY": "id:secret", "DISCORD_TOKEN": "d"},
		{"FAL_KEY": "id:secret", "SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"},
	} {
		cfg := load(t, "", environment(vars))
		if err := cfg.Validate(); err != nil {
			t.Errorf("with %v: %v", slices.Sorted(maps.Keys(vars)), err)
		}
		if got, want := cfg.Discord.On(), vars["DISCORD_TOKEN"] != ""; got != want {
			t.Errorf("with %v: Discord on = %t", slices.Sorted(maps.Keys(vars)), got)
		}
		if got, want := cfg.Slack.On(), vars["SLACK_BOT_TOKEN"] != ""; got != want {
			t.Errorf("with %v: Slack on = %t", slices.Sorted(maps.Keys(vars)), got)
		}
	}
}

func TestFileIsDecodedOntoDefaults(t *testing.T) {
	path := write(t, `
[fal]
key = "literal"
deadline = "1h30m"
media_hosts = ["cdn.example.com"]

[quota.member]
videos_per_day = 3
rolling = [{window = "7d", usd = 2}]

[quality.draft]
num_inference_steps = 6

[quality.cinema]
fps = 25

[defaults]
fps = 25
generate_audio = false

[[quota.tier]]
name = "studio"
slack_groups = ["S1"]
videos_per_day = 100

[[team]]
name = "acme"
discord_guilds = ["1"]
usd_per_month = 500.0
`)
	got, want := load(t, path, complete), load(t, "", complete)
	if err := got.Validate(); err != nil {
		t.Error(err)
	}
	want.Fal.Key = config.NewSecret("literal")
	want.Fal.Deadline.Duration = 90 * time.Minute
	want.Fal.MediaHosts = []string{"cdn.example.com"}
	want.Quota.Member.VideosPerDay = 3
	want.Quota.Member.Rolling = []config.Rolling{{Window: config.Duration{Duration: 7 * 24 * time.Hour}, USD: 2}}
	want.Quality["draft"]["num_inference_steps"] = int64(6)
	want.Quality["cinema"] = config.Options{"fps": int64(25)}
	want.Defaults = config.Options{"fps": int64(25), "generate_audio": false}
	want.Quota.Tiers = []config.Tier{{Name: "studio", SlackGroups: []string{"S1"}, Limit: config.Limit{VideosPerDay: 100}}}
	want.Teams = []config.Team{{Name: "acme", DiscordGuilds: []string{"1"}, Limit: config.Limit{USDPerMonth: 500}}}
	if diff := cmp.Diff(want, got, same); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"fps": "25", "generate_audio": "false"}, got.Defaults.Text()); diff != "" {
		t.Errorf("defaults as text (-want +got):\n%s", diff)
	}
}

func TestEachEndpointHasItsPrice(t *testing.T) {
	const lora, plain = "fal-ai/ltx-2.3-22b/text-to-video/lora", "fal-ai/ltx-2.3-22b/text-to-video"
	for _, tt := range []struct {
		name, file      string
		atLoRA, atPlain float64
	}{
		{"by default", "", 0.001805, 0.001605},
		{"a price of fal.model", "[fal]\nusd_per_megapixel = 0.002", 0.002, 0.001605},
		{"a price of another endpoint", "[models.prices]\n\"" + plain + "\" = 0.0017", 0.001805, 0.0017},
		{"fal.model has its own key", "[models.prices]\n\"" + lora + "\" = 0.5", 0.001805, 0.001605},
		{"another fal.model", "[fal]\nmodel = \"" + plain + "\"", 0.001805, 0.001605},
		{"a price of another fal.model", "[fal]\nmodel = \"" + plain + "\"\nusd_per_megapixel = 0.0019", 0.001805, 0.0019},
	} {
		cfg := parse(t, tt.file)
		if a, b := cfg.PriceOf(lora).USD, cfg.PriceOf(plain).USD; a != tt.atLoRA || b != tt.atPlain {
			t.Errorf("%s: %v and %v, want %v and %v", tt.name, a, b, tt.atLoRA, tt.atPlain)
		}
	}
	const tiered = "lightricks/ltx-2.5/text-to-video/fast"
	cfg := parse(t, "[models.prices]\n\""+tiered+"@720p\" = 0.1\n[[models.custom]]\nendpoint = \"acme/ltx/own\"\nlike = \""+plain+"\"\nusd = 0.003\n")
	if err := cfg.Validate(); err != nil && strings.Contains(err.Error(), "models") {
		t.Error(err)
	}
	want := ltx.Price{Unit: ltx.OutputSecond, USD: 0.30, BySide: map[int]float64{720: 0.1, 1080: 0.13, 1440: 0.19, 2160: 0.30}}
	if diff := cmp.Diff(want, cfg.PriceOf(tiered)); diff != "" {
		t.Errorf("price by resolution (-want +got):\n%s", diff)
	}
	if got := cfg.PriceOf("acme/ltx/own"); got.USD != 0.003 || got.Unit != ltx.Megapixel {
		t.Errorf("an endpoint of the operator's own costs %v", got)
	}
	cfg = parse(t, "[models.prices]\n\"a/b.c\" = 2.0\n")
	if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), "2:1: models.prices.a/b.c = 2: must be more than 0 and at most 1 US dollar") {
		t.Errorf("a price of two dollars: %v", err)
	}
}

func TestDefaultQualitiesAreTheModels(t *testing.T) {
	cfg := config.Default()
	rules := ltx.Rules{Qualities: map[string][]ltx.Setting{}}
	for word, options := range cfg.Quality {
		rules.Qualities[word] = ltx.SettingsOf(options.Text())
	}
	if err := rules.Validate(); err != nil {
		t.Error(err)
	}
	for word, settings := range ltx.DefaultQualities() {
		if got := len(rules.Qualities[word]); got != len(settings) {
			t.Errorf("quality %s has %d settings, want %d", word, got, len(settings))
		}
	}
}

func TestLimitTakesFromBaseWhatItDoesNotName(t *testing.T) {
	base := config.Default().Quota.Team
	base.Rolling = []config.Rolling{{Videos: 1}}
	got := config.Limit{USDPerMonth: 500, VideosPerDay: 7}.Or(base)
	want := base
	want.USDPerMonth, want.VideosPerDay = 500, 7
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("limit (-want +got):\n%s", diff)
	}
}

func TestLoadSaysWhichFileCannotBeRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "absent.toml")
	if _, err := config.Load(path, complete); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("Load of an absent file: %v", err)
	}
}

func TestExampleFile(t *testing.T) {
	const path = "../config.example.toml"
	var b bytes.Buffer
	if err := config.WriteExample(&b); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	current := testfile.Read(t, path)
	if diff := cmp.Diff(string(current), b.String()); diff != "" {
		t.Fatalf("config.example.toml is not current, run go generate ./config (-file +source):\n%s", diff)
	}
	got, want := load(t, path, complete), load(t, "", complete)
	if err := got.Validate(); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(want, got, same); diff != "" {
		t.Errorf("the example is not the defaults (-want +got):\n%s", diff)
	}
}

func TestEveryCommentedKeyOfTheExampleIsTheDefault(t *testing.T) {
	var b bytes.Buffer
	if err := config.WriteExample(&b); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for line := range strings.Lines(b.String()) {
		if !strings.HasPrefix(line, "# ") && line != "#\n" {
			line = strings.TrimPrefix(line, "#")
		}
		text.WriteString(line)
	}
	got, want := load(t, write(t, text.String()), complete), load(t, "", complete)
	if err := got.Validate(); err != nil {
		t.Error(err)
	}
	rolling := []config.Rolling{{Window: config.Duration{Duration: 24 * time.Hour}, Videos: 5, USD: 1}}
	want.Quota.Member.Rolling, want.Quota.Team.Rolling, want.Quota.Bot.Rolling = rolling, rolling, rolling
	want.Quota.Tiers = []config.Tier{{Name: "studio", Limit: config.Limit{Rolling: rolling}}}
	want.Models.Custom = []config.Custom{{}}
	want.Teams = []config.Team{{Name: "acme", Limit: config.Limit{Rolling: rolling}}}
	if diff := cmp.Diff(want, got, same); diff != "" {
		t.Errorf("the example with every # removed (-want +got):\n%s", diff)
	}
}

func TestSecretNeverPrints(t *testing.T) {
	const key = "hunter2"
	type hidden struct{ inner config.Secret }
	s := config.NewSecret(key)
	holder := struct{ S config.Secret }{s}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("test", "secret", s, "holder", holder, "hidden", hidden{s})
	text, err := encoding.TextMarshaler(s).MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	printed := []string{log.String(), string(text), string(encoded), s.String(), s.GoString(), fmt.Sprint(&s), fmt.Sprintf("%T", s)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		printed = slices.Concat(printed, []string{fmt.Sprintf(verb, s), fmt.Sprintf(verb, holder), fmt.Sprintf(verb, hidden{s}), fmt.Sprintf(verb, []config.Secret{s})})
	}
	for _, p := range printed {
		if strings.Contains(p, key) || strings.Contains(p, fmt.Sprintf("%x", key)) {
			t.Errorf("the secret is in %q", p)
		}
	}
	if got := fmt.Sprint(s); got != "<secret>" {
		t.Errorf("secret prints %q", got)
	}
	if got := fmt.Sprint(config.Secret{}); got != "" {
		t.Errorf("empty secret prints %q", got)
	}
	if got := s.Reveal(); got != key {
		t.Errorf("Reveal() = %q", got)
	}
}

func TestSecretSources(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "key")
	testfile.Write(t, file, "from file\r\n\n")
	env := environment(map[string]string{"SET": "from env", "EMPTY": ""})
	for _, c := range []struct {
		name, text, want, source, problem string
	}{
		{"a literal is itself", "plain", "plain", "literal", ""},
		{"a variable is looked up", "env:SET", "from env", "env:SET", ""},
		{"an empty variable is an empty secret", "env:EMPTY", "", "env:EMPTY", ""},
		{"the default variable may be absent", "env:FAL_KEY", "", "env:FAL_KEY", ""},
		{"another variable may not be absent", "env:OTHER", "", "", "fal.key: the environment variable OTHER is not set"},
		{"the default of another key may not be absent", "env:DISCORD_TOKEN", "", "", "fal.key: the environment variable DISCORD_TOKEN is not set"},
		{"a file is read without its line end", "file:" + file, "from file", "file:" + file, ""},
		{"a file may not be absent", "file:" + dir + "/no", "", "", "fal.key: open " + dir + "/no: no such file or directory"},
		{"an empty literal is no secret", "", "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, err := config.Load(write(t, fmt.Sprintf("[fal]\nkey = %q\n", c.text)), env)
			if c.problem != "" {
				if err == nil || !strings.HasSuffix(err.Error(), ":2:1: "+c.problem) {
					t.Errorf("error %v, want it to end with %q", err, c.problem)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := cfg.Fal.Key.Reveal(); got != c.want {
				t.Errorf("Reveal() = %q, want %q", got, c.want)
			}
			if got := cfg.Fal.Key.Source(); got != c.source {
				t.Errorf("Source() = %q, want %q", got, c.source)
			}
		})
	}
}

func TestDurations(t *testing.T) {
	for _, c := range []struct {
		text string
		want time.Duration
		back string // empty: the same text
	}{
		{"90s", 90 * time.Second, "1m30s"},
		{"20m", 20 * time.Minute, ""},
		{"1h30m", 90 * time.Minute, ""},
		{"24h", 24 * time.Hour, ""},
		{"90d", 90 * 24 * time.Hour, ""},
		{"1d12h", 36 * time.Hour, "36h"},
		{"0s", 0, ""},
		{"0d", 0, "0s"},
		{"-3m", -3 * time.Minute, ""},
		{"250ms", 250 * time.Millisecond, ""},
	} {
		got, err := config.ParseDuration(c.text)
		if err != nil || got.Duration != c.want {
			t.Errorf("ParseDuration(%q) = %v, %v; want %v", c.text, got.Duration, err, c.want)
		}
		if back := c.back; got.String() != back && (back != "" || got.String() != c.text) {
			t.Errorf("%q is written back as %q", c.text, got)
		}
	}
	for _, text := range []string{"", "20", "d", "1.5d", "-1d", "1d-2h", "1d2d", "200000d", "106751d25h", "soon"} {
		if got, err := config.ParseDuration(text); err == nil {
			t.Errorf("ParseDuration(%q) = %v, want an error", text, got)
		}
	}
}

func TestLogLevel(t *testing.T) {
	for text, want := range map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError} {
		if got := (config.Log{Level: text}).SlogLevel(); got != want {
			t.Errorf("level %q is %v, want %v", text, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	example, err := os.ReadFile("../config.example.toml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(example)
	scripts, err := filepath.Glob("testdata/invalid/*.toml")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range scripts {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg, err := config.Parse(data)
		if err != nil {
			if err.Error() == "" {
				t.Error("an error without text")
			}
			return
		}
		if err := cfg.Validate(); err == nil {
			for key, v := range cfg.Defaults.Text() {
				if v == "" && cfg.Defaults[key] != "" {
					t.Errorf("default %q has no text", key)
				}
			}
		}
	})
}

// TestATierMayChooseMoreModels: what models.allow names is for everybody.
func TestATierMayChooseMoreModels(t *testing.T) {
	tiers := "[[quota.tier]]\nname = \"studio\"\nmodels = [\"quality\", \"distilled\"]\n[[quota.tier]]\nname = \"gold\"\nmodels = [\"quality\"]\n"
	cfg := parse(t, "[models]\nallow = [\"distilled\"]\n"+tiers)
	if diff := cmp.Diff(map[string][]string{"quality": {"studio", "gold"}}, cfg.ReservedModels()); diff != "" {
		t.Errorf("models of tiers (-want +got):\n%s", diff)
	}
	for text, want := range map[string]string{
		tiers: "models.allow is empty",
		"[models]\nallow = [\"distilled\"]\n" + strings.Replace(tiers, "quality", "qualty", 1): "qualty",
	} {
		cfg, err := config.Parse([]byte(text))
		if err == nil {
			err = cfg.Validate()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngot %v, want it refused with %q", text, err, want)
		}
	}
}
