package ltx

import (
	"maps"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"ltxbot/core/usd"
)

// Media is a file that goes into a video: the value of a parameter of
// KindMedia. Its JSON is the form in which it is stored.
type Media struct {
	// Ref is where the file is, as it was given: "https://…", "job:k3f92mq7abcd",
	// or a reference of the platform, "discord:<url>", "slack:<file id>". It
	// may hold secrets: never log or show it; Shown is for that.
	Ref  string `json:"ref"`
	Name string `json:"name,omitempty"` // as people see it: "cat.png"
	// URL is where the provider finds the file: this is what is sent. It is
	// empty until the file is there, and as secret as Ref.
	URL     string  `json:"url,omitempty"`
	Type    string  `json:"type,omitempty"`    // "image/png", as the content tells; empty until it was read
	Bytes   int64   `json:"bytes,omitempty"`   // 0 until it was read
	Width   int     `json:"width,omitempty"`   // pixels; 0 where not known, and of a sound
	Height  int     `json:"height,omitempty"`  // pixels; 0 where not known, and of a sound
	Seconds float64 `json:"seconds,omitempty"` // length; 0 where not known, and of a picture
	FPS     float64 `json:"fps,omitempty"`     // frames per second of a clip; 0 where not known
	Sound   bool    `json:"sound,omitempty"`   // a clip that has sound
}

// Shown is what people read of the file: its name, or where it is without what
// may be secret.
func (m Media) Shown() string {
	switch {
	case strings.HasPrefix(m.Ref, jobRef):
		return m.Ref
	case m.Name != "":
		return shown(m.Name)
	}
	return shown(m.Ref)
}

// typed writes the file as a setting that can be typed; that of a platform
// can't be, and is named.
func (m Media) typed() string {
	if isLink(m.Ref) {
		return withoutSecrets(m.Ref)
	}
	return m.Shown()
}

// FileSetting sets a parameter of KindMedia to a file that the platform has: an
// attachment. Only its caller can name such a file. A person who types the same
// reference is refused.
func FileSetting(key string, m Media) Setting {
	return Setting{Key: key, Value: m.typed(), File: m}
}

// thisFile is typed for a file of the conversation: "image:this". The platform
// finds it, where it can, and gives it as the setting's File.
const thisFile = "this"

func isThis(text string) bool { return strings.EqualFold(strings.TrimSpace(text), thisFile) }

// IsThis tells whether a setting means a file of the conversation.
func (s Setting) IsThis() bool {
	p, ok := Lookup(s.Key)
	return ok && p.Kind == KindMedia && isThis(s.Value)
}

// jobRef stands before the id of a job whose video is meant.
const jobRef = "job:"

// MediaOfJob is the video of a job as a file.
func MediaOfJob(id string) Media { return Media{Ref: jobRef + id} }

// Job is the id of the job whose video is meant, if it is one.
func (m Media) Job() (id string, ok bool) { return strings.CutPrefix(m.Ref, jobRef) }

// IsLink tells whether the file is behind a link.
func (m Media) IsLink() bool { return isLink(m.Ref) }

// maxLink is the longest link to a file, in bytes.
const maxLink = 2048

var (
	// jobForm is the id of a job, and bareJobForm one that is no word. See
	// generate.NewID.
	jobForm  = regexp.MustCompile(`^[0-9a-hjkmnp-tv-z]{12}$`)
	hasDigit = regexp.MustCompile(`[0-9]`)
)

// isLink tells whether a reference is the address of a file.
func isLink(ref string) bool { return strings.HasPrefix(ref, "https://") }

// media reads what a person typed for a file: an https link, or a job's id.
func (e *evaluation) media(p Param, text string) any {
	if f, ok := e.files[p.id()]; ok {
		if isThis(text) {
			e.note(p, TakenFromAbove, thisFile, f.Shown())
		}
		return f
	}
	text = unwrapLink(strings.TrimSpace(text))
	switch {
	case text == "" || isNone(text):
		return nil
	case isThis(text):
		e.fail(p, FieldError{Problem: NothingAbove})
		return nil
	case strings.Contains(text, "://"):
		ref, ok := checkLink(text)
		if !ok {
			e.fail(p, FieldError{Problem: BadLink, Value: shown(text)})
			return nil
		}
		return Media{Ref: ref, Name: nameOfLink(ref)}
	}
	id, named := strings.CutPrefix(strings.ToLower(text), jobRef)
	if id = strings.TrimSpace(id); jobForm.MatchString(id) && (named || hasDigit.MatchString(id)) {
		return MediaOfJob(id)
	}
	e.fail(p, FieldError{Problem: NotMedia, Value: shown(text)})
	return nil
}

// checkLink returns the link without its fragment, or false when no public
// server can be meant. Whoever fetches the file looks at the address again.
func checkLink(raw string) (string, bool) {
	u, err := url.Parse(raw)
	if err != nil || len(raw) > maxLink || u.Scheme != "https" || u.User != nil || hasOddRunes(raw) || hidesOddRunes(u.Path) {
		return "", false
	}
	labels := strings.Split(lowerHost(u.Hostname()), ".")
	last := labels[len(labels)-1]
	if strings.Contains(u.Host, ":") || numericLabel.MatchString(last) || !hostForm.MatchString(strings.Join(labels, ".")) ||
		len(labels) == 1 || slices.Contains([]string{"localhost", "local", "internal"}, last) {
		return "", false
	}
	u.Fragment, u.RawFragment = "", ""
	return u.String(), true
}

// nameOfLink is the last part of a link's path, as people read it.
func nameOfLink(ref string) string {
	u, err := url.Parse(ref)
	if err != nil || strings.Trim(u.Path, "/") == "" {
		return ""
	}
	return shown(path.Base(u.Path))
}

// filesOf are the files among settings that a platform gave, by the id of
// their row.
func filesOf(settings []Setting) map[string]Media {
	files := map[string]Media{}
	for _, s := range settings {
		if p, ok := Lookup(s.Key); ok && p.Kind == KindMedia && s.File.Ref != "" {
			files[p.id()] = s.File
		}
	}
	return files
}

// Media returns the file that a parameter of KindMedia is set to, by its id:
// "image_url". It is false when there is none.
func (r Request) Media(id string) (Media, bool) {
	m, ok := r.values[id].(Media)
	return m, ok
}

// Afresh returns the request with its files to be brought to the provider once
// more: it may have forgotten them.
func (r Request) Afresh() Request {
	values := maps.Clone(r.values)
	for id, v := range values {
		if m, ok := v.(Media); ok {
			m.URL = ""
			values[id] = m
		}
	}
	r.values = values
	return r
}

// AtLeast is the least that the request can cost at this price: files whose
// length is not known are taken to be short.
func (r Request) AtLeast(p Price) usd.Micros {
	const short = 1 // second
	for id, v := range r.values {
		if m, ok := v.(Media); ok && m.URL == "" && m.Seconds == 0 {
			m.Seconds = short
			r.values = maps.Clone(r.values)
			r.values[id] = m
		}
	}
	return r.Estimate(p)
}

// Unmeasured reports whether the length of a clip or a sound is not known yet: then
// an Estimate is the most that the video can cost.
func (r Request) Unmeasured() bool {
	for _, id := range []string{idClip, idAudio} {
		if m, ok := r.Media(id); ok && m.Seconds == 0 {
			return true
		}
	}
	return false
}

// Pending returns the ids of the files that the provider does not have yet, in
// the order of the table.
func (r Request) Pending() []string {
	var ids []string
	for _, p := range table {
		if m, ok := r.Media(p.id()); ok && m.URL == "" {
			ids = append(ids, p.id())
		}
	}
	return ids
}
