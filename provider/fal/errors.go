package fal

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"ltxbot/core/generate"
)

// A meaning is what one of fal's errors says about the job.
type meaning struct {
	kind generate.FailureKind
	// bills: the GPU may have worked before the error. fal says that a 422
	// "may be charged" then. https://fal.ai/docs/documentation/model-apis/faq
	bills bool
	// passing: a submit that was refused with it may be accepted later.
	passing bool
}

// byType is every error that fal documents, by its type.
// https://fal.ai/docs/documentation/model-apis/errors and …/request-errors
var byType = map[string]meaning{
	// the model's own
	"content_policy_violation":       {kind: generate.FailRefused, bills: true},
	"no_media_generated":             {kind: generate.FailNoMedia, bills: true},
	"file_download_error":            {kind: generate.FailLoRA},
	"file_too_large":                 {kind: generate.FailLoRA},
	"generation_timeout":             {kind: generate.FailTimeout},
	"internal_server_error":          {kind: generate.FailProvider},
	"downstream_service_error":       {kind: generate.FailProvider},
	"downstream_service_unavailable": {kind: generate.FailProvider, passing: true},

	// the queue's
	"request_timeout":           {kind: generate.FailBusy}, // it never started
	"startup_timeout":           {kind: generate.FailBusy, passing: true},
	"runner_scheduling_failure": {kind: generate.FailProvider, passing: true},
	"runner_connection_timeout": {kind: generate.FailProvider, passing: true},
	"runner_disconnected":       {kind: generate.FailProvider, passing: true},
	"runner_connection_refused": {kind: generate.FailProvider, passing: true},
	"runner_connection_error":   {kind: generate.FailProvider, passing: true},
	"runner_incomplete_response": {
		kind: generate.FailProvider,
	},
	"runner_server_error":       {kind: generate.FailProvider},
	"internal_error":            {kind: generate.FailProvider},
	"client_disconnected":       {kind: generate.FailCancelled},
	"client_cancelled":          {kind: generate.FailCancelled},
	"bad_request":               {kind: generate.FailInvalid},
	"concurrent_requests_limit": {kind: generate.FailBusy, passing: true},

	// an input outside its limits, found before any work
	"greater_than":                       {kind: generate.FailInvalid},
	"greater_than_equal":                 {kind: generate.FailInvalid},
	"less_than":                          {kind: generate.FailInvalid},
	"less_than_equal":                    {kind: generate.FailInvalid},
	"multiple_of":                        {kind: generate.FailInvalid},
	"sequence_too_short":                 {kind: generate.FailInvalid},
	"sequence_too_long":                  {kind: generate.FailInvalid},
	"one_of":                             {kind: generate.FailInvalid},
	"feature_not_supported":              {kind: generate.FailInvalid},
	"image_too_small":                    {kind: generate.FailInvalid},
	"image_too_large":                    {kind: generate.FailInvalid},
	"image_load_error":                   {kind: generate.FailInvalid},
	"face_detection_error":               {kind: generate.FailInvalid},
	"invalid_archive":                    {kind: generate.FailInvalid},
	"archive_file_count_below_minimum":   {kind: generate.FailInvalid},
	"archive_file_count_exceeds_maximum": {kind: generate.FailInvalid},
	"audio_duration_too_long":            {kind: generate.FailInvalid},
	"audio_duration_too_short":           {kind: generate.FailInvalid},
	"video_duration_too_long":            {kind: generate.FailInvalid},
	"video_duration_too_short":           {kind: generate.FailInvalid},
	"unsupported_audio_format":           {kind: generate.FailInvalid},
	"unsupported_image_format":           {kind: generate.FailInvalid},
	"unsupported_video_format":           {kind: generate.FailInvalid},

	// pydantic's. https://docs.pydantic.dev/latest/errors/validation_errors/
	"assertion_error":         {kind: generate.FailInvalid},
	"bool_parsing":            {kind: generate.FailInvalid},
	"bool_type":               {kind: generate.FailInvalid},
	"dict_type":               {kind: generate.FailInvalid},
	"enum":                    {kind: generate.FailInvalid},
	"extra_forbidden":         {kind: generate.FailInvalid},
	"finite_number":           {kind: generate.FailInvalid},
	"float_parsing":           {kind: generate.FailInvalid},
	"float_type":              {kind: generate.FailInvalid},
	"int_from_float":          {kind: generate.FailInvalid},
	"int_parsing":             {kind: generate.FailInvalid},
	"int_parsing_size":        {kind: generate.FailInvalid},
	"int_type":                {kind: generate.FailInvalid},
	"json_invalid":            {kind: generate.FailInvalid},
	"json_type":               {kind: generate.FailInvalid},
	"list_type":               {kind: generate.FailInvalid},
	"literal_error":           {kind: generate.FailInvalid},
	"missing":                 {kind: generate.FailInvalid},
	"model_attributes_type":   {kind: generate.FailInvalid},
	"model_type":              {kind: generate.FailInvalid},
	"string_pattern_mismatch": {kind: generate.FailInvalid},
	"string_too_long":         {kind: generate.FailInvalid},
	"string_too_short":        {kind: generate.FailInvalid},
	"string_type":             {kind: generate.FailInvalid},
	"too_long":                {kind: generate.FailInvalid},
	"too_short":               {kind: generate.FailInvalid},
	"url_parsing":             {kind: generate.FailInvalid},
	"url_scheme":              {kind: generate.FailInvalid},
	"url_type":                {kind: generate.FailInvalid},
	"value_error":             {kind: generate.FailInvalid},
}

// contentCheck finds the words of a content check that comes without a type,
// or with pydantic's for any error that is raised in a validator.
// https://fal.ai/docs/documentation/model-apis/errors#content_policy_violation
var contentCheck = regexp.MustCompile(`(?i)content[ _-]?(checker|check|policy|filter|moderation)|safety[ _-]?(checker|filter|system)|flagged by|\bnsfw\b`)

// statusClientClosed is what fal answers for a request that was cancelled.
const statusClientClosed = 499

// byStatus is what an answer means that names no type we know.
func byStatus(status int) meaning {
	switch status {
	case http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden,
		// the configured model or URL does not exist
		http.StatusNotFound, http.StatusMethodNotAllowed:
		return meaning{kind: generate.FailAccount}
	case http.StatusTooManyRequests:
		return meaning{kind: generate.FailBusy, passing: true}
	case http.StatusUnprocessableEntity:
		// A refusal that we have no name for: nobody knows whether the GPU
		// had worked.
		return meaning{kind: generate.FailInvalid, bills: true}
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		return meaning{kind: generate.FailInvalid}
	case statusClientClosed:
		return meaning{kind: generate.FailCancelled}
	case http.StatusServiceUnavailable:
		return meaning{kind: generate.FailProvider, passing: true}
	}
	return meaning{kind: generate.FailProvider}
}

// A complaint is one entry of the list in "detail". Its input, which repeats
// what the person asked for, serves only to be taken out of its words.
type complaint struct {
	Loc   []any          `json:"loc"`
	Msg   string         `json:"msg"`
	Type  string         `json:"type"`
	Ctx   map[string]any `json:"ctx"`
	Input any            `json:"input"`
}

// A trouble is an error body, in any of the shapes that fal gives it.
type trouble struct {
	list      []complaint
	text      string // "detail" as a string
	errorType string
}

// typed says whether the body tells what went wrong with the job, as opposed
// to a proxy's page or a bare sentence.
func (t trouble) typed() bool { return len(t.list) > 0 || t.errorType != "" }

// readTrouble reads what it can from an error answer and ignores the rest.
func readTrouble(a answer) trouble {
	t := trouble{errorType: a.header.Get("X-Fal-Error-Type")}
	var body struct {
		Detail    json.RawMessage `json:"detail"`
		ErrorType json.RawMessage `json:"error_type"`
		Error     json.RawMessage `json:"error"`
	}
	if json.Unmarshal(a.body, &body) != nil {
		return t
	}
	if s := asString(body.ErrorType); s != "" {
		t.errorType = s
	}
	t.text = cmp.Or(asString(body.Detail), asString(body.Error))
	var items []json.RawMessage
	if json.Unmarshal(body.Detail, &items) != nil && t.text == "" && len(body.Detail) > 0 {
		items = []json.RawMessage{body.Detail}
	}
	for _, raw := range items {
		var p complaint
		if json.Unmarshal(raw, &p) == nil && (p.Type != "" || p.Msg != "") {
			t.list = append(t.list, p)
		}
	}
	return t
}

func asString(raw json.RawMessage) string {
	var s string
	_ = json.Unmarshal(raw, &s) // not a string: none
	return s
}

// refusal turns an answer that is not what op asked for into an error. The
// private texts never appear in it.
//
// Temporary is about the same call: for a submit, that it was not accepted and
// may be later; for any other, that the answer says nothing final about the
// job.
func (c *Client) refusal(op string, a answer, private ...string) *generate.ProviderError {
	t := readTrouble(a)
	e := &generate.ProviderError{Op: op, HTTPStatus: a.status, RetryAfter: a.retryAfter()}
	words := t.text
	name := t.errorType
	if len(t.list) > 0 {
		first := t.list[0]
		name = cmp.Or(first.Type, name)
		words = first.Msg
		e.Field, e.Limit = c.scrub.text(field(first.Loc), private...), c.scrub.text(limit(first.Ctx), private...)
		private = append(inputs(t.list), private...)
	}
	m, known := byType[name]
	if m.kind == generate.FailLoRA && isInput(e.Field) { // no LoRA, but a file that somebody gave
		m.kind = generate.FailInputGone
		if name == "file_too_large" {
			m.kind = generate.FailInputLarge
		}
	}
	if !known {
		m = byStatus(a.status)
	}
	said := c.scrub.text(words, private...)
	if (!known || name == "value_error") && a.status < http.StatusInternalServerError && contentCheck.MatchString(said) {
		m = byType["content_policy_violation"]
	}
	e.Kind = m.kind
	e.Type = c.scrub.text(name)
	if e.Kind != generate.FailRefused { // a checker may quote what it objects to
		e.Message = said
	}
	e.MayBill = m.bills && a.status == http.StatusUnprocessableEntity
	if units, err := strconv.ParseFloat(a.header.Get("X-Fal-Billable-Units"), 64); err == nil {
		e.MayBill = units > 0
	}
	if op == opSubmit {
		e.Temporary = m.passing || a.flag("X-Fal-Needs-Retry", "X-Fal-Retryable")
	} else {
		e.Temporary = temporary(a, t)
	}
	return e
}

// isInput reports whether a field is one of the files that people give.
func isInput(field string) bool { return strings.HasSuffix(field, "_url") }

// temporary says whether an answer to a GET leaves open how the job ended. So
// does a refused key: once the operator has mended it, a video that is paid
// for can still be fetched.
func temporary(a answer, t trouble) bool {
	switch {
	case a.status == http.StatusRequestTimeout, a.status == http.StatusTooManyRequests:
		return true
	case t.typed():
		return false
	case a.status == http.StatusUnauthorized, a.status == http.StatusForbidden:
		return true
	case a.status >= 500:
		return t.text == "" || a.requestID() == ""
	}
	return false
}

// inputs are the texts that the complaints repeat from the request: of one
// field, or of the whole of it when a field is missing.
func inputs(list []complaint) (found []string) {
	var collect func(any)
	collect = func(v any) {
		switch v := v.(type) {
		case string:
			found = append(found, v)
		case []any:
			for _, x := range v {
				collect(x)
			}
		case map[string]any:
			for _, x := range v {
				collect(x)
			}
		}
	}
	for _, p := range list {
		collect(p.Input)
	}
	// Longest first: a short one may be part of a long one.
	slices.SortFunc(found, func(a, b string) int { return len(b) - len(a) })
	return found
}

// field names an input from pydantic's loc: ["body","loras",0,"scale"] is
// loras[0].scale.
func field(loc []any) string {
	var b strings.Builder
	for i, part := range loc {
		switch p := part.(type) {
		case string:
			if i == 0 && p == "body" {
				continue
			}
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(p)
		case float64:
			fmt.Fprintf(&b, "[%d]", int(p))
		}
	}
	return b.String()
}

// limitNames is how a limit reads, by the key of ctx that holds it.
var limitNames = []struct{ key, format string }{
	{"gt", "> %v"},
	{"ge", ">= %v"},
	{"lt", "< %v"},
	{"le", "<= %v"},
	{"multiple_of", "a multiple of %v"},
	{"min_length", "at least %v long"},
	{"max_length", "at most %v long"},
	{"max_size", "at most %v bytes"},
	{"min_width", "at least %v wide"},
	{"min_height", "at least %v high"},
	{"max_width", "at most %v wide"},
	{"max_height", "at most %v high"},
	{"min_duration", "at least %v s"},
	{"max_duration", "at most %v s"},
	{"expected", "one of %v"},
	{"supported_formats", "one of %v"},
	{"supported_extensions", "one of %v"},
}

// limit writes the limits in a complaint's ctx: "<= 481".
func limit(ctx map[string]any) string {
	var found []string
	for _, n := range limitNames {
		switch v := ctx[n.key].(type) {
		case nil:
		case float64:
			found = append(found, fmt.Sprintf(n.format, strconv.FormatFloat(v, 'f', -1, 64)))
		case []any:
			names := make([]string, 0, len(v))
			for _, x := range v {
				names = append(names, fmt.Sprint(x))
			}
			found = append(found, fmt.Sprintf(n.format, strings.Join(names, ", ")))
		default:
			found = append(found, fmt.Sprintf(n.format, v))
		}
	}
	return strings.Join(found, ", ")
}
