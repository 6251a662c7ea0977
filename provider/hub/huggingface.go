package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"slices"
	"strings"

	"ltxbot/core/library"
	"ltxbot/internal/publichttp"
)

const (
	maxRepo  = 8 << 20 // bytes of what the Hub tells of a repository
	maxFiles = 5       // of several, those that are named
)

// A repo is what the Hub tells of a repository.
// https://huggingface.co/docs/hub/api
type repo struct {
	Private bool       `json:"private"`
	Gated   gate       `json:"gated"`
	Card    repoCard   `json:"cardData"`
	Files   []repoFile `json:"siblings"`
	warning library.Warning
}

type repoFile struct {
	Name string `json:"rfilename"`
}

// A gate is whether people must accept terms: false, "auto" or "manual".
type gate bool

// UnmarshalJSON implements json.Unmarshaler.
func (g *gate) UnmarshalJSON(text []byte) error {
	*g = gate(string(text) != "false" && string(text) != "null")
	return nil
}

// A repoCard is what the maker wrote on the repository's page.
type repoCard struct {
	BaseModel names `json:"base_model"`
}

// names is one name or a list of them.
type names []string

// UnmarshalJSON implements json.Unmarshaler. A card is free text: what is
// neither is nothing.
func (n *names) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*n = names{one}
		return nil
	}
	var many []string
	_ = json.Unmarshal(text, &many)
	*n = many
	return nil
}

// readRepo asks the Hub about a repository. Without its name, or the permission,
// warning says why.
func (c *Checker) readRepo(ctx context.Context, id string) (repo, error) {
	file, err := c.client.Open(ctx, c.huggingFace+"/api/models/"+id, maxRepo)
	if err != nil {
		// To strangers a private repository looks like one that is not there.
		if errors.Is(err, publichttp.ErrForbidden) || errors.Is(err, publichttp.ErrMissing) {
			return repo{warning: library.Warning{Kind: library.Missing, Value: id}}, nil
		}
		w, err := refused(c.huggingFace, err)
		return repo{warning: w}, err
	}
	defer func() { _ = file.Body.Close() }()
	text, err := io.ReadAll(file.Body)
	if err != nil {
		return repo{}, unreachable(err)
	}
	var r repo
	if err := json.Unmarshal(text, &r); err != nil {
		return repo{}, fmt.Errorf("%w: what it tells of a repository is not JSON", library.ErrUnreachable)
	}
	switch {
	case r.Private:
		r.warning = library.Warning{Kind: library.Missing, Value: id}
	case bool(r.Gated):
		r.warning = library.Warning{Kind: library.Gated, Value: id}
	}
	return r, nil
}

// weights are the files of a repository that may be a LoRA.
func (r repo) weights() []string {
	var found []string
	for _, f := range r.Files {
		if strings.EqualFold(path.Ext(f.Name), ".safetensors") {
			found = append(found, f.Name)
		}
	}
	slices.Sort(found)
	return found
}

// lookAtRepo looks at the one LoRA of a repository.
func (c *Checker) lookAtRepo(ctx context.Context, id string, known library.Finding) (library.Finding, error) {
	if u, err := url.Parse(c.huggingFace); err != nil || !c.allows(u.Hostname()) {
		return library.Finding{}, library.ErrHost
	}
	r, err := c.readRepo(ctx, id)
	f := library.Finding{File: c.huggingFace + "/" + id}
	if err != nil {
		return f, err
	}
	files := r.weights()
	switch {
	case r.warning.Kind != "":
		f.Warnings = []library.Warning{r.warning}
		return f, nil
	case len(files) == 0:
		kind := library.NoWeights
		if slices.ContainsFunc(r.Files, func(f repoFile) bool { return pickled(f.Name) }) {
			kind = library.Pickle
		}
		f.Warnings = []library.Warning{{Kind: kind, Value: id}}
		return f, nil
	case len(files) > 1:
		w := library.Warning{Kind: library.SeveralFiles, Value: id}
		for _, name := range files[:min(len(files), maxFiles)] {
			w.Files = append(w.Files, c.fileOf(id, name))
		}
		f.Warnings = []library.Warning{w}
		return f, nil
	}
	return c.lookAtFile(ctx, c.fileOf(id, files[0]), strings.Join(r.Card.BaseModel, " "), known)
}

// pickled reports whether a file is one of weights that may run code.
func pickled(name string) bool {
	return slices.Contains([]string{".pt", ".pth", ".ckpt", ".bin"}, strings.ToLower(path.Ext(name)))
}

// fileOf is the link to a file of a repository.
func (c *Checker) fileOf(id, name string) string {
	return c.huggingFace + "/" + id + "/resolve/main/" + (&url.URL{Path: name}).EscapedPath()
}

// repoOf is the repository of a file at Hugging Face.
func (c *Checker) repoOf(u *url.URL) (id string, ok bool) {
	hub, err := url.Parse(c.huggingFace)
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	if err != nil || u.Host != hub.Host || len(parts) < 3 || parts[2] != "resolve" {
		return "", false
	}
	return parts[0] + "/" + parts[1], true
}

// lookAtRepoOf says why the Hub does not give away a file: f is what is known of
// it, with the warning w.
func (c *Checker) lookAtRepoOf(ctx context.Context, id string, f library.Finding, w library.Warning) (library.Finding, error) {
	r, err := c.readRepo(ctx, id)
	if err != nil {
		return f, err
	}
	if r.warning.Kind != "" {
		w = r.warning
	}
	f.Warnings = []library.Warning{w}
	return f, nil
}
