package generate_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
)

// erase is a member who erases everything once it is over.
func erase(after time.Duration) happening {
	return happening{after: after, does: func(_ *world, p *process) error {
		done, err := generate.Erase(p.life(), p.store, false, "", "test:1")
		if err == nil && done.Left > 0 {
			err = errReply
		}
		return err
	}}
}

// errEarly says that there is no video yet.
var errEarly = errors.New("the job is not over")

// deletes is a member who deletes the video once it is posted, and takesBack the bot
// that could not remove the message.
func deletes(after time.Duration) happening {
	return happening{after: after, does: func(w *world, p *process) error {
		j, err := p.store.Job(p.life(), firstJob(w.t))
		switch {
		case err != nil:
			return err
		case !j.State.Terminal():
			return errEarly
		case j.State == generate.Delivered:
			_, err = p.engine.Discard(p.life(), j.ID, map[string]string{"deleted": "yes"})
		}
		return err
	}}
}

func takesBack(after time.Duration) happening {
	return happening{after: after, does: func(w *world, p *process) error {
		j, err := p.store.Job(p.life(), firstJob(w.t))
		if err == nil && j.Notes["deleted"] != "" {
			_, err = p.engine.Restore(p.life(), j.ID, map[string]string{"deleted": ""})
		}
		return err
	}}
}

// lapsedClip is the video of an earlier job, and lapsed a world whose archive has it
// and whose provider has not.
var lapsedClip = []ltx.Setting{{Key: "clip", Value: generate.NewID("test:50")}}

func lapsed(w *world) {
	archiving(w)
	p := w.start(crashAt(0))
	j, err := p.submit(w.t.Context(), ask(w.t, 50))
	if err != nil {
		w.t.Fatal(err)
	}
	elapse(2 * time.Minute)
	p.kill(w.t)
	w.provider.lost = map[string]error{j.ID: generate.ErrGone}
}

// archiving gives the world an archive that takes a moment.
func archiving(w *world) {
	w.archive, w.marker = newFakeArchive(), fakeMarker{}
	w.archive.slow = 2 * time.Second
}

// checkCopy looks whether the archive has what the record of a job says, and
// nothing else of it.
func (w *world) checkCopy(j generate.Job) error {
	if w.archive == nil {
		return nil
	}
	want := []string(nil)
	if j.State == generate.Delivered && j.Event != "" && j.Notes["deleted"] == "" {
		want = []string{j.Copy.Path + ".json", j.Copy.Path + ".mp4"}
	}
	got := slices.DeleteFunc(w.archive.names(), func(name string) bool { return !strings.Contains(name, j.ID) })
	if !slices.Equal(got, want) {
		return fmt.Errorf("the archive has %v, want %v; the record says %+v", got, want, j.Copy)
	}
	return nil
}
