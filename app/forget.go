package app

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"ltxbot/core/generate"
)

// How often old jobs are let go, and how long that may take; what is left then
// is for the next time.
const (
	forgetEvery = 6 * time.Hour
	forgetLimit = 10 * time.Minute
)

// archive is the store as what lets go of jobs; nil without one.
func (a *App) archive() generate.Archive {
	if a.store == nil {
		return nil
	}
	return a.store
}

// erased makes the desks forget what they remember of a member.
func (a *App) erased(member string) {
	for _, desk := range a.desks {
		desk.Erased(member)
	}
}

// startForgetting lets go of what is older than the config says, and of files
// that a crash has left, from now on until the bot stops. Several processes
// may do so.
func (a *App) startForgetting(ctx context.Context) {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(forgetEvery)
		defer tick.Stop()
		for {
			a.clearMedia(ctx, time.Now())
			a.forget(ctx, time.Now())
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	a.parts.started("retention", func(context.Context) error {
		stop()
		<-done
		return nil
	})
}

// forget lets go of all that is too old by now.
func (a *App) forget(ctx context.Context, now time.Time) {
	keep := a.cfg.Retention
	call, cancel := context.WithTimeout(ctx, forgetLimit)
	defer cancel()
	n, err := a.store.Forget(call, cutoff(now, keep.Jobs.Duration), cutoff(now, keep.Prompts.Duration))
	if err != nil && ctx.Err() == nil {
		a.log.WarnContext(ctx, "cannot forget what is too old; it is tried again", "error", err)
	}
	if n > 0 {
		a.log.InfoContext(ctx, "forgot what was too old", "jobs", n)
	}
}

// cutoff is the time of which everything before is too old; zero if nothing is.
func cutoff(now time.Time, keep time.Duration) time.Time {
	if keep <= 0 {
		return time.Time{}
	}
	return now.Add(-keep)
}

// staleMedia is how old a folder of a job must be before it is taken for one
// that a crash has left: longer than a delivery is tried again.
const staleMedia = 48 * time.Hour

// mediaFolder is the name of a folder in which a job's video is kept while it
// is delivered: "ltx-k3f92mq7abcd-1234567".
var mediaFolder = regexp.MustCompile(`^ltx-[0-9a-z]{12}-\d+$`)

// clearMedia removes what a crash has left of videos.
func (a *App) clearMedia(ctx context.Context, now time.Time) {
	dir := a.cfg.Media.Dir
	if dir == "" {
		dir = os.TempDir()
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			a.log.WarnContext(ctx, "cannot look for files that a crash has left", "error", err)
		}
		return
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !e.IsDir() || !mediaFolder.MatchString(e.Name()) || now.Sub(info.ModTime()) < staleMedia {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			a.log.WarnContext(ctx, "cannot remove files that a crash has left", "folder", e.Name(), "error", err)
			continue
		}
		a.log.InfoContext(ctx, "removed files that a crash had left", "folder", e.Name())
	}
}
