package librarytest

import (
	"context"
	"slices"
	"strconv"
	"sync"

	"ltxbot/core/library"
	"ltxbot/core/ltx"
	"ltxbot/core/team"
)

// Memory is a store in memory. Err, if set, is what every call returns.
type Memory struct {
	mu       sync.Mutex
	err      error
	teams    map[string]*library.Contents
	defaults map[[2]string][]ltx.Setting
	records  []team.Record
	changes  int
	reads    int
}

// NewMemory makes an empty store.
func NewMemory() *Memory {
	return &Memory{teams: map[string]*library.Contents{}, defaults: map[[2]string][]ltx.Setting{}}
}

// Fail makes every call return err; nil ends that.
func (m *Memory) Fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
}

// Reads is how often whole contents were read.
func (m *Memory) Reads() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.reads
}

// Fill replaces what a team keeps.
func (m *Memory) Fill(of string, c library.Contents) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.changes++
	c.Edition = strconv.Itoa(m.changes)
	m.teams[of] = &c
}

func (m *Memory) of(name string) *library.Contents {
	if m.teams[name] == nil {
		m.teams[name] = &library.Contents{}
	}
	return m.teams[name]
}

// Contents implements library.Store.
func (m *Memory) Contents(_ context.Context, of string) (library.Contents, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads++
	c := *m.of(of)
	c.LoRAs, c.Styles = slices.Clone(c.LoRAs), slices.Clone(c.Styles)
	return c, m.err
}

// Edition implements library.Store.
func (m *Memory) Edition(_ context.Context, of string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.of(of).Edition, m.err
}

// EditLoRA implements library.Store.
func (m *Memory) EditLoRA(_ context.Context, of, name string, edit func(*library.Entry, int) (*library.Entry, team.Record, error)) error {
	return change(m, of, func(c *library.Contents) (team.Record, error) {
		return replace(&c.LoRAs, func(e library.Entry) bool { return library.Fold(e.Name) == library.Fold(name) }, edit)
	})
}

// EditStyle implements library.Store.
func (m *Memory) EditStyle(_ context.Context, of, name string, edit func(*library.Style, int) (*library.Style, team.Record, error)) error {
	return change(m, of, func(c *library.Contents) (team.Record, error) {
		return replace(&c.Styles, func(s library.Style) bool { return library.Fold(s.Name) == library.Fold(name) }, edit)
	})
}

func change(m *Memory, of string, edit func(*library.Contents) (team.Record, error)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	r, err := edit(m.of(of))
	if err != nil {
		return err
	}
	m.changes++
	m.of(of).Edition = strconv.Itoa(m.changes)
	m.records = append(slices.DeleteFunc(m.records, func(old team.Record) bool { return old.ID == r.ID && old.Team == r.Team }), r)
	return nil
}

func replace[T any](all *[]T, named func(T) bool, edit func(*T, int) (*T, team.Record, error)) (team.Record, error) {
	var old *T
	i := slices.IndexFunc(*all, named)
	if i >= 0 {
		was := (*all)[i]
		old = &was
	}
	next, r, err := edit(old, len(*all))
	switch {
	case err != nil:
	case next != nil && i >= 0:
		(*all)[i] = *next
	case next != nil:
		*all = append(*all, *next)
	case i >= 0:
		*all = slices.Delete(*all, i, i+1)
	}
	return r, err
}

// Defaults implements library.Store.
func (m *Memory) Defaults(_ context.Context, of, member string) ([]ltx.Setting, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.defaults[[2]string{of, member}], m.err
}

// CountDefaults implements library.Store.
func (m *Memory) CountDefaults(_ context.Context, of string, match func([]ltx.Setting) bool) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for whose, settings := range m.defaults {
		if whose[0] == of && match(settings) {
			n++
		}
	}
	return n, m.err
}

// SetDefaults implements library.Store.
func (m *Memory) SetDefaults(_ context.Context, of, member string, settings []ltx.Setting) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	if len(settings) == 0 {
		settings = nil
	}
	m.defaults[[2]string{of, member}] = settings
	return nil
}

// Records are what was written to the audit log about a team, newest first.
func (m *Memory) Records(_ context.Context, of string, limit int) ([]team.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []team.Record
	for _, r := range slices.Backward(m.records) {
		if r.Team == of && len(out) < limit {
			out = append(out, r)
		}
	}
	return out, m.err
}

// Close does nothing: what a store in memory keeps remains.
func (m *Memory) Close() error { return nil }
