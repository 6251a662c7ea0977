package doctor

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"ltxbot/app"
	"ltxbot/core/generate"
	"ltxbot/store"
	"ltxbot/store/bolt"
)

const areaStore = "store"

// How little room on a disk is worth a word, in bytes.
const (
	roomWarning = 1_000_000_000
	roomProblem = 100_000_000
)

// store opens the store and adds up its ledger.
func (p patient) store(ctx context.Context) []Finding {
	path := p.cfg.Store.Path()
	if path == "" {
		return p.records(ctx, "")
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := writable(filepath.Dir(path)); err != nil {
			return []Finding{problem(areaStore, adviceOn(err, filepath.Dir(path), "give the bot's user the right to write there"), "%s does not exist and can't be made: %v", path, err)}
		}
		return append([]Finding{ok(areaStore, "%s does not exist yet; the first start makes it", path)}, room(areaStore, filepath.Dir(path), 0)...)
	case err != nil:
		return []Finding{problem(areaStore, "check store.url", "%v", err)}
	case !info.Mode().IsRegular():
		return []Finding{problem(areaStore, "name a file in store.url", "%s is not a file", path)}
	}
	found := p.records(ctx, " in "+size(uint64(info.Size()))) //nolint:gosec // a file's size is not negative
	return append(found, room(areaStore, filepath.Dir(path), 0)...)
}

// records looks into the store. A running bot has the file of a bolt store for
// itself.
func (p patient) records(ctx context.Context, where string) []Finding {
	heard := newHearing()
	s, err := app.OpenRecords(ctx, p.cfg, slog.New(heard))
	said := heard.findings(areaStore)
	switch {
	case errors.Is(err, bolt.ErrInUse):
		found := []Finding{ok(areaStore, "%s is in use, which is fine if the bot runs; stop it to have its ledger added up", p.cfg.Store.Path())}
		if b, undeleted, known := p.told(ctx); known {
			found = append(append(found, b.finding()), deletions(undeleted)...)
		}
		return found
	case err != nil:
		return append(said, problem(areaStore, "check store.url, and the rights to its file or server", "%v", err))
	}
	defer func() { _ = s.Close() }()
	jobs, err := s.Jobs(ctx, generate.Query{Unfinished: true, Limit: maxUnfinished})
	if err != nil {
		return []Finding{problem(areaStore, "restore a backup if this stays", "jobs can't be read: %v", err)}
	}
	found := said
	found = append(found, ok(areaStore, "can be read%s; %s", where, number(len(jobs), "unfinished job")))
	found = append(found, clock(ctx, s)...)
	oldest := time.Duration(0)
	for _, j := range jobs {
		if !j.Purge.IsZero() {
			oldest = max(oldest, p.opts.Now().Sub(j.Purge))
		}
	}
	found = append(found, deletions(oldest)...)
	if latest, err := s.Jobs(ctx, generate.Query{Limit: estimateRead}); err == nil {
		found = append(found, billedOf(latest, p.opts.Now()).finding())
	}
	const area = "ledger"
	audit, err := s.VerifyLedger(ctx)
	switch {
	case err != nil:
		return append(found, problem(area, "restore a backup if this stays", "can't be read: %v", err))
	case len(audit.Wrong) > 0:
		w := audit.Wrong[0]
		return append(found, problem(area, "keep a backup of the store and report this",
			"does not add up in %s; the first: %s is %d and should be %d", number(len(audit.Wrong), "place"), w.What, w.Stored, w.Want))
	default:
		return append(found, ok(area, "adds up: %s, %s charged", number(int(audit.Totals.Holds), "hold"), audit.Totals.Charged))
	}
}

// undeletedLong is how long fal may take to delete a video without a word.
const undeletedLong = time.Hour

// deletions judges how long fal has not deleted a video that was deleted here.
func deletions(undeleted time.Duration) []Finding {
	if undeleted < undeletedLong {
		return nil
	}
	return []Finding{warning("deletions", "check that fal.admin_key is a key of scope ADMIN; bot jobs list -u has the jobs, and the log says what fal answers",
		"fal has not deleted a video for %.0f hours that somebody deleted here; it is tried until 30 days are over", undeleted.Hours())}
}

// clock compares the time of the store, which never goes back, with the clock.
func clock(ctx context.Context, s *store.Store) []Finding {
	const area = "store's time"
	const accept = "if the clock is right now, stop the bot and run: bot store clock --accept"
	c, err := s.Clock(ctx)
	switch {
	case err != nil:
		return []Finding{problem(area, "restore a backup if this stays", "%v", err)}
	case c.Ahead() > 0:
		return []Finding{problem(area, accept, "is %s, %.1f days ahead of the clock, which was wrong once: until it is that late, no day or month of a quota ends, and nothing expires",
			c.Now.UTC().Format(time.RFC3339), c.Ahead().Hours()/24)}
	case c.Leapt() > 0:
		return []Finding{warning(area, accept+"; else set the clock before you start the bot", "went on %.1f days since the bot last looked: if it did not run for so long, all is well, and it waits a day before it removes what is old",
			c.Leapt().Hours()/24)}
	}
	return nil
}

// maxUnfinished is more than a bot works on.
const maxUnfinished = 1_000_000

// adviceOn is what to do about a folder that can't be written to.
func adviceOn(err error, dir, otherwise string) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "make the folder, as the bot's user: mkdir -p " + dir
	}
	return otherwise
}

// writable tries to make a file in dir.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".ltxbot-doctor-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// room tells how much is free on the disk of dir; least is what is needed
// there, in bytes. It tells nothing where the system does not.
func room(area, dir string, least uint64) []Finding {
	free, known := freeBytes(dir)
	if !known {
		return nil
	}
	const advice = "make room on that disk"
	switch {
	case free < roomProblem:
		return []Finding{problem(area, advice, "the disk of %s is full: %s are free", dir, size(free))}
	case free < max(roomWarning, least):
		return []Finding{warning(area, advice, "the disk of %s is nearly full: %s are free", dir, size(free))}
	default:
		return []Finding{ok(area, "%s are free on the disk of %s", size(free), dir)}
	}
}
