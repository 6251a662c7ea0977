package app_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"ltxbot/config"
	"ltxbot/core/generate"
	simdiscord "ltxbot/sim/discord"
	simslack "ltxbot/sim/slack"
)

// console is somebody's browser at the console of a bot.
type console struct {
	*world

	t      *testing.T
	client *http.Client
}

func (w *world) console(t *testing.T) *console {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &console{w, t, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// at is the address of a page.
func (w *world) at(path string) string { return "http://" + w.app.Addr() + path }

func (c *console) do(method, address string, form url.Values) (status int, to, text string) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	resp, err := c.client.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("Location"), string(page)
}

// has opens a page and looks for what must be there.
func (c *console) has(path string, parts ...string) {
	c.t.Helper()
	status, _, text := c.do(http.MethodGet, c.at(path), nil)
	for _, part := range parts {
		if status != http.StatusOK || !strings.Contains(text, part) {
			c.t.Errorf("%s: %d, no %q: %s", path, status, part, text)
		}
	}
}

// signIn goes to a platform, where consent gives the address to come back to.
func (c *console) signIn(platform string, consent func(address string) (string, error)) {
	c.t.Helper()
	_, there, _ := c.do(http.MethodGet, c.at("/admin/sign-in/"+platform), nil)
	back, err := consent(there)
	if err != nil {
		c.t.Fatal(err)
	}
	if status, _, text := c.do(http.MethodGet, back, nil); status != http.StatusSeeOther {
		c.t.Fatalf("coming back from %s: %d %s", platform, status, text)
	}
}

func TestADiscordAdminDoesADaysWorkInTheConsole(t *testing.T) {
	t.Parallel()
	w := prepare(t, "text")
	w.cfg.Console.DiscordClientSecret = config.NewSecret(w.discord.ClientSecret())
	w.cfg.Models.Allow = []string{"ltx-2.3"}
	w.cfg.Quota.Tiers = []config.Tier{{Name: "studio", Models: []string{"pro"}}}
	w.run(t)
	w.discord.SetRedirects(w.at("/admin/sign-in/discord/back"))
	first := w.make(t, "a fox in the snow")
	guild := w.channel.Guild()
	boss := w.discord.NewUser("boss")
	guild.Join(boss, guild.NewRole("managers", simdiscord.ManageGuild))

	member, admin := w.console(t), w.console(t)
	member.signIn("discord", w.ada.Authorize)
	member.has("/admin/jobs", "a fox in the snow", first.ID)
	member.has("/admin/usage", "videos_per_day")
	if status, _, _ := member.do(http.MethodGet, w.at("/admin/members"), nil); status != http.StatusForbidden {
		t.Errorf("a member opens the members: %d", status)
	}
	admin.signIn("discord", boss.Authorize)
	admin.has("/admin/", "Newest jobs", first.ID)
	admin.has("/admin/jobs/"+first.ID, ">Done</span>", "a fox in the snow", "the video was posted", "over: Done")
	admin.has("/admin/jobs", ">Done</span>", `<option value="submitting">Sending it to the model</option>`)
	admin.has("/admin/members", "discord:"+w.ada.ID)
	if status, _, text := admin.do(http.MethodPost, w.at("/admin/orders/grant"), url.Values{"who": {"discord:" + w.ada.ID}, "videos": {"5"}, "once": {"a"}}); status != http.StatusOK {
		t.Errorf("grant: %d %s", status, text)
	}
	admin.has("/admin/tiers", `<th scope="row">studio</th>`, "<code>pro</code>")
	admin.has("/admin/log", "discord:"+boss.ID, "Give extra", "5 videos", "console")
	admin.has("/admin/members/discord:"+w.ada.ID, "0 of 5 videos used")

	// Once more, in the channel, on the admin's own account.
	form := url.Values{"once": {"b"}}
	status, to, text := admin.do(http.MethodPost, w.at("/admin/jobs/"+first.ID+"/again"), form)
	if status != http.StatusSeeOther {
		t.Fatalf("again: %d %s", status, text)
	}
	made, _, _ := strings.Cut(strings.TrimPrefix(to, "/admin/jobs/"), "?")
	if _, twice, _ := admin.do(http.MethodPost, w.at("/admin/jobs/"+first.ID+"/again"), form); twice != to {
		t.Errorf("the same form makes another video: %s", twice)
	}
	again := w.over(t, made)
	if again.State != generate.Delivered || again.Member != "discord:"+boss.ID || again.Parent != first.ID || again.Request.Prompt() != "a fox in the snow" {
		t.Errorf("made again: %s for %s, of %s", again.State, again.Member, again.Parent)
	}
	files := 0
	for _, m := range w.channel.Messages() {
		files += len(m.Attachments)
	}
	if files != 2 {
		t.Errorf("the channel has %d videos, want 2", files)
	}
	if n := w.discord.OAuthTokens(); n != 0 {
		t.Errorf("%d tokens of people are good still", n)
	}
}

func TestAVideoIsNotMadeAgainWhereTheBotMayNotPost(t *testing.T) {
	t.Parallel()
	w := prepare(t, "text")
	w.cfg.Console.DiscordClientSecret = config.NewSecret(w.discord.ClientSecret())
	w.run(t)
	w.discord.SetRedirects(w.at("/admin/sign-in/discord/back"))
	first := w.make(t, "a fox")
	w.channel.Guild().SetDefaultPermissions(simdiscord.ViewChannel | simdiscord.SendMessages)
	member := w.console(t)
	member.signIn("discord", w.ada.Authorize)
	status, _, text := member.do(http.MethodPost, w.at("/admin/jobs/"+first.ID+"/again"), url.Values{"once": {"b"}})
	if status != http.StatusUnprocessableEntity || !strings.Contains(text, "Attach Files") {
		t.Errorf("again: %d %s", status, text)
	}
}

func TestASlackMemberMakesAVideoAgain(t *testing.T) {
	t.Parallel()
	w := prepare(t, "text")
	slack, err := simslack.Start(simslack.Options{NoRateLimits: true, AnswerWithin: answerLimit})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(slack.Close)
	space := slack.AddWorkspace(simslack.WorkspaceSpec{})
	ann, boss := space.AddUser(simslack.UserSpec{Name: "ann"}), space.AddUser(simslack.UserSpec{Name: "boss", Admin: true})
	channel := space.AddChannel(simslack.ChannelSpec{Name: "videos", Members: []*simslack.User{ann, boss, space.Bot()}})
	w.cfg.Slack.BotToken, w.cfg.Slack.AppToken = config.NewSecret(space.BotToken()), config.NewSecret(slack.AppToken())
	w.cfg.Slack.APIURL = slack.APIURL()
	id, secret := slack.Client()
	w.cfg.Console.SlackClientID, w.cfg.Console.SlackClientSecret = id, config.NewSecret(secret)
	w.run(t)
	slack.SetRedirects(w.at("/admin/sign-in/slack/back"))
	if _, err := ann.Slash(t.Context(), channel, "/ltx", "a fox in the snow"); err != nil {
		t.Fatal(err)
	}
	if _, err := channel.WaitMessage(t.Context(), func(m simslack.Message) bool { return len(m.Files) > 0 }); err != nil {
		t.Fatal(err)
	}
	admin := w.console(t)
	admin.signIn("slack", boss.SignIn)
	admin.has("/admin/members", "slack:"+space.ID()+":"+ann.ID())
	member := w.console(t)
	member.signIn("slack", ann.SignIn)
	_, _, list := member.do(http.MethodGet, w.at("/admin/jobs"), nil)
	_, after, _ := strings.Cut(list, `<a href="/admin/jobs/`)
	job, _, _ := strings.Cut(after, "?")
	w.over(t, job)
	member.has("/admin/gallery", job, "Make it again")
	status, to, text := member.do(http.MethodPost, w.at("/admin/jobs/"+job+"/again"), url.Values{"once": {"b"}})
	if status != http.StatusSeeOther {
		t.Fatalf("again: %d %s", status, text)
	}
	made, _, _ := strings.Cut(strings.TrimPrefix(to, "/admin/jobs/"), "?")
	if again := w.over(t, made); again.State != generate.Delivered || videosIn(channel) != 2 {
		t.Errorf("made again: %s, and the channel has %d videos", again.State, videosIn(channel))
	}
}

func TestTheConsoleIsWhereItsPublicAddressSays(t *testing.T) {
	t.Parallel()
	w := prepare(t, "text")
	w.cfg.HTTP.OpsListen, w.cfg.HTTP.PublicURL = "127.0.0.1:0", "https://ltx.example.com"
	w.run(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.at("/admin/sign-in"), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]int{"ltx.example.com": http.StatusOK, "": http.StatusNotFound, "evil.example": http.StatusNotFound} {
		req.Host = host
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("for %q: %d, want %d", host, resp.StatusCode, want)
		}
	}
}
