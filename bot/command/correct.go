package command

import (
	"errors"
	"slices"
	"strings"

	"ltxbot/core/ltx"
)

// Corrected are settings with what was probably meant in place of what was
// wrong, where that is known, and without options that do not exist.
func Corrected(settings []ltx.Setting, problems ltx.Invalid) []ltx.Setting {
	out := slices.Clone(settings)
	for _, e := range problems {
		switch {
		case e.Nearest == "" && slices.Contains(leftOut, e.Problem):
			out = slices.DeleteFunc(out, func(s ltx.Setting) bool { return s.Key == e.Option })
			continue
		case e.Nearest == "":
			continue
		case e.Problem == ltx.Spelling, e.Problem == ltx.NotShown:
			out = respelled(out, e)
			continue
		}
		wrong, known := ltx.Lookup(e.Option)
		for i, s := range out {
			p, ok := ltx.Lookup(s.Key)
			switch {
			case e.Problem == ltx.Unknown && s.Key == e.Option:
				out[i].Key = e.Nearest
			case !known || !ok || p.Key() != wrong.Key():
			case slices.Contains(hasNearest, e.Problem):
				out[i].Value = e.Nearest
			case e.Problem == ltx.LoRAUnknown:
				items := strings.Split(s.Value, ",")
				for n, item := range items {
					if name, _, _ := strings.Cut(item, "@"); strings.TrimSpace(name) == e.Value {
						items[n] = e.Nearest + item[len(name):]
					}
				}
				out[i].Value = strings.Join(items, ",")
			}
		}
	}
	return out
}

// leftOut are the problems with settings that do not exist here.
var leftOut = []ltx.Problem{ltx.Unknown, ltx.NotTaken}

// respelled are settings with the right spelling in place of the one that the
// problem is about.
func respelled(settings []ltx.Setting, e ltx.FieldError) []ltx.Setting {
	l, err := Parse(e.Nearest)
	if err != nil || len(l.Settings) != 1 {
		return settings
	}
	right := l.Settings[0]
	is := func(s ltx.Setting, key string) bool {
		p, ok := ltx.Lookup(s.Key)
		q, known := ltx.Lookup(key)
		return s.Key == key || ok && known && p.Key() == q.Key()
	}
	out := slices.DeleteFunc(settings, func(s ltx.Setting) bool {
		return is(s, e.Option) || !strings.Contains(e.Nearest, "owner/repo") && is(s, right.Key)
	})
	return append(out, right)
}

// hasNearest are the problems with a value whose nearest is a whole value.
var hasNearest = []ltx.Problem{ltx.OutOfRange, ltx.NotAChoice, ltx.NotWhole, ltx.BadSize, ltx.StyleUnknown}

// ProblemsIn are the problems with settings that an error holds.
func ProblemsIn(err error) ltx.Invalid {
	if many, ok := errors.AsType[ltx.Invalid](err); ok {
		return many
	}
	if one, ok := errors.AsType[ltx.FieldError](err); ok {
		return ltx.Invalid{one}
	}
	return nil
}
