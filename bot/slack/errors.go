package slack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"ltxbot/bot/adapter"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
)

// An APIError is a refusal by Slack. It carries nothing of what was sent.
type APIError struct {
	Op     string   // what the bot wanted: "post card"
	Code   string   // Slack's name for it: "channel_not_found"
	Needed string   // the scope that is missing, if that is it
	Detail []string // of arguments that were wrong; places, not values
}

func (e *APIError) Error() string {
	text := e.Op + ": slack answered " + e.Code
	if e.Needed != "" {
		text += ", needed: " + e.Needed
	}
	if len(e.Detail) > 0 {
		text += " (" + strings.Join(e.Detail, "; ") + ")"
	}
	return text
}

// A limitError says that Slack takes the call only later.
type limitError struct {
	op    string
	after time.Duration
}

func (e *limitError) Error() string { return fmt.Sprintf("%s: rate limit for %s", e.op, e.after) }

// A FatalError says that the bot cannot be on Slack until somebody acts. Its
// text says what to do.
type FatalError struct {
	Code   string // Slack's, such as "token_revoked", or one of this package
	Reason string
}

func (e *FatalError) Error() string { return "slack: " + e.Reason + " (" + e.Code + ")" }

// fatalCodes are the answers that no repetition changes, with what to do.
// https://docs.slack.dev/reference/methods/auth.test
// https://docs.slack.dev/reference/methods/apps.connections.open
var fatalCodes = map[string]string{ //nolint:gosec // words about tokens, no tokens
	"not_authed":              "a token is missing; set slack.bot_token and slack.app_token",
	"invalid_auth":            "Slack does not know the token; copy it again from https://api.slack.com/apps",
	"account_inactive":        "the app was removed from the workspace; install it again and set the new token",
	"app_uninstalled":         "the app was removed from the workspace; install it again and set the new token",
	"token_revoked":           "the token was revoked; install the app again and set the new token",
	"token_expired":           "the token has expired; switch off token rotation for the app, or install it again",
	"org_login_required":      "the workspace is being moved to an organisation; install the app there",
	"team_access_not_granted": "the organisation has not given the app access to this workspace",
	"not_allowed_token_type":  "slack.bot_token must start with xoxb- and slack.app_token with xapp-",
	"socket_mode_not_enabled": switchOn,
	"link_disabled":           switchOn,
	"app_token_scope":         "slack.app_token needs the scope connections:write; make a new one under Basic Information, App-Level Tokens",
}

// fatal is the *FatalError that err is, or nil.
func fatal(err error) error {
	if e, ok := errors.AsType[*APIError](err); ok && fatalCodes[e.Code] != "" {
		return &FatalError{Code: e.Code, Reason: fatalCodes[e.Code]}
	}
	return nil
}

// unsureCodes are the answers after which the call may have been done all the
// same.
// https://docs.slack.dev/reference/methods/chat.postMessage#errors
var unsureCodes = []string{
	"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org", "external_channel_migrating",
}

// goneCodes are the answers of a conversation that does not exist any more,
// or where the bot may not post.
// https://docs.slack.dev/reference/methods/chat.postMessage#errors
// https://docs.slack.dev/reference/methods/files.completeUploadExternal#errors
var goneCodes = []string{
	"channel_not_found", "not_in_channel", "is_archived", "is_inactive", "posting_to_channel_denied", "access_denied", "invalid_channel",
	"restricted_action", "restricted_action_read_only_channel", "restricted_action_thread_only_channel",
	"restricted_action_non_threadable_channel", "restricted_action_thread_locked", "messages_tab_disabled",
	"cannot_dm_bot", "user_not_found", "user_disabled", "method_not_supported_for_channel_type", "no_permission",
}

// noFileCodes are the answers of a workspace or channel that takes messages
// but not this file, with what people are told.
// https://docs.slack.dev/reference/methods/files.getUploadURLExternal#errors
// https://docs.slack.dev/reference/methods/files.completeUploadExternal#errors
var noFileCodes = map[string]view.LinkReason{
	"file_upload_size_restricted":               view.LinkTooLarge,
	"file_uploads_disabled":                     view.LinkUploadsOff,
	"storage_limit_reached":                     view.LinkFull,
	"missing_scope":                             view.LinkNoRight,
	"ekm_access_denied":                         view.LinkDenied,
	"file_uploads_except_images_disabled":       view.LinkDenied,
	"blocked_file_type":                         view.LinkDenied,
	"file_type_not_allowed":                     view.LinkDenied,
	"slack_connect_file_upload_sharing_blocked": view.LinkShared,
	"slack_connect_blocked_file_type":           view.LinkShared,
	"slack_connect_clip_sharing_blocked":        view.LinkShared,
}

// noFile reports whether err says that a file is not taken, and why.
func noFile(err error) (why view.LinkReason, ok bool) {
	if e, is := errors.AsType[*APIError](err); is {
		why, ok = noFileCodes[e.Code]
	}
	return why, ok
}

// hasCode reports whether err is a refusal with one of the codes.
func hasCode(err error, codes ...string) bool {
	e, ok := errors.AsType[*APIError](err)
	return ok && slices.Contains(codes, e.Code)
}

// isLimit reports whether the call may be made only later.
func isLimit(err error) bool {
	_, ok := errors.AsType[*limitError](err)
	return ok
}

// courierError says to the engine what an error means for a job. A bot without
// a valid token keeps its jobs until somebody has mended that; one of several
// workspaces that has removed the app ends its own.
func (b *Bot) courierError(ctx context.Context, j generate.Job, err error) error {
	var limited *limitError
	var again *generate.RetryError
	switch f := fatal(err); {
	case err == nil, errors.As(err, &again):
		return err
	case f != nil && b.registry != nil:
		return b.refusedInstallation(ctx, installationOf(j), err)
	case f != nil:
		b.fail(f)
		return &generate.RetryError{After: time.Minute, Err: err}
	case errors.As(err, &limited):
		return &generate.RetryError{After: limited.after, Err: err}
	case adapter.Lost(err):
		return &generate.RetryError{After: b.cfg.Timing.Settle, Err: err}
	case hasCode(err, goneCodes...):
		return fmt.Errorf("%w: %w", generate.ErrUnreachable, err)
	}
	return err
}

// outcome is what is known of one try of a call.
type outcome int

const (
	done    outcome = iota // answered, for good or ill
	unsent                 // nothing arrived at Slack
	limited                // refused for now
	unknown                // perhaps done
)

// judge makes an error of slack-go one of this package.
func judge(op string, err error) (outcome, error) {
	var (
		refusal slack.SlackErrorResponse
		rate    *slack.RateLimitedError
		status  slack.StatusCodeError
		dial    *net.OpError
	)
	switch {
	case err == nil:
		return done, nil
	case errors.As(err, &rate):
		return limited, &limitError{op: op, after: max(rate.RetryAfter, time.Second)}
	case errors.As(err, &refusal) && refusal.Err == "ratelimited":
		return limited, &limitError{op: op, after: time.Second}
	case errors.As(err, &refusal):
		e := &APIError{Op: op, Code: refusal.Err, Needed: refusal.Needed, Detail: refusal.ResponseMetadata.Messages}
		if slices.Contains(unsureCodes, e.Code) {
			return unknown, e
		}
		return done, e
	case errors.As(err, &status) && status.Code < 500:
		return done, &APIError{Op: op, Code: status.Status}
	case errors.As(err, &dial) && dial.Op == "dial":
		return unsent, fmt.Errorf("%s: %w", op, adapter.Scrub(err))
	}
	return unknown, fmt.Errorf("%s: %w", op, adapter.Scrub(err))
}
