package demo

import (
	"embed"
	"fmt"
	"html/template"
	"maps"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"ltxbot/internal/asset"
)

//go:embed assets
var assets embed.FS

// loaded is what the page loads, and the templates of the page and its parts.
type loaded struct {
	assets    *asset.Files
	templates *template.Template
}

// load reads it. It comes with the program: nothing can be wrong with it.
var load = sync.OnceValue(func() loaded {
	files, err := asset.Read(assets, "assets", "/assets/")
	if err != nil {
		panic(err)
	}
	return loaded{files, template.Must(template.New("").Funcs(functions).Funcs(template.FuncMap{"asset": files.Address}).ParseFS(assets, "assets/*.html"))}
})

// functions are what templates call.
var functions = template.FuncMap{
	"initial": initial,
	"clock":   func(t time.Time) string { return t.Local().Format("15:04") },
	"iso":     func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"size":    size,
	"media":   func(on string, f File) string { return "/media/" + on + "/" + url.PathEscape(f.ID) },
	"isVideo": func(f File) bool { return strings.HasPrefix(f.Type, "video/") },
	"isImage": func(f File) bool { return strings.HasPrefix(f.Type, "image/") && shows(f.Type) },
	"isSound": func(f File) bool { return strings.HasPrefix(f.Type, "audio/") },
	"classes": classes,
	"percent": func(g Gauge) int { return int(min(max(g.Used/g.Most, 0), 1) * 100) },
	"in":      func(p post, what any) placed { return placed{p, what} },
}

// A post is what the forms of the page send along.
type post struct {
	As      string // the person
	On      string // the platform
	Message string
}

// Post is the post itself, for a template that hands it on.
func (p post) Post() post { return p }

// placed is something with where it stands.
type placed struct {
	post

	What any
}

// A fragment is a piece of the page that changes by itself.
type fragment struct {
	ID   string `json:"id"`
	In   string `json:"in,omitempty"` // the list that it stands in; empty = it is always there
	HTML string `json:"html"`
}

// written is fragments with what they were written from, by their id. Most of a
// page stays as it is: that is not written again.
type written map[string]source

type source struct {
	what any
	html string
}

// fragments writes a scene in pieces, in the order of the page, and takes what
// has not changed from before, which it brings up to date.
func fragments(as string, s Scene, before written) ([]fragment, error) {
	var out []fragment
	now := written{}
	add := func(id, in, name string, what any) error {
		piece, there := before[id]
		if !there || !reflect.DeepEqual(piece.what, what) {
			var b strings.Builder
			if err := load().templates.ExecuteTemplate(&b, name, what); err != nil {
				return fmt.Errorf("write %s of the page: %w", name, err)
			}
			piece = source{what, strings.TrimSpace(b.String())}
		}
		now[id] = piece
		out = append(out, fragment{ID: id, In: in, HTML: piece.html})
		return nil
	}
	for _, c := range s.Channels {
		here := post{As: as, On: c.Platform}
		for _, m := range c.Messages {
			here := post{As: as, On: c.Platform, Message: m.ID}
			if err := add(c.Platform+"-"+m.ID, c.Platform+"-log", "message", placed{here, m}); err != nil {
				return nil, err
			}
		}
		if err := add(c.Platform+"-form", "", "form", placed{here, c.Form}); err != nil {
			return nil, err
		}
	}
	around := s
	around.Channels = nil
	for _, name := range []string{"guide", "confirm", "plugs", "ledger", "fal"} {
		if err := add(name, "", name, placed{post{As: as}, around}); err != nil {
			return nil, err
		}
	}
	clear(before)
	maps.Copy(before, now)
	return out, nil
}

// page is what the whole page is written from.
type page struct {
	post
	Scene

	Trouble string // what went wrong, where no script tells it
	parts   []fragment
}

// Fragment is a piece that is always there.
func (p page) Fragment(id string) template.HTML {
	for _, f := range p.parts {
		if f.ID == id {
			return template.HTML(f.HTML) //nolint:gosec // written by a template of ours
		}
	}
	return ""
}

// List is the pieces of a list.
func (p page) List(id string) template.HTML {
	var b strings.Builder
	for _, f := range p.parts {
		if f.In == id {
			b.WriteString(f.HTML)
		}
	}
	return template.HTML(b.String()) //nolint:gosec // written by a template of ours
}

// Here is the person whose eyes the page shows.
func (p page) Here() Person {
	for _, one := range p.People {
		if one.Here {
			return one
		}
	}
	return Person{}
}

// initial is what stands in the circle beside a message.
func initial(name string) string {
	r, _ := utf8.DecodeRuneInString(name)
	return string(unicode.ToUpper(r))
}

// classes are the names of styles that a message has.
func classes(m Message) string {
	names := []string{"message"}
	for _, c := range []struct {
		is   bool
		name string
	}{{m.Only, "only"}, {m.Framed, "framed"}, {m.Trouble, "trouble"}, {m.App, "app"}} {
		if c.is {
			names = append(names, c.name)
		}
	}
	return strings.Join(names, " ")
}

// size is a number of bytes for a person.
func size(bytes int64) string {
	if bytes >= 1e6 {
		return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
	}
	return fmt.Sprintf("%d kB", (bytes+999)/1000)
}
