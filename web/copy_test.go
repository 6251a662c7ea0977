package web_test

import (
	"context"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

// archive has files in memory.
type archive struct {
	files map[string]string
	opens int // how often a file was opened
	open  int // how many are open
	err   error
}

func (a *archive) Open(_ context.Context, name string, offset int64) (io.ReadCloser, error) {
	text, ok := a.files[name]
	if a.err != nil || !ok {
		return nil, orElse(a.err, fs.ErrNotExist)
	}
	a.opens++
	a.open++
	return &archivedFile{strings.NewReader(text[offset:]), a}, nil
}

type archivedFile struct {
	io.Reader
	of *archive
}

func (f *archivedFile) Close() error {
	f.of.open--
	return nil
}

// archived puts the video of a job into the archive.
func (w *world) archived(j generate.Job) generate.Job {
	w.Helper()
	if w.cfg.Archive == nil {
		w.cfg.Archive = &archive{files: map[string]string{}}
		w.restart()
	}
	j.Copy = generate.Copy{State: generate.CopyKept, Path: "acme/2026/03/" + j.ID, Ext: ".mp4", Size: 10, SHA256: "abc", At: noon}
	w.cfg.Archive.(*archive).files[j.Copy.Video()] = "0123456789"
	j, err := w.store.Save(w.Context(), j, quota.Keep())
	if err != nil {
		w.Fatal(err)
	}
	return j
}

// What somebody has deleted is not played any more, though fal may still have it.
func TestADeletedVideoIsNotPlayed(t *testing.T) {
	w := newWorld(t)
	j := w.made("jab300000000", "acme", ann, "a whale")
	b := w.signedIn("1")
	mustHave(t, b.page("/admin/gallery"), "a whale", "<video")
	w.save(j, quota.Keep(), func(j *generate.Job) { j.Notes = map[string]string{"deleted": "yes"} })
	for _, path := range []string{"/admin/gallery", "/admin/jobs/jab300000000"} {
		if page := b.page(path); strings.Contains(page, "<video") || strings.Contains(page, j.Output.URL) {
			t.Errorf("%s has the video: %s", path, page)
		}
	}
}

// With an archive the console plays videos from there, also when fal has them no
// more, and no other host is asked for them.
func TestVideosArePlayedFromTheArchive(t *testing.T) {
	w := newWorld(t)
	w.made("jab300000000", "acme", ann, "a whale")
	w.archived(w.made("jab100000000", "acme", ann, "a fox"))
	w.clock.Advance(30 * 24 * time.Hour)
	b := w.signedIn("1")
	const at = `src="/admin/jobs/jab100000000/video?team=acme#t=0.001"`
	mustHave(t, b.page("/admin/gallery"), at, "fal does not keep this video any more")
	mustHave(t, b.page("/admin/jobs/jab100000000"), at)
	rec := b.get("/admin/jobs/jab100000000/video?team=acme")
	h := rec.Header()
	if rec.Code != http.StatusOK || rec.Body.String() != "0123456789" || h.Get("Content-Type") != "video/mp4" || h.Get("ETag") != `"abc"` ||
		h.Get("Content-Disposition") != `inline; filename="ltx-jab100000000.mp4"` || h.Get("Cache-Control") != "private, no-cache" {
		t.Errorf("it plays %q with %d %v", rec.Body, rec.Code, h)
	}
	if policy := h.Get("Content-Security-Policy"); !strings.Contains(policy, "media-src 'self' https://fal.media") {
		t.Errorf("the policy is %s", policy)
	}
	for asked, want := range map[string]string{"bytes=0-": "0123456789", "bytes=3-5": "345", "bytes=-2": "89"} {
		b.header.Set("Range", asked)
		if rec := b.get("/admin/jobs/jab100000000/video"); rec.Code != http.StatusPartialContent || rec.Body.String() != want {
			t.Errorf("%s: %d %q, want %q", asked, rec.Code, rec.Body, want)
		}
	}
	b.header.Set("Range", "bytes=10-")
	if rec := b.get("/admin/jobs/jab100000000/video"); rec.Code != http.StatusRequestedRangeNotSatisfiable {
		t.Errorf("beyond the end: %d", rec.Code)
	}
	b.header.Del("Range")
	b.header.Set("If-None-Match", `"abc"`)
	if rec := b.get("/admin/jobs/jab100000000/video"); rec.Code != http.StatusNotModified {
		t.Errorf("once more: %d", rec.Code)
	}
	if a := w.cfg.Archive.(*archive); a.open != 0 || a.opens == 0 {
		t.Errorf("%d of %d files stay open", a.open, a.opens)
	}
}

// A private video is its requester's, from the archive too; nobody learns that it
// is there.
func TestWhoMayPlayAVideoOfTheArchive(t *testing.T) {
	w := newWorld(t)
	w.archived(w.made("jab100000000", "acme", ann, "a fox"))
	w.archived(w.private(w.made("jab200000000", "acme", ann, "a secret")))
	for who, want := range map[string][2]int{"1": {ok, ok}, "2": {none, none}, "3": {none, none}, "9": {ok, none}, "operator": {ok, ok}} {
		b := w.signedIn(who)
		for i, id := range []string{"jab100000000", "jab200000000"} {
			if rec := b.get("/admin/jobs/" + id + "/video?team=acme"); rec.Code != want[i] || rec.Code != ok && strings.Contains(rec.Body.String(), "0123456789") {
				t.Errorf("%s plays %s: %d, want %d", who, id, rec.Code, want[i])
			}
		}
	}
	if rec := w.browser().get("/admin/jobs/jab100000000/video"); rec.Code != in {
		t.Errorf("nobody plays it: %d", rec.Code)
	}
}

// A copy that is not there, or an archive that is not there any more, is no video.
func TestAVideoThatTheArchiveHasNot(t *testing.T) {
	w := newWorld(t)
	j := w.archived(w.made("jab100000000", "acme", ann, "a fox"))
	b := w.signedIn("1")
	delete(w.cfg.Archive.(*archive).files, j.Copy.Video())
	if rec := b.get("/admin/jobs/jab100000000/video"); rec.Code != none {
		t.Errorf("a file that is gone: %d", rec.Code)
	}
	w.cfg.Archive.(*archive).err = io.ErrClosedPipe
	if rec := b.get("/admin/jobs/jab100000000/video"); rec.Code != http.StatusInternalServerError || strings.Contains(rec.Body.String(), "closed pipe") {
		t.Errorf("an archive that is away: %d %s", rec.Code, rec.Body)
	}
	w.cfg.Archive = nil
	w.restart()
	if rec := b.get("/admin/jobs/jab100000000/video"); rec.Code != none {
		t.Errorf("no archive: %d", rec.Code)
	}
	mustHave(t, b.page("/admin/gallery"), `src="https://v3.fal.media/files/jab100000000.mp4#t=0.001"`)
}
