package slack_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"ltxbot/bot/slack"
	"ltxbot/core/generate"
	sim "ltxbot/sim/slack"
)

func TestAPublicChannelIsJoinedForTheCard(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	random := s.ws.AddChannel(sim.ChannelSpec{Name: "random", Members: []*sim.User{s.ann}})
	s.slash(s.ann, random, cowboy)
	j := s.job()
	s.mustShow(j.ID, generate.Accepted)
	if !random.Has(s.ws.Bot()) {
		t.Error("the bot did not join the channel")
	}
	s.mustDeliver(j.ID)
	if len(videos(random)) != 1 || len(results(random, j.ID)) != 1 {
		t.Errorf("the channel has no video with its text: %s", texts(random))
	}
}

func TestAChannelThatTakesNoMessagesIsFoundOutBeforeMoneyIsSpent(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		spec   sim.ChannelSpec
		change func(*sim.Channel)
		says   string
	}{
		{"a private channel without the bot", sim.ChannelSpec{Kind: sim.Private}, nil, "/invite @ltx"},
		{"direct messages between others", sim.ChannelSpec{Kind: sim.IM}, nil, "between other people"},
		{"a group of people without the bot", sim.ChannelSpec{Kind: sim.MPIM}, nil, "/invite @ltx"},
		{"a public channel that it cannot join", sim.ChannelSpec{NoJoin: true}, nil, "could not join"},
		{"a channel that was archived meanwhile", sim.ChannelSpec{}, func(c *sim.Channel) { c.Archive(true) }, "archived"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			tt.spec.Members = []*sim.User{s.ann, s.bob}
			room := s.ws.AddChannel(tt.spec)
			s.slash(s.ann, room, cowboy)
			j := s.job()
			if tt.change != nil {
				tt.change(room)
			}
			if err := s.show(j.ID, generate.Accepted); !errors.Is(err, generate.ErrUnreachable) {
				t.Fatalf("show says %v", err)
			}
			s.whisper(s.ann, room, tt.says)
			if err := s.show(j.ID, generate.Accepted); !errors.Is(err, generate.ErrUnreachable) {
				t.Errorf("a second try says %v: it must stay unreachable", err)
			}
			s.engine.Put(j.ID, func(j *generate.Job) { j.Failure.Kind = generate.FailUnreachable })
			s.mustShow(j.ID, generate.Failed)
			if got := len(room.Messages()); got != 1 {
				t.Errorf("%d messages, want the one answer: %s", got, texts(room))
			}
			if got := len(s.ann.DM().Messages()); got != 0 {
				t.Errorf("%d direct messages out of the blue", got)
			}
		})
	}
}

// With chat:write.public a card alone would prove nothing: files are for
// members.
func TestWithTheRightToPostEverywhereTheBotJoinsBeforeTheCard(t *testing.T) {
	t.Parallel()
	s := newStageWith(t, sim.Options{NoRateLimits: true, App: sim.App{Scopes: append(appScopes(t), "chat:write.public")}})
	random := s.ws.AddChannel(sim.ChannelSpec{Name: "random", Members: []*sim.User{s.ann}})
	s.slash(s.ann, random, cowboy)
	s.mustShow(s.job().ID, generate.Accepted)
	if !random.Has(s.ws.Bot()) || len(fromBot(random)) != 1 {
		t.Errorf("not joined, or no card: %s", texts(random))
	}
	inner := s.ws.AddChannel(sim.ChannelSpec{Name: "inner", Kind: sim.Private, Members: []*sim.User{s.ann, s.ws.Bot()}})
	s.slash(s.ann, inner, cowboy)
	s.mustShow(s.job().ID, generate.Accepted)
	closed := s.ws.AddChannel(sim.ChannelSpec{Name: "closed", NoJoin: true, Members: []*sim.User{s.ann}})
	s.slash(s.ann, closed, cowboy)
	if err := s.show(s.job().ID, generate.Accepted); !errors.Is(err, generate.ErrUnreachable) {
		t.Errorf("show says %v", err)
	}
	s.whisper(s.ann, closed, "could not join")
	if len(fromBot(closed)) != 0 {
		t.Errorf("a card was posted: %s", texts(closed))
	}
}

func TestAReadOnlyChannelIsExplainedToAnAdminWhoMayTypeThere(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	boss := s.ws.AddUser(sim.UserSpec{Name: "boss", Admin: true})
	news := s.ws.AddChannel(sim.ChannelSpec{Name: "news", ReadOnly: true, Members: []*sim.User{boss, s.ws.Bot()}})
	s.slash(boss, news, cowboy)
	j := s.job()
	if err := s.show(j.ID, generate.Accepted); !errors.Is(err, generate.ErrUnreachable) {
		t.Fatalf("show says %v", err)
	}
	s.whisper(boss, news, "may not post in this channel")
}

func TestWhereTheBotCannotPostItOffersADirectMessage(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	secret := s.ws.AddChannel(sim.ChannelSpec{Name: "secret", Kind: sim.Private, Members: []*sim.User{s.ann}})
	s.slash(s.ann, secret, cowboy)
	j := s.job()
	if err := s.show(j.ID, generate.Accepted); !errors.Is(err, generate.ErrUnreachable) {
		t.Fatalf("show says %v", err)
	}
	answer := s.whisper(s.ann, secret, "/invite")
	s.click(s.ann, answer, "Send it to me in a direct message")
	again := s.job()
	s.whisper(s.ann, secret, "It comes as a direct message")
	if left := s.whisper(s.ann, secret, "direct message"); strings.Contains(string(blocksJSON(t, left)), "v1:dm:") || len(secret.Messages()) != 1 {
		t.Errorf("the button is still there: %s", texts(secret))
	}
	if !again.Place.Private || again.Parent != j.ID || again.Request.Prompt() != j.Request.Prompt() {
		t.Errorf("the second job is %+v", again.Place)
	}
	s.mustShow(again.ID, generate.Accepted)
	s.mustDeliver(again.ID)
	s.mustShow(again.ID, generate.Delivered)
	dm := s.ann.DM()
	if len(videos(dm)) != 1 || len(results(dm, again.ID)) != 1 {
		t.Errorf("no video by direct message: %s", texts(dm))
	}
}

func TestWithoutAResponseURLTheRequesterIsToldByDirectMessage(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	secret := s.ws.AddChannel(sim.ChannelSpec{Name: "secret", Kind: sim.Private, Members: []*sim.User{s.ann}})
	s.slash(s.ann, secret, cowboy)
	j := s.job()
	s.engine.Put(j.ID, func(j *generate.Job) { j.Notes["response_till"] = "1" })
	if err := s.show(j.ID, generate.Accepted); !errors.Is(err, generate.ErrUnreachable) {
		t.Fatalf("show says %v", err)
	}
	dm := fromBot(s.ann.DM())
	if len(dm) != 1 || !strings.Contains(dm[0].Text, "I am not in this channel") {
		t.Errorf("direct messages: %s", texts(s.ann.DM()))
	}
	if n := len(s.sim.Requests("response_url")); n != 0 {
		t.Errorf("an expired response URL was used %d times", n)
	}
}

func TestAPrivateVideoComesByDirectMessage(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.ask(cowboy + " private:yes")
	s.whisper(s.ann, s.general, "Only you will see it")
	s.mustShow(j.ID, generate.Accepted)
	s.mustShow(j.ID, generate.Running)
	s.mustDeliver(j.ID)
	s.mustShow(j.ID, generate.Delivered)
	if got := len(fromBot(s.general)); got != 0 {
		t.Errorf("the channel saw %d messages: %s", got, texts(s.general))
	}
	dm := s.ann.DM()
	if len(videos(dm)) != 1 || len(results(dm, j.ID)) != 1 || len(fromBot(dm)) != 3 {
		t.Errorf("direct messages: %s", texts(dm))
	}
}

func TestACommandInTheBotsOwnDirectMessagesIsAnsweredThere(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	dm := s.ann.DM()
	s.slash(s.ann, dm, cowboy)
	j := s.job()
	s.mustShow(j.ID, generate.Accepted)
	s.mustDeliver(j.ID)
	if len(videos(dm)) != 1 || len(results(dm, j.ID)) != 1 {
		t.Errorf("direct messages: %s", texts(dm))
	}
}

func TestAPaidVideoGoesToTheRequesterWhenTheChannelIsGone(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(s *stage){
		"archived": func(s *stage) { s.general.Archive(true) },
		"kicked": func(s *stage) {
			s.general.Remove(s.ws.Bot())
			s.sim.Inject(sim.Fault{Method: "conversations.join", Kind: sim.APIError, Error: "restricted_action", Times: -1})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			j := s.shown(cowboy, generate.Accepted)
			end(s)
			receipt := s.mustDeliver(j.ID)
			dm := s.ann.DM()
			if len(videos(dm)) != 1 || len(results(dm, j.ID)) != 1 || len(videos(s.general)) != 0 {
				t.Fatalf("direct messages: %s", texts(dm))
			}
			if !strings.Contains(fromBot(dm)[0].Text, "I can no longer post where you asked") {
				t.Errorf("the first direct message says %q", fromBot(dm)[0].Text)
			}
			if !strings.HasPrefix(receipt.Message, dm.ID()+":") {
				t.Errorf("receipt is %+v", receipt)
			}
			s.mustDeliver(j.ID)
			if len(videos(dm)) != 1 || len(fromBot(dm)) != 3 {
				t.Errorf("a second delivery posted again: %s", texts(dm))
			}
		})
	}
}

// Uploads were switched off, and then the bot was shut out: there was a link that
// nobody has seen. Once it is let in again, the video itself is wanted.
func TestAVideoThatIsDeliveredAgainBeginsAnew(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.shown(cowboy, generate.Accepted)
	s.sim.Inject(sim.Fault{Method: "files.getUploadURLExternal", Kind: sim.APIError, Error: "file_uploads_disabled", Times: 1})
	letIn := s.sim.Inject(sim.Fault{Method: "chat.postMessage", Kind: sim.APIError, Error: "restricted_action", Times: -1})
	if _, err := s.deliver(j.ID); !errors.Is(err, generate.ErrUnreachable) {
		t.Fatalf("a conversation that takes nothing: %v", err)
	}
	letIn()
	s.engine.Put(j.ID, func(j *generate.Job) {
		j.Redelivery, j.Doubted = &generate.Redelivery{By: "operator", At: s.sim.Now()}, true
	})
	for range 2 {
		if receipt := s.mustDeliver(j.ID); receipt.Fit != generate.FitOriginal {
			t.Errorf("receipt %+v", receipt)
		}
	}
	if len(videos(s.general)) != 1 || len(results(s.general, j.ID)) != 1 {
		t.Errorf("the channel has: %s", texts(s.general))
	}
}

func TestAWorkspaceWithoutUploadsGetsALinkWithTheReason(t *testing.T) {
	ask, share := "files.getUploadURLExternal", "files.completeUploadExternal"
	for code, tt := range map[string]struct{ where, says string }{
		"file_uploads_disabled":                     {ask, "Uploads are switched off here"},
		"file_upload_size_restricted":               {ask, "too large to upload here"},
		"storage_limit_reached":                     {ask, "no room left for files"},
		"ekm_access_denied":                         {ask, "may not be uploaded here"},
		"missing_scope":                             {ask, "am not allowed to upload"},
		"blocked_file_type":                         {share, "may not be uploaded here"},
		"slack_connect_file_upload_sharing_blocked": {share, "shared with another organisation"},
		"slack_connect_clip_sharing_blocked":        {share, "shared with another organisation"},
	} {
		where := tt.where
		t.Run(code, func(t *testing.T) {
			s := newStage(t)
			j := s.shown(cowboy, generate.Accepted)
			s.sim.Inject(sim.Fault{Method: where, Kind: sim.APIError, Error: code, Times: -1})
			s.engine.Put(j.ID, func(j *generate.Job) { j.Output.URL = "https://v3.fal.media/files/b/x.mp4" })
			receipt := s.mustDeliver(j.ID)
			found := results(s.general, j.ID)
			if len(found) != 1 || receipt.Fit != generate.FitLink {
				t.Fatalf("receipt %+v, messages: %s", receipt, texts(s.general))
			}
			if !strings.Contains(string(blocksJSON(t, found[0])), "https://v3.fal.media/files/b/x.mp4") {
				t.Error("the text has no link to the video")
			}
			says := found[0].Text + found[0].Blocks.Text()
			if !strings.Contains(says, tt.says) || code != "file_upload_size_restricted" && strings.Contains(says, "too large") {
				t.Errorf("the text says %q", says)
			}
		})
	}
}

func TestAnOrganisationIsOneHomeForItsMembers(t *testing.T) {
	t.Parallel()
	s := prepareStage(t, sim.Options{NoRateLimits: true}, func(c *slack.Config) {
		c.Team = func(workspace, enterprise string) string { return "team of " + workspace + " in " + enterprise }
	})
	org := s.sim.AddWorkspace(sim.WorkspaceSpec{ID: "T0GRID0001", Enterprise: "E0GRID0001"})
	kim := org.AddUser(sim.UserSpec{ID: "W0KIM00001", Name: "kim"})
	room := org.AddChannel(sim.ChannelSpec{Name: "room", Members: []*sim.User{kim, org.Bot()}})
	s.cfg.BotToken = org.BotToken()
	s.bot = s.newBot()
	s.start()
	s.slash(kim, room, cowboy)
	j := s.job()
	if j.Team != "team of T0GRID0001 in E0GRID0001" || j.Member != "slack:E0GRID0001:W0KIM00001" || j.Place.Tenant != "T0GRID0001" {
		t.Errorf("team %q, member %q, tenant %q", j.Team, j.Member, j.Place.Tenant)
	}
}

func TestGuestsAreRefusedUnlessAllowed(t *testing.T) {
	t.Parallel()
	for _, allowed := range []bool{false, true} {
		s := newStage(t, func(c *slack.Config) { c.AllowGuests = allowed })
		guest := s.ws.AddUser(sim.UserSpec{Name: "guest", Guest: true})
		s.general.Add(guest)
		s.slash(guest, s.general, cowboy)
		if allowed {
			s.job()
			continue
		}
		s.whisper(guest, s.general, "Guests and people of other organisations")
		s.wantJobs(0)
	}
}

func TestOutsidersOfASharedChannelMayLookButNotMake(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	other := s.sim.AddWorkspace(sim.WorkspaceSpec{ID: "T0OTHER001", NotInstalled: true})
	eve := other.AddUser(sim.UserSpec{Name: "eve", Admin: true})
	shared := s.ws.AddChannel(sim.ChannelSpec{Name: "shared", Members: []*sim.User{s.ann, eve, s.ws.Bot()}, Shared: []*sim.Workspace{other}})
	s.slash(s.ann, shared, cowboy)
	j := s.job()
	s.mustShow(j.ID, generate.Accepted)
	s.click(eve, fromBot(shared)[0], "Cancel")
	s.whisper(eve, shared, "or an admin")
	s.mustDeliver(j.ID)
	result := results(shared, j.ID)[0]
	s.click(eve, result, "Again")
	s.whisper(eve, shared, "Guests and people of other organisations")
	s.click(eve, result, "Delete")
	if _, err := eve.Click(s.ctx, result, "Details"); err != nil {
		t.Fatal(err)
	}
	s.whisper(eve, shared, "All settings")
	if s.engine.Count() != 1 || len(videos(shared)) != 1 || len(s.engine.Cancelled) != 0 {
		t.Error("an outsider did more than look")
	}
	if !slices.ContainsFunc(shared.Messages(), func(m sim.Message) bool { return m.TS == result.TS }) {
		t.Error("an outsider deleted the result")
	}
}

func TestAPressByAnOutsiderIsCountedWhereTheMessageStands(t *testing.T) {
	t.Parallel()
	s := newStage(t, func(c *slack.Config) { c.AllowGuests = true })
	other := s.sim.AddWorkspace(sim.WorkspaceSpec{ID: "T0OTHER001", NotInstalled: true, NamesItself: true})
	eve := other.AddUser(sim.UserSpec{Name: "eve", Admin: true})
	shared := s.ws.AddChannel(sim.ChannelSpec{Name: "shared", Members: []*sim.User{s.ann, eve, s.ws.Bot()}, Shared: []*sim.Workspace{other}})
	s.slash(s.ann, shared, cowboy)
	j := s.job()
	s.mustShow(j.ID, generate.Accepted)
	s.mustDeliver(j.ID)
	s.click(eve, results(shared, j.ID)[0], "Again")
	again := s.job()
	if want := "slack:" + other.ID() + ":" + eve.ID(); again.Team != j.Team || again.Member != want {
		t.Errorf("counted for team %q and member %q, want %q and %q", again.Team, again.Member, j.Team, want)
	}
}

func TestAnOutsiderSeesOnlyWhatStandsInTheSharedChannel(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	other := s.sim.AddWorkspace(sim.WorkspaceSpec{ID: "T0OTHER001", NotInstalled: true})
	eve := other.AddUser(sim.UserSpec{Name: "eve"})
	shared := s.ws.AddChannel(sim.ChannelSpec{Name: "shared", Members: []*sim.User{s.ann, eve, s.ws.Bot()}, Shared: []*sim.Workspace{other}})
	s.slash(s.ann, s.general, cowboy)
	inside := s.job()
	s.slash(s.ann, shared, "a fox in the snow")
	outside := s.job()
	for _, tt := range []struct{ line, want string }{
		{"show " + inside.ID, "There is no job"},
		{"show " + outside.ID, "a fox in the snow"},
		{"quota", "Your limits"},
	} {
		s.mention(eve, shared, tt.line, "")
		if m := s.whisper(eve, shared, tt.want); strings.Contains(m.Text, "Your team") || strings.Contains(m.Text, "All teams") {
			t.Errorf("%s: an outsider reads %q", tt.line, m.Text)
		}
	}
}

// Slack says is_stranger of nobody who shares a channel, and tells the roles
// that people have at home.
func TestOutsidersOfAnOrganisationAreNoMembersAndNoAdmins(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		partner sim.WorkspaceSpec
		member  bool
	}{
		{"another workspace of the organisation", sim.WorkspaceSpec{ID: "T0GRID0002", Enterprise: "E0GRID0001", NotInstalled: true}, true},
		{"a partner without an organisation", sim.WorkspaceSpec{ID: "T0OTHER001", NotInstalled: true}, false},
		{"a partner with an organisation of its own", sim.WorkspaceSpec{ID: "T0OTHER001", Enterprise: "E0OTHER001", NotInstalled: true}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := prepareStage(t, quietSim())
			org := s.sim.AddWorkspace(sim.WorkspaceSpec{ID: "T0GRID0001", Enterprise: "E0GRID0001"})
			partner := s.sim.AddWorkspace(tt.partner)
			kim := org.AddUser(sim.UserSpec{ID: "W0KIM00001", Name: "kim"})
			eve := partner.AddUser(sim.UserSpec{ID: "W0EVE00001", Name: "eve", Admin: true})
			room := org.AddChannel(sim.ChannelSpec{Name: "room", Members: []*sim.User{kim, eve, org.Bot()}, Shared: []*sim.Workspace{partner}})
			leads := org.AddGroup("leads", eve)
			s.cfg.BotToken, s.cfg.AdminGroups = org.BotToken(), []string{leads}
			s.bot = s.newBot()
			s.start()
			ask := func(text string) {
				t.Helper()
				s.mention(eve, room, text, "")
			}
			ask("admin")
			if tt.member {
				s.whisper(eve, room, "You may manage")
				ask(cowboy)
				s.job()
				return
			}
			s.whisper(eve, room, "Only admins and owners")
			ask(cowboy)
			s.whisper(eve, room, "Guests and people of other organisations")
			s.wantJobs(0)
		})
	}
}

func TestGuestsAreNeverAdmins(t *testing.T) {
	t.Parallel()
	s := prepareStage(t, quietSim(), func(c *slack.Config) { c.AllowGuests = true })
	guest := s.ws.AddUser(sim.UserSpec{Name: "guest", Guest: true, Admin: true})
	s.general.Add(guest)
	s.cfg.AdminGroups = []string{s.ws.AddGroup("leads", guest)}
	s.bot = s.newBot()
	s.start()
	s.slash(guest, s.general, "admin")
	s.whisper(guest, s.general, "Only admins and owners")
	s.slash(guest, s.general, cowboy)
	s.job()
}

// Without users:read nobody knows where somebody is at home: then only those
// count as members who the event itself says belong to the workspace.
func TestSomebodyWhoCannotBeLookedUpFromElsewhereIsNoMember(t *testing.T) {
	t.Parallel()
	s := prepareStage(t, without(t, "users:read"))
	org := s.sim.AddWorkspace(sim.WorkspaceSpec{ID: "T0GRID0001", Enterprise: "E0GRID0001"})
	partner := s.sim.AddWorkspace(sim.WorkspaceSpec{ID: "T0OTHER001", NotInstalled: true})
	kim := org.AddUser(sim.UserSpec{ID: "W0KIM00001", Name: "kim"})
	eve := partner.AddUser(sim.UserSpec{ID: "W0EVE00001", Name: "eve"})
	room := org.AddChannel(sim.ChannelSpec{Name: "room", Members: []*sim.User{kim, eve, org.Bot()}, Shared: []*sim.Workspace{partner}})
	s.cfg.BotToken = org.BotToken()
	s.bot = s.newBot()
	s.start()
	s.mention(eve, room, cowboy, "")
	s.whisper(eve, room, "Guests and people of other organisations")
	s.slash(kim, room, cowboy)
	s.job()
}
