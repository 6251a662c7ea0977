package discord_test

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"ltxbot/internal/leak"
	"ltxbot/sim/discord"

	"github.com/bwmarrin/discordgo"
)

func TestMain(m *testing.M) { leak.Verify(m) }

// rewriter sends requests for discord.com to the simulator.
type rewriter struct {
	to   *url.URL
	base *http.Transport
}

func (r rewriter) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.URL.Scheme, req.URL.Host, req.Host = r.to.Scheme, r.to.Host, r.to.Host
	return r.base.RoundTrip(req)
}

func newSession(t *testing.T, server *discord.Server) *discordgo.Session {
	t.Helper()
	session, err := discordgo.New("Bot " + server.Token())
	if err != nil {
		t.Fatal(err)
	}
	to, err := url.Parse(server.BaseURL())
	if err != nil {
		t.Fatal(err)
	}
	base := &http.Transport{}
	t.Cleanup(base.CloseIdleConnections)
	session.Client = &http.Client{Transport: rewriter{to: to, base: base}, Timeout: 20 * time.Second}
	session.Identify.Intents = 0
	session.StateEnabled = false
	session.ShouldReconnectOnError = false
	return session
}

func start(t *testing.T, opts discord.Options) *discord.Server {
	t.Helper()
	if opts.Now == nil { // a clock that moves with Advance alone: windows are met on a busy machine, too
		now := time.Now()
		opts.Now = func() time.Time { return now }
	}
	server, err := discord.Start(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return server
}

func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// TestDiscordgoDefersEditsAndUploads plays one command from registration to
// the delivered video with the library that the bot uses.
func TestDiscordgoDefersEditsAndUploads(t *testing.T) {
	server := start(t, discord.Options{})
	guild := server.NewGuild("Acme")
	general := guild.NewChannel("general")
	ada := server.NewUser("ada")
	guild.Join(ada)
	ctx := deadline(t)

	session := newSession(t, server)
	if _, err := session.ApplicationCommandBulkOverwrite(server.ApplicationID(), guild.ID, []*discordgo.ApplicationCommand{{
		Name: "ltx", Description: "Make a video",
		Options: []*discordgo.ApplicationCommandOption{
			{Type: discordgo.ApplicationCommandOptionString, Name: "prompt", Description: "What to show", Required: true},
			{
				Type: discordgo.ApplicationCommandOptionString, Name: "camera", Description: "How it moves",
				Choices: []*discordgo.ApplicationCommandOptionChoice{{Name: "dolly in", Value: "dolly_in"}},
			},
		},
	}}); err != nil {
		t.Fatal(err)
	}
	errs := make(chan error, 1)
	session.AddHandler(func(s *discordgo.Session, i *discordgo.InteractionCreate) {
		errs <- func() error {
			if err := s.InteractionRespond(i.Interaction, &discordgo.InteractionResponse{Type: discordgo.InteractionResponseDeferredChannelMessageWithSource}); err != nil {
				return err
			}
			content := "working on " + i.ApplicationCommandData().Options[0].StringValue()
			if _, err := s.InteractionResponseEdit(i.Interaction, &discordgo.WebhookEdit{Content: &content}); err != nil {
				return err
			}
			_, err := s.ChannelMessageSendComplex(i.ChannelID, &discordgo.MessageSend{
				Content: "<@" + i.Member.User.ID + "> done",
				Files:   []*discordgo.File{{Name: "video.mp4", ContentType: "video/mp4", Reader: bytes.NewReader([]byte("not really"))}},
			})
			return err
		}()
	})
	if err := session.Open(); err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	if err := server.WaitConnected(ctx, 1); err != nil {
		t.Fatal(err)
	}

	interaction, err := ada.Type(ctx, general, "/ltx prompt:a cowboy walks camera:dolly in")
	if err != nil {
		t.Fatal(err)
	}
	card, err := interaction.WaitResponse(ctx, func(m discord.Message) bool { return m.Edits == 1 })
	if err != nil {
		t.Fatal(err)
	}
	if got, want := card.Text(), "working on a cowboy walks"; got != want {
		t.Errorf("card says %q, want %q", got, want)
	}
	video, err := general.WaitMessage(ctx, func(m discord.Message) bool { return len(m.Attachments) > 0 })
	if err != nil {
		t.Fatal(err)
	}
	if err := <-errs; err != nil {
		t.Fatal(err)
	}
	if got := video.Pings.Users; len(got) != 1 || got[0] != ada.ID {
		t.Errorf("the video pings %v, want ada", got)
	}
	if a := video.Attachments[0]; a.Name != "video.mp4" || a.Size != 10 || a.ContentType != "video/mp4" || !a.Shown {
		t.Errorf("attachment is %+v", a)
	}
	for _, r := range server.Requests() {
		if strings.Contains(r.Route, "unknown") || r.Status >= 400 {
			t.Errorf("request %s %s was answered %d (%d)", r.Method, r.Route, r.Status, r.Code)
		}
	}
}
