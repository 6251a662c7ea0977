package fal

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// history answers GET /models/requests/by-endpoint: what was asked of an
// endpoint, newest first, once HistoryLag has passed.
// https://fal.ai/docs/platform-apis/v1/models/requests/by-endpoint
func (s *Server) history(r *http.Request) reply {
	if a, no := s.refuse(r, keylessService); no {
		return a
	}
	q := r.URL.Query()
	limit, offset := 50, 0
	if v := q.Get("limit"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > 100 {
			return badQuery("limit", "Input should be between 1 and 100")
		}
		limit = n
	}
	if v := q.Get("cursor"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			return badQuery("cursor", "Invalid cursor")
		}
		offset = n
	}
	if len(q["endpoint_id"]) == 0 {
		return badQuery("endpoint_id", "Field required")
	}
	now := s.now()
	start, end := now.Add(-24*time.Hour), now
	for name, to := range map[string]*time.Time{"start": &start, "end": &end} {
		if v := q.Get(name); v != "" {
			t, err := time.Parse(time.RFC3339, v)
			if err != nil {
				return badQuery(name, "Input should be a valid datetime")
			}
			*to = t
		}
	}
	payloads := slices.Contains(q["expand"], "payloads")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(now)
	items := []map[string]any{}
	for _, j := range slices.Backward(s.order) {
		if now.Sub(j.sent) >= s.scaled(s.o.HistoryLag) && slices.Contains(q["endpoint_id"], j.endpoint.path) &&
			!j.sent.Before(start) && !j.sent.After(end) && (q.Get("request_id") == "" || q.Get("request_id") == j.id) {
			items = append(items, j.past(payloads))
		}
	}
	from := min(offset, len(items))
	to := min(from+limit, len(items))
	body := map[string]any{"items": items[from:to], "has_more": to < len(items), "next_cursor": nil}
	if to < len(items) {
		body["next_cursor"] = strconv.Itoa(to)
	}
	return jsonReply(http.StatusOK, body)
}

func badQuery(name, msg string) reply {
	return jsonReply(http.StatusUnprocessableEntity, map[string]any{
		"error": map[string]any{"type": "validation_error", "message": name + ": " + msg},
	})
}

// past is a job's entry in the history.
func (j *job) past(payloads bool) map[string]any {
	stamp := func(t time.Time) any {
		if t.IsZero() {
			return nil
		}
		return t.UTC().Format("2006-01-02T15:04:05.000Z")
	}
	item := map[string]any{
		"request_id": j.id, "endpoint_id": j.endpoint.path,
		"sent_at": stamp(j.sent), "started_at": stamp(j.started), "ended_at": stamp(j.ended),
	}
	if j.state == completed {
		item["status_code"] = j.reply.status
		item["duration"] = j.ended.Sub(j.sent).Seconds()
	}
	if payloads && !j.noStore {
		item["json_input"] = j.raw
		if j.state == completed {
			item["json_output"] = asJSON(j.reply.body)
		}
	}
	return item
}

// pricing answers GET /models/pricing.
// https://fal.ai/docs/platform-apis/v1/models/pricing
func (s *Server) pricing(r *http.Request) reply {
	if a, no := s.refuse(r, keylessService); no {
		return a
	}
	ids := r.URL.Query()["endpoint_id"]
	if len(ids) < 1 || len(ids) > 50 {
		return badQuery("endpoint_id", "List should have 1 to 50 items")
	}
	prices := []map[string]any{}
	for _, id := range ids {
		if t, known := tariffOf(id); known {
			prices = append(prices, map[string]any{
				"endpoint_id": id, "unit_price": t.usd, "unit": t.unit, "currency": "USD",
			})
		}
	}
	return jsonReply(http.StatusOK, map[string]any{"prices": prices, "has_more": false, "next_cursor": nil})
}

// purge answers DELETE /models/requests/{id}/payloads: the request's input and
// output are gone from the history, its result from the queue, and its file from
// the CDN.
// https://fal.ai/docs/platform-apis/v1/models/requests/payloads
func (s *Server) purge(r *http.Request) reply {
	switch given := r.Header.Get("Authorization"); {
	case given == "":
		return jsonReply(http.StatusUnauthorized, map[string]any{"detail": keylessService})
	case given == "Key "+s.o.Key:
		return jsonReply(http.StatusForbidden, map[string]any{"detail": "This operation needs a key with the scope ADMIN"})
	case s.o.AdminKey == "" || given != "Key "+s.o.AdminKey:
		return jsonReply(http.StatusUnauthorized, map[string]any{"detail": "invalid key credentials"})
	case r.Header.Get("Idempotency-Key") == "":
		s.violate("DELETE %s: it has no Idempotency-Key", r.URL.Path)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	j := s.jobs[r.PathValue("id")]
	if j == nil {
		return jsonReply(http.StatusNotFound, map[string]any{"detail": "Request not found"})
	}
	if j.state != completed {
		return jsonReply(http.StatusConflict, map[string]any{"detail": "Request is still in progress"})
	}
	j.noStore = true
	delete(s.files, j.file)
	delete(s.jobs, j.id)
	return jsonReply(http.StatusOK, map[string]any{"cdn_delete_results": []any{}})
}
