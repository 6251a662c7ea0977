package slack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/slack-go/slack"

	"ltxbot/bot/adapter"
	"ltxbot/bot/text"
	"ltxbot/core/generate"
	"ltxbot/internal/retry"
)

// Limits of uploads.
// https://docs.slack.dev/reference/methods/files.getUploadURLExternal
// https://slack.com/help/articles/201330736-Add-files-to-Slack
const (
	maxAltText  = 1000 // characters
	maxTitle    = 100  // characters of the prompt, this bot's own
	maxFile     = 1 << 30
	uploadTries = 4
	// uploadBase and uploadPace bound the time of an upload: a minute, and a second for
	// each so many bytes.
	uploadBase = time.Minute
	uploadPace = 256 << 10
)

// upload brings a file to Slack and returns its id. It is nowhere to be seen
// until it is shared; one that is never shared is no harm.
// https://docs.slack.dev/messaging/working-with-files#upload
func (b *Bot) upload(ctx context.Context, c *client, f generate.File, alt string) (string, error) {
	var where *slack.GetUploadURLExternalResponse
	err := c.again(ctx, "ask for an upload", func(ctx context.Context) error {
		var err error
		where, err = c.api.GetUploadURLExternalContext(ctx, slack.GetUploadURLExternalParameters{
			FileName: f.Name, FileSize: int(f.Size), AltTxt: cut(text.OneLine(alt), maxAltText),
		})
		if err == nil && (where.UploadURL == "" || where.FileID == "") {
			err = errEmpty
		}
		return err
	})
	if err != nil {
		return "", err
	}
	for try := 1; ; try++ {
		again, err := b.send(ctx, where.UploadURL, f)
		if err == nil {
			return where.FileID, nil
		}
		if !again || try == uploadTries {
			return "", fmt.Errorf("upload video: %w", err)
		}
		if !retry.Wait(ctx, backoff(try)) {
			return "", ctx.Err()
		}
	}
}

// send posts the bytes of a file from disk. The address carries the right to
// do so: the bot's token is not sent along. The same bytes may be sent again.
// slack-go's way is not used: it sends the token, a broken multipart body, and
// no length.
func (b *Bot) send(ctx context.Context, address string, f generate.File) (again bool, err error) {
	file, err := f.Open()
	if err != nil {
		return false, err
	}
	defer func() { _ = file.Close() }()
	ctx, cancel := context.WithTimeout(ctx, uploadBase+time.Duration(f.Size/uploadPace)*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, io.NopCloser(file))
	if err != nil {
		return false, adapter.Scrub(err)
	}
	req.ContentLength = f.Size
	req.GetBody = func() (io.ReadCloser, error) { return f.Open() }
	req.Header.Set("Content-Type", f.ContentType)
	resp, err := b.uploads.Do(req)
	if err != nil {
		return true, adapter.Scrub(err)
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer))
	switch {
	case resp.StatusCode == http.StatusOK:
		return false, nil
	case resp.StatusCode >= http.StatusInternalServerError, resp.StatusCode == http.StatusTooManyRequests:
		return true, errors.New(resp.Status)
	}
	return false, errors.New(resp.Status)
}

// share puts uploaded files into a channel, by one message of their own. It can
// be done once for a file.
// https://docs.slack.dev/reference/methods/files.completeUploadExternal
func (b *Bot) share(ctx context.Context, c *client, files []string, title string, at spot) error {
	summaries := make([]slack.FileSummary, len(files))
	for i, id := range files {
		summaries[i] = slack.FileSummary{ID: id, Title: title}
	}
	return c.once(ctx, "share video", func(ctx context.Context) error {
		_, err := c.api.CompleteUploadExternalContext(ctx, slack.CompleteUploadExternalParameters{
			Files: summaries, Channel: at.channel, ThreadTimestamp: at.thread,
		})
		return err
	})
}

// shared looks whether a file is shared in a channel, and by which message.
func (b *Bot) shared(ctx context.Context, c *client, file, channel string) (ts string, ok bool, err error) {
	info, err := c.fileInfo(ctx, file)
	if err != nil {
		return "", false, err
	}
	for _, shares := range []map[string][]slack.ShareFileInfo{info.Shares.Public, info.Shares.Private} {
		for _, s := range shares[channel] {
			return s.Ts, true, nil
		}
	}
	return "", false, nil
}
