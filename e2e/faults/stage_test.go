package faults_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"ltxbot/bot/slack"
	"ltxbot/core/generate"
	simdiscord "ltxbot/sim/discord"
	simslack "ltxbot/sim/slack"
)

// A stage is a simulated chat platform with ada in a channel.
type stage interface {
	name() string
	// address is where the platform's API is.
	address() string
	// config is the platform's part of the bot's config, with its API at url.
	config(url string) string
	// filesAt makes the files that ada gives be at url.
	filesAt(url string)
	// connected waits until the bot takes commands.
	connected(ctx context.Context) error
	// gone waits until the platform has noticed that there is no bot.
	gone(ctx context.Context) error
	// say types /ltx with these words; the answer is the id of the job that
	// it makes, if it makes one. An error says that the platform did not take it.
	say(ctx context.Context, words string) (job string, err error)
	// bring is say with a picture that the video begins with.
	bring(ctx context.Context, words string) (job string, err error)
	// try is say for a bot that may be killed meanwhile. acked tells, once it
	// was, whether ada has seen that the command arrived.
	try(ctx context.Context, words string) (job string, acked func() bool)
	// press presses a button of a message.
	press(ctx context.Context, m message, label string) error
	// read is what ada sees of the bot's messages, oldest first.
	read() []message
	// stammer makes the platform do what it is asked to post and lose its
	// answers, so many times.
	stammer(times int)
	// delete deletes a message as a moderator does, and leave makes the whole
	// conversation go away.
	delete(m message)
	leave()
	close()
}

// A message is what ada sees of one.
type message struct {
	id      string
	text    string
	past    []string // what it said before its edits
	buttons []string
	files   []string
	pings   bool // it notified her
	loading bool // "… is thinking"
	aside   bool // only she sees it: the answer to a button
	origin  any
}

// video reports whether the message brings the video of a job, as a file or as
// a link.
func (m message) video(job string) bool {
	return slices.ContainsFunc(m.files, func(f string) bool { return strings.Contains(f, job) }) ||
		m.result(job) && strings.Contains(m.text, "too large to upload here")
}

// result reports whether the message says that the video of a job is there, or
// those of a batch.
func (m message) result(job string) bool {
	return strings.Contains(m.text, job) && (strings.Contains(m.text, " is ready.") || strings.Contains(m.text, " are ready."))
}

// card reports whether the message is the card of a job.
func (m message) card(job string) bool {
	return !m.aside && strings.Contains(m.text, job) && !m.result(job)
}

// endings are the headlines of a card that are the last word.
var endings = map[generate.State]string{
	generate.Delivered: "Done", generate.Failed: "No video", generate.Cancelled: "Cancelled",
}

// says reports whether the headline of a card is that of a state.
func (m message) says(s generate.State) bool {
	return endings[s] != "" && regexp.MustCompile(`^\**`+endings[s]+`\b[^…]`).MatchString(m.text)
}

// said reports whether the message says a text, or did before.
func (m message) said(text string) bool {
	return strings.Contains(m.text, text) || slices.ContainsFunc(m.past, func(p string) bool { return strings.Contains(p, text) })
}

// over reports whether a card says how the job ended.
func (m message) over() bool {
	return m.says(generate.Delivered) || m.says(generate.Failed) || m.says(generate.Cancelled)
}

// canoe is a picture.
func canoe() []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 128, 72))); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// onDiscord is a Discord server.
type onDiscord struct {
	sim     *simdiscord.Server
	guild   *simdiscord.Guild
	channel *simdiscord.Channel
	ada     *simdiscord.User
}

func newDiscord(t testing.TB, answerWithin time.Duration) *onDiscord {
	t.Helper()
	sim, err := simdiscord.Start(simdiscord.Options{IdentifyEvery: -1, RateLimits: simdiscord.RateLimits{Off: true}, AnswerWithin: answerWithin})
	if err != nil {
		t.Fatal(err)
	}
	s := &onDiscord{sim: sim, guild: sim.NewGuild("Acme"), ada: sim.NewUser("ada")}
	s.channel = s.guild.NewChannel("videos")
	s.guild.Join(s.ada)
	return s
}

func (s *onDiscord) name() string    { return "Discord" }
func (s *onDiscord) address() string { return s.sim.BaseURL() }
func (s *onDiscord) close()          { _ = s.sim.Close() }

func (s *onDiscord) config(url string) string {
	return fmt.Sprintf("[discord]\ntoken = %q\napplication_id = %q\npublic_key = %q\napi_url = %q\n",
		s.sim.Token(), s.sim.ApplicationID(), s.sim.PublicKey(), url+"/api")
}

func (s *onDiscord) filesAt(url string)                  { s.sim.ServeFilesAt(url) }
func (s *onDiscord) connected(ctx context.Context) error { return s.sim.WaitConnected(ctx, 1) }
func (s *onDiscord) gone(ctx context.Context) error      { return s.sim.WaitConnected(ctx, 0) }

func (s *onDiscord) say(ctx context.Context, words string) (string, error) {
	i, err := s.ada.Type(ctx, s.channel, "/ltx "+words)
	if i == nil || err != nil {
		return "", err
	}
	return generate.NewID("discord:" + i.ID), nil
}

func (s *onDiscord) bring(ctx context.Context, words string) (string, error) {
	picture := simdiscord.Arg("image", simdiscord.File{Name: "canoe.png", ContentType: "image/png", Data: canoe()})
	i, err := s.ada.Type(ctx, s.channel, "/ltx "+words, picture)
	if i == nil || err != nil {
		return "", err
	}
	return generate.NewID("discord:" + i.ID), nil
}

func (s *onDiscord) try(ctx context.Context, words string) (string, func() bool) {
	i, err := s.ada.Type(ctx, s.channel, "/ltx "+words)
	if i == nil || err != nil {
		return "", func() bool { return false }
	}
	return generate.NewID("discord:" + i.ID), func() bool {
		_, ok := i.Acked()
		return ok
	}
}

func (s *onDiscord) press(ctx context.Context, m message, label string) error {
	seen := m.origin.(simdiscord.Message)
	b, ok := seen.Button(label)
	if !ok {
		return fmt.Errorf("the message has no button %q", label)
	}
	_, err := s.ada.Click(ctx, seen, b.CustomID)
	return err
}

func (s *onDiscord) read() []message {
	var out []message
	for _, m := range append(s.channel.MessagesFor(s.ada), s.ada.DM().MessagesFor(s.ada)...) {
		if !m.Bot {
			continue
		}
		seen := message{id: m.ID, text: m.Text(), loading: m.Loading, aside: m.EphemeralTo != "", pings: slices.Contains(m.Pings.Users, s.ada.ID), origin: m}
		for _, b := range m.Buttons {
			seen.buttons = append(seen.buttons, b.Label)
		}
		for _, r := range m.History {
			seen.past = append(seen.past, r.Text)
		}
		for _, f := range m.Attachments {
			seen.files = append(seen.files, f.Name)
		}
		out = append(out, seen)
	}
	return out
}

func (s *onDiscord) stammer(times int) {
	s.sim.Inject(simdiscord.Fault{Route: simdiscord.RouteCreateMessage, LoseReply: true, Times: times})
	s.sim.Inject(simdiscord.Fault{Route: simdiscord.RouteEditResponse, LoseReply: true, Times: times})
}

func (s *onDiscord) delete(m message) { s.sim.DeleteMessage(m.id) }
func (s *onDiscord) leave()           { s.channel.Delete() }

// onSlack is a Slack workspace.
type onSlack struct {
	sim     *simslack.Server
	acme    *simslack.Workspace
	channel *simslack.Channel
	ada     *simslack.User
}

func newSlack(t testing.TB, answerWithin time.Duration) *onSlack {
	t.Helper()
	sim, err := simslack.Start(simslack.Options{NoRateLimits: true, ShareDelay: 50 * time.Millisecond, AnswerWithin: answerWithin})
	if err != nil {
		t.Fatal(err)
	}
	s := &onSlack{sim: sim, acme: sim.AddWorkspace(simslack.WorkspaceSpec{Domain: "acme"})}
	s.ada = s.acme.AddUser(simslack.UserSpec{Name: "ada"})
	s.channel = s.acme.AddChannel(simslack.ChannelSpec{Name: "videos", Members: []*simslack.User{s.ada, s.acme.Bot()}})
	return s
}

func (s *onSlack) name() string    { return "Slack" }
func (s *onSlack) address() string { return strings.TrimSuffix(s.sim.APIURL(), "/api/") }
func (s *onSlack) close()          { s.sim.Close() }

func (s *onSlack) config(url string) string {
	return fmt.Sprintf("[slack]\nbot_token = %q\napp_token = %q\nsigning_secret = %q\napi_url = %q\n",
		s.acme.BotToken(), s.sim.AppToken(), s.sim.SigningSecret(), url+"/api/")
}

func (s *onSlack) filesAt(url string) { s.sim.ServeFilesAt(url) }

func (s *onSlack) connected(ctx context.Context) error {
	return s.sim.Wait(ctx, func() bool { return s.sim.Connections() > 0 })
}

func (s *onSlack) gone(ctx context.Context) error {
	return s.sim.Wait(ctx, func() bool { return s.sim.Connections() == 0 })
}

func (s *onSlack) say(ctx context.Context, words string) (string, error) {
	r, err := s.ada.Slash(ctx, s.channel, "/ltx", words)
	if err != nil {
		return "", err
	}
	return generate.NewID("slack:" + r.TriggerID), nil
}

// bring mentions the bot: a command takes no files.
func (s *onSlack) bring(_ context.Context, words string) (string, error) {
	m, err := s.ada.Share(s.channel, "<@"+s.acme.Bot().ID()+"> "+words, "", simslack.FileSpec{Name: "canoe.png", Content: canoe()})
	if err != nil {
		return "", err
	}
	return generate.NewID(slack.MessageEvent(m.Channel, m.TS)), nil
}

func (s *onSlack) try(ctx context.Context, words string) (string, func() bool) {
	r, err := s.ada.Slash(ctx, s.channel, "/ltx", words)
	return generate.NewID("slack:" + r.TriggerID), func() bool { return err == nil }
}

func (s *onSlack) press(ctx context.Context, m message, label string) error {
	seen := m.origin.(simslack.Message)
	for _, b := range seen.Blocks.Buttons() {
		if b.Label == label {
			_, err := s.ada.Click(ctx, seen, b.ActionID)
			return err
		}
	}
	return fmt.Errorf("the message has no button %q", label)
}

func (s *onSlack) read() []message {
	var out []message
	for _, m := range append(s.channel.Seen(s.ada), s.ada.DM().Seen(s.ada)...) {
		if !m.FromApp {
			continue
		}
		text := m.Blocks.Text()
		if text == "" {
			text = m.Text
		}
		seen := message{id: m.TS, text: text, aside: m.EphemeralTo != "", pings: slices.Contains(m.Pings.Users, s.ada.ID()), origin: m}
		for _, b := range m.Blocks.Buttons() {
			seen.buttons = append(seen.buttons, b.Label)
		}
		for _, e := range m.Edits {
			seen.past = append(seen.past, e.Blocks.Text())
		}
		for _, f := range m.Files {
			seen.files = append(seen.files, f.Name)
		}
		out = append(out, seen)
	}
	return out
}

func (s *onSlack) stammer(times int) {
	for _, method := range []string{"chat.postMessage", "chat.update", "files.completeUploadExternal"} {
		s.sim.Inject(simslack.Fault{Method: method, Kind: simslack.LoseReply, Times: times})
	}
}

func (s *onSlack) delete(m message) { s.channel.Delete(m.id) }
func (s *onSlack) leave()           { s.channel.Archive(true) }
