// Package demo is the page of "bot demo": a Discord and a Slack channel side by
// side in a browser, drawn from what simulated platforms received, and what
// happens behind them. It knows no simulator: a World tells it what there is to
// see, and does what people do.
//
// The server writes HTML. Without a script everything works by links and
// forms; with the one script of the page, what changes is sent over an
// EventSource, in pieces.
package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"ltxbot/internal/eventstream"
)

// Limits of what a page sends, in bytes.
const (
	maxBody   = 64 << 20
	maxMemory = 8 << 20 // of a body; the rest is kept in files
	maxUpload = 50 << 20
)

// policy is what a page may load: what it comes with, and nothing that stands
// in the page itself.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// mediaPolicy lets a file that somebody gave do nothing.
const mediaPolicy = "default-src 'none'; sandbox"

// A Handler serves the page to the machine that it runs on, and to no other.
type Handler struct {
	world  World
	live   *live
	first  string // whose eyes the page begins with
	log    *slog.Logger
	served http.Handler
}

// New makes a page that begins with the eyes of a person.
func New(w World, first string, log *slog.Logger) *Handler {
	h := &Handler{world: w, live: newLive(w), first: first, log: log}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", h.page)
	mux.HandleFunc("GET /live", h.events)
	mux.HandleFunc("GET /suggest", h.suggest)
	mux.HandleFunc("POST /do/{action}", h.do)
	mux.HandleFunc("GET /media/{on}/{id}", h.media)
	mux.HandleFunc("GET /assets/{file}", func(w http.ResponseWriter, r *http.Request) {
		if !load().assets.Serve(w, r.PathValue("file")) {
			http.NotFound(w, r)
		}
	})
	h.served = http.NewCrossOriginProtection().Handler(mux)
	return h
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !local(r.Host) {
		// Another name leads here: a page elsewhere tries to be this one.
		http.Error(w, "this page is served as 127.0.0.1 and localhost only", http.StatusMisdirectedRequest)
		return
	}
	head := w.Header()
	head.Set("Content-Security-Policy", policy)
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Referrer-Policy", "no-referrer")
	head.Set("Cross-Origin-Resource-Policy", "same-origin")
	head.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.served.ServeHTTP(w, r)
}

// local reports whether a Host header names this machine by an address that
// nobody else can point elsewhere.
func local(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.Trim(host, "[]")
	}
	ip := net.ParseIP(name)
	return strings.EqualFold(name, "localhost") || ip != nil && ip.IsLoopback()
}

// person is whose eyes a request sees with.
func (h *Handler) person(r *http.Request) string { return cmp.Or(r.URL.Query().Get("as"), h.first) }

func (h *Handler) page(w http.ResponseWriter, r *http.Request) {
	h.write(w, r, "")
}

// write writes the whole page; trouble is what went wrong before.
func (h *Handler) write(w http.ResponseWriter, r *http.Request, trouble string) {
	as := h.person(r)
	scene, err := h.world.Scene(r.Context(), as)
	var parts []fragment
	if err == nil {
		parts, err = fragments(as, scene, written{})
	}
	switch {
	case errors.Is(err, ErrNoPerson):
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	case err != nil:
		h.log.ErrorContext(r.Context(), "cannot write the page", "error", err)
		http.Error(w, "the page cannot be written", http.StatusInternalServerError)
		return
	}
	var b strings.Builder
	p := page{post: post{As: as}, Scene: scene, Trouble: trouble, parts: parts}
	if err := load().templates.ExecuteTemplate(&b, "page", p); err != nil {
		h.log.ErrorContext(r.Context(), "cannot write the page", "error", err)
		http.Error(w, "the page cannot be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, b.String())
}

// events sends what changes, for as long as the page is open.
func (h *Handler) events(w http.ResponseWriter, r *http.Request) {
	v, leave, err := h.live.join(r.Context(), h.person(r))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	defer leave()
	at := shownVersion{}
	eventstream.Serve(w, r, func() ([]eventstream.Event, <-chan struct{}, bool) {
		delta, changed := v.since(&at)
		if delta == nil {
			return nil, changed, true
		}
		return []eventstream.Event{{Data: delta}}, changed, true
	})
}

// suggest writes what the client offers for a line.
func (h *Handler) suggest(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	asked := Question{On: q.Get("on"), Line: q.Get("line"), Form: q.Get("form"), Field: q.Get("field")}
	type option struct {
		Suggestion

		ID string
	}
	offered := h.world.Suggest(r.Context(), h.person(r), asked)
	found := make([]option, 0, len(offered))
	for n, s := range offered {
		found = append(found, option{s, fmt.Sprintf("%s-suggestion-%d", asked.On, n)})
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if err := load().templates.ExecuteTemplate(w, "suggestions", found); err != nil {
		h.log.ErrorContext(r.Context(), "cannot write suggestions", "error", err)
	}
}

// actionWithin is how long somebody's action may take: platforms give up on a bot
// after three seconds, and a file has to be taken in.
const actionWithin = 15 * time.Second

// do does something. A script gets the text of why it is not done, which is no
// error of the page; where there is no script, that stands on the page.
func (h *Handler) do(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	d, err := action(r)
	if r.MultipartForm != nil {
		defer func() { _ = r.MultipartForm.RemoveAll() }()
	}
	if err == nil {
		ctx, cancel := context.WithTimeout(r.Context(), actionWithin)
		defer cancel()
		err = h.world.Do(ctx, h.person(r), d)
	}
	scripted := !strings.Contains(r.Header.Get("Accept"), "text/html")
	switch {
	case err == nil && scripted:
		w.WriteHeader(http.StatusNoContent)
	case err == nil:
		http.Redirect(w, r, "/?as="+h.person(r), http.StatusSeeOther)
	case scripted:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, err.Error()) //nolint:gosec // plain text, which no browser takes for anything else
	default:
		h.write(w, r, err.Error())
	}
}

// action reads what somebody does.
func action(r *http.Request) (Action, error) {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	err := r.ParseForm()
	if kind == "multipart/form-data" {
		err = r.ParseMultipartForm(maxMemory) //nolint:gosec // the body is bounded
	}
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return Action{}, fmt.Errorf("the files are larger than %d MB together", maxBody>>20)
	}
	if err != nil {
		return Action{}, errors.New("the page sent something that is no form")
	}
	d := Action{
		Kind: ActionKind(r.PathValue("action")), On: r.PostFormValue("on"), Message: r.PostFormValue("message"), Key: r.PostFormValue("key"),
		Value: r.PostFormValue("value"), Line: strings.TrimSpace(r.PostFormValue("line")), Form: r.PostFormValue("form"),
		Fields: map[string]string{}, Uploads: map[string][]Upload{},
	}
	if line := r.PostFormValue("picture"); line != "" {
		d.Line, d.Picture = line, true
	}
	for name, values := range r.PostForm {
		if key, ok := strings.CutPrefix(name, "field."); ok && len(values) > 0 {
			d.Fields[key] = values[0]
		}
	}
	if r.MultipartForm == nil {
		return d, nil
	}
	for name, parts := range r.MultipartForm.File {
		files, err := read(parts)
		if err != nil {
			return Action{}, err
		}
		if key, ok := strings.CutPrefix(name, "upload."); ok {
			d.Uploads[key] = files
			continue
		}
		d.Files = append(d.Files, files...)
	}
	return d, nil
}

// read reads files that were sent. A browser sends an empty one without a name
// where none was chosen.
func read(parts []*multipart.FileHeader) ([]Upload, error) {
	files := make([]Upload, 0, len(parts))
	for _, part := range parts {
		if part.Filename == "" && part.Size == 0 {
			continue
		}
		if part.Size > maxUpload {
			return nil, fmt.Errorf("%s is larger than %d MB", part.Filename, maxUpload>>20)
		}
		f, err := part.Open()
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", part.Filename, err)
		}
		data, err := io.ReadAll(f)
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, fmt.Errorf("read %s: %w", part.Filename, err)
		}
		files = append(files, Upload{part.Filename, data})
	}
	return files, nil
}

// showable are the kinds of files that a browser may show. A picture that can hold
// a script is not among them.
var showable = []string{
	"video/mp4", "video/webm", "video/quicktime", "image/gif", "image/png", "image/jpeg", "image/webp",
	"audio/mpeg", "audio/mp4", "audio/ogg", "audio/wav", "audio/x-wav", "audio/flac",
}

// shows reports whether a browser may show a kind of file.
func shows(mediaType string) bool {
	base, _, _ := mime.ParseMediaType(mediaType)
	return slices.Contains(showable, base)
}

// media serves a file that a message shows, with ranges.
func (h *Handler) media(w http.ResponseWriter, r *http.Request) {
	f, err := h.world.Open(r.PathValue("on"), r.PathValue("id"))
	if err != nil {
		http.Error(w, ErrNoFile.Error(), http.StatusNotFound)
		return
	}
	defer func() { _ = f.Close() }()
	w.Header().Set("Content-Security-Policy", mediaPolicy)
	w.Header().Set("Content-Type", f.Type)
	if !shows(f.Type) {
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
	}
	http.ServeContent(w, r, "", f.Made, f)
}
