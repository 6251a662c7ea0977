package app

import (
	"encoding/json"
	"net/http"
)

// serveHealth adds the pages for whoever watches over the process.
func (a *App) serveHealth(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"status": "ok", "version": a.opts.Version})
	})
}
