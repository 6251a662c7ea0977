package bot

import (
	"context"
	"strings"
	"time"

	"ltxbot/bot/command"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
)

// Remix is the form for making a video of a message: of its text and its files,
// or of the job of ours that it names.
func (d *Service) Remix(c Caller, text string, files ...GivenFile) view.Form {
	ctx, cancel := context.WithTimeout(context.Background(), remixLimit)
	defer cancel()
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return !strings.ContainsRune(command.JobAlphabet, r) }) {
		if len(word) != command.JobIDLength || !command.LooksLikeJob(word) {
			continue
		}
		if j, err := d.visible(ctx, c, word); err == nil {
			return d.edit(c, j)
		}
	}
	line, err := command.Parse(text)
	if err != nil || line.Verb != "" {
		line = command.Line{Settings: []ltx.Setting{{Key: command.PromptKey, Value: text}}}
	}
	inputs, _ := Inputs(files)
	f := view.FilledForm(d.Printer(c.Locale), d.cfg.Rules().QualityNames(), WithInputs(line.Settings, inputs))
	f.Inputs = inputs
	return f
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
