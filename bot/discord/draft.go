package discord

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
	"sync"
	"time"

	"ltxbot/bot/view"
	"ltxbot/core/ltx"
)

// How long and how many drafts are remembered.
const (
	draftLife = 15 * time.Minute
	maxDrafts = 1000
)

// drafts are the forms that were refused, so that nobody has to type a prompt
// again. They are in memory only: they hold what people wrote, and are worth
// no more than a few minutes.
type drafts struct {
	now func() time.Time

	mu   sync.Mutex
	byID map[string]draft
}

type draft struct {
	user     string
	settings []ltx.Setting
	until    time.Time
}

func newDrafts(now func() time.Time) drafts { return drafts{now: now, byID: map[string]draft{}} }

// put remembers what a user typed and returns its id.
func (d *drafts) put(user string, settings []ltx.Setting) string {
	var random [8]byte
	if _, err := rand.Read(random[:]); err != nil {
		return ""
	}
	id := hex.EncodeToString(random[:])
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	for old, e := range d.byID {
		if now.After(e.until) {
			delete(d.byID, old)
		}
	}
	if len(d.byID) < maxDrafts {
		d.byID[id] = draft{user: user, settings: settings, until: now.Add(draftLife)}
	}
	return id
}

// get returns what the user typed, or nothing.
func (d *drafts) get(user, id string) []ltx.Setting {
	d.mu.Lock()
	defer d.mu.Unlock()
	e, ok := d.byID[id]
	if !ok || e.user != user || d.now().After(e.until) {
		return nil
	}
	return e.settings
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
