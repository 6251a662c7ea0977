package slack

import (
	"bytes"
	"cmp"
	_ "embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"
)

// page is what somebody reads in the browser about an installation.
type page struct {
	Status int
	Title  string
	Text   string
	Steps  []string
	Link   string // empty = where an installation begins
	Label  string // of the link; empty = there is none
}

const tryAgain = "Try again"

// The pages about installations that came to nothing.
var (
	pageState = page{
		Status: http.StatusBadRequest, Title: "This link has expired", Label: tryAgain,
		Text: "An installation has to be finished within ten minutes, once, and in the browser where it was begun. Nothing was installed.",
	}
	pageDenied = page{
		Status: http.StatusForbidden, Title: "Nothing was installed", Label: tryAgain,
		Text: "You did not allow it, or your workspace wants an admin to approve apps first. You can come back at any time.",
	}
	pageLate = page{
		Status: http.StatusBadRequest, Title: "That took too long", Label: tryAgain,
		Text: "Slack's permission was used or had expired. Nothing was installed.",
	}
	pageNotAllowed = page{
		Status: http.StatusForbidden, Title: "Not for this workspace",
		Text: "Whoever runs this bot has not opened it for your workspace. Nothing was installed.",
	}
	pageOperator = page{
		Status: http.StatusInternalServerError, Title: "The bot is not set up right",
		Text: "Nothing was installed, and trying again will not help: whoever runs this bot finds the reason in its log.",
	}
	pageBusy = page{
		Status: http.StatusTooManyRequests, Title: "Too many installations at a time", Label: tryAgain,
		Text: "Nothing was installed. Please try again in a minute.",
	}
	pageTrouble = page{
		Status: http.StatusBadGateway, Title: "That did not work", Label: tryAgain,
		Text: "Slack did not answer as it should, or the installation could not be kept. Please try again in a minute.",
	}
)

// pageOf is what somebody reads about an error.
func pageOf(err error) page {
	switch {
	case errors.Is(err, errNotAllowed):
		return pageNotAllowed
	case hasCode(err, "invalid_code", "code_already_used", "code_expired"):
		return pageLate
	case errors.Is(err, errRotation), errors.Is(err, errNoBotToken),
		hasCode(err, "invalid_client_id", "bad_client_secret", "bad_redirect_uri", "invalid_team_for_non_distributed_app"):
		return pageOperator
	}
	return pageTrouble
}

// welcome is what somebody reads who has installed the app.
func (b *Bot) welcome(in installation) page {
	p := page{
		Status: http.StatusOK, Title: "Ready to make videos in " + cmp.Or(in.Name, "your workspace"),
		Steps: []string{
			"In a private channel, type /invite @" + strings.TrimPrefix(b.cfg.Command, "/") + " first. Public channels the bot enters by itself.",
			"Type " + b.cfg.Command + " a cowboy walks through a dusty town camera:dolly_in",
			"Type " + b.cfg.Command + " help to see all that it can do.",
		},
		Label: "Open Slack", Link: "https://slack.com/app_redirect?" + url.Values{"app": {in.App}}.Encode(),
	}
	if in.OrgWide {
		p.Text = "The app is installed in the organisation. An admin still has to add it to workspaces, under Integrations in the organisation's settings."
	}
	if lacking := in.lacking(); len(lacking) > 0 {
		p.Text = strings.TrimSpace(p.Text + " It was not granted everything it needs, and will not work without: " + strings.Join(lacking, ", ") + ".")
	}
	return p
}

//go:embed page.html
var pageHTML string

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// writePage writes a page. It runs nothing, loads nothing, and does not tell the
// next one where somebody came from: the address holds a code.
func (b *Bot) writePage(w http.ResponseWriter, p page) {
	if p.Link == "" {
		p.Link = b.registry.oauth.installURL()
	}
	var body bytes.Buffer
	if err := pageTemplate.Execute(&body, p); err != nil {
		b.log.Error("cannot write a page", "error", err)
		http.Error(w, p.Title, p.Status)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(p.Status)
	_, _ = body.WriteTo(w)
}
