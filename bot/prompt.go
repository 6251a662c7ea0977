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
// "help" or "/ltx jobs", and not about a video. A question beside another option is
// about one.
func PromptVerb(settings []ltx.Setting) (command.Line, bool) {
	at := slices.IndexFunc(settings, command.IsPrompt)
	if at < 0 {
		return command.Line{}, false
	}
	line, ok := command.PromptVerb(settings[at].Value)
	if line.Asked && len(settings) > 1 {
		return command.Line{}, false
	}
	return line, ok
}

// Answer does what a line is about that makes no video.
func (svc *Service) Answer(ctx context.Context, c Caller, line command.Line) view.Message {
	arg := strings.Join(line.Args, " ")
	switch line.Verb {
	case command.VerbJobs:
		return svc.JobsLine(ctx, c, arg)
	case command.VerbShow:
		return svc.Show(ctx, c, arg)
	case command.VerbVerify:
		return svc.Verify(ctx, c, arg)
	case command.VerbCancel:
		return svc.Cancel(ctx, c, arg)
	case command.VerbQuota, command.VerbAdmin:
		return svc.OrderLine(ctx, c, line.Verb, arg)
	case command.VerbLoRAs:
		return svc.LoRAsLine(ctx, c, arg)
	case command.VerbDefaults:
		return svc.Defaults(ctx, c, arg)
	case command.VerbStyles:
		return svc.LoRAsLine(ctx, c, command.StylesLine(arg))
	}
	return svc.Help(c, arg)
}

// TakesLong reports whether Answer may take longer than platforms wait for one.
func TakesLong(line command.Line) bool {
	return line.Verb == command.VerbLoRAs && len(line.Args) > 0 && LooksAtFile(line.Args[0])
}

// Help explains a topic, as view.Help does.
func (svc *Service) Help(c Caller, topic string) view.Message {
	return view.Help(svc.Printer(c.Locale), svc.rules(c), topic)
}
