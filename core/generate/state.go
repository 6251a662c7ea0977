package generate

import "slices"

// State is where a job is on its way from a command to a video.
type State string

// The states of a job.
const (
	Received   State = "received"   // recorded before it is acknowledged; nothing is held, nobody works on it
	Preparing  State = "preparing"  // what takes longer than an acknowledgement may: inputs, groups, then the hold
	Accepted   State = "accepted"   // recorded, quota held; waits for its turn
	Submitting State = "submitting" // about to ask the provider, or asking
	Queued     State = "queued"     // at the provider, waiting
	Running    State = "running"    // at the provider, being made
	Unknown    State = "unknown"    // asked, but the reply was lost: being looked for
	Fetched    State = "fetched"    // made and paid; the output is recorded, the file is on its way
	Delivering State = "delivering" // the courier has noted that it is about to post the video
	Delivered  State = "delivered"  // the video is in the channel
	Failed     State = "failed"     // there is no video in the channel; Failure says why
	Cancelled  State = "cancelled"  // stopped because somebody asked
)

// stateFacts is what each state means for the rest of the program.
var stateFacts = map[State]struct {
	terminal bool
	slot     bool // counts towards jobs at a time
	next     []State
}{
	Received:   {next: []State{Preparing, Accepted, Failed, Cancelled}},
	Preparing:  {next: []State{Accepted, Failed, Cancelled}},
	Accepted:   {slot: true, next: []State{Submitting, Failed, Cancelled}},
	Submitting: {slot: true, next: []State{Accepted, Queued, Unknown, Failed, Cancelled}},
	Unknown:    {slot: true, next: []State{Queued, Running, Failed}},
	Queued:     {slot: true, next: []State{Running, Fetched, Failed, Cancelled}},
	Running:    {slot: true, next: []State{Queued, Fetched, Failed, Cancelled}},
	Fetched:    {next: []State{Delivering, Delivered, Failed}},
	Delivering: {next: []State{Delivered, Failed}},
	Delivered:  {terminal: true},
	Failed:     {terminal: true, next: []State{Queued, Unknown, Fetched, Delivering, Delivered}},
	Cancelled:  {terminal: true, next: []State{Queued}},
}

// States is every state, in the order of a job's life.
var States = []State{
	Received, Preparing, Accepted, Submitting, Unknown, Queued, Running, Fetched, Delivering, Delivered, Failed, Cancelled,
}

// Terminal reports whether a job in state s is over.
func (s State) Terminal() bool { return stateFacts[s].terminal }

// Valid reports whether s is a state.
func (s State) Valid() bool {
	_, ok := stateFacts[s]
	return ok
}

// Cancellable reports whether asking to stop a job in state s makes sense.
func (s State) Cancellable() bool { return stateFacts[s].slot || s == Preparing }

// early reports whether a job in state s is not accepted yet: nothing is held
// for it.
func (s State) early() bool { return s == Received || s == Preparing }

// CanBecome reports whether a job may go from s to next in one step.
func (s State) CanBecome(next State) bool {
	return slices.Contains(stateFacts[s].next, next)
}
