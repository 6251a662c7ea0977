package config

import (
	"fmt"
	"strings"
)

// A Problem is one thing that is wrong in a configuration.
type Problem struct {
	Key   string // "quota.tier[0].name", or the header of a table; empty if it is not known
	Value string // as written, quoted; empty if it is secret or absent
	Text  string // what is allowed, or what to do
	// Line and Column are where the key stands, from 1; 0 if it is not in a file.
	Line, Column int
}

// An InvalidError says everything that is wrong in a configuration, in the
// order of the file. It never holds a secret.
type InvalidError struct {
	File     string // empty if the configuration did not come from a file
	Problems []Problem
	// Unread says that the file is not TOML beyond a mistake: settings are not known.
	Unread bool
}

// Error is one line per problem: `ltx.toml:7:1: fal.grace = "-3m": must be
// longer than nothing`.
func (e *InvalidError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.in(e.File)
	}
	return strings.Join(lines, "\n")
}

// in writes the problem with the place where it is in file.
func (p Problem) in(file string) string {
	s := p.Key
	if p.Value != "" {
		s += " = " + p.Value
	}
	if s != "" {
		s += ": "
	}
	s += p.Text
	if file == "" && p.Line == 0 {
		return s
	}
	if p.Line == 0 {
		return file + ": " + s
	}
	if file == "" {
		file = "config"
	}
	return fmt.Sprintf("%s:%d:%d: %s", file, p.Line, p.Column, s)
}
