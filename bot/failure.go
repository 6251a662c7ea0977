package bot

import "ltxbot/core/generate"

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
	generate.FailExpired:     {[]Action{ActRetry}},
	generate.FailUnreachable: {[]Action{ActRetry}},
	generate.FailInternal:    {[]Action{ActRetry}},
}

// failure says what happened to a job, whether it cost something, and what to
// do next.
func (v voice) failure(j generate.Job) []Span {
	kind := j.Failure.Kind
	if _, ok := failures[kind]; !ok {
		kind = generate.FailInternal
	}
	key := "failure." + string(kind)
	switch f := j.Failure; {
	case kind != generate.FailInvalid || f.Field == "":
	case f.Limit != "":
		key += "_limit"
	default:
		key += "_field"
	}
	what := v.spans(key, "field", j.Failure.Field, "limit", j.Failure.Limit, "id", mono(j.ID))
	return spaced(what, v.bill(j), v.spans("failure_next."+string(kind)))
}
