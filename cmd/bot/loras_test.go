//go:build unix

package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"ltxbot/app/admin"
	simdiscord "ltxbot/sim/discord"
)

// TestTheLibraryOfARunningBot changes it by the command line, writes it to a file
// and reads it again.
func TestTheLibraryOfARunningBot(t *testing.T) {
	sim, err := simdiscord.Start(simdiscord.Options{BotName: "ltx"})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	guild := sim.NewGuild("Acme")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	dir := t.TempDir()
	config := filepath.Join(dir, "ltx.toml")
	text := fmt.Sprintf(`
[fal]
key = "not-asked"
[discord]
token = %q
application_id = %q
api_url = %q
[store]
url = "bolt:%s/ltx.db"
[http]
listen = %q
admin_token = "0123456789abcdef"
[library]
check = false
[[team]]
name = "acme"
discord_guilds = [%q]
`, sim.Token(), sim.ApplicationID(), sim.APIURL(), dir, address, guild.ID)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	log, done := &lines{}, make(chan int, 1)
	go func() {
		done <- run([]string{"run", "--config", config}, terminal{in: strings.NewReader(""), out: log, err: log})
	}()
	log.wait(t, "bot is running", 1)
	ask := func(in string, words ...string) (code int, out, errs string) {
		t.Helper()
		var o, e bytes.Buffer
		code = run(append([]string{"loras", "--config", config}, words...), terminal{in: strings.NewReader(in), out: &o, err: &e})
		return code, o.String(), e.String()
	}
	want := func(text string, words ...string) string {
		t.Helper()
		code, out, errs := ask("", words...)
		if code != 0 || !strings.Contains(out, text) {
			t.Errorf("bot loras %s: exit %d, no %q in\n%s%s", words, code, text, out, errs)
		}
		return out
	}
	refused := func(text string, words ...string) {
		t.Helper()
		if code, _, errs := ask("", words...); code == 0 || !strings.Contains(errs, text) {
			t.Errorf("bot loras %s: exit %d, no %q in %q", words, code, text, errs)
		}
	}
	want("bot loras add NAME LINK adds one", "list")
	want("bot loras style-add noir camera:static makes one", "styles")
	want("is in your team's list", "add", "film", "acme/film", "scale:0.7", "trigger:35mm film", "note:grainy")
	want("is there now", "style-add", "noir", "camera:static lora:film@0.5", "prefix:black and white")
	want(`"path":"acme/film"`, "show", "film", "--json")
	want("grainy", "list", "--team", "acme")
	want("was changed", "style-edit", "noir", "suffix:in the rain")
	refused("it is so already", "style-edit", "noir", "suffix:in the rain")
	refused(`there is no style "nior"; did you mean noir?`, "style-edit", "nior", "note:x")
	refused(`there is "film" already`, "add", "film", "acme/other")
	refused("holds a key", "add", "x", "https://civitai.com/api/download/models/1?token=hush")
	refused(`"other" is not a team`, "list", "--team", "other")
	refused("did you mean add", "ad")
	refused(`there is no LoRA "flim"; did you mean film?`, "show", "flim")

	exported := want("[[lora]]", "export")
	for _, text := range []string{"path = 'acme/film'", "trigger = '35mm film'", "[[style]]", "options = 'camera:static lora:film@0.5'"} {
		if !strings.Contains(exported, text) {
			t.Errorf("no %s in the export:\n%s", text, exported)
		}
	}
	want("no longer", "remove", "film")
	want("is gone", "style-remove", "noir")
	changed := strings.Replace(exported, "grainy", "grainy and old", 1)
	if code, out, errs := ask(changed, "import", "-"); code != 0 || !strings.Contains(out, "1 LoRAs and 1 styles were read; 0 were refused") {
		t.Fatalf("import: exit %d: %s%s", code, out, errs)
	}
	want("grainy and old", "show", "film")
	if code, out, errs := ask("[[style]]\nname = \"noir\"\nprefix = \"dark\"\n", "import", "-"); code != 0 {
		t.Errorf("a style that is there: exit %d: %s%s", code, out, errs)
	}
	if shown := want("dark", "style-show", "noir"); strings.Contains(shown, "camera:static") || strings.Contains(shown, "black and white") {
		t.Errorf("the style that was imported: %s", shown)
	}
	file := filepath.Join(dir, "library.toml")
	if err := os.WriteFile(file, []byte(exported), 0o600); err != nil {
		t.Fatal(err)
	}
	want("0 were refused", "import", file)
	want("0 were refused", "import", file) // again: it is so already
	if again := want("[[lora]]", "export"); again != exported {
		t.Errorf("what was imported is\n%s\nand was\n%s", again, exported)
	}
	if code, out, errs := ask("[[lora]]\nname = \"bad\"\npath = \"nowhere\"\n[[lora]]\nname = \"good\"\npath = \"acme/good\"\n", "import", "-"); code != 1 || !strings.Contains(errs, "bad: ") || !strings.Contains(out, "1 were refused") {
		t.Errorf("a bad entry: exit %d: %s%s", code, out, errs)
	}
	want("acme/good", "show", "good")
	if code, _, errs := ask("[[lora]]\nnickname = \"x\"\n", "import", "-"); code == 0 || !strings.Contains(errs, "nickname") {
		t.Errorf("an unknown key: exit %d: %s", code, errs)
	}
	if code, _, errs := ask("[[lora]]\nname = \"long\"\npath = \"acme/long\"\n"+strings.Repeat("# a comment\n", 32<<20/12), "import", "-"); code == 0 || !strings.Contains(errs, "has more than 32 MB") {
		t.Errorf("a file that is too long: exit %d: %s", code, errs)
	}
	refused("there is no LoRA", "show", "long")
	if code, out, errs := ask("[[lora]]\nname = \"two\"\npath = \"acme/1\"\n[[lora]]\nname = \"TWO\"\npath = \"acme/2\"\n", "import", "-"); code != 0 {
		t.Errorf("one name twice: exit %d: %s%s", code, out, errs)
	}
	want(`"path":"acme/2"`, "show", "two", "--json")
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatalf("the bot does not stop:\n%s", log)
	}
	if strings.Contains(log.String(), "hush") {
		t.Error("the log holds a secret of a link")
	}
}

// TestAnImportIntoAFullLibrarySaysSo: what is new is refused, not unknown.
func TestAnImportIntoAFullLibrarySaysSo(t *testing.T) {
	bot := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, text := http.StatusNotFound, "there is no LoRA"
		if strings.HasSuffix(r.URL.Path, "/add") {
			status, text = http.StatusConflict, "there are as many as there may be"
		}
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"error":%q}`, text)
	}))
	defer bot.Close()
	_, _, err := lorasCmd{}.put(t.Context(), admin.NewClient(bot.URL, "0123456789abcdef"), "add", "edit", map[string]string{"name": "film"}, 0)
	if err == nil || !strings.Contains(err.Error(), "as many as there may be") {
		t.Errorf("the answer is %v", err)
	}
}

// TestAnImportTellsWhatWasFoundInTheFiles, and leaves an entry without trigger words
// without those of its file.
func TestAnImportTellsWhatWasFoundInTheFiles(t *testing.T) {
	const triggers = `"trigger":"none"`
	bot := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		order, _ := io.ReadAll(r.Body)
		switch body := string(order); {
		case !strings.Contains(body, triggers):
			http.Error(w, `{"error":"the trigger words of the file were taken"}`, http.StatusConflict)
		case strings.Contains(body, "wan"):
			fmt.Fprint(w, `{"verb":"add","loras":[{"name":"wan"}],"finding":{"warnings":[{"kind":"other_model","value":"Wan"}]}}`)
		case strings.Contains(body, "later"):
			fmt.Fprint(w, `{"verb":"add","loras":[{"name":"later"}],"unseen":true}`)
		default:
			fmt.Fprint(w, `{"verb":"add","loras":[{"name":"good"}],"finding":{"base_model":"LTX-2.3"}}`)
		}
	}))
	defer bot.Close()
	config := filepath.Join(t.TempDir(), "ltx.toml")
	if err := os.WriteFile(config, []byte("[http]\nadmin_token = \"0123456789abcdef\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var in strings.Builder
	for _, name := range []string{"good", "wan", "later"} {
		fmt.Fprintf(&in, "[[lora]]\nname = %q\npath = \"acme/%s\"\n", name, name)
	}
	var out, errs bytes.Buffer
	code := run([]string{"loras", "--config", config, "--url", bot.URL, "import", "-"}, terminal{in: strings.NewReader(in.String()), out: &out, err: &errs})
	if code != 0 || !strings.Contains(out.String(), "3 LoRAs and 0 styles were read; 0 were refused") {
		t.Errorf("exit %d: %s%s", code, &out, &errs)
	}
	told := strings.Split(strings.TrimSpace(errs.String()), "\n")
	slices.Sort(told) // they are given at the same time
	if len(told) != 2 || !strings.HasPrefix(told[1], "wan: ") || !strings.Contains(told[1], "made for Wan") || !strings.Contains(told[0], "/ltx loras check later") {
		t.Errorf("it says %q", told)
	}
}
