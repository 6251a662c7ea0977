package fal

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// stream serves the status as server-sent events: at once, on every change,
// and the last when the job is complete; then it ends.
// https://fal.ai/docs/documentation/model-apis/inference/queue
func (s *Server) stream(w http.ResponseWriter, r *http.Request, below, id string, f Fault) {
	if a, no := s.refuse(r, keylessApp(below)); no {
		a.send(w)
		return
	}
	flush := http.NewResponseController(w).Flush
	var last string
	for sent := 0; ; {
		s.mu.Lock()
		now := s.now()
		s.advance(now)
		j := s.kept(below, id, now)
		if j == nil {
			s.mu.Unlock()
			a := jsonReply(http.StatusNotFound, map[string]any{"status": "NOT_FOUND"})
			a.send(w)
			return
		}
		body, state, step, changed := s.status(j, now, wantsLogs(r)), j.state, j.step(), s.changed
		s.mu.Unlock()

		if sent == 0 {
			w.Header().Set("Content-Type", "text/event-stream")
			w.Header().Set("x-fal-request-id", id)
			w.WriteHeader(http.StatusOK)
		}
		event, err := json.Marshal(body)
		if err != nil {
			return
		}
		if text := string(event); text != last {
			last = text
			if f.Malformed {
				text = strings.TrimSuffix(text, "}")
			}
			_, _ = fmt.Fprintf(w, "data: %s\n\n", text)
			_ = flush() // the client may be gone, which ends its context
			sent++
			if f.Cut > 0 && sent >= f.Cut {
				panic(http.ErrAbortHandler)
			}
		}
		if state == completed {
			return
		}
		if !s.await(w, r, changed, step) {
			return
		}
	}
}

// await waits for a change of any job, or for the next progress line, and
// writes comments meanwhile. It reports false when the client is gone.
func (s *Server) await(w http.ResponseWriter, r *http.Request, changed <-chan struct{}, step time.Duration) bool {
	next := time.NewTimer(step)
	defer next.Stop()
	silence := time.NewTicker(s.o.KeepAlive)
	defer silence.Stop()
	for {
		select {
		case <-r.Context().Done():
			return false
		case <-changed:
			return true
		case <-next.C:
			return true
		case <-silence.C:
			_, _ = fmt.Fprint(w, ": keep-alive\n\n")
			_ = http.NewResponseController(w).Flush()
		}
	}
}
