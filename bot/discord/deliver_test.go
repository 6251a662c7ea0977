package discord_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ltxbot/core/generate"
	sim "ltxbot/sim/discord"
)

func TestVideoIsPostedOnceHoweverOftenItIsDelivered(t *testing.T) {
	t.Parallel()
	faults := map[string]sim.Fault{
		"lost reply":                {LoseReply: true},
		"reply lost several times":  {LoseReply: true, Times: 3},
		"dropped before it is done": {Drop: true, Times: 2},
		"502 of the edge":           {BadGateway: true, Times: 2},
		"503":                       {Status: 503, Times: 2},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			j := s.running("/ltx prompt:a cowboy")
			fault.Route = sim.RouteCreateMessage
			s.sim.Inject(fault)
			first := s.mustDeliver(j.ID, 1<<20)
			again := s.mustDeliver(j.ID, 1<<20)
			if got := len(videos(s.general, j.ID)); got != 1 || first.Message != again.Message {
				t.Errorf("%d videos, receipts %+v and %+v", got, first, again)
			}
			if again.SHA256 != "0a1b" || again.Mark != generate.MarkWritten {
				t.Errorf("receipt %+v does not tell the file", again)
			}
		})
	}
}

func TestVideoWhoseReplyWasLostLongAgoIsFoundInTheChannel(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.running("/ltx prompt:a cowboy")
	s.sim.Inject(sim.Fault{Route: sim.RouteCreateMessage, LoseReply: true, Times: -1})
	if _, err := s.deliver(j.ID, 1<<20); err == nil {
		t.Fatal("the fault was not met")
	}
	s.sim.ClearFaults()
	s.sim.Advance(2 * time.Hour) // the nonce is forgotten
	for range 130 {
		s.ada.Say(s.general, "are we there yet?")
	}
	s.restart()
	receipt := s.mustDeliver(j.ID, 1<<20)
	found := videos(s.general, j.ID)
	if len(found) != 1 || found[0].ID != receipt.Message {
		t.Errorf("%d videos, receipt %+v", len(found), receipt)
	}
}

func TestVideoOfADoubtedJobIsFoundInTheChannel(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.running("/ltx prompt:a cowboy")
	before := s.engine.Put(j.ID, func(*generate.Job) {}).Notes
	first := s.mustDeliver(j.ID, 1<<20)
	s.sim.Advance(2 * time.Hour)
	s.engine.Put(j.ID, func(j *generate.Job) { j.Notes, j.Doubted = before, true })
	s.restart()
	again := s.mustDeliver(j.ID, 1<<20)
	if got := len(videos(s.general, j.ID)); got != 1 || first.Message != again.Message {
		t.Errorf("%d videos, receipts %+v and %+v", got, first, again)
	}
}

func TestVideoIsPostedAfterACrashBeforeThePost(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.running("/ltx prompt:a cowboy")
	s.sim.Inject(sim.Fault{Route: sim.RouteCreateMessage, Drop: true, Times: -1})
	if _, err := s.deliver(j.ID, 1<<20); err == nil {
		t.Fatal("the fault was not met")
	}
	s.sim.ClearFaults()
	s.sim.Advance(time.Hour)
	s.restart()
	s.mustDeliver(j.ID, 1<<20)
	s.wantVideos(j.ID, 1)
}

func TestVideoIsPostedOnceWhenTheReceiptWasNotSaved(t *testing.T) {
	t.Parallel()
	for _, after := range []time.Duration{time.Second, time.Hour} { // by the nonce, and by looking
		s := newStage(t)
		j := s.running("/ltx prompt:a cowboy")
		job, _ := s.engine.Job(s.ctx, j.ID)
		lost, err := one(s.bot.Courier().Deliver(s.ctx, job, []generate.Video{s.video(job, 1<<20)}, s.engine.Keep(j.ID)))
		if err != nil {
			t.Fatal(err)
		}
		s.sim.Advance(after)
		s.restart()
		if r := s.mustDeliver(j.ID, 1<<20); r.Message != lost.Message {
			t.Errorf("after %s: receipt of %s, want %s", after, r.Message, lost.Message)
		}
		s.wantVideos(j.ID, 1)
	}
}

func TestVideoFitsTheLimitOfWhereItGoes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		tier int
		size int64
		want int64
		fit  generate.Fit
	}{
		{"a small one as it is", 0, 9 << 20, 9 << 20, generate.FitOriginal},
		{"a large one is made smaller", 0, 20 << 20, 10 << 20, generate.FitReencoded},
		{"a boosted guild takes more", 2, 40 << 20, 40 << 20, generate.FitOriginal},
		{"the highest tier takes most", 3, 90 << 20, 90 << 20, generate.FitOriginal},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.ada.SetUploadLimit(500 << 20) // Nitro does not count for the bot
			s.guild.SetTier(tt.tier)
			j := s.running("/ltx prompt:a cowboy")
			receipt := s.mustDeliver(j.ID, tt.size)
			found := videos(s.general, j.ID)
			if len(found) != 1 || found[0].Attachments[0].Size != tt.want || receipt.Fit != tt.fit {
				t.Errorf("receipt %+v, videos %+v", receipt, found)
			}
		})
	}
}

func TestVideoThatDiscordFindsTooLargeIsMadeSmallerOnceAndThenALink(t *testing.T) {
	t.Parallel()
	for times, want := range map[int]generate.Fit{1: generate.FitReencoded, 2: generate.FitLink} {
		s := newStage(t)
		j := s.running("/ltx prompt:a cowboy")
		s.sim.Inject(sim.Fault{Route: sim.RouteCreateMessage, Status: 413, Times: times})
		receipt := s.mustDeliver(j.ID, 9<<20)
		found := videos(s.general, j.ID)
		if receipt.Fit != want || len(found) != 1 {
			t.Fatalf("%d refusals: receipt %+v, %d videos", times, receipt, len(found))
		}
		if has := receipt.SHA256 != "" || receipt.Mark != ""; has != (want != generate.FitLink) {
			t.Errorf("receipt %+v: only a file has a hash and a mark", receipt)
		}
		if text := found[0].Text(); !strings.Contains(text, "a cowboy") {
			t.Errorf("the text is lost: %q", text)
		}
		if want == generate.FitLink && !strings.Contains(found[0].Text(), "https://v3.fal.media/") {
			t.Errorf("no link in %q", found[0].Text())
		}
	}
}

func TestVideoWhoseUploadsKeepFailingBecomesALink(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.running("/ltx prompt:a cowboy")
	s.sim.Inject(sim.Fault{Route: sim.RouteCreateMessage, Status: 500, Times: -1})
	if _, err := s.deliver(j.ID, 1<<20); err == nil || errors.Is(err, generate.ErrUnreachable) {
		t.Fatalf("an upload that fails: %v", err)
	}
	s.sim.ClearFaults()
	job := s.read(j.ID)
	v := s.video(job, 1<<20)
	v.Link, v.Fetch = true, func(context.Context, int64) (generate.File, error) {
		return generate.File{}, &generate.LinkError{Err: generate.ErrUploads}
	}
	for range 2 {
		receipt, err := one(s.bot.Courier().Deliver(s.ctx, job, []generate.Video{v}, s.engine.Keep(j.ID)))
		if err != nil || receipt.Fit != generate.FitLink {
			t.Errorf("receipt %+v, %v", receipt, err)
		}
		job = s.read(j.ID)
	}
	found := videos(s.general, j.ID)
	if len(found) != 1 || !strings.Contains(found[0].Text(), "The upload failed several times") || !strings.Contains(found[0].Text(), "https://v3.fal.media/") {
		t.Errorf("there are %d messages: %v", len(found), found)
	}
}

func TestVideoIsDeliveredAgainOnceTheBotIsLetIn(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.running("/ltx prompt:a cowboy")
	s.sim.Advance(time.Hour)
	s.ada.RefuseDMs(true)
	s.general.Deny(s.sim.Bot(), sim.ViewChannel)
	if _, err := s.deliver(j.ID, 1<<20); !errors.Is(err, generate.ErrUnreachable) {
		t.Fatalf("a conversation that takes nothing: %v", err)
	}
	s.general.Allow(s.sim.Bot(), sim.ViewChannel)
	s.sim.Advance(48 * time.Hour)
	s.engine.Put(j.ID, func(j *generate.Job) {
		j.Redelivery, j.Doubted = &generate.Redelivery{By: "operator", At: s.sim.Now()}, true
	})
	first := s.mustDeliver(j.ID, 1<<20)
	s.engine.Put(j.ID, func(j *generate.Job) { j.Notes = map[string]string{} }) // whoever asks may know nothing
	s.sim.Advance(time.Hour)
	if again := s.mustDeliver(j.ID, 1<<20); again.Message != first.Message || len(videos(s.general, j.ID)) != 1 {
		t.Errorf("%d videos; receipts %+v and %+v", len(videos(s.general, j.ID)), first, again)
	}
}

func TestVideoOfAConversationThatIsGoneGoesToTheRequester(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.running("/ltx prompt:a cowboy")
	s.general.Delete()
	receipt := s.mustDeliver(j.ID, 1<<20)
	if got := len(videos(s.ada.DM(), j.ID)); got != 1 || !strings.Contains(receipt.Link, "/@me/") {
		t.Errorf("%d direct messages, receipt %+v", got, receipt)
	}
}

func TestVideoThatNobodyTakesIsUnreachable(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.running("/ltx prompt:a cowboy")
	s.general.Delete()
	s.ada.RefuseDMs(true)
	if _, err := s.deliver(j.ID, 1<<20); !errors.Is(err, generate.ErrUnreachable) {
		t.Errorf("got %v", err)
	}
}

func TestVideoThatTheChannelDoesNotTakeBecomesALink(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for code, says := range map[int]string{
		20009: "refused as explicit content", 200000: "Automatic moderation", 400001: "uploads are limited on this server",
	} {
		api := newRefuser(t, s, code)
		j := s.running("/ltx prompt:a cowboy")
		job, _ := s.engine.Job(s.ctx, j.ID)
		receipt, err := one(api.bot.Courier().Deliver(s.ctx, job, []generate.Video{s.video(job, 1<<20)}, s.engine.Keep(j.ID)))
		if err != nil || receipt.Fit != generate.FitLink {
			t.Errorf("code %d: receipt %+v, %v", code, receipt, err)
		}
		if found := videos(s.general, j.ID); len(found) != 1 || !strings.Contains(found[0].Text(), says) {
			t.Errorf("code %d: the videos are %+v, want a link that says %q", code, found, says)
		}
	}
}

func TestVideoIsPostedWithoutAReplyWhereTheHistoryIsClosed(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.ask("/ltx prompt:a cowboy")
	s.general.Deny(s.sim.Bot(), sim.ReadMessageHistory) // it was open when the job was accepted
	s.mustShow(j.ID, generate.Running)
	s.mustDeliver(j.ID, 1<<20)
	if found := videos(s.general, j.ID); len(found) != 1 || found[0].ReplyTo != "" {
		t.Errorf("videos are %+v", found)
	}
}

func TestPrivateVideoUsesTheLimitOfTheMember(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.ada.SetUploadLimit(50 << 20)
	j := s.running("/ltx prompt:a secret private:True")
	if receipt := s.mustDeliver(j.ID, 30<<20); receipt.Fit != generate.FitOriginal {
		t.Errorf("receipt is %+v", receipt)
	}
}

func TestPrivateVideoComesByDirectMessageAfterFourteenMinutes(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.running("/ltx prompt:a secret private:True")
	s.sim.Advance(15 * time.Minute)
	s.mustDeliver(j.ID, 1<<20)
	if inChannel, direct := len(videos(s.general, j.ID)), len(videos(s.ada.DM(), j.ID)); inChannel != 0 || direct != 1 {
		t.Errorf("%d in the channel, %d direct", inChannel, direct)
	}
	s.mustShow(j.ID, generate.Delivered)
}

func TestPrivateVideoWithoutDirectMessagesIsUnreachable(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.ada.RefuseDMs(true)
	j := s.running("/ltx prompt:a secret private:True")
	s.sim.Advance(15 * time.Minute)
	if _, err := s.deliver(j.ID, 1<<20); !errors.Is(err, generate.ErrUnreachable) {
		t.Errorf("got %v", err)
	}
}

// withFile are the messages that anybody sees with a file in them.
func withFile(ch *sim.Channel) []sim.Message {
	var out []sim.Message
	for _, m := range ch.Messages() {
		if len(m.Attachments) > 0 {
			out = append(out, m)
		}
	}
	return out
}

func TestPrivateVideoComesInAMessageOfItsOwnThatNotifies(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.running("/ltx prompt:a secret private:True")
	receipt := s.mustDeliver(j.ID, 1<<20)
	m, _ := s.sim.Message(receipt.Message)
	if m.EphemeralTo != s.ada.ID || m.ID == s.card(j).ID || !slices.Equal(m.Pings.Users, []string{s.ada.ID}) {
		t.Errorf("video is in %+v", m)
	}
	if got := withFile(s.general); len(got) != 1 || got[0].ID != m.ID || !m.Attachments[0].Shown || len(m.Attachments) != 1 {
		t.Errorf("files are in %+v", got)
	}
}

func TestPrivateVideoIsThereOnceWhateverIsLost(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		fault  sim.Fault
		inCard bool
	}{
		{"the announcement's reply", sim.Fault{Route: sim.RouteFollowup, LoseReply: true}, true},
		{"the announcement", sim.Fault{Route: sim.RouteFollowup, Drop: true}, true},
		{"the reply to the video", sim.Fault{Route: sim.RouteEditResponse, LoseReply: true, Times: 3}, false},
		{"the video", sim.Fault{Route: sim.RouteEditResponse, Drop: true}, false},
		{"an answer of the edge", sim.Fault{Route: sim.RouteEditResponse, BadGateway: true}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			j := s.running("/ltx prompt:a secret private:True")
			s.sim.Inject(tt.fault)
			s.mustDeliver(j.ID, 1<<20)
			s.mustDeliver(j.ID, 1<<20)
			s.mustShow(j.ID, generate.Delivered)
			if got := len(s.sim.RequestsTo(sim.RouteFollowup)); got != 1 {
				t.Errorf("%d follow-ups, want 1", got)
			}
			found := withFile(s.general)
			if len(found) != 1 || len(found[0].Attachments) != 1 || !found[0].Attachments[0].Shown {
				t.Fatalf("files are in %+v", found)
			}
			if inCard := found[0].ID == s.card(j).ID; inCard != tt.inCard {
				t.Errorf("in the card: %t", inCard)
			}
		})
	}
}

func TestPrivateVideoIsThereOnceAfterACrash(t *testing.T) {
	t.Parallel()
	for saved := 1; saved <= 2; saved++ { // notes that are kept before the process dies
		s := newStage(t)
		j := s.running("/ltx prompt:a secret private:True")
		dead := errors.New("the process is dead")
		calls := 0
		keep := func(ctx context.Context, notes map[string]string) error {
			if calls++; calls > saved {
				return dead
			}
			return s.engine.Keep(j.ID)(ctx, notes)
		}
		job, _ := s.engine.Job(s.ctx, j.ID)
		// All notes are kept and the receipt is lost, the last time.
		if _, err := s.bot.Courier().Deliver(s.ctx, job, []generate.Video{s.video(job, 1<<20)}, keep); err != nil && !errors.Is(err, dead) {
			t.Fatalf("got %v", err)
		}
		s.restart()
		s.mustDeliver(j.ID, 1<<20)
		s.mustShow(j.ID, generate.Delivered)
		if got := len(s.sim.RequestsTo(sim.RouteFollowup)); got != 1 {
			t.Errorf("%d notes: %d follow-ups, want 1", saved, got)
		}
		if found := withFile(s.general); len(found) != 1 || !found[0].Attachments[0].Shown {
			t.Errorf("%d notes: files are in %+v", saved, found)
		}
	}
}

func TestPrivateVideoWhoseMessagesAreGoneComesByDirectMessage(t *testing.T) {
	t.Parallel()
	for name, left := range map[string]int{"into the card": 1, "by direct message": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			j := s.running("/ltx prompt:a secret private:True")
			s.sim.Inject(sim.Fault{Route: sim.RouteEditResponse, Drop: true, Times: -1})
			if _, err := s.deliver(j.ID, 1<<20); err == nil {
				t.Fatal("the fault was not met")
			}
			s.sim.ClearFaults()
			job, _ := s.engine.Job(s.ctx, j.ID)
			s.sim.DeleteMessage(job.Notes["followup"])
			if left == 0 {
				s.sim.DeleteMessage(job.Notes["card"])
			}
			s.mustDeliver(j.ID, 1<<20)
			if here, direct := len(withFile(s.general)), len(withFile(s.ada.DM())); here != left || direct != 1-left {
				t.Errorf("%d in the channel, %d direct", here, direct)
			}
		})
	}
}

// TestUploadCostsNoMemory sends a video of 50 MB and looks at the heap while
// it goes. It is not parallel: the heap is everybody's.
func TestUploadCostsNoMemory(t *testing.T) {
	s := newStage(t)
	s.guild.SetTier(2)
	j := s.running("/ltx prompt:a cowboy")
	s.mustDeliver(s.ask("/ltx prompt:first").ID, 1<<20) // connections and buffers that stay

	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	var most atomic.Uint64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				runtime.ReadMemStats(&now)
				most.Store(max(most.Load(), now.HeapAlloc))
			case <-stop:
				return
			}
		}
	}()
	s.mustDeliver(j.ID, 50<<20)
	close(stop)
	<-stopped
	grown := int64(most.Load()) - int64(before.HeapAlloc)
	t.Logf("the heap grew by %d kB at most, with the simulator's share", grown>>10)
	if grown > 2<<20 {
		t.Errorf("the heap grew by %d kB", grown>>10)
	}
	runtime.ReadMemStats(&now)
	if allocated := now.TotalAlloc - before.TotalAlloc; allocated > 8<<20 {
		t.Errorf("%d kB were allocated", allocated>>10)
	}
}
