package slack_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"ltxbot/bot/slack"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	sim "ltxbot/sim/slack"
)

// name is how a message mentions the bot.
func (s *stage) name() string { return "<@" + s.ws.Bot().ID() + ">" }

// say lets ann say something, in which BOT is the bot's name.
func (s *stage) say(ch *sim.Channel, text string) sim.Message {
	return s.ann.Say(ch, strings.ReplaceAll(text, "BOT", s.name()), "")
}

// hears waits until the bot has been told of what happens.
func (s *stage) hears(happens func()) {
	s.t.Helper()
	before := len(s.sim.Acks())
	happens()
	s.wait(func() bool { return len(s.sim.Acks()) > before })
}

// edits lets ann change what she said.
func (s *stage) edits(m sim.Message, text string) {
	s.t.Helper()
	s.hears(func() {
		if err := s.ann.EditMessage(m, strings.ReplaceAll(text, "BOT", s.name())); err != nil {
			s.t.Fatal(err)
		}
	})
}

// settled waits until the bot has handled all that it was told of: it stops.
func (s *stage) settled() {
	s.t.Helper()
	s.check("stop", s.bot.Stop(s.ctx))
}

func TestAMessageThatNamesTheBotIsAnOrder(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"BOT a red fox camera:dolly_in":                    "a red fox",
		"BOT: a red fox":                                   "a red fox",
		"BOT, a red fox":                                   "a red fox",
		"*BOT* a red fox":                                  "a red fox",
		"hey BOT, a red fox":                               "a red fox",
		"BOT a red fox runs from BOT!":                     "a red fox runs from",
		"a red fox camera:dolly_in BOT":                    "a red fox",
		"a red fox, BOT, runs camera:dolly_in":             "a red fox runs",
		"a red fox (BOT) runs `camera:dolly_in`":           "a red fox runs",
		"BOT --seed 7 a red fox":                           "a red fox",
		"BOT why does a fox run? seed:7":                   "why does a fox run?",
		"BOT prompt: why does a fox run?":                  "why does a fox run?",
		"BOT a woman says \"why?\"":                        "a woman says \"why?\"",
		"BOT make it rain frogs over an old town at night": "make it rain frogs over an old town at night",
		"BOT a fox, lovely and super fast":                 "a fox, lovely and super fast",
		"BOT `/ltx a red fox`":                             "a red fox",
		"BOT a fox for <@U0BOB00001>":                      "a fox for bob",
		"BOT a fox for <!subteam^S1|@designers>":           "a fox for @designers",
		"BOT a :fox_face: in <#C0GENERAL1|general>":        "a :fox_face: in #general",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			for got := ""; got != want; {
				began := time.Now()
				s.say(s.general, text)
				got = s.job().Request.Prompt()
				// A machine so busy that names are not waited for says nothing.
				if got != want && time.Since(began) < slack.NamesWithin {
					t.Errorf("the prompt is %q, want %q", got, want)
					break
				}
			}
		})
	}
}

func TestAMessageThatNamesTheBotIsAnsweredLikeTheCommand(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"BOT: help":                 "a cowboy walks",
		"BOT":                       "a cowboy walks",
		"BOT?":                      "a cowboy walks",
		"BOT `help`":                "a cowboy walks",
		"help BOT!":                 "a cowboy walks",
		"hello BOT":                 "a cowboy walks",
		"BOT _jobs_":                "You have no videos yet",
		"BOT `/ltx quota`":          "No limits apply",
		"BOT `hlep`":                "is not a command",
		"quota, BOT":                "No limits apply",
		"BOT a fox camera:dolly_im": "Did you mean",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.say(s.general, text)
			s.whisper(s.ann, s.general, says)
			s.wantJobs(0)
		})
	}
}

// People talk about the bot, and thank it.
func TestWhatIsHardlyAnOrderMakesNoVideo(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"thanks BOT!", "BOT thank you!", "BOT nice one", "ありがとう BOT", "BOT thank you so much", "BOT Vielen Dank! :tada:", "BOT wow, lovely!"} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.hears(func() { s.say(s.general, text) })
			s.settled()
			s.wantJobs(0)
			if got := len(s.general.Seen(s.ann)); got != 1 {
				t.Errorf("the bot answered: %s", texts(s.general))
			}
		})
	}
	for _, text := range []string{
		"I think BOT is broken today", "BOT sunset", "have you seen what BOT can do?",
		"BOT lovely old house", "BOT super mario jumps", "BOT hello kitty dances",
		"BOT was kostet die Welt?", "BOT how much snow is left?", "BOT 雪はいくらかかりますか？", "BOT これはいくらですか", "BOT why did it fail this time ?!",
		"BOT please make it longer", "BOT make it a bit longer, please", "BOT can you do that again", "BOT try again", "BOT another one please",
		"BOT bitte mach es länger", "BOT kannst du das länger machen", "BOT noch mal bitte", "BOT hazlo más largo", "BOT por favor hazlo otra vez",
		"BOT fais-le plus long", "BOT encore une fois", "BOT もう一度お願いします、長くして",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.say(s.general, text)
			s.whisper(s.ann, s.general, "Nothing was made and nothing was charged")
			s.wantJobs(0)
		})
	}
}

// TestAQuestionAboutTheBotIsAnswered without a button for a video of it.
func TestAQuestionAboutTheBotIsAnswered(t *testing.T) {
	t.Parallel()
	for text, answer := range map[string]string{
		"BOT how much is left?": "Your limits", "BOT wie viel ist noch übrig?": "Your limits", "BOT いくらですか": "Models and prices",
		"BOT settings": "Options", "BOT hilfe kamera": "How the camera moves",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.say(s.general, text)
			s.whisper(s.ann, s.general, answer)
			s.wantJobs(0)
		})
	}
}

func TestAnUnclearMessageBecomesAVideoByItsButtonOnce(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	root := s.bob.Say(s.general, "look", "")
	said := s.ann.Say(s.general, "a red fox runs with "+s.name(), root.TS)
	question := s.whisper(s.ann, s.general, "a red fox runs with")
	s.click(s.ann, question, "Make the video")
	j := s.job()
	if j.Request.Prompt() != "a red fox runs with" || j.Place.Thread != root.TS || j.Place.Channel != s.general.ID() {
		t.Errorf("prompt %q at %+v", j.Request.Prompt(), j.Place)
	}
	s.whisper(s.ann, s.general, "I am making a video of it")
	s.edits(said, "a red fox runs with BOT camera:dolly_in")
	s.settled()
	s.wantJobs(1)
}

func TestAnEditedMessageIsTheSameOrder(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	said := s.say(s.general, "BOT a red fox")
	s.job()
	for range 2 {
		s.edits(said, "BOT a green fox")
	}
	s.whisper(s.ann, s.general, "as you first wrote it")
	s.restart() // nothing is remembered of the events
	s.edits(said, "BOT a blue fox")
	s.settled()
	s.wantJobs(1)
}

func TestAnEditMendsAnOrderThatWasRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		wait time.Duration
		jobs int
	}{{"within the hour", 59 * time.Minute, 1}, {"later", 61 * time.Minute, 0}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			said := s.say(s.general, "BOT a red fox camera:dolly_im")
			s.whisper(s.ann, s.general, "Did you mean")
			s.sim.Advance(tt.wait)
			s.restart() // connections do not last for an hour
			s.edits(said, "BOT a red fox camera:dolly_in")
			s.settled()
			if s.engine.Count() != tt.jobs {
				t.Errorf("%d jobs", s.engine.Count())
			}
		})
	}
}

// An edit of an order about quotas would grant twice.
func TestAnEditCarriesOutNoVerb(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	said := s.say(s.general, "BOT quota")
	s.whisper(s.ann, s.general, "No limits apply")
	s.edits(said, "BOT jobs")
	s.settled()
	for _, m := range s.general.Messages() {
		if strings.Contains(m.Text, "You have no videos yet") {
			t.Error("the edit was carried out")
		}
	}
}

func TestWhatIsNotSaidToTheBotByAPersonIsIgnored(t *testing.T) {
	t.Parallel()
	fox := map[string]any{"type": "app_mention", "text": "BOT a red fox runs", "ts": "1700000000.000100"}
	for name, change := range map[string]map[string]any{
		"a mention of somebody else": {"text": "<@U0SOMEBODY> a red fox runs"},
		"a mention in an attachment": {"text": "look at this"},
		"another bot":                {"bot_id": "B0OTHER001"},
		"Slackbot":                   {"user": "USLACKBOT"},
		"nobody":                     {"user": ""},
		"the bot itself":             {"user": "THEBOT"},
		"an integration":             {"subtype": "bot_message"},
		"a hidden event":             {"hidden": true},
		"a changed message":          {"type": "message", "channel_type": "im", "subtype": "message_changed"},
		"a deleted message":          {"type": "message", "channel_type": "im", "subtype": "message_deleted"},
		"a message in a channel":     {"type": "message", "channel_type": "channel"},
		"a message in a group":       {"type": "message", "channel_type": "mpim"},
		"somebody who joins":         {"type": "message", "channel_type": "im", "subtype": "channel_join"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			event := map[string]any{"user": s.ann.ID(), "channel": s.general.ID()}
			for _, fields := range []map[string]any{fox, change} {
				maps.Copy(event, fields)
			}
			event["text"] = strings.ReplaceAll(event["text"].(string), "BOT", s.name())
			if event["user"] == "THEBOT" {
				event["user"] = s.ws.Bot().ID()
			}
			s.sim.SendFrame(map[string]any{"type": "events_api", "envelope_id": "e1", "payload": map[string]any{
				"type": "event_callback", "event_id": "Ev1", "team_id": s.ws.ID(), "event": event,
			}})
			s.wait(func() bool { return len(s.sim.Acks()) > 0 })
			s.settled()
			s.wantJobs(0)
		})
	}
}

func TestDirectMessagesToTheBotWorkLikeMentions(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	dm := s.ann.DM()
	s.say(dm, "`help`")
	s.whisper(s.ann, dm, "a cowboy walks")
	s.hears(func() { s.say(dm, "thanks!") })
	s.say(dm, "sunset")
	s.whisper(s.ann, dm, "Nothing was made and nothing was charged")
	s.wantJobs(0)
	said := s.say(dm, "BOT a cowboy walks through a dusty town `camera:dolly_in`")
	j := s.job()
	if j.Request.Prompt() != "a cowboy walks through a dusty town" || j.Place.Channel != dm.ID() || j.Place.Private {
		t.Errorf("prompt %q at %+v", j.Request.Prompt(), j.Place)
	}
	s.mustShow(j.ID, generate.Accepted)
	s.mustShow(j.ID, generate.Running) // an edit of the card is an event, too
	s.mustDeliver(j.ID)
	s.edits(said, "a red fox runs")
	s.hears(func() { dm.Delete(said.TS) })
	s.settled()
	if len(videos(dm)) != 1 || len(results(dm, j.ID)) != 1 || s.engine.Count() != 1 {
		t.Errorf("%d jobs, messages: %s", s.engine.Count(), texts(dm))
	}
	if _, ok := fromBot(dm)[0].Blocks.Button(view.ButtonID(view.ActCancel, j.ID)); !ok {
		t.Error("the first message is not the card")
	}
}

// A message in a channel that two workspaces share may name the bot of either.
func TestAMentionInASharedChannelIsForTheInstallationThatItNames(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	beta, gamma := s.stranger("beta"), s.stranger("gamma")
	s.mustInstall(beta.ws)
	s.mustInstall(gamma.ws)
	shared := beta.ws.AddChannel(sim.ChannelSpec{
		Name: "shared", Members: []*sim.User{beta.user, gamma.user, beta.ws.Bot(), gamma.ws.Bot()}, Shared: []*sim.Workspace{gamma.ws},
	})
	gamma.user.Say(shared, "<@"+gamma.ws.Bot().ID()+"> a red fox runs", "")
	j := s.job()
	if j.Team != "slack:"+gamma.ws.ID() || j.Place.Tenant != gamma.ws.ID() || !strings.HasSuffix(j.Member, gamma.user.ID()) {
		t.Errorf("team %q, tenant %q, member %q", j.Team, j.Place.Tenant, j.Member)
	}
	beta.user.Say(shared, "<@"+gamma.ws.Bot().ID()+"> a red fox runs", "")
	s.whisper(beta.user, shared, "Guests and people of other organisations")
	s.wantJobs(1)
}

// Slack answers so many questions about people a minute. Whoever uses them up
// by a message keeps the bot from knowing who is an admin.
func TestAMessageFullOfMentionsAsksSlackAboutFew(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	var text strings.Builder
	for n := range 40 {
		fmt.Fprintf(&text, "<@U0MADEUP%03d> and ", n)
	}
	s.mention(s.ann, s.general, "a picnic with "+text.String()+"<@"+s.bob.ID()+">", "")
	s.job()
	asked := 0
	for _, r := range s.sim.Requests("users.info") {
		if r.Args["user"] != s.ann.ID() {
			asked++
		}
	}
	if asked > 10 {
		t.Errorf("Slack was asked about %d people, want 10 at most", asked)
	}
}

// A guest stays one while Slack can't say so.
func TestNobodyIsAnAdminWhileSlackDoesNotSayWhoTheyAre(t *testing.T) {
	t.Parallel()
	s := prepareStage(t, quietSim(), func(c *slack.Config) { c.AllowGuests = true })
	guest := s.ws.AddUser(sim.UserSpec{Name: "guest", Guest: true})
	s.general.Add(guest)
	s.cfg.AdminGroups = []string{s.ws.AddGroup("leads", guest)}
	s.bot = s.newBot()
	s.start()
	s.sim.Inject(sim.Fault{Method: "users.info", Kind: sim.APIError, Error: "internal_error", Times: -1})
	s.slash(guest, s.general, "admin")
	s.whisper(guest, s.general, "Only admins and owners")
}
