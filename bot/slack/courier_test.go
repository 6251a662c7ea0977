package slack_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ltxbot/bot/view"
	"ltxbot/core/generate"
)

func TestACommandBecomesAVideoInTheChannel(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	j := s.ask(cowboy)
	if got, want := j.Member, "slack:T0ACME0001:U0ANN00001"; got != want {
		t.Errorf("member is %q, want %q", got, want)
	}
	s.mustShow(j.ID, generate.Accepted)
	if got := len(s.general.Messages()); got != 1 {
		t.Fatalf("%d messages, want the card alone: %s", got, texts(s.general))
	}
	s.mustShow(j.ID, generate.Running)
	card := fromBot(s.general)[0]
	if !strings.Contains(card.Text, "Making your video") {
		t.Errorf("card says %q", card.Text)
	}
	if _, ok := card.Blocks.Button(view.ButtonID(view.ActCancel, j.ID)); !ok {
		t.Error("a running job has no button to cancel it")
	}
	receipt := s.mustDeliver(j.ID)
	s.mustShow(j.ID, generate.Delivered)

	if got := len(s.general.Messages()); got != 3 {
		t.Errorf("%d messages, want card, video and text: %s", got, texts(s.general))
	}
	video, result := videos(s.general), results(s.general, j.ID)
	if len(video) != 1 || len(result) != 1 {
		t.Fatalf("%d videos and %d results, want one of each", len(video), len(result))
	}
	if video[0].TS > result[0].TS {
		t.Error("the text stands above its video")
	}
	if diff := cmp.Diff([]string{s.ann.ID()}, result[0].Pings.Users); diff != "" {
		t.Errorf("the result notifies (-want +got):\n%s", diff)
	}
	for _, m := range fromBot(s.general) {
		if m.TS != result[0].TS && len(m.Pings.Users) > 0 || len(m.Pings.Fallback) > 0 || len(m.Pings.Broadcasts) > 0 || m.Unfurl && len(m.Files) == 0 {
			t.Errorf("message %q pings %+v, unfurls: %t", m.Text, m.Pings, m.Unfurl)
		}
	}
	for _, edit := range s.sim.Requests("chat.update") {
		for name := range edit.Args {
			if strings.HasPrefix(name, "unfurl_") {
				t.Errorf("chat.update is sent %s, which it does not take", name)
			}
		}
	}
	file := video[0].Files[0]
	if file.Size != int64(len(content)) || file.Mimetype != "video/mp4" || !strings.Contains(file.AltText, "a cowboy walks") {
		t.Errorf("file is %+v", file)
	}
	if !strings.HasPrefix(file.Title, "a cowboy walks") || !strings.HasSuffix(file.Title, " · Made by AI.") {
		t.Errorf("the message with the video is titled %q; it must say by itself that AI made it", file.Title)
	}
	want := "https://acme.slack.com/archives/C0GENERAL1/p" + strings.ReplaceAll(video[0].TS, ".", "")
	if receipt.Link != want || receipt.Message != "C0GENERAL1:"+video[0].TS || receipt.Fit != generate.FitOriginal ||
		receipt.Mark != generate.MarkWritten || receipt.SHA256 != "0a1b" {
		t.Errorf("receipt is %+v, want the link %s", receipt, want)
	}
}
