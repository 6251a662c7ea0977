package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"ltxbot/sim/slack"
)

// bolt plays an app of @slack/bolt on sim/slack, and compares what it says it
// did with what people see.
func bolt(ctx context.Context, b *bench) error {
	shortcuts := []slack.Shortcut{{CallbackID: "new_video"}, {CallbackID: "remix", Message: true}}
	server, err := slack.Start(slack.Options{App: slack.App{Shortcuts: shortcuts}, AnswerWithin: answerWithin})
	if err != nil {
		return err
	}
	defer server.Close()
	acme := server.AddWorkspace(slack.WorkspaceSpec{})
	ann := acme.AddUser(slack.UserSpec{Name: "ann"})
	videos := acme.AddChannel(slack.ChannelSpec{Name: "videos", Members: []*slack.User{ann, acme.Bot()}})
	playing, app, err := b.start(ctx, "clients/bolt.mjs",
		"API_URL="+server.APIURL(), "BOT_TOKEN="+acme.BotToken(), "APP_TOKEN="+server.AppToken(), "BOT_USER="+acme.Bot().ID())
	if err != nil {
		return err
	}
	play := &boltPlay{server: server, ann: ann, videos: videos}
	for _, act := range []func(context.Context){play.command, play.form, play.home, play.mention, play.shortcuts, play.reconnect} {
		if err := (scene{play: act}).within(playing); err != nil {
			return errors.Join(err, context.Cause(playing))
		}
	}
	if err := app.finish(); err != nil {
		return err
	}
	return play.refusals()
}

// boltPlay is what people do with the app of bolt.
type boltPlay struct {
	server *slack.Server
	ann    *slack.User
	videos *slack.Channel
	card   slack.Message
}

// said finds a message by what it says.
func said(text string) func(slack.Message) bool {
	return func(m slack.Message) bool { return strings.Contains(m.Text+" "+m.Blocks.Text(), text) }
}

func (p *boltPlay) command(ctx context.Context) {
	must(p.server.WaitConnected(ctx, 1))
	p.server.Inject(slack.Fault{Method: "chat.postMessage", Kind: slack.RateLimited})
	got(p.ann.Slash(ctx, p.videos, "/ltx", "a cowboy for @ann"))
	for _, text := range []string{"working on a cowboy", "still working"} {
		m := got(p.videos.WaitMessage(ctx, said(text)))
		must(same("reader of "+text, m.EphemeralTo, p.ann.ID()))
	}
	p.card = got(p.videos.WaitMessage(ctx, said("done")))
}

func (p *boltPlay) form(ctx context.Context) {
	got(p.ann.Click(ctx, p.card, "Again"))
	view := got(p.ann.WaitView(ctx, func(v slack.View) bool { return v.Title == "Edit" }))
	var mistake *slack.ActionError
	_, err := p.ann.SubmitView(ctx, view, map[string][]string{"Prompt": {"spin"}})
	if !errors.As(err, &mistake) || mistake.Fields["prompt"] != "not that" {
		must(fmt.Errorf("a form with a mistake: got %w, want the mistake", err))
	}
	view = got(p.ann.WaitView(ctx, func(v slack.View) bool { return v.Errors["prompt"] != "" }))
	picture := got(p.ann.AddFile(slack.FileSpec{Name: "form.png", Content: png()}))
	got(p.ann.SubmitView(ctx, view, map[string][]string{"Prompt": {"a horse"}, "Camera": {"static"}, "Picture": {picture}}))
	m := got(p.videos.WaitMessage(ctx, func(m slack.Message) bool { return len(m.Files) == 1 }))
	file := m.Files[0]
	must(same("file", fmt.Sprintf("%s %s %d", file.Name, file.Title, file.Size), "video.mp4 a horse 100000"))
	must(same("thread and pings of the file", m.ThreadTS+fmt.Sprint(m.Pings.Users), p.card.TS+fmt.Sprint([]string{p.ann.ID()})))
}

func (p *boltPlay) home(ctx context.Context) {
	p.ann.OpenHome()
	home := got(p.ann.WaitHome(ctx, func(slack.View) bool { return true }))
	must(same("Home tab", strings.TrimSpace(home.Blocks.Text()), "Your videos"))
}

func (p *boltPlay) mention(ctx context.Context) {
	asked := got(p.ann.Share(p.videos, "<@"+p.videos.Workspace().Bot().ID()+"> a fox", "", slack.FileSpec{Name: "message.png", Content: png()}))
	m := got(p.videos.WaitMessage(ctx, said("in the thread")))
	must(same("thread", m.ThreadTS, asked.TS))
}

func (p *boltPlay) shortcuts(ctx context.Context) {
	got(p.ann.GlobalShortcut(ctx, "new_video"))
	view := got(p.ann.WaitView(ctx, func(v slack.View) bool { return v.Title == "New video" }))
	must(p.ann.CloseView(ctx, view, true))
	got(p.ann.MessageShortcut(ctx, p.ann.Say(p.videos, "a tower in a storm", ""), "remix"))
	got(p.videos.WaitMessage(ctx, said("remix of a tower in a storm")))
}

// reconnect asks the app to connect anew, as Slack does every hour.
// https://docs.slack.dev/apis/events-api/using-socket-mode#disconnect
func (p *boltPlay) reconnect(ctx context.Context) {
	opened := len(p.server.Requests("apps.connections.open"))
	p.server.SendFrame(map[string]any{"type": "disconnect", "reason": "refresh_requested"})
	again := func() bool {
		return len(p.server.Requests("apps.connections.open")) > opened && p.server.Connections() == 1
	}
	must(p.server.Wait(ctx, again))
	got(p.ann.Slash(ctx, p.videos, "/ltx", "after a break"))
	got(p.videos.WaitMessage(ctx, said("here again")))
}

// refusals finds calls and acknowledgements that were refused and were not
// meant to be.
func (p *boltPlay) refusals() error {
	for _, r := range p.server.Requests("") {
		if r.Error != "" && r.Error != "channel_not_found" && r.Fault == "" {
			return fmt.Errorf("%s was refused: %s", r.Method, r.Error)
		}
	}
	for _, a := range p.server.Acks() {
		if a.Dropped != "" {
			return fmt.Errorf("an acknowledgement was dropped: %s", a.Dropped)
		}
	}
	return nil
}
