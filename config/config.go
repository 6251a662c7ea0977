// Package config is the bot's configuration: one typed struct that is also its
// manual. Default fills it, a TOML file is decoded onto the defaults, secrets
// are resolved from the environment or from files, and Validate names
// everything that is wrong at once:
//
//	cfg, err := config.LoadValid("ltx.toml", os.LookupEnv)
//	if err != nil { … }
//
// Every field says in its doc tag what it means; config.example.toml is
// written from these tags by WriteExample.
package config

import (
	"fmt"
	"reflect"
	"strings"
)

// A Config is everything an operator can decide. The order of its fields is
// the order of the example file.
type Config struct {
	Fal       Fal       `toml:"fal" doc:"The model, and the account that pays for it."`
	Models    Models    `toml:"models" doc:"fal's other endpoints."`
	Discord   Discord   `toml:"discord" doc:"Discord is on when it has a token."`
	Slack     Slack     `toml:"slack" doc:"Slack is on when it has a bot token, or a client id."`
	Store     Store     `toml:"store" doc:"Where jobs and the quota ledger live."`
	HTTP      HTTP      `toml:"http" doc:"The bot's own web server: /healthz /readyz /metrics /admin /fal/webhook, and the platforms' endpoints in mode \"http\"."`
	Console   Console   `toml:"console" doc:"Sign-in to the pages at /admin, with Discord and Slack; see docs/console.md. The operator signs in with http.admin_token."`
	Quota     Quota     `toml:"quota" doc:"How much may be made and spent. 0 or absent = no limit. A day, a week and a month are those of the calendar in the team's time zone; weeks start on Monday. Limits of several kinds hold together."`
	Teams     []Team    `toml:"team" doc:"A team shares one budget. Each Discord guild and each Slack workspace is a team of its own; list one here to link several, or to give it limits or a time zone of its own. A limit that it does not name is as in quota.team, and -1 is no limit. Repeat the table for each team."`
	Defaults  Options   `toml:"defaults" doc:"Parameters of the model that apply when a request does not say otherwise, by their API names or by the names of the command's options; see docs/commands.md."`
	Quality   Quality   `toml:"quality" doc:"What quality:draft, quality:standard and quality:best set, by the API names of the model's parameters; a key that is set here replaces the default. Another table, such as [quality.cinema], makes another quality."`
	LoRA      LoRA      `toml:"lora" doc:"Which LoRAs people may use."`
	Library   Library   `toml:"library" doc:"The LoRAs and styles that a team keeps by name."`
	Limits    Limits    `toml:"limits" doc:"How large a request may be, whoever makes it."`
	Inputs    Inputs    `toml:"inputs" doc:"The pictures, sounds and clips that people put into a video."`
	Media     Media     `toml:"media" doc:"What happens to a video between fal and the channel."`
	Archive   Archive   `toml:"archive" doc:"Copies of delivered videos, with how each was made beside it; see docs/operations.md."`
	Label     Label     `toml:"label" doc:"The line with every video that says that it was made by AI: the licence of the model asks for it, and so does the law in some places. At most 100 characters, no mentions."`
	Retention Retention `toml:"retention" doc:"How long finished jobs are remembered. \"0s\" = for ever."`
	Log       Log       `toml:"log" doc:"The log on standard error."`

	origin *document
}

// maxFile bounds a configuration file, in bytes.
const maxFile = 1 << 20

// Default returns the configuration of an empty file. Its secrets are
// references that Resolve looks up.
func Default() Config {
	return Config{
		Fal:       defaultFal(),
		Models:    Models{Prices: knownPrices()},
		Discord:   defaultDiscord(),
		Slack:     defaultSlack(),
		Store:     Store{URL: secretRef("bolt:ltx.db")},
		HTTP:      HTTP{Listen: "127.0.0.1:8080"},
		Console:   defaultConsole(),
		Quota:     defaultQuota(),
		Defaults:  Options{},
		Quality:   defaultQuality(),
		LoRA:      defaultLoRA(),
		Library:   defaultLibrary(),
		Limits:    Limits{MaxSide: 1920, MaxPrompt: 2000},
		Inputs:    defaultInputs(),
		Media:     Media{FFmpeg: "ffmpeg", MaxBytes: 500_000_000},
		Archive:   defaultArchive(),
		Retention: Retention{Jobs: Duration{90 * day}, Prompts: Duration{90 * day}},
		Log:       Log{Level: "info", Format: "text"},
	}
}

// Load reads the file at path onto the defaults and resolves its secrets with
// env, which is os.LookupEnv or a stand-in. An empty path means no file: the
// defaults with what the environment says. The error is an *InvalidError for
// all that is wrong in the file; Validate is still to be called.
func Load(path string, env func(string) (string, bool)) (Config, error) {
	cfg, k, err := load(path, env)
	if err == nil {
		err = k.err()
	}
	if err != nil {
		return Config{}, err
	}
	return cfg, nil
}

// LoadValid is Load and Validate, with all that both find in one error. With
// an *InvalidError it returns what could be read.
func LoadValid(path string, env func(string) (string, bool)) (Config, error) {
	cfg, k, err := load(path, env)
	if err != nil {
		return Config{}, err
	}
	if !k.unread {
		found := &checker{origin: cfg.origin}
		cfg.validate(found)
		k.merge(found)
	}
	return cfg, k.err()
}

// load reads and resolves, and goes on after what is wrong. Its error says that
// there is no file to read.
func load(path string, env func(string) (string, bool)) (Config, *checker, error) {
	cfg, k := Default(), &checker{}
	if path != "" {
		data, err := readBounded(path, maxFile)
		if err != nil {
			return Config{}, nil, fmt.Errorf("read config: %w", err)
		}
		cfg, k = parse(path, data)
	}
	if !k.unread {
		found := &checker{origin: cfg.origin}
		cfg.resolve(found, env)
		k.merge(found)
	}
	return cfg, k, nil
}

// Parse decodes TOML onto the defaults. Secrets that are references are left
// to Resolve. Unknown keys and values of a wrong type are an *InvalidError
// with line and column.
func Parse(data []byte) (Config, error) {
	cfg, k := parse("", data)
	if err := k.err(); err != nil {
		return Config{}, err
	}
	return cfg, nil
}

// Resolve looks up every secret that is a reference. A variable that is not
// set leaves the secret empty if the reference is the default one, such as
// env:DISCORD_TOKEN; any other reference that leads nowhere is a problem.
func (c *Config) Resolve(env func(string) (string, bool)) error {
	k := &checker{origin: c.origin}
	c.resolve(k, env)
	return k.err()
}

func (c *Config) resolve(k *checker, env func(string) (string, bool)) {
	defaults := map[string]string{}
	def := Default()
	walk("", reflect.ValueOf(&def).Elem(), func(f field) {
		if s, ok := reflect.TypeAssert[*Secret](f.value.Addr()); ok {
			defaults[f.key] = s.ref
		}
	})
	walk("", reflect.ValueOf(c).Elem(), func(f field) {
		s, ok := reflect.TypeAssert[*Secret](f.value.Addr())
		if !ok {
			return
		}
		if err := s.resolve(env, s.ref == defaults[f.key]); err != nil {
			k.add(f.key, "", err.Error())
		}
	})
}

// Validate checks what `bot run` needs and returns an *InvalidError with
// everything that is wrong, or nil. It looks at no network and no file.
func (c Config) Validate() error {
	k := &checker{origin: c.origin}
	c.validate(k)
	return k.err()
}

func (c Config) validate(k *checker) {
	c.Fal.check(k)
	c.Models.check(k)
	c.checkText(k, "fal.model", c.Fal.Model)
	if c.Fal.ModelWithoutLoRA != "" {
		c.checkText(k, "fal.model_without_lora", c.Fal.ModelWithoutLoRA)
	}
	c.Discord.check(k)
	c.Slack.check(k)
	c.checkSeveral(k)
	c.checkPlatforms(k)
	c.Store.check(k)
	c.HTTP.check(k)
	c.Console.check(k)
	c.Quota.check(k, c.Models.Allow)
	checkTeams(k, c.Teams)
	c.Defaults.check(k, "defaults")
	c.Quality.check(k)
	c.LoRA.check(k)
	c.Library.check(k)
	c.Limits.check(k)
	c.Inputs.check(k)
	c.Media.check(k)
	c.Archive.check(k)
	c.Label.check(k)
	c.Retention.check(k)
	c.Log.check(k)
	walk("", reflect.ValueOf(&c).Elem(), func(f field) {
		if s, ok := reflect.TypeAssert[Secret](f.value); ok && strings.ContainsFunc(s.Reveal(), notInToken) {
			k.add(f.key, "", "holds a space, a line break or another character that no key has; was it pasted whole?")
		}
	})
}

// notInToken tells a character that is in no key, token or URL.
func notInToken(r rune) bool { return r <= ' ' || r == 0x7f }

// A field is one setting, found by walk.
type field struct {
	key   string // "quota.tier[0].name"
	tag   reflect.StructTag
	value reflect.Value
}

// walk visits every setting of the struct v in the order of the manual; tables
// are entered, leaves are visited.
func walk(table string, v reflect.Value, visit func(field)) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous {
			walk(table, v.Field(i), visit)
			continue
		}
		name, ok := f.Tag.Lookup("toml")
		if !ok {
			continue
		}
		switch key := join(table, name); {
		case isTable(f.Type):
			walk(key, v.Field(i), visit)
		case f.Type.Kind() == reflect.Slice && isTable(f.Type.Elem()):
			for n := range v.Field(i).Len() {
				walk(fmt.Sprintf("%s[%d]", key, n), v.Field(i).Index(n), visit)
			}
		default:
			visit(field{key, f.Tag, v.Field(i)})
		}
	}
}

// isTable tells a struct of settings from a struct that is one value.
func isTable(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t != reflect.TypeFor[Secret]() && t != reflect.TypeFor[Duration]()
}
