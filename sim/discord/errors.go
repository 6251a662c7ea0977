package discord

import (
	"fmt"
	"strings"
)

// An apiError is a refusal in the shape of Discord's API:
// {"message", "code", "errors": {field: {"_errors": [{"code", "message"}]}}}.
// https://discord.com/developers/docs/reference#error-messages
type apiError struct {
	status  int
	code    int
	message string
	fields  []fieldError
}

// The refusals that carry no field.
// https://discord.com/developers/docs/topics/opcodes-and-status-codes#json-json-error-codes
var (
	errUnauthorized       = &apiError{status: 401, message: "401: Unauthorized"}
	errNotFound           = &apiError{status: 404, message: "404: Not Found"}
	errMethodNotAllowed   = &apiError{status: 405, message: "405: Method Not Allowed"}
	errUnknownApplication = &apiError{status: 404, code: 10002, message: "Unknown Application"}
	errUnknownChannel     = &apiError{status: 404, code: 10003, message: "Unknown Channel"}
	errUnknownGuild       = &apiError{status: 404, code: 10004, message: "Unknown Guild"}
	errUnknownMember      = &apiError{status: 404, code: 10007, message: "Unknown Member"}
	errUnknownMessage     = &apiError{status: 404, code: 10008, message: "Unknown Message"}
	errUnknownUser        = &apiError{status: 404, code: 10013, message: "Unknown User"}
	errUnknownWebhook     = &apiError{status: 404, code: 10015, message: "Unknown Webhook"}
	errUnknownInteraction = &apiError{status: 404, code: 10062, message: "Unknown interaction"}
	errUnknownCommand     = &apiError{status: 404, code: 10063, message: "Unknown application command"}
	errNotAuthorizedApp   = &apiError{status: 403, code: 20012, message: "You are not authorized to perform this action on this application"}
	errTooManyCommands    = &apiError{status: 400, code: 30032, message: "Maximum number of application commands reached (100)"}
	errTooManyCreates     = &apiError{status: 429, code: 30034, message: "Max number of daily application command creates has been reached (200)"}
	errTooManyOldEdits    = &apiError{status: 429, code: 30046, message: "Maximum number of edits to messages older than 1 hour reached. Try again later."}
	errTooLarge           = &apiError{status: 413, code: 40005, message: "Request entity too large"}
	errAlreadyAcked       = &apiError{status: 400, code: 40060, message: "Interaction has already been acknowledged."}
	errTooManyFollowups   = &apiError{status: 400, code: 40094, message: "This interaction has reached the maximum number of follow-up messages"}
	errUserAgent          = &apiError{status: 403, code: 40333, message: "internal network error"}
	errMissingAccess      = &apiError{status: 403, code: 50001, message: "Missing Access"}
	errForeignMessage     = &apiError{status: 403, code: 50005, message: "Cannot edit a message authored by another user"}
	errEmptyMessage       = &apiError{status: 400, code: 50006, message: "Cannot send an empty message"}
	errCannotDM           = &apiError{status: 403, code: 50007, message: "Cannot send messages to this user"}
	errNotTextChannel     = &apiError{status: 400, code: 50008, message: "Cannot send messages in a non-text channel"}
	errMissingPermissions = &apiError{status: 403, code: 50013, message: "Missing Permissions"}
	errWebhookToken       = &apiError{status: 401, code: 50027, message: "Invalid Webhook Token"}
	errAPIVersion         = &apiError{status: 400, code: 50041, message: "Invalid API version provided"}
	errArchivedThread     = &apiError{status: 400, code: 50083, message: "Thread is archived"}
	errInvalidJSON        = &apiError{status: 400, code: 50109, message: "The request body contains invalid JSON."}
	errLockedThread       = &apiError{status: 400, code: 160005, message: "Thread is locked"}
	errReplyHistory       = &apiError{status: 403, code: 160002, message: "Cannot reply without permission to read message history"}
)

func (e *apiError) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%d %s (code %d)", e.status, e.message, e.code)
	for _, f := range e.fields {
		text.WriteString("; " + f.path + ": " + f.message)
	}
	return text.String()
}

// body returns the JSON of the refusal.
func (e *apiError) body() map[string]any {
	out := map[string]any{"message": e.message, "code": e.code}
	if len(e.fields) == 0 {
		return out
	}
	tree := map[string]any{}
	for _, f := range e.fields {
		node := tree
		for part := range strings.SplitSeq(f.path, ".") {
			if part == "" {
				continue
			}
			next, ok := node[part].(map[string]any)
			if !ok {
				next = map[string]any{}
				node[part] = next
			}
			node = next
		}
		list, _ := node["_errors"].([]any)
		node["_errors"] = append(list, map[string]any{"code": f.code, "message": f.message})
	}
	out["errors"] = tree
	return out
}

// A fieldError says what is wrong with the field at path ("embeds.0.title").
type fieldError struct {
	path, code, message string
}

// invalidForm returns 50035 Invalid Form Body, or nil when there is no error.
func invalidForm(fields ...fieldError) *apiError {
	if len(fields) == 0 {
		return nil
	}
	return &apiError{status: 400, code: 50035, message: "Invalid Form Body", fields: fields}
}

// A RefusedError says that a Discord client would not have let the person do
// this: the command is not registered here, an option is missing or out of
// range, the button is not there.
type RefusedError struct {
	Action string // "slash command", "click", …
	Field  string // option or custom id, may be empty
	Reason string
}

func (e *RefusedError) Error() string {
	if e.Field == "" {
		return e.Action + ": " + e.Reason
	}
	return e.Action + ": " + e.Field + ": " + e.Reason
}
