package discord

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
	"sync"
	"time"

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

// draftPrefix begins the id of a button that opens a form again.
const draftPrefix = "v1:draft:"

func draftID(draft, job string) string { return draftPrefix + draft + ":" + job }

func parseDraftID(id string) (draft, job string, ok bool) {
	rest, ok := strings.CutPrefix(id, draftPrefix)
	if !ok {
		return "", "", false
	}
	draft, job, ok = strings.Cut(rest, ":")
	return draft, job, ok
}
