package bot

import (
	"context"
	"errors"
	"slices"
	"strings"

	"ltxbot/bot/command"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/library"
	"ltxbot/core/ltx"
	"ltxbot/core/team"
)

// Library is where teams' LoRAs and styles are looked at and changed. It checks
// by itself who may do what.
type Library interface {
	Do(ctx context.Context, a team.Actor, o team.Order) (library.Report, error)
	// Check says what Do would, and changes nothing.
	Check(ctx context.Context, a team.Actor, o team.Order) (library.Report, error)
	AddFile(ctx context.Context, a team.Actor, o team.Order, address string, found library.Finding) (library.Report, error)
	// Of is the library of a team, from memory.
	Of(team string) *library.Snapshot
	Defaults(ctx context.Context, team, member string) ([]ltx.Setting, error)
	SetDefaults(ctx context.Context, team, member string, settings []ltx.Setting) error
}

// rules are those of a caller at this moment. What an outsider can name in a
// shared channel is not the team's.
func (svc *Service) rules(c Caller) ltx.Rules {
	team := c.Team
	if c.Outsider {
		team = ""
	}
	r := svc.cfg.Rules(team)
	r.Tiers, r.AnyTier = c.Tiers, c.Unidentified
	return r
}

// Allows reports whether a caller may choose a model.
func (svc *Service) Allows(c Caller, model string) bool { return svc.rules(c).Allows(model) }

// LooksAtFile reports whether an order about a library looks at the file of a
// LoRA. That takes longer than platforms wait for an answer.
func LooksAtFile(verb string) bool {
	return slices.Contains([]string{library.VerbCheck, library.VerbAdd, library.VerbEdit}, strings.ToLower(verb))
}

// LoRAs carries out an order about the team's library and says what came of
// it. Only the caller sees the answer. See LooksAtFile.
func (svc *Service) LoRAs(ctx context.Context, c Caller, o team.Order) view.Message {
	p := svc.Printer(c.Locale)
	if strings.EqualFold(o.Verb, library.VerbCheck) {
		return svc.CheckLoRA(ctx, c, o.Args["link"])
	}
	if svc.cfg.Library == nil {
		return view.Library(p, library.Report{Verb: "list"}, svc.rules(c))
	}
	if c.Outsider {
		return svc.libraryRefusal(ctx, c, &library.Error{Problem: library.OnlyInsiders, Verb: o.Verb})
	}
	r, err := svc.cfg.Library.Do(ctx, c.actor(), o)
	if err != nil {
		return svc.libraryRefusal(ctx, c, err)
	}
	if r.Change != nil {
		svc.log.InfoContext(ctx, "a library was changed", "verb", r.Verb, "team", c.Team, "by", c.Member)
	}
	return view.Library(p, r, svc.rules(c))
}

// actor is the caller as who gives an order.
func (c Caller) actor() team.Actor {
	return team.Actor{Member: c.Member, Team: c.Team, Admin: c.Admin, From: c.Platform, Event: c.Event}
}

// LoRAsLine carries out an order as it is typed after "loras": "add film
// owner/repo scale:0.8". An empty line asks for the list.
func (svc *Service) LoRAsLine(ctx context.Context, c Caller, line string) view.Message {
	words := libraryWords(line)
	if len(words) == 0 {
		words = []string{"list"}
	}
	if strings.EqualFold(words[0], command.VerbHelp) {
		return view.LibraryHelp(svc.Printer(c.Locale), svc.mayAdd(ctx, c))
	}
	o, err := library.Verbs().Parse(words)
	if err != nil {
		return *view.RefuseLibrary(svc.Printer(c.Locale), err)
	}
	return svc.LoRAs(ctx, c, o)
}

// libraryWords splits a line at spaces. The options of a style are read once more:
// they keep the quotes round their values.
func libraryWords(line string) []string {
	words := command.SplitWords(line)
	if len(words) == 0 || !strings.EqualFold(words[0], library.VerbStyleAdd) && !strings.EqualFold(words[0], library.VerbStyleEdit) {
		return words
	}
	verb, _ := library.Verbs().Find(words[0])
	for i, word := range words {
		at := strings.IndexAny(word, ":=")
		if at < 0 || !strings.ContainsFunc(word, command.IsSpace) {
			continue
		}
		key, value := word[:at], word[at+1:]
		own := slices.ContainsFunc(verb.Args, func(a team.Arg) bool { return strings.EqualFold(a.Name, strings.TrimLeft(key, "-—–")) })
		if _, option := ltx.Lookup(key); option && !own {
			words[i] = key + ":" + command.Quote(value)
		}
	}
	return words
}

// mayAdd reports whether the caller may add to the team's library.
func (svc *Service) mayAdd(ctx context.Context, c Caller) bool {
	if svc.cfg.Library == nil || c.Outsider {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, quoteLimit)
	defer cancel()
	r, err := svc.cfg.Library.Do(ctx, c.actor(), team.Order{Verb: "styles"})
	return err == nil && r.MayAdd
}

// LibraryForm is the form for an order that is not complete, or nil if there is
// none for it: "add" alone, "edit film". mostFile is how large a file can be that
// is given in a form of the platform, in MB; 0 = none can be.
func (svc *Service) LibraryForm(c Caller, line string, mostFile int) *view.Form {
	words := libraryWords(line)
	if svc.cfg.Library == nil || c.Outsider || len(words) == 0 || !view.HasLibraryForm(strings.ToLower(words[0])) {
		return nil
	}
	o, err := library.Verbs().Parse(words)
	if err != nil {
		return nil
	}
	if len(o.Args) > 1 {
		return nil
	}
	if library.Edits(o.Verb) {
		var ok bool
		if o, ok = svc.cfg.Library.Of(c.Team).ToEdit(o); !ok {
			return nil
		}
	}
	if !svc.takesFiles() {
		mostFile = 0
	}
	f := view.LibraryForm(svc.Printer(c.Locale), o, mostFile)
	return &f
}

// FileForm is the form that adds the LoRA in a file, or nil where that can't be
// done.
func (svc *Service) FileForm(c Caller, f GivenFile) *view.Form {
	if c.Outsider || !svc.takesFiles() {
		return nil
	}
	p := svc.Printer(c.Locale)
	form := view.LibraryForm(p, library.WithFile(team.Order{Args: map[string]string{"name": library.NameFor(f.Media.Name)}}), 0)
	form.Note = p.Text("lora_upload.form", "file", f.Media.Shown())
	form.Inputs = []ltx.Setting{ltx.FileSetting(view.LoRAFileKey, f.Media)}
	return &form
}

// styleForm is the form that keeps the options of a job as a style.
func (svc *Service) styleForm(c Caller, j generate.Job) view.Form {
	var options []ltx.Setting
	for _, s := range j.Request.TypedSettings() {
		if p, ok := ltx.Lookup(s.Key); ok && ltx.CanBeKept(p) && p.Key() != "seed" && p.Key() != "private" {
			options = append(options, s)
		}
	}
	return view.LibraryForm(svc.Printer(c.Locale), team.Order{Verb: library.VerbStyleAdd, Args: map[string]string{"options": command.Write(options)}}, 0)
}

// WrongOrder says what is wrong with the order of a filled in form, all together
// and by field, before LoRAs or with a file UploadLoRA carries it out. wrong is nil
// when nothing is. newer is the form to show in its place, where what it edits has
// changed since.
func (svc *Service) WrongOrder(ctx context.Context, c Caller, o team.Order, file bool) (m view.Message, wrong map[string]string, newer *view.Form) {
	if link := o.Args["link"]; file && link != "" && link != library.Uploaded {
		m = view.Answer(svc.Printer(c.Locale), "lora_upload.both")
		return m, map[string]string{"link": m.Plain}, nil
	}
	if file {
		o = library.WithFile(o)
	}
	err := error(&library.Error{Problem: library.OnlyInsiders, Verb: o.Verb})
	if !c.Outsider { // who has a form has a library
		_, err = svc.cfg.Library.Check(ctx, c.actor(), o)
	}
	if err == nil {
		return m, nil, nil
	}
	if e, ok := errors.AsType[*library.Error](err); ok && e.Problem == library.Changed {
		f := view.NewerLibraryForm(svc.Printer(c.Locale), e)
		newer = &f
	}
	m = svc.libraryRefusal(ctx, c, err)
	return m, map[string]string{library.ArgOf(err): m.Plain}, newer
}
