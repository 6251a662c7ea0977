package bot

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"ltxbot/bot/command"
	"ltxbot/core/generate"
	"ltxbot/core/library"
	"ltxbot/core/ltx"
)

// TryLine is the ask of a line after "loras" that tries a LoRA: "try film a man
// walks". ok is false for every other line.
func TryLine(line string) (a Ask, ok bool) {
	verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	name, prompt, _ := strings.Cut(strings.TrimSpace(rest), " ")
	return TryLoRA(name, prompt), strings.EqualFold(verb, library.VerbTry) && name != ""
}

// TryLoRA asks for a comparison: videos of a prompt with a LoRA of the team at
// several strengths.
func TryLoRA(name, prompt string) Ask {
	return Ask{Try: name, Prompt: OptionPrompt, Settings: []ltx.Setting{{Key: command.PromptKey, Value: prompt}}}
}

// trial makes the Request of an ask that tries a LoRA of the team's list. Where
// no prompt is typed, it is the LoRA's example, with the seed of that.
func (svc *Service) trial(ctx context.Context, a *Ask, rules ltx.Rules) (ltx.Request, error) {
	refused := library.Error{Problem: library.OnlyInsiders, Verb: library.VerbTry, Arg: "name", Value: ltx.Shown(a.Try)}
	if svc.cfg.Library == nil || a.Caller.Outsider {
		return ltx.Request{}, &refused
	}
	e, ok := svc.cfg.Library.Of(a.Caller.Team).LoRA(a.Try)
	if !ok {
		refused.Problem = library.NoSuchLoRA
		if rules.LibraryNames != nil {
			refused.Nearest = ltx.Nearest(a.Try, rules.LibraryNames())
		}
		return ltx.Request{}, &refused
	}
	a.Settings = append(slices.Clone(a.Settings), ltx.Setting{Key: "lora", Value: e.Name}, ltx.Setting{Key: "count", Value: "1"})
	notes, err := a.readPrompt(ltx.Request{})
	if err != nil {
		return ltx.Request{}, err
	}
	has := func(key string) bool {
		return slices.ContainsFunc(a.Settings, func(s ltx.Setting) bool {
			p, ok := ltx.Lookup(s.Key)
			return ok && p.Key() == key && strings.TrimSpace(s.Value) != ""
		})
	}
	if !has(command.PromptKey) && e.Example != "" {
		a.Settings = append(a.Settings, ltx.Setting{Key: command.PromptKey, Value: e.Example})
		if e.Seed != nil && !has("seed") {
			a.Settings = append(a.Settings, ltx.Setting{Key: "seed", Value: strconv.FormatInt(*e.Seed, 10)})
		}
	}
	r, err := svc.withOwn(ctx, a.Caller, rules, a.Settings)
	r.Notes = append(slices.Clone(r.Notes), notes...)
	return r.Try(e.Name, ltx.TrialScales()...), err
}

// allTakes asks for the whole batch of its lead j once more, with the request r
// of one take.
func (svc *Service) allTakes(c Caller, j generate.Job, r ltx.Request) (ltx.Request, error) {
	if t := j.Batch.Trial; t.LoRA != "" {
		return r.Try(t.LoRA, t.Scales...), nil
	}
	return r.With(svc.rules(c), ltx.Setting{Key: "count", Value: strconv.Itoa(j.Batch.Size)})
}
