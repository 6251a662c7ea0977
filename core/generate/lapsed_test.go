package generate_test

import (
	"errors"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
)

// TestAVideoThatTheProviderHasNoLongerComesFromTheArchive and is uploaded again, as
// an attachment is.
func TestAVideoThatTheProviderHasNoLongerComesFromTheArchive(t *testing.T) {
	refused := &generate.ProviderError{Op: "open", Kind: generate.FailProvider, HTTPStatus: 403}
	away := errors.New("no answer")
	for _, tt := range []struct {
		name    string
		key     string
		err     error                                             // of the provider
		arrange func(w *world, p *process, of generate.Job) error // once the first video is archived
		after   func(w *world)                                    // 20 seconds after the second was asked for
		want    generate.FailureKind                              // empty = it is made
		uploads int
	}{
		{name: "as a clip", key: "clip", err: generate.ErrGone, uploads: 1},
		{name: "as a picture", key: "image", err: generate.ErrGone, uploads: 1},
		{name: "whose link is refused", key: "clip", err: refused, uploads: 1},
		{name: "whose host is another one now", key: "clip", err: generate.ErrForeign, uploads: 1},
		{
			name: "once the archive is back", key: "clip", err: generate.ErrGone, uploads: 1,
			arrange: func(w *world, _ *process, _ generate.Job) error { w.archive.fail(away); return nil },
			after:   func(w *world) { w.archive.fail(nil) },
		},
		{
			name: "while the archive is away", key: "clip", err: generate.ErrGone, want: generate.FailInputFetch,
			arrange: func(w *world, _ *process, _ generate.Job) error { w.archive.fail(away); return nil },
		},
		{
			name: "which the archive has not either", key: "clip", err: generate.ErrGone, want: generate.FailInputGone,
			arrange: func(w *world, _ *process, of generate.Job) error {
				return w.archive.Delete(w.t.Context(), of.Copy.Video())
			},
		},
		{
			name: "that was deleted", key: "clip", err: generate.ErrGone, want: generate.FailInputGone,
			arrange: func(w *world, p *process, of generate.Job) error {
				_, err := p.engine.Discard(w.t.Context(), of.ID, map[string]string{"deleted": "yes"})
				return err
			},
		},
		{
			name: "that was erased", key: "clip", err: generate.ErrGone, want: generate.FailInputGone,
			arrange: func(w *world, p *process, of generate.Job) error {
				_, err := generate.Erase(w.t.Context(), p.store, false, "", of.Member)
				return err
			},
		},
		{name: "which the provider still has", key: "clip"},
	} {
		t.Run(tt.name, virtual(func(t *testing.T) {
			w := withArchive(t)
			w.frames = fakeFrames{}
			p := w.run()
			of := finished(t, p, w.deliver(t, p, func(*fakeChannel) {}).ID)
			posted := w.archive.files[of.Copy.Video()]
			if tt.arrange != nil {
				if err := tt.arrange(w, p, of); err != nil {
					t.Fatal(err)
				}
			}
			w.provider.mu.Lock()
			w.provider.lost = map[string]error{of.ID: tt.err}
			w.provider.mu.Unlock()
			j := p.mustSubmit(t, ask(t, 2, ltx.Setting{Key: tt.key, Value: "job:" + of.ID}))
			elapse(20 * time.Second)
			if tt.after != nil {
				tt.after(w)
			}
			elapse(5 * time.Minute)
			got := p.readJob(t, j.ID)
			if got.Failure.Kind != tt.want || (got.State == generate.Delivered) != (tt.want == "") {
				t.Fatalf("it is %s: %+v", got.State, got.Failure)
			}
			taken := w.provider.taken()
			if len(taken) != tt.uploads {
				t.Fatalf("%d uploads, want %d", len(taken), tt.uploads)
			}
			if tt.key == "clip" && tt.uploads > 0 {
				m, _ := w.provider.sent(t, j.ID).Media("video_url")
				if u := taken[0]; u.content != posted || u.name != "input.mp4" || u.contentType != "video/mp4" || m.URL != u.url || m.Width != 1280 {
					t.Errorf("uploaded is %+v, sent %+v", u, m)
				}
			}
		}))
	}
}
