package fal_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ltxbot/core/generate"
	"ltxbot/internal/need"
	"ltxbot/provider/fal"
	sim "ltxbot/sim/fal"
)

// fetched is what the CDN has at a URL.
func (w *world) fetched(t *testing.T, u string) (generate.Media, []byte) {
	t.Helper()
	m, err := w.Open(t.Context(), u, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Body.Close()
	b, err := io.ReadAll(m.Body)
	if err != nil {
		t.Fatal(err)
	}
	return m, b
}

func TestAFileIsUploaded(t *testing.T) {
	w := newWorld(t, sim.Options{})
	for _, content := range []string{"picture", ""} {
		u, err := w.Upload(t.Context(), "cat.png", "image/png", strings.NewReader(content), int64(len(content)))
		if err != nil {
			t.Fatal(err)
		}
		if m, got := w.fetched(t, u); string(got) != content || m.ContentType != "image/png" || !strings.HasSuffix(u, "/cat.png") {
			t.Errorf("%s: %q, %s", u, got, m.ContentType)
		}
	}
	for _, e := range w.sim.Log() {
		if e.Keyed != (e.Method == http.MethodPost) && e.Op == sim.OpUpload {
			t.Errorf("%s %s with a key: %v", e.Method, e.Path, e.Keyed)
		}
	}
}

// TestAnUploadIsTriedAgain: each try has a URL of its own, so that none can
// spoil what another has put there.
func TestAnUploadIsTriedAgain(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault sim.Fault
		puts  int
	}{
		{"the storage is busy", sim.Fault{After: 1, Status: 503}, 2},
		{"the storage stays busy", sim.Fault{After: 1, Status: 503, Times: -1}, 0},
		{"the signature has expired", sim.Fault{After: 1, Status: 403, Body: "expired " + signature}, 2},
		{"the connection is reset", sim.Fault{After: 1, Drop: true}, 2},
		{"the answer is lost", sim.Fault{After: 1, Lose: true}, 2},
		{"the first answer is cut off", sim.Fault{Malformed: true}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, sim.Options{})
			tt.fault.Op = sim.OpUpload
			w.sim.Inject(tt.fault)
			u, err := w.Upload(t.Context(), "cat.png", "image/png", strings.NewReader("picture"), 7)
			if tt.puts == 0 {
				w.assertError(t, err)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, got := w.fetched(t, u); string(got) != "picture" {
				t.Errorf("%q", got)
			}
			puts := slices.DeleteFunc(w.sim.Log(), func(e sim.Entry) bool { return e.Op != sim.OpUpload || e.Method != http.MethodPut })
			if len(puts) != tt.puts || len(puts) > 1 && puts[0].Path == puts[1].Path {
				t.Errorf("put %d times, want %d: %+v", len(puts), tt.puts, puts)
			}
		})
	}
}

func TestAnUploadThatIsRefusedIsNotTriedAgain(t *testing.T) {
	w := newWorld(t, sim.Options{})
	for _, f := range []sim.Fault{
		{Status: 401, Body: `{"detail":"Authorization header is required"}`},
		{Status: 200, Body: `{}`},
		{Status: 200, Body: `{"upload_url":"http://evil.example/?` + signature + `","file_url":"https://v3.fal.media/x"}`},
		{Status: 200, Body: `{"upload_url":"https://v3.fal.media/?` + signature + `","file_url":"http://evil.example/x"}`},
		{Status: 200, Body: `{"upload_url":"https://v3.fal.media/?` + signature + `","file_url":"x"}`},
		{After: 1, Status: 413, Body: signature},
	} {
		before := w.sim.Count(sim.OpUpload)
		f.Op = sim.OpUpload
		w.sim.Inject(f)
		_, err := w.Upload(t.Context(), "a.txt", "text/plain", strings.NewReader("a"), 1)
		w.assertError(t, err)
		if n := w.sim.Count(sim.OpUpload) - before; n != 1+f.After {
			t.Errorf("%+v: %d calls", f, n)
		}
	}
	calls := w.sim.Count(sim.OpUpload)
	for _, size := range []int64{-1, fal.MaxUpload + 1} {
		if _, err := w.Upload(t.Context(), "a", "b/c", strings.NewReader(""), size); err == nil || w.sim.Count(sim.OpUpload) != calls {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped")
	cancel(stopped)
	if _, err := w.Upload(ctx, "a", "b/c", strings.NewReader("a"), 1); err == nil {
		t.Error("it is uploaded after the end")
	}
}

// pattern is a file of any size that takes no memory.
type pattern struct{}

func (pattern) ReadAt(p []byte, off int64) (int, error) {
	for i := range p {
		at := off + int64(i)
		p[i] = byte(at ^ at>>8 ^ at>>16 ^ at>>24)
	}
	return len(p), nil
}

func TestALargeFileIsUploadedInParts(t *testing.T) {
	need.Speed(t) // a signed address lasts as long as it does
	const whole, part = 90 << 20, 10 << 20
	w := newWorld(t, sim.Options{})
	for _, size := range need.Some(t, []int64{whole, whole + 1}, 2) {
		before := len(w.sim.Log())
		w.sim.Inject(sim.Fault{Op: sim.OpUpload, After: 4, Status: 500, Times: 2}) // a part that fails two times
		w.sim.Inject(sim.Fault{Op: sim.OpUpload, After: 7, Lose: true})
		u, err := w.Upload(t.Context(), "clip.mp4", "video/mp4", pattern{}, size)
		w.sim.Heal()
		if err != nil {
			t.Fatal(err)
		}
		m, err := w.Open(t.Context(), u, 0)
		if err != nil {
			t.Fatal(err)
		}
		got, want := sha256.New(), sha256.New()
		n, err := io.Copy(got, m.Body)
		_ = m.Body.Close()
		_, _ = io.Copy(want, io.NewSectionReader(pattern{}, 0, size))
		if n != size || err != nil || !bytes.Equal(got.Sum(nil), want.Sum(nil)) {
			t.Errorf("%d bytes of %d are there, %v", n, size, err)
		}
		var parts []string
		for _, e := range w.sim.Log()[before:] {
			if strings.Contains(e.Path, "/multipart/") && e.Status == http.StatusOK {
				parts = append(parts, e.Path[strings.LastIndex(e.Path, "/")+1:])
			}
		}
		if size == whole && len(parts) > 0 {
			t.Errorf("%d bytes went in parts", size)
		}
		if size > whole {
			for n := range int((size + part - 1) / part) {
				if !slices.Contains(parts, strconv.Itoa(n+1)) {
					t.Errorf("part %d of %d bytes was not put: %v", n+1, size, parts)
				}
			}
		}
	}
}

func TestAPartThatKeepsFailingEndsTheUpload(t *testing.T) {
	w := newWorld(t, sim.Options{}, func(c *fal.Config) { c.Retry.Attempts = 1 })
	w.sim.Inject(sim.Fault{Op: sim.OpUpload, After: 1, Status: 500, Times: 4})
	_, err := w.Upload(t.Context(), "clip.mp4", "video/mp4", pattern{}, 90<<20+1)
	w.assertError(t, err)
	if n := w.sim.Count(sim.OpUpload); n != 1+3 {
		t.Errorf("%d calls, want three for the part", n)
	}
	w.sim.Heal()
	w.sim.Inject(sim.Fault{Op: sim.OpUpload, After: 1, Status: 200, Body: `{"etag":"x","partNumber":7}`})
	_, err = w.Upload(t.Context(), "clip.mp4", "video/mp4", pattern{}, 90<<20+1)
	w.assertError(t, err)
}
