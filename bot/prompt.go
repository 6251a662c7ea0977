package bot

import (
	"context"
	"slices"
	"strings"

	"ltxbot/bot/command"
	"ltxbot/bot/view"
	"ltxbot/core/ltx"
)

// PromptVerb is the line that a prompt is when it is about a verb, such as
// "help" or "/ltx jobs", and not about a video.
func PromptVerb(settings []ltx.Setting) (command.Line, bool) {
	at := slices.IndexFunc(settings, command.IsPrompt)
	if at < 0 {
		return command.Line{}, false
	}
	line, err := command.Parse(settings[at].Value)
	return line, err == nil && line.Verb != ""
}

// Answer does what a line is about that makes no video.
func (d *Service) Answer(ctx context.Context, c Caller, line command.Line) view.Message {
	arg := strings.Join(line.Args, " ")
	switch line.Verb {
	case command.VerbJobs:
		return d.JobsLine(ctx, c, arg)
	case command.VerbShow:
		return d.Show(ctx, c, arg)
	case command.VerbVerify:
		return d.Verify(ctx, c, arg)
	case command.VerbCancel:
		return d.Cancel(ctx, c, arg)
	case command.VerbQuota, command.VerbAdmin:
		return d.OrderLine(ctx, c, line.Verb, arg)
	case command.VerbLoRAs:
		return d.LoRAs(ctx, c)
	}
	return view.Help(d.Printer(c.Locale), arg)
}
