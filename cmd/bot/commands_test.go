package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	simdiscord "ltxbot/sim/discord"
)

func TestCommandsAreComparedAndRegistered(t *testing.T) {
	discord, err := simdiscord.Start(simdiscord.Options{BotName: "ltx"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = discord.Close() })
	file := filepath.Join(t.TempDir(), "ltx.toml")
	text := fmt.Sprintf("[fal]\nkey = \"id:secret\"\n[discord]\ntoken = %q\napi_url = %q\n", discord.Token(), discord.APIURL())
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for n, step := range []struct {
		command string
		code    int
		says    string
	}{
		{"diff", 1, "create /ltx everywhere\n"},
		{"sync", 0, "create /ltx everywhere\n"},
		{"diff", 0, "commands are registered as they should be\n"},
		{"sync", 0, "commands are registered as they should be\n"},
	} {
		var out, problems bytes.Buffer
		code := run([]string{"commands", step.command, "--config", file}, terminal{in: strings.NewReader(""), out: &out, err: &problems})
		if code != step.code || !strings.Contains(out.String(), step.says) {
			t.Errorf("%d: %s ends with %d, want %d:\n%s%s", n+1, step.command, code, step.code, out.String(), problems.String())
		}
	}
}
