package web

import (
	"context"
	"slices"
	"sync"
	"time"

	"ltxbot/core/quota"
	"ltxbot/core/team"
)

// How names are looked up: each is asked for once an hour, one that can't be had
// once a minute, and a page waits no longer than a moment for those that it lacks.
// Without its name, a member stands there by the id.
const (
	nameLife   = time.Hour
	nameRetry  = time.Minute
	nameWithin = 400 * time.Millisecond
	newNames   = 20 // of a page, at most
	askAtATime = 8
	maxNames   = 10_000
)

// names remembers what people are called.
type names struct {
	ask func(ctx context.Context, member string) (string, error) // nil = nobody tells
	now func() time.Time

	mu    sync.Mutex
	known map[string]calledName
}

type calledName struct {
	name  string // empty = it can't be had
	until time.Time
}

func newNamesOf(ask func(ctx context.Context, member string) (string, error), now func() time.Time) *names {
	return &names{ask: ask, now: now, known: map[string]calledName{}}
}

// of are the names of members, as far as they can be had now.
func (n *names) of(ctx context.Context, members []string) map[string]string {
	if n.ask == nil || len(members) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, nameWithin)
	defer cancel()
	n.lookUp(ctx, n.missing(members))
	n.mu.Lock()
	defer n.mu.Unlock()
	found := map[string]string{}
	for _, m := range members {
		if name := n.known[m].name; name != "" {
			found[m] = name
		}
	}
	return found
}

// missing are the members whose names are to be asked for.
func (n *names) missing(members []string) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var ask []string
	seen := map[string]bool{}
	for _, m := range members {
		if k, ok := n.known[m]; m != "" && !seen[m] && (!ok || !n.now().Before(k.until)) && len(ask) < newNames {
			ask = append(ask, m)
		}
		seen[m] = true
	}
	return ask
}

func (n *names) lookUp(ctx context.Context, members []string) {
	turn := make(chan struct{}, askAtATime)
	var all sync.WaitGroup
	for _, m := range members {
		all.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			if ctx.Err() != nil {
				return
			}
			name, err := n.ask(ctx, m)
			life := nameLife
			if err != nil || name == "" {
				life = nameRetry
			}
			n.mu.Lock()
			defer n.mu.Unlock()
			if len(n.known) >= maxNames {
				clear(n.known)
			}
			if err != nil {
				name = n.known[m].name // an old name is better than none
			}
			n.known[m] = calledName{name, n.now().Add(life)}
		})
	}
	all.Wait()
}

// mentions is a part of a page that is about members.
type mentions interface{ mentioned() []string }

func mentionedIn(rows []jobRow) []string {
	members := make([]string, 0, len(rows))
	for _, r := range rows {
		members = append(members, r.Member)
	}
	return members
}

func (o overview) mentioned() []string { return mentionedIn(o.Recent) }
func (l jobList) mentioned() []string  { return mentionedIn(l.Jobs) }
func (s story) mentioned() []string    { return []string{s.Member} }

func (l videoList) mentioned() []string {
	members := make([]string, 0, len(l.Videos))
	for _, v := range l.Videos {
		members = append(members, v.Member)
	}
	return members
}

func (l memberList) mentioned() []string { return reported(l.Report) }
func (p teamPage) mentioned() []string   { return reported(p.Report) }
func (p logPage) mentioned() []string    { return recorded(p.Records) }

func (p memberPage) mentioned() []string {
	return append(append(recorded(p.Log), reported(p.Report)...), p.Member)
}

func (r orderResult) mentioned() []string {
	if r.Report == nil {
		return nil
	}
	return append(reported(*r.Report), r.Report.Member)
}

func reported(r team.Report) []string {
	members := recorded(r.Records)
	for _, m := range r.Members {
		members = append(members, m.Member)
	}
	var by []string
	for _, g := range r.Grants {
		by = append(by, g.By)
	}
	if a := r.AdminState; a != nil {
		for _, o := range slices.Concat(a.Member.Overrides, a.Team.Overrides) {
			by = append(by, o.By)
		}
		for _, b := range []*quota.Block{a.Member.Blocked, a.Team.Paused} {
			if b != nil {
				by = append(by, b.By)
			}
		}
	}
	return append(members, membersAmong(by)...)
}

func recorded(records []team.Record) []string {
	members := make([]string, 0, 2*len(records))
	for _, r := range records {
		members = append(members, r.By, r.Member)
	}
	return membersAmong(members)
}

// membersAmong leaves out those who decide and are no members.
func membersAmong(who []string) []string {
	return slices.DeleteFunc(who, func(m string) bool { return m == "" || m == operatorName })
}
