package slack

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"ltxbot/bot/adapter"
	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/internal/retry"
)

// Deliver implements generate.Courier. First the videos are shared, by one
// message, then the text with the buttons is posted below it, which mentions the
// requester.
//
// Each of the two is there once, whatever is lost in between. The ids of the
// files are kept before they are shared, and Slack shares a file once: when
// the outcome of sharing is not known, Slack is asked, and without the right
// to ask, the file is offered again and a refusal means that it was shared
// before. The text is looked for before it is posted again; without the right
// to look, it is not, and the card gets its buttons: then the requester has
// the video in any case, but perhaps no mention.
func (b *Bot) Deliver(ctx context.Context, j generate.Job, videos []generate.Video, keep generate.Keep) ([]generate.Receipt, error) {
	c, err := b.client(ctx, installationOf(j))
	if err != nil {
		return nil, noClient(err)
	}
	d := &delivery{Bot: b, memory: recall(j, keep), client: c, job: j, videos: videos}
	if err := d.startOver(ctx); err != nil {
		return nil, b.courierError(ctx, j, err)
	}
	if err := d.run(ctx); err != nil {
		return nil, b.courierError(ctx, j, err)
	}
	return d.receipts(ctx), nil
}

// delivery is one try to deliver the videos of a job.
type delivery struct {
	*Bot
	memory

	client *client
	job    generate.Job
	videos []generate.Video
}

// startOver forgets where and how a video could not be delivered, once for each time
// that somebody asks to deliver it again. What may have been posted stays known.
func (d *delivery) startOver(ctx context.Context) error {
	if d.job.Redelivery == nil || d.Get(noteAnew) == adapter.Unix(d.job.Redelivery.At) {
		return nil
	}
	notes := []string{noteAnew, adapter.Unix(d.job.Redelivery.At), noteFailing, ""}
	if d.Get(noteFile) == "" && d.Get(noteShared) == "" && d.Get(noteResult) == "" && d.Get(notePosting+string(purposeResult)) == "" {
		notes = append(notes, noteChannel, "", noteFit, "", noteWhy, "")
	}
	return d.Save(ctx, notes...)
}

// run delivers to the conversation, or to the requester's direct messages
// when that is gone: the video was paid for.
func (d *delivery) run(ctx context.Context) error {
	err := d.deliverTo(ctx, d.spot())
	if !hasCode(err, goneCodes...) || d.spot().direct() || d.moved() {
		return err
	}
	return d.move(ctx)
}

// spot is where the video goes.
func (d *delivery) spot() spot {
	at := spotOf(d.job)
	if channel := d.Get(noteChannel); channel != "" {
		if channel != at.channel {
			at.thread = ""
		}
		at.channel = channel
	}
	if at.direct() && d.Get(noteCardChannel) != "" {
		at.channel = d.Get(noteCardChannel) // as the card has shown
	}
	return at
}

// moved reports whether the video goes elsewhere than asked for.
func (d *delivery) moved() bool {
	channel := d.Get(noteChannel)
	return channel != "" && channel != d.job.Place.Channel && !d.job.Place.Private
}

// move sends the video by direct message, with a sentence that says why.
func (d *delivery) move(ctx context.Context) error {
	channel, err := d.announce(ctx, "slack.by_dm")
	if err != nil {
		return err
	}
	if err := d.Save(ctx, noteChannel, channel); err != nil {
		return err
	}
	return d.deliverTo(ctx, spot{channel: channel})
}

// announce sends a sentence to the requester, and returns the channel of
// direct messages, which files need.
func (d *delivery) announce(ctx context.Context, key string) (channel string, err error) {
	user := spot{channel: d.job.Place.User}
	o := d.layout(d.job.Place.Locale).message(d.sentence(d.job.Place.Locale, key))
	out, err := d.postOnce(ctx, d.client, d.job, d.memory, purposeMoved, user, o)
	if !errors.Is(err, errOutcome) {
		return out.channel, err
	}
	channel, err = d.directMessages(ctx, d.client, d.job.Place.User)
	if !hasCode(err, "missing_scope") {
		return channel, err
	}
	// Only a message tells the channel; this one is there perhaps twice.
	out, err = d.post(ctx, d.client, d.job, purposeMoved, user, o)
	return out.channel, err
}

// deliverTo delivers to one place.
func (d *delivery) deliverTo(ctx context.Context, at spot) error {
	if at.direct() {
		channel, err := d.directMessages(ctx, d.client, at.channel)
		if hasCode(err, "missing_scope") {
			channel, err = d.announce(ctx, "slack.here")
		}
		if err != nil {
			return err
		}
		at.channel = channel
	}
	if d.Get(noteShared) == "" {
		if err := d.shareFiles(ctx, at); err != nil {
			return err
		}
	}
	if err := d.awaitShared(ctx, at); err != nil {
		return err
	}
	return d.postText(ctx, at)
}

// shareFiles shares the video, or leaves it to the text to have a link.
func (d *delivery) shareFiles(ctx context.Context, at spot) error {
	if d.onlyLinks() {
		if again, err := d.takeBackLink(ctx, at); err != nil || !again {
			return err
		}
	}
	shared, err := d.findShared(ctx, at)
	if err == nil && !shared {
		shared, err = d.uploadAndShare(ctx, at)
	}
	if up, ok := errors.AsType[*uploadError](err); ok && fatal(err) == nil && !hasCode(err, goneCodes...) {
		return d.failing(ctx, up)
	}
	if err != nil || !shared {
		return err
	}
	return d.Save(ctx, noteShared, adapter.Unix(d.cfg.Now()), noteChannel, at.channel, noteFailing, "")
}

// takeBackLink takes back that the text must have a link since uploads have failed,
// if the text was not posted either: Slack was away altogether, and the file is
// tried once more. It reports whether it did.
func (d *delivery) takeBackLink(ctx context.Context, at spot) (bool, error) {
	if d.videos[0].Link || d.Get(noteWhy) != d.each(string(view.LinkFailing)) || d.Get(noteResult) != "" || d.Get(noteResultLost) != "" {
		return false, nil
	}
	if tried := d.Number(notePosting + string(purposeResult)); tried != 0 {
		since := time.Unix(tried, 0)
		found, err := d.findPosted(ctx, d.client, d.job, purposeResult, at, since)
		switch {
		case found.ts != "" || hasCode(err, noHistoryCodes...):
			return false, nil
		case err != nil && !hasCode(err, "not_in_channel", "channel_not_found"):
			return false, err
		case d.cfg.Now().Sub(since) < d.cfg.Timing.Settle:
			return false, &limitError{op: "look for the text of a video", after: d.cfg.Timing.Settle}
		}
	}
	return true, d.Save(ctx, noteFit, "", noteWhy, "")
}

// An uploadError says that the video could not be uploaded or shared.
type uploadError struct{ err error }

func (e *uploadError) Error() string { return e.err.Error() }

// Unwrap is the cause.
func (e *uploadError) Unwrap() error { return e.err }

// How long uploads that fail are tried.
const (
	uploadTimeout = time.Minute // then a link takes the place of the file
	uploadPause   = 10 * time.Second
)

// failing asks for another try, or leaves it to the text to have a link when
// all tries of a minute have failed.
func (d *delivery) failing(ctx context.Context, err *uploadError) error {
	since := d.Number(noteFailing)
	if since == 0 {
		since = d.cfg.Now().Unix()
		if err := d.Save(ctx, noteFailing, adapter.Unix(d.cfg.Now())); err != nil {
			return err
		}
	}
	left := time.Unix(since, 0).Add(uploadTimeout).Sub(d.cfg.Now())
	if left <= 0 {
		return d.useLink(ctx, view.LinkFailing, err)
	}
	pause := uploadPause
	if limited, ok := errors.AsType[*limitError](err); ok {
		pause = limited.after
	} else if adapter.Lost(err) {
		pause = d.cfg.Timing.Settle
	}
	return &generate.RetryError{After: min(pause, max(left, time.Second)), Err: err}
}

// findShared finds out whether a file whose sharing was begun before is shared.
func (d *delivery) findShared(ctx context.Context, at spot) (shared bool, err error) {
	files := unlist(d.Get(noteFile))
	if len(files) == 0 && d.job.Doubted {
		if files, err = d.findFiles(ctx, at); err != nil {
			return false, err
		}
	}
	if len(files) == 0 {
		return false, nil
	}
	ts, ok, err := d.shared(ctx, d.client, files[0], at.channel)
	switch {
	case ok:
		return true, d.Save(ctx, noteShareTS, ts)
	case hasCode(err, "file_not_found", "file_deleted"):
		// It was never shared, and cannot be any more.
		return false, d.Save(ctx, noteFile, "")
	case isLimit(err):
		return false, err
	case err != nil && !hasCode(err, "missing_scope"):
		return false, &uploadError{err}
	case err == nil && d.cfg.Now().Sub(time.Unix(d.Number(noteFileAt), 0)) < d.cfg.Timing.Share:
		return false, &limitError{op: "wait for the video to appear", after: d.cfg.Timing.Settle}
	}
	err = d.share(ctx, d.client, files, d.title(), at)
	var refusal *APIError
	if errors.As(err, &refusal) && !adapter.Lost(err) && !hasCode(err, goneCodes...) && fatal(err) == nil {
		return true, nil // a file is shared once: it is
	}
	if err != nil {
		return false, &uploadError{err}
	}
	return true, nil
}

// findFiles looks for the files of a job of which the store has lost what was
// done.
func (d *delivery) findFiles(ctx context.Context, at spot) ([]string, error) {
	var files []string
	for _, v := range d.videos {
		look := v.Job
		look.Notes = d.job.Notes
		file, err := d.findVideo(ctx, d.client, look, at)
		if err != nil && !hasCode(err, noHistoryCodes...) && !hasCode(err, "not_in_channel") {
			return nil, err
		}
		if file != "" {
			files = append(files, file)
		}
	}
	if len(files) == 0 {
		return nil, nil
	}
	return files, d.Save(ctx, noteFile, list(files), noteFileAt, adapter.Unix(d.cfg.Now()), noteFit, d.each(string(generate.FitOriginal)), noteChannel, at.channel)
}

// What the notes say of several videos is a list with commas.

func list(of []string) string { return strings.Join(of, ",") }

func unlist(note string) []string {
	if note == "" {
		return nil
	}
	return strings.Split(note, ",")
}

// each is the same for all videos.
func (d *delivery) each(of string) string {
	return list(slices.Repeat([]string{of}, len(d.videos)))
}

// onlyLinks reports whether no file is, or will be, shared.
func (d *delivery) onlyLinks() bool { return d.Get(noteFit) == d.each(string(generate.FitLink)) }

// uploadAndShare uploads the files and shares them. It reports false when the text must
// have links in their place.
func (d *delivery) uploadAndShare(ctx context.Context, at spot) (shared bool, err error) {
	var ids, fits, whys, marks, sums []string
	for _, v := range d.videos {
		file, err := v.Fetch(ctx, maxFile)
		link, ok := errors.AsType[*generate.LinkError](err)
		why := ""
		switch {
		case ok:
			file, why = generate.File{Fit: generate.FitLink}, string(view.WhyLink(link))
		case err != nil:
			return false, err
		default:
			id, err := d.upload(ctx, d.client, file, view.AltText(d.printer(d.job.Place.Locale), v.Job))
			if why, ok := noFile(err); ok {
				return false, d.useLink(ctx, why, err)
			}
			if err != nil {
				return false, &uploadError{err}
			}
			ids = append(ids, id)
		}
		fits, whys = append(fits, string(file.Fit)), append(whys, why)
		marks, sums = append(marks, string(file.Mark)), append(sums, file.SHA256)
	}
	facts := []string{noteFit, list(fits), noteWhy, list(whys), noteMark, list(marks), noteSum, list(sums)}
	if len(ids) == 0 {
		return false, d.Save(ctx, facts...)
	}
	if d.job.Doubted {
		// Whoever had the job before may have shared the video just now.
		if shared, err := d.findShared(ctx, at); shared || err != nil {
			return shared, err
		}
	}
	sent := slices.Concat(facts, []string{noteFile, list(ids), noteFileAt, adapter.Unix(d.cfg.Now()), noteChannel, at.channel})
	if err := d.Save(ctx, sent...); err != nil {
		return false, err
	}
	err = d.share(ctx, d.client, ids, d.title(), at)
	if hasCode(err, "not_in_channel") {
		if err = d.join(ctx, d.client, at.channel); err == nil {
			err = d.share(ctx, d.client, ids, d.title(), at)
		}
	}
	why, refused := noFile(err)
	switch {
	case err == nil:
		return true, nil
	case adapter.Lost(err):
		return false, &uploadError{err}
	case refused:
		if saveErr := d.Save(ctx, noteFile, ""); saveErr != nil {
			return false, saveErr
		}
		return false, d.useLink(ctx, why, err)
	}
	// Refused: it is known that it is not shared.
	if saveErr := d.Save(ctx, noteFile, "", noteChannel, ""); saveErr != nil {
		return false, saveErr
	}
	return false, &uploadError{err}
}

// useLink notes that the text must have a link, and why. A file that Slack may
// share in spite of what it says is deleted with the text.
func (d *delivery) useLink(ctx context.Context, why view.LinkReason, err error) error {
	d.log.WarnContext(ctx, "slack does not take the video, a link is posted", "job", d.job.ID, "reason", string(why), "error", err)
	notes := []string{noteFit, d.each(string(generate.FitLink)), noteWhy, d.each(string(why))}
	if why != view.LinkFailing { // there, the next failure is a link at once
		notes = append(notes, noteFailing, "")
	}
	return d.Save(ctx, notes...)
}

// title is what stands over the video, which is a message of its own: so it
// says by itself that it was made by AI.
func (d *delivery) title() string {
	title := cmp.Or(cut(text.OneLine(d.job.Request.Prompt()), maxTitle), "ltx-"+d.job.ID)
	return title + " · " + view.Label(d.printer(d.job.Place.Locale))
}

// How often Slack is asked whether a file has appeared.
const (
	appearPause = 250 * time.Millisecond // growing
	appearMost  = 2 * time.Second
)

// errUnseen says that Slack has said ok and shows no file.
var errUnseen = errors.New("slack accepted the file and does not show it")

// awaitShared waits until the shared video can be seen, so that the text follows
// it; Slack shares files some time after it was told to. Sometimes it never
// does: then the text has a link. Where the bot may not ask, it does not wait.
func (d *delivery) awaitShared(ctx context.Context, at spot) error {
	if d.Get(noteShared) == "" || d.onlyLinks() || d.Get(noteResult) != "" || d.Get(noteResultLost) != "" {
		return nil
	}
	until := time.Unix(d.Number(noteShared), 0).Add(d.cfg.Timing.Share)
	for wait := appearPause; d.Get(noteShareTS) == "" && d.client.may("files:read"); wait = min(wait*3/2, appearMost) {
		ts, ok, err := d.shared(ctx, d.client, unlist(d.Get(noteFile))[0], at.channel)
		switch {
		case ok:
			return d.Save(ctx, noteShareTS, ts)
		case hasCode(err, "missing_scope"):
			return nil // the text follows all the same
		case isLimit(err):
			return err
		case d.cfg.Now().After(until):
			return d.useLink(ctx, view.LinkUnseen, cmp.Or(err, errUnseen))
		}
		if !retry.Wait(ctx, wait) {
			return ctx.Err()
		}
	}
	return nil
}

// postText posts the text with the buttons.
func (d *delivery) postText(ctx context.Context, at spot) error {
	if d.Get(noteResult) != "" || d.Get(noteResultLost) != "" {
		return nil
	}
	o := d.result(d.layout(d.job.Place.Locale).only(d.job.Place.User), d.job, d.memory)
	out, err := d.postOnce(ctx, d.client, d.job, d.memory, purposeResult, at, o)
	if errors.Is(err, errOutcome) {
		d.log.WarnContext(ctx, "cannot find out whether the text of a video was posted, the card has its buttons", "job", d.job.ID)
		return d.Save(ctx, noteResultLost, "yes")
	}
	if err != nil {
		return err
	}
	// They are stored with the receipt. Until then, to post again is to look for
	// it first.
	d.Set(noteResult, out.ts, noteChannel, out.channel, notePosting+string(purposeResult), "")
	return nil
}

// receipts prove the delivery.
func (d *delivery) receipts(ctx context.Context) []generate.Receipt {
	receipts := make([]generate.Receipt, len(d.videos))
	var message, link string
	if ts := cmp.Or(d.Get(noteShareTS), d.Get(noteResult)); ts != "" {
		message = d.Get(noteChannel) + ":" + ts
		if me, err := d.client.identity(ctx); err == nil {
			link = permalink(me.URL, d.Get(noteChannel), ts, d.spot().thread)
		}
	}
	for i := range receipts {
		r := generate.Receipt{Message: message, Link: link, Fit: generate.Fit(d.of(noteFit, i))}
		if r.Fit != generate.FitLink {
			r.Mark, r.SHA256 = generate.Marking(d.of(noteMark, i)), d.of(noteSum, i)
		}
		receipts[i] = r
	}
	receipts[0].Notes = d.Unsaved()
	return receipts
}

// permalink is where a person finds a message.
// https://docs.slack.dev/reference/methods/chat.getPermalink
func permalink(workspace, channel, ts, thread string) string {
	if workspace == "" {
		return ""
	}
	link := strings.TrimSuffix(workspace, "/") + "/archives/" + channel + "/p" + strings.ReplaceAll(ts, ".", "")
	if thread != "" {
		link += "?thread_ts=" + thread + "&cid=" + channel
	}
	return link
}
