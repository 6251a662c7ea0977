package asset_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/fstest"

	"ltxbot/internal/asset"
)

// TestAFileThatChangesHasAnotherAddress: a browser keeps what is at an address for
// a year.
func TestAFileThatChangesHasAnotherAddress(t *testing.T) {
	read := func(style string) *asset.Files {
		t.Helper()
		f, err := asset.Read(fstest.MapFS{"assets/style.css": {Data: []byte(style)}, "assets/page.html": {Data: []byte("a template")}}, "assets", "/a/")
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	one, same, other := read("a{}"), read("a{}"), read("b{}")
	if one.Address("style.css") != same.Address("style.css") || one.Address("style.css") == other.Address("style.css") {
		t.Errorf("the addresses are %s, %s and %s", one.Address("style.css"), same.Address("style.css"), other.Address("style.css"))
	}
	rec := httptest.NewRecorder()
	if !one.Serve(rec, "style.css") || rec.Body.String() != "a{}" || rec.Header().Get("Content-Type") != "text/css; charset=utf-8" || rec.Header().Get("Cache-Control") != "public, max-age=31536000, immutable" {
		t.Errorf("it is served as %v: %s", rec.Header(), rec.Body)
	}
	for _, name := range []string{"page.html", "other.css", ""} {
		if rec := httptest.NewRecorder(); one.Serve(rec, name) || rec.Code != http.StatusOK || rec.Body.Len() > 0 {
			t.Errorf("%q is served: %s", name, rec.Body)
		}
	}
}
