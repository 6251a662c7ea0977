package generate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ltxbot/core/ltx"
)

// A Courier carries a job's news to the conversation that asked for it. Its
// methods may be called for many jobs at once. For one job they are not called
// in parallel, except that Show may be called while Video.Fetch or OpenInput is
// under way.
type Courier interface {
	// Show makes the card say what j now is. It is called again with newer
	// states and may be called twice with the same one. It returns a
	// *RetryError to be called again later, and ErrUnreachable when the
	// conversation is gone for good.
	Show(ctx context.Context, j Job, keep Keep) error

	// Deliver posts the videos of j in one message, once, however often it is
	// called for the same job: each as a file, or as a link when Video.Link says
	// so or Video.Fetch returns a *LinkError. There is more than one if j is a
	// batch. The receipts are in the order of the videos. Its errors are those of
	// Show.
	Deliver(ctx context.Context, j Job, videos []Video, keep Keep) ([]Receipt, error)

	// Tell says by a message of its own, which notifies the requester, how j
	// ended without a video: once, however often it is called. Its errors are those
	// of Show.
	Tell(ctx context.Context, j Job, keep Keep) error

	// Acknowledged reports whether the command of j was acknowledged. It
	// returns ErrCannotTell when that is not known; after any other error it is
	// asked again.
	Acknowledged(ctx context.Context, j Job) (bool, error)

	// Prepare returns j with what accepting it needs and takes longer than an
	// acknowledgement may: who asks, in which tiers. A *RefusedError ends the
	// job, and so does ErrUnreachable; after any other error it is called again.
	Prepare(ctx context.Context, j Job) (Job, error)

	// OpenInput opens a file that was given in the conversation of j, by its
	// Ref. It returns ErrGone when the file was deleted or the bot can't see it,
	// and a *RetryError or another error to be called again. It may be called
	// while Show is under way.
	OpenInput(ctx context.Context, j Job, m ltx.Media) (Media, error)
}

// ErrCannotTell says that it is not known whether a command was acknowledged.
var ErrCannotTell = errors.New("it is not known whether the command was acknowledged")

// A RefusedError says why a job that was acknowledged is not accepted.
type RefusedError struct{ Failure Failure }

func (e *RefusedError) Error() string { return "job is refused: " + string(e.Failure.Kind) }

// Keep saves what a courier must remember of its messages (ids, whether a
// file was shared) with the job. It is durable when it returns nil; the next
// call for the job finds it in Job.Notes. An empty value removes a note.
type Keep func(ctx context.Context, notes map[string]string) error

// A Video is a finished output on its way to a conversation.
type Video struct {
	Job    Job // that it was made for: of a batch, a take
	Output ltx.Output
	// Fetch brings the media to a file on disk of at most limit bytes,
	// downloading it once and making it smaller if need be. It returns a
	// *LinkError if a link is to take its place. The file is there for as long
	// as the courier is called for the job.
	Fetch func(ctx context.Context, limit int64) (File, error)
	// Link says that the video is to be posted as a link now: as a file it was
	// tried long enough. Fetch returns a *LinkError.
	Link bool
}

// A LinkError says that a link takes the place of the file. What it wraps says
// why: a *TooLargeError, ErrUploads, ErrForeign, or another reason why the
// video can't be brought here.
type LinkError struct{ Err error }

func (e *LinkError) Error() string { return "a link takes the place of the video: " + e.Err.Error() }

// Unwrap is the reason.
func (e *LinkError) Unwrap() error { return e.Err }

// ErrUploads says that uploads to a conversation keep failing.
var ErrUploads = errors.New("uploads keep failing")

// ErrUnreachable says that a conversation is gone, or refuses the bot for good.
var ErrUnreachable = errors.New("conversation is unreachable")

// A RetryError says that the same call may succeed after some time: the platform
// is busy, or must be waited for. It is no failure to take a video: a link does
// not take its place for that.
type RetryError struct {
	After time.Duration
	Err   error
}

func (e *RetryError) Error() string { return fmt.Sprintf("%v (again in %s)", e.Err, e.After) }

// Unwrap is the cause.
func (e *RetryError) Unwrap() error { return e.Err }

// A TooLargeError says that a video has more bytes than there is room for.
type TooLargeError struct {
	Size  int64 // bytes of the original; 0 when not known
	Limit int64
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("video of %d bytes does not fit into %d", e.Size, e.Limit)
}
