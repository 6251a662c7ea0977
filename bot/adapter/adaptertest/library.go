package adaptertest

import (
	"context"
	"log/slog"

	"ltxbot/core/library"
	"ltxbot/core/library/librarytest"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
)

// Library is a library in memory to which admins may add, and the rules of
// requests with it. options reads a line of options; files may be nil.
func Library(rules ltx.Rules, options func(string) ([]ltx.Setting, error), files library.Checker) (office *library.Office, of func(team string) ltx.Rules) {
	store := librarytest.NewMemory()
	office = library.NewOffice(library.OfficeConfig{
		Store: store, Shelf: library.NewShelf(store, slog.New(slog.DiscardHandler)), Options: options,
		Rules: func() ltx.Rules { return rules }, Everyone: func() bool { return false }, Files: files,
		Blocked: func(context.Context, string, string) (*quota.Block, error) { return nil, nil },
	})
	return office, func(team string) ltx.Rules { return office.Of(team).Apply(rules) }
}
