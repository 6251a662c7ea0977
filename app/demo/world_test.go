package demo_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	_ "image/png" // the sample picture
	"log/slog"
	"strings"
	"testing"
	"time"

	"ltxbot/app/demo"
	page "ltxbot/web/demo"
)

// worldLimit is how long a test waits for something to appear.
const worldLimit = 2 * time.Minute

// stage is a demo with its page's world.
type stage struct {
	t *testing.T
	d *demo.Demo
	page.World
}

func newStage(t *testing.T) stage {
	t.Helper()
	var log strings.Builder
	d, err := demo.Start(t.Context(), demo.Options{
		Dir: t.TempDir(), Page: true, Speed: 10, Version: "test", Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		d.Close()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	return stage{t, d, d.World(t)}
}

// do does something that must work.
func (s stage) do(person string, d page.Action) {
	s.t.Helper()
	if err := s.Do(s.t.Context(), person, d); err != nil {
		s.t.Fatalf("%s: %v: %v", person, d, err)
	}
}

func (s stage) say(person, on, line string) {
	s.t.Helper()
	s.do(person, page.Action{Kind: page.Say, On: on, Line: line})
}

// until waits until a person sees something, and returns the scene.
func (s stage) until(person, what string, sees func(page.Scene) bool) page.Scene {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), worldLimit)
	defer cancel()
	for {
		changed := s.Changed()
		scene, err := s.Scene(ctx, person)
		if err != nil {
			s.t.Fatal(err)
		}
		if sees(scene) {
			return scene
		}
		select {
		case <-changed:
		case <-ctx.Done():
			s.t.Fatalf("%s never sees %s; there is\n%s", person, what, text(scene))
		}
	}
}

// messages are those of a channel that hold a text.
func messages(s page.Scene, on, holds string) []page.Message {
	var out []page.Message
	for _, c := range s.Channels {
		for _, m := range c.Messages {
			if c.Platform == on && strings.Contains(textOf(m), holds) {
				out = append(out, m)
			}
		}
	}
	return out
}

func textOf(m page.Message) string {
	var b strings.Builder
	for _, p := range m.Parts {
		for _, t := range p.Text {
			for _, s := range t.Spans {
				b.WriteString(s.Text)
			}
			b.WriteString("\n")
		}
		for _, one := range p.Buttons {
			b.WriteString("[" + one.Label + "]")
		}
	}
	return b.String()
}

func text(s page.Scene) string {
	var b strings.Builder
	for _, c := range s.Channels {
		for _, m := range c.Messages {
			b.WriteString(c.Platform + ": " + textOf(m) + "\n")
		}
	}
	return b.String()
}

// ready waits for the video of a message.
func (s stage) ready(person, on string) page.Message {
	s.t.Helper()
	const done = "Your video is ready"
	scene := s.until(person, "a video on "+on, func(s page.Scene) bool { return len(messages(s, on, done)) > 0 })
	return messages(scene, on, done)[0]
}

func button(t *testing.T, m page.Message, label string) page.Action {
	t.Helper()
	for _, p := range m.Parts {
		for _, b := range p.Buttons {
			if b.Label == label {
				return page.Action{Kind: page.Press, Message: m.ID, Key: b.Key}
			}
		}
	}
	t.Fatalf("there is no %s on %s", label, textOf(m))
	return page.Action{}
}

func TestTwoPeopleSeeWhatIsForThem(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for _, on := range []string{"discord", "slack"} {
		for line, private := range map[string]bool{"hello @cleo": false, map[string]string{"discord": "/ltx-quota show", "slack": "/ltx quota"}[on]: true} {
			s.say("ben", on, line)
			holds := map[bool]string{false: "hello @cleo", true: "of 3"}[private]
			scene := s.until("ben", line, func(s page.Scene) bool { return len(messages(s, on, holds)) > 0 })
			if m := messages(scene, on, holds)[0]; m.Only != private {
				t.Errorf("%s on %s: only ben sees it: %v", line, on, m.Only)
			}
			other, err := s.Scene(t.Context(), "cleo")
			if err != nil {
				t.Fatal(err)
			}
			if n := len(messages(other, on, holds)); (n == 0) != private {
				t.Errorf("%s on %s: cleo sees %d of it", line, on, n)
			}
		}
	}
	if _, err := s.Scene(t.Context(), "eve"); !errors.Is(err, page.ErrNoPerson) {
		t.Errorf("somebody who is not there: %v", err)
	}
}

func TestAVideoIsPlayedAndMadeAgain(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.do("ben", page.Action{Kind: page.Say, On: "discord", Line: "/ltx prompt:the sun sets", Picture: true})
	m := s.ready("ben", "discord")
	var video page.File
	for _, p := range m.Parts {
		for _, f := range p.Files {
			video = f
		}
	}
	f, err := s.Open("discord", video.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if f.Type != "video/mp4" || video.Type != f.Type || video.Alt == "" {
		t.Errorf("the video is %+v, and comes as %s", video, f.Type)
	}
	for _, on := range []string{"discord", "slack", "fal"} {
		if _, err := s.Open(on, "1"); !errors.Is(err, page.ErrNoFile) {
			t.Errorf("a file of %s that is not there: %v", on, err)
		}
	}
	again := button(t, m, "Again")
	again.On = "discord"
	s.do("ben", again)
	scene := s.until("ben", "two steps of the guide, and what fal was asked for", func(s page.Scene) bool {
		return s.Guide[0].Done && s.Guide[1].Done && len(s.Fal.Jobs) == 2
	})
	if scene.Fal.Jobs[0].Prompt != "the sun sets" {
		t.Errorf("fal has %+v", scene.Fal.Jobs)
	}
}

func TestAnAdminGrantsWhatTheLimitRefuses(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for range 4 {
		s.say("ben", "slack", "/ltx a fox")
	}
	scene := s.until("ben", "a refusal, and three videos", func(s page.Scene) bool {
		done := 0 // of these jobs, and one may be the refused one
		for _, j := range s.Ledger.Jobs {
			if j.State == "Done" {
				done++
			}
		}
		return len(messages(s, "slack", "3 of 3")) > 0 && len(messages(s, "slack", "Your video is ready")) == 3 && done == 3
	})
	if scene.Guide[1].Done {
		t.Error("the guide says that Again was pressed")
	}
	if err := s.Do(t.Context(), "ben", page.Action{Kind: page.Say, On: "discord", Line: "/ltx-admin grant who:@ben videos:5"}); err == nil {
		t.Error("Discord offers the command of admins to a member")
	}
	s.say("ada", "slack", "/ltx admin grant @ben videos:5")
	s.until("ben", "two limits of ben, the extra and the team's", func(s page.Scene) bool {
		return s.Guide[2].Done && len(s.Ledger.Gauges) == 4
	})
	s.say("ben", "slack", "/ltx a fox that was granted")
	s.until("ben", "the video that was granted", func(s page.Scene) bool {
		return len(messages(s, "slack", "a fox that was granted")) > 0 && len(messages(s, "slack", "Your video is ready")) == 4
	})
}

func TestAMentionIsReadOnSlackAlone(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	if err := s.Do(t.Context(), "ben", page.Action{Kind: page.Say, On: "discord", Line: "@ltx a fox"}); err == nil || !strings.Contains(err.Error(), "only commands") {
		t.Errorf("a mention on Discord: %v", err)
	}
	s.say("ben", "discord", "who has seen the fox?")
	s.say("ben", "slack", "who has seen the fox?")
	s.say("ben", "slack", "@ltx a fox for @ada")
	s.ready("ben", "slack")
}

func TestThePlugIsPulledWhileAVideoIsMade(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.say("ben", "discord", "/ltx prompt:a fox takes-long")
	s.until("ben", "it running at fal", func(s page.Scene) bool { return len(s.Fal.Jobs) == 1 && s.Fal.Jobs[0].State == "running" })
	s.do("ben", page.Action{Kind: page.Pull, Key: "kill"})
	s.until("ben", "that the bot is down", func(s page.Scene) bool { return s.Ledger.Down && s.Plugs[0].Key == "start" })
	if err := s.Do(t.Context(), "ben", page.Action{Kind: page.Say, On: "slack", Line: "/ltx nobody hears it"}); err == nil {
		t.Error("a command that nobody hears is taken")
	}
	s.do("ben", page.Action{Kind: page.Pull, Key: "start"})
	s.ready("ben", "discord")
	if n := s.d.Submitted(); n != 1 {
		t.Errorf("fal was asked %d times, want once", n)
	}
}

func TestAFormIsFilledInOnEachPlatform(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	form := func(scene page.Scene, on string) *page.Form {
		for _, c := range scene.Channels {
			if c.Platform == on {
				return c.Form
			}
		}
		return nil
	}
	s.say("ben", "slack", "/ltx")
	scene := s.until("ben", "a form", func(s page.Scene) bool { return form(s, "slack") != nil })
	f := form(scene, "slack")
	sizes := s.Suggest(t.Context(), "ben", page.Question{On: "slack", Form: f.ID, Field: "size", Line: "vert"})
	if len(sizes) == 0 {
		t.Error("the bot suggests no sizes")
	}
	wrong := page.Action{Kind: page.Send, On: "slack", Form: f.ID, Fields: map[string]string{"prompt": "a fox", "duration": "a thousand years"}}
	if err := s.Do(t.Context(), "ben", wrong); err == nil {
		t.Error("a form with a mistake is taken")
	}
	scene = s.until("ben", "the mistake", func(sc page.Scene) bool {
		for _, field := range form(sc, "slack").Fields {
			if field.Wrong != "" {
				return true
			}
		}
		return false
	})
	if other, err := s.Scene(t.Context(), "cleo"); err != nil || form(other, "slack") != nil {
		t.Errorf("somebody else has the form on the screen: %v", err)
	}
	s.do("ben", page.Action{
		Kind: page.Send, On: "slack", Form: f.ID, Fields: map[string]string{"prompt": "a fox", "duration": "5"},
		Uploads: map[string][]page.Upload{"files": {{Name: "lake.png", Data: demo.SamplePicture()}}},
	})
	m := s.ready("ben", "slack")
	if form(scene, "slack") == nil {
		t.Error("the scene has changed by itself")
	}
	if err := s.Do(t.Context(), "ben", wrong); err == nil {
		t.Error("a form that is gone is sent")
	}
	edit := button(t, m, "Edit")
	edit.On = "slack"
	s.do("ben", edit)
	s.until("ben", "the form of Edit", func(s page.Scene) bool { return form(s, "slack") != nil })
	s.do("ben", page.Action{Kind: page.Close, On: "slack"})
	s.until("ben", "no form", func(s page.Scene) bool { return form(s, "slack") == nil })

	s.say("ben", "discord", "/ltx prompt:a fox")
	m = s.ready("ben", "discord")
	edit = button(t, m, "Edit")
	edit.On = "discord"
	s.do("ben", edit)
	scene = s.until("ben", "the form of Edit", func(s page.Scene) bool { return form(s, "discord") != nil })
	f = form(scene, "discord")
	s.do("ben", page.Action{Kind: page.Send, On: "discord", Form: f.ID, Fields: map[string]string{f.Fields[0].Key: "a fox at night"}})
	s.until("ben", "the edited video", func(s page.Scene) bool {
		return form(s, "discord") == nil && len(messages(s, "discord", "a fox at night")) > 1
	})
}

func TestSuggestionsAreThoseOfTheClient(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for _, test := range []struct {
		person, on, line string
		has, hasNot      string // labels
		takes            string // the line when the first one is taken
	}{
		{"ben", "discord", "hello", "", "", ""},
		{"ben", "discord", "/", "/ltx", "/ltx-admin", "/ltx "},
		{"ada", "discord", "/ltx-a", "/ltx-admin", "/ltx", "/ltx-admin "},
		{"ben", "discord", "/ltx-jobs ", "list", "prompt", "/ltx-jobs list "},
		{"ada", "discord", "/ltx-admin gr", "grant", "revoke", "/ltx-admin grant "},
		{"ada", "discord", "/ltx-admin grant who:@b", "@ben", "@ada", "/ltx-admin grant who:@ben "},
		{"ben", "discord", "/ltx ", "prompt", "list", "/ltx prompt:"},
		{"ben", "discord", "/ltx prompt:a fox cam", "camera", "size", "/ltx prompt:a fox camera:"},
		{"ben", "discord", "/ltx prompt:a fox camera:dolly o", "Dolly out", "Dolly in", "/ltx prompt:a fox camera:Dolly out "},
		{"ben", "discord", "/ltx camera:static ", "prompt", "camera", "/ltx camera:static prompt:"},
		{"ben", "discord", "/ltx prompt:a fox image:", "Attach a file", "", "/ltx prompt:a fox "},
		{"ben", "slack", "/l", "/ltx  a cowboy walks camera:dolly_in | help | jobs | cancel ID | quota", "", "/ltx "},
		{"ben", "slack", "/ltx a fox cam", "", "camera", ""},
	} {
		var labels []string
		found := s.Suggest(t.Context(), test.person, page.Question{On: test.on, Line: test.line})
		for _, f := range found {
			labels = append(labels, f.Label)
		}
		all := "\n" + strings.Join(labels, "\n") + "\n"
		if test.has != "" && !strings.Contains(all, "\n"+test.has+"\n") || test.hasNot != "" && strings.Contains(all, "\n"+test.hasNot+"\n") {
			t.Errorf("%s types %q on %s and is offered %q", test.person, test.line, test.on, labels)
		}
		if test.has == "" && len(found) > 0 {
			t.Errorf("%s types %q on %s and is offered %q, want nothing", test.person, test.line, test.on, labels)
		}
		if len(found) > 0 && found[0].Line != test.takes {
			t.Errorf("%q becomes %q, want %q", test.line, found[0].Line, test.takes)
		}
	}
	sizes := s.Suggest(t.Context(), "ben", page.Question{On: "discord", Line: "/ltx prompt:a fox size:vert"})
	if len(sizes) == 0 {
		t.Error("the bot completes no size")
	}
}

func TestRealVideosAreAgreedToFirst(t *testing.T) {
	t.Setenv("FAL_KEY", "a:b")
	d, err := demo.Start(t.Context(), demo.Options{Dir: t.TempDir(), Page: true, Live: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	w := d.World(t)
	scene, err := w.Scene(t.Context(), "ben")
	if err != nil || !strings.Contains(scene.Confirm, "$0.13") || !scene.Fal.Live {
		t.Errorf("the page says %q, %v", scene.Confirm, err)
	}
	for _, kind := range []page.ActionKind{page.Say, page.Press, page.Send} {
		if err := w.Do(t.Context(), "ben", page.Action{Kind: kind, On: "discord", Line: "/ltx-help"}); err == nil || !strings.Contains(err.Error(), "agree") {
			t.Errorf("%s without a yes: %v", kind, err)
		}
	}
	if err := w.Do(t.Context(), "ben", page.Action{Kind: page.Agree}); err != nil {
		t.Fatal(err)
	}
	if err := w.Do(t.Context(), "ben", page.Action{Kind: page.Say, On: "discord", Line: "/ltx-help"}); err != nil {
		t.Errorf("after a yes: %v", err)
	}
	if scene, err = w.Scene(t.Context(), "ben"); err != nil || scene.Confirm != "" {
		t.Errorf("after a yes the page says %q, %v", scene.Confirm, err)
	}
}

func TestThePageIsForThisMachineAlone(t *testing.T) {
	d, err := demo.Start(t.Context(), demo.Options{Dir: t.TempDir(), Page: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "example.com:0", "127.0.0.1"} {
		if p, err := d.ServePage(t.Context(), address, true); err == nil {
			p.Close()
			t.Errorf("the page is served at %s", address)
		}
	}
	first, err := d.ServePage(t.Context(), "127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	taken := strings.TrimPrefix(first.URL(), "http://")
	if p, err := d.ServePage(t.Context(), taken, false); err == nil {
		p.Close()
		t.Error("an address is served twice")
	}
	second, err := d.ServePage(t.Context(), taken, true)
	if err != nil {
		t.Fatalf("an address that is taken: %v", err)
	}
	second.Close()
}

func TestTheSamplePictureIsOne(t *testing.T) {
	t.Parallel()
	c, format, err := image.DecodeConfig(bytes.NewReader(demo.SamplePicture()))
	if err != nil || format != "png" || c.Width < 256 || c.Height < 256 {
		t.Errorf("it is %s of %d×%d, %v", format, c.Width, c.Height, err)
	}
}

func TestTheMenuOfAMessageIsTheBots(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for on, command := range map[string]string{"discord": "Animate this", "slack": "Make a video of this"} {
		if err := s.Do(t.Context(), "cleo", page.Action{
			Kind: page.Say, On: on, Line: "look at my lake", Files: []page.Upload{{Name: "lake.png", Data: demo.SamplePicture()}},
		}); err != nil {
			t.Fatal(err)
		}
		scene := s.until("ben", "the picture", func(s page.Scene) bool { return len(messages(s, on, "look at my lake")) > 0 })
		m := messages(scene, on, "look at my lake")[0]
		var key string
		for _, o := range m.Apps {
			if o.Label == command {
				key = o.Value
			}
		}
		s.do("ben", page.Action{Kind: page.Choose, On: on, Message: m.ID, Key: key})
		s.until("ben", "a form or a card on "+on, func(s page.Scene) bool {
			for _, c := range s.Channels {
				if c.Platform == on && (c.Form != nil || len(c.Messages) > 1) {
					return true
				}
			}
			return false
		})
		if err := s.Do(t.Context(), "ben", page.Action{Kind: page.Choose, On: on, Message: "1", Key: key}); err == nil {
			t.Error("the menu of a message that is not there is used")
		}
	}
}

func TestDetailsShowThePictureThatWentIn(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for on, line := range map[string]string{"discord": "/ltx prompt:the sun sets", "slack": "/ltx the sun sets"} {
		s.do("ben", page.Action{Kind: page.Say, On: on, Line: line, Picture: true})
		details := button(t, s.ready("ben", on), "Details")
		details.On = on
		s.do("ben", details)
		scene := s.until("ben", "the details", func(s page.Scene) bool { return len(messages(s, on, "First picture")) > 0 })
		var small []page.File
		for _, p := range messages(scene, on, "First picture")[0].Parts {
			for _, f := range p.Files {
				if f.Small {
					small = append(small, f)
				}
			}
		}
		if len(small) != 1 || !strings.HasPrefix(small[0].Alt, "First picture: ") {
			t.Fatalf("on %s the pictures are %+v", on, small)
		}
		f, err := s.Open(on, small[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := image.Decode(f); err != nil || f.Type != "image/png" {
			t.Errorf("on %s the page shows %s: %v", on, f.Type, err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}
