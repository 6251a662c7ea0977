package demo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"ltxbot/bot/slack"
	"ltxbot/core/generate"
	simslack "ltxbot/sim/slack"
	page "ltxbot/web/demo"
)

// slackStage is a Slack channel with somebody in it.
type slackStage struct {
	server  *simslack.Server
	channel *simslack.Channel
	user    *simslack.User
	dir     string // for the bytes of videos

	mentions func(line string) string // with people as the client sends them

	mu   sync.Mutex
	open *slackForm // on the person's screen, or nil
}

// slackForm is a form with its view.
type slackForm struct {
	form

	view simslack.View
}

// say types a slash command, or a message that mentions the bot. A command with files
// is said in such a message, since it takes none.
func (s *slackStage) say(ctx context.Context, line string, files []File) (*act, error) {
	if s.screen() != nil {
		return nil, errCovered
	}
	command, text, _ := strings.Cut(strings.TrimSpace(line), " ")
	switch isCommand := strings.HasPrefix(command, "/"); {
	case !isCommand && !strings.Contains(line, theBot):
		return nil, errNotMentioned
	case !isCommand:
		return s.share(line, files)
	case len(files) > 0:
		return s.share(theBot+" "+text, files)
	}
	before := len(s.seen())
	r, err := s.user.Slash(ctx, s.channel, command, text)
	return s.act(r, before), err
}

// errNotMentioned says that a message is none that the bot reads.
var errNotMentioned = errors.New("the bot does not read that: type /ltx and what the video shows, or mention it with @ltx")

// share posts a message of the person, with files.
func (s *slackStage) share(text string, files []File) (*act, error) {
	specs := make([]simslack.FileSpec, 0, len(files))
	for _, f := range files {
		specs = append(specs, simslack.FileSpec{Name: f.Name, Content: f.Data})
	}
	m, err := s.user.Share(s.channel, s.mentions(text), "", specs...)
	if err != nil {
		return nil, err
	}
	a := s.act(simslack.Receipt{}, len(s.seen()))
	a.job = generate.NewID(slack.MessageEvent(m.Channel, m.TS))
	return a, nil
}

func (s *slackStage) press(ctx context.Context, label string, found func()) (*act, error) {
	if f := s.screen(); f != nil {
		return s.pressForm(ctx, f, label, found)
	}
	seen := s.seen()
	var there []string
	for _, m := range slices.Backward(seen) {
		for _, b := range m.Blocks.Buttons() {
			if strings.EqualFold(b.Label, label) {
				found()
				r, err := s.user.Click(ctx, m, b.ActionID)
				a := s.pressed(r, len(seen), m)
				a.job = generate.NewID(slack.PressEvent(m.Channel, m.TS, "", s.user.ID(), b.ActionID, r.ActionTS))
				return a, err
			}
			there = append(there, b.Label)
		}
		for _, menu := range m.Blocks.Inputs() {
			for _, o := range menu.Options {
				if strings.EqualFold(o.Label, label) {
					found()
					r, err := s.user.Click(ctx, m, menu.ActionID, o.Value)
					return s.pressed(r, len(seen), m), err
				}
				there = append(there, o.Label)
			}
		}
	}
	return nil, noButton(label, there)
}

// seen are the messages of the direct messages and then of the channel.
func (s *slackStage) seen() []simslack.Message {
	return slices.Concat(s.user.DM().Seen(s.user), s.channel.Seen(s.user))
}

// screen is the form that is open, or nil.
func (s *slackStage) screen() *slackForm {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open
}

// look takes over what is on the person's screen, and returns the form if it
// is new or says something new.
func (s *slackStage) look() *slackForm {
	views := s.user.Views()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(views) == 0 {
		s.open = nil
		return nil
	}
	top := views[len(views)-1]
	if s.open != nil && s.open.view.ID == top.ID && s.open.view.Hash == top.Hash && maps.Equal(s.open.view.Errors, top.Errors) {
		return nil
	}
	f := &slackForm{form: form{title: top.Title, submit: top.Submit, close: top.Close, filled: map[string]string{}}, view: top}
	if s.open != nil && s.open.view.ID == top.ID {
		f.filled = s.open.filled
	}
	for _, b := range top.Blocks {
		if b["type"] == "context" {
			f.note = s.read(s.unmarked(simslack.Blocks{b}).Text())
		}
	}
	for _, in := range top.Blocks.Inputs() {
		field := formField{
			key: in.BlockID, label: in.Label, value: strings.Join(in.Initial, ", "), required: !in.Optional, wrong: top.Errors[in.BlockID],
		}
		if text, ok := f.filled[in.BlockID]; ok {
			field.value = text
		}
		field.takesFiles = in.Type == "file_input"
		for _, o := range in.Options {
			field.options = append(field.options, option{o.Label, o.Value})
		}
		f.fields = append(f.fields, field)
	}
	s.open = f
	return f
}

// pressForm sends the form, or closes it.
func (s *slackStage) pressForm(ctx context.Context, f *slackForm, label string, found func()) (*act, error) {
	before := len(s.seen())
	switch {
	case strings.EqualFold(label, f.close):
		found()
		return nil, s.user.CloseView(ctx, f.view, true)
	case !strings.EqualFold(label, f.submit):
		return nil, noButton(label, []string{f.submit, f.close})
	}
	values := map[string][]string{}
	for key, text := range f.filled {
		values[key] = nil
		at := slices.IndexFunc(f.fields, func(field formField) bool { return field.key == key })
		switch {
		case text == "":
		case at >= 0 && f.fields[at].takesFiles:
			ids, err := s.addFiles(text)
			if err != nil {
				return nil, err
			}
			values[key] = ids
		default:
			values[key] = []string{text}
		}
	}
	found()
	r, err := s.user.SubmitView(ctx, f.view, values)
	if wrong, ok := errors.AsType[*simslack.ActionError](err); ok && wrong.Code == "invalid_form" {
		return nil, fmt.Errorf("the form stays open: %s", strings.Join(slices.Sorted(maps.Values(wrong.Fields)), " "))
	}
	a := s.act(r, before)
	a.job = generate.NewID(slack.FormEvent(f.view.ID))
	return a, err
}

// addFiles uploads the files that are named, and returns their ids.
func (s *slackStage) addFiles(names string) ([]string, error) {
	files, err := readFiles(names)
	if err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(files))
	for _, f := range files {
		id, err := s.user.AddFile(simslack.FileSpec{Name: f.Name, Content: f.Data})
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func (s *slackStage) fill(line string) error {
	f := s.screen()
	if f == nil {
		return errNoForm
	}
	return f.fill(line)
}

// act is what came of an action; before is how many messages there were.
func (s *slackStage) act(r simslack.Receipt, before int) *act {
	return &act{
		job: generate.NewID("slack:" + r.TriggerID),
		answered: func() bool {
			return len(r.Answer) > 0 || len(s.user.Views()) > 0 || len(s.seen()) != before
		},
		failed: func() bool { return false },
	}
}

// pressed is what came of a press on a message, which an answer may replace.
func (s *slackStage) pressed(r simslack.Receipt, before int, m simslack.Message) *act {
	a := s.act(r, before)
	said := a.answered
	a.answered = func() bool {
		return said() || !slices.ContainsFunc(s.seen(), func(now simslack.Message) bool {
			return place(now) == place(m) && len(now.Edits) == len(m.Edits)
		})
	}
	return a
}

func (s *slackStage) watch(ctx context.Context, tell func(Event)) {
	known := map[string]Event{} // by channel and message
	look := func(tell func(Event)) {
		now := map[string]bool{}
		for _, m := range s.seen() {
			now[place(m)] = true
			if e, ok := s.event(m, known); ok {
				tell(e)
			}
		}
		for at, e := range known {
			if !now[at] {
				delete(known, at)
				tell(Event{Kind: Deleted, Platform: "slack", Who: e.Who, Where: e.Where, Text: firstLine(e.Text), Message: e.Message})
			}
		}
		if f := s.look(); f != nil {
			tell(f.event("slack", "ltx", s.user.Name()))
		}
	}
	look(func(Event) {}) // what is there already was told
	go func() {
		for {
			changed := s.server.Changed()
			look(tell)
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	}()
}

// place names a message among those of all channels.
func place(m simslack.Message) string { return m.Channel + " " + m.TS }

// event is what a person sees of a message that is new or was changed; known
// is what each message said.
func (s *slackStage) event(m simslack.Message, known map[string]Event) (Event, bool) {
	if !m.FromApp {
		return Event{}, false
	}
	said, blocks := m.Blocks.Text(), s.unmarked(m.Blocks)
	text := blocks.Text()
	if text == "" {
		said, text = m.Text, s.withoutMarks(m.Text)
	}
	for _, b := range blocks {
		if objectOf(b["accessory"])["alt_text"] != nil { // it says what stands beside the picture
			text = strings.Replace(text, stringOf(objectOf(b["text"])["text"])+"\n", "", 1)
		}
	}
	e := Event{Kind: Posted, Platform: "slack", Who: m.Author, Text: s.read(text), Message: m.TS, said: said}
	for _, b := range m.Blocks.Buttons() {
		e.Buttons = append(e.Buttons, b.Label)
		e.Text = strings.Replace(e.Text, "["+b.Label+"]", "", 1)
	}
	for _, menu := range m.Blocks.Inputs() {
		e.Text = strings.Replace(e.Text, "["+menu.Placeholder+"]", "", 1)
		for _, o := range menu.Options {
			e.Menu = append(e.Menu, o.Label)
		}
	}
	e.Text = strings.TrimSpace(e.Text)
	for _, f := range m.Files {
		e.Files = append(e.Files, fmt.Sprintf("%s (%d kB)", f.Name, (f.Size+999)/1000))
		if playable(f.Mimetype) {
			e.videos = append(e.videos, shownVideo{s.keep(f), filepath.Ext(f.Name)})
		}
	}
	if m.Channel == s.user.DM().ID() {
		e.Where = directMessage
	}
	before, again := known[place(m)]
	if again && before.said == e.said && slices.Equal(before.Files, e.Files) {
		return Event{}, false
	}
	known[place(m)] = e
	if again && e.Text == "" && len(e.Files) == 0 && len(e.Buttons) == 0 { // its file was deleted
		e.Kind, e.Text = Deleted, strings.Join(before.Files, ", ")
		return e, true
	}
	if again {
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
var slackMarkup = regexp.MustCompile(`<@(\w+)>|<!date\^(\d+)\^([^|>]*)\|?[^>]*>`)

// read is text as the client shows it.
func (s *slackStage) read(text string) string {
	text = slackMarkup.ReplaceAllStringFunc(text, func(tag string) string {
		m := slackMarkup.FindStringSubmatch(tag)
		if m[1] == s.user.ID() {
			return "@" + s.user.Name()
		}
		seconds, err := strconv.ParseInt(m[2], 10, 64)
		switch at := time.Unix(seconds, 0); {
		case err != nil:
			return tag
		case strings.Contains(m[3], "{ago}"):
			return page.Relative(time.Until(at))
		default:
			return at.Format(clock)
		}
	})
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(text)
}

// unmarked are blocks as the client shows them: without what only makes a text
// bold, code or a link.
func (s *slackStage) unmarked(blocks simslack.Blocks) simslack.Blocks {
	out := make(simslack.Blocks, len(blocks))
	for i, b := range blocks {
		out[i] = objectOf(s.unmark(b))
	}
	return out
}

func (s *slackStage) unmark(x any) any {
	switch x := x.(type) {
	case object:
		out := maps.Clone(x)
		for key, value := range out {
			out[key] = s.unmark(value)
		}
		if text, ok := out["text"].(string); ok && out["type"] == "mrkdwn" {
			out["text"] = s.withoutMarks(text)
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i, value := range x {
			out[i] = s.unmark(value)
		}
		return out
	}
	return x
}

// withoutMarks is a text in Slack's markup for read, which writes mentions and
// times.
func (s *slackStage) withoutMarks(text string) string {
	names := func(id string) string {
		if id == s.user.ID() {
			return s.user.Name()
		}
		return id
	}
	var b strings.Builder
	for _, part := range page.Mrkdwn(text, names) {
		for _, span := range part.Spans {
			switch {
			case span.At.IsZero():
				b.WriteString(escapedForSlack.Replace(span.Text))
			case span.Ago:
				fmt.Fprintf(&b, "<!date^%d^%s>", span.At.Unix(), page.SlackAgo)
			default:
				fmt.Fprintf(&b, "<!date^%d^{date}>", span.At.Unix())
			}
		}
	}
	return b.String()
}

// escapedForSlack writes the characters that mean something in Slack's markup.
var escapedForSlack = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
