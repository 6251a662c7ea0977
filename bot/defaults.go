package bot

import (
	"context"
	"slices"
	"strings"

	"ltxbot/bot/command"
	"ltxbot/bot/view"
	"ltxbot/core/library"
	"ltxbot/core/ltx"
)

// Defaults shows and sets the options that all videos of the caller in the team
// begin with: "camera:static quality:draft", none, or nothing to show them.
func (svc *Service) Defaults(ctx context.Context, c Caller, line string) view.Message {
	p := svc.Printer(c.Locale)
	if svc.cfg.Library == nil || c.Outsider {
		return *view.RefuseLibrary(p, &library.Error{Problem: library.OnlyInsiders})
	}
	ctx, cancel := context.WithTimeout(ctx, orderLimit)
	defer cancel()
	c = svc.known(ctx, c)
	line = strings.TrimSpace(line)
	if line == "" {
		own, err := svc.cfg.Library.Defaults(ctx, c.Team, c.Member)
		if err != nil {
			return svc.sorry(ctx, c, "error.unreadable", "read defaults", err)
		}
		return view.Defaults(p, own)
	}
	var own []ltx.Setting
	if !strings.EqualFold(line, library.None) {
		var err error
		if own, err = command.ParseOptions(line); err == nil {
			err = svc.keepable(own)
		}
		if err != nil {
			return svc.libraryRefusal(ctx, c, err)
		}
	}
	if err := svc.cfg.Library.SetDefaults(ctx, c.Team, c.Member, own); err != nil {
		return svc.libraryRefusal(ctx, c, err)
	}
	if own == nil {
		return view.Answer(p, "defaults.gone")
	}
	return view.Defaults(p, own)
}

// keepable refuses a link with a key: it would be kept.
func (svc *Service) keepable(settings []ltx.Setting) error {
	for _, s := range settings {
		if p, ok := ltx.Lookup(s.Key); ok && p.Kind == ltx.KindLoRAs && strings.Contains(s.Value, "?") {
			return &library.Error{Problem: library.SecretLink, Value: ltx.Shown(s.Value)}
		}
	}
	return nil
}

// libraryRefusal says why something about a library was not done.
func (svc *Service) libraryRefusal(ctx context.Context, c Caller, err error) view.Message {
	if m := view.RefuseLibrary(svc.Printer(c.Locale), err); m != nil {
		return *m
	}
	return svc.sorry(ctx, c, "error.unreadable", "library order", err)
}

// own are the caller's own defaults, if they can be read.
func (svc *Service) own(ctx context.Context, c Caller) []ltx.Setting {
	if svc.cfg.Library == nil || c.Outsider {
		return nil
	}
	own, err := svc.cfg.Library.Defaults(ctx, c.Team, c.Member)
	if err != nil {
		svc.log.WarnContext(ctx, "cannot read a member's own defaults", "member", c.Member, "team", c.Team, "error", err)
	}
	return own
}

// withOwn makes a request of what was typed, over the caller's own defaults.
// Those that do not fit the rest are left out, and a note says so.
func (svc *Service) withOwn(ctx context.Context, c Caller, rules ltx.Rules, typed []ltx.Setting) (ltx.Request, error) {
	own := svc.own(ctx, c)
	with := rules
	with.Own = own
	r, err := with.Parse(typed)
	if err == nil || len(own) == 0 {
		return r, err
	}
	r, err = rules.Parse(typed)
	if err == nil {
		r.Notes = append(slices.Clone(r.Notes), ltx.Note{Option: "defaults", Reason: ltx.OwnLeftOut})
	}
	return r, err
}
