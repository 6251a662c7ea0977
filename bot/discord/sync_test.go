package discord_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"ltxbot/bot"
	"ltxbot/bot/discord"
	"ltxbot/core/ltx"
	sim "ltxbot/sim/discord"
)

func lines(changes []discord.Change) []string {
	out := make([]string, 0, len(changes))
	for _, c := range changes {
		out = append(out, c.String())
	}
	return out
}

func TestSyncRegistersOnceAndThenNothing(t *testing.T) {
	t.Parallel()
	for name, guild := range map[string]bool{"everywhere": false, "in a guild": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := prepareStage(t, unlimited)
			var where *sim.Guild
			if guild {
				where = s.guild
				s.cfg.Guilds = []string{s.guild.ID}
				s.bot = s.newBot()
			}
			did := s.sync()
			want := []string{"ltx", "ltx-jobs", "ltx-quota", "ltx-loras", "ltx-help", "ltx-admin", "Remix with LTX", "Animate this", "Extend this video"}
			var got []string
			for _, c := range did {
				if c.Kind != discord.Create {
					t.Errorf("%s", c)
				}
				got = append(got, c.Command)
			}
			if !slices.Equal(got, want) {
				t.Errorf("created %v, want %v", got, want)
			}
			if registered := len(s.sim.Commands(where)); registered != len(want) {
				t.Errorf("%d commands are registered, want %d", registered, len(want))
			}
			again, err := s.bot.Diff(s.ctx)
			if err != nil || len(again) != 0 {
				t.Errorf("a second look finds %v, %v", lines(again), err)
			}
		})
	}
}

func TestSyncMovesFromEverywhereToAGuild(t *testing.T) {
	t.Parallel()
	s := prepareStage(t, unlimited)
	s.sync()
	all := len(s.sim.Commands(nil))
	s.cfg.Guilds = []string{s.guild.ID}
	s.bot = s.newBot()
	s.sync()
	if everywhere, here := len(s.sim.Commands(nil)), len(s.sim.Commands(s.guild)); everywhere != 0 || here != all || all == 0 {
		t.Errorf("%d everywhere, %d of %d in the guild", everywhere, here, all)
	}
}

func TestSyncChangesOnlyWhatDiffersAndKeepsIDs(t *testing.T) {
	t.Parallel()
	s := prepareStage(t, unlimited)
	s.sync()
	ids := map[string]string{}
	for _, c := range s.sim.Commands(nil) {
		ids[c.Name] = c.ID
	}
	api := apiOf(s)
	api.patch("/applications/"+s.sim.ApplicationID()+"/commands/"+ids["ltx-help"], `{"description":"Old help"}`)
	api.post("/applications/"+s.sim.ApplicationID()+"/commands", `{"name":"ltx-old","type":1,"description":"From an earlier version"}`)
	api.post("/applications/"+s.sim.ApplicationID()+"/commands", `{"name":"weather","type":1,"description":"Somebody else's"}`)
	creates := s.sim.CommandCreates(nil)
	did := s.sync()
	want := []string{"update /ltx-help everywhere", "delete /ltx-old everywhere"}
	if !slices.Equal(lines(did), want) {
		t.Errorf("did %v, want %v", lines(did), want)
	}
	names := map[string]bool{}
	for _, c := range s.sim.Commands(nil) {
		names[c.Name] = true
		if id := ids[c.Name]; id != "" && id != c.ID {
			t.Errorf("%s has another id", c.Name)
		}
	}
	if !names["weather"] || names["ltx-old"] || s.sim.CommandCreates(nil) != creates {
		t.Errorf("commands are %v, %d created, want %d", names, s.sim.CommandCreates(nil), creates)
	}
}

func TestCommandHasEveryOptionOfTheModelInTheOrderOfUse(t *testing.T) {
	t.Parallel()
	s := prepareStage(t, unlimited)
	s.sync()
	var want []string
	for _, p := range ltx.Params() {
		if p.Option != "" && !p.Operator && !p.Rare {
			want = append(want, p.Option)
		}
	}
	commands := s.bot.CommandsForTest("")
	var got []string
	for _, o := range commands[0].Options {
		got = append(got, o.Name)
	}
	if !slices.Equal(got, want) {
		t.Errorf("options are %v, want %v", got, want)
	}
	for _, c := range commands {
		if n := c.Size(); n > 8000 {
			t.Errorf("%s has %d characters, at most 8000 are allowed", c.Name, n)
		} else {
			t.Logf("%s has %d characters", c.Name, n)
		}
	}
}

func TestCheckFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := prepareStage(t, unlimited)
	s.sync()
	s.cfg.Channels = []string{s.general.ID}
	s.bot = s.newBot()
	for _, f := range s.bot.Check(s.ctx) {
		if !f.OK {
			t.Errorf("%s: %s", f.Name, f.Text)
		}
	}
	office := s.guild.NewChannel("office")
	office.DenyEveryone(sim.SendMessages | sim.AttachFiles)
	s.cfg.Announcements = []string{office.ID}
	s.general.Deny(s.sim.Bot(), sim.AttachFiles|sim.ReadMessageHistory|sim.SendMessagesInThreads)
	talk := closedVoice(s, sim.Voice)
	for channel, says := range map[string]string{
		talk.ID:                         "in talk the bot lacks: Connect.",
		s.general.ID:                    "in general the bot lacks: Attach Files, Read Message History.",
		s.general.NewThread("dolly").ID: "in dolly the bot lacks: Send Messages in Threads, Attach Files, Read Message History.",
	} {
		s.cfg.Channels = []string{channel}
		told := map[string]string{}
		for _, f := range s.newBot().Check(s.ctx) {
			if !f.OK {
				told[f.Name] = f.Text
			}
		}
		if len(told) != 2 || !strings.HasPrefix(told["channel "+channel], says) ||
			!strings.HasPrefix(told["channel "+office.ID], "in office the bot lacks: Send Messages.") {
			t.Errorf("channels without permissions: %v", told)
		}
	}
	s.cfg.Channels = []string{s.general.ID}
	s.general.Deny(s.sim.Bot(), sim.ViewChannel)
	s.cfg.PublicKey, s.cfg.Guilds, s.cfg.Mode = strings.Repeat("0", 64), []string{"2"}, discord.HTTP
	wrong := func() map[string]bool {
		bad := map[string]bool{}
		for _, f := range s.newBot().Check(s.ctx) {
			bad[f.Name] = !f.OK
		}
		return bad
	}
	bad := wrong()
	for _, name := range []string{"public key", "guild 2", "channel " + s.general.ID, "commands", "interactions endpoint"} {
		if !bad[name] {
			t.Errorf("%s is not found to be wrong: %v", name, bad)
		}
	}
	s.cfg.ApplicationID = "1"
	if bad := wrong(); !bad["application id"] {
		t.Errorf("another application: %v", bad)
	}
	s.cfg.Token = "wrong"
	if found := s.newBot().Check(s.ctx); len(found) != 1 || found[0].OK || strings.Contains(found[0].Text, "wrong") {
		t.Errorf("a wrong token: %+v", found)
	}
}

func TestCommandsSpeakEveryLanguage(t *testing.T) {
	t.Parallel()
	s := prepareStage(t, unlimited)
	for _, c := range s.bot.CommandsForTest("") {
		if c.Description == "" {
			continue // of a message command
		}
		for _, locale := range []string{"de", "es-ES", "es-419", "fr", "ja"} {
			if c.DescriptionLocalizations[locale] == "" {
				t.Errorf("%s has no description in %s", c.Name, locale)
			}
		}
	}
}

// optionsOf are the options of /ltx as they are registered under these rules.
func optionsOf(t *testing.T, rules ltx.Rules) map[string]discord.Option {
	t.Helper()
	b, err := discord.New(discord.Config{Token: "t", Service: bot.New(bot.Config{Rules: func(string) ltx.Rules { return rules }})})
	if err != nil {
		t.Fatal(err)
	}
	options := map[string]discord.Option{}
	for _, o := range b.CommandsForTest("")[0].Options {
		options[o.Name] = o
	}
	return options
}

func TestAnOptionForAFilePromisesNoLink(t *testing.T) {
	t.Parallel()
	options := optionsOf(t, ltx.Rules{})
	for _, name := range []string{"image", "end_image", "soundtrack", "clip"} {
		texts := append(slices.Collect(maps.Values(options[name].DescriptionLocalizations)), options[name].Description)
		if len(texts) < 5 {
			t.Errorf("%s has %d descriptions", name, len(texts))
		}
		for _, text := range texts {
			if !strings.HasSuffix(text, name+"=https://…") {
				t.Errorf("%s: %q does not say where a link goes", name, text)
			}
		}
	}
}

func TestTheModelsToChooseAreThoseThatSomebodyHereMayUse(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		rules ltx.Rules
		want  []string
	}{
		"all": {ltx.Rules{}, ltx.Models()},
		"the default one, what is allowed, and what is a tier's": {
			ltx.Rules{Models: []string{"pro"}, Reserved: map[string][]string{"quality": {"studio"}}}, []string{"ltx-2.3", "quality", "pro"},
		},
	} {
		var got []string
		for _, c := range optionsOf(t, tt.rules)["model"].Choices {
			got = append(got, c.Value)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}
