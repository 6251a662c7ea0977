package adapter

import (
	"errors"
	"fmt"
	"net/url"
)

// A LostError says that a call was sent, perhaps done, and not answered.
type LostError struct {
	Op  string
	Err error
}

func (e *LostError) Error() string { return fmt.Sprintf("%s: outcome is not known: %v", e.Op, e.Err) }

// Unwrap is the cause.
func (e *LostError) Unwrap() error { return e.Err }

// ErrNotDone says, in the error of a call, that nothing of it has arrived, or that
// it was put off.
var ErrNotDone = errors.New("not done")

// Lost reports whether a call may have been done in spite of its error.
func Lost(err error) bool {
	_, ok := errors.AsType[*LostError](err)
	return ok
}

// Scrub takes the address out of an error of the transport: paths and queries
// hold tokens.
func Scrub(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// A Finding is one thing that the check of an installation looked at.
type Finding struct {
	Name string // "token", "scope files:write", "guild 123"
	OK   bool
	Text string // what was found, and what to do about it
	Away bool   // the platform could not be asked, so nothing is known of it
}
