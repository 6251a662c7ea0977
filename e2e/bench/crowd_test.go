package bench_test

import (
	"context"
	"fmt"
	"regexp"
	"testing"
	"time"

	simdiscord "ltxbot/sim/discord"
	simslack "ltxbot/sim/slack"
)

// people is how many type commands.
const people = 50

func newCrowd(b *testing.B, platform string) crowd {
	b.Helper()
	if platform == "slack" {
		return newSlackCrowd(b)
	}
	return newDiscordCrowd(b)
}

// discordCrowd is a guild where everybody has a channel: into one channel
// Discord lets a bot post once a second.
type discordCrowd struct {
	server   *simdiscord.Server
	channels []*simdiscord.Channel
	people   []*simdiscord.User
}

func newDiscordCrowd(b *testing.B) *discordCrowd {
	b.Helper()
	server, err := simdiscord.Start(simdiscord.Options{RateLimits: simdiscord.RateLimits{Off: true}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = server.Close() })
	guild := server.NewGuild("bench")
	c := &discordCrowd{server: server}
	for n := range people {
		u := server.NewUser(fmt.Sprintf("user%d", n))
		guild.Join(u)
		c.people, c.channels = append(c.people, u), append(c.channels, guild.NewChannel(fmt.Sprintf("videos-%d", n)))
	}
	return c
}

func (c *discordCrowd) join() joined {
	return joined{Platform: "discord", API: c.server.APIURL(), Token: c.server.Token()}
}

func (c *discordCrowd) ask(ctx context.Context, n int) (time.Duration, error) {
	i, err := c.people[n%people].Slash(ctx, c.channels[n%people], "ltx", simdiscord.Arg("prompt", prompt(n)))
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := i.WaitAck(ctx); err != nil {
		return 0, err
	}
	took, _ := i.Acked()
	return took, nil
}

// promptIn finds a prompt in a message.
var promptIn = regexp.MustCompile(`a red canoe on a lake, take \d+\.`)

func (c *discordCrowd) posted(ctx context.Context, each func(string, time.Time) bool) {
	for change := range c.server.Watch(ctx) {
		m := change.Message
		if change.Kind == simdiscord.MessagePosted && len(m.Attachments) > 0 && !each(promptIn.FindString(m.Text()), m.Created) {
			return
		}
	}
}

// slackCrowd is a workspace.
type slackCrowd struct {
	server    *simslack.Server
	workspace *simslack.Workspace
	channel   *simslack.Channel
	people    []*simslack.User
}

func newSlackCrowd(b *testing.B) *slackCrowd {
	b.Helper()
	server, err := simslack.Start(simslack.Options{NoRateLimits: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(server.Close)
	c := &slackCrowd{server: server, workspace: server.AddWorkspace(simslack.WorkspaceSpec{})}
	for n := range people {
		c.people = append(c.people, c.workspace.AddUser(simslack.UserSpec{Name: fmt.Sprintf("user%d", n)}))
	}
	members := append([]*simslack.User{c.workspace.Bot()}, c.people...)
	c.channel = c.workspace.AddChannel(simslack.ChannelSpec{Name: "videos", Members: members})
	return c
}

func (c *slackCrowd) join() joined {
	return joined{Platform: "slack", API: c.server.APIURL(), Token: c.workspace.BotToken(), AppToken: c.server.AppToken()}
}

func (c *slackCrowd) ask(ctx context.Context, n int) (time.Duration, error) {
	receipt, err := c.people[n%people].Slash(ctx, c.channel, "/ltx", prompt(n))
	return receipt.Took, err
}

// posted is not measured: Slack shows a file some time after it was uploaded.
func (*slackCrowd) posted(context.Context, func(string, time.Time) bool) {}
