package discord

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"ltxbot/bot/view"
)

// Error codes that the bot acts on.
// https://discord.com/developers/docs/topics/opcodes-and-status-codes#json-json-error-codes
const (
	codeUnknownChannel     = 10003
	codeUnknownGuild       = 10004
	codeUnknownMember      = 10007
	codeUnknownMessage     = 10008
	codeUnknownUser        = 10013
	codeUnknownWebhook     = 10015
	codeExplicit           = 20009
	codeOldEdits           = 30046
	codeTooLarge           = 40005
	codeAlreadyAcked       = 40060
	codeMissingAccess      = 50001
	codeCannotDM           = 50007
	codeNotTextChannel     = 50008
	codeMissingPermissions = 50013
	codeFileTooLarge       = 50045
	codeThreadArchived     = 50083
	codeReplyHistory       = 160002
	codeThreadLocked       = 160005
	codeAutoMod            = 200000
	codeUploadsLimited     = 400001
)

// An APIError is a refusal by Discord. It carries nothing of what was sent:
// neither the path, which may hold an interaction's token, nor the fields'
// values.
type APIError struct {
	Op      string // what the bot wanted: "edit card"
	Status  int    // of HTTP
	Code    int    // Discord's, 0 when there is none
	Message string // Discord's, of the code
	Fields  []string
}

func (e *APIError) Error() string {
	text := fmt.Sprintf("%s: discord answered %d", e.Op, e.Status)
	if e.Code != 0 {
		text += fmt.Sprintf(", code %d", e.Code)
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	if len(e.Fields) > 0 {
		text += " (" + strings.Join(e.Fields, ", ") + ")"
	}
	return text
}

// A limitError says that Discord takes the request only later.
type limitError struct {
	after time.Duration
	scope string // user, shared, global, cloudflare
	code  int
}

func (e *limitError) Error() string {
	return fmt.Sprintf("rate limit of kind %s for %s", e.scope, e.after.Round(time.Millisecond))
}

// hasCode reports whether err is a refusal with one of the codes.
func hasCode(err error, codes ...int) bool {
	e, ok := errors.AsType[*APIError](err)
	return ok && slices.Contains(codes, e.Code)
}

// tokenDead reports whether the interaction's token is of no use any more. A
// token that was refused once is never tried again: repeated 401 and 404 get
// the whole machine banned.
// https://discord.com/developers/docs/topics/rate-limits#invalid-request-limit-aka-cloudflare-bans
func tokenDead(err error) bool {
	e, ok := errors.AsType[*APIError](err)
	if !ok {
		return false
	}
	if e.Code == codeUnknownMessage || e.Code == codeUnknownChannel {
		return false
	}
	return e.Status == http.StatusUnauthorized || e.Status == http.StatusNotFound
}

// conversationGone reports whether the channel does not exist any more, or
// the bot may not write there.
func conversationGone(err error) bool {
	return hasCode(err, codeUnknownChannel, codeMissingAccess, codeMissingPermissions, codeNotTextChannel, codeThreadArchived, codeThreadLocked)
}

// refusedForGood reports whether the same request will be refused again.
func refusedForGood(err error) bool {
	e, ok := errors.AsType[*APIError](err)
	return ok && e.Status < http.StatusInternalServerError
}

// tooLarge reports whether an upload was refused for its size.
func tooLarge(err error) bool {
	e, ok := errors.AsType[*APIError](err)
	return ok && (e.Status == http.StatusRequestEntityTooLarge || e.Code == codeTooLarge || e.Code == codeFileTooLarge)
}

// contentRefused reports whether the channel does not take what was posted,
// and will not later.
func contentRefused(err error) bool {
	e, ok := errors.AsType[*APIError](err)
	return ok && refusalReasons[e.Code] != ""
}

// refusalReasons say why a channel does not take a file.
var refusalReasons = map[int]view.LinkReason{
	codeExplicit: view.LinkExplicit, codeAutoMod: view.LinkModerated, codeUploadsLimited: view.LinkLimited,
}

// apiError makes an error of a refusal's body, which may be JSON or, from
// the edge of Discord's network, HTML.
func apiError(op string, status int, body []byte) *APIError {
	e := &APIError{Op: op, Status: status}
	var wire struct {
		Code    int             `json:"code"`
		Message string          `json:"message"`
		Errors  json.RawMessage `json:"errors"`
	}
	if json.Unmarshal(body, &wire) != nil {
		e.Message = http.StatusText(status)
		return e
	}
	e.Code, e.Message = wire.Code, wire.Message
	var tree any
	if json.Unmarshal(wire.Errors, &tree) == nil {
		e.Fields = fieldCodes("", tree)
	}
	return e
}

// maxFieldCodes bounds how much of a long list of errors is kept.
const maxFieldCodes = 8

// fieldCodes lists where and how a body was wrong. The messages are left out:
// they may repeat what a person wrote.
func fieldCodes(path string, node any) []string {
	m, ok := node.(map[string]any)
	if !ok {
		return nil
	}
	var out []string
	for key, inner := range m {
		if key != "_errors" {
			out = append(out, fieldCodes(strings.TrimPrefix(path+"."+key, "."), inner)...)
			continue
		}
		list, _ := inner.([]any)
		for _, item := range list {
			if one, ok := item.(map[string]any); ok {
				out = append(out, fmt.Sprintf("%s %v", path, one["code"]))
			}
		}
	}
	slices.Sort(out)
	return out[:min(len(out), maxFieldCodes)]
}
