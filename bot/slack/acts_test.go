package slack_test

import (
	"ltxbot/bot/slack"
	sim "ltxbot/sim/slack"
)

// What people do on a stage. Each act ends the test where Slack would not let
// them, or where the bot does not answer.

// check ends the test where an act has failed.
func (s *stage) check(act string, err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("%s: %v\nlog:\n%s", act, err, s.log.String())
	}
}

// slash types a command.
func (s *stage) slash(u *sim.User, ch *sim.Channel, line string) sim.Receipt {
	s.t.Helper()
	r, err := u.Slash(s.ctx, ch, "/ltx", line)
	s.check("slash "+line, err)
	return r
}

// mention lets u name the bot and say something.
func (s *stage) mention(u *sim.User, ch *sim.Channel, text, thread string) {
	s.t.Helper()
	_, err := u.Mention(ch, text, thread)
	s.check("mention", err)
}

// shortcut lets u choose the shortcut of a message.
func (s *stage) shortcut(u *sim.User, m sim.Message) {
	s.t.Helper()
	_, err := u.MessageShortcut(s.ctx, m, slack.ShortcutMessage)
	s.check("shortcut", err)
}

// global lets u choose the shortcut that stands everywhere.
func (s *stage) global(u *sim.User) {
	s.t.Helper()
	_, err := u.GlobalShortcut(s.ctx, slack.ShortcutGlobal)
	s.check("global shortcut", err)
}

// click lets u press a button by its label or id, or choose from a menu.
func (s *stage) click(u *sim.User, on sim.Surface, label string, values ...string) {
	s.t.Helper()
	_, err := u.Click(s.ctx, on, label, values...)
	s.check("click "+label, err)
}

// view waits for a form.
func (s *stage) view(u *sim.User) sim.View {
	s.t.Helper()
	return s.viewThat(u, func(sim.View) bool { return true })
}

func (s *stage) viewThat(u *sim.User, is func(sim.View) bool) sim.View {
	s.t.Helper()
	form, err := u.WaitView(s.ctx, is)
	s.check("wait for a form", err)
	return form
}

// home waits for a Home tab.
func (s *stage) home(u *sim.User, is func(sim.View) bool) sim.View {
	s.t.Helper()
	home, err := u.WaitHome(s.ctx, is)
	s.check("wait for the Home tab", err)
	return home
}

// form lets ann open the form.
func (s *stage) form() sim.View {
	s.t.Helper()
	s.slash(s.ann, s.general, "")
	return s.view(s.ann)
}

// submit sends the form that is open.
func (s *stage) submit(u *sim.User, values map[string][]string) {
	s.t.Helper()
	s.submitForm(u, s.view(u), values)
}

func (s *stage) submitForm(u *sim.User, form sim.View, values map[string][]string) {
	s.t.Helper()
	_, err := u.SubmitView(s.ctx, form, values)
	s.check("submit", err)
}

// upload lets ann put files into a form.
func (s *stage) upload(names ...string) []string {
	s.t.Helper()
	ids := make([]string, 0, len(names))
	for _, name := range names {
		id, err := s.ann.AddFile(file(name))
		s.check("upload "+name, err)
		ids = append(ids, id)
	}
	return ids
}

// reads waits for a message of a channel.
func (s *stage) reads(ch *sim.Channel, is func(sim.Message) bool) sim.Message {
	s.t.Helper()
	m, err := ch.WaitMessage(s.ctx, is)
	s.check("wait for a message", err)
	return m
}

// connected waits until the bot has so many connections.
func (s *stage) connected(n int) {
	s.t.Helper()
	s.check("connect", s.sim.WaitConnected(s.ctx, n))
}

// wait waits for something that the simulator tells of.
func (s *stage) wait(is func() bool) {
	s.t.Helper()
	s.check("wait", s.sim.Wait(s.ctx, is))
}
