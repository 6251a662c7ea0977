package discord_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"ltxbot/bot/view"
	"ltxbot/core/generate"
	sim "ltxbot/sim/discord"
)

// barred are the places where commands work and the bot's own messages do not.
var barred = map[string]struct {
	place func(s *stage) *sim.Channel
	fix   string // what the card says about it
}{
	"a private thread that the bot is not in": {
		func(s *stage) *sim.Channel { return s.general.NewPrivateThread("thread", s.ada) }, "mention me here once",
	},
	"the chat of a voice channel": {
		func(s *stage) *sim.Channel { return closedVoice(s, sim.Voice) }, "give me Connect",
	},
	"the chat of a stage": {
		func(s *stage) *sim.Channel { return closedVoice(s, sim.Stage) }, "give me Connect",
	},
	"a locked thread": {
		func(s *stage) *sim.Channel {
			thread := s.general.NewThread("thread")
			thread.Archive(false, true)
			return thread
		}, "give me Manage Threads",
	},
}

func closedVoice(s *stage, kind sim.ChannelType) *sim.Channel {
	ch := s.guild.NewChannelOf("talk", kind)
	ch.Deny(s.sim.Bot(), sim.Connect)
	return ch
}

// askIn is ask in another channel.
func (s *stage) askIn(ch *sim.Channel, options ...sim.Argument) generate.Job {
	s.t.Helper()
	if len(options) == 0 || options[0].Name != "prompt" {
		options = append([]sim.Argument{sim.Arg("prompt", "a cowboy")}, options...)
	}
	return s.job(s.slashBy(s.ada, ch, "ltx", options...))
}

// shared are the messages of a channel with a file in them that everybody
// sees.
func shared(ch *sim.Channel) []sim.Message {
	return slices.DeleteFunc(withFile(ch), func(m sim.Message) bool { return m.EphemeralTo != "" })
}

func TestVideoComesByTheTokenWhereTheBotItselfMayNotPost(t *testing.T) {
	t.Parallel()
	for name, tt := range barred {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.ada.RefuseDMs(true)
			ch := tt.place(s)
			j := s.askIn(ch)
			s.mustShow(j.ID, generate.Running)
			card := s.card(j)
			if text := card.Text(); !strings.Contains(text, tt.fix) || !strings.Contains(text, "/ltx-jobs show job:"+j.ID) {
				t.Errorf("card is %q", text)
			}
			receipt := s.mustDeliver(j.ID, 1<<20)
			again := s.mustDeliver(j.ID, 1<<20)
			s.mustShow(j.ID, generate.Delivered)
			found := shared(ch)
			if len(found) != 1 || found[0].ID != receipt.Message || again.Message != receipt.Message {
				t.Fatalf("receipt %+v, files are in %+v", receipt, found)
			}
			m := found[0]
			if m.ID == card.ID || !slices.Equal(m.Pings.Users, []string{s.ada.ID}) || !m.Attachments[0].Shown {
				t.Errorf("video is in %+v", m)
			}
			if n := len(s.sim.RequestsTo(sim.RouteCreateMessage)); n != 0 {
				t.Errorf("%d tries to post with the bot's own token, which are known to be refused", n)
			}
			if text := s.card(j).Text(); strings.Contains(text, tt.fix) {
				t.Errorf("the card of a delivered job still says %q", text)
			}
			// Its buttons work as everywhere.
			if m := s.response(s.click(s.ada, m, view.ActDetails, j.ID)); !strings.Contains(m.Text(), j.ID) {
				t.Errorf("details are %q", m.Text())
			}
		})
	}
}

// TestPlacesWhereTheBotMayPostAreNotTakenForBarred is about the neighbours of
// those places.
func TestPlacesWhereTheBotMayPostAreNotTakenForBarred(t *testing.T) {
	t.Parallel()
	for name, place := range map[string]func(s *stage) *sim.Channel{
		"a private thread that it was added to": func(s *stage) *sim.Channel {
			return s.general.NewPrivateThread("thread", s.ada, s.sim.Bot())
		},
		"a private thread for who manages threads": func(s *stage) *sim.Channel {
			s.general.Allow(s.sim.Bot(), sim.ManageThreads)
			return s.general.NewPrivateThread("thread", s.ada)
		},
		"a locked thread for who manages threads": func(s *stage) *sim.Channel {
			s.general.Allow(s.sim.Bot(), sim.ManageThreads)
			thread := s.general.NewThread("thread")
			thread.Archive(false, true)
			return thread
		},
		"a voice channel":                   func(s *stage) *sim.Channel { return s.guild.NewChannelOf("talk", sim.Voice) },
		"a stage":                           func(s *stage) *sim.Channel { return s.guild.NewChannelOf("talk", sim.Stage) },
		"a public thread":                   func(s *stage) *sim.Channel { return s.general.NewThread("thread") },
		"a post in a forum":                 func(s *stage) *sim.Channel { return s.guild.NewChannelOf("forum", sim.Forum).NewThread("post") },
		"an announcement channel":           func(s *stage) *sim.Channel { return s.guild.NewChannelOf("news", sim.Announcement) },
		"a thread under an announcement":    func(s *stage) *sim.Channel { return s.guild.NewChannelOf("news", sim.Announcement).NewThread("t") },
		"an archived thread that is opened": func(s *stage) *sim.Channel { return s.general.NewThread("thread") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			ch := place(s)
			j := s.askIn(ch)
			if !j.Until.IsZero() || j.Notes["barred"] != "" {
				t.Errorf("the job has to be over by %s, for %q", j.Until, j.Notes["barred"])
			}
			s.mustShow(j.ID, generate.Running)
			if strings.HasPrefix(name, "an archived") {
				ch.Archive(true, false)
			}
			s.sim.Advance(20 * time.Minute)
			s.mustDeliver(j.ID, 1<<20)
			if got := len(shared(ch)); got != 1 {
				t.Errorf("%d videos, want 1", got)
			}
		})
	}
}

// TestJobOfABarredPlaceMustBeOverWhileTheTokenLives leaves a minute for the
// last word.
func TestJobOfABarredPlaceMustBeOverWhileTheTokenLives(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	before := time.Now()
	j := s.askIn(s.general.NewPrivateThread("thread", s.ada))
	if least, most := before.Add(13*time.Minute), time.Now().Add(13*time.Minute); j.Until.Before(least) || j.Until.After(most) {
		t.Errorf("the job has to be over at %s, want %s to %s", j.Until, least, most)
	}
	s.engine.Put(j.ID, func(j *generate.Job) { j.Failure.Kind = generate.FailUnreachable })
	s.mustShow(j.ID, generate.Failed)
	if text := s.card(j).Text(); !strings.Contains(text, "mention me here once") || !strings.Contains(text, "could not be made in that time") || !strings.Contains(text, "Nothing was charged") {
		t.Errorf("card is %q", text)
	}
}

func TestPrivateThreadThatCannotBeLookedIntoIsTakenForBarred(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.sim.Inject(sim.Fault{Route: "GET /channels/{channel}", Delay: 10 * time.Second})
	j := s.askIn(s.general.NewPrivateThread("thread", s.ada, s.sim.Bot()))
	if j.Notes["barred"] == "" {
		t.Error("the place is taken for open")
	}
}

func TestPrivateVideoNeedsNothingOfItsPlace(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.askIn(s.general.NewPrivateThread("thread", s.ada), sim.Arg("private", true))
	if !j.Until.IsZero() || j.Notes["barred"] != "" {
		t.Errorf("job is %+v", j)
	}
}

// TestVideoFindsAWayWhenTheBotIsShutOutMeanwhile closes the channel after the
// command was accepted, with direct messages closed, too.
func TestVideoFindsAWayWhenTheBotIsShutOutMeanwhile(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		shut   func(s *stage)
		faults []sim.Fault
		after  time.Duration // of the token's life
		fit    generate.Fit
		inCard bool
	}{
		{name: "by a follow-up", shut: func(s *stage) { s.general.Deny(s.sim.Bot(), sim.ViewChannel) }, fit: generate.FitOriginal},
		{
			name: "in the card, when the follow-up's reply is lost", shut: func(s *stage) { s.guild.Leave(s.sim.Bot()) },
			faults: []sim.Fault{{Route: sim.RouteFollowup, LoseReply: true}}, fit: generate.FitOriginal, inCard: true,
		},
		{
			name: "in the card, when follow-ups are refused", shut: func(s *stage) { s.general.Deny(s.sim.Bot(), sim.SendMessages) },
			faults: []sim.Fault{{Route: sim.RouteFollowup, Status: 403, Times: -1}}, fit: generate.FitOriginal, inCard: true,
		},
		{
			name: "as a link in the card, when no file is taken", shut: func(s *stage) { s.general.Deny(s.sim.Bot(), sim.SendMessages) },
			faults: []sim.Fault{{Route: sim.RouteFollowup, Status: 403, Times: -1}, {Route: sim.RouteEditResponse, Status: 403}},
			fit:    generate.FitLink, inCard: true,
		},
		{
			name: "in the card by the bot, when the token is dead", shut: func(s *stage) { s.general.Deny(s.sim.Bot(), sim.SendMessages) },
			after: time.Hour, fit: generate.FitOriginal, inCard: true,
		},
		{
			name: "as a link in the card by the bot", shut: func(s *stage) { s.general.Deny(s.sim.Bot(), sim.SendMessages|sim.AttachFiles) },
			after: time.Hour, fit: generate.FitLink, inCard: true,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.ada.RefuseDMs(true)
			j := s.running("/ltx prompt:a cowboy")
			card := s.card(j).ID
			tt.shut(s)
			for _, f := range tt.faults {
				s.sim.Inject(f)
			}
			s.sim.Advance(tt.after)
			receipt := s.mustDeliver(j.ID, 1<<20)
			s.mustShow(j.ID, generate.Delivered)
			m, ok := s.sim.Message(receipt.Message)
			if !ok || receipt.Fit != tt.fit || (m.ID == card) != tt.inCard {
				t.Fatalf("receipt %+v, card %s", receipt, card)
			}
			if hasLink := strings.Contains(m.Text(), "https://v3.fal.media/"); hasLink != (tt.fit == generate.FitLink) {
				t.Errorf("message says %q", m.Text())
			}
			if says := "I am not allowed to upload files here"; tt.fit == generate.FitLink && !strings.Contains(m.Text(), says) {
				t.Errorf("message says %q, want %q", m.Text(), says)
			}
			if got := len(shared(s.general)); tt.fit == generate.FitOriginal && got != 1 {
				t.Errorf("%d files, want 1", got)
			}
		})
	}
}

func TestDirectMessageGoesBeforeTheCard(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.running("/ltx prompt:a cowboy")
	s.sim.Advance(time.Hour)
	s.general.Deny(s.sim.Bot(), sim.SendMessages)
	s.mustDeliver(j.ID, 1<<20)
	if got := len(withFile(s.ada.DM())); got != 1 {
		t.Errorf("%d direct messages, want 1", got)
	}
}

func TestVideoByTokenIsTriedAgainWhileDiscordHasAProblem(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	ch := s.general.NewPrivateThread("thread", s.ada)
	j := s.askIn(ch)
	s.mustShow(j.ID, generate.Running)
	s.sim.Inject(sim.Fault{Route: sim.RouteEditResponse, Status: 503, Times: -1})
	if _, err := s.deliver(j.ID, 1<<20); err == nil || errors.Is(err, generate.ErrUnreachable) {
		t.Fatalf("got %v, want an error that is tried again", err)
	}
	s.sim.ClearFaults()
	s.restart()
	s.mustDeliver(j.ID, 1<<20)
	if got := len(shared(ch)); got != 1 {
		t.Errorf("%d videos, want 1", got)
	}
	if got := len(s.sim.RequestsTo(sim.RouteFollowup)); got != 1 {
		t.Errorf("%d follow-ups, want 1", got)
	}
}

// TestAVideoThatReachedNobodyIsLinkedWhereItsJobIsShown has the token dead,
// the channel closed and direct messages closed.
func TestAVideoThatReachedNobodyIsLinkedWhereItsJobIsShown(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.askIn(s.general.NewPrivateThread("thread", s.ada))
	s.mustShow(j.ID, generate.Running)
	s.ada.RefuseDMs(true)
	s.sim.Advance(20 * time.Minute)
	if _, err := s.deliver(j.ID, 1<<20); !errors.Is(err, generate.ErrUnreachable) {
		t.Fatalf("got %v", err)
	}
	s.engine.Put(j.ID, func(j *generate.Job) {
		j.State, j.Failure.Kind, j.Charged = generate.Failed, generate.FailUnreachable, 130_000
		j.Output.URL = "https://v3.fal.media/files/b/video.mp4"
	})
	if m := s.response(s.types("/ltx-jobs show job:" + j.ID)); m.EphemeralTo != s.ada.ID || !strings.Contains(m.Text(), "https://v3.fal.media/files/b/video.mp4") {
		t.Errorf("ada reads %q", m.Text())
	}
}
