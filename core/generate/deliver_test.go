package generate_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

// fakeFitter makes every video fit that is too large: a copy of so many bytes.
type fakeFitter struct {
	mu    sync.Mutex
	calls int
	err   error // of every call
	limit int64 // of the last call
}

func (f *fakeFitter) Fit(_ context.Context, in generate.File, dir string, limit int64, _ func(int)) (generate.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	f.limit = limit
	if f.err != nil {
		return generate.File{}, f.err
	}
	if in.Size <= limit {
		return in, nil
	}
	out := generate.File{Path: filepath.Join(dir, "fitted"), Name: in.Name, Size: limit, Fit: generate.FitReencoded}
	return out, os.WriteFile(out.Path, make([]byte, limit), 0o600)
}

// deliver lets a video be made. Just before it is ready the conversation
// becomes as change makes it; then there is time for a first try.
func (w *world) deliver(t *testing.T, p *process, change func(*fakeChannel)) generate.Job {
	t.Helper()
	j := p.mustSubmit(t, ask(t, 1))
	elapse(w.provider.queue + w.provider.run - time.Second)
	w.set(change)
	elapse(10 * time.Second)
	return j
}

// set changes the conversation.
func (w *world) set(change func(*fakeChannel)) {
	w.channel.mu.Lock()
	defer w.channel.mu.Unlock()
	change(w.channel)
}

// left are the files of jobs on disk.
func (w *world) left(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(w.dir, "ltx-*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func (w *world) counts(f *fakeFitter) (downloads, fits int) {
	w.provider.mu.Lock()
	defer w.provider.mu.Unlock()
	f.mu.Lock()
	defer f.mu.Unlock()
	return w.provider.opened, f.calls
}

// A video too large that ffmpeg can't handle was downloaded and encoded at
// each try for a day, and then it was lost.
func TestAVideoThatCannotBeMadeSmallerBecomesALinkAtOnce(t *testing.T) {
	for name, err := range map[string]error{
		"ffmpeg has no libx264":     errors.New("run ffmpeg: exit status 8: Unknown encoder 'libx264'"),
		"ffmpeg crashes":            errors.New("run ffmpeg: signal: segmentation fault"),
		"ffmpeg takes too long":     errors.New("re-encoding took too long"),
		"it would look too bad":     &generate.TooLargeError{Size: 25, Limit: 8},
		"ffmpeg's own time is over": context.DeadlineExceeded,
	} {
		t.Run(name, virtual(func(t *testing.T) {
			w, f := newWorld(t), &fakeFitter{err: err}
			w.fitter = f
			p := w.run()
			j := w.deliver(t, p, func(c *fakeChannel) { c.limit = 8 })
			got := finished(t, p, j.ID)
			if _, large := errors.AsType[*generate.TooLargeError](w.channel.why[j.ID]); !large || got.State != generate.Delivered {
				t.Errorf("the job is %s, its video a %s: %v", got.State, got.Receipt.Fit, w.channel.why[j.ID])
			}
			if downloads, fits := w.counts(f); downloads != 1 || fits != 1 {
				t.Errorf("%d downloads and %d encodes, want one of each", downloads, fits)
			}
		}))
	}
}

// A video that fits is posted even if ffmpeg stumbles over it.
func TestAVideoThatFitsIsPostedThoughFFmpegFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.fitter = &fakeFitter{err: errors.New("run ffmpeg: exit status 1")}
		p := w.run()
		j := w.deliver(t, p, func(*fakeChannel) {})
		if got := finished(t, p, j.ID); got.Receipt.Fit != generate.FitOriginal {
			t.Errorf("the video is %s (%s)", got.Receipt.Fit, got.State)
		}
	})
}

// An outage of the conversation: once it is back it gets the file, which was
// downloaded and made smaller once.
func TestAnOutageDownloadsAndEncodesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := newWorld(t), &fakeFitter{}
		w.fitter = f
		p := w.run()
		j := w.deliver(t, p, func(c *fakeChannel) { c.limit, c.away = 8, true })
		elapse(time.Hour)
		if downloads, fits := w.counts(f); downloads != 1 || fits != 1 {
			t.Errorf("%d downloads and %d encodes in an hour, want one of each", downloads, fits)
		}
		if left := w.left(t); len(left) != 1 {
			t.Errorf("on disk are %v, want the files of one job", left)
		}
		w.set(func(c *fakeChannel) { c.away = false })
		elapse(2 * time.Minute)
		if got := finished(t, p, j.ID); got.State != generate.Delivered || got.Receipt.Fit != generate.FitReencoded {
			t.Errorf("the job is %s, its video %s", got.State, got.Receipt.Fit)
		}
		if left := w.left(t); len(left) != 0 {
			t.Errorf("left on disk: %v", left)
		}
	})
}

// The next process downloads once more, and the first one leaves nothing when
// it is asked to stop.
func TestARestartInAnOutageDownloadsOnceMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := newWorld(t), &fakeFitter{}
		w.fitter = f
		first := w.start(crashAt(0))
		j := w.deliver(t, first, func(c *fakeChannel) { c.away = true })
		elapse(10 * time.Minute)
		if err := first.engine.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if left := w.left(t); len(left) != 0 {
			t.Errorf("left on disk: %v", left)
		}
		first.kill(t)
		p := w.run()
		elapse(10 * time.Minute)
		w.set(func(c *fakeChannel) { c.away = false })
		elapse(2 * time.Minute)
		if got := finished(t, p, j.ID); got.State != generate.Delivered || got.Receipt.Fit != generate.FitOriginal {
			t.Errorf("the job is %s, its video %s", got.State, got.Receipt.Fit)
		}
		if downloads, _ := w.counts(f); downloads != 2 {
			t.Errorf("%d downloads, want 2", downloads)
		}
	})
}

// A file that somebody has deleted is downloaded again.
func TestAFileThatIsGoneIsDownloadedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := newWorld(t), &fakeFitter{}
		w.fitter = f
		p := w.run()
		j := w.deliver(t, p, func(c *fakeChannel) { c.away = true })
		for _, dir := range w.left(t) {
			if err := os.RemoveAll(dir); err != nil {
				t.Error(err)
			}
		}
		w.set(func(c *fakeChannel) { c.away = false })
		elapse(time.Minute)
		if got := finished(t, p, j.ID); got.State != generate.Delivered || got.Receipt.Fit != generate.FitOriginal {
			t.Errorf("the job is %s, its video %s", got.State, got.Receipt.Fit)
		}
		if downloads, _ := w.counts(f); downloads != 2 {
			t.Errorf("%d downloads, want 2", downloads)
		}
	})
}

// The disk that waiting videos take is bounded: what has no room is downloaded
// again.
func TestVideosThatWaitTakeABoundedPartOfTheDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.policy.Member.JobsAtATime = 0
		w.maxBytes = int64(len(w.provider.media)) // so four of them may wait
		p := w.run()
		w.set(func(c *fakeChannel) { c.limit = 1 << 20 })
		var ids []string
		for n := range 6 {
			ids = append(ids, p.accept(t, n))
		}
		elapse(w.provider.queue + w.provider.run - time.Second)
		w.set(func(c *fakeChannel) { c.away = true })
		elapse(time.Hour)
		if left := w.left(t); len(left) != 4 {
			t.Errorf("the files of %d jobs are on disk, want 4", len(left))
		}
		w.set(func(c *fakeChannel) { c.away = false })
		elapse(2 * time.Minute)
		for _, id := range ids {
			if got := finished(t, p, id); got.State != generate.Delivered || got.Receipt.Fit != generate.FitOriginal {
				t.Errorf("the job is %s, its video %s", got.State, got.Receipt.Fit)
			}
		}
		if left := w.left(t); len(left) != 0 {
			t.Errorf("left on disk: %v", left)
		}
	})
}

// A conversation that takes messages and no uploads gets a link after a minute,
// not after a day.
func TestUploadsThatKeepFailingBecomeALinkAfterAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		p := w.run()
		j := w.deliver(t, p, func(c *fakeChannel) { c.noFiles = true })
		elapse(45 * time.Second)
		if posted := w.channel.posted(); len(posted) != 0 {
			t.Errorf("posted after less than a minute: %v", posted)
		}
		elapse(time.Minute)
		got := finished(t, p, j.ID)
		if why := w.channel.why[j.ID]; got.State != generate.Delivered || !errors.Is(why, generate.ErrUploads) {
			t.Errorf("the job is %s, its video a %s: %v", got.State, got.Receipt.Fit, why)
		}
	})
}

// A courier that must wait for a rate limit does not say that the conversation
// takes no video, however long that lasts.
func TestAConversationThatIsBusyGetsTheFileInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		p := w.run()
		j := w.deliver(t, p, func(c *fakeChannel) { c.busy = true })
		elapse(5 * time.Minute)
		if posted := w.channel.posted(); len(posted) != 0 {
			t.Errorf("posted while the conversation is busy: %v", posted)
		}
		w.set(func(c *fakeChannel) { c.busy = false })
		elapse(5 * time.Second)
		if got := finished(t, p, j.ID); got.State != generate.Delivered || got.Receipt.Fit != generate.FitOriginal {
			t.Errorf("the job is %s, its video a %s", got.State, got.Receipt.Fit)
		}
	})
}

// A line may be slow, but not for ever.
func TestADownloadThatNeverEndsBecomesALink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.maxBytes = 4 << 20
		w.provider.media += strings.Repeat(".", 2<<20)
		w.provider.drip, w.provider.dripBytes = 14*time.Second, 32<<10 // 64 KiB in 28 seconds
		p := w.run()
		j := w.deliver(t, p, func(c *fakeChannel) { c.limit = 4 << 20 })
		elapse(9*time.Minute + 30*time.Second)
		if posted := w.channel.posted(); len(posted) != 0 || w.provider.opened != 1 {
			t.Errorf("posted after nine minutes: %v, in %d downloads", posted, w.provider.opened)
		}
		elapse(time.Minute)
		got := finished(t, p, j.ID)
		if got.State != generate.Delivered || got.Receipt.Fit != generate.FitLink {
			t.Errorf("the job is %s, its video a %s", got.State, got.Receipt.Fit)
		}
	})
}

func TestASlowLineBringsAVideo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.maxBytes = 4 << 20
		w.provider.media += strings.Repeat(".", 1<<20)
		w.provider.drip, w.provider.dripBytes = 14*time.Second, 32<<10
		p := w.run()
		j := w.deliver(t, p, func(c *fakeChannel) { c.limit = 4 << 20 })
		elapse(8 * time.Minute)
		got := finished(t, p, j.ID)
		if got.State != generate.Delivered || got.Receipt.Fit != generate.FitOriginal || w.provider.opened != 1 {
			t.Errorf("the job is %s, its video a %s in %d downloads", got.State, got.Receipt.Fit, w.provider.opened)
		}
	})
}

// A host that brings a byte every now and then is not silent, and never done.
// Such downloads take no place from others for long.
func TestDownloadsThatMakeNoProgressGiveUpTheirPlaces(t *testing.T) {
	for _, tt := range []struct {
		name  string
		every time.Duration
		bytes int
	}{
		{"a byte a second", time.Second, 1},
		{"a byte now and then", 29 * time.Second, 1},
		{"a little too slow", 16 * time.Second, 32 << 10},
	} {
		t.Run(tt.name, virtual(func(t *testing.T) {
			w := newWorld(t)
			w.policy, w.maxBytes, w.channel.limit = quota.Policy{}, 4<<20, 4<<20
			w.provider.media += strings.Repeat(".", 2<<20)
			w.provider.queue, w.provider.run = 0, 0
			w.provider.places = make(chan struct{}, 16)
			w.provider.drip, w.provider.dripBytes = tt.every, tt.bytes
			p := w.run()
			slow := make([]string, 16)
			for n := range slow {
				slow[n] = p.accept(t, n)
			}
			elapse(10 * time.Second)
			w.change(func(p *fakeProvider) { p.drip = 0 })
			next := p.accept(t, 17)
			elapse(15 * time.Second)
			if posted := w.channel.posted(); len(posted) != 0 {
				t.Errorf("posted within half a minute: %v", posted)
			}
			elapse(10 * time.Second)
			if j := finished(t, p, next); j.State != generate.Delivered || j.Receipt.Fit != generate.FitOriginal {
				t.Errorf("the next job is %s, its video a %s", j.State, j.Receipt.Fit)
			}
			elapse(time.Minute)
			for _, id := range slow { // the host has recovered
				if j := finished(t, p, id); j.State != generate.Delivered || j.Receipt.Fit != generate.FitOriginal {
					t.Errorf("a job is %s, its video a %s", j.State, j.Receipt.Fit)
				}
			}
		}))
	}
}

func TestADownloadThatMakesNoProgressBecomesALink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.provider.media += strings.Repeat(".", 10_000)
		w.provider.drip = 29 * time.Second
		p := w.run()
		j := w.deliver(t, p, func(*fakeChannel) {})
		elapse(6 * time.Minute)
		got := finished(t, p, j.ID)
		if got.State != generate.Delivered || got.Receipt.Fit != generate.FitLink {
			t.Errorf("the job is %s, its video a %s", got.State, got.Receipt.Fit)
		}
	})
}

// Why a video can't be had as a file is told as it is.
func TestALinkSaysWhyThereIsNoFile(t *testing.T) {
	refused := &generate.ProviderError{Op: "open", HTTPStatus: 403}
	for name, tt := range map[string]struct {
		err   error
		after time.Duration
	}{
		"it lies elsewhere":              {generate.ErrForeign, 5 * time.Second},
		"the media host refuses it":      {refused, 5 * time.Second},
		"the media host does not answer": {errReply, 10 * time.Minute},
	} {
		t.Run(name, virtual(func(t *testing.T) {
			w := newWorld(t)
			w.provider.openErr = tt.err
			p := w.run()
			j := w.deliver(t, p, func(*fakeChannel) {})
			elapse(tt.after)
			got := finished(t, p, j.ID)
			if why := w.channel.why[j.ID]; got.State != generate.Delivered || !errors.Is(why, tt.err) {
				t.Errorf("the job is %s, its video a %s: %v", got.State, got.Receipt.Fit, why)
			}
		}))
	}
}

// Without ffmpeg a video that is too large is a link at once.
func TestAVideoThatIsTooLargeBecomesALinkWithoutFFmpeg(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		p := w.run()
		j := w.deliver(t, p, func(c *fakeChannel) { c.limit = 8 })
		got := finished(t, p, j.ID)
		if _, large := errors.AsType[*generate.TooLargeError](w.channel.why[j.ID]); !large || got.State != generate.Delivered {
			t.Errorf("the job is %s, its video a %s: %v", got.State, got.Receipt.Fit, w.channel.why[j.ID])
		}
	})
}

// What a process left that was killed is deleted by the next one, once no
// delivery can need it. Nothing else is touched.
func TestWhatAKilledProcessLeftIsDeleted(t *testing.T) {
	w := newWorld(t)
	for name, age := range map[string]time.Duration{
		"ltx-k3f92mq7abcd-123":  26 * time.Hour,
		"ltx-k3f92mq7abcd-124":  24 * time.Hour,
		"ltx-models":            100 * time.Hour,
		"ltx-k3f92mq7abcd-mine": 100 * time.Hour,
	} {
		dir := filepath.Join(w.dir, name)
		if err := os.MkdirAll(filepath.Join(dir, "inside"), 0o700); err != nil {
			t.Fatal(err)
		}
		then := time.Now().Add(-age)
		if err := os.Chtimes(dir, then, then); err != nil {
			t.Fatal(err)
		}
	}
	w.run()
	if left := w.left(t); len(left) != 3 {
		t.Errorf("left are %v, want three", left)
	}
	if _, err := os.Stat(filepath.Join(w.dir, "ltx-k3f92mq7abcd-123")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the old files: %v", err)
	}
}

// Each save waits for the disk, and most of what a job costs this machine is
// that. A save more must have a reason.
func TestAnOrdinaryJobIsSavedSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		p := w.run()
		id := p.accept(t, 1)
		elapse(time.Minute)
		j := finished(t, p, id)
		// Recorded, accepted, its card known, submitting, queued, running, fetched, about
		// to be posted, delivered, shown.
		if j.State != generate.Delivered || j.Version != 10 || j.Notes["receipt"] != "kept" {
			t.Errorf("job is %s after %d saves, notes %v", j.State, j.Version, j.Notes)
		}
	})
}
