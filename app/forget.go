package app

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"ltxbot/config"
)

// How often old jobs are let go, and how long that may take; what is left then
// is for the next time.
const (
	forgetEvery = 6 * time.Hour
	forgetLimit = 10 * time.Minute
)

// keeper lets go of what is older than the config says, and of files that a
// crash has left. Several processes may do so.
type keeper struct {
	keep  config.Retention
	dir   string // of videos under way; empty = the system's
	store *storage
	log   *slog.Logger
}

// tidy lets go of all that is too old now.
func (k keeper) tidy(ctx context.Context) {
	k.clearMedia(ctx, time.Now())
	k.forget(ctx, time.Now())
}

// forget lets go of all that is too old by now.
func (k keeper) forget(ctx context.Context, now time.Time) {
	call, cancel := context.WithTimeout(ctx, forgetLimit)
	defer cancel()
	n, err := k.store.Forget(call, cutoff(now, k.keep.Jobs.Duration), cutoff(now, k.keep.Prompts.Duration))
	if err != nil && ctx.Err() == nil {
		k.log.WarnContext(ctx, "cannot forget what is too old; it is tried again", "error", err)
	}
	if n > 0 {
		k.log.InfoContext(ctx, "forgot what was too old", "jobs", n)
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
func (k keeper) clearMedia(ctx context.Context, now time.Time) {
	dir := k.dir
	if dir == "" {
		dir = os.TempDir()
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			k.log.WarnContext(ctx, "cannot look for files that a crash has left", "error", err)
		}
		return
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !e.IsDir() || !mediaFolder.MatchString(e.Name()) || now.Sub(info.ModTime()) < staleMedia {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			k.log.WarnContext(ctx, "cannot remove files that a crash has left", "folder", e.Name(), "error", err)
			continue
		}
		k.log.InfoContext(ctx, "removed files that a crash had left", "folder", e.Name())
	}
}
