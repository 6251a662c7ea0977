package generate_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/core/usd"
	"ltxbot/internal/need"
)

// Files, as fakeInspector reads them.
const (
	aPicture = `{"type":"image/png","width":640,"height":480}`
	aSound   = `{"type":"audio/mpeg","seconds":4}`
	aClip    = `{"type":"video/mp4","width":640,"height":480,"seconds":4,"fps":24,"sound":true}`
	aFrame   = `{"type":"image/png","width":1280,"height":704}`
)

// twoFiles are a picture of the conversation and a sound behind a link.
var twoFiles = []ltx.Setting{
	ltx.FileSetting("image", ltx.Media{Ref: "test:cat", Name: "cat.png"}),
	{Key: "soundtrack", Value: "https://example.com/song.mp3"},
}

// givePicture and giveSound are one of them.
var givePicture, giveSound = twoFiles[:1], twoFiles[1:]

// fakeFiles are files by where they are. Some contents are errors; one that
// begins with "untold " has no size that is told.
type fakeFiles map[string]string

// The errors of files that can't be opened.
var (
	errHost    = errors.New("host does not answer")
	errPrivate = &generate.InputError{Kind: generate.FailInputLink}
)

func (f fakeFiles) open(ctx context.Context, ref string) (generate.Media, error) {
	content, ok := f[ref]
	switch {
	case !ok:
		return generate.Media{}, fmt.Errorf("open: %w", generate.ErrGone)
	case content == "error":
		return generate.Media{}, errHost
	case content == "later":
		return generate.Media{}, &generate.RetryError{After: 40 * time.Second, Err: errHost}
	case content == "private":
		return generate.Media{}, errPrivate
	case content == "slow":
		body := fakeBody{ctx, time.Minute, 1, strings.NewReader(strings.Repeat("x", 1000)), func() {}}
		return generate.Media{Body: body, Size: -1}, nil
	case content == "cut":
		return generate.Media{Body: io.NopCloser(strings.NewReader("half")), Size: 8}, nil
	}
	size := int64(len(content))
	if strings.HasPrefix(content, "untold ") {
		size = -1
	}
	return generate.Media{Body: io.NopCloser(strings.NewReader(content)), Size: size}, nil
}

func (f fakeFiles) Open(ctx context.Context, link string, _ int64) (generate.Media, error) {
	return f.open(ctx, link)
}

func (c *fakeChannel) OpenInput(ctx context.Context, _ generate.Job, m ltx.Media) (generate.Media, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.files.open(ctx, m.Ref)
}

type fakeInspector struct{}

func (fakeInspector) Inspect(_ context.Context, path string) (ltx.Media, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return ltx.Media{}, err
	}
	if string(b) == "damaged" {
		return ltx.Media{Type: "image/png"}, &generate.InputError{Kind: generate.FailInputBroken}
	}
	m := ltx.Media{Type: "video/mp4", Seconds: 5, Width: 1280, Height: 704, FPS: 24}
	if !strings.Contains(string(b), "ftyp") {
		m = ltx.Media{}
		if json.Unmarshal(b, &m) != nil {
			return ltx.Media{}, &generate.InputError{Kind: generate.FailInputType}
		}
	}
	m.Bytes = int64(len(b))
	return m, nil
}

type fakeFrames struct{ err error }

func (f fakeFrames) LastFrame(_ context.Context, video, png string) error {
	if _, err := os.Stat(video); err != nil {
		return err
	}
	return errors.Join(f.err, os.WriteFile(png, []byte(aFrame), 0o600))
}

// upload is a file that the provider has taken.
type upload struct{ url, name, contentType, content string }

func (p *fakeProvider) Upload(ctx context.Context, name, contentType string, body io.ReaderAt, size int64) (string, error) {
	p.mu.Lock()
	takes := p.uploading
	p.mu.Unlock()
	select {
	case <-time.After(takes):
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	b, err := io.ReadAll(io.NewSectionReader(body, 0, size))
	if err != nil {
		return "", err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.uploadErr) > 0 {
		err := p.uploadErr[0]
		p.uploadErr = p.uploadErr[1:]
		return "", err
	}
	u := upload{fmt.Sprintf("https://media.test/%d/%s", len(p.uploads), name), name, contentType, string(b)}
	p.uploads = append(p.uploads, u)
	return u.url, nil
}

// uploaded is how often a file was uploaded.
func (p *fakeProvider) uploaded(content string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, u := range p.uploads {
		if u.content == content {
			n++
		}
	}
	return n
}

// taken are all uploads.
func (p *fakeProvider) taken() []upload {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.uploads)
}

// sent is the request that the provider was asked for a job.
func (p *fakeProvider) sent(t *testing.T, job string) ltx.Request {
	t.Helper()
	id, ok := p.find(job)
	if !ok {
		t.Fatal("the provider was not asked")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.jobs[id].asked.Request
}

// empty fails the test if files are left on the disk.
func (w *world) empty(t *testing.T) {
	t.Helper()
	left, err := os.ReadDir(w.dir)
	if err != nil || len(left) > 0 {
		t.Errorf("files are left on the disk: %v, %v", left, err)
	}
}

func TestFilesAreAtTheProviderBeforeAJobIsAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.channel.files["test:cat"], w.files["https://example.com/song.mp3"] = aPicture, aSound
		w.provider.uploading = 10 * time.Second
		p := w.run()
		j, err := p.submit(t.Context(), ask(t, 0, twoFiles...))
		if err != nil || j.State != generate.Preparing {
			t.Fatalf("it is %s, %v", j.State, err)
		}
		for _, want := range []string{"image_url", "audio_url"} {
			elapse(5 * time.Second)
			if got := w.channel.shown(j.ID); got.State != generate.Preparing || got.Progress.Input != want {
				t.Errorf("its card shows %s with %q, want the upload of %s", got.State, got.Progress.Input, want)
			}
			if _, err := p.store.Hold(t.Context(), j.ID); !errors.Is(err, quota.ErrNoHold) {
				t.Errorf("before it is known what it costs, money is held: %v", err)
			}
			elapse(5 * time.Second)
		}
		elapse(2 * time.Minute)
		if got := p.readJob(t, j.ID); got.State != generate.Delivered {
			t.Fatalf("it is %s (%s)", got.State, got.Failure.Kind)
		}
		for id, want := range map[string]ltx.Media{
			"image_url": {Ref: "test:cat", Name: "cat.png", Type: "image/png", Bytes: int64(len(aPicture)), Width: 640, Height: 480},
			"audio_url": {Ref: "https://example.com/song.mp3", Name: "song.mp3", Type: "audio/mpeg", Bytes: int64(len(aSound)), Seconds: 4},
		} {
			got, ok := w.provider.sent(t, j.ID).Media(id)
			i := slices.IndexFunc(w.provider.uploads, func(u upload) bool { return u.url == got.URL })
			if !ok || i < 0 || w.provider.uploads[i].contentType != want.Type || strings.Contains(got.URL, "cat") {
				t.Errorf("%s: sent is %+v; uploaded are %+v", id, got, w.provider.uploads)
			}
			if got.URL = ""; got != want {
				t.Errorf("%s: %+v, want %+v", id, got, want)
			}
		}
		if got := w.channel.shown(j.ID); got.Progress.Input != "" {
			t.Errorf("its card still shows %q", got.Progress.Input)
		}
		w.empty(t)
	})
}

// TestAFileThatIsSavedIsNotUploadedAgain kills the process at its boundaries: what
// the record has is there, and only what it has not is uploaded again.
func TestAFileThatIsSavedIsNotUploadedAgain(t *testing.T) {
	step := stride(true)
	for n := 1 + int(need.Seed(t)%uint64(step)); ; n += step {
		var c *crasher
		synctest.Test(t, func(t *testing.T) {
			c = crashAt(n) // its channel belongs to the bubble
			w := newWorld(t)
			w.channel.files["test:cat"], w.files["https://example.com/song.mp3"] = aPicture, aSound
			w.provider.uploading = time.Second
			first := w.start(c)
			go func() { _, _ = first.submit(first.life(), ask(t, 0, twoFiles...)) }()
			select {
			case <-c.dead:
			case <-time.After(5 * time.Minute):
			}
			first.kill(t)
			p := w.run()
			id := generate.NewID(ask(t, 0).Event)
			killed, err := p.store.Job(t.Context(), id)
			if errors.Is(err, generate.ErrNoJob) {
				return
			}
			uploads, missing := len(w.provider.taken()), len(killed.Request.Pending())
			elapse(10 * time.Minute)
			got := p.readJob(t, id)
			if got.State == generate.Delivered && len(w.provider.taken()) != uploads+missing {
				t.Errorf("killed %s: %d uploads, then %d for %d files that were not saved", c.at, uploads, len(w.provider.taken())-uploads, missing)
			}
			if !got.State.Terminal() {
				t.Errorf("killed %s: it is %s", c.at, got.State)
			}
			w.empty(t)
		})
		if c.at == "" {
			break
		}
	}
}

// TestAnAcknowledgementIsLookedForOnce: when a file can't be brought at first,
// the card says so, and nobody can tell any more whether the command was
// acknowledged.
func TestAnAcknowledgementIsLookedForOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.channel.files["test:cat"] = aPicture
		w.provider.uploadErr = []error{errReply, errReply}
		j := orphan(t, w, givePicture...)
		w.channel.told[j.ID] = true
		p := w.start(crashAt(0))
		elapse(14 * time.Second)
		if s := p.readJob(t, j.ID).State; s != generate.Preparing {
			t.Errorf("it is %s, want preparing", s)
		}
		p.kill(t)
		p = w.run()
		elapse(5 * time.Minute)
		if got := p.readJob(t, j.ID); got.State != generate.Delivered {
			t.Errorf("it is %s (%s), want delivered", got.State, got.Failure.Kind)
		}
	})
}

func TestAFileThatCannotBeUsedEndsTheJobAtNoCost(t *testing.T) {
	const link = "https://example.com/song.mp3"
	for _, tt := range []struct {
		name    string
		inputs  []ltx.Setting
		content string // of the file; empty = it is not there
		want    generate.Failure
	}{
		{"it was deleted", givePicture, "", generate.Failure{Kind: generate.FailInputGone, Field: "image_url"}},
		{"nothing is behind the link", giveSound, "", generate.Failure{Kind: generate.FailInputGone, Field: "audio_url"}},
		{"the link is not public", giveSound, "private", generate.Failure{Kind: generate.FailInputLink, Field: "audio_url"}},
		{"it is damaged", givePicture, "damaged", generate.Failure{Kind: generate.FailInputBroken, Field: "image_url"}},
		{"it is no media", givePicture, "<html>", generate.Failure{Kind: generate.FailInputType, Field: "image_url", Limit: "PNG, JPEG, WebP, GIF, AVIF, HEIC"}},
		{"it is a sound in place of a picture", givePicture, aSound, generate.Failure{Kind: generate.FailInputType, Field: "image_url", Limit: "PNG, JPEG, WebP, GIF, AVIF, HEIC"}},
		{"it is a clip in place of a sound", giveSound, aClip, generate.Failure{Kind: generate.FailInputType, Field: "audio_url", Limit: "MP3, WAV, M4A, AAC, OGG, FLAC, WebM"}},
		{"it is too large", givePicture, aPicture + strings.Repeat(" ", 1<<20), generate.Failure{Kind: generate.FailInputLarge, Field: "image_url", Limit: "1 MB"}},
		{"it is too large, which is not told", giveSound, "untold " + strings.Repeat(" ", 2<<20), generate.Failure{Kind: generate.FailInputLarge, Field: "audio_url", Limit: "2 MB"}},
	} {
		t.Run(tt.name, virtual(func(t *testing.T) {
			w := newWorld(t)
			if tt.content != "" {
				w.channel.files["test:cat"], w.files[link] = tt.content, tt.content
			}
			p := w.run()
			j := p.mustSubmit(t, ask(t, 0, tt.inputs...))
			elapse(20 * time.Second)
			got := p.readJob(t, j.ID)
			if got.State != generate.Failed || got.Failure.Kind != tt.want.Kind || got.Failure.Field != tt.want.Field || got.Failure.Limit != tt.want.Limit {
				t.Errorf("it is %s: %+v", got.State, got.Failure)
			}
			if got := w.channel.shown(j.ID); got.State != generate.Failed {
				t.Errorf("its card shows %s", got.State)
			}
			if _, err := p.store.Hold(t.Context(), j.ID); !errors.Is(err, quota.ErrNoHold) || len(w.provider.taken()) > 0 || w.provider.submitted(j.ID) > 0 {
				t.Errorf("its hold: %v, %d uploads, %d submits", err, len(w.provider.taken()), w.provider.submitted(j.ID))
			}
			w.empty(t)
		}))
	}
}

// TestAFileThatCannotBeBroughtNowIsTriedAgain: for three minutes, then the job
// ends.
func TestAFileThatCannotBeBroughtNowIsTriedAgain(t *testing.T) {
	busy := &generate.ProviderError{Op: "upload", Kind: generate.FailProvider, HTTPStatus: 503, Temporary: true, RetryAfter: 10 * time.Second}
	for name, content := range map[string]string{"it can't be opened": "error", "its host asks for time": "later", "it is cut off": "cut", "it can't be uploaded": aPicture} {
		t.Run(name, virtual(func(t *testing.T) {
			w := newWorld(t)
			w.channel.files["test:cat"] = content
			p := w.run()
			if content == aPicture {
				w.provider.uploadErr = slices.Repeat([]error{busy, errReply}, 100)
			}
			j := p.mustSubmit(t, ask(t, 0, givePicture...))
			stuck, err := p.submit(t.Context(), ask(t, 1, givePicture...))
			if err != nil {
				t.Fatal(err)
			}
			elapse(170 * time.Second)
			if got := p.readJob(t, j.ID); got.State != generate.Preparing {
				t.Fatalf("after 170 seconds it is %s (%s)", got.State, got.Failure.Kind)
			}
			if got := w.channel.shown(j.ID); !got.Progress.Retrying || got.Progress.Input != "image_url" {
				t.Errorf("its card shows %+v, want that it is tried again", got.Progress)
			}
			elapse(70 * time.Second)
			if got := p.readJob(t, stuck.ID); got.State != generate.Failed || got.Failure.Kind != generate.FailInputFetch || got.Failure.Field != "image_url" {
				t.Errorf("after 4 minutes it is %s: %+v", got.State, got.Failure)
			}
			w.channel.mu.Lock()
			w.channel.files["test:cat"] = aPicture
			w.channel.mu.Unlock()
			w.provider.mu.Lock()
			w.provider.uploadErr = []error{busy}
			w.provider.mu.Unlock()
			if j, err = p.submit(t.Context(), ask(t, 2, givePicture...)); err != nil {
				t.Fatal(err)
			}
			elapse(2 * time.Minute)
			if got := p.readJob(t, j.ID); got.State != generate.Delivered {
				t.Errorf("once it can be brought, the next is %s: %+v", got.State, got.Failure)
			}
		}))
	}
}

func TestACancelEndsAnUploadAtOnce(t *testing.T) {
	for name, arrange := range map[string]func(*world){
		"while it is uploaded": func(w *world) { w.channel.files["test:cat"], w.provider.uploading = aPicture, 8*time.Minute },
		"while it is read":     func(w *world) { w.channel.files["test:cat"] = "slow" },
	} {
		t.Run(name, virtual(func(t *testing.T) {
			w := newWorld(t)
			arrange(w)
			p := w.run()
			j := p.mustSubmit(t, ask(t, 0, givePicture...))
			elapse(20 * time.Second)
			p.cancel(t, j.ID)
			elapse(5 * time.Second)
			if got := p.readJob(t, j.ID); got.State != generate.Cancelled || got.Unfinished() {
				t.Errorf("it is %s", got.State)
			}
			w.empty(t)
		}))
	}
}

func TestAFileMayTakeTenMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.channel.files["test:cat"], w.provider.uploading = aPicture, 9*time.Minute+50*time.Second
		p := w.run()
		j := p.mustSubmit(t, ask(t, 0, givePicture...))
		elapse(12 * time.Minute)
		if got := p.readJob(t, j.ID); got.State != generate.Delivered {
			t.Errorf("it is %s: %+v", got.State, got.Failure)
		}
		w.provider.uploading = 11 * time.Minute
		j = p.mustSubmit(t, ask(t, 1, givePicture...))
		elapse(11 * time.Minute)
		if got := p.readJob(t, j.ID); got.Failure.Kind != generate.FailInputFetch {
			t.Errorf("it is %s: %+v", got.State, got.Failure)
		}
	})
}

func TestFourFilesAreBroughtAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.policy = quota.Policy{}
		w.channel.files["test:cat"], w.provider.uploading = aPicture, time.Minute
		p := w.run()
		for n := range 10 {
			p.mustSubmit(t, ask(t, n, givePicture...))
		}
		for _, want := range []int{4, 8, 10} {
			elapse(61 * time.Second)
			if got := w.provider.uploaded(aPicture); got != want {
				t.Errorf("%d are uploaded, want %d", got, want)
			}
		}
	})
}

// TestNothingIsFetchedForWhoHasNothingLeft: a limit is looked at before a file is
// moved, and again when it is known what the video costs.
func TestNothingIsFetchedForWhoHasNothingLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.policy.Member.Windows = []quota.WindowLimit{{Window: quota.Day, Videos: 1}}
		w.channel.files["test:cat"] = aPicture
		p := w.run()
		p.mustSubmit(t, ask(t, 0))
		j := p.mustSubmit(t, ask(t, 1, givePicture...))
		elapse(20 * time.Second)
		if got := p.readJob(t, j.ID); got.Failure.Kind != generate.FailQuota || got.Failure.Refusal == nil || len(w.provider.taken()) > 0 {
			t.Errorf("it is %s: %+v, with %d uploads", got.State, got.Failure, len(w.provider.taken()))
		}
	})
}

// TestTheVideoOfAJobGoesIntoAnother: it is at the provider already. For a picture
// its last frame is taken.
func TestTheVideoOfAJobGoesIntoAnother(t *testing.T) {
	for _, tt := range []struct {
		name    string
		key     string
		arrange func(*world, *generate.Ask) // before the first video is made
		other   func(*generate.Ask)         // who asks for the second
		want    generate.FailureKind        // empty = it is made
		uploads int
	}{
		{name: "as a clip", key: "clip"},
		{name: "as a picture", key: "image", uploads: 1},
		{name: "as the last picture", key: "end_image", uploads: 2},
		{name: "as a picture without ffmpeg", key: "image", arrange: func(w *world, _ *generate.Ask) { w.frames = nil }, want: generate.FailInputType},
		{name: "as a picture that can't be read", key: "image", arrange: func(w *world, _ *generate.Ask) { w.frames = fakeFrames{errReply} }, want: generate.FailInputBroken},
		{name: "as a sound", key: "soundtrack", want: generate.FailInputType},
		{name: "of somebody else in the team", key: "clip", other: func(a *generate.Ask) { a.Asker.Member = "test:2" }},
		{name: "of another team", key: "clip", other: func(a *generate.Ask) { a.Asker.Team = "other" }, want: generate.FailInputGone},
		{name: "that is private", key: "clip", arrange: func(_ *world, a *generate.Ask) { a.Place.Private = true }},
		{
			name: "that is private, of somebody else", key: "clip", arrange: func(_ *world, a *generate.Ask) { a.Place.Private = true },
			other: func(a *generate.Ask) { a.Asker.Member = "test:2" }, want: generate.FailInputGone,
		},
	} {
		t.Run(tt.name, virtual(func(t *testing.T) {
			w := newWorld(t)
			w.frames = fakeFrames{}
			first := ask(t, 0)
			if tt.arrange != nil {
				tt.arrange(w, &first)
			}
			p := w.run()
			parent := p.mustSubmit(t, first)
			elapse(2 * time.Minute)
			settings := []ltx.Setting{{Key: tt.key, Value: "job:" + parent.ID}}
			if tt.key == "end_image" { // there is none without a first one
				w.channel.files["test:cat"] = aPicture
				settings = append(settings, givePicture...)
			}
			second := ask(t, 1, settings...)
			if tt.other != nil {
				tt.other(&second)
			}
			j := p.mustSubmit(t, second)
			elapse(2 * time.Minute)
			got := p.readJob(t, j.ID)
			if got.Failure.Kind != tt.want || (got.State == generate.Delivered) != (tt.want == "") {
				t.Fatalf("it is %s: %+v", got.State, got.Failure)
			}
			if len(w.provider.taken()) != tt.uploads {
				t.Errorf("%d uploads, want %d", len(w.provider.taken()), tt.uploads)
			}
			if tt.key == "clip" && tt.want == "" {
				if m, _ := w.provider.sent(t, j.ID).Media("video_url"); m.URL != p.readJob(t, parent.ID).Output.URL || m.Width != 1280 {
					t.Errorf("sent is %+v", m)
				}
			}
			w.empty(t)
		}))
	}
	t.Run("that is not there", virtual(func(t *testing.T) {
		w := newWorld(t)
		p := w.run()
		j := p.mustSubmit(t, ask(t, 0, ltx.Setting{Key: "clip", Value: "job:k3f92mq7abcd"}))
		elapse(20 * time.Second)
		if got := p.readJob(t, j.ID); got.Failure.Kind != generate.FailInputGone {
			t.Errorf("it is %s: %+v", got.State, got.Failure)
		}
	}))
	t.Run("that the provider has no longer", virtual(func(t *testing.T) {
		w := newWorld(t)
		p := w.run()
		parent := p.mustSubmit(t, ask(t, 0))
		elapse(2 * time.Minute)
		w.provider.openErr = generate.ErrGone
		j := p.mustSubmit(t, ask(t, 1, ltx.Setting{Key: "clip", Value: parent.ID}))
		elapse(20 * time.Second)
		if got := p.readJob(t, j.ID); got.Failure.Kind != generate.FailInputGone {
			t.Errorf("it is %s: %+v", got.State, got.Failure)
		}
	}))
}

// Before a clip is read its length is not known: it may be short enough.
func TestALengthThatIsNotKnownRefusesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.policy.Member.Windows = []quota.WindowLimit{{Window: quota.Month, USD: usd.Dollar}}
		w.files["https://example.com/clip.mp4"] = aClip // of four seconds
		p := w.run()
		r, err := ltx.Rules{}.Parse([]ltx.Setting{
			{Key: "prompt", Value: "a red canoe"}, {Key: "clip", Value: "https://example.com/clip.mp4"}, {Key: "edit", Value: "reframe"}, {Key: "size", Value: "9:16"},
		})
		if err != nil {
			t.Fatal(err)
		}
		a := ask(t, 0)
		a.Request = r
		quote, err := p.engine.Quote(t.Context(), a)
		if err != nil || quote.Estimate <= usd.Dollar {
			t.Errorf("quoted %d, %v; want more than a dollar and no refusal", quote.Estimate, err)
		}
		j := p.mustSubmit(t, a)
		elapse(5 * time.Minute)
		if got := p.readJob(t, j.ID); got.State != generate.Delivered || got.Estimate >= usd.Dollar {
			t.Errorf("it is %s with an estimate of %d: %+v", got.State, got.Estimate, got.Failure)
		}
	})
}
