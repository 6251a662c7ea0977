package view

import (
	"strings"

	"ltxbot/bot/text"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
)

// failures is what a person can do after each kind of failure, the most
// promising first. The texts are failure.* and failure_next.* of the
// catalogue.
var failures = map[generate.FailureKind]struct{ actions []Action }{
	generate.FailRefused:     {[]Action{ActEdit, ActRetry}},
	generate.FailInvalid:     {[]Action{ActEdit}},
	generate.FailLoRA:        {[]Action{ActEdit, ActRetry}},
	generate.FailNoMedia:     {[]Action{ActRetry, ActEdit}},
	generate.FailTimeout:     {[]Action{ActEdit, ActRetry}},
	generate.FailProvider:    {[]Action{ActRetry, ActEdit}},
	generate.FailBusy:        {[]Action{ActRetry}},
	generate.FailAccount:     {[]Action{ActRetry}},
	generate.FailCancelled:   {[]Action{ActRetry, ActEdit}},
	generate.FailLost:        {[]Action{ActRetry}},
	generate.FailGivenUp:     {[]Action{ActRetry}},
	generate.FailExpired:     {[]Action{ActRetry}},
	generate.FailUnreachable: {[]Action{ActRetry}},
	generate.FailQuota:       {[]Action{ActRetry, ActEdit}},
	generate.FailNotAllowed:  {},
	generate.FailModel:       {[]Action{ActEdit}},
	generate.FailInterrupted: {[]Action{ActRetry}},
	generate.FailUnprepared:  {[]Action{ActRetry}},

	generate.FailUnacknowledged: {[]Action{ActRetry}},
	generate.FailInternal:       {[]Action{ActRetry}},

	generate.FailInput:       {[]Action{ActEdit}},
	generate.FailInputType:   {[]Action{ActEdit}},
	generate.FailInputLarge:  {[]Action{ActEdit}},
	generate.FailInputBroken: {[]Action{ActEdit}},
	generate.FailInputGone:   {[]Action{ActEdit, ActRetry}},
	generate.FailInputLink:   {[]Action{ActEdit}},
	generate.FailInputHost:   {[]Action{ActEdit}},
	generate.FailInputFetch:  {[]Action{ActRetry, ActEdit}},
}

// failureKind is why a job has no video, as far as there is a text for it.
func failureKind(j generate.Job) generate.FailureKind {
	if _, ok := failures[j.Failure.Kind]; ok {
		return j.Failure.Kind
	}
	return generate.FailInternal
}

// Why says in one sentence why a job has no video, and nothing of what its requester
// typed or gave; empty = there is nothing to say.
func Why(p text.Printer, j generate.Job) string {
	if j.Failure.Kind == "" {
		return ""
	}
	key := "failure." + string(failureKind(j))
	if j.Failure.Kind == generate.FailInvalid && j.Failure.Field != "" {
		key += "_field"
	}
	return p.Text(key, "field", optionOf(j.Failure.Field), "id", j.ID)
}

// failure says what happened to a job, whether it cost something, and what to
// do next.
func (v printer) failure(j generate.Job) []text.Span {
	kind := failureKind(j)
	key := "failure." + string(kind)
	given, _ := j.Request.Media(j.Failure.Field)
	switch f := j.Failure; {
	case (kind == generate.FailInput || kind == generate.FailModel) && len(f.Invalid) > 0:
		var what []text.Span
		for _, e := range f.Invalid {
			what = text.Spaced(what, v.problem(e))
		}
		return text.Spaced(what, v.bill(j))
	case kind == generate.FailInputType && f.Limit != "" && given.Name != "":
		key = "failure.input_type_file"
	case kind == generate.FailInputType && f.Limit != "":
		key = "failure.input_type_limit"
	case kind == generate.FailInputLarge && f.Limit != "":
		key = "failure.input_large_limit"
	case kind != generate.FailInvalid || f.Field == "":
	case f.Limit != "":
		key += "_limit"
	default:
		key += "_field"
	}
	what := v.Spans(key, "field", optionOf(j.Failure.Field), "limit", v.limitWords(j.Failure.Limit), "id", text.MonoSpan(j.ID),
		"file", text.Shorten(given.Shown(), text.ShownValue))
	next := "failure_next." + string(kind)
	if unposted(j) {
		next = "failure_next.undelivered"
	}
	return text.Spaced(what, v.bill(j), v.Spans(next))
}

// unposted reports whether the video of j was paid for, could not be posted, and can
// be delivered again.
func unposted(j generate.Job) bool {
	return j.Failure.Kind == generate.FailUnreachable && j.Undelivered()
}

// optionOf is what people type for an input of the model: "frames" for
// "num_frames", "lora" for "loras[0].scale".
func optionOf(field string) string {
	name := field
	if i := strings.IndexAny(field, "[."); i > 0 {
		name = field[:i]
	}
	if p, ok := ltx.Lookup(name); ok {
		return p.Key()
	}
	return field
}

// bounds are the signs that a provider puts before a bound, and the text for
// each.
var bounds = []struct{ sign, key string }{
	{"<= ", "limit.at_most"}, {">= ", "limit.at_least"}, {"< ", "limit.below"}, {"> ", "limit.above"},
}

// limitWords writes a limit in words: "at least 1, at most 50" for
// ">= 1, <= 50".
func (v printer) limitWords(limit string) string {
	parts := strings.Split(limit, ", ")
	for i, part := range parts {
		for _, b := range bounds {
			if n, ok := strings.CutPrefix(part, b.sign); ok {
				parts[i] = v.Text(b.key, "n", n)
				break
			}
		}
	}
	return strings.Join(parts, v.Text("format.comma"))
}
