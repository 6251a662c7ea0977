package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	botslack "ltxbot/bot/slack"
	"ltxbot/bot/view"
	"ltxbot/config"
	"ltxbot/sim/slack"
)

// connections is how many connections of Socket Mode our bot holds.
const connections = 2

// maxUpload of the workspace is less than the large video has.
const maxUpload = 20 << 20

// botOnSlack plays people who use our bot in every way on sim/slack, keeps all
// that the bot said, and has it validated by the types that Slack publishes.
func botOnSlack(ctx context.Context, b *bench) (err error) {
	app := slack.App{
		Scopes:    scopes(),
		Shortcuts: []slack.Shortcut{{CallbackID: botslack.ShortcutGlobal}, {CallbackID: botslack.ShortcutMessage, Message: true}},
	}
	server, err := slack.Start(slack.Options{App: app, AnswerWithin: answerWithin})
	if err != nil {
		return err
	}
	defer server.Close()
	record, err := newRecorder(ctx, strings.TrimSuffix(server.APIURL(), "/api/"), slackMethod)
	if err != nil {
		return err
	}
	defer record.close()
	acme := server.AddWorkspace(slack.WorkspaceSpec{MaxUpload: maxUpload})
	play := &slackPlay{server: server, acme: acme}
	play.ann = acme.AddUser(slack.UserSpec{Name: "ann", Admin: true})
	play.eve = acme.AddUser(slack.UserSpec{Name: "eve"})
	play.videos = acme.AddChannel(slack.ChannelSpec{Name: "videos", Members: []*slack.User{play.ann, play.eve, acme.Bot()}})
	play.stage, err = newStage(ctx, b, func(cfg *config.Config, tier *config.Tier) {
		cfg.Slack.BotToken = config.NewSecret(acme.BotToken())
		cfg.Slack.AppToken = config.NewSecret(server.AppToken())
		cfg.Slack.APIURL = record.url("/api/")
		tier.SlackGroups = []string{acme.AddGroup("studio", play.ann)}
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, play.close(ctx)) }()
	if err := b.play(ctx, play.scenes()); err != nil {
		return err
	}
	if err := play.rest(record); err != nil {
		return err
	}
	path := filepath.Join(b.tmp, "bot-slack.jsonl")
	if err := record.save(path); err != nil {
		return err
	}
	return errors.Join(b.validate(ctx, "slack.requests", path), play.refusals())
}

// slackMethod is the method of a path of the Web API.
func slackMethod(path string) string { return strings.TrimPrefix(path, "/api/") }

// scopes are what the bot's manifest asks for.
func scopes() []string {
	all := botslack.Scopes()
	names := make([]string, 0, len(all))
	for _, s := range all {
		names = append(names, s.Name)
	}
	return names
}

// slackPlay is what people do with the bot.
type slackPlay struct {
	*stage

	server   *slack.Server
	acme     *slack.Workspace
	videos   *slack.Channel
	ann, eve *slack.User
	video    slack.Message   // the first video of ann: the text with the buttons
	seen     map[string]bool // messages that a scene has waited for
}

func (p *slackPlay) scenes() []scene {
	return []scene{
		{"a connection", p.connect},
		{"a video", p.makeVideo},
		{"a prompt in markup that mentions everyone", p.hostile},
		{"details of a video", p.details},
		{"the same video again", p.repeats},
		{"an edited video", p.edit},
		{"a mistake in a form", p.mistake},
		{"mistakes in commands", p.wrong},
		{"an empty form, by command and by shortcut", p.empty},
		{"a remix of a message", p.remix},
		{"a mention in a thread", p.mention},
		{"a video that only one person sees", p.private},
		{"a video too large to upload", p.huge},
		{"a model that fails", p.failed},
		{"a cancelled job", p.cancelled},
		{"jobs that wait for their turn", p.waiting},
		{"help, jobs, quota, LoRAs and administration", p.answers},
		{"the Home tab", p.home},
		{"a limit that is reached", p.limit},
		{"a channel without the bot", p.outside},
		{"a channel that is archived", p.archived},
		{"a deleted video", p.deleted},
	}
}

func (p *slackPlay) connect(ctx context.Context) {
	p.seen = map[string]bool{}
	must(p.server.WaitConnected(ctx, connections))
}

// next waits for a message that no scene has waited for.
func (p *slackPlay) next(ctx context.Context, in *slack.Channel, is func(slack.Message) bool) (slack.Message, error) {
	m, err := in.WaitMessage(ctx, func(m slack.Message) bool { return !p.seen[in.ID()+m.TS] && is(m) })
	p.seen[in.ID()+m.TS] = true
	return m, err
}

// buttonOf finds the button for an action.
func buttonOf(bs slack.Blocks, action view.Action) (id string, ok bool) {
	for _, b := range bs.Buttons() {
		if a, _, ok := view.ParseButtonID(b.ActionID); ok && a == action {
			return b.ActionID, true
		}
	}
	return "", false
}

// withButton finds a message for everybody that has a button for an action.
func withButton(action view.Action) func(slack.Message) bool {
	return func(m slack.Message) bool {
		_, ok := buttonOf(m.Blocks, action)
		return ok && m.EphemeralTo == ""
	}
}

// delivered waits for the text of the next video, below its file.
func (p *slackPlay) delivered(ctx context.Context, in *slack.Channel) (slack.Message, error) {
	m, err := p.next(ctx, in, withButton(view.ActAgain))
	if err != nil {
		return m, fmt.Errorf("wait for a video: %w", err)
	}
	return m, nil
}

// answered waits for a message that only one person sees.
func (p *slackPlay) answered(ctx context.Context, in *slack.Channel, who *slack.User) error {
	_, err := p.next(ctx, in, func(m slack.Message) bool { return m.EphemeralTo == who.ID() })
	return err
}

func (p *slackPlay) say(ctx context.Context, who *slack.User, line string) error {
	_, err := who.Slash(ctx, p.videos, "/ltx", line)
	return err
}

// press presses a button of a job.
func (p *slackPlay) press(ctx context.Context, who *slack.User, on slack.Message, action view.Action) error {
	id, ok := buttonOf(on.Blocks, action)
	if !ok {
		return fmt.Errorf("there is no button %s on %q", action, on.Blocks.Text())
	}
	_, err := who.Click(ctx, on, id)
	return err
}

// rest adds to the record what does not pass the proxy: messages to response
// URLs, acknowledgements of the socket, and the manifests.
func (p *slackPlay) rest(r *recorder) error {
	for _, q := range p.server.Requests("response_url") {
		body, err := json.Marshal(q.Args)
		if err != nil {
			return err
		}
		r.add(recorded{Method: "POST", Path: "response_url", Status: q.Status, Body: body})
	}
	for _, a := range p.server.Acks() {
		if len(a.Payload) > 0 {
			r.add(recorded{Method: "ACK", Path: "socket", Body: a.Payload})
		}
	}
	for _, options := range []botslack.ManifestOptions{{}, {Mode: botslack.HTTP, BaseURL: "https://bot.example.com"}} {
		manifest, err := botslack.Manifest(options)
		if err != nil {
			return err
		}
		r.add(recorded{Method: "POST", Path: "manifest", Body: manifest})
	}
	return nil
}

// slackRefusals are answers that scenes provoke.
var slackRefusals = []string{
	"is_inactive", "posting_to_channel_denied", // an archived channel
	"channel_not_found", // one without the bot
	"file_upload_size_restricted",
}

// refusals finds calls and acknowledgements that were refused and were not
// meant to be.
func (p *slackPlay) refusals() error {
	var found []error
	for _, q := range p.server.Requests("") {
		if q.Error != "" && !slices.Contains(slackRefusals, q.Error) {
			found = append(found, fmt.Errorf("%s was refused: %s, with %v", q.Method, q.Error, q.Args))
		}
	}
	for _, a := range p.server.Acks() {
		if a.Dropped != "" {
			found = append(found, fmt.Errorf("an acknowledgement after %s was dropped: %q", a.Took, a.Dropped))
		}
	}
	return errors.Join(found...)
}
