package slack_test

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"ltxbot/bot"
	"ltxbot/bot/slack"
	"ltxbot/bot/text"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/internal/golden"
	sim "ltxbot/sim/slack"
)

// The schemas in testdata are Slack's, under the licence beside them:
// https://github.com/slackapi/manifest-schema
func TestTheManifestIsValid(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]slack.ManifestOptions{
		"manifest_socket.json": {},
		"manifest_oauth.json":  {RedirectURL: "https://bot.example.org/slack/oauth"},
		"manifest_http.json":   {Mode: slack.HTTP, Command: "/video", BaseURL: "https://bot.example.org/", Name: strings.Repeat("Videos ", 10)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw, err := slack.Manifest(o)
			if err != nil {
				t.Fatal(err)
			}
			golden.Equal(t, name, string(raw))
			for _, version := range []string{"1.0.0", "2.0.0"} {
				compiler := jsonschema.NewCompiler()
				compiler.UseRegexpEngine(compileRegexp)
				schema, err := compiler.Compile("testdata/manifest.schema." + version + ".json")
				if err != nil {
					t.Fatal(err)
				}
				doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
				if err != nil {
					t.Fatal(err)
				}
				if err := schema.Validate(doc); err != nil {
					t.Errorf("version %s: %v", version, err)
				}
			}
		})
	}
}

// compileRegexp compiles a pattern of the schemas. Go has no look-ahead: the
// one there is, for domains that the manifest does not have, is left out.
func compileRegexp(pattern string) (jsonschema.Regexp, error) {
	return regexp.Compile(strings.ReplaceAll(pattern, `(?![\.\-])`, ""))
}

func TestAManifestThatCannotWorkIsRefused(t *testing.T) {
	t.Parallel()
	for says, o := range map[string]slack.ManifestOptions{
		"public address": {Mode: slack.HTTP},
		"https://":       {Mode: slack.HTTP, BaseURL: "http://bot.example.org"},
		"is no command":  {Command: "ltx"},
	} {
		if _, err := slack.Manifest(o); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("manifest says %v, want %q", err, says)
		}
	}
}

func TestCheckFindsWhatIsMissing(t *testing.T) {
	t.Parallel()
	t.Run("nothing", func(t *testing.T) {
		t.Parallel()
		s := prepareStage(t, quietSim())
		group := s.ws.AddGroup("studio", s.ann)
		s.cfg.TierGroups = []string{group}
		s.bot = s.newBot()
		for _, f := range s.bot.Check(s.ctx) {
			if !f.OK {
				t.Errorf("%s %s", f.Name, f.Text)
			}
		}
	})
	t.Run("scopes, the app token and a group", func(t *testing.T) {
		t.Parallel()
		s := prepareStage(t, without(t, "files:", "history"), func(c *slack.Config) {
			c.AppToken, c.TierGroups, c.AdminGroups = "xapp-wrong", []string{"S0NOBODY01"}, []string{"S0NOBODY01"}
		})
		var bad, useful []string
		for _, f := range s.bot.Check(s.ctx) {
			switch {
			case !f.OK:
				bad = append(bad, f.Name)
			case strings.Contains(f.Text, "is missing"):
				useful = append(useful, f.Name)
			}
			if strings.Contains(f.Text, s.cfg.BotToken) {
				t.Error("a finding holds the token")
			}
		}
		slices.Sort(bad)
		if diff := cmp.Diff([]string{"app-level token", "scope files:write", "user group S0NOBODY01"}, bad); diff != "" {
			t.Errorf("findings (-want +got):\n%s", diff)
		}
		if len(useful) != 5 {
			t.Errorf("of use: %v", useful)
		}
	})
	t.Run("the token itself", func(t *testing.T) {
		t.Parallel()
		s := prepareStage(t, quietSim(), func(c *slack.Config) { c.BotToken = "xoxb-wrong" })
		found := s.bot.Check(s.ctx)
		if len(found) != 1 || found[0].OK || !strings.Contains(found[0].Text, "copy it again") {
			t.Errorf("findings: %+v", found)
		}
	})
}

func TestTiersAndAdminsComeFromUserGroups(t *testing.T) {
	t.Parallel()
	s := prepareStage(t, quietSim())
	studio, leads := s.ws.AddGroup("studio", s.ann), s.ws.AddGroup("leads", s.bob)
	s.cfg.TierGroups, s.cfg.AdminGroups = []string{studio}, []string{leads}
	s.cfg.Tiers = func(member string, groups []string) []string {
		return append([]string{"everybody " + member}, groups...)
	}
	s.bot = s.newBot()
	s.start()
	if diff := cmp.Diff([]string{"everybody slack:T0ACME0001:U0ANN00001", studio}, s.ask(cowboy).Tiers); diff != "" {
		t.Errorf("tiers (-want +got):\n%s", diff)
	}
	s.slash(s.bob, s.general, "admin")
	s.whisper(s.bob, s.general, "You may manage")
	s.slash(s.ann, s.general, "admin")
	s.whisper(s.ann, s.general, "Only admins")
	if got := len(s.sim.Requests("usergroups.users.list")); got != 2 {
		t.Errorf("groups were asked for %d times", got)
	}
}

// While Slack does not say who is in which group, a model that a tier may choose is
// waited for, and all others are not.
func TestAModelOfATierWaitsUntilSlackAnswers(t *testing.T) {
	t.Parallel()
	clock := newHandClock()
	s := prepareStage(t, quietSim(), func(c *slack.Config) { c.Now = clock.now })
	studio := s.ws.AddGroup("studio", s.ann)
	s.cfg.TierGroups = []string{studio}
	s.cfg.Tiers = func(_ string, groups []string) []string { return groups }
	s.cfg.Service = bot.New(bot.Config{
		Generator: s.engine, Command: "/ltx", Catalog: text.BuiltInCatalog(),
		Rules: func(string) ltx.Rules {
			return ltx.Rules{Models: []string{"distilled"}, Reserved: map[string][]string{"quality": {studio}}}
		},
	})
	t.Cleanup(s.cfg.Service.Stop)
	s.bot = s.newBot()
	s.start()
	answer := s.sim.Inject(sim.Fault{Method: "usergroups.users.list", Kind: sim.APIError, Error: "internal_error", Times: -1})
	prepare := func(model string) (generate.Job, error) {
		r, err := ltx.Rules{}.Parse([]ltx.Setting{{Key: "prompt", Value: "a fox"}, {Key: "model", Value: model}})
		if err != nil {
			t.Fatal(err)
		}
		return s.bot.Courier().Prepare(s.ctx, generate.Job{Request: r, Place: generate.Place{
			Platform: "slack", Tenant: s.ws.ID(), Channel: s.general.ID(), User: s.ann.ID(),
		}})
	}
	if _, err := prepare("distilled"); err != nil {
		t.Errorf("a model for everybody: %v", err)
	}
	if _, err := prepare("quality"); retryOf(err) == nil {
		t.Errorf("a model of a tier: %v, want to be asked again", err)
	}
	answer()
	clock.advance(2 * time.Minute)
	if j, err := prepare("quality"); err != nil || !slices.Contains(j.Tiers, studio) {
		t.Errorf("once Slack answers, tiers %q, %v", j.Tiers, err)
	}
}

func TestAPlanWithoutUserGroupsIsGoneOnWithout(t *testing.T) {
	t.Parallel()
	s := prepareStage(t, quietSim())
	free := s.sim.AddWorkspace(sim.WorkspaceSpec{ID: "T0FREE0001", NoUserGroups: true})
	kim := free.AddUser(sim.UserSpec{Name: "kim"})
	room := free.AddChannel(sim.ChannelSpec{Name: "room", Members: []*sim.User{kim, free.Bot()}})
	s.cfg.BotToken, s.cfg.TierGroups = free.BotToken(), []string{"S0STUDIO01"}
	s.bot = s.newBot()
	s.start()
	for range 2 {
		s.slash(kim, room, cowboy)
		s.job()
	}
	if got := strings.Count(s.log.String(), "gone without"); got != 1 {
		t.Errorf("it was noted %d times", got)
	}
}
