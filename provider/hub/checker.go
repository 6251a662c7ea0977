// Package hub looks at LoRAs where they are: at Hugging Face, Civitai and other
// hosts of files. It reads the header of a file, over https and from public
// addresses, and never the weights.
package hub

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"ltxbot/core/library"
	"ltxbot/internal/publichttp"
)

// How a file is looked at.
const (
	checkLimit = 15 * time.Second // for one look, all redirects included; a person waits
	atATime    = 16               // looks of this process
	atAHost    = 2                // looks at one host; others need not wait for it
	// DefaultMaxBytes is the largest LoRA that fal takes.
	// https://fal.ai/models/fal-ai/ltx-2.3-quality/text-to-video/lora
	DefaultMaxBytes = 3 << 30
)

// Config is what a Checker is made of.
type Config struct {
	// Client fetches. Its hosts are those of links and of all that they lead to:
	// hosts of models keep their files elsewhere, so they are not narrowed here.
	Client *publichttp.Client
	// Allows reports whether a LoRA may be on a host; nil = on all.
	Allows func(host string) bool
	// MaxBytes is the size of the largest LoRA; 0 = DefaultMaxBytes.
	MaxBytes int64
	// HuggingFace is the address of the Hub; empty = the public one.
	HuggingFace string
}

// A Checker looks at LoRAs. Its methods may be called from many goroutines.
type Checker struct {
	client      *publichttp.Client
	allows      func(host string) bool
	maxBytes    int64
	huggingFace string
	line        *line
	memory      memory
}

// New makes a checker. It makes no connection.
func New(c Config) *Checker {
	if c.Allows == nil {
		c.Allows = func(string) bool { return true }
	}
	return &Checker{
		client: c.Client, allows: c.Allows, maxBytes: cmp.Or(c.MaxBytes, DefaultMaxBytes),
		huggingFace: strings.TrimSuffix(cmp.Or(c.HuggingFace, "https://huggingface.co"), "/"),
		line:        newLine(),
	}
}

// Check implements library.Checker.
func (c *Checker) Check(ctx context.Context, link string) (library.Finding, error) {
	known, fresh := c.memory.get(link)
	if fresh {
		return known, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, checkLimit, publichttp.ErrSlow)
	defer cancel()
	leave, err := c.line.enter(ctx, c.hostOf(link))
	if err != nil {
		return library.Finding{}, unreachable(err)
	}
	defer leave()
	f, err := c.look(ctx, link, known)
	if err != nil {
		return library.Finding{}, fmt.Errorf("look at a LoRA: %w", err)
	}
	f.At = time.Now()
	c.memory.put(link, f)
	return f, nil
}

// hostOf is the host that is asked about a LoRA first.
func (c *Checker) hostOf(link string) string {
	if !strings.Contains(link, "://") {
		link = c.huggingFace
	}
	u, err := url.Parse(link)
	if err != nil {
		return "" // nobody is asked
	}
	return strings.ToLower(u.Host)
}

// Known implements library.Checker.
func (c *Checker) Known(link string) (library.Finding, bool) { return c.memory.known(link) }

// look asks the host.
func (c *Checker) look(ctx context.Context, link string, known library.Finding) (library.Finding, error) {
	if !strings.Contains(link, "://") {
		return c.lookAtRepo(ctx, link, known)
	}
	u, err := url.Parse(link)
	if err != nil || !c.allows(u.Hostname()) {
		return library.Finding{}, library.ErrHost
	}
	f, err := c.lookAtFile(ctx, link, "", known)
	if w, refused := f.Warning(library.NotPublic); refused && err == nil {
		if repo, ok := c.repoOf(u); ok { // it tells why
			return c.lookAtRepoOf(ctx, repo, f, w)
		}
	}
	return f, err
}

// lookAtFile reads the header of a file. card is what its repository says of the
// model.
func (c *Checker) lookAtFile(ctx context.Context, link, card string, known library.Finding) (library.Finding, error) {
	f := library.Finding{File: shown(link)}
	part, err := c.client.OpenStart(ctx, link, lengthSize+maxHeader, known.ETag)
	if errors.Is(err, publichttp.ErrUnchanged) && known.ETag != "" {
		return known, nil
	}
	if err != nil {
		w, err := refused(link, err)
		f.Warnings = append(f.Warnings, w)
		return f, err
	}
	defer func() { _ = part.Body.Close() }()
	if ct := part.Type; ct == "text/html" || ct == "application/xhtml+xml" {
		f.Warnings = []library.Warning{{Kind: library.WebPage}}
		return f, nil
	}
	found, err := c.inspect(part.Body, max(part.Size, 0), card)
	if err != nil {
		return f, unreachable(err)
	}
	found.File, found.ETag = f.File, part.ETag
	return found, nil
}

// Inspect implements library.Checker.
func (c *Checker) Inspect(r io.Reader, size int64) (library.Finding, error) {
	f, err := c.inspect(r, size, "")
	f.At = time.Now()
	return f, err
}

// inspect reads the beginning of a file; size is 0 where nobody tells.
func (c *Checker) inspect(r io.Reader, size int64, card string) (library.Finding, error) {
	begin := make([]byte, sniff)
	n, err := io.ReadFull(r, begin)
	if err != nil && !isShort(err) {
		return library.Finding{}, err
	}
	begin = begin[:n]
	f := library.Finding{Bytes: size}
	if kind, odd := kindOf(begin); odd {
		f.Warnings = []library.Warning{{Kind: kind}}
		return f, nil
	}
	h, err := readHeader(io.MultiReader(bytes.NewReader(begin), r))
	switch {
	case errors.Is(err, errNotTensors):
		f.Warnings = []library.Warning{{Kind: library.NotTensors}}
		return f, nil
	case err != nil:
		return f, err
	}
	f.Tensors, f.Rank, f.BaseModel = len(h.Tensors), h.rank(), h.modelOf(card)
	f.Trigger = oneLine(cmp.Or(h.Metadata["modelspec.trigger_phrase"], h.Metadata["trigger_phrase"]))
	f.Warnings = h.warnings(card)
	// Most of what is fatal comes first.
	if max(f.Bytes, h.Size) > c.maxBytes {
		f.Warnings = append([]library.Warning{{Kind: library.TooLarge, Value: inGB(c.maxBytes)}}, f.Warnings...)
	}
	if f.Bytes > 0 && f.Bytes < h.Size {
		f.Warnings = append([]library.Warning{{Kind: library.CutOff}}, f.Warnings...)
	}
	return f, nil
}

// sniff is how many bytes tell what a file is that is none of tensors.
const sniff = 64

// beginnings are what files begin with that people give in place of a LoRA.
var beginnings = []struct {
	begin string
	kind  library.WarningKind
}{
	{"version https://git-lfs.github.com/spec/", library.GitPointer},
	{"version https://hawser.github.com/spec/", library.GitPointer},
	{"PK\x03\x04", library.Pickle}, // torch.save: a zip with a pickle in it
	{"\x80\x02", library.Pickle},
	{"\x80\x03", library.Pickle},
	{"\x80\x04", library.Pickle},
	{"\x80\x05", library.Pickle},
	{"\x1f\x8b", library.Pickle},
	{"7z\xbc\xaf\x27\x1c", library.Pickle},
	{"Rar!", library.Pickle},
}

// kindOf is what a file is, by its first bytes, when it can't be of tensors. The
// length of a header may look like a pickle: the header's brace decides.
func kindOf(begin []byte) (library.WarningKind, bool) {
	if len(begin) > lengthSize && begin[lengthSize] == '{' {
		return "", false
	}
	for _, b := range beginnings {
		if bytes.HasPrefix(begin, []byte(b.begin)) {
			return b.kind, true
		}
	}
	if text := bytes.ToLower(bytes.TrimLeft(begin, "\ufeff \t\r\n")); bytes.HasPrefix(text, []byte("<!doctype")) || bytes.HasPrefix(text, []byte("<html")) {
		return library.WebPage, true
	}
	return "", false
}

// refused is what an answer without a file says of the LoRA, or the error when
// it says nothing of it.
func refused(link string, err error) (library.Warning, error) {
	u, parseErr := url.Parse(link)
	if parseErr != nil {
		return library.Warning{}, library.ErrHost
	}
	answer, _ := errors.AsType[*publichttp.StatusError](err)
	switch {
	case errors.Is(err, publichttp.ErrMissing):
		return library.Warning{Kind: library.Missing, Value: shown(link)}, nil
	case errors.Is(err, publichttp.ErrForbidden) && isCivitai(u.Hostname()):
		return library.Warning{Kind: library.NeedsToken}, nil
	case errors.Is(err, publichttp.ErrForbidden):
		return library.Warning{Kind: library.NotPublic, Value: u.Hostname()}, nil
	case errors.Is(err, publichttp.ErrLink), errors.Is(err, publichttp.ErrInside), errors.Is(err, publichttp.ErrRedirects):
		return library.Warning{Kind: library.LeadsAstray}, nil
	case answer != nil && answer.Status == http.StatusRequestedRangeNotSatisfiable: // it is empty
		return library.Warning{Kind: library.NotTensors}, nil
	case answer != nil && !answer.Temporary():
		return library.Warning{Kind: library.NotPublic, Value: u.Hostname()}, nil
	}
	return library.Warning{}, unreachable(err)
}

func unreachable(err error) error { return fmt.Errorf("%w: %w", library.ErrUnreachable, err) }

func isCivitai(host string) bool {
	return host == "civitai.com" || strings.HasSuffix(host, ".civitai.com")
}

// shown is a link without what may be secret.
func shown(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return ""
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String()
}

// inGB writes a limit: "3 GB".
func inGB(bytes int64) string {
	return strings.TrimSuffix(fmt.Sprintf("%.1f", float64(bytes)/(1<<30)), ".0") + " GB"
}

// oneLine is a text of a file's maker, short and without what breaks a line.
func oneLine(s string) string {
	const most = 200 // code points
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > most {
		s = string(r[:most])
	}
	return strings.ToValidUTF8(s, "")
}
