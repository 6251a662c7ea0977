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
func (d *Service) Defaults(ctx context.Context, c Caller, line string) view.Message {
	p := d.Printer(c.Locale)
	if d.cfg.Library == nil || c.Outsider {
		return *view.RefuseLibrary(p, &library.Error{Problem: library.OnlyInsiders})
	}
	ctx, cancel := context.WithTimeout(ctx, orderLimit)
	defer cancel()
	c = d.known(ctx, c)
	line = strings.TrimSpace(line)
	if line == "" {
		own, err := d.cfg.Library.Defaults(ctx, c.Team, c.Member)
		if err != nil {
			return d.sorry(ctx, c, "error.unreadable", "read defaults", err)
		}
		return view.Defaults(p, own)
	}
	var own []ltx.Setting
	if !strings.EqualFold(line, library.None) {
		var err error
		if own, err = command.ParseOptions(line); err == nil {
			err = d.keepable(own)
		}
		if err != nil {
			return d.libraryRefusal(ctx, c, err)
		}
	}
	if err := d.cfg.Library.SetDefaults(ctx, c.Team, c.Member, own); err != nil {
		return d.libraryRefusal(ctx, c, err)
	}
	if own == nil {
		return view.Answer(p, "defaults.gone")
	}
	return view.Defaults(p, own)
}

// keepable refuses a link with a key: it would be kept.
func (d *Service) keepable(settings []ltx.Setting) error {
	for _, s := range settings {
		if p, ok := ltx.Lookup(s.Key); ok && p.Kind == ltx.KindLoRAs && strings.Contains(s.Value, "?") {
			return &library.Error{Problem: library.SecretLink, Value: ltx.Shown(s.Value)}
		}
	}
	return nil
}

// libraryRefusal says why something about a library was not done.
func (d *Service) libraryRefusal(ctx context.Context, c Caller, err error) view.Message {
	if m := view.RefuseLibrary(d.Printer(c.Locale), err); m != nil {
		return *m
	}
	return d.sorry(ctx, c, "error.unreadable", "library order", err)
}

// own are the caller's own defaults, if they can be read.
func (d *Service) own(ctx context.Context, c Caller) []ltx.Setting {
	if d.cfg.Library == nil || c.Outsider {
		return nil
	}
	own, err := d.cfg.Library.Defaults(ctx, c.Team, c.Member)
	if err != nil {
		d.log.WarnContext(ctx, "cannot read a member's own defaults", "member", c.Member, "team", c.Team, "error", err)
	}
	return own
}

// withOwn makes a request of what was typed, over the caller's own defaults.
// Those that do not fit the rest are left out, and a note says so.
func (d *Service) withOwn(ctx context.Context, c Caller, rules ltx.Rules, typed []ltx.Setting) (ltx.Request, error) {
	own := d.own(ctx, c)
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
