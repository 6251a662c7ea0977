package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ltxbot/store/storetest"
)

// What watches over the bot tells by the code whether somebody must look at
// the config: docs/operations.md lists the codes.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	used := filepath.Join(dir, "used.db")
	store, err := storetest.OpenFile(used, storetest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	var lc net.ListenConfig
	busy, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = busy.Close() })
	for _, tt := range []struct {
		name, more string // more of the config
		store      string
		listen     string
		code       int
		says       string
	}{
		{"a key that is not known", "[nothing]\n", "ltx.db", "127.0.0.1:0", 2, "nothing"},
		{"a value that is not valid", "[quota]\nwaiting = -1\n", "ltx.db", "127.0.0.1:0", 2, "quota.waiting"},
		{"a default that the model does not take", "[defaults]\nfps = 1000\n", "ltx.db", "127.0.0.1:0", 2, "fps"},
		{"a store whose folder does not exist", "", "gone/ltx.db", "127.0.0.1:0", 3, "gone"},
		{"a store that another bot has", "", "used.db", "127.0.0.1:0", 3, "used.db"},
		{"an address that another program has", "", "ltx.db", busy.Addr().String(), 3, "http.listen"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ltx.toml")
			config := fmt.Sprintf("[fal]\nkey = %q\n[discord]\ntoken = %q\napi_url = %q\n[slack]\nbot_token = \"\"\n[store]\nurl = %q\n[http]\nlisten = %q\n%s",
				"id:secret", "x", "http://127.0.0.1:1", "bolt:"+filepath.Join(dir, tt.store), tt.listen, tt.more)
			if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			if code := run([]string{"run", "--config", path}, terminal{in: strings.NewReader(""), out: &out, err: &out}); code != tt.code || !strings.Contains(out.String(), tt.says) {
				t.Errorf("code %d, want %d; it said:\n%s", code, tt.code, out.String())
			}
		})
	}
}
