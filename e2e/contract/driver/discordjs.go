package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"ltxbot/sim/discord"
)

// discordJS plays a bot of discord.js on sim/discord, and compares what it
// says it did with what people see. Every answer of the simulator is validated.
func discordJS(ctx context.Context, b *bench) error {
	server, err := discord.Start(discord.Options{AnswerWithin: answerWithin})
	if err != nil {
		return err
	}
	defer func() { _ = server.Close() }()
	record, err := newRecorder(ctx, server.BaseURL(), discordPath)
	if err != nil {
		return err
	}
	defer record.close()
	guild := server.NewGuild("Acme")
	general := guild.NewChannel("general")
	ada := server.NewUser("ada")
	guild.Join(ada)
	playing, bot, err := b.start(ctx, "clients/discordjs.mjs",
		"API_URL="+record.url("/api"), "TOKEN="+server.Token(), "BOT_ID="+server.Bot().ID)
	if err != nil {
		return err
	}
	play := &discordJSPlay{server: server, general: general, ada: ada}
	for _, act := range []func(context.Context){play.suggest, play.make, play.form, play.choose, play.remix} {
		if err := (scene{play: act}).within(playing); err != nil {
			return errors.Join(err, context.Cause(playing))
		}
	}
	if err := bot.finish(); err != nil {
		return err
	}
	if err := play.refusals(); err != nil {
		return err
	}
	path := filepath.Join(b.tmp, "discordjs.jsonl")
	if err := record.save(path); err != nil {
		return err
	}
	return b.validate(ctx, "discord.answers", path)
}

// discordJSPlay is what people do with the bot of discord.js.
type discordJSPlay struct {
	server  *discord.Server
	general *discord.Channel
	ada     *discord.User
	card    discord.Message
}

func (p *discordJSPlay) suggest(ctx context.Context) {
	got(p.server.WaitRequest(ctx, served(discord.RoutePutCommands)))
	must(p.server.WaitConnected(ctx, 1))
	i := got(p.ada.Autocomplete(ctx, p.general, "make", "size", discord.Arg("size", "16")))
	must(i.WaitAck(ctx))
	must(same("suggestions", fmt.Sprint(i.Choices()), "[{Wide (16:9) 16:9}]"))
}

func served(route string) func(discord.Request) bool {
	return func(r discord.Request) bool { return r.Route == route && r.Status < 300 }
}

// picture is a file of three pixels by two.
func picture(name string) discord.File { return discord.File{Name: name, Data: png()} }

func (p *discordJSPlay) make(ctx context.Context) {
	i := got(p.ada.Slash(ctx, p.general, "make", discord.Arg("prompt", "a cowboy"), discord.Arg("camera", "dolly_in"),
		discord.Arg("steps", 30), discord.Arg("guidance", 2.5), discord.Arg("audio", false), discord.Arg("picture", picture("option.png"))))
	p.card = got(i.WaitResponse(ctx, func(m discord.Message) bool { return len(m.Attachments) == 1 }))
	must(same("file", p.card.Attachments[0].Name+" "+p.card.Attachments[0].Description, "video.mp4 a cowboy"))
	ping := got(p.general.WaitMessage(ctx, func(m discord.Message) bool { return strings.Contains(m.Content, "look") }))
	must(same("pings", fmt.Sprint(ping.Pings), fmt.Sprint(discord.Pings{Users: []string{p.ada.ID}})))
	got(p.ada.DM().WaitMessage(ctx, func(m discord.Message) bool { return m.Content == "a direct message" }))
}

func (p *discordJSPlay) form(ctx context.Context) {
	click := got(p.ada.Click(ctx, p.card, "again"))
	modal := got(click.WaitModal(ctx))
	must(same("form", modal.Title+": "+modal.Fields[0].Value, "Edit: a cowboy"))
	sent := got(p.ada.SubmitModal(ctx, click, map[string]any{"prompt": "a horse", "picture": picture("form.png")}))
	reply := got(sent.WaitResponse(ctx, func(discord.Message) bool { return true }))
	must(same("reply for one", reply.Content+" "+reply.EphemeralTo, "a horse it is "+p.ada.ID))
}

func (p *discordJSPlay) choose(ctx context.Context) {
	menu := got(p.general.WaitMessage(ctx, func(m discord.Message) bool { return m.Content == "choose" }))
	p.server.Inject(discord.Fault{Route: discord.RouteEditResponse, Limit: discord.UserLimit, RetryAfter: 100 * time.Millisecond})
	got(p.ada.Select(ctx, menu, "size", "tall"))
	got(p.general.WaitMessage(ctx, func(m discord.Message) bool { return m.ID == menu.ID && m.Content == "chosen: tall" }))
}

// remix uses a command on a message while the connection is broken: it arrives
// by the same session, resumed.
func (p *discordJSPlay) remix(ctx context.Context) {
	message := got(p.ada.Share(p.general, "a horse in the rain", picture("message.png")))
	sessions := p.server.Identifies()
	p.server.DropGateway()
	i := got(p.ada.MessageCommand(ctx, message, "Remix"))
	got(p.server.WaitRequest(ctx, served(discord.RouteDeleteResponse)))
	if m, ok := i.Response(); ok && !m.Deleted {
		must(errors.New("the reply is still there"))
	}
	must(same("new sessions", strconv.Itoa(p.server.Identifies()-sessions), "0"))
}

// refusals finds requests that were refused and were not meant to be.
func (p *discordJSPlay) refusals() error {
	const tooLong = 50035
	for _, r := range p.server.Requests() {
		if r.Status >= 400 && r.Status != 429 && r.Code != tooLong {
			return fmt.Errorf("%s %s was refused with %d, %d", r.Method, r.Route, r.Status, r.Code)
		}
	}
	return nil
}

// same compares what is there with what was to be.
func same(what, got, want string) error {
	if got != want {
		return fmt.Errorf("%s: got %q, want %q", what, got, want)
	}
	return nil
}
