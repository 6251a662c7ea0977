package ltx

import (
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A LoRA is an add-on to the model's weights.
type LoRA struct {
	// Name is that of the team's library; empty for one given by its path.
	Name string `json:"name,omitempty"`
	// Path is a Hugging Face "owner/repo" or an https URL. Its query may be
	// a secret: never log or show it; ShownPath is for that.
	Path string `json:"path"`
	// Scale is its strength, 0 to 4. In a library 0 means 1.
	Scale float64 `json:"scale"`
	// Trigger are words that the prompt must hold for the LoRA to work. They
	// are set in a library only.
	Trigger string `json:"trigger,omitempty"`
	// Negative is the negative prompt that it needs, in place of the default
	// one. It is set in a library only.
	Negative string `json:"negative,omitempty"`
}

// ShownPath returns the path without what may be secret.
func (l LoRA) ShownPath() string { return shown(l.Path) }

// label is the LoRA's name, or its path without what may be secret.
func (l LoRA) label() string {
	if l.Name != "" {
		return l.Name
	}
	return l.ShownPath()
}

// typed writes the LoRA as a setting, with its whole path.
func (l LoRA) typed() string {
	name := l.Path
	if l.Name != "" {
		name = l.Name
	}
	if l.Scale == 1 && l.Name == "" && !strings.Contains(name, "@") {
		return name
	}
	return name + "@" + num(l.Scale)
}

// shownTyped writes the LoRA as a setting that may be shown.
func (l LoRA) shownTyped() string {
	l.Path = withoutSecrets(l.Path)
	return l.typed()
}

const (
	// defaultMaxLoRAs is the limit that the provider states for its other
	// LTX-2.3 endpoint with LoRAs; it publishes none for this one.
	// https://fal.ai/models/fal-ai/ltx-2.3-quality/text-to-video/lora
	defaultMaxLoRAs = 3
	// strongLoRAScale is beyond what LoRAs are used with.
	strongLoRAScale = 1.6
	// maxLoRAPath is the longest path, in bytes.
	maxLoRAPath = 2048
)

// otherModel finds in a path what names another model than this one, or a kind
// of LoRA that needs a reference video.
// https://github.com/Lightricks/LTX-2#available-loras
var otherModel = regexp.MustCompile(`(?i)(?:^|[^a-z0-9])(19b|ltxv|ltx-video|ic[-_]lora|13b|wan-?2\.[0-9]|hunyuan|sdxl|flux)(?:[^a-z0-9]|$)`)

// DefaultLoRAHosts returns the hosts that LoRA files may come from unless the
// operator says otherwise. Their subdomains are allowed too.
func DefaultLoRAHosts() []string {
	return []string{huggingFace, civitai, "v3.fal.media", "v3b.fal.media", "fal.media", "storage.googleapis.com", modelScope, modelScopeAI, gitHub, dropbox}
}

var (
	// repoForm is a Hugging Face repository id.
	// https://huggingface.co/docs/huggingface_hub/package_reference/utilities#huggingface_hub.utils.validate_repo_id
	repoForm = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,95}/[A-Za-z0-9_][A-Za-z0-9._-]{0,95}$`)
	// hostForm is a host name of at least one label, in lower case.
	hostForm = regexp.MustCompile(`^(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$`)
	// numericLabel as the last label makes a host an IPv4 address in the eyes
	// of clients that follow https://url.spec.whatwg.org/#ends-in-a-number-checker.
	numericLabel = regexp.MustCompile(`^(?:[0-9]+|0x[0-9a-f]*)$`)
	schemeForm   = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:(?://|[^0-9@])`)
)

// pickled are the extensions of files that may run code when they are loaded,
// or that hide what is in them.
var pickled = []string{".pt", ".pth", ".ckpt", ".bin", ".pkl", ".pickle", ".zip", ".tar", ".gz", ".7z", ".rar"}

// ParseLoRA reads one LoRA as people type it: a name of the library,
// "owner/repo" or an https URL, each with "@scale" or without. It is how an
// entry of the library is checked before it is saved. The error is a
// FieldError.
func (r Rules) ParseLoRA(text string) (LoRA, []Note, error) { return r.parseLoRA(row(idLoRAs), text) }

// parseLoRA is ParseLoRA with the limits of an endpoint.
func (r Rules) parseLoRA(p Param, text string) (LoRA, []Note, error) {
	var notes []Note
	if m := air.FindStringSubmatch(strings.TrimSpace(text)); m != nil {
		link := "https://" + civitai + "/api/download/models/" + m[1]
		notes = append(notes, Note{Option: p.Key(), From: shown(text), To: link, Reason: RewrittenLoRA})
		text = link + m[2]
	}
	name, scale, ferr := splitScale(p, unwrapLink(strings.TrimSpace(text)))
	if ferr != nil {
		if right, ok := respelled(text); ok {
			ferr = &FieldError{Option: p.Key(), Problem: Spelling, Value: shown(text), Nearest: p.Key() + ":" + right}
		}
		return LoRA{}, nil, *ferr
	}
	l, more, ferr := r.findLoRA(p, name)
	if ferr != nil {
		if right, ok := respelled(text); ok && !slices.Contains(ofSite, ferr.Problem) {
			ferr = &FieldError{Option: p.Key(), Problem: Spelling, Value: shown(text), Nearest: p.Key() + ":" + right}
		}
		return LoRA{}, nil, *ferr
	}
	if scale != nil {
		l.Scale = *scale
	}
	if l.Scale > p.Max {
		return LoRA{}, nil, FieldError{Option: p.Key(), Problem: LoRAScale, Value: num(l.Scale), Min: p.Min, Max: p.Max}
	}
	notes = append(notes, more...)
	if lacksToken(l.Path) {
		notes = append(notes, Note{Option: p.Key(), From: l.label(), Reason: CivitaiAccount})
	}
	if end, ok := l.Ends(); ok {
		if !time.Now().Before(end) {
			return LoRA{}, nil, FieldError{Option: p.Key(), Problem: LoRAExpired, Value: l.label(), Other: clock(end)}
		}
		notes = append(notes, Note{Option: p.Key(), From: l.label(), To: clock(end), Reason: EndingLoRA})
	}
	notes = append(notes, r.doubts(p, l)...)
	if l.Scale > strongLoRAScale {
		notes = append(notes, Note{Option: p.Key(), From: num(l.Scale), Reason: StrongLoRA})
	}
	return l, notes, nil
}

// doubts are what speaks against a LoRA: its file, where somebody has looked at
// it, else its path.
func (r Rules) doubts(p Param, l LoRA) []Note {
	var notes []Note
	if r.Checked != nil {
		notes = r.Checked(l.Path)
	}
	if m := otherModel.FindStringSubmatch(withoutSecrets(l.Path)); m != nil && len(notes) == 0 {
		notes = []Note{{To: strings.ToLower(m[1]), Reason: OtherModelLoRA}}
	}
	for i := range notes {
		notes[i].Option, notes[i].From = p.Key(), l.label()
	}
	return notes
}

// unwrapLink removes the angle brackets that chat clients put round a link,
// and the label of Slack's.
// https://docs.slack.dev/messaging/formatting-message-text#links-in-retrieved-messages
func unwrapLink(s string) string {
	inner, found := strings.CutPrefix(s, "<")
	if !found {
		return s
	}
	inner, scale, found := strings.Cut(inner, ">")
	if !found {
		return s
	}
	inner, _, _ = strings.Cut(inner, "|")
	return inner + scale
}

// splitScale cuts "@scale" from the end. An '@' inside the path of a URL
// belongs to the URL.
func splitScale(p Param, s string) (name string, scale *float64, ferr *FieldError) {
	at := strings.LastIndex(s, "@")
	if at < 0 {
		return s, nil, nil
	}
	name, suffix := strings.TrimSpace(s[:at]), strings.TrimSpace(s[at+1:])
	v, ok := parseNumber(suffix, "")
	if !ok && strings.Contains(s, "://") && !strings.HasSuffix(strings.ToLower(name), ".safetensors") {
		return s, nil, nil
	}
	if !ok || v < p.Min || v > p.Max {
		return "", nil, &FieldError{Option: p.Key(), Problem: LoRAScale, Value: shown(suffix), Min: p.Min, Max: p.Max}
	}
	v = round(v)
	return name, &v, nil
}

// findLoRA resolves a name without scale.
func (r Rules) findLoRA(p Param, name string) (LoRA, []Note, *FieldError) {
	if r.Library != nil {
		if l, ok := r.Library(name); ok {
			if l.Scale == 0 {
				l.Scale = 1
			}
			if l.Name == "" {
				l.Name = name
			}
			return l, nil, nil
		}
	}
	if rest, ok := cutFold(name, "hf://"); ok { // as programs write it
		name = rest
	}
	first, _, _ := strings.Cut(name, "/")
	isURL := schemeForm.MatchString(name)
	if !isURL && first != name && r.AllowsHost(first) {
		name, isURL = "https://"+name, true
	}
	typed := name
	if parts := strings.SplitN(name, "/", 3); !isURL && len(parts) == 3 && isRepo(parts[0]+"/"+parts[1]) && isWeights(parts[2]) {
		name, isURL = "https://"+huggingFace+"/"+strings.ReplaceAll(name, " ", "%20"), true
	}
	if !isURL {
		return r.findRepo(p, name)
	}
	file, rewritten, problem := r.checkURL(name)
	if problem != nil {
		problem.Option, problem.Value = p.Key(), shown(typed)
		return LoRA{}, nil, problem
	}
	l := LoRA{Path: file, Scale: 1}
	if rewritten {
		return l, []Note{{Option: p.Key(), From: shown(typed), To: shown(file), Reason: RewrittenLoRA}}, nil
	}
	return l, nil, nil
}

// findRepo reads a Hugging Face repository id.
func (r Rules) findRepo(p Param, name string) (LoRA, []Note, *FieldError) {
	if !isRepo(name) {
		e := &FieldError{Option: p.Key(), Problem: LoRAUnknown, Value: shown(name)}
		if r.LibraryNames != nil {
			e.Nearest = nearest(name, r.LibraryNames())
		}
		return LoRA{}, nil, e
	}
	if !r.AllowsHost(huggingFace) {
		return LoRA{}, nil, &FieldError{Option: p.Key(), Problem: LoRAHost, Value: shown(name), Other: huggingFace, Choices: r.hosts()}
	}
	return LoRA{Path: name, Scale: 1}, nil, nil
}

func isRepo(s string) bool {
	return repoForm.MatchString(s) && !strings.Contains(s, "..") && !strings.Contains(s, "--")
}

// checkURL returns the path to send for the URL, and whether it is another
// than the one given, or why the URL is refused. The bot never fetches it:
// the provider does.
func (r Rules) checkURL(raw string) (file string, rewritten bool, problem *FieldError) {
	if len(raw) > maxLoRAPath {
		return "", false, &FieldError{Problem: LoRATooLong, Count: int64(len(raw)), Max: maxLoRAPath}
	}
	u, err := url.Parse(raw)
	if err != nil || hasOddRunes(raw) || hidesOddRunes(u.Path) || slices.Contains(strings.Split(u.Path, "/"), "..") {
		return "", false, &FieldError{Problem: LoRAMalformed}
	}
	if u.Scheme != "https" {
		return "", false, &FieldError{Problem: LoRANotHTTPS}
	}
	if u.User != nil {
		return "", false, &FieldError{Problem: LoRAHasUser}
	}
	host := lowerHost(u.Hostname())
	if problem := r.checkHost(host, u); problem != nil {
		return "", false, problem
	}
	u.Host, u.Fragment, u.RawFragment, u.ForceQuery = host, "", "", false
	came := *u
	if s := siteOf(host); s != nil {
		repo, p := s.file(u)
		switch {
		case p != "":
			return "", false, &FieldError{Problem: p, Other: s.named()}
		case repo != "":
			return repo, true, nil
		}
	}
	if problem := checkFile(u); problem != nil {
		return "", false, problem
	}
	file = u.String()
	if len(file) > maxLoRAPath || hasOddRunes(file) || hidesOddRunes(u.Path) || slices.Contains(strings.Split(u.Path, "/"), "..") {
		return "", false, &FieldError{Problem: LoRAMalformed}
	}
	// A host with several names, and a query that only asks for the file, are no
	// news for anybody.
	return file, u.EscapedPath() != came.EscapedPath(), nil
}

// hasOddRunes tells whether the text holds what no URL of a file holds, and
// what different clients read differently.
func hasOddRunes(s string) bool {
	return !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || unicode.IsSpace(r) || strings.ContainsRune("\\<>\"`{}|^,", r)
	})
}

// hidesOddRunes tells whether a decoded path holds what is no part of the name
// of a file. A space and a comma are: they are sent encoded, as they came.
func hidesOddRunes(path string) bool {
	return !utf8.ValidString(path) || strings.ContainsFunc(path, func(r rune) bool {
		return unicode.IsControl(r) || r == '\\'
	})
}

// cutFold is strings.CutPrefix that ignores case.
func cutFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// checkHost refuses every host that is not a name on the operator's list.
func (r Rules) checkHost(host string, u *url.URL) *FieldError {
	labels := strings.Split(host, ".")
	last := labels[len(labels)-1]
	switch {
	case strings.HasPrefix(u.Host, "[") || numericLabel.MatchString(last):
		return &FieldError{Problem: LoRAAddress}
	case strings.Contains(u.Host, ":"):
		return &FieldError{Problem: LoRAHasPort}
	case !hostForm.MatchString(host):
		return &FieldError{Problem: LoRAMalformed}
	case len(labels) == 1 || slices.Contains([]string{"localhost", "local", "internal"}, last):
		return &FieldError{Problem: LoRALocal}
	case !r.mayCome(host):
		return &FieldError{Problem: LoRAHost, Other: shown(host), Choices: r.hosts()}
	}
	return nil
}

// lowerHost is a host as it is compared.
func lowerHost(host string) string { return strings.TrimSuffix(strings.ToLower(host), ".") }

// AllowsHost tells whether LoRAs may come from a host: it is one of the allowed,
// under one, or another name of one.
func (r Rules) AllowsHost(host string) bool {
	host = lowerHost(host)
	if s := siteOf(host); s != nil && s.allowed != "" {
		host = s.allowed
	}
	return slices.ContainsFunc(r.hosts(), func(allowed string) bool {
		return below(host, lowerHost(trimWildcard(allowed)))
	})
}

// mayCome is AllowsHost, but true for a host whose links never work: such a
// link gets a problem of its own, which says more than “not allowed”.
func (r Rules) mayCome(host string) bool {
	s := siteOf(host)
	return s != nil && s.allowed == "" || r.AllowsHost(host)
}

// below tells whether the host is the domain, or under it.
func below(host, domain string) bool {
	return domain != "" && (host == domain || strings.HasSuffix(host, "."+domain))
}

// trimWildcard reads "*.example.com" as "example.com": subdomains are allowed
// in any case.
func trimWildcard(domain string) string { return strings.TrimPrefix(domain, "*.") }

// checkFile refuses what is not a file of tensors.
func checkFile(u *url.URL) *FieldError {
	extension := strings.ToLower(path.Ext(u.Path))
	switch {
	case u.Host == civitai: // its links to files have no name
		if strings.Contains(strings.ToLower(u.RawQuery), "pickle") {
			return &FieldError{Problem: LoRAPickle, Other: "pickle"}
		}
	case slices.Contains(pickled, extension):
		return &FieldError{Problem: LoRAPickle, Other: extension}
	case extension != ".safetensors":
		return &FieldError{Problem: LoRANotTensors}
	}
	return nil
}
