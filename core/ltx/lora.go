package ltx

import (
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
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
	huggingFace = "huggingface.co"
	civitai     = "civitai.com"
)

// otherNames are further names of hosts, which the provider may not know.
var otherNames = map[string]string{
	"hf.co": huggingFace, "www.hf.co": huggingFace,
	"civitai.red": civitai, "www.civitai.red": civitai,
}

// otherModel finds in a path what names another model than this one, or a kind
// of LoRA that needs a reference video.
// https://github.com/Lightricks/LTX-2#available-loras
var otherModel = regexp.MustCompile(`(?i)(?:^|[^a-z0-9])(19b|ltxv|ltx-video|ic[-_]lora|13b|wan-?2\.[0-9]|hunyuan|sdxl|flux)(?:[^a-z0-9]|$)`)

// DefaultLoRAHosts returns the hosts that LoRA files may come from unless the
// operator says otherwise. Their subdomains are allowed too.
func DefaultLoRAHosts() []string {
	return []string{huggingFace, civitai, "v3.fal.media", "v3b.fal.media", "fal.media", "storage.googleapis.com"}
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
	name, scale, ferr := splitScale(p, unwrapLink(strings.TrimSpace(text)))
	if ferr != nil {
		if right, ok := respelled(text); ok {
			ferr = &FieldError{Option: p.Key(), Problem: Spelling, Value: shown(text), Nearest: p.Key() + ":" + right}
		}
		return LoRA{}, nil, *ferr
	}
	l, notes, ferr := r.findLoRA(p, name)
	if ferr != nil {
		if right, ok := respelled(text); ok {
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
	if m := otherModel.FindStringSubmatch(withoutSecrets(l.Path)); m != nil {
		notes = append(notes, Note{Option: p.Key(), From: l.label(), To: strings.ToLower(m[1]), Reason: OtherModelLoRA})
	}
	if l.Scale > strongLoRAScale {
		notes = append(notes, Note{Option: p.Key(), From: num(l.Scale), Reason: StrongLoRA})
	}
	return l, notes, nil
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
	first, _, _ := strings.Cut(name, "/")
	isURL := schemeForm.MatchString(name)
	if !isURL && first != name && r.allowsHost(canonicalHost(first)) {
		name, isURL = "https://"+name, true
	}
	if !isURL {
		return r.findRepo(p, name)
	}
	file, rewritten, problem := r.checkURL(name)
	if problem != nil {
		problem.Option, problem.Value = p.Key(), shown(name)
		return LoRA{}, nil, problem
	}
	l := LoRA{Path: file, Scale: 1}
	if rewritten {
		return l, []Note{{Option: p.Key(), From: shown(name), To: shown(file), Reason: RewrittenLoRA}}, nil
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
	if !r.allowsHost(huggingFace) {
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
	host := canonicalHost(u.Hostname())
	if problem := r.checkHost(host, u); problem != nil {
		return "", false, problem
	}
	u.Host, u.Fragment, u.RawFragment, u.ForceQuery = host, "", "", false
	if under(host, huggingFace) {
		if repo, ok := pageOfRepo(u.Path); ok {
			return repo, true, nil
		}
		rewritten = asFile(u)
	}
	if problem := checkFile(u); problem != nil {
		return "", false, problem
	}
	return u.String(), rewritten, nil
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

// canonicalHost is the one name of a host that has several.
func canonicalHost(host string) string {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if name, ok := otherNames[host]; ok {
		return name
	}
	return host
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
	case !r.allowsHost(host):
		return &FieldError{Problem: LoRAHost, Other: shown(host), Choices: r.hosts()}
	}
	return nil
}

// allowsHost tells whether the host is one of the allowed, or under one.
func (r Rules) allowsHost(host string) bool {
	host = canonicalHost(host)
	return slices.ContainsFunc(r.hosts(), func(allowed string) bool {
		return under(host, allowed)
	})
}

func under(host, domain string) bool {
	domain = canonicalHost(trimWildcard(domain))
	return domain != "" && (host == domain || strings.HasSuffix(host, "."+domain))
}

// trimWildcard reads "*.example.com" as "example.com": subdomains are allowed
// in any case.
func trimWildcard(domain string) string { return strings.TrimPrefix(domain, "*.") }

// civitaiFile is the path of a file on Civitai; every other one is a page.
// https://github.com/civitai/civitai/wiki/REST-API-Reference
var civitaiFile = regexp.MustCompile(`^/api/download/models/[0-9]+/?$`)

// checkFile refuses what is not a file of tensors.
func checkFile(u *url.URL) *FieldError {
	extension := strings.ToLower(path.Ext(u.Path))
	switch {
	case under(u.Host, civitai):
		if !civitaiFile.MatchString(u.Path) {
			return &FieldError{Problem: LoRACivitaiPage}
		}
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

// pageOfRepo returns the repository whose page this is.
func pageOfRepo(urlPath string) (repo string, ok bool) {
	parts := strings.Split(strings.Trim(urlPath, "/"), "/")
	if len(parts) == 4 && parts[2] == "tree" && parts[3] == "main" {
		parts = parts[:2]
	}
	if len(parts) != 2 {
		return "", false
	}
	repo = parts[0] + "/" + parts[1]
	return repo, isRepo(repo)
}

// asFile turns the URL of a file's page, or of its Git pointer, into that of
// the file, and tells whether it did.
// https://huggingface.co/docs/hub/models-downloading
func asFile(u *url.URL) bool {
	escaped := strings.Split(u.EscapedPath(), "/")
	for i := 3; i < min(len(escaped), 5); i++ {
		if escaped[i] == "resolve" {
			return false
		}
		if escaped[i] == "blob" || escaped[i] == "raw" {
			escaped[i] = "resolve"
			u.RawPath = strings.Join(escaped, "/")
			if p, err := url.PathUnescape(u.RawPath); err == nil {
				u.Path = p
			}
			return true
		}
	}
	return false
}
