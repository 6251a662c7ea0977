package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"ltxbot/app"
	"ltxbot/config"
	"ltxbot/store"
	"ltxbot/store/bolt"
)

// storeCmd looks after where the bot keeps what it must remember.
type storeCmd struct {
	Copy    storeCopyCmd    `cmd:"" help:"Copy everything from one store to an empty one, of the same or another kind. Stop the bot first."`
	Compact storeCompactCmd `cmd:"" help:"Make the file of a store (bolt:) as small as what it holds. Stop the bot first."`
	Clock   storeClockCmd   `cmd:"" help:"Show the time of the store; put it right after the clock was wrong. Stop the bot first."`
}

type storeClockCmd struct {
	configFlag
	Accept bool `help:"Take the clock as right: the store's time becomes what it shows now, even if that is earlier, and what has expired by it is removed."`
}

// Run shows the time of the store, or sets it.
func (c storeClockCmd) Run(ctx context.Context, term terminal) error {
	cfg, err := config.Load(c.Config, lenient)
	if err != nil {
		return &exitError{2, err}
	}
	s, err := app.OpenRecords(ctx, cfg, slog.New(slog.DiscardHandler))
	if errors.Is(err, bolt.ErrInUse) {
		return fmt.Errorf("%w; stop the bot first", err)
	}
	if err != nil {
		return err
	}
	return errors.Join(c.settle(ctx, s, term.out), s.Close())
}

func (c storeClockCmd) settle(ctx context.Context, s *store.Store, w io.Writer) error {
	if c.Accept {
		if err := s.AcceptClock(ctx); err != nil {
			return err
		}
	}
	now, err := s.Clock(ctx)
	if err != nil {
		return err
	}
	swept := "never"
	if !now.Swept.IsZero() {
		swept = now.Swept.UTC().Format(time.RFC3339)
	}
	fmt.Fprintf(w, "store       %s\nclock       %s\nlast sweep  %s\n",
		now.Now.UTC().Format(time.RFC3339), now.Shown.UTC().Format(time.RFC3339), swept)
	const accept = "If the clock is right now: bot store clock --accept"
	switch {
	case now.Ahead() > 0:
		_, err = fmt.Fprintf(w, "The store is %.1f days ahead of the clock, which was wrong once. Until it is that late, no day or month of a quota ends, and nothing expires.\n%s\n",
			now.Ahead().Hours()/24, accept)
	case now.Leapt() > 0:
		_, err = fmt.Fprintf(w, "The time went on %.1f days since the last sweep. If the bot did not run for so long, all is well: a day after its start it removes what is old. To have that at once: bot store clock --accept\n",
			now.Leapt().Hours()/24)
	default:
		_, err = fmt.Fprintln(w, "The store goes by the clock.")
	}
	return err
}

type storeCompactCmd struct{ configFlag }

// Run makes the file smaller.
func (c storeCompactCmd) Run(term terminal) error {
	cfg, err := config.Load(c.Config, lenient)
	if err != nil {
		return &exitError{2, err}
	}
	path := cfg.Store.Path()
	if path == "" {
		return &exitError{2, errors.New("store.url does not name a file: a Redis server looks after its own files")}
	}
	before, after, err := bolt.Compact(path)
	if err == nil {
		_, err = fmt.Fprintf(term.out, "%s: %d bytes of %d are left\n", path, after, before)
	}
	return err
}

type storeCopyCmd struct {
	From string `required:"" help:"Store to copy from, as in store.url: bolt:FILE, redis://…; or env:NAME, file:/path." placeholder:"URL"`
	To   string `required:"" help:"Store to copy to; it must hold nothing." placeholder:"URL"`
	JSON bool   `help:"Print what was copied as JSON."`
}

// Run copies a store.
func (c storeCopyCmd) Run(ctx context.Context, term terminal) error {
	from, err := config.ParseStore(c.From, os.LookupEnv)
	if err != nil {
		return &exitError{2, fmt.Errorf("--from: %w", err)}
	}
	to, err := config.ParseStore(c.To, os.LookupEnv)
	if err != nil {
		return &exitError{2, fmt.Errorf("--to: %w", err)}
	}
	log := slog.New(slog.NewTextHandler(term.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	report, err := app.CopyStore(ctx, from, to, log)
	if errors.Is(err, store.ErrNotEmpty) {
		return &exitError{2, fmt.Errorf("--to: %w; name an empty one", err)}
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(term.out, report)
	}
	return printReport(term.out, report)
}

// printReport prints what was copied, and the sums of both stores.
func printReport(w io.Writer, r store.CopyReport) error {
	_, err := fmt.Fprintf(w, `copied %d jobs (%d unfinished), %d admin states, %d records, %d marks, %d settings
            source  copy
holds       %6d  %d
reserved    %6s  %s
held        %6s  %s
settled     %6s  %s
released    %6s  %s
charged     %6s  %s
The sums agree.
`, r.Jobs, r.Unfinished, r.AdminStates, r.Records, r.Marks, r.Settings,
		r.From.Holds, r.To.Holds, r.From.Reserved, r.To.Reserved, r.From.Held, r.To.Held,
		r.From.Settled, r.To.Settled, r.From.Released, r.To.Released, r.From.Charged, r.To.Charged)
	return err
}
