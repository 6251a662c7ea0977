package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"ltxbot/app"
	"ltxbot/config"
	"ltxbot/store"
	"ltxbot/store/bolt"
)

// storeCmd looks after where the bot keeps what it must remember.
type storeCmd struct {
	Copy    storeCopyCmd    `cmd:"" help:"Copy everything from one store to an empty one, of the same or another kind. Stop the bot first."`
	Compact storeCompactCmd `cmd:"" help:"Make the file of a store (bolt:) as small as what it holds. Stop the bot first."`
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
	_, err := fmt.Fprintf(w, `copied %d jobs (%d unfinished), %d standings, %d records, %d marks, %d settings
            source  copy
holds       %6d  %d
reserved    %6s  %s
held        %6s  %s
settled     %6s  %s
released    %6s  %s
charged     %6s  %s
The sums agree.
`, r.Jobs, r.Unfinished, r.Standings, r.Records, r.Marks, r.Settings,
		r.From.Holds, r.To.Holds, r.From.Reserved, r.To.Reserved, r.From.Held, r.To.Held,
		r.From.Settled, r.To.Settled, r.From.Released, r.To.Released, r.From.Charged, r.To.Charged)
	return err
}
