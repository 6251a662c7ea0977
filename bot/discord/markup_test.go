package discord_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ltxbot/bot/discord"
	sim "ltxbot/sim/discord"
)

func TestMarkupInAPromptReadsAsPeopleReadIt(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	bob := s.sim.NewUser("Bob")
	s.guild.Join(bob)
	stranger := s.sim.NewUser("stranger")
	crew := s.guild.NewRole("film crew", 0)
	sly := s.sim.NewUser(`seed:13 "x`)
	s.guild.Join(sly)
	foreign := s.sim.NewGuild("Foreign").NewChannel("secret-plans")
	hidden := s.guild.NewChannel("hidden")
	hidden.Deny(s.sim.Bot(), sim.ViewChannel)
	soon := s.sim.Now().Add(2*time.Hour + time.Minute).Unix()
	for typed, want := range map[string]string{
		"a frog <:pepe:1234> jumps":                           "a frog pepe jumps",
		"a dancing <a:cat_jam:98765>":                         "a dancing cat_jam",
		"<@" + bob.ID + "> and <@!" + s.ada.ID + ">":          "Bob and ada",
		"<@" + stranger.ID + "> walks":                        "someone walks",
		"<@" + sly.ID + "> walks":                             "seed 13 x walks",
		"the <@&" + crew.ID + "> at work":                     "the film crew at work",
		"the <@&123456> at work":                              "the role at work",
		"a sign that says <#" + s.general.ID + ">":            "a sign that says general",
		"a sign that says <#" + foreign.ID + ">":              "a sign that says channel",
		"a sign that says <#" + hidden.ID + ">":               "a sign that says channel",
		"type </ltx-jobs list:123456> now":                    "type /ltx-jobs list now",
		"a calendar at <t:1618953630:D>":                      "a calendar at 20 April 2021",
		"a calendar at <t:1618953630>":                        "a calendar at 20 April 2021 21:20",
		"a clock, <t:1618953630:t>":                           "a clock, 21:20",
		"fireworks <t:" + strconv.FormatInt(soon, 10) + ":R>": "fireworks in 2 hours",
		"a page <id:customize>":                               "a page customize",
		"she says <3 and 1 < 2, x<@y> <:no:> <t:x> <>":        "she says <3 and 1 < 2, x<@y> <:no:> <t:x> <>",
	} {
		for got := ""; got != want; {
			began := time.Now()
			got = s.askIn(s.general, sim.Arg("prompt", typed)).Request.Prompt()
			// A machine so busy that names are not waited for says nothing.
			if got != want && time.Since(began) < discord.NamesWithin {
				t.Errorf("%q reads %q, want %q", typed, got, want)
				break
			}
		}
	}
}

func TestMarkupInOtherTextsReadsAsPeopleReadIt(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.askIn(s.general, sim.Arg("prompt", "a frog"), sim.Arg("negative", "<:pepe:1234>, blurry"))
	if got := j.Request.Negative(); got != "pepe, blurry" {
		t.Errorf("negative is %q", got)
	}
	m := s.ada.Say(s.general, "a frog <:pepe:1234> with <@"+s.ada.ID+">")
	i := s.apply(s.ada, "Remix with LTX", m)
	form, err := i.WaitModal(s.ctx)
	if err != nil || form.Fields[0].Value != "a frog pepe with ada" {
		t.Errorf("form is %+v, %v", form, err)
	}
	if got := s.job(s.submit(s.ada, i, map[string]any{"prompt": "a <:toad:77>"})).Request.Prompt(); got != "a toad" {
		t.Errorf("prompt is %q", got)
	}
}

// TestNamesThatTheInteractionCarriesAreNotAskedFor sends what a client with
// resolved mentions sends.
func TestNamesThatTheInteractionCarriesAreNotAskedFor(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	i, err := s.ada.SlashRaw(s.ctx, s.general, "ltx", map[string]any{
		"options": []any{map[string]any{"name": "prompt", "type": 3, "value": "<@11> in <#12> with <@&13> and <@14>"}},
		"resolved": map[string]any{
			"users":    map[string]any{"11": map[string]any{"id": "11", "username": "bob", "global_name": "Bobby"}, "14": map[string]any{"id": "14", "username": "eve"}},
			"members":  map[string]any{"11": map[string]any{"nick": "The Bob"}},
			"channels": map[string]any{"12": map[string]any{"id": "12", "name": "studio"}},
			"roles":    map[string]any{"13": map[string]any{"id": "13", "name": "crew"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.job(i).Request.Prompt(); got != "The Bob in studio with crew and eve" {
		t.Errorf("prompt is %q", got)
	}
	if n := len(s.sim.RequestsTo(sim.RouteMember)) + len(s.sim.RequestsTo(sim.RouteGuild)); n != 0 {
		t.Errorf("%d questions", n)
	}
}

func TestNamesAreNotWaitedForLong(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.sim.Inject(sim.Fault{Route: sim.RouteMember, Delay: 10 * time.Second, Times: -1})
	i := s.slash("ltx", sim.Arg("prompt", "<@1> "+strings.Repeat("<@2>", 50)))
	s.job(i)
	if _, ok := i.Acked(); !ok {
		t.Error("it is not acknowledged")
	}
	s.sim.ClearFaults()
	// A question that the bot gave up on may reach the log only later, so it is
	// always another person that is asked about. A busy machine may have no time to
	// ask for all five.
	for n, user := 0, 3; n < 5; user++ {
		id := strconv.Itoa(user)
		s.askIn(s.general, sim.Arg("prompt", strings.Repeat("<@"+id+"> ", 50)))
		n = len(slices.DeleteFunc(s.sim.RequestsTo(sim.RouteMember), func(r sim.Request) bool { return r.Params["user"] != id }))
		if n > 5 {
			t.Fatalf("%d names were asked for, want 5", n)
		}
	}
}
