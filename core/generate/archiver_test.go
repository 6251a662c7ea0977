package generate_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
)

// fakeArchive keeps files in memory.
type fakeArchive struct {
	mu       sync.Mutex
	files    map[string]string
	err      error         // of every call
	slow     time.Duration // how long a Put takes
	hangs    bool          // a Put ends with its context
	now      int           // calls of Put under way
	most     int           // that there ever were
	outcomes map[generate.CopyOutcome]int
}

func newFakeArchive() *fakeArchive {
	return &fakeArchive{files: map[string]string{}, outcomes: map[generate.CopyOutcome]int{}}
}

func (a *fakeArchive) observe(o generate.CopyOutcome) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.outcomes[o]++
}

func (a *fakeArchive) Put(ctx context.Context, name, _ string, body io.ReadSeeker, size int64) error {
	b, err := io.ReadAll(body)
	if err != nil || int64(len(b)) != size {
		return fmt.Errorf("%d of %d bytes: %w", len(b), size, err)
	}
	a.mu.Lock()
	a.now++
	a.most = max(a.most, a.now)
	hangs := a.hangs
	a.mu.Unlock()
	if hangs {
		<-ctx.Done()
	}
	<-time.After(a.slow)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.now--
	if hangs {
		return ctx.Err()
	}
	if a.err == nil {
		a.files[name] = string(b)
	}
	return a.err
}

func (a *fakeArchive) Open(_ context.Context, name string, offset int64) (io.ReadCloser, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err != nil {
		return nil, a.err
	}
	content, ok := a.files[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return io.NopCloser(strings.NewReader(content[offset:])), nil
}

func (a *fakeArchive) Delete(_ context.Context, name string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err == nil {
		delete(a.files, name)
	}
	return a.err
}

func (a *fakeArchive) fail(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.err = err
}

// names are what is kept, in order.
func (a *fakeArchive) names() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Sorted(maps.Keys(a.files))
}

func (a *fakeArchive) counted() map[generate.CopyOutcome]int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.outcomes)
}

// withArchive is a world with an archive.
func withArchive(t *testing.T) *world {
	w := newWorld(t)
	w.archive, w.marker = newFakeArchive(), fakeMarker{}
	return w
}

// wantNoCopies says that nothing of a job is in the archive, nor waits.
func (w *world) wantNoCopies(t *testing.T, p *process) {
	t.Helper()
	if got := w.archive.names(); len(got) > 0 {
		t.Errorf("the archive has %v, want nothing", got)
	}
	w.wantSettled(t, p)
}

// wantSettled says that no copy waits, and no file is left on disk.
func (w *world) wantSettled(t *testing.T, p *process) {
	t.Helper()
	if task, err := p.store.ClaimCopy(t.Context(), time.Hour); !errors.Is(err, generate.ErrNoCopy) {
		t.Errorf("a copy is still due: %+v, %v", task, err)
	}
	if left := w.left(t); len(left) > 0 {
		t.Errorf("on disk are %v", left)
	}
}

func TestADeliveredVideoIsArchivedAsItWasPosted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := withArchive(t)
		f := &fakeFitter{}
		w.fitter = f
		p := w.run()
		j := w.deliver(t, p, func(c *fakeChannel) { c.limit = 200 })
		got := finished(t, p, j.ID)
		path := fmt.Sprintf("team/%s/%s", j.Created.UTC().Format("2006/01"), j.ID)
		if want := []string{path + ".json", path + ".mp4"}; !slices.Equal(w.archive.names(), want) {
			t.Fatalf("the archive has %v, want %v", w.archive.names(), want)
		}
		if video := w.archive.files[path+".mp4"]; video != string(w.channel.file) {
			t.Errorf("archived %q, posted %q", video, w.channel.file)
		}
		if c := got.Copy; c.State != generate.CopyKept || c.Video() != path+".mp4" || c.Size != int64(len(w.channel.file)) || c.SHA256 != got.Receipt.SHA256 || c.ContentType() != "video/mp4" {
			t.Errorf("the record says %+v of the copy", c)
		}
		if downloads, _ := w.counts(f); downloads != 1 {
			t.Errorf("%d downloads, want one for the post and the archive", downloads)
		}
		if got := w.archive.counted(); got[generate.CopyWritten] != 1 || got[generate.CopyFailed] != 0 {
			t.Errorf("counted: %v", got)
		}
		w.wantSettled(t, p)
		if mine, err := generate.Export(t.Context(), p.store, "", j.Member); err != nil || len(mine) != 1 || mine[0].Archive != got.Copy.Video() {
			t.Errorf("exported: %+v, %v", mine, err)
		}
	})
}

// A slow archive gets two videos at a time. Eight wait on disk; what came before
// them is fetched again.
func TestASlowArchiveIsNotOverrun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := withArchive(t), &fakeFitter{}
		w.fitter = f
		w.archive.slow = 5 * time.Minute
		w.policy.Member = quota.Limits{JobsAtATime: 20}
		p := w.run()
		const jobs = 12
		for n := range jobs {
			p.mustSubmit(t, ask(t, n))
		}
		elapse(2 * time.Minute)
		if left := len(w.left(t)); left != 8 {
			t.Errorf("the files of %d jobs are on disk, want 8", left)
		}
		elapse(3 * time.Hour)
		if w.archive.most != 2 || len(w.archive.names()) != 2*jobs {
			t.Errorf("%d at a time, %d files; want 2 and %d", w.archive.most, len(w.archive.names()), 2*jobs)
		}
		if downloads, _ := w.counts(f); downloads != jobs+2 {
			t.Errorf("%d downloads, want %d", downloads, jobs+2)
		}
		w.wantSettled(t, p)
	})
}

// A try that never ends is given up after 20 minutes.
func TestAnArchiveThatHangsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := withArchive(t)
		w.archive.hangs = true
		p := w.run()
		j := w.deliver(t, p, func(*fakeChannel) {})
		elapse(19 * time.Minute)
		if n := w.archive.counted()[generate.CopyFailed]; n != 0 {
			t.Errorf("given up %d times within 19 minutes", n)
		}
		w.archive.mu.Lock()
		w.archive.hangs = false
		w.archive.mu.Unlock()
		elapse(4 * time.Minute)
		if got := finished(t, p, j.ID); got.Copy.State != generate.CopyKept || w.archive.counted()[generate.CopyFailed] != 1 {
			t.Errorf("the copy is %s after %v", got.Copy.State, w.archive.counted())
		}
	})
}

// What a process that was killed was writing is left alone for 21 minutes: it may
// be alive.
func TestACopyOfADeadProcessIsTakenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := withArchive(t)
		w.archive.slow = 30 * time.Second
		c := crashAt(0)
		p := w.start(c)
		j := w.deliver(t, p, func(*fakeChannel) {})
		close(c.dead) // in the middle of a Put
		p.kill(t)
		p = w.run()
		elapse(20 * time.Minute)
		if got := finished(t, p, j.ID); got.Copy.State != generate.CopyDue {
			t.Errorf("the copy is %s after 20 minutes", got.Copy.State)
		}
		elapse(4 * time.Minute)
		if got := finished(t, p, j.ID); got.Copy.State != generate.CopyKept {
			t.Errorf("the copy is %s after 24 minutes", got.Copy.State)
		}
	})
}

// A video that was posted as a link is archived in full, with its mark.
func TestAVideoThatWasPostedAsALinkIsArchivedFromTheProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := withArchive(t)
		p := w.run()
		j := w.deliver(t, p, func(c *fakeChannel) { c.limit = 8 })
		got := finished(t, p, j.ID)
		if got.Receipt.Fit != generate.FitLink {
			t.Fatalf("it was posted as %s", got.Receipt.Fit)
		}
		if video := w.archive.files[got.Copy.Video()]; !strings.HasPrefix(video, w.provider.media) || !strings.Contains(video, j.ID+" by ") {
			t.Errorf("archived: %q", video)
		}
		w.wantSettled(t, p)
	})
}

func TestTheParametersBesideAVideoSayHowItWasMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := withArchive(t)
		p := w.run()
		asked := ask(t, 1)
		rules := ltx.Rules{Styles: func(string) (ltx.Style, bool) { return ltx.Style{Name: "noir"}, true }}
		var err error
		if asked.Request, err = asked.Request.With(rules, ltx.Setting{Key: "style", Value: "noir"},
			ltx.Setting{Key: "lora", Value: "https://huggingface.co/o/r/resolve/main/film.safetensors?token=hunter2@0.7"}); err != nil {
			t.Fatal(err)
		}
		asked.Place.Private = true
		j := p.mustSubmit(t, asked)
		elapse(5 * time.Minute)
		got := finished(t, p, j.ID)
		text := w.archive.files[got.Copy.Path+".json"]
		var s map[string]any
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(text, "hunter2") {
			t.Errorf("a secret is in it:\n%s", text)
		}
		parameters, _ := s["parameters"].(map[string]any)
		for key, want := range map[string]any{
			"job": j.ID, "team": "team", "member": "test:1", "platform": "test", "channel": "c", "private": true, "seed": 1001.0,
			"request_id": got.Submission.RequestID, "endpoint": got.Endpoint, "model": "ltx-2.3", "style": "noir", "charged_usd": got.Charged.Dollars(),
			"file": got.Copy.Video(), "sha256": got.Receipt.SHA256, "bytes": float64(got.Copy.Size),
		} {
			if s[key] != want {
				t.Errorf("%s is %v, want %v", key, s[key], want)
			}
		}
		if mine := got.Personal(); mine.Style != "noir" {
			t.Errorf("its member's data says that the style is %q", mine.Style)
		}
		if command, _ := s["command"].(string); !strings.Contains(command, "film.safetensors@0.7") || parameters["prompt"] != "a red canoe on a lake, take 1" {
			t.Errorf("command %q, parameters %v", s["command"], parameters)
		}
	})
}

// While the archive is away a delivery is as it always is; the video follows.
func TestAnArchiveThatIsAwayHoldsNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := withArchive(t)
		w.archive.fail(errors.New("no answer"))
		p := w.run()
		j := w.deliver(t, p, func(*fakeChannel) {})
		if got := finished(t, p, j.ID); got.State != generate.Delivered || got.Copy.State != generate.CopyDue {
			t.Fatalf("the job is %s, its copy %s", got.State, got.Copy.State)
		}
		elapse(2 * 24 * time.Hour)
		if tries := w.archive.counted()[generate.CopyFailed]; tries < 40 || tries > 80 {
			t.Errorf("%d tries in two days, want about one an hour", tries)
		}
		w.provider.mu.Lock()
		opened := w.provider.opened
		w.provider.mu.Unlock()
		if opened != 1 || len(w.left(t)) != 1 {
			t.Errorf("%d downloads, on disk are %v; want the file that was posted to be kept", opened, w.left(t))
		}
		w.archive.fail(nil)
		elapse(2 * time.Hour)
		if left := w.left(t); len(left) > 0 {
			t.Errorf("on disk are %v", left)
		}
		if got := finished(t, p, j.ID); got.Copy.State != generate.CopyKept || len(w.archive.names()) != 2 {
			t.Errorf("the copy is %s, the archive has %v", got.Copy.State, w.archive.names())
		}
		w.wantSettled(t, p)
	})
}

// TestAFileThatWaitsForItsCopyIsNoLeftover, however long the archive is away.
func TestAFileThatWaitsForItsCopyIsNoLeftover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := withArchive(t)
		w.archive.fail(errors.New("no answer"))
		p := w.run()
		w.deliver(t, p, func(*fakeChannel) {})
		old := time.Now().Add(-26 * time.Hour)
		for _, folder := range w.left(t) {
			if err := os.Chtimes(folder, old, old); err != nil {
				t.Fatal(err)
			}
		}
		elapse(3 * time.Hour)
		p.engine.SweepFiles(t.Context())
		if len(w.left(t)) != 1 {
			t.Error("the file that was posted is gone")
		}
	})
}

// A video is posted as soon with an archive as without one, whatever that does.
func TestNoPostWaitsForTheArchive(t *testing.T) {
	took := func(change func(*world)) (all []time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.policy.Member = quota.Limits{JobsAtATime: 2}
			change(w)
			p := w.run()
			var jobs []string
			for n := range 6 {
				j := p.mustSubmit(t, ask(t, n))
				jobs = append(jobs, j.ID)
			}
			elapse(10 * time.Minute)
			for _, id := range jobs {
				j := finished(t, p, id)
				all = append(all, j.Receipt.At.Sub(j.Fetched))
			}
		})
		return all
	}
	with := func(change func(*fakeArchive)) func(*world) {
		return func(w *world) {
			w.archive = newFakeArchive()
			change(w.archive)
		}
	}
	want := took(func(*world) {})
	for name, change := range map[string]func(*fakeArchive){
		"is quick": func(*fakeArchive) {}, "is slow": func(a *fakeArchive) { a.slow = time.Hour },
		"hangs": func(a *fakeArchive) { a.hangs = true }, "is away": func(a *fakeArchive) { a.err = errors.New("no answer") },
	} {
		if got := took(with(change)); !slices.Equal(got, want) {
			t.Errorf("when it %s they are posted after %v, without one after %v", name, got, want)
		}
	}
}

func TestACopyIsGivenUp(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*world)
		after  time.Duration
	}{
		"after a week":                   {func(w *world) { w.archive.fail(errors.New("no answer")) }, 7*24*time.Hour + 2*time.Hour},
		"when the provider has it not":   {func(w *world) { w.provider.openErr = generate.ErrGone }, 2 * time.Minute},
		"when it is at another host":     {func(w *world) { w.provider.openErr = generate.ErrForeign }, 2 * time.Minute},
		"when it is larger than allowed": {func(w *world) { w.maxBytes = 4 }, 2 * time.Minute},
	} {
		t.Run(name, virtual(func(t *testing.T) {
			w := withArchive(t)
			w.archive.fail(errors.New("no answer"))
			p := w.start(crashAt(0))
			j := w.deliver(t, p, func(c *fakeChannel) { c.limit = 8 }) // as a link
			path := finished(t, p, j.ID).Copy.Path
			p.kill(t)
			w.archive.fail(nil)
			w.archive.files[path+".mp4"] = "of a try that came no further"
			w.provider.mu.Lock()
			c.change(w)
			w.provider.mu.Unlock()
			p = w.run()
			elapse(c.after)
			if got := finished(t, p, j.ID); got.Copy.State != generate.CopyLost || got.Copy.Video() != "" {
				t.Errorf("the record says %+v of the copy", got.Copy)
			}
			if got := w.archive.counted()[generate.CopyGivenUp]; got != 1 {
				t.Errorf("given up %d times", got)
			}
			if w.archive.err == nil { // it is removed at once
				w.wantNoCopies(t, p)
			}
			w.archive.fail(nil)
			elapse(2 * time.Hour)
			w.wantNoCopies(t, p)
		}))
	}
}

// What is erased, deleted or forgotten leaves the archive, also when that is away
// at first.
func TestACopyGoesWithItsJob(t *testing.T) {
	for name, remove := range map[string]func(ctx context.Context, p *process, j generate.Job) error{
		"erased": func(ctx context.Context, p *process, j generate.Job) error {
			_, err := generate.Erase(ctx, p.store, false, "", j.Member)
			return err
		},
		"deleted": func(ctx context.Context, p *process, j generate.Job) error {
			_, err := p.engine.Discard(ctx, j.ID, map[string]string{"deleted": "yes"})
			return err
		},
		"forgotten": func(ctx context.Context, p *process, j generate.Job) error {
			j, err := p.store.Job(ctx, j.ID)
			return errors.Join(err, p.store.Remove(ctx, j))
		},
	} {
		for _, when := range []string{"kept", "due"} {
			t.Run(name+" while "+when, virtual(func(t *testing.T) {
				w := withArchive(t)
				p := w.run()
				if when == "due" {
					w.archive.fail(errors.New("no answer"))
				}
				j := w.deliver(t, p, func(*fakeChannel) {})
				if kept := len(w.archive.names()) == 2; kept != (when == "kept") {
					t.Fatalf("the archive has %v", w.archive.names())
				}
				w.archive.fail(errors.New("no answer"))
				if err := remove(t.Context(), p, j); err != nil {
					t.Fatal(err)
				}
				elapse(2 * time.Minute)
				if left := w.left(t); len(left) > 0 {
					t.Errorf("on disk are %v", left)
				}
				elapse(12 * time.Hour)
				w.archive.fail(nil)
				elapse(2 * time.Hour)
				w.wantNoCopies(t, p)
			}))
		}
	}
}

// A video that the platform does not delete after all is archived again.
func TestACopyComesBackWithItsVideo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := withArchive(t)
		p := w.run()
		j := w.deliver(t, p, func(*fakeChannel) {})
		if _, err := p.engine.Discard(t.Context(), j.ID, map[string]string{"deleted": "yes"}); err != nil {
			t.Fatal(err)
		}
		elapse(time.Second)
		if got := p.readJob(t, j.ID).Copy.Video(); got != "" {
			t.Errorf("the record says that there is %s", got)
		}
		if names := w.archive.names(); len(names) != 2 {
			t.Errorf("the archive has %v while it can be taken back", names)
		}
		if _, err := p.engine.Restore(t.Context(), j.ID, map[string]string{"deleted": ""}); err != nil {
			t.Fatal(err)
		}
		elapse(5 * time.Minute)
		after := p.readJob(t, j.ID).Copy
		if names := w.archive.names(); len(names) != 2 || after.State != generate.CopyKept || after.Video() == "" || !after.Until.IsZero() {
			t.Errorf("the archive has %v, the record says %+v", names, after)
		}
	})
}

// A video that is erased while it is on its way to the archive does not stay there.
func TestAVideoThatIsErasedMeanwhileDoesNotStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := withArchive(t)
		w.archive.slow = time.Minute
		p := w.run()
		j := w.deliver(t, p, func(*fakeChannel) {})
		if done, err := generate.Erase(t.Context(), p.store, false, "", j.Member); err != nil || done.Jobs != 1 {
			t.Fatalf("erased: %+v, %v", done, err)
		}
		elapse(time.Hour)
		w.wantNoCopies(t, p)
	})
}

// A prompt that is forgotten goes from the archive, too; the video stays.
func TestAForgottenPromptLeavesTheArchive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := withArchive(t)
		p := w.run()
		j := w.deliver(t, p, func(*fakeChannel) {})
		j = finished(t, p, j.ID)
		if text := w.archive.files[j.Copy.Path+".json"]; !strings.Contains(text, "red canoe") {
			t.Fatalf("the parameters are %s", text)
		}
		if _, err := p.store.Save(t.Context(), j.WithoutPrompt(), quota.Keep()); err != nil {
			t.Fatal(err)
		}
		elapse(2 * time.Minute)
		if text := w.archive.files[j.Copy.Path+".json"]; strings.Contains(text, "red canoe") || !strings.Contains(text, j.ID) {
			t.Errorf("the parameters are %s", text)
		}
		if got := finished(t, p, j.ID); got.Copy.State != generate.CopyKept || w.archive.files[got.Copy.Video()] == "" {
			t.Errorf("the record says %+v of the copy", got.Copy)
		}
		w.wantSettled(t, p)
	})
}
