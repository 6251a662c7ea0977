package store

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"

	"ltxbot/core/library"
	"ltxbot/core/ltx"
	"ltxbot/core/team"
	"ltxbot/store/kv"
)

var _ library.Store = (*Store)(nil)

// libraryRecord is what is known of a library without reading it.
type libraryRecord struct {
	stamp

	LoRAs   int    `json:"loras,omitempty"`
	Styles  int    `json:"styles,omitempty"`
	Edition string `json:"edition"`
}

type loraRecord struct {
	stamp
	library.Entry
}

type styleRecord struct {
	stamp
	library.Style
}

type defaultsRecord struct {
	stamp

	Settings []ltx.Setting `json:"settings"`
}

// Edition is that of a team's library; "" while there is nothing in it.
func (s *Store) Edition(ctx context.Context, of string) (string, error) {
	var r libraryRecord
	err := s.view(ctx, func(t *txn) error {
		r = libraryRecord{}
		_, err := load(t, join(libraryKey, of), &r)
		return err
	})
	return r.Edition, outcome("read the edition of the library of "+of, err)
}

// Contents are all that a team keeps in its library.
func (s *Store) Contents(ctx context.Context, of string) (library.Contents, error) {
	var c library.Contents
	err := s.view(ctx, func(t *txn) error {
		var r libraryRecord
		if _, err := load(t, join(libraryKey, of), &r); err != nil {
			return err
		}
		c = library.Contents{Edition: r.Edition}
		for k, data := range t.Scan(join(loraKey, of)+"/", "") {
			var l loraRecord
			if err := decode(k, data, &l); err != nil {
				return err
			}
			c.LoRAs = append(c.LoRAs, l.Entry)
		}
		for k, data := range t.Scan(join(styleKey, of)+"/", "") {
			var l styleRecord
			if err := decode(k, data, &l); err != nil {
				return err
			}
			c.Styles = append(c.Styles, l.Style)
		}
		return nil
	})
	return c, outcome("read the library of "+of, err)
}

// EditLoRA changes one LoRA of a team and writes the record of it.
func (s *Store) EditLoRA(ctx context.Context, of, name string, edit func(*library.Entry, int) (*library.Entry, team.Record, error)) error {
	return s.editLibrary(ctx, of, name, func(t *txn, index *libraryRecord) (team.Record, error) {
		var old *library.Entry
		var r loraRecord
		key := join(loraKey, of, library.Fold(name))
		found, err := load(t, key, &r)
		if err != nil {
			return team.Record{}, err
		}
		if found {
			old = &r.Entry
		}
		next, record, err := edit(old, index.LoRAs)
		if err != nil {
			return record, &refusedError{err}
		}
		if next == nil {
			return record, replace(t, key, nil, found, &index.LoRAs)
		}
		return record, replace(t, key, &loraRecord{v1, *next}, found, &index.LoRAs)
	})
}

// EditStyle changes one style of a team and writes the record of it.
func (s *Store) EditStyle(ctx context.Context, of, name string, edit func(*library.Style, int) (*library.Style, team.Record, error)) error {
	return s.editLibrary(ctx, of, name, func(t *txn, index *libraryRecord) (team.Record, error) {
		var old *library.Style
		var r styleRecord
		key := join(styleKey, of, library.Fold(name))
		found, err := load(t, key, &r)
		if err != nil {
			return team.Record{}, err
		}
		if found {
			old = &r.Style
		}
		next, record, err := edit(old, index.Styles)
		if err != nil {
			return record, &refusedError{err}
		}
		if next == nil {
			return record, replace(t, key, nil, found, &index.Styles)
		}
		return record, replace(t, key, &styleRecord{v1, *next}, found, &index.Styles)
	})
}

// replace writes what is under key from now on, and counts it.
func replace(tx kv.Tx, key string, next versioned, found bool, count *int) error {
	switch {
	case next != nil:
		if !found {
			*count++
		}
		return save(tx, key, next)
	case found:
		tx.Delete(key)
		*count--
	}
	return nil
}

func (s *Store) editLibrary(ctx context.Context, of, name string, edit func(*txn, *libraryRecord) (team.Record, error)) error {
	if err := checkNames(of, name); err != nil {
		return outcome("edit the library", err)
	}
	err := s.update(ctx, func(t *txn) error {
		var index libraryRecord
		if _, err := load(t, join(libraryKey, of), &index); err != nil {
			return err
		}
		record, err := edit(t, &index)
		if err != nil {
			return err
		}
		index.stamp, index.Edition = v1, rand.Text()
		if err := save(t, join(libraryKey, of), &index); err != nil {
			return err
		}
		return save(t, join(auditKey, of, stamped(record.At), record.ID), &auditRecord{v1, record})
	})
	if refused := (*refusedError)(nil); errors.As(err, &refused) {
		return refused.error
	}
	return outcome("edit the library of "+of, err)
}

// Defaults are what a member of a team has set for their own videos.
func (s *Store) Defaults(ctx context.Context, of, member string) ([]ltx.Setting, error) {
	var r defaultsRecord
	err := s.view(ctx, func(t *txn) error {
		r = defaultsRecord{}
		_, err := load(t, join(defaultsKey, of, member), &r)
		return err
	})
	return r.Settings, outcome("read defaults of "+member, err)
}

// SetDefaults replaces what a member of a team has set for their own videos.
func (s *Store) SetDefaults(ctx context.Context, of, member string, settings []ltx.Setting) error {
	if err := checkNames(of, member); err != nil {
		return outcome("set defaults", err)
	}
	return outcome("set defaults of "+member, s.update(ctx, func(t *txn) error {
		key := join(defaultsKey, of, member)
		if len(settings) == 0 {
			t.Delete(key)
			return nil
		}
		return save(t, key, &defaultsRecord{v1, settings})
	}))
}

// CountDefaults is how many members of a team have set defaults of which match is
// true.
func (s *Store) CountDefaults(ctx context.Context, of string, match func([]ltx.Setting) bool) (int, error) {
	n := 0
	err := s.pages(ctx, join(defaultsKey, of)+"/", "", func(keys []string, values [][]byte) error {
		for i, k := range keys {
			var r defaultsRecord
			if err := decode(k, values[i], &r); err != nil {
				return err
			}
			if match(r.Settings) {
				n++
			}
		}
		return nil
	})
	return n, outcome("read the defaults of members of "+of, err)
}

// ForgetDefaults removes what a member has set for their own videos, in a team or
// with an empty team in all.
func (s *Store) ForgetDefaults(ctx context.Context, of, member string) error {
	return outcome("forget the defaults of "+member, s.pages(ctx, defaultsKey, "", func(keys []string, _ [][]byte) error {
		mine := slices.DeleteFunc(slices.Clone(keys), func(k string) bool {
			names := split(defaultsKey, k)
			return of != "" && names[0] != of || names[1] != member
		})
		_, err := s.each(ctx, mine, func(t *txn, key string) (bool, error) {
			t.Delete(key)
			return true, nil
		})
		return err
	}))
}
