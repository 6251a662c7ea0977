package generate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"ltxbot/core/ltx"
)

// A Provider is the remote model queue. Its methods may be called from many
// goroutines. Every error it returns is safe to log: no key, no signed URL,
// no prompt.
type Provider interface {
	// Submit asks for one video with exactly one request that could be
	// billed. The error tells what is known of the outcome:
	//
	//   - *ProviderError: the provider answered and did not take the job. It
	//     comes with a Submission when the answer named one all the same;
	//   - ErrNotSent: it provably never reached the provider, calling Submit
	//     again is safe;
	//   - anything else: the outcome is unknown. Never call Submit again for
	//     this job; look it up with Find.
	Submit(ctx context.Context, j JobRequest) (Submission, error)

	// Status asks once how the submission is doing.
	Status(ctx context.Context, s Submission) (Status, error)

	// Watch yields a Status each time the provider pushes one, until the
	// submission is complete, ctx is done or the stream breaks. A stream
	// that ends without a completed Status says nothing about the job: go
	// on with Status.
	Watch(ctx context.Context, s Submission) iter.Seq2[Status, error]

	// Result fetches the output of a completed submission. ErrNotReady if
	// it is still in progress; *ProviderError if the job failed, which is
	// final for this submission unless it is Temporary. One with an
	// HTTPStatus of 500 or more may also come from a result that can't be
	// read at the moment: Status.Failed tells.
	Result(ctx context.Context, s Submission) (Result, error)

	// Cancel asks the provider to stop. It is a request, not a fact: go on
	// with Status until the submission is complete.
	Cancel(ctx context.Context, s Submission) (CancelOutcome, error)

	// Find looks for submissions of this very request (same seed, same prompt)
	// that the provider has received between two times, give or take the
	// difference of its clock, oldest first. It recovers a Submit whose
	// reply was lost. An error means that not all of that time could be
	// looked through and nothing was found in the rest.
	Find(ctx context.Context, j JobRequest, from, to time.Time) ([]Submission, error)

	// Open downloads the media at url from offset on. Only the provider's
	// media hosts are contacted, redirects included, and never with the key.
	Open(ctx context.Context, url string, offset int64) (Media, error)

	// Upload puts size bytes of body where the provider can fetch them as an
	// input, and returns their URL. It may be called again after any error.
	Upload(ctx context.Context, name, contentType string, body io.ReaderAt, size int64) (url string, err error)
}

// A JobRequest is what is submitted: a request, the endpoint that shall run it
// and the job it is for.
type JobRequest struct {
	Job      string // job id; travels in the webhook URL when webhooks are on
	Endpoint string // "fal-ai/ltx-2.3-22b/text-to-video/lora"
	Request  ltx.Request
	Deadline time.Time // the provider does not begin later; zero = at any time
}

// A Submission names a job at the provider. It is saved with the job before
// anything else is done.
type Submission struct {
	RequestID   string `json:"request_id"`
	Endpoint    string `json:"endpoint"`
	StatusURL   string `json:"status_url,omitempty"`
	ResponseURL string `json:"response_url,omitempty"`
	CancelURL   string `json:"cancel_url,omitempty"`
}

// Phase is how far a submission is at the provider.
type Phase string

// The phases of a submission. A provider may fall back from PhaseRunning to
// PhaseQueued when it retries by itself.
const (
	PhaseQueued   Phase = "queued"
	PhaseRunning  Phase = "running"
	PhaseComplete Phase = "complete" // finished, not necessarily well: Result tells
)

// A Status is one answer to "how is it doing".
type Status struct {
	Phase    Phase
	Position int     // jobs ahead in the queue; -1 when not told
	Percent  int     // 0 to 100 as read from the step logs; -1 when they show none
	Seconds  float64 // time the model ran, once complete; 0 when not told
	Failed   bool    // complete, and the provider says that there is an error instead of an output
}

// A Result is the output of a submission with what is known of its bill.
type Result struct {
	Output ltx.Output
	// BillableUnits is how many units of the endpoint's price (ltx.Price) the
	// provider says it bills; 0 when it says nothing.
	BillableUnits float64
}

// CancelOutcome is what the provider answered to a cancel.
type CancelOutcome string

// The answers to a cancel.
const (
	CancelRequested CancelOutcome = "requested" // may still complete
	CancelTooLate   CancelOutcome = "too_late"  // already complete
	CancelUnknown   CancelOutcome = "unknown"   // the provider does not know the submission
)

// Media is a download under way. The caller closes Body.
type Media struct {
	Body        io.ReadCloser
	Offset      int64 // where Body starts; 0 if the server ignored the range
	Size        int64 // bytes of the whole file; -1 when not told
	ContentType string
}

// ErrNotSent says that a request provably never reached the provider.
var ErrNotSent = errors.New("request was not sent")

// ErrNotReady says that the result is asked for before the job is complete.
var ErrNotReady = errors.New("result is not ready")

// ErrGone says that the provider no longer has what is asked for.
var ErrGone = errors.New("provider no longer has it")

// ErrForeign says that media is on a host that is not the provider's.
var ErrForeign = errors.New("the host is not one of the provider's media hosts")

// A ProviderError is an answer of the provider that is not what was asked
// for. Its text is for the operator's log.
type ProviderError struct {
	Op         string      // "submit", "status", "result", ...
	Kind       FailureKind // what it means for the job
	HTTPStatus int
	Type       string        // the provider's own name for the error: "content_policy_violation"
	Field      string        // the input it complains about: "num_frames"; may be empty
	Limit      string        // the limit it names: "<= 481"; may be empty
	RetryAfter time.Duration // when it may be tried again; 0 when not told
	Temporary  bool          // the same call may succeed later
	MayBill    bool          // the provider may bill this failure
	Message    string        // its words, scrubbed of keys and inputs, bounded
}

func (e *ProviderError) Error() string {
	s := fmt.Sprintf("%s: provider answered %d", e.Op, e.HTTPStatus)
	if e.Type != "" {
		s += " " + e.Type
	}
	if e.Field != "" {
		s += " for " + e.Field
	}
	if e.Message != "" {
		s += ": " + e.Message
	}
	return s
}
