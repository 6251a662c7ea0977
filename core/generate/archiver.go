package generate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// ErrNoCopy says that no copy is due.
var ErrNoCopy = errors.New("no copy is due")

// How copies are made. A delivery never waits for that.
const (
	copiesAtATime = 2
	// copyLook is how often a process looks for copies that another one has
	// left, or that are due again.
	copyLook = time.Minute
	// copyLimit is how long one try may take, and copyLease how long nobody else
	// tries: a process that was killed holds a copy up for so long.
	copyLimit = 20 * time.Minute
	copyLease = copyLimit + time.Minute
	saveLimit = 5 * time.Second  // to put a try off, also while the process stops
	copyPause = 10 * time.Second // after the first failure, growing
	copyMost  = time.Hour
	// copyTimeout is how long after the delivery the archive may fail to take a
	// video before that is given up. Removing never is.
	copyTimeout = 7 * 24 * time.Hour
	// copiesSpooled is how many posted videos are kept on disk until they are in
	// the archive. What has no room is fetched from the provider once more.
	copiesSpooled = 8
)

// archiver brings the archive in line with the records of jobs.
type archiver struct {
	CopyConfig

	e    *Engine
	wake chan struct{} // has a value after a job was put in line

	mu      sync.Mutex
	spooled []spooled // oldest first
	over    bool      // nobody takes what is spooled any more
}

// spooled is a posted video that waits on disk, in a folder of its own.
type spooled struct {
	job  string
	dir  string
	file File
}

func newArchiver(e *Engine) *archiver {
	a := &archiver{CopyConfig: e.cfg.Copies, e: e, wake: make(chan struct{}, copiesAtATime)}
	if a.Observe == nil {
		a.Observe = func(CopyOutcome) {}
	}
	return a
}

// on reports whether there is an archive.
func (a *archiver) on() bool { return a.Files != nil }

// start works until ctx is done.
func (a *archiver) start(ctx context.Context, workers *sync.WaitGroup) {
	if !a.on() {
		return
	}
	workers.Go(func() {
		var all sync.WaitGroup
		for range copiesAtATime {
			all.Go(func() { a.serve(ctx) })
		}
		all.Wait()
		a.mu.Lock()
		a.over = true // a delivery may end after this
		a.mu.Unlock()
		a.clear(0)
	})
}

func (a *archiver) serve(ctx context.Context) {
	look := time.NewTicker(copyLook)
	defer look.Stop()
	for ctx.Err() == nil {
		a.tidy(ctx)
		t, err := a.Queue.ClaimCopy(ctx, copyLease)
		if err == nil {
			a.work(ctx, t)
			continue
		}
		if !errors.Is(err, ErrNoCopy) && ctx.Err() == nil {
			a.e.log.WarnContext(ctx, "cannot look for videos to archive", "error", err)
		}
		select {
		case <-a.wake:
		case <-look.C:
		case <-ctx.Done():
		}
	}
}

// stir makes a worker look for copies now.
func (a *archiver) stir() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// work is one try. What did not succeed is due again after a while.
func (a *archiver) work(ctx context.Context, t CopyTask) {
	call, done := context.WithTimeout(ctx, copyLimit)
	defer done()
	outcome, err := a.settle(call, t)
	if err == nil {
		if outcome != "" {
			a.Observe(outcome)
		}
		return
	}
	pause := backoff(t.Tries, copyPause, copyMost)
	if ctx.Err() != nil {
		pause = 0 // the process stops: another one may go on at once
	} else {
		a.Observe(CopyFailed)
		if t.Tries == 1 || t.Tries%logEvery == 0 {
			a.e.log.WarnContext(ctx, "cannot bring the archive up to date; it is tried again", "job", t.Job, "tries", t.Tries, "error", err)
		}
	}
	save, over := context.WithTimeout(context.WithoutCancel(ctx), saveLimit)
	defer over()
	if err := a.Queue.DelayCopy(save, t, pause); err != nil && ctx.Err() == nil {
		a.e.log.WarnContext(ctx, "cannot put off a video to archive; it is tried again when its claim has ended", "job", t.Job, "error", err)
	}
}

// settle makes the archive what the record of a job says. There is no outcome
// while it is too early for that.
func (a *archiver) settle(ctx context.Context, t CopyTask) (CopyOutcome, error) {
	j, err := a.e.cfg.Store.Job(ctx, t.Job)
	switch {
	case errors.Is(err, ErrNoJob):
	case err != nil:
		return "", err
	case j.Copy.State == CopyDue:
		return a.write(ctx, j, t)
	case j.Copy.State == CopyStale:
		return CopyWritten, a.writeSheet(ctx, j, j.Copy)
	case j.Copy.State == CopyKept:
		return CopyWritten, a.Queue.DropCopy(ctx, t)
	case j.Copy.State == CopyGoing && time.Now().Before(j.Copy.Until):
		return "", a.Queue.DelayCopy(ctx, t, time.Until(j.Copy.Until))
	}
	for _, name := range copyNames(t.Path) {
		if err := a.Files.Delete(ctx, name); err != nil {
			return "", fmt.Errorf("remove %s: %w", filepath.Ext(name), err)
		}
	}
	return CopyRemoved, a.Queue.DropCopy(ctx, t)
}

// write puts the video of j and its parameters into the archive, or gives that
// up.
func (a *archiver) write(ctx context.Context, j Job, t CopyTask) (CopyOutcome, error) {
	err := a.writeVideo(ctx, j)
	if err == nil {
		return CopyWritten, nil
	}
	var large *TooLargeError
	never := errors.As(err, &large) || errors.Is(err, ErrGone) || errors.Is(err, ErrForeign) || errors.Is(err, errNotVideo)
	if ctx.Err() != nil || !never && time.Since(t.Since) < copyTimeout {
		return "", err
	}
	a.e.log.WarnContext(ctx, "a video is not archived; that is given up", "job", j.ID, "tries", t.Tries, "error", err)
	if err := a.save(ctx, j.ID, CopyDue, Copy{State: CopyLost, Path: j.Copy.Path}, nil); err != nil {
		return "", err
	}
	if err := a.Queue.DelayCopy(ctx, t, 0); err != nil { // what is there of it is to be removed; without this, when the claim ends
		a.e.log.WarnContext(ctx, "cannot end the claim of a video that is not archived", "job", j.ID, "error", err)
	}
	a.stir()
	return CopyGivenUp, nil
}

func (a *archiver) writeVideo(ctx context.Context, j Job) error {
	m := &media{e: a.e, job: j, slow: func() {}, quiet: func() {}, progress: func(int) {}}
	defer m.remove()
	file, err := a.file(ctx, m)
	if err != nil {
		return err
	}
	body, err := file.Open()
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	c := Copy{State: CopyDue, Path: j.Copy.Path, Ext: filepath.Ext(file.Name), Size: file.Size, SHA256: file.SHA256, At: time.Now()}
	if err := a.Files.Put(ctx, c.Video(), file.ContentType, body, file.Size); err != nil {
		return fmt.Errorf("archive the video: %w", err)
	}
	return a.writeSheet(ctx, j, c)
}

// writeSheet puts the parameters of j beside its video, which is c, and saves that
// both are there.
func (a *archiver) writeSheet(ctx context.Context, j Job, c Copy) error {
	from := j.Copy.State
	j.Copy = c
	text, err := j.sheet()
	if err != nil {
		return err
	}
	if err := a.Files.Put(ctx, c.Path+sheetExt, "application/json", bytes.NewReader(text), int64(len(text))); err != nil {
		return fmt.Errorf("archive the parameters: %w", err)
	}
	c.State = CopyKept
	return a.save(ctx, j.ID, from, c, text)
}

// save records what became of the copy of a job. What was changed or erased
// meanwhile is not what the archive has now: then the error is ErrConflict, and
// another try follows. text is what was written of the job, nil for nothing.
func (a *archiver) save(ctx context.Context, job string, from CopyState, c Copy, text []byte) error {
	_, err := a.e.edit(ctx, job, func(j *Job) error {
		same := j.Copy.State == from
		j.Copy = c
		if now, err := j.sheet(); err != nil || !same || text != nil && !bytes.Equal(now, text) {
			return errors.Join(ErrConflict, err)
		}
		return nil
	})
	return err
}

// file is the video of a job on disk: the file that was posted, else what the
// provider has, which m fetches.
func (a *archiver) file(ctx context.Context, m *media) (File, error) {
	for _, s := range a.spool() {
		if s.job == m.job.ID && s.file.there() {
			return s.file, nil
		}
	}
	if err := m.download(ctx, a.e.cfg.Media.MaxBytes); err != nil {
		return File{}, err
	}
	return m.marked(ctx, m.file, math.MaxInt64), nil
}

// open reads the copy of a video, or returns ErrGone if there is none.
func (a *archiver) open(ctx context.Context, c Copy) (Media, error) {
	if !a.on() || c.Video() == "" {
		return Media{}, ErrGone
	}
	body, err := a.Files.Open(ctx, c.Video(), 0)
	if errors.Is(err, fs.ErrNotExist) {
		err = ErrGone
	}
	return Media{Body: body, Size: c.Size, ContentType: c.ContentType()}, err
}

// offer takes over the files of videos that were posted, by job, before they are
// removed, and makes a worker look.
func (a *archiver) offer(posted map[string]*media, receipts map[string]Receipt) {
	if !a.on() {
		return
	}
	for job, r := range receipts {
		if m := posted[job]; m != nil && r.SHA256 != "" {
			a.keep(job, m, r.SHA256)
		}
	}
	a.stir()
}

// keep moves a file that was posted into a folder of its own.
func (a *archiver) keep(job string, m *media, sum string) {
	dir, err := os.MkdirTemp(a.e.cfg.Media.Dir, mediaDir(job))
	if err != nil {
		return // it is fetched again
	}
	s := spooled{job: job, dir: dir}
	var ok bool
	if s.file, ok = m.give(sum, filepath.Join(dir, "posted")); !ok {
		a.remove(s)
		return
	}
	a.mu.Lock()
	a.spooled = append(a.spooled, s)
	most := copiesSpooled
	if a.over {
		most = 0
	}
	a.mu.Unlock()
	a.clear(most)
}

// spool is what is spooled now.
func (a *archiver) spool() []spooled {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.spooled)
}

// tidy removes the spooled files of jobs of which no copy is due any more, whoever
// has made it, or has deleted the video. The others look used, lest SweepFiles takes
// them for leftovers, here or in another process.
func (a *archiver) tidy(ctx context.Context) {
	for _, s := range a.spool() {
		j, err := a.e.cfg.Store.Job(ctx, s.job)
		if errors.Is(err, ErrNoJob) || err == nil && j.Copy.State != CopyDue {
			a.drop(s)
			continue
		}
		if now := time.Now(); os.Chtimes(s.dir, now, now) != nil {
			a.drop(s) // it is gone: the video is fetched again
		}
	}
}

// clear removes the oldest spooled files until there are no more than most.
func (a *archiver) clear(most int) {
	all := a.spool()
	for _, s := range all[:max(0, len(all)-most)] {
		a.drop(s)
	}
}

// drop removes a spooled file.
func (a *archiver) drop(s spooled) {
	a.mu.Lock()
	a.spooled = slices.DeleteFunc(a.spooled, func(other spooled) bool { return other.dir == s.dir })
	a.mu.Unlock()
	a.remove(s)
}

func (a *archiver) remove(s spooled) {
	if err := os.RemoveAll(s.dir); err != nil {
		a.e.log.Warn("cannot remove temporary files", "job", s.job, "error", err)
	}
}

// mediaDir is how the name of a folder with a job's video begins, in Media.Dir.
func mediaDir(job string) string { return "ltx-" + job + "-" }
