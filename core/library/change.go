package library

import (
	"context"
	"errors"
	"maps"
	"strings"
	"time"

	"ltxbot/core/team"
)

// item is what a library keeps under a name: an Entry or a Style.
type item interface {
	named() (name, by string, at time.Time)
	describe() string
	Args() map[string]string
}

// An editor is Store.EditLoRA or Store.EditStyle.
type editor[T item] func(ctx context.Context, team, name string, edit func(old *T, count int) (*T, team.Record, error)) error

var (
	// errNone says that there is nothing of the name; what is like it is looked
	// for after the transaction.
	errNone = errors.New("nothing of this name")
	// errChecked ends the transaction of a check.
	errChecked = errors.New("nothing is to be changed")
)

// change is in with the name, and without its effect when c is a check.
func change[T item](c *call, in editor[T], name string, edit func(old *T, count int) (*T, team.Record, error)) error {
	err := in(c.ctx, c.team, name, func(old *T, count int) (*T, team.Record, error) {
		next, record, err := edit(old, count)
		if err == nil && c.check {
			err = errChecked
		}
		return next, record, err
	})
	if errors.Is(err, errChecked) {
		return nil
	}
	return err
}

// putNew keeps something under a name that is free. Of its kind there may be so
// many. The same order, brought a second time, does nothing new.
func putNew[T item](o *Office, c *call, in editor[T], what T, most int) (record team.Record, err error) {
	name, _, _ := what.named()
	err = change(c, in, name, func(old *T, count int) (*T, team.Record, error) {
		switch {
		case old != nil && c.again(*old, what):
		case old != nil:
			taken, _, _ := (*old).named()
			return nil, team.Record{}, c.fail(NameTaken, "name", taken)
		case count >= most:
			return nil, team.Record{}, &Error{Problem: Full, Verb: c.verb.Name, Max: most}
		}
		record = o.record(c, "", what.describe())
		return &what, record, nil
	})
	return record, err
}

// again reports whether what is there may come from the same order, brought a
// second time.
func (c *call) again(old, what item) bool {
	_, by, at := old.named()
	return by == c.by() && time.Since(at) < time.Minute && old.describe() == what.describe()
}

// amend changes what the order names: fill puts what the order says into it. none
// says that there is no such thing.
func amend[T item](o *Office, c *call, in editor[T], fill func(*T) error, none func(*call) *Error) (before, after T, record team.Record, err error) {
	if len(c.args) == 1 {
		return before, after, record, c.fail(NothingToDo, "", "")
	}
	err = change(c, in, c.args["name"], func(old *T, _ int) (*T, team.Record, error) {
		if err := mayReplace(c, old); err != nil {
			return nil, team.Record{}, err
		}
		before, after = *old, *old
		if err := fill(&after); err != nil {
			return nil, team.Record{}, err
		}
		if after.describe() == before.describe() {
			return nil, team.Record{}, c.fail(NothingToDo, "", "")
		}
		if err := c.overtaken(before); err != nil {
			return nil, team.Record{}, err
		}
		record = o.record(c, before.describe(), after.describe())
		return &after, record, nil
	})
	if errors.Is(err, errNone) {
		err = none(c)
	}
	return before, after, record, err
}

// overtaken is the *Error of an order whose form has shown another edition of
// what is there.
func (c *call) overtaken(what item) error {
	typed := team.Order{Verb: c.verb.Name, Args: maps.Clone(c.args), Seen: c.seen}
	now := shows(typed, what)
	if c.seen == "" || c.seen == now.Seen {
		return nil
	}
	for name, value := range typed.Args {
		if strings.EqualFold(value, None) {
			typed.Args[name] = ""
		}
	}
	name, _, _ := what.named()
	e := c.fail(Changed, "", name)
	e.Typed, e.Now = typed, now
	return e
}

// takeOut removes what the order names; none says that there is no such thing.
func takeOut[T item](o *Office, c *call, in editor[T], none func(*call) *Error) (gone T, record team.Record, err error) {
	err = change(c, in, c.args["name"], func(old *T, _ int) (*T, team.Record, error) {
		if err := mayReplace(c, old); err != nil {
			return nil, team.Record{}, err
		}
		gone = *old
		record = o.record(c, gone.describe(), "")
		return nil, record, nil
	})
	if errors.Is(err, errNone) {
		err = none(c)
	}
	return gone, record, err
}

// mayReplace reports why the actor can't change what is there.
func mayReplace[T item](c *call, old *T) error {
	if old == nil {
		return errNone
	}
	if name, by, _ := (*old).named(); !c.mayChange(by) {
		return c.fail(NotYours, "name", name)
	}
	return nil
}
