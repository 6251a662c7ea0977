package demo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"ltxbot/core/generate"
	simslack "ltxbot/sim/slack"
)

// slackStage is a Slack channel with somebody in it.
type slackStage struct {
	server  *simslack.Server
	channel *simslack.Channel
	user    *simslack.User
	dir     string // for the bytes of videos
}

func (s *slackStage) say(ctx context.Context, line string) (*act, error) {
	command, text, _ := strings.Cut(strings.TrimSpace(line), " ")
	before := len(s.channel.Seen(s.user))
	r, err := s.user.Slash(ctx, s.channel, command, text)
	return s.act(r, before), err
}

func (s *slackStage) press(ctx context.Context, label string) (*act, error) {
	seen := s.channel.Seen(s.user)
	for _, m := range slices.Backward(seen) {
		for _, b := range m.Blocks.Buttons() {
			if strings.EqualFold(b.Label, label) {
				r, err := s.user.Click(ctx, m, b.ActionID)
				return s.act(r, len(seen)), err
			}
		}
	}
	return nil, fmt.Errorf("there is no button %q", label)
}

// act is what came of an action; before is how many messages there were.
func (s *slackStage) act(r simslack.Receipt, before int) *act {
	return &act{
		job: generate.NewID("slack:" + r.TriggerID),
		answered: func() bool {
			return len(r.Answer) > 0 || len(s.user.Views()) > 0 || len(s.channel.Seen(s.user)) > before
		},
		failed: func() bool { return false },
	}
}

func (s *slackStage) watch(ctx context.Context, tell func(Event)) {
	seen := map[string]string{}
	look := func() {
		for _, m := range s.channel.Seen(s.user) {
			if e, ok := s.event(m, seen); ok {
				tell(e)
			}
		}
	}
	look()
	go func() {
		for {
			changed := s.server.Changed()
			look()
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	}()
}

// event is what a person sees of a message that is new or was changed; seen is
// what each message said.
func (s *slackStage) event(m simslack.Message, seen map[string]string) (Event, bool) {
	if !m.FromApp {
		return Event{}, false
	}
	text := m.Blocks.Text()
	if text == "" {
		text = m.Text
	}
	e := Event{Kind: Posted, Platform: "slack", Who: m.Author, Text: s.read(text), Message: m.TS}
	for _, b := range m.Blocks.Buttons() {
		e.Buttons = append(e.Buttons, b.Label)
		e.Text = strings.Replace(e.Text, "["+b.Label+"]", "", 1)
	}
	e.Text = strings.TrimSpace(e.Text)
	for _, f := range m.Files {
		e.Files = append(e.Files, fmt.Sprintf("%s (%d kB)", f.Name, (f.Size+999)/1000))
		if playable(f.Mimetype) {
			e.video, e.ext = s.keep(f), filepath.Ext(f.Name)
		}
	}
	looks := fmt.Sprint(e.Text, e.Buttons, e.Files)
	before, known := seen[m.TS]
	if before == looks {
		return Event{}, false
	}
	seen[m.TS] = looks
	if known {
		e.Kind = Edited
	} else if slices.Contains(m.Pings.Users, s.user.ID()) {
		e.Pings = []string{s.user.Name()}
	}
	if m.EphemeralTo != "" {
		e.Only = s.user.Name()
	}
	return e, true
}

// keep copies the bytes of a file to where they stay.
func (s *slackStage) keep(f simslack.File) string {
	in, err := s.server.OpenFile(f.ID)
	if err != nil {
		return ""
	}
	defer func() { _ = in.Close() }()
	path := filepath.Join(s.dir, f.ID+filepath.Ext(f.Name))
	out, err := os.Create(path) //nolint:gosec // a folder of our own
	if err != nil {
		return ""
	}
	defer func() { _ = out.Close() }()
	if _, err := out.ReadFrom(in); err != nil {
		return ""
	}
	return path
}

// slackMarkup is what a Slack client shows as something else: mentions, times
// and entities.
// https://docs.slack.dev/messaging/formatting-message-text
var slackMarkup = regexp.MustCompile(`<@(\w+)>|<!date\^(\d+)\^[^|>]*\|?([^>]*)>`)

// read is text as the client shows it.
func (s *slackStage) read(text string) string {
	text = slackMarkup.ReplaceAllStringFunc(text, func(tag string) string {
		m := slackMarkup.FindStringSubmatch(tag)
		if m[1] == s.user.ID() {
			return "@" + s.user.Name()
		}
		seconds, err := strconv.ParseInt(m[2], 10, 64)
		if err != nil {
			return tag
		}
		return relative(time.Until(time.Unix(seconds, 0)))
	})
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(text)
}
