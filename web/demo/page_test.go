package demo_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ltxbot/web/demo"
)

func newPage(f *fake) *demo.Handler { return demo.New(f, "ben", slog.New(slog.DiscardHandler)) }

// ask sends a request as the browser on this machine does.
func ask(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	if r.Host == "example.com" {
		r.Host = "127.0.0.1:8080"
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func get(h http.Handler, path string) *httptest.ResponseRecorder {
	return ask(h, httptest.NewRequest(http.MethodGet, path, nil))
}

func TestOnlyTheNamesOfThisMachineAreServed(t *testing.T) {
	h := newPage(newFake(demo.Scene{}))
	for host, want := range map[string]int{
		"127.0.0.1:8080": http.StatusOK, "localhost:8080": http.StatusOK, "LOCALHOST": http.StatusOK, "[::1]:8080": http.StatusOK,
		"127.0.0.1": http.StatusOK, "evil.example:8080": http.StatusMisdirectedRequest, "127.0.0.1.evil.example": http.StatusMisdirectedRequest,
		"192.168.1.5:8080": http.StatusMisdirectedRequest, "": http.StatusMisdirectedRequest, "localhost.evil.example:8080": http.StatusMisdirectedRequest,
	} {
		for _, path := range []string{"/", "/live", "/assets/app.js", "/media/discord/1", "/suggest?line=/", "/do/say"} {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.Host = host
			w := httptest.NewRecorder()
			if path == "/live" && want == http.StatusOK {
				continue // it goes on
			}
			h.ServeHTTP(w, r)
			if refused := w.Code == http.StatusMisdirectedRequest; refused != (want == http.StatusMisdirectedRequest) {
				t.Errorf("%s with the host %q: %d, want %d", path, host, w.Code, want)
			}
		}
	}
}

// TestWhatThePageLoadsIsKept: without that, a browser asks for the stylesheet before
// each first paint.
func TestWhatThePageLoadsIsKept(t *testing.T) {
	h := newPage(newFake(demo.Scene{}))
	loads := regexp.MustCompile(`"(/assets/[^"]+)"`).FindAllStringSubmatch(get(h, "/").Body.String(), -1)
	if len(loads) != 3 {
		t.Fatalf("the page loads %v", loads)
	}
	for _, m := range loads {
		if w := get(h, m[1]); w.Code != http.StatusOK || !strings.Contains(m[1], "?v=") || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d, %v", m[1], w.Code, w.Header())
		}
	}
	for _, name := range []string{"page.html", "nothing.css"} {
		if w := get(h, "/assets/"+name); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
}

func TestAPageElsewhereCanDoNothing(t *testing.T) {
	for name, head := range map[string]http.Header{
		"another site":              {"Sec-Fetch-Site": {"cross-site"}},
		"another port":              {"Sec-Fetch-Site": {"same-site"}},
		"an older browser, by name": {"Origin": {"https://evil.example"}},
		"a file":                    {"Origin": {"null"}},
	} {
		f := newFake(demo.Scene{})
		r := httptest.NewRequest(http.MethodPost, "/do/say?as=ben", strings.NewReader("on=discord&line=/ltx"))
		r.Header = head
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if w := ask(newPage(f), r); w.Code != http.StatusForbidden || len(f.actions) != 0 {
			t.Errorf("%s: %d and %d actions, want 403 and none", name, w.Code, len(f.actions))
		}
	}
}

// scriptless is what a page may not hold under its policy.
var scriptless = regexp.MustCompile(`(?i)<script(?: [^>]*)?>[^<]|\son\w+=|\sstyle=|<style|javascript:`)

// hostile is a text that becomes a script where it is not escaped.
const hostile = `"'><script>alert(1)</script><img src=x onerror=alert(1)>`

func TestWhatPeopleWriteIsShownAsText(t *testing.T) {
	var s demo.Scene
	fill(reflect.ValueOf(&s).Elem(), 0)
	for i, platform := range []string{"discord", "slack"} {
		s.Channels[i].Platform = platform // the only texts that the page makes names of
		s.Channels[i].Form.Fields[0].Kind = []demo.FieldKind{demo.Area, demo.Typed}[i]
		s.Channels[i].Form.Fields[1].Kind = []demo.FieldKind{demo.Pick, demo.Uploads}[i]
	}
	w := get(newPage(newFake(s)), "/")
	if w.Code != http.StatusOK {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	page := w.Body.String()
	if n := strings.Count(page, "alert(1)"); n < 60 {
		t.Errorf("the page holds the text %d times: the test does not reach all of it", n)
	}
	if strings.Contains(page, "<script>alert") || strings.Contains(page, "<img src=x") {
		t.Error("a text of a person has become HTML")
	}
	unescaped := scriptless.FindAllString(strings.NewReplacer("&lt;", "", "&#34;", "", "&#39;", "").Replace(page), -1)
	for _, u := range unescaped {
		if u != " onerror=" { // it stands in texts, where the tag before it is no tag
			t.Errorf("the page holds %q", u)
		}
	}
	suggestions := get(newPage(newFake(demo.Scene{})), "/suggest?on=discord&line="+url.QueryEscape(hostile)).Body.String()
	if strings.Contains(suggestions, "<script") || strings.Contains(suggestions, "<img") {
		t.Errorf("a suggestion has become HTML: %s", suggestions)
	}
}

// fill puts a hostile text into every text of a value, and two elements into
// every list.
func fill(v reflect.Value, depth int) {
	if depth > 12 {
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(hostile)
	case reflect.Bool:
		v.SetBool(depth%2 == 0)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Float64:
		v.SetFloat(7)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), depth+1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i), depth+1)
		}
	case reflect.Struct:
		if _, isTime := reflect.TypeAssert[time.Time](v); isTime {
			return
		}
		for _, field := range v.Fields() {
			fill(field, depth+1)
		}
	}
}

func TestThePageKeepsItsOwnPolicy(t *testing.T) {
	w := get(newPage(newFake(demo.Scene{Guided: true})), "/")
	policy := w.Header().Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"} {
		if !strings.Contains(policy, part) {
			t.Errorf("the policy %q does not say %s", policy, part)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "data:") {
		t.Errorf("the policy %q allows too much", policy)
	}
	if found := scriptless.FindString(w.Body.String()); found != "" {
		t.Errorf("the page holds %q, which its policy forbids", found)
	}
}

func TestAFileThatMayHoldAScriptIsNotShown(t *testing.T) {
	f := newFake(demo.Scene{})
	f.files = map[string]demo.Media{
		"video": media("a.mp4", "video/mp4", "0123456789"), "picture": media("a.svg", "image/svg+xml", "<svg/>"),
		"page": media("a.html", "text/html; charset=utf-8", "<script>"),
	}
	h := newPage(f)
	for id, want := range map[string]string{"video": "video/mp4", "picture": "application/octet-stream", "page": "application/octet-stream"} {
		w := get(h, "/media/discord/"+id)
		if got := w.Header().Get("Content-Type"); got != want {
			t.Errorf("%s is served as %s, want %s", id, got, want)
		}
		if saved := strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment"); saved != (want != "video/mp4") {
			t.Errorf("%s is saved: %v", id, saved)
		}
		if policy := w.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "sandbox") || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s is served with the policy %q", id, policy)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/media/discord/video", nil)
	r.Header.Set("Range", "bytes=2-4")
	if w := ask(h, r); w.Code != http.StatusPartialContent || w.Body.String() != "234" {
		t.Errorf("a part of a video: %d %q", w.Code, w.Body)
	}
	if w := get(h, "/media/discord/other"); w.Code != http.StatusNotFound {
		t.Errorf("a file that is not there: %d", w.Code)
	}
}

// A bot that is down can't say what was asked for.
func TestTheLedgerOfABotThatIsDownDeniesNothing(t *testing.T) {
	const none = "No video has been asked for."
	for _, down := range []bool{false, true} {
		w := get(newPage(newFake(demo.Scene{Ledger: demo.Ledger{Down: down}})), "/?as=ben")
		if says := strings.Contains(w.Body.String(), none); w.Code != http.StatusOK || says == down {
			t.Errorf("down: %t, the page answers %d and says %q: %t", down, w.Code, none, says)
		}
	}
}

func TestNobodyElseHasEyes(t *testing.T) {
	h := newPage(newFake(demo.Scene{}))
	for _, path := range []string{"/?as=eve", "/live?as=eve"} {
		if w := get(h, path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", path, w.Code)
		}
	}
}

func TestAFormIsAnAction(t *testing.T) {
	for name, test := range map[string]struct {
		path, form string
		want       demo.Action
	}{
		"a line":         {"/do/say", "on=discord&line=+/ltx+prompt:a+fox+", demo.Action{Kind: demo.Say, On: "discord", Line: "/ltx prompt:a fox"}},
		"an example":     {"/do/say", "on=slack&picture=/ltx+a+lake", demo.Action{Kind: demo.Say, On: "slack", Line: "/ltx a lake", Picture: true}},
		"a button":       {"/do/press", "on=slack&message=1.2&key=v1:again:x", demo.Action{Kind: demo.Press, On: "slack", Message: "1.2", Key: "v1:again:x"}},
		"a menu":         {"/do/press", "on=slack&message=1.2&key=m&value=v", demo.Action{Kind: demo.Press, On: "slack", Message: "1.2", Key: "m", Value: "v"}},
		"a form":         {"/do/send", "on=slack&form=V1&field.prompt=a+fox", demo.Action{Kind: demo.Send, On: "slack", Form: "V1", Fields: map[string]string{"prompt": "a fox"}}},
		"a form to shut": {"/do/close", "on=slack&form=V1", demo.Action{Kind: demo.Close, On: "slack", Form: "V1"}},
		"a plug":         {"/do/pull", "key=kill", demo.Action{Kind: demo.Pull, Key: "kill"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(demo.Scene{})
			r := httptest.NewRequest(http.MethodPost, test.path+"?as=ben", strings.NewReader(test.form))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := ask(newPage(f), r)
			if w.Code != http.StatusNoContent || len(f.actions) != 1 {
				t.Fatalf("%d, %d actions: %s", w.Code, len(f.actions), w.Body)
			}
			got := f.actions[0]
			got.Uploads = nil
			if len(got.Fields) == 0 {
				got.Fields = nil
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestWhyNotIsToldWithAndWithoutAScript(t *testing.T) {
	f := newFake(demo.Scene{})
	f.refuse = errors.New("the <message> is gone")
	r := httptest.NewRequest(http.MethodPost, "/do/press?as=ben", nil)
	r.Header.Set("Accept", "text/plain")
	if w := ask(newPage(f), r); w.Body.String() != "the <message> is gone" || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
		t.Errorf("with a script: %s %q", w.Header().Get("Content-Type"), w.Body)
	}
	r = httptest.NewRequest(http.MethodPost, "/do/press?as=ben", nil)
	r.Header.Set("Accept", "text/html,*/*")
	if w := ask(newPage(f), r); !strings.Contains(w.Body.String(), "the &lt;message&gt; is gone") {
		t.Errorf("without a script: %s", w.Body)
	}
	f.refuse = nil
	r = httptest.NewRequest(http.MethodPost, "/do/press?as=ben", nil)
	r.Header.Set("Accept", "text/html,*/*")
	if w := ask(newPage(f), r); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/?as=ben" {
		t.Errorf("without a script it leads to %q with %d", w.Header().Get("Location"), w.Code)
	}
}

// zeros is a body without an end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestFilesAreBounded(t *testing.T) {
	for name, test := range map[string]struct {
		size int64
		want string
	}{
		"a file that fits":   {50 << 20, ""},
		"a file too large":   {50<<20 + 1, "a.bin is larger than 50 MB"},
		"a body much larger": {65 << 20, "the files are larger than 64 MB together"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(demo.Scene{})
			var head bytes.Buffer
			form := multipart.NewWriter(&head)
			_ = form.WriteField("line", "/ltx")
			if _, err := form.CreateFormFile("file", "a.bin"); err != nil {
				t.Fatal(err)
			}
			end := strings.NewReader("\r\n--" + form.Boundary() + "--\r\n")
			r := httptest.NewRequest(http.MethodPost, "/do/say?as=ben", io.MultiReader(&head, io.LimitReader(zeros{}, test.size), end))
			r.Header.Set("Content-Type", form.FormDataContentType())
			w := ask(newPage(f), r)
			if w.Body.String() != test.want {
				t.Errorf("it says %q, want %q", w.Body, test.want)
			}
			if (len(f.actions) == 1) != (test.want == "") {
				t.Errorf("%d actions", len(f.actions))
			}
			if len(f.actions) == 1 && int64(len(f.actions[0].Files[0].Data)) != test.size {
				t.Errorf("%d bytes came, want %d", len(f.actions[0].Files[0].Data), test.size)
			}
		})
	}
}

func TestAnActionHasAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(demo.Scene{})
		ask(newPage(f), httptest.NewRequest(http.MethodPost, "/do/agree?as=ben", nil))
		if got := time.Until(f.until); got != 15*time.Second {
			t.Errorf("an action has %s, want 15 s", got)
		}
	})
}

func TestASmallPictureStandsBesideItsTextWithoutACaption(t *testing.T) {
	f := demo.File{ID: "fal-0a", Name: "First picture: fox.png", Alt: "First picture: fox.png", Type: "image/png", Small: true}
	page := get(newPage(newFake(demo.Scene{Channels: []demo.Channel{{
		Platform: "discord", Messages: []demo.Message{{ID: "1", Author: "ltx", Parts: []demo.Part{{Files: []demo.File{f}}}}},
	}}})), "/").Body.String()
	for want, there := range map[string]bool{`<figure class="small">`: true, `<img src="/media/discord/fal-0a" alt="First picture: fox.png">`: true, "<figcaption>": false} {
		if strings.Contains(page, want) != there {
			t.Errorf("the page has %s: %v", want, !there)
		}
	}
}
