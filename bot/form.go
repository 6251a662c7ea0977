package bot

import (
	"context"
	"strings"
	"time"

	"ltxbot/bot/command"
	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
)

// Remix is the form for making a video of a message: of its text and its files,
// or of the job of ours that it names. left are the names of further files, which
// can't be used; the form says so.
func (d *Service) Remix(c Caller, message string, files []GivenFile, left ...string) view.Form {
	ctx, cancel := context.WithTimeout(context.Background(), remixLimit)
	defer cancel()
	for _, word := range strings.FieldsFunc(message, func(r rune) bool { return !strings.ContainsRune(command.JobAlphabet, r) }) {
		if len(word) != command.JobIDLength || !command.LooksLikeJob(word) {
			continue
		}
		if j, err := d.visible(ctx, c, word); err == nil {
			return d.edit(c, j)
		}
	}
	line, err := command.Parse(message)
	if err != nil || line.Verb != "" {
		line = command.Line{Settings: []ltx.Setting{{Key: command.PromptKey, Value: message}}}
	}
	inputs, more := Inputs(files)
	f := view.FilledForm(d.Printer(c.Locale), d.cfg.Rules().QualityNames(), WithInputs(line.Settings, inputs))
	f.Inputs = inputs
	if left = append(left, more...); len(left) > 0 {
		f.Note = d.Printer(c.Locale).Text("form.files_left", "files", text.Shorten(strings.Join(left, ", "), maxLeft))
	}
	return f
}

// maxLeft is how much room the names of files have that are left out, in UTF-16
// units: some forms show a short sentence only.
const maxLeft = 60

// Wrong says what is wrong with a filled in form, by field. It is nil when
// nothing is, and when the job that the form edits can't be read at once: then
// Submit says it.
func (d *Service) Wrong(ctx context.Context, a Ask) map[string]string {
	ctx, cancel := context.WithTimeout(ctx, quoteLimit)
	defer cancel()
	a.Caller = d.known(ctx, a.Caller)
	_, err := d.request(ctx, &a)
	return view.FieldErrors(d.Printer(a.Caller.Locale), err)
}

// edit is the form for a job.
func (d *Service) edit(c Caller, j generate.Job) view.Form {
	f := d.Form(c.Locale, &j.Request)
	f.Job = j.ID
	return f
}

// remixLimit is how long a form may wait for a job: platforms give up on one
// after three seconds.
const remixLimit = time.Second
