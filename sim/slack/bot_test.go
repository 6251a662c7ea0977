package slack_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"ltxbot/sim/slack"

	"github.com/google/go-cmp/cmp"
	slackgo "github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

// A bot made of slack-go's own parts takes a command over Socket Mode, shows a
// card with a button, edits it, uploads a video and opens a form from a click.
func TestABotOfSlackGoWorksAgainstTheSimulator(t *testing.T) {
	w := newWorld(t, slack.Options{PingInterval: 50 * time.Millisecond})
	api := slackgo.New(w.ws.BotToken(), slackgo.OptionAPIURL(w.APIURL()), slackgo.OptionAppLevelToken(w.AppToken()),
		slackgo.OptionHTTPClient(w.client))
	client := socketmode.New(api, socketmode.OptionPingInterval(2*time.Second))
	ctx, cancel := context.WithCancel(t.Context())
	finished := make(chan error, 2)
	go func() { finished <- client.RunContext(ctx) }()
	go func() { finished <- runBot(ctx, api, client) }()
	t.Cleanup(func() {
		cancel()
		<-finished
		if err := <-finished; err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	})
	if err := w.WaitConnected(withTimeout(t, 30*time.Second), 1); err != nil {
		t.Fatal(err)
	}

	rec, err := w.ann.Slash(withTimeout(t, 30*time.Second), w.general, "/ltx", "a fox & a <hen> for @ann in #general")
	if err != nil {
		t.Fatal(err)
	}
	if rec.TS == "" {
		t.Error("the acknowledgement put no message into the channel")
	}
	video, err := w.general.WaitMessage(withTimeout(t, 30*time.Second), func(m slack.Message) bool { return len(m.Files) > 0 })
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte("not really a video"))
	want := slack.File{
		ID: video.Files[0].ID, Name: "fox.mp4", Title: "Fox", AltText: "a fox", Size: 18, SHA256: hex.EncodeToString(sum[:]), Mimetype: "video/mp4",
		Permalink: video.Files[0].Permalink, URL: video.Files[0].URL, Shared: []string{w.general.ID()},
	}
	if diff := cmp.Diff(want, video.Files[0]); diff != "" {
		t.Errorf("file (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{w.ann.ID()}, w.general.Messages()[0].Pings.Users); diff == "" {
		t.Error("an ephemeral acknowledgement pinged somebody")
	}

	card, err := w.general.WaitMessage(withTimeout(t, 30*time.Second), func(m slack.Message) bool { return len(m.Edits) == 1 })
	if err != nil {
		t.Fatal(err)
	}
	wantText := fmt.Sprintf("done: a fox &amp; a &lt;hen&gt; for <@%s> in <#%s|general>", w.ann.ID(), w.general.ID())
	if card.Text != wantText {
		t.Errorf("card says %q, want %q", card.Text, wantText)
	}
	button, ok := card.Blocks.Button("again")
	if !ok || button.Label != "Again" || button.Value != "job1" {
		t.Errorf("button is %+v", button)
	}

	if _, err := w.ann.Click(withTimeout(t, 30*time.Second), card, "Again"); err != nil {
		t.Fatal(err)
	}
	form, err := w.ann.WaitView(withTimeout(t, 30*time.Second), func(v slack.View) bool { return v.CallbackID == "again" })
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.ann.SubmitView(withTimeout(t, 30*time.Second), form, map[string][]string{"Prompt": {"bad"}})
	if code(err) != "invalid_form" {
		t.Errorf("submitting a bad prompt: %v", err)
	}
	if _, err = w.ann.SubmitView(withTimeout(t, 30*time.Second), form, map[string][]string{"Prompt": {"a good one"}}); err != nil {
		t.Fatal(err)
	}
	if left := w.ann.Views(); len(left) != 0 {
		t.Errorf("%d modals are still open", len(left))
	}
}

// runBot is the bot's event loop.
func runBot(ctx context.Context, api *slackgo.Client, client *socketmode.Client) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e := <-client.Events:
			if err := handle(ctx, api, client, e); err != nil {
				return err
			}
		}
	}
}

func handle(ctx context.Context, api *slackgo.Client, client *socketmode.Client, e socketmode.Event) error {
	switch data := e.Data.(type) {
	case slackgo.SlashCommand:
		client.Ack(*e.Request, map[string]any{"text": "Queued"})
		return makeVideo(ctx, api, data)
	case slackgo.InteractionCallback:
		switch data.Type { //nolint:exhaustive // the bot has a button and a form
		case slackgo.InteractionTypeBlockActions:
			client.Ack(*e.Request)
			prompt := slackgo.NewInputBlock("prompt", slackgo.NewTextBlockObject("plain_text", "Prompt", false, false), nil,
				slackgo.NewPlainTextInputBlockElement(nil, "prompt"))
			_, err := api.OpenViewContext(ctx, data.TriggerID, slackgo.ModalViewRequest{
				Type: "modal", CallbackID: "again", Title: slackgo.NewTextBlockObject("plain_text", "Again", false, false),
				Submit: slackgo.NewTextBlockObject("plain_text", "Go", false, false), Blocks: slackgo.Blocks{BlockSet: []slackgo.Block{prompt}},
			})
			return err
		case slackgo.InteractionTypeViewSubmission:
			if data.View.State.Values["prompt"]["prompt"].Value == "bad" {
				client.Ack(*e.Request, slackgo.NewErrorsViewSubmissionResponse(map[string]string{"prompt": "not this one"}))
				return nil
			}
			client.Ack(*e.Request)
		}
	}
	return nil
}

func makeVideo(ctx context.Context, api *slackgo.Client, cmd slackgo.SlashCommand) error {
	again := slackgo.NewButtonBlockElement("again", "job1", slackgo.NewTextBlockObject("plain_text", "Again", false, false))
	blocks := slackgo.MsgOptionBlocks(
		slackgo.NewSectionBlock(slackgo.NewTextBlockObject("plain_text", "A fox", false, false), nil, nil), slackgo.NewActionBlock("actions", again))
	channel, ts, err := api.PostMessageContext(ctx, cmd.ChannelID, slackgo.MsgOptionText("working", false), blocks)
	if err != nil {
		return err
	}
	if _, _, _, err := api.UpdateMessageContext(ctx, channel, ts, slackgo.MsgOptionText("done: "+cmd.Text, false), blocks); err != nil {
		return err
	}
	content := "not really a video"
	_, err = api.UploadFileContext(ctx, slackgo.UploadFileParameters{
		Filename: "fox.mp4", Title: "Fox", AltTxt: "a fox", FileSize: len(content), Reader: strings.NewReader(content), Channel: channel,
		InitialComment: "here",
	})
	return err
}

func TestAReplyThatIsLostAfterItsEffectLeavesTheMessage(t *testing.T) {
	w := newWorld(t, slack.Options{})
	w.Inject(slack.Fault{Method: "chat.postMessage", Kind: slack.LoseReply})
	req := w.request("chat.postMessage", strings.NewReader("text=hi&channel="+w.general.ID()+"&token="+w.ws.BotToken()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := w.client.Do(req)
	if err == nil {
		res.Body.Close()
		t.Fatalf("got a reply with status %d", res.StatusCode)
	}
	if got := len(w.general.Messages()); got != 1 {
		t.Errorf("channel has %d messages, want 1", got)
	}
	requests := w.Requests("chat.postMessage")
	if len(requests) != 1 || requests[0].Fault != slack.LoseReply {
		t.Errorf("log is %+v", requests)
	}
	if _, leaked := requests[0].Args["token"]; leaked {
		t.Error("the log holds the token")
	}
	if got := http.StatusOK; requests[0].Status != got {
		t.Errorf("status %d, want %d", requests[0].Status, got)
	}
}
