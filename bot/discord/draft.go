package discord

import (
	"crypto/rand"
	"strings"
	"time"

	"ltxbot/bot/view"
	"ltxbot/core/ltx"
)

// How long and how many drafts are remembered.
const (
	draftLife = 15 * time.Minute
	maxDrafts = 1000
)

// draft is a form that was refused, so that nobody has to type a prompt again.
// Drafts are in memory only: they hold what people wrote, and are worth no more
// than a few minutes.
type draft struct {
	user     string
	settings []ltx.Setting
	until    time.Time
}

// putDraft remembers what a user typed and returns its id.
func (b *Bot) putDraft(user string, settings []ltx.Setting) string {
	id := rand.Text()
	b.drafts.DeleteFunc(func(d draft) bool { return b.cfg.Now().After(d.until) })
	b.drafts.Put(id, draft{user: user, settings: settings, until: b.cfg.Now().Add(draftLife)})
	return id
}

// draft returns what the user typed, or nothing.
func (b *Bot) draft(user, id string) []ltx.Setting {
	if d := b.drafts.Get(id); d.user == user && !b.cfg.Now().After(d.until) {
		return d.settings
	}
	return nil
}

// formPrefix begins the id of a form, draftPrefix that of a button that opens a
// form again. A formKey follows.
const (
	formPrefix  = "v1:form:"
	draftPrefix = "v1:draft:"
)

// formKey says what a form is about.
type formKey struct {
	job   string      // that it edits or goes on from; "" for none
	draft string      // the files that go with it, or what was typed; "" for none
	step  view.Action // what it does with the job's video; "" = it edits the job
}

func (k formKey) id(prefix string) string {
	return prefix + k.job + ":" + k.draft + ":" + string(k.step)
}

func parseKey(prefix, id string) (formKey, bool) {
	rest, ok := strings.CutPrefix(id, prefix)
	parts := strings.Split(rest, ":")
	if !ok || len(parts) != 3 {
		return formKey{}, false
	}
	return formKey{parts[0], parts[1], view.Action(parts[2])}, true
}
