package generate_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"ltxbot/core/generate"
)

// fakeMarker adds the mark at the end.
type fakeMarker struct{ err error }

func (f fakeMarker) Mark(in generate.File, m generate.Mark) (generate.File, error) {
	if f.err != nil {
		return generate.File{}, f.err
	}
	mark := fmt.Appendf(nil, "%s by %s", m.Job, m.Model)
	in.Patches = []generate.Patch{{At: in.Size, Bytes: mark}}
	in.Size += int64(len(mark))
	return in, nil
}

func TestAVideoIsPostedWithItsMarkOrWithout(t *testing.T) {
	for name, c := range map[string]struct {
		marker generate.Marker
		fitter *fakeFitter // makes it smaller
		limit  int64
		want   generate.Marking
		marked bool // the file that is posted
	}{
		"as the model made it":       {fakeMarker{}, nil, 1 << 20, generate.MarkWritten, true},
		"after it was made smaller":  {fakeMarker{}, &fakeFitter{}, 140, generate.MarkWritten, true},
		"no room for the mark":       {fakeMarker{}, nil, 150, generate.MarkMissing, false},
		"it can't be marked":         {fakeMarker{errors.New("no such format")}, nil, 1 << 20, generate.MarkMissing, false},
		"it has a mark":              {fakeMarker{fmt.Errorf("mark: %w", generate.ErrMarked)}, nil, 1 << 20, generate.MarkFound, false},
		"nothing marks it":           {nil, nil, 1 << 20, generate.MarkMissing, false},
		"made smaller and no marker": {nil, &fakeFitter{}, 120, generate.MarkMissing, false},
	} {
		t.Run(name, virtual(func(t *testing.T) {
			w := newWorld(t)
			w.provider.media = "\x00\x00\x00\x18ftypisom" + strings.Repeat("x", 130)
			w.marker = c.marker
			if c.fitter != nil {
				w.fitter = c.fitter
			}
			p := w.run()
			j := w.deliver(t, p, func(f *fakeChannel) { f.limit = c.limit })
			got := finished(t, p, j.ID)
			posted := w.channel.file
			sum := sha256.Sum256(posted)
			if got.State != generate.Delivered || got.Receipt.Mark != c.want || got.Receipt.SHA256 != hex.EncodeToString(sum[:]) {
				t.Errorf("the job is %s, its receipt %+v; want the mark %s and the hash of what was posted", got.State, got.Receipt, c.want)
			}
			if marked := bytes.HasSuffix(posted, []byte(j.ID+" by "+got.Endpoint)); marked != c.marked || int64(len(posted)) > c.limit {
				t.Errorf("%d bytes were posted where %d fit; marked: %t, want %t", len(posted), c.limit, marked, c.marked)
			}
			if left := w.left(t); len(left) != 0 {
				t.Errorf("left on disk: %v", left)
			}
		}))
	}
}

// What is made to fit leaves room for the mark that is written after it.
func TestFittingLeavesRoomForTheMark(t *testing.T) {
	for limit, want := range map[int64]int64{10 << 20: 10<<20 - 4096, 6000: 3000} {
		synctest.Test(t, func(t *testing.T) {
			w, f := newWorld(t), &fakeFitter{}
			w.fitter, w.marker = f, fakeMarker{}
			p := w.run()
			j := w.deliver(t, p, func(c *fakeChannel) { c.limit = limit })
			finished(t, p, j.ID)
			if f.limit != want {
				t.Errorf("of %d bytes, %d are for the video; want %d", limit, f.limit, want)
			}
		})
	}
}

// A link has no file, and so neither mark nor hash.
func TestALinkHasNoMark(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.marker = fakeMarker{}
		p := w.run()
		j := w.deliver(t, p, func(c *fakeChannel) { c.limit = 8 })
		if got := finished(t, p, j.ID).Receipt; got.Fit != generate.FitLink || got.Mark != "" || got.SHA256 != "" {
			t.Errorf("receipt is %+v", got)
		}
	})
}
