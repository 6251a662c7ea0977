package web

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// unreachable says why the console does not answer a request, or "". Without a
// public address it answers browsers on this machine alone: not a proxy, and not a
// page that has made a name of its own lead to this machine.
func (s *Server) unreachable(r *http.Request) string {
	if s.public != nil {
		if !strings.EqualFold(r.Host, s.public.Host) {
			return "the console is at " + s.public.Scheme + "://" + s.public.Host + Path + " (http.public_url)"
		}
		return ""
	}
	if proxied(r) || !loopbackName(r.Host) || !loopbackAddress(r.RemoteAddr) {
		return "the console can be opened on the machine of the bot only, until http.public_url is set"
	}
	return ""
}

// proxied reports whether a proxy shows that it has sent a request. One that says
// nothing, like nginx as it is, speaks HTTP/1.0, which no browser does.
// https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_http_version
func proxied(r *http.Request) bool {
	return !r.ProtoAtLeast(1, 1) || slices.ContainsFunc([]string{"X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Forwarded", "Via"}, func(name string) bool {
		return r.Header.Get(name) != ""
	})
}

// loopbackName reports whether a Host header names this machine.
func loopbackName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && address.IsLoopback()
}

func loopbackAddress(remote string) bool {
	at, err := netip.ParseAddrPort(remote)
	return err == nil && at.Addr().Unmap().IsLoopback()
}

// caller is the address that a request comes from: that which the proxy tells,
// if it comes through one in the same network.
func (s *Server) caller(r *http.Request) string {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	from := at.Addr().Unmap()
	if err != nil || s.public == nil || !from.IsLoopback() && !from.IsPrivate() {
		return r.RemoteAddr
	}
	told := r.Header.Values("X-Forwarded-For")
	if len(told) == 0 {
		return r.RemoteAddr
	}
	all := strings.Split(told[len(told)-1], ",")
	return strings.TrimSpace(all[len(all)-1])
}

// origin is the address of the console as browsers know it, without a path.
func (s *Server) origin(r *http.Request) string {
	if s.public != nil {
		return s.public.Scheme + "://" + s.public.Host
	}
	return "http://" + r.Host
}

// secure reports whether browsers reach the console by https.
func (s *Server) secure() bool { return s.public != nil && s.public.Scheme == "https" }

// contentPolicy allows what the pages are made of, and the hosts of videos, of which
// own is this one.
func contentPolicy(hosts []string, own bool) string {
	var media []string
	if own {
		media = append(media, "'self'")
	}
	for _, h := range hosts {
		scheme := "https://"
		if loopbackName(h) {
			scheme = "http://"
		}
		media = append(media, scheme+h)
	}
	if len(media) == 0 {
		media = append(media, "'none'")
	}
	return "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; media-src " + strings.Join(media, " ") +
		"; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
}
