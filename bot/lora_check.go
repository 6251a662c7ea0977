package bot

import (
	"context"
	"errors"
	"strings"

	"ltxbot/bot/view"
	"ltxbot/core/library"
	"ltxbot/core/ltx"
)

// CheckLoRA says what a LoRA is, and what keeps it from working: a name of the
// team's library, an "owner/repo" or a link, as people type it. It may take as
// long as the host of the file.
func (svc *Service) CheckLoRA(ctx context.Context, c Caller, typed string) view.Message {
	p := svc.Printer(c.Locale)
	if strings.TrimSpace(typed) == "" {
		return view.Answer(p, "lora_check.what")
	}
	look, err := library.LookAt(ctx, svc.rules(c), svc.cfg.LoRAs, typed)
	switch {
	case err == nil:
		return view.LoRAChecked(p, look)
	case errors.Is(err, library.ErrUnreachable):
		svc.log.InfoContext(ctx, "cannot look at a LoRA", "member", c.Member, "team", c.Team, "error", err)
		return view.Answer(p, "lora_check.unreachable")
	}
	if refusal := view.Refuse(p, err); refusal != nil {
		return *refusal
	}
	return svc.sorry(ctx, c, "error.unreadable", "check a LoRA", err)
}

// withKnown adds what the last looks at LoRAs have found to the rules of
// requests. Nothing is looked at anew: a request does not wait for that.
func withKnown(rules func(team string) ltx.Rules, files library.Checker) func(team string) ltx.Rules {
	return func(team string) ltx.Rules {
		r := rules(team)
		r.Checked = func(path string) []ltx.Note {
			f, ok := files.Known(path)
			switch other, made := f.Warning(library.OtherModel); {
			case !ok:
				return nil
			case !f.Usable():
				return []ltx.Note{{Reason: ltx.BrokenLoRA}}
			case made:
				return []ltx.Note{{Reason: ltx.OtherModelLoRA, To: other.Value}}
			}
			return nil
		}
		return r
	}
}
