package demo

import (
	"context"
	"errors"
	"io"
	"os"
	"path"
	"slices"
	"sync"
	"time"

	simdiscord "ltxbot/sim/discord"
	simslack "ltxbot/sim/slack"
	page "ltxbot/web/demo"
)

// world is the demo as its page shows it. It is a page.World.
type world struct {
	d    *Demo
	stop context.CancelFunc
	done <-chan struct{}
	busy sync.WaitGroup

	mu       sync.Mutex
	changed  chan struct{}
	agreed   bool                               // that videos cost money
	guided   bool                               // the guide is shown
	used     map[string]string                  // by interaction of Discord: "ben used /ltx"
	forms    map[string]*simdiscord.Interaction // that are open on Discord, by person
	troubles []trouble
	pulled   string   // what the last plug does that was pulled
	letIn    []func() // ends that Slack refuses what the bot posts; nil = it does not
}

// trouble is what a platform says to one person when the bot does not answer.
type trouble struct {
	on, person, text string
	at               time.Time
}

// maxTroubles is how many of them are kept.
const maxTroubles = 20

// newWorld watches all that happens until it is closed.
func newWorld(d *Demo) *world {
	ctx, stop := context.WithCancel(context.Background())
	w := &world{
		d: d, stop: stop, done: ctx.Done(), changed: make(chan struct{}), guided: true,
		used: map[string]string{}, forms: map[string]*simdiscord.Interaction{},
	}
	d.bot.watch(w.tell)
	changes := d.discord.server.Watch(ctx)
	w.busy.Go(func() {
		for c := range changes {
			w.hear(c)
		}
	})
	w.listen(ctx, d.slack.server.Changed)
	if d.fal != nil {
		w.listen(ctx, d.fal.Changed)
	}
	return w
}

// close ends the watching.
func (w *world) close() {
	w.stop()
	w.busy.Wait()
}

// listen passes on changes that are told by a channel, from now on.
func (w *world) listen(ctx context.Context, changed func() <-chan struct{}) {
	next := changed()
	w.busy.Go(func() {
		for {
			select {
			case <-next:
				next = changed() // before the look, so that no change comes between
				w.tell()
			case <-ctx.Done():
				return
			}
		}
	})
}

// hear takes over what happens on Discord.
func (w *world) hear(c simdiscord.Change) {
	if i := c.Interaction; i != nil {
		w.mu.Lock()
		switch form, opened := i.Modal(); {
		case c.Kind == simdiscord.InteractionCreated && i.Command() != "":
			w.used[i.ID] = i.User.Name + " used /" + i.Command()
		case c.Kind == simdiscord.InteractionAnswered && opened && form.Title != "":
			w.forms[i.User.Name] = i
		}
		w.mu.Unlock()
	}
	if c.Kind != simdiscord.RequestServed { // what it did is told, too
		w.tell()
	}
}

// tell says that something has changed.
func (w *world) tell() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.changed)
	w.changed = make(chan struct{})
}

// Changed implements page.World.
func (w *world) Changed() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changed
}

// shownMessages is how many messages of a channel the page shows.
// A page of them stays below 100 kB.
const shownMessages = 16

// Scene implements page.World.
func (w *world) Scene(ctx context.Context, name string) (page.Scene, error) {
	p := w.d.named(name)
	if p == nil {
		return page.Scene{}, page.ErrNoPerson
	}
	w.mu.Lock()
	s := page.Scene{Guided: w.guided, Confirm: w.confirm()}
	w.mu.Unlock()
	s.Console = w.d.consoleOf(p)
	for _, one := range w.d.people {
		s.People = append(s.People, page.Person{Name: one.name, Title: one.title(), Here: one == p})
	}
	s.Channels = []page.Channel{w.discordChannel(p), w.slackChannel(p)}
	for i, c := range s.Channels {
		s.Channels[i].Messages = slices.Concat(c.Messages, w.troublesOf(c.Platform, name))
		slices.SortStableFunc(s.Channels[i].Messages, func(a, b page.Message) int { return a.At.Compare(b.At) })
		if more := len(s.Channels[i].Messages) - shownMessages; more > 0 {
			s.Channels[i].Older, s.Channels[i].Messages = true, s.Channels[i].Messages[more:]
		}
	}
	w.backstage(ctx, p, &s)
	return s, nil
}

// confirm is what has to be agreed to before a video is made. The caller holds
// mu.
func (w *world) confirm() string {
	if !w.d.opts.Live || w.agreed {
		return ""
	}
	return "Each video is made by the real fal with the key in FAL_KEY and costs real money: about $0.13 for 5 seconds, more for longer and larger ones. " +
		"The card in the channel says the price of each before it is made."
}

// complain keeps what a platform says to one person.
func (w *world) complain(on, person, text string) {
	w.mu.Lock()
	w.troubles = append(w.troubles, trouble{on, person, text, time.Now()})
	w.troubles = w.troubles[max(0, len(w.troubles)-maxTroubles):]
	w.mu.Unlock()
	w.tell()
}

func (w *world) troublesOf(on, person string) []page.Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []page.Message
	for _, t := range w.troubles {
		if t.on == on && t.person == person {
			out = append(out, page.Message{
				ID: "trouble-" + t.at.Format("150405.000000"), Author: "ltx", App: true, At: t.at, Only: true, Trouble: true,
				Parts: []page.Part{{Text: []page.Text{{Spans: []page.Span{{Text: t.text}}}}}},
			})
		}
	}
	return out
}

// errAgree says that an action would cost money.
var errAgree = errors.New("agree to the price first")

// Do implements page.World.
func (w *world) Do(ctx context.Context, name string, d page.Action) error {
	p := w.d.named(name)
	if p == nil {
		return page.ErrNoPerson
	}
	w.mu.Lock()
	asks := w.confirm() != ""
	w.mu.Unlock()
	if asks && slices.Contains([]page.ActionKind{page.Say, page.Press, page.Choose, page.Send}, d.Kind) {
		return errAgree
	}
	defer w.tell()
	switch d.Kind {
	case page.Say:
		return w.say(ctx, p, d)
	case page.Press:
		return w.press(ctx, p, d)
	case page.Choose:
		return w.choose(ctx, p, d)
	case page.Send:
		return w.send(ctx, p, d)
	case page.Close:
		return w.closeForm(ctx, p, d)
	case page.Pull:
		return w.pull(d.Key)
	case page.Agree, page.Dismiss:
		w.mu.Lock()
		defer w.mu.Unlock()
		w.agreed = w.agreed || d.Kind == page.Agree
		w.guided = w.guided && d.Kind != page.Dismiss
		return nil
	}
	return errors.New("the page can't do that: " + string(d.Kind))
}

// errPlatform says that an action names no platform.
var errPlatform = errors.New("it is done on discord or on slack")

// say types a line, as a command or as a message.
func (w *world) say(ctx context.Context, p *person, d page.Action) error {
	files := make([]File, 0, len(d.Files))
	if d.Picture {
		files = append(files, File{Name: samplePictureName, Data: samplePicture()})
	}
	for _, f := range d.Files {
		files = append(files, File{Name: f.Name, Data: f.Data})
	}
	if d.Line == "" {
		if len(files) > 0 {
			return errors.New("type what should happen, too: /ltx prompt:the picture comes to life")
		}
		return errors.New("type something first: /ltx makes a video")
	}
	switch d.On {
	case discordName:
		return w.sayOnDiscord(ctx, p, d.Line, files)
	case slackName:
		return w.sayOnSlack(ctx, p, d.Line, files)
	}
	return errPlatform
}

func (w *world) press(ctx context.Context, p *person, d page.Action) error {
	switch d.On {
	case discordName:
		return w.pressOnDiscord(ctx, p, d)
	case slackName:
		return w.pressOnSlack(ctx, p, d)
	}
	return errPlatform
}

// choose takes something from the menu of a message.
func (w *world) choose(ctx context.Context, p *person, d page.Action) error {
	switch d.On {
	case discordName:
		m, ok := w.d.discord.server.Message(d.Message)
		if !ok {
			return errGone
		}
		i, err := p.discord.user.MessageCommand(ctx, m, d.Key)
		w.await(p, p.discord.act(i))
		return refusal(err)
	case slackName:
		for _, m := range p.slack.seen() {
			if m.TS == d.Message {
				_, err := p.slack.user.MessageShortcut(ctx, m, d.Key)
				return slackRefusal(err)
			}
		}
		return errGone
	}
	return errPlatform
}

// errGone says that a message is not there any more.
var errGone = errors.New("the message is gone")

func (w *world) send(ctx context.Context, p *person, d page.Action) error {
	switch d.On {
	case discordName:
		return w.sendOnDiscord(ctx, p, d)
	case slackName:
		return w.sendOnSlack(ctx, p, d)
	}
	return errPlatform
}

func (w *world) closeForm(ctx context.Context, p *person, d page.Action) error {
	switch d.On {
	case discordName:
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.forms, p.name)
		return nil
	case slackName:
		if views := p.slack.user.Views(); len(views) > 0 {
			return p.slack.user.CloseView(ctx, views[len(views)-1], true)
		}
		return nil
	}
	return errPlatform
}

// The names of the platforms.
const (
	discordName = "discord"
	slackName   = "slack"
)

// Open implements page.World.
func (w *world) Open(on, id string) (page.Media, error) {
	var name, kind string
	var f *os.File
	var err error
	if m, ok := w.openPicture(id); ok {
		return m, nil
	}
	switch on {
	case discordName:
		path, ok := w.d.discord.server.AttachmentPath(id)
		for _, m := range w.everythingOnDiscord() {
			for _, a := range m.Attachments {
				if a.ID == id {
					name, kind = a.Name, a.ContentType
				}
			}
		}
		if !ok || name == "" {
			return page.Media{}, page.ErrNoFile
		}
		f, err = os.Open(path) //nolint:gosec // the simulator's own file
	case slackName:
		for _, m := range w.everythingOnSlack() {
			for _, a := range m.Files {
				if a.ID == id {
					name, kind = a.Name, a.Mimetype
				}
			}
		}
		if name == "" {
			return page.Media{}, page.ErrNoFile
		}
		f, err = w.d.slack.server.OpenFile(id)
	default:
		return page.Media{}, page.ErrNoFile
	}
	if err != nil {
		return page.Media{}, page.ErrNoFile
	}
	m := page.Media{ReadSeekCloser: f, Name: name, Type: kind}
	if info, err := f.Stat(); err == nil {
		m.Made = info.ModTime()
	}
	return m, nil
}

// everythingOnDiscord is the messages of the channel and of everybody's direct
// messages.
func (w *world) everythingOnDiscord() []simdiscord.Message {
	out := w.d.discord.channel.Messages()
	for _, p := range w.d.people {
		out = append(out, p.discord.user.DM().Messages()...)
	}
	return out
}

func (w *world) everythingOnSlack() []simslack.Message {
	out := w.d.slack.channel.Messages()
	for _, p := range w.d.people {
		out = append(out, p.slack.user.DM().Messages()...)
	}
	return out
}

// file is a file as the page shows it.
func file(id, name, kind, alt string, size int64) page.File {
	return page.File{ID: id, Name: name, Type: kind, Alt: alt, Size: size}
}

// picture is a small picture that the simulated fal has. The page loads none from
// elsewhere.
func (w *world) picture(address, alt string) []page.Part {
	if w.d.fal == nil {
		return nil
	}
	_, kind, ok := w.d.fal.OpenStored(address)
	if !ok {
		return nil
	}
	return []page.Part{{Files: []page.File{{ID: pictureID(address), Name: alt, Type: kind, Alt: alt, Small: true}}}}
}

// pictureID names a picture by its place at fal.
func pictureID(address string) string { return "fal-" + path.Base(path.Dir(address)) }

func (w *world) openPicture(id string) (page.Media, bool) {
	if w.d.fal == nil {
		return page.Media{}, false
	}
	for _, address := range w.d.fal.Stored() {
		if content, kind, ok := w.d.fal.OpenStored(address); ok && pictureID(address) == id {
			return page.Media{ReadSeekCloser: closable{content}, Name: path.Base(address), Type: kind}, true
		}
	}
	return page.Media{}, false
}

// closable is content that needs no closing.
type closable struct{ io.ReadSeeker }

func (closable) Close() error { return nil }
