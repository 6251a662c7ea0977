package library

import (
	"context"
	"strings"
	"time"

	"ltxbot/core/ltx"
	"ltxbot/core/team"
)

// An Entry is a LoRA that a team gave a name.
type Entry struct {
	Name string `json:"name" toml:"name"`
	// Path is a Hugging Face "owner/repo" or the https URL of a file. It holds
	// no secret: everybody in the team may see it.
	Path     string   `json:"path" toml:"path"`
	Scale    float64  `json:"scale" toml:"scale"` // when a request names none
	Trigger  string   `json:"trigger,omitempty" toml:"trigger,omitempty"`
	Negative string   `json:"negative,omitempty" toml:"negative,omitempty"`
	Note     string   `json:"note,omitempty" toml:"note,omitempty"`
	Example  string   `json:"example,omitempty" toml:"example,omitempty"` // a prompt that shows it off
	Seed     *int64   `json:"seed,omitempty" toml:"seed,omitempty"`       // of the example
	Models   []string `json:"models,omitempty" toml:"models,omitempty"`   // that it was made for; empty = not said

	By string    `json:"by" toml:"-"` // a member, or quota.Operator
	At time.Time `json:"at" toml:"-"` // when it was added
}

// LoRA is the entry as a request uses it.
func (e Entry) LoRA() ltx.LoRA {
	return ltx.LoRA{Name: e.Name, Path: e.Path, Scale: e.Scale, Trigger: e.Trigger, Negative: e.Negative}
}

// A Style is a set of options that a team gave a name.
type Style struct {
	Name string `json:"name" toml:"name"`
	// Options is a line as people type it, without a prompt: "camera:static lora:film@0.8".
	Options string `json:"options,omitempty" toml:"options,omitempty"`
	Prefix  string `json:"prefix,omitempty" toml:"prefix,omitempty"` // words before the prompt
	Suffix  string `json:"suffix,omitempty" toml:"suffix,omitempty"` // words after it
	Note    string `json:"note,omitempty" toml:"note,omitempty"`

	Settings []ltx.Setting `json:"settings,omitempty" toml:"-"` // what Options say

	By string    `json:"by" toml:"-"`
	At time.Time `json:"at" toml:"-"`
}

// Style is the style as a request uses it.
func (s Style) Style() ltx.Style {
	return ltx.Style{Name: s.Name, Settings: s.Settings, Prefix: s.Prefix, Suffix: s.Suffix}
}

// Contents are all that a team keeps, by name.
type Contents struct {
	// Edition is another one after each change.
	Edition string
	LoRAs   []Entry
	Styles  []Style
}

// Bounds of a library.
const (
	MaxLoRAs  = 5000 // of one team
	MaxStyles = 500
)

// A Store keeps libraries. Names are found in any case. All methods may be
// called from many goroutines and processes; each is atomic and durable when
// it returns nil.
type Store interface {
	// Contents are all that a team keeps.
	Contents(ctx context.Context, team string) (Contents, error)
	// Edition is that of the contents.
	Edition(ctx context.Context, team string) (string, error)

	// EditLoRA changes one LoRA and writes the record of it, in one atomic
	// step. edit is given the entry of that name, nil if there is none, and how
	// many LoRAs the team has; it returns the new entry, nil to remove it. It may
	// be called several times and must have no other effects. Its error is
	// returned, and nothing is changed.
	EditLoRA(ctx context.Context, team, name string, edit func(old *Entry, count int) (*Entry, team.Record, error)) error
	// EditStyle is EditLoRA for a style.
	EditStyle(ctx context.Context, team, name string, edit func(old *Style, count int) (*Style, team.Record, error)) error

	// Defaults are what a member of a team has set for their own videos.
	Defaults(ctx context.Context, team, member string) ([]ltx.Setting, error)
	// SetDefaults replaces them; none takes them back.
	SetDefaults(ctx context.Context, team, member string, settings []ltx.Setting) error
	// CountDefaults is how many members of a team have set defaults of which match
	// is true.
	CountDefaults(ctx context.Context, team string, match func([]ltx.Setting) bool) (int, error)
}

// Fold is a name as it is compared.
func Fold(name string) string { return strings.ToLower(name) }
