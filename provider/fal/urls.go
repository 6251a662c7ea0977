package fal

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"ltxbot/core/generate"
	"ltxbot/internal/hosts"
)

// baseURL reads the address of one of fal's hosts: https, or plain http on
// loopback, which is where simulators live.
func baseURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return nil, errors.New("not a URL")
	case u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("%q: want https://host/path", u.Redacted())
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		u.Path = strings.TrimRight(u.Path, "/")
		return u, nil
	}
	return nil, fmt.Errorf("%q: want https (http only on loopback)", u.Redacted())
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// appOf is the part of an endpoint that its queue URLs keep: owner and alias,
// and the namespace too for workflows and comfy apps.
// https://fal.ai/docs/documentation/model-apis/inference/queue
func appOf(endpoint string) (string, error) {
	parts := strings.Split(strings.Trim(endpoint, "/"), "/")
	keep := 2
	if parts[0] == "workflows" || parts[0] == "comfy" {
		keep = 3
	}
	if len(parts) < keep || slices.ContainsFunc(parts, func(p string) bool {
		return p == "" || p == "." || p == ".." || url.PathEscape(p) != p
	}) {
		return "", fmt.Errorf("%q is not an endpoint such as owner/alias/path", endpoint)
	}
	return strings.Join(parts[:keep], "/"), nil
}

// validID says whether id can be a request id: fal's are UUIDs, and are
// treated as opaque.
func validID(id string) bool {
	return id != "" && len(id) <= 128 && strings.Trim(id, ".") != "" && !strings.ContainsFunc(id, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune("-_.:", r)
	})
}

// The calls that a submission has a URL for, by the end of its path.
const (
	pathStatus = "/status"
	pathStream = "/status/stream"
	pathResult = ""
	pathCancel = "/cancel"
)

// urlFor returns the URL of one call about s: the one that fal returned if it
// is on the queue host, else one made by fal's path rule.
func (c *Client) urlFor(s generate.Submission, path string) (*url.URL, error) {
	given, rest := s.ResponseURL, ""
	switch path {
	case pathStatus:
		given = s.StatusURL
	case pathStream:
		given, rest = s.StatusURL, "/stream"
	case pathCancel:
		given = s.CancelURL
	}
	if u := c.trusted(given); u != nil {
		u.Path = strings.TrimRight(u.Path, "/") + rest
		return u, nil
	}
	app, err := appOf(s.Endpoint)
	if err != nil {
		return nil, err
	}
	if !validID(s.RequestID) {
		return nil, errors.New("the request id is not one of fal's")
	}
	return c.queue.JoinPath(app, "requests", s.RequestID+path), nil
}

// maxURL is longer than any URL of the queue, in bytes.
const maxURL = 2048

// trusted returns the URL in s if it may be sent the key, else nil.
func (c *Client) trusted(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil || s == "" || len(s) > maxURL || u.Scheme != c.queue.Scheme || !strings.EqualFold(u.Host, c.queue.Host) || u.User != nil {
		return nil
	}
	u.RawQuery, u.Fragment = "", ""
	return u
}

// submission keeps of a reply what may be used later.
func (c *Client) submission(endpoint, id, statusURL, responseURL, cancelURL string) generate.Submission {
	keep := func(s string) string {
		if u := c.trusted(s); u != nil {
			return u.String()
		}
		return ""
	}
	return generate.Submission{
		RequestID:   id,
		Endpoint:    endpoint,
		StatusURL:   keep(statusURL),
		ResponseURL: keep(responseURL),
		CancelURL:   keep(cancelURL),
	}
}

// mediaHosts are the hosts that downloads may come from. A loopback host may be
// listed with its port.
type mediaHosts struct{ hosts.List }

func parseMediaHosts(patterns []string) (mediaHosts, error) {
	list, err := hosts.Parse(patterns)
	if err != nil {
		return mediaHosts{}, fmt.Errorf("%w, or a loopback host:port", err)
	}
	return mediaHosts{list}, nil
}

// check allows https on a listed host, and plain http on a listed loopback
// host, or on one of its ports when that is listed.
func (m mediaHosts) check(u *url.URL) error {
	if u.User != nil {
		return generate.ErrForeign
	}
	host, port := hosts.Name(u.Hostname()), u.Port()
	listed := port != "" && slices.Contains(m.List, net.JoinHostPort(host, port))
	switch u.Scheme {
	case "http":
		if isLoopback(host) && (listed || slices.Contains(m.List, host)) {
			return nil
		}
	case "https":
		if listed || (port == "" || port == "443") && m.Has(host) {
			return nil
		}
	}
	return generate.ErrForeign
}
