package config_test

import (
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ltxbot/config"
	"ltxbot/internal/testfile"
)

// TestWhatPeopleReadWhenTheFileIsWrong loads and validates every file of
// testdata/invalid and compares the messages with the .golden beside it.
func TestWhatPeopleReadWhenTheFileIsWrong(t *testing.T) {
	paths, err := filepath.Glob("testdata/invalid/*.toml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".toml"), func(t *testing.T) {
			_, err := config.LoadValid(path, complete)
			if err == nil {
				t.Fatal("no error")
			}
			if _, ok := errors.AsType[*config.InvalidError](err); !ok {
				t.Errorf("error is a %T", err)
			}
			got := strings.ReplaceAll(err.Error(), "testdata/invalid/", "") + "\n"
			if strings.Contains(got, "hunter2") {
				t.Errorf("a secret is in the message:\n%s", got)
			}
			golden := strings.TrimSuffix(path, ".toml") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want := testfile.Read(t, golden)
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("messages (-want +got):\n%s", diff)
			}
		})
	}
}

func TestValidateWithoutAFileNamesKeys(t *testing.T) {
	err := config.Default().Validate()
	const want = `fal.key: is empty: set FAL_KEY, or name another source with env: or file:
neither Discord nor Slack is configured: set discord.token (DISCORD_TOKEN) or slack.bot_token (SLACK_BOT_TOKEN)`
	if err == nil || err.Error() != want {
		t.Errorf("error:\n%v\nwant:\n%s", err, want)
	}
}

// TestValidate changes one thing of a valid configuration at a time.
func TestValidate(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*config.Config)
		want   string // empty: still valid
	}{
		{"the defaults are valid", func(*config.Config) {}, ""},
		{"plain http to this machine is allowed", func(c *config.Config) {
			c.Fal.QueueURL, c.Discord.APIURL, c.Slack.APIURL = "http://127.0.0.1:1/x", "http://localhost:2", "http://[::1]:3/api/"
		}, ""},
		{"plain http to elsewhere is not", func(c *config.Config) { c.Fal.QueueURL = "http://queue.fal.run" }, `fal.queue_url = "http://queue.fal.run": must be https`},
		{"an address with a password is not printed", func(c *config.Config) { c.Fal.RestURL = "https://me:hunter2@rest.fal.ai" }, "fal.rest_url: must not hold a user name or a password"},
		{"a webhook address may be a tunnel", func(c *config.Config) { c.Fal.WebhookURL = "https://bot.example.com/base" }, ""},
		{"a webhook address is not a bare host", func(c *config.Config) { c.Fal.WebhookURL = "bot.example.com" }, "fal.webhook_url: must be an address"},
		{"a host of links is not every host", func(c *config.Config) { c.Inputs.Hosts = []string{"*"} }, `inputs.hosts[0] = "*"`},
		{"a picture has some bytes", func(c *config.Config) { c.Inputs.MaxPicture = 0 }, "inputs.max_picture = 0"},
		{"a soundtrack has some bytes", func(c *config.Config) { c.Inputs.MaxSound = -1 }, "inputs.max_sound = -1"},
		{"a clip has at most 2 GB", func(c *config.Config) { c.Inputs.MaxClip = 1 << 31 }, "inputs.max_clip = 2147483648"},
		{"a LoRA has a size that fal takes", func(c *config.Config) { c.Library.MaxBytes = 3<<30 + 1 }, `library.max_bytes = 3221225473: must be`},
		{"a video is kept while it waits", func(c *config.Config) { c.Fal.KeepMedia.Duration = 47 * time.Hour }, `fal.keep_media = 47h: must be "0s", or at least 2d`},
		{"media comes from somewhere", func(c *config.Config) { c.Fal.MediaHosts = nil }, "fal.media_hosts = []"},
		{"a media host is not every host", func(c *config.Config) { c.Fal.MediaHosts = []string{"*"} }, `fal.media_hosts[0] = "*"`},
		{"a media host may be this machine", func(c *config.Config) { c.Fal.MediaHosts = []string{"127.0.0.1:9000", "localhost"} }, ""},
		{"a media host has no port", func(c *config.Config) { c.Fal.MediaHosts = []string{"fal.media:443"} }, `fal.media_hosts[0] = "fal.media:443"`},
		{"a key is pasted whole", func(c *config.Config) { c.Fal.Key = config.NewSecret("hunter2\nhunter2") }, "fal.key: holds a space"},
		{"Slack in http mode needs no app token", func(c *config.Config) {
			c.Slack.Mode, c.Slack.AppToken, c.Slack.SigningSecret = "http", config.Secret{}, config.NewSecret("s")
		}, ""},
		{"Slack in http mode needs the signing secret", func(c *config.Config) { c.Slack.Mode = "http" }, "slack.signing_secret: must be set"},
		{"Slack in socket mode needs the app token", func(c *config.Config) { c.Slack.AppToken = config.Secret{} }, "slack.app_token: must be set"},
		{"a user token is not a bot token", func(c *config.Config) { c.Slack.BotToken = config.NewSecret("xoxp-hunter2") }, "slack.bot_token: must be a bot token"},
		{"Discord in http mode needs the public key", func(c *config.Config) { c.Discord.Mode = "http" }, `discord.public_key = "": must be set`},
		{"Discord in http mode with the public key", func(c *config.Config) {
			c.Discord.Mode, c.Discord.PublicKey = "http", strings.Repeat("0aB", 21)+"0"
		}, ""},
		{"several workspaces need no bot token", several(func(c *config.Config) { c.Slack.BotToken = config.Secret{} }), ""},
		{"the address of the bot is that of the webhooks", several(func(c *config.Config) {
			c.Slack.RedirectURL, c.Fal.WebhookURL = "", "https://bot.example.com/base"
		}), ""},
		{"a token key may be base64", several(func(c *config.Config) {
			c.Slack.TokenKey = config.NewSecret("_-8DBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=")
		}), ""},
		{"several workspaces need the client secret", several(func(c *config.Config) { c.Slack.ClientSecret = config.Secret{} }), "slack.client_secret: must be set"},
		{"several workspaces need a token key", several(func(c *config.Config) { c.Slack.TokenKey = config.Secret{} }), "slack.token_key: must be set"},
		{"a token key is no password", several(func(c *config.Config) { c.Slack.TokenKey = config.NewSecret("hunter2") }), "slack.token_key: must be 32 bytes"},
		{"a token key is not shorter", several(func(c *config.Config) { c.Slack.TokenKey = config.NewSecret(strings.Repeat("0a", 31)) }), "slack.token_key: must be 32 bytes"},
		{"several workspaces need an address", several(func(c *config.Config) { c.Slack.RedirectURL = "" }), `slack.redirect_url = "": must be set`},
		{"the address is public", several(func(c *config.Config) { c.Slack.RedirectURL = "http://bot.example.com/slack/oauth" }), `slack.redirect_url = "http://bot.example.com/slack/oauth": must be https`},
		{"the address is that of the bot's page", several(func(c *config.Config) { c.Slack.RedirectURL = "https://bot.example.com" }), `slack.redirect_url = "https://bot.example.com": must end in /slack/oauth`},
		{"a client id is no app id", several(func(c *config.Config) { c.Slack.ClientID = "A0123" }), `slack.client_id = "A0123": must be the Client ID`},
		{"workspaces are named by id", several(func(c *config.Config) { c.Slack.Workspaces = []string{"acme"} }), `slack.workspaces[0] = "acme": must be an id`},
		{"several workspaces need the app token", several(func(c *config.Config) { c.Slack.AppToken = config.Secret{} }), "slack.app_token: must be set"},
		{"what is off needs no keys", func(c *config.Config) {
			c.Slack.BotToken, c.Slack.AppToken, c.Discord.Mode = config.Secret{}, config.Secret{}, "gateway"
		}, ""},
		{"a bolt store names a file", func(c *config.Config) { c.Store.URL = config.NewSecret("bolt:") }, `store.url = "bolt:": must name a file`},
		{"a bolt store is not a web address", func(c *config.Config) { c.Store.URL = config.NewSecret("bolt://ltx.db") }, "store.url"},
		{"Redis", func(c *config.Config) { c.Store.URL = config.NewSecret("redis://me:hunter2@redis:6379/1") }, ""},
		{"Redis with TLS", func(c *config.Config) { c.Store.URL = config.NewSecret("rediss://redis:6379") }, ""},
		{"Redis needs a host", func(c *config.Config) { c.Store.URL = config.NewSecret("redis://:hunter2@/0") }, "store.url: must name a host, such as redis://HOST:6379"},
		{"Redis has numbered databases", func(c *config.Config) { c.Store.URL = config.NewSecret("redis://redis/ltx") }, "store.url: must end in the number"},
		{"a Redis cluster", func(c *config.Config) { c.Store.URL = config.NewSecret("rediss+cluster://a:1?addr=b:2") }, ""},
		{"a Redis cluster has one database", func(c *config.Config) { c.Store.URL = config.NewSecret("redis+cluster://a:1/1") }, "store.url: must end in the number"},
		{"Redis sentinels", func(c *config.Config) { c.Store.URL = config.NewSecret("redis+sentinel://a:1/2?master_name=m") }, ""},
		{"Redis sentinels watch a master", func(c *config.Config) { c.Store.URL = config.NewSecret("redis+sentinel://a:1") }, "store.url: must say which master"},
		{"another store", func(c *config.Config) { c.Store.URL = config.NewSecret("postgres://me:hunter2@x") }, "store.url: must begin with bolt:"},
		{"a team may not be empty of name", func(c *config.Config) { c.Teams = []config.Team{{}} }, `team[0].name = ""`},
		{"a budget is not infinite", func(c *config.Config) { c.Quota.Team.USDPerMonth = 1e300 }, "quota.team.usd_per_month = 1e+300: must be from 0 to 1000000"},
		{"the admin token is long", func(c *config.Config) { c.HTTP.AdminToken = config.NewSecret("hunter2") }, "http.admin_token: must be at least 16"},
		{"any address may be listened on", func(c *config.Config) { c.HTTP.Listen = ":0" }, ""},
		{"a port is a number", func(c *config.Config) { c.HTTP.Listen = "localhost:http" }, `http.listen = "localhost:http"`},
		{"records may be kept for ever", func(c *config.Config) { c.Retention = config.Retention{} }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := load(t, "", complete)
			c.change(&cfg)
			err := cfg.Validate()
			switch {
			case c.want == "" && err != nil:
				t.Errorf("error: %v", err)
			case c.want != "" && err == nil:
				t.Errorf("no error, want %q", c.want)
			case c.want != "" && !strings.HasPrefix(err.Error(), c.want):
				t.Errorf("error: %v\nwant: %s", err, c.want)
			case c.want != "" && strings.Contains(err.Error(), "\n"):
				t.Errorf("more than one problem: %v", err)
			case err != nil && strings.Contains(err.Error(), "hunter2"):
				t.Errorf("a secret is in the message: %v", err)
			}
		})
	}
}

// several changes a config that lets several workspaces install the Slack app.
func several(change func(*config.Config)) func(*config.Config) {
	return func(c *config.Config) {
		c.Slack.ClientID, c.Slack.ClientSecret = "1.2", config.NewSecret("hunter2")
		c.Slack.TokenKey, c.Slack.RedirectURL = config.NewSecret(strings.Repeat("0a", 32)), "https://bot.example.com/slack/oauth"
		change(c)
	}
}

func TestTokenKeysOfBothKindsAreTheSame(t *testing.T) {
	want := strings.Repeat("\xfb\xef", 16)
	for _, text := range []string{
		strings.Repeat("fbef", 16), strings.Repeat("FBEF", 16), base64.StdEncoding.EncodeToString([]byte(want)),
		base64.RawURLEncoding.EncodeToString([]byte(want)),
	} {
		key, err := config.Slack{TokenKey: config.NewSecret(text)}.DecodeTokenKey()
		if err != nil || string(key) != want {
			t.Errorf("%s is the key %x, %v", text, key, err)
		}
	}
}

func TestSlackIsOnWithAClientAlone(t *testing.T) {
	cfg := config.Default()
	cfg.Slack.ClientID, cfg.Fal.WebhookURL = "1.2", "https://bot.example.com/base/"
	if !cfg.Slack.On() || !cfg.Slack.Several() {
		t.Error("Slack is off")
	}
	if got, want := cfg.SlackRedirect(), "https://bot.example.com/base/slack/oauth"; got != want {
		t.Errorf("the browser comes back to %q, want %q", got, want)
	}
}
