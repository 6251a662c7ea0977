// Package hosts matches the name of a host with the patterns of a config:
// "example.com", or "*.example.com" for all below it.
package hosts

import (
	"fmt"
	"slices"
	"strings"
)

// List is patterns of hosts.
type List []string

// Parse checks patterns.
func Parse(patterns []string) (List, error) {
	list := make(List, 0, len(patterns))
	for _, p := range patterns {
		p = strings.ToLower(strings.TrimSpace(p))
		bare := strings.TrimPrefix(p, "*.")
		if bare == "" || strings.ContainsAny(bare, "*/@? ") || (bare != p && !strings.Contains(bare, ".")) {
			return nil, fmt.Errorf("%q: want a host, or \"*.\" and a domain", p)
		}
		list = append(list, p)
	}
	return list, nil
}

// Has reports whether a host, without a port, matches a pattern.
func (l List) Has(host string) bool {
	host = Name(host)
	return slices.ContainsFunc(l, func(pattern string) bool {
		domain, wild := strings.CutPrefix(pattern, "*")
		return pattern == host || wild && strings.HasSuffix(host, domain)
	})
}

// Name is a host as it is compared.
func Name(host string) string { return strings.ToLower(strings.TrimSuffix(host, ".")) }
