package generate

// FailureKind says why a job has no video. It is a closed list: each kind has
// one text for people and one metric label.
type FailureKind string

// The kinds of failure.
const (
	FailRefused     FailureKind = "refused"     // content checker refused the prompt or its result
	FailInvalid     FailureKind = "invalid"     // the provider refused a parameter
	FailLoRA        FailureKind = "lora"        // a LoRA could not be downloaded or is too large
	FailNoMedia     FailureKind = "no_media"    // the model made no video
	FailTimeout     FailureKind = "timeout"     // it took longer than the deadline
	FailProvider    FailureKind = "provider"    // the provider had a problem of its own
	FailBusy        FailureKind = "busy"        // the provider takes no more work for now
	FailAccount     FailureKind = "account"     // key refused, balance exhausted, account locked: the operator must act
	FailCancelled   FailureKind = "cancelled"   // the provider says that the job was cancelled
	FailLost        FailureKind = "lost"        // a submit's reply was lost and the job was never found
	FailGivenUp     FailureKind = "given_up"    // the provider never ended it
	FailExpired     FailureKind = "expired"     // the result was gone before it could be fetched
	FailUnreachable FailureKind = "unreachable" // the conversation is gone or refuses the bot
	FailQuota       FailureKind = "quota"       // a limit had no room: Failure.Refusal says which
	FailNotAllowed  FailureKind = "not_allowed" // the requester may not make videos here
	FailModel       FailureKind = "model"       // the requester may not choose the model: Failure.Invalid says who may
	FailInterrupted FailureKind = "interrupted" // the bot ended when the command came, and can't tell whether it was answered
	FailUnprepared  FailureKind = "unprepared"  // what the bot must know before it starts could not be found out, or has changed
	// FailUnacknowledged is a command that the platform has called failed.
	FailUnacknowledged FailureKind = "unacknowledged"
	FailInternal       FailureKind = "internal" // a bug or a broken store of this bot

	// FailInput and those below are about a file that was given: Failure.Field is
	// its parameter.
	FailInput       FailureKind = "input"        // it does not fit the model: Failure.Invalid says how
	FailInputType   FailureKind = "input_type"   // another kind of file is wanted: Failure.Limit
	FailInputLarge  FailureKind = "input_large"  // it has more bytes than Failure.Limit
	FailInputBroken FailureKind = "input_broken" // it is cut off or damaged
	FailInputGone   FailureKind = "input_gone"   // it was deleted, or the bot can't see it
	FailInputLink   FailureKind = "input_link"   // the link may not be fetched: not public, not https, not an allowed host
	FailInputHost   FailureKind = "input_host"   // no host has the name in the link
	FailInputFetch  FailureKind = "input_fetch"  // its host does not answer, or the provider's storage
)

// FailureKinds is every kind of failure, for metrics and texts.
var FailureKinds = []FailureKind{
	FailRefused, FailInvalid, FailLoRA, FailNoMedia, FailTimeout, FailProvider, FailBusy,
	FailAccount, FailCancelled, FailLost, FailGivenUp, FailExpired, FailUnreachable,
	FailQuota, FailNotAllowed, FailModel, FailInterrupted, FailUnprepared, FailUnacknowledged, FailInternal,
	FailInput, FailInputType, FailInputLarge, FailInputBroken, FailInputGone, FailInputLink, FailInputHost, FailInputFetch,
}
