package app

import (
	"log/slog"

	"ltxbot/app/admin"
	"ltxbot/bot/command"
	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/config"
	"ltxbot/core/library"
	"ltxbot/core/ltx"
	"ltxbot/core/team"
)

// libraries are what teams keep for their videos.
type libraries struct {
	*library.Office

	now *current
}

func newLibraries(now *current, s *storage, quotas *team.Office, files library.Checker, log *slog.Logger) libraries {
	office := library.NewOffice(library.OfficeConfig{
		Store: s, Shelf: library.NewShelf(s, log), Rules: now.rules, Options: command.ParseOptions,
		Everyone: func() bool { return now.config().Library.Add == config.AddEveryone },
		Blocked:  quotas.Blocked, Files: files, Log: log,
	})
	return libraries{office, now}
}

// rules are the rules of requests of a team.
func (l libraries) rules(team string) ltx.Rules { return l.Of(team).Apply(l.now.rules()) }

// rulesWithout are the rules of requests where no library can be read.
func (c *current) rulesWithout(string) ltx.Rules { return c.rules() }

// serveLibrary adds what the operator does with libraries.
func serveLibrary(api *admin.API, now *current, l libraries) {
	printer := text.BuiltInCatalog().Printer(text.DefaultLanguage, now.start.Slack.Command)
	api.ServeLibrary(l.Office, admin.LibraryText{
		Report:  func(r library.Report) string { return plain(view.Library(printer, r, now.rules())) },
		Refused: func(err *library.UnusableError) string { return plain(*view.RefuseLibrary(printer, err)) },
		Team:    now.knownTeam,
	})
}
