package web

import (
	"bytes"
	"cmp"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/core/usd"
	"ltxbot/internal/asset"
)

//go:embed html
var htmlFiles embed.FS

//go:embed assets
var assetFiles embed.FS

// loaded is what all pages are made of. It is read once.
type loaded struct {
	assets    *asset.Files
	templates map[string]*template.Template
}

// load reads it.
var load = sync.OnceValues(func() (l loaded, err error) {
	if l.assets, err = asset.Read(assetFiles, "assets", Path+"/assets/"); err != nil {
		return l, err
	}
	l.templates, err = parsePages(l.assets)
	return l, err
})

func (s *Server) asset(q *request) error {
	if !s.pages.assets.Serve(q.w, q.PathValue("file")) {
		return errNoPage
	}
	return nil
}

// parsePages reads the templates: each page with the layout and the parts.
func parsePages(a *asset.Files) (map[string]*template.Template, error) {
	base, err := template.New("layout.html").Funcs(functions(a)).ParseFS(htmlFiles, "html/layout.html", "html/parts.html")
	if err != nil {
		return nil, err
	}
	files, err := fs.Glob(htmlFiles, "html/*.html")
	if err != nil {
		return nil, err
	}
	pages := map[string]*template.Template{}
	for _, file := range files {
		name := strings.TrimSuffix(path.Base(file), ".html")
		page, err := base.Clone()
		if err == nil {
			page, err = page.ParseFS(htmlFiles, file)
		}
		if err != nil {
			return nil, err
		}
		pages[name] = page
	}
	return pages, nil
}

// view is what a page is made of.
type view struct {
	Words

	Title  string
	Who    string // who is signed in; empty = nobody
	Role   Role
	Team   string
	Teams  []string
	Choice bool // a team can be chosen
	Path   string
	Nav    []navLink
	Zone   *time.Location
	Names  map[string]string // of members on the page
	Data   any
}

// Name is what a member is called, if that is known.
func (v view) Name(member string) string { return v.Names[member] }

// navLink is a page in the navigation.
type navLink struct {
	Address string
	Text    string
	Here    bool
}

// navigation is the pages that everybody with a role finds at the top.
var navigation = []struct {
	path, text string
	from, to   Role
}{
	{"/", "Overview", Admin, Operator},
	{"/jobs", "Jobs", Member, Operator},
	{"/gallery", "Gallery", Member, Operator},
	{"/usage", "Your usage", Member, Admin},
	{"/members", "Members", Admin, Operator},
	{"/team", "Team", Admin, Operator},
	{"/library", "LoRAs and styles", Member, Operator},
	{"/tiers", "Tiers", Admin, Operator},
	{"/log", "Audit log", Admin, Operator},
	{"/health", "Health", Operator, Operator},
}

// render writes a page.
func (s *Server) render(q *request, status int, page, title string, data any) {
	v := view{Words: s.cfg.Words, Title: title, Role: q.role, Team: q.team, Teams: q.teams, Path: q.URL.Path, Data: data, Zone: time.UTC}
	if s.cfg.Policy != nil {
		v.Zone = s.cfg.Policy().ZoneOf(q.team)
	}
	if m, ok := data.(mentions); ok {
		v.Names = s.names.of(q.Context(), m.mentioned())
	}
	if q.who != nil {
		v.Who = q.who.Name
		v.Choice = len(q.teams) > 1 || q.role == Operator && len(q.teams) > 0
	}
	for _, n := range navigation {
		if q.role < n.from || q.role > n.to {
			continue
		}
		address := Path + n.path
		if q.team != "" {
			address += "?" + url.Values{"team": {q.team}}.Encode()
		}
		here := q.URL.Path == Path+n.path || n.path != "/" && strings.HasPrefix(q.URL.Path, Path+n.path+"/")
		v.Nav = append(v.Nav, navLink{address, n.text, here})
	}
	var body bytes.Buffer
	var err error
	if q.piece != nil {
		err = s.pages.templates[page].ExecuteTemplate(&body, "live", v)
	} else {
		err = s.pages.templates[page].Execute(&body, v)
	}
	if err != nil {
		s.log.ErrorContext(q.Context(), "cannot write a page of the console", "page", page, "error", err)
		http.Error(q.w, "this page cannot be shown; the log says why", http.StatusInternalServerError)
		return
	}
	if q.piece != nil {
		l, ok := data.(live)
		q.piece.html, q.piece.last = body.Bytes(), !ok || !l.live()
		return
	}
	q.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	q.w.WriteHeader(status)
	_, _ = body.WriteTo(q.w)
}

// functions are what templates call.
func functions(a *asset.Files) template.FuncMap {
	return template.FuncMap{
		"asset":   a.Address,
		"dollars": dollars,
		"took":    took,
		"when":    func(zone *time.Location, at time.Time) moment { return moment{at, zone} },
		"count":   count,
		"amount":  func(g quota.Gauge, n int64) string { return amount(g.Unit, n) },
		"percent": percent,
		"limited": limited,
		"scope":   ofScope,
		"limit":   func(g quota.Gauge) string { return quota.LimitName{Unit: g.Unit, Window: g.Window}.String() },
		"setting": func(o quota.Override) string {
			return quota.LimitName{Unit: o.Unit, Window: o.Window}.String() + " " + quota.WriteAmount(o.Unit, o.Max)
		},
		"href": func(path string, pairs ...string) string {
			v := url.Values{}
			for i := 0; i+1 < len(pairs); i += 2 {
				if pairs[i+1] != "" {
					v.Set(pairs[i], pairs[i+1])
				}
			}
			if len(v) == 0 {
				return Path + path
			}
			return Path + path + "?" + v.Encode()
		},
		"segment":  url.PathEscape,
		"external": external,
		"model":    func(endpoint string) string { return strings.TrimPrefix(endpoint, "fal-ai/") },
		"pair":     func(a, b any) [2]any { return [2]any{a, b} },
		"place":    place,
		"posted":   func(f generate.Fit) string { return posted[f] },
	}
}

// posted is how a video was posted, for people.
var posted = map[generate.Fit]string{
	generate.FitOriginal: "as it was made", generate.FitReencoded: "made smaller", generate.FitLink: "as a link",
}

// place is where a job or an order comes from, for people.
func place(name string) string { return cmp.Or(places[name], name) }

var places = map[string]string{"discord": "Discord", "slack": "Slack", "api": "the API"}

// external is a link to another site, as far as it is one; else "".
func external(link string) string {
	u, err := url.Parse(link)
	if err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http" && loopbackName(u.Host)) {
		return link
	}
	return ""
}

// dollars writes money for people: cents, or as many decimals as it has when it
// is less than one.
func dollars(m usd.Micros) string {
	if m != 0 && m < usd.Dollar/10 && m > -usd.Dollar/10 {
		return "$" + quota.WriteDollars(m)
	}
	return fmt.Sprintf("$%.2f", m.Dollars())
}

// count writes how many there are of something: "1 video", "2 videos".
func count(n any, what string) string {
	if text := fmt.Sprint(n); text != "1" {
		return text + " " + what + "s"
	}
	return "1 " + what
}

func amount(u quota.Unit, n int64) string {
	if u == quota.Dollars {
		return dollars(usd.Micros(n))
	}
	return strconv.FormatInt(n, 10)
}

// percent is how full a gauge is.
func percent(g quota.Gauge) int {
	if g.Max <= 0 {
		return 0
	}
	return int(max(0, min(100, 100*g.Used/g.Max)))
}

// took writes a duration for people.
func took(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// moment is a time in a zone.
type moment struct {
	at   time.Time
	zone *time.Location
}

// Zero reports whether there is none.
func (m moment) Zero() bool { return m.at.IsZero() }

// Machine writes it for programs.
func (m moment) Machine() string { return m.at.UTC().Format(time.RFC3339) }

// String writes it for people.
func (m moment) String() string { return m.at.In(m.zone).Format("2 Jan 2006 15:04:05 MST") }
