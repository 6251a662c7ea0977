package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ltxbot/core/library"
	"ltxbot/core/team"
)

// importInto imports a file into a bot that answers each order by answer.
func importInto(t *testing.T, file string, answer func(o team.Order) string, flags ...string) (code int, out, errs string) {
	t.Helper()
	bot := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var o team.Order
		if err := json.NewDecoder(r.Body).Decode(&o); err != nil {
			t.Error(err)
		}
		fmt.Fprint(w, answer(o))
	}))
	defer bot.Close()
	config := filepath.Join(t.TempDir(), "ltx.toml")
	if err := os.WriteFile(config, []byte("[http]\nadmin_token = \"0123456789abcdef\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var o, e bytes.Buffer
	args := slices.Concat([]string{"loras", "--config", config, "--url", bot.URL}, flags, []string{"import", "-"})
	code = run(args, terminal{in: strings.NewReader(file), out: &o, err: &e})
	return code, o.String(), e.String()
}

// TestAnImportLooksAtSeveralFilesAtOnce: at eight, and no more than two of one
// host, however many the file has of it.
func TestAnImportLooksAtSeveralFilesAtOnce(t *testing.T) {
	t.Parallel()
	var file strings.Builder
	for i := range 40 {
		fmt.Fprintf(&file, "[[lora]]\nname = \"l%d\"\npath = \"https://host%d.example/x.safetensors\"\n", i, max(0, i-30))
	}
	var mu sync.Mutex
	under, atOnce := map[string]int{}, 0
	full := make(chan struct{}) // closed when there are as many as there may be
	reached := sync.OnceFunc(func() { close(full) })
	code, out, errs := importInto(t, file.String(), func(o team.Order) string {
		host := o.Args["link"]
		mu.Lock()
		under[host]++
		atOnce++
		if under[host] > 2 || atOnce > 8 {
			t.Errorf("%d of %s, %d in all", under[host], host, atOnce)
		}
		if atOnce == importAtATime {
			reached()
		}
		mu.Unlock()
		<-full
		mu.Lock()
		defer mu.Unlock()
		under[host]--
		atOnce--
		return `{"verb":"add","loras":[{"name":"x"}]}`
	})
	if code != 0 || !strings.Contains(out, "40 LoRAs and 0 styles were read; 0 were refused\n") || strings.Count(out, ": added\n") != 40 {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
}

// TestAnImportEndsItsLooksInTime: what is left is added, and the answer says that
// nobody has looked at it.
func TestAnImportEndsItsLooksInTime(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var longest time.Duration
	code, out, errs := importInto(t, "[[lora]]\nname = \"a\"\npath = \"acme/a\"\n[[lora]]\nname = \"b\"\npath = \"acme/b\"\n", func(o team.Order) string {
		mu.Lock()
		defer mu.Unlock()
		longest = max(longest, o.LookFor)
		return `{"verb":"add","loras":[{"name":"x"}],"unseen":true}`
	}, "--look=1ns")
	if code != 0 || longest != 1 || !strings.Contains(out, "2 LoRAs and 0 styles were read; 0 were refused; the files of 2 were not looked at\n") {
		t.Errorf("exit %d, looks of %s: %s%s", code, longest, out, errs)
	}
	for _, name := range []string{"a", "b"} {
		if !strings.Contains(errs, name+": there was no time to look at its file; in the chat, loras check "+name+" does that later\n") {
			t.Errorf("of %s it says %q", name, errs)
		}
	}
}

// TestLoRAsOfOneNameAreImportedInOrder: the last one counts.
func TestLoRAsOfOneNameAreImportedInOrder(t *testing.T) {
	all := queues([]library.Entry{
		{Name: "film", Path: "acme/1"}, {Name: "clay", Path: "acme/2"}, {Name: "FILM", Path: "https://files.example/3"}, {Name: "film", Path: "acme/4"},
	})
	for _, queue := range all {
		var of []string
		for _, e := range queue {
			if library.Fold(e.Name) == "film" {
				of = append(of, e.Path)
			}
		}
		if len(of) > 0 && !slices.Equal(of, []string{"acme/1", "https://files.example/3", "acme/4"}) {
			t.Errorf("the queues are %v", all)
		}
	}
}
