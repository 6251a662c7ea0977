// Package generate takes a job from an accepted command to a delivered video.
//
// An Engine has a run for each unfinished job. A run calls the step of the job's
// state. A step saves its intention in the Store before it acts on the Provider or
// the Courier, and saves the outcome afterwards. If a process dies at any instant,
// another one reads the records and goes on: nothing that was paid for is lost, and
// nothing is paid for twice.
//
// A waiting job costs little memory: its goroutine only waits, and other goroutines
// do the work (work.go). All jobs together have one rate limit for polls and one for
// edits of cards (ratelimit.go). The few status streams go to the jobs that are nearest
// to their end (streams.go).
package generate

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"maps"
	"strings"
	"time"

	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/core/usd"
)

// Job is one Request on its way to one video: a durable record.
type Job struct {
	ID      string `json:"id"`
	Version int64  `json:"version"` // grows by one with each save
	State   State  `json:"state"`

	Event  string   `json:"event"` // what asked for it: "discord:1108…"; the same event is the same job
	Team   string   `json:"team"`
	Member string   `json:"member"`
	Tiers  []string `json:"tiers,omitempty"` // of the member, when it asked
	Place  Place    `json:"place"`
	Parent string   `json:"parent,omitempty"` // the job it was remixed from
	Batch  Batch    `json:"batch,omitzero"`   // of a command that asked for several videos

	Request    ltx.Request `json:"request"`
	Endpoint   string      `json:"endpoint"`
	Submission Submission  `json:"submission,omitzero"`
	Output     ltx.Output  `json:"output,omitzero"`
	Failure    Failure     `json:"failure,omitzero"`
	Receipt    Receipt     `json:"receipt,omitzero"`
	Copy       Copy        `json:"copy,omitzero"` // of the video, in the archive

	Estimate usd.Micros `json:"cost"`    // what it is expected to cost; it is held
	Charged  usd.Micros `json:"charged"` // what it cost in the end
	// Billed is what the provider says that it bills, when that is so much
	// more than the estimate that it was not charged; else 0.
	Billed usd.Micros `json:"billed,omitempty"`

	Line     quota.Line `json:"line"`               // the limits on jobs at a time it waits for
	Admitted bool       `json:"admitted,omitempty"` // its turn has come
	Owner    string     `json:"owner,omitempty"`    // the process that works on it

	// Unconfirmed is set when the process that recorded the job has died before
	// it was known whether the command was acknowledged.
	Unconfirmed bool `json:"unconfirmed,omitempty"`
	// Doubted is set when the store has lost writes of the job, or its video is
	// delivered once more: more may have been done than the record says. Couriers
	// look before they post.
	Doubted bool `json:"doubted,omitempty"`
	// Unsure is set when the job ended without the provider's word on its
	// request: a hint that the provider has run it takes it up again.
	Unsure bool `json:"unsure,omitempty"`
	// Cancel is set when somebody asked to stop the job.
	Cancel *CancelRequest `json:"cancel,omitempty"`
	// Redelivery is set when somebody asked to deliver the video once more.
	Redelivery *Redelivery `json:"redelivery,omitempty"`
	// Notes is what the courier must remember of its messages. Those that begin
	// with SecretNote are dropped when the job is over.
	Notes map[string]string `json:"notes,omitempty"`
	// Until is when the conversation stops taking messages, as far as it is
	// known; zero when it takes them at any time.
	Until time.Time `json:"until,omitzero"`
	// PostBefore is until when the conversation takes messages without fail: after
	// that it may refuse them. Zero when it does at any time.
	PostBefore time.Time `json:"post_before,omitzero"`
	// Shown is the last state that the card was made to show for good.
	Shown State `json:"shown,omitempty"`

	Created   time.Time `json:"created"`
	Submitted time.Time `json:"submitted,omitzero"` // when the provider was asked
	Started   time.Time `json:"started,omitzero"`   // when the model began
	Hinted    time.Time `json:"hinted,omitzero"`    // when the provider last said by itself that it has news
	Completed time.Time `json:"completed,omitzero"` // when the provider said that it is done, if there was no output then
	Fetched   time.Time `json:"fetched,omitzero"`   // when the output was there
	Finished  time.Time `json:"finished,omitzero"`  // when it became terminal
	Deadline  time.Time `json:"deadline,omitzero"`  // when the bot asks the provider to stop
	LookAt    time.Time `json:"look_at,omitzero"`   // when a submit that was given up as lost is looked for once more
	Purge     time.Time `json:"purge,omitzero"`     // from when the provider's copy is to be deleted; zero if it stays, or is gone
	Seconds   float64   `json:"seconds,omitempty"`  // time the model ran, as the provider says

	// Progress is not saved: it is lost with the process and found again by
	// the next status.
	Progress Progress `json:"-"`
	// Takes are all jobs of the batch, by Whole; nil of a job by itself.
	Takes []Job `json:"-"`
	// Gauges are the limits that apply and how far they are used. They are
	// not saved: the ledger knows better.
	Gauges []quota.Gauge `json:"-"`
}

// Place is the conversation that asked for a job and gets its video.
type Place struct {
	Platform string `json:"platform"`         // "discord", "slack"
	Tenant   string `json:"tenant"`           // guild or workspace id; empty in a direct message
	Channel  string `json:"channel"`          // channel id
	Thread   string `json:"thread,omitempty"` // thread id, where the platform has it apart from the channel
	User     string `json:"user"`             // the requester's id on the platform
	// Member is the requester where it is not the job's Member: its account is
	// linked with that one.
	Member  string `json:"member,omitempty"`
	Locale  string `json:"locale,omitempty"`  // the requester's language: "en-US"
	Private bool   `json:"private,omitempty"` // only the requester sees card and video
}

// CancelRequest is somebody's wish to stop a job.
type CancelRequest struct {
	By string    `json:"by"` // a member
	At time.Time `json:"at"`
	// Asked is when the provider was told; zero until then.
	Asked time.Time `json:"asked,omitzero"`
}

// Failure says why there is no video.
type Failure struct {
	Kind  FailureKind `json:"kind,omitempty"`
	Field string      `json:"field,omitempty"` // the parameter that the provider refused
	Limit string      `json:"limit,omitempty"` // the limit it named
	// Refusal is the limit that had no room, for FailQuota.
	Refusal *quota.LimitError `json:"refusal,omitempty"`
	// Invalid is what is wrong with a file, for FailInput, or with the model, for
	// FailModel.
	Invalid ltx.Invalid `json:"invalid,omitempty"`
}

// Receipt proves that a video was posted.
type Receipt struct {
	Message string    `json:"message,omitempty"` // the platform's id of the message
	Link    string    `json:"link,omitempty"`    // where a person finds it
	Fit     Fit       `json:"fit,omitempty"`     // how the video was made to fit
	Mark    Marking   `json:"mark,omitempty"`    // what became of the mark in the file
	SHA256  string    `json:"sha256,omitempty"`  // of the file, in hexadecimal; empty for a link
	At      time.Time `json:"at,omitzero"`
	// Notes become notes of the job, in the save that records the receipt.
	Notes map[string]string `json:"-"`
}

// Posted are the names by which the video is found again, as in Query.Posted:
// those of the file and of its message.
func (r Receipt) Posted() []string {
	var names []string
	if r.SHA256 != "" {
		names = append(names, PostedFile(r.SHA256))
	}
	if r.Link != "" {
		names = append(names, PostedLink(r.Link))
	}
	return names
}

// PostedFile is the name of a file that was posted, by its SHA-256 in
// hexadecimal.
func PostedFile(sum string) string { return "sha256:" + strings.ToLower(sum) }

// PostedLink is the name of a message that was posted, by its link: what leads
// to a thread in it does not matter.
func PostedLink(link string) string {
	link, _, _ = strings.Cut(link, "?")
	link, _, _ = strings.Cut(link, "#")
	return strings.TrimSuffix(link, "/")
}

// Fit is how a video came into the conversation.
type Fit string

// The ways of delivering a video.
const (
	FitOriginal  Fit = "original"  // as the model made it
	FitReencoded Fit = "reencoded" // made smaller
	FitLink      Fit = "link"      // not as a file: a link
)

// Progress is how far the provider is with a job.
type Progress struct {
	Position int           // jobs ahead in the provider's queue; -1 when not told
	Waiting  int           // place in the bot's own waiting line, from 1; 0 when not waiting
	Percent  int           // 0 to 100; never falls while the job runs
	Fitting  int           // 0 to 100 while the video is made to fit; 0 when it is not
	Expected time.Duration // how long jobs like this one run; 0 when not known
	Input    string        // the parameter whose file is being uploaded: "image_url"; else empty
	Retrying bool          // it could not be uploaded yet, and is tried again
}

// SecretNote begins the name of a note that holds a secret, such as the token of
// an interaction.
const SecretNote = "secret_"

// withoutSecrets is notes without those that hold a secret.
func withoutSecrets(notes map[string]string) map[string]string {
	notes = maps.Clone(notes)
	maps.DeleteFunc(notes, func(name, _ string) bool { return strings.HasPrefix(name, SecretNote) })
	return notes
}

// HoldsSlot reports whether j counts towards jobs at a time.
func (j Job) HoldsSlot() bool { return j.Admitted && stateFacts[j.State].slot }

// Waiting reports whether j waits for its turn.
func (j Job) Waiting() bool { return !j.Admitted && j.State == Accepted }

// AskedBy is who asked for the job, by the name on the platform where that was:
// there somebody can be mentioned.
func (j Job) AskedBy() string { return cmp.Or(j.Place.Member, j.Member) }

// Unfinished reports whether there is still work to do for j: it is under way,
// or the provider's copy of it is to be deleted.
func (j Job) Unfinished() bool { return j.underWay() || !j.Purge.IsZero() }

// underWay reports whether j is not terminal, its requester has not been shown
// how it ended, or its lost submit is to be looked for once more.
func (j Job) underWay() bool {
	return !j.State.Terminal() || j.Shown != j.State || !j.LookAt.IsZero()
}

// NewID derives a job's id from the event that asked for it, so that an event
// delivered twice is one job.
func NewID(event string) string {
	sum := sha256.Sum256([]byte(event))
	return strings.ToLower(idEncoding.EncodeToString(sum[:])[:idLength])
}

// idLength is the length of a job id: 12 characters of 5 bits are enough for
// a million jobs without a collision worth worrying about, and short enough to type.
const idLength = 12

// idEncoding leaves out the letters that are read as digits.
var idEncoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)
