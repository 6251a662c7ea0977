package library

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"ltxbot/core/ltx"
)

// How long what is in memory is believed without a look at the store, and how
// long that look may take: people wait for it.
const (
	freshFor  = 3 * time.Second
	lookLimit = 400 * time.Millisecond
)

// Bounds of what is in memory: at least one team of any size.
const (
	shelvedTeams   = 500
	shelvedEntries = 50_000 // LoRAs and styles of all teams
)

// A Shelf keeps libraries in memory. Its methods may be called from many
// goroutines.
type Shelf struct {
	store Store
	log   *slog.Logger

	mu    sync.Mutex
	teams map[string]*shelved
	tick  int64
}

// shelved is the library of one team.
type shelved struct {
	mu      sync.Mutex // held while the store is asked
	at      *Snapshot
	checked time.Time

	used int64 // of the Shelf's mu: when it was last needed
	size int
}

// NewShelf makes an empty shelf.
func NewShelf(s Store, log *slog.Logger) *Shelf {
	return &Shelf{store: s, log: log, teams: map[string]*shelved{}}
}

// Of is the library of a team, at most a few seconds old; it is empty while
// the store can't be read. The empty team has nothing.
func (s *Shelf) Of(team string) *Snapshot {
	if team == "" {
		return &Snapshot{}
	}
	e := s.entry(team)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.at != nil && time.Since(e.checked) < freshFor {
		return e.at
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookLimit)
	defer cancel()
	if err := s.refresh(ctx, team, e); err != nil {
		s.log.Warn("cannot read a library", "team", team, "error", err)
		if e.at == nil {
			e.at = &Snapshot{edition: unread}
		}
	}
	e.checked = time.Now()
	return e.at
}

// unread is the edition of a library that could not be read.
const unread = "unread"

// refresh reads the library if it is another one than that in memory.
func (s *Shelf) refresh(ctx context.Context, team string, e *shelved) error {
	if e.at != nil {
		edition, err := s.store.Edition(ctx, team)
		if err != nil || edition == e.at.edition {
			return err
		}
	}
	c, err := s.store.Contents(ctx, team)
	if err != nil {
		return err
	}
	e.at = newSnapshot(c)
	s.keep(team, e, len(c.LoRAs)+len(c.Styles))
	return nil
}

// Changed says that a library is another one now.
func (s *Shelf) Changed(team string) {
	e := s.entry(team)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.checked = time.Time{}
}

// entry is the place of a team.
func (s *Shelf) entry(team string) *shelved {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.teams[team]
	if e == nil {
		e = &shelved{}
		s.teams[team] = e
	}
	s.tick++
	e.used = s.tick
	s.trim(team)
	return e
}

// keep notes how large a library is.
func (s *Shelf) keep(team string, e *shelved, size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.size = size
	s.trim(team)
}

// trim drops what was needed longest ago, but not the library of team. The
// caller holds mu.
func (s *Shelf) trim(team string) {
	total := 0
	for _, e := range s.teams {
		total += e.size
	}
	for len(s.teams) > 1 && (len(s.teams) > shelvedTeams || total > shelvedEntries) {
		oldest := ""
		for name, e := range s.teams {
			if name != team && (oldest == "" || e.used < s.teams[oldest].used) {
				oldest = name
			}
		}
		total -= s.teams[oldest].size
		delete(s.teams, oldest)
	}
}

// A Snapshot is the library of a team at one moment. The zero value is empty.
type Snapshot struct {
	edition string
	loras   []Entry // by folded name
	styles  []Style
	words   []string // of each LoRA, as it is searched
}

func newSnapshot(c Contents) *Snapshot {
	s := &Snapshot{edition: c.Edition, loras: slices.Clone(c.LoRAs), styles: slices.Clone(c.Styles)}
	slices.SortFunc(s.loras, func(a, b Entry) int { return strings.Compare(Fold(a.Name), Fold(b.Name)) })
	slices.SortFunc(s.styles, func(a, b Style) int { return strings.Compare(Fold(a.Name), Fold(b.Name)) })
	s.words = make([]string, len(s.loras))
	for i, e := range s.loras {
		s.words[i] = searched(e.Name + "\n" + e.Note)
	}
	return s
}

// searched is a text as it is searched: case does not matter, nor how words
// are held together.
func searched(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '-' {
			return ' '
		}
		return r
	}, strings.ToLower(strings.TrimSpace(s)))
}

// LoRA finds a LoRA by its name.
func (s *Snapshot) LoRA(name string) (Entry, bool) {
	i, ok := slices.BinarySearchFunc(s.loras, Fold(name), func(e Entry, name string) int { return strings.Compare(Fold(e.Name), name) })
	if !ok {
		return Entry{}, false
	}
	return s.loras[i], true
}

// Style finds a style by its name.
func (s *Snapshot) Style(name string) (Style, bool) {
	i, ok := slices.BinarySearchFunc(s.styles, Fold(name), func(e Style, name string) int { return strings.Compare(Fold(e.Name), name) })
	if !ok {
		return Style{}, false
	}
	return s.styles[i], true
}

// Find are at most limit of the LoRAs whose name or note holds what was typed:
// first those whose name begins with it, each group by name. total is how many
// there are.
func (s *Snapshot) Find(typed string, limit int) (found []Entry, total int) {
	typed = searched(typed)
	var begin, hold []int
	for i, words := range s.words {
		switch {
		case strings.HasPrefix(words, typed):
			begin = append(begin, i)
		case strings.Contains(words, typed):
			hold = append(hold, i)
		}
	}
	for _, i := range append(begin, hold...) {
		if len(found) == limit {
			break
		}
		found = append(found, s.loras[i])
	}
	return found, len(begin) + len(hold)
}

// Styles are all styles, by name.
func (s *Snapshot) Styles() []Style { return slices.Clone(s.styles) }

// Apply adds the library to the rules of requests.
func (s *Snapshot) Apply(r ltx.Rules) ltx.Rules {
	r.Library = func(name string) (ltx.LoRA, bool) {
		e, ok := s.LoRA(name)
		return e.LoRA(), ok
	}
	r.LibraryNames = func() []string {
		names := make([]string, 0, len(s.loras))
		for _, e := range s.loras {
			names = append(names, e.Name)
		}
		return names
	}
	r.Styles = func(name string) (ltx.Style, bool) {
		e, ok := s.Style(name)
		return e.Style(), ok
	}
	r.StyleNames = func() []string {
		names := make([]string, 0, len(s.styles))
		for _, e := range s.styles {
			names = append(names, e.Name)
		}
		return names
	}
	return r
}
