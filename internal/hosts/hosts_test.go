package hosts_test

import (
	"testing"

	"ltxbot/internal/hosts"
)

func TestAHostMatchesItsPattern(t *testing.T) {
	list, err := hosts.Parse([]string{"example.com", " *.CDN.example.net "})
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]bool{
		"example.com": true, "EXAMPLE.com.": true, "a.cdn.example.net": true, "a.b.cdn.example.net.": true,
		"www.example.com": false, "cdn.example.net": false, "evilcdn.example.net": false, "xexample.com": false,
		"example.com.evil.org": false, "": false,
	} {
		if got := list.Has(host); got != want {
			t.Errorf("%q: %v, want %v", host, got, want)
		}
	}
}

func TestAPatternThatMatchesTooMuchIsRefused(t *testing.T) {
	for _, p := range []string{"", "*", "*.", "*.com", "a.*.com", "https://example.com", "me@example.com", "two hosts"} {
		if _, err := hosts.Parse([]string{p}); err == nil {
			t.Errorf("%q is taken", p)
		}
	}
}
