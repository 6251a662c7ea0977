package discord_test

import (
	"strings"

	"ltxbot/bot/discord"
	"ltxbot/core/generate"
	"ltxbot/internal/until"
	sim "ltxbot/sim/discord"
)

// What people do on a stage. Each act ends the test where the client of Discord
// would not let them, or where the bot does not answer.

// check ends the test where an act has failed.
func (s *stage) check(act string, err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("%s: %v\nlog:\n%s", act, err, s.log.String())
	}
}

// until waits for something that the simulator does not tell of.
func (s *stage) until(what string, ok func() bool) {
	s.t.Helper()
	until.True(s.t, what, ok, s.log.String)
}

// logs waits until the bot's log says something.
func (s *stage) logs(text string) {
	s.t.Helper()
	s.until("the log says "+text, func() bool { return s.log.Has(text) })
}

// types lets ada type a command, with options beside the line.
func (s *stage) types(line string, beside ...sim.Argument) *sim.Interaction {
	s.t.Helper()
	return s.typesBy(s.ada, s.general, line, beside...)
}

func (s *stage) typesBy(u *sim.User, ch *sim.Channel, line string, beside ...sim.Argument) *sim.Interaction {
	s.t.Helper()
	i, err := u.Type(s.ctx, ch, line, beside...)
	s.check("type "+line, err)
	return i
}

// slash lets ada choose a command and fill in its options.
func (s *stage) slash(name string, options ...sim.Argument) *sim.Interaction {
	s.t.Helper()
	return s.slashBy(s.ada, s.general, name, options...)
}

func (s *stage) slashBy(u *sim.User, ch *sim.Channel, name string, options ...sim.Argument) *sim.Interaction {
	s.t.Helper()
	i, err := u.Slash(s.ctx, ch, name, options...)
	s.check("slash "+name, err)
	return i
}

// suggested are what u is offered in an option.
func (s *stage) suggested(u *sim.User, name, option string, options ...sim.Argument) []sim.Choice {
	s.t.Helper()
	i, err := u.Autocomplete(s.ctx, s.general, name, option, options...)
	s.check("autocomplete "+option, err)
	s.acked(i)
	return i.Choices()
}

// share lets ada post files.
func (s *stage) share(text string, files ...sim.File) sim.Message {
	s.t.Helper()
	m, err := s.ada.Share(s.general, text, files...)
	s.check("share", err)
	return m
}

// apply lets u choose a command on a message.
func (s *stage) apply(u *sim.User, name string, on sim.Message) *sim.Interaction {
	s.t.Helper()
	i, err := u.MessageCommand(s.ctx, on, name)
	s.check(name, err)
	return i
}

// press lets u press a button by its id.
func (s *stage) press(u *sim.User, on sim.Message, id string) *sim.Interaction {
	s.t.Helper()
	i, err := u.Click(s.ctx, on, id)
	s.check("press "+id, err)
	return i
}

// pick lets u choose an entry of a menu.
func (s *stage) pick(u *sim.User, on sim.Message, menu, entry string) *sim.Interaction {
	s.t.Helper()
	i, err := u.Select(s.ctx, on, menu, entry)
	s.check("choose "+entry, err)
	return i
}

// acked waits until the bot has answered.
func (s *stage) acked(i *sim.Interaction) {
	s.t.Helper()
	s.check("wait for an acknowledgement", i.WaitAck(s.ctx))
}

// form waits for the form that an interaction opens.
func (s *stage) form(i *sim.Interaction) sim.Modal {
	s.t.Helper()
	m, err := i.WaitModal(s.ctx)
	s.check("wait for a form", err)
	return m
}

// submit lets u fill in the form that an interaction has opened.
func (s *stage) submit(u *sim.User, form *sim.Interaction, values map[string]any) *sim.Interaction {
	s.t.Helper()
	i, err := u.SubmitModal(s.ctx, form, values)
	s.check("submit", err)
	return i
}

// reads waits until a message of the channel says something.
func (s *stage) reads(says string) {
	s.t.Helper()
	_, err := s.general.WaitMessage(s.ctx, func(m sim.Message) bool { return strings.Contains(m.Text(), says) })
	s.check("wait for "+says, err)
}

// sync registers the commands, and returns what it did.
func (s *stage) sync() []discord.Change {
	s.t.Helper()
	did, err := s.bot.Sync(s.ctx)
	s.check("sync", err)
	return did
}

// read is a job as it is recorded.
func (s *stage) read(id string) generate.Job {
	s.t.Helper()
	j, err := s.engine.Job(s.ctx, id)
	s.check("read", err)
	return j
}
