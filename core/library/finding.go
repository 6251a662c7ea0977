package library

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"
)

// A Checker looks at LoRAs' files. Its methods may be called from many
// goroutines.
type Checker interface {
	// Check looks at the LoRA at a path as ltx.LoRA has it. What is wrong with
	// the LoRA is in the finding; the error is ErrOff, ErrUnreachable, ErrHost or
	// that of ctx. It takes seconds, and no error tells the path.
	Check(ctx context.Context, path string) (Finding, error)
	// Known is what the last look has found, without another one.
	Known(path string) (Finding, bool)
	// Inspect looks at a file of size bytes that somebody has given. It reads
	// the beginning of it. The error is that of r.
	Inspect(r io.Reader, size int64) (Finding, error)
}

// Why nothing was looked at.
var (
	ErrOff         = errors.New("the operator does not let the bot look at files of LoRAs")
	ErrUnreachable = errors.New("the host can't be asked now") // later it may
	ErrHost        = errors.New("the host is not one of those that are allowed")
)

// A Finding is what the file of a LoRA says of itself. It is made from the first
// few kilobytes of the file; the weights are not read.
type Finding struct {
	File      string    `json:"file,omitempty"`       // the address of the file, without what may be secret
	Tensors   int       `json:"tensors,omitempty"`    //
	Rank      int       `json:"rank,omitempty"`       // 0 = not known
	BaseModel string    `json:"base_model,omitempty"` // what it was made for: "LTX-2.3"; empty = nothing tells
	Trigger   string    `json:"trigger,omitempty"`    // trigger words, where the file names them
	Bytes     int64     `json:"bytes,omitempty"`      // of the whole file; 0 = the host does not tell
	Warnings  []Warning `json:"warnings,omitempty"`   // the most important one first
	ETag      string    `json:"etag,omitempty"`       // of this version of the file; may be empty
	At        time.Time `json:"at"`                   // when the host was asked last
}

// A Warning is what may keep a LoRA from working.
type Warning struct {
	Kind  WarningKind `json:"kind"`
	Value string      `json:"value,omitempty"` // what the kind says
	Files []string    `json:"files,omitempty"` // links to the files of which one must be chosen
}

// WarningKind is a closed list: each kind has one text for people, which says
// what to do.
type WarningKind string

// The kinds of a Warning, with what is in its Value. With the first of them the
// LoRA can't be loaded; with the others it may not do what is expected.
const (
	Missing      WarningKind = "missing"       // nothing is there
	NotPublic    WarningKind = "not_public"    // the host wants to know who asks, or the link is over; Value is the host
	Gated        WarningKind = "gated"         // people must accept terms first
	NeedsToken   WarningKind = "needs_token"   // Civitai wants a token
	LeadsAstray  WarningKind = "leads_astray"  // to an address that is not public, or not over https, or in circles
	WebPage      WarningKind = "web_page"      // an HTML page instead of the file
	GitPointer   WarningKind = "git_pointer"   // the pointer that Git keeps in place of a large file
	Pickle       WarningKind = "pickle"        // a file that may run code
	NotTensors   WarningKind = "not_tensors"   // no header of safetensors
	CutOff       WarningKind = "cut_off"       // shorter than its header says
	TooLarge     WarningKind = "too_large"     // Value is the limit: "3 GB"
	NoWeights    WarningKind = "no_weights"    // a repository without a .safetensors file
	SeveralFiles WarningKind = "several_files" // a repository with several; Files
	WholeModel   WarningKind = "whole_model"   // a model or a part of one, not an addition to it

	OtherModel   WarningKind = "other_model"   // Value is the model that it was made for
	UnknownModel WarningKind = "unknown_model" // nothing in it tells the model
	NeedsVideo   WarningKind = "needs_video"   // an IC-LoRA: it follows a reference video
	OtherMethod  WarningKind = "other_method"  // Value is the method: "LoKr"
)

// fatal are the kinds with which a LoRA can't be loaded.
var fatal = []WarningKind{
	Missing, NotPublic, Gated, NeedsToken, LeadsAstray, WebPage, GitPointer, Pickle, NotTensors, CutOff, TooLarge,
	NoWeights, SeveralFiles, WholeModel,
}

// WarningKinds returns every kind.
func WarningKinds() []WarningKind {
	return slices.Concat(fatal, []WarningKind{OtherModel, UnknownModel, NeedsVideo, OtherMethod})
}

// Fatal reports whether the LoRA can't be loaded.
func (w Warning) Fatal() bool { return slices.Contains(fatal, w.Kind) }

// Usable reports whether the LoRA can be loaded, as far as is known.
func (f Finding) Usable() bool { return !slices.ContainsFunc(f.Warnings, Warning.Fatal) }

// Warning returns the warning of a kind, if there is one.
func (f Finding) Warning(kind WarningKind) (Warning, bool) {
	at := slices.IndexFunc(f.Warnings, func(w Warning) bool { return w.Kind == kind })
	if at < 0 {
		return Warning{}, false
	}
	return f.Warnings[at], true
}
