package discord

import (
	"bytes"
	"image"
	_ "image/gif"  // its size is known
	_ "image/jpeg" // as above
	_ "image/png"  // as above
	"net/http"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
)

// A File is something that a person uploads.
type File struct {
	Name        string
	ContentType string
	Data        []byte
}

// attach uploads a file for an option or a field of a form, as a client does,
// and returns its id. It is in no message and only the application sees it.
func (v *invocation) attach(field string, given File, types []string) (string, error) {
	if limit := v.user.limitIn(v.channel); len(given.Data) > limit {
		return "", v.refuse(field, "%s is larger than %d bytes", given.Name, limit)
	}
	if !ofType(given.Name, types) {
		return "", v.refuse(field, "%s is of none of the types %s", given.Name, strings.Join(types, ", "))
	}
	f, err := v.s.keepFile(given, v.channel)
	if err != nil {
		return "", err
	}
	f.ephemeral = true
	v.s.world.files[f.id] = f
	v.resolve("attachments", f.id, f.json())
	return f.id, nil
}

func (s *Server) keepFile(given File, ch *Channel) (*file, error) {
	u, err := s.store(bytes.NewReader(given.Data), 0, given.Name, given.ContentType)
	if err != nil {
		return nil, err
	}
	return s.newFile(u, ch.ID, given.Name, ""), nil
}

// fileTypesIn are the file_types of an option or of a file upload.
func fileTypesIn(o object) []string {
	list := listIn(o["file_types"])
	types := make([]string, 0, len(list))
	for _, t := range list {
		types = append(types, textIn(t))
	}
	return types
}

// ofType reports whether a name ends as one of the types asks: ".png", or
// "image", "video", "audio". The service looks at nothing but the name.
// https://discord.com/developers/docs/interactions/application-commands#application-command-object-application-command-option-structure
func ofType(name string, types []string) bool {
	kind, _, _ := strings.Cut(contentTypeOf(name, ""), "/")
	ext := strings.ToLower(path.Ext(name))
	return len(types) == 0 || slices.ContainsFunc(types, func(t string) bool { return t == kind || strings.EqualFold(t, ext) })
}

// checkFileTypes: a type is a kind of media or the end of a name.
func (c *checker) checkFileTypes(path string, o object) {
	for i, t := range fileTypesIn(o) {
		if !slices.Contains([]string{"image", "video", "audio"}, t) && (len(t) < 2 || t[0] != '.') {
			c.add(at(join(path, "file_types"), i), "BASE_TYPE_CHOICES", "Value must be one of {image, video, audio} or begin with a dot.")
		}
	}
}

// sizeOf is the size in pixels of a picture on disk, or zero.
func sizeOf(path string) (width, height int) {
	in, err := os.Open(path) //nolint:gosec // an upload of the simulator's own
	if err != nil {
		return 0, 0
	}
	defer func() { _ = in.Close() }()
	picture, _, err := image.DecodeConfig(in)
	if err != nil {
		return 0, 0
	}
	return picture.Width, picture.Height
}

// Say posts a message of a person.
func (u *User) Say(c *Channel, text string) Message {
	s := u.server
	s.mu.Lock()
	defer s.mu.Unlock()
	return u.say(c, text, nil)
}

func (u *User) say(c *Channel, text string, files []*file) Message {
	m := &message{channel: c, author: u}
	u.server.post(m, draft{content: text}, files, rulesOf(nil, false))
	return m.snapshot()
}

// Share posts a message of a person with files.
func (u *User) Share(c *Channel, text string, given ...File) (Message, error) {
	s := u.server
	s.mu.Lock()
	defer s.mu.Unlock()
	v := u.invocation(c, "message")
	switch {
	case len(given) == 0 || len(given) > maxFiles:
		return Message{}, v.refuse("", "a message has 1 to %d files", maxFiles)
	case c.guild != nil && !c.permissions(u.ID).has(AttachFiles):
		return Message{}, v.refuse("", "the person may not attach files here")
	}
	files := make([]*file, 0, len(given))
	for _, g := range given {
		if limit := u.limitIn(c); len(g.Data) > limit {
			return Message{}, v.refuse(g.Name, "is larger than %d bytes", limit)
		}
		f, err := s.keepFile(g, c)
		if err != nil {
			return Message{}, err
		}
		files = append(files, f)
	}
	return u.say(c, text, files), nil
}

// maxRefreshed is how many addresses a call renews.
const maxRefreshed = 50

// refreshURLs signs addresses of attachments anew. The endpoint is not in
// Discord's documentation; bots and clients use it. What came with an
// interaction is not renewed: the address comes back as it was.
// https://docs.discord.food/resources/attachment#refresh-attachment-urls
func (c *call) refreshURLs() (int, any, *apiError) {
	check := &checker{}
	check.check("", fieldsOf(map[string]schema{"attachment_urls": need(listOf(link(2048), 1, maxRefreshed))}), c.json)
	if err := check.result(); err != nil {
		return 0, nil, err
	}
	out := []object{}
	for _, v := range listIn(c.json["attachment_urls"]) {
		original := textIn(v)
		refreshed := original
		u, err := url.Parse(original)
		if err == nil && strings.HasPrefix(u.Path, "/attachments/") {
			parts := strings.Split(strings.Trim(u.Path, "/"), "/")
			if f := c.s.world.files[parts[min(2, len(parts)-1)]]; f != nil && !f.gone() {
				refreshed = f.url()
			}
		}
		out = append(out, object{"original": original, "refreshed": refreshed})
	}
	return http.StatusOK, object{"refreshed_urls": out}, nil
}
