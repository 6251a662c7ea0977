package metrics

import "net/http"

// hookResults is what the status of an answer to a webhook says of it.
var hookResults = map[int]string{
	http.StatusOK:                    "taken",
	http.StatusUnauthorized:          "bad_signature",
	http.StatusNotFound:              "unknown_job",
	http.StatusRequestEntityTooLarge: "too_large",
	http.StatusServiceUnavailable:    "later", // fal calls again
}

// hookError is every other answer.
const hookError = "error"

// Webhooks counts what h answers to fal's webhooks.
func (m *Metrics) Webhooks(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		h.ServeHTTP(seen, r)
		result, ok := hookResults[seen.status]
		if !ok {
			result = hookError
		}
		m.hooks.WithLabelValues(result).Inc()
	})
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the writer below.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
