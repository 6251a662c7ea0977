package main

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
)

func TestAShellIsToldWhatMayFollow(t *testing.T) {
	for _, c := range []struct {
		typed     string // words; the last is being typed
		has       string // candidates that must be there
		hasNot    string
		candidate int // how many there are; 0 = any number
	}{
		{"", "run demo doctor jobs quota", "complete", 0},
		{"ru", "run", "demo", 1},
		{"jobs ", "list show cancel backup export erase", "run", 0},
		{"jobs li", "list", "show", 1},
		{"jobs list --", "--config --url --team --unfinished --json --help", "", 0},
		{"jobs list --u", "--url --unfinished", "--json", 2},
		{"demo --on ", "discord slack", "", 2},
		{"demo --on s", "slack", "discord", 1},
		{"demo --on=s", "--on=slack", "--on=discord slack", 1},
		{"demo --on = s", "slack", "discord", 1}, // as bash takes it apart
		{"demo --on =", "discord slack", "", 2},
		{"demo --o", "--on", "--on=slack", 1},
		{"demo --json ", "", "slack", 0},
		{"run -c ", "", "run", 0},
		{"run -c ltx.toml --", "--config", "", 0},
		{"completion ", "bash zsh fish", "", 3},
		{"quota ", "grant set unset block show log", "", 0},
		{"quota --team acme gr", "grant", "set", 1},
		{"nonsense ", "run", "", 0},
	} {
		var out bytes.Buffer
		args := append([]string{"complete", "--"}, strings.Split(c.typed, " ")...)
		if code := run(args, terminal{out: &out, err: &out}); code != 0 {
			t.Errorf("%q ends with %d: %s", c.typed, code, out.String())
		}
		found := strings.Fields(out.String())
		in := func(word string) bool { return strings.Contains(" "+strings.Join(found, " ")+" ", " "+word+" ") }
		for word := range strings.FieldsSeq(c.has) {
			if !in(word) {
				t.Errorf("%q: no %s in %s", c.typed, word, found)
			}
		}
		for word := range strings.FieldsSeq(c.hasNot) {
			if in(word) {
				t.Errorf("%q: %s is in %s", c.typed, word, found)
			}
		}
		if c.candidate > 0 && len(found) != c.candidate {
			t.Errorf("%q: %d candidates %s, want %d", c.typed, len(found), found, c.candidate)
		}
	}
}

func TestTheHelpOfCompletionHasALineForEachShell(t *testing.T) {
	var out bytes.Buffer
	run([]string{"completion", "--help"}, terminal{out: &out, err: &out})
	for _, line := range []string{
		`bot completion bash >/etc/bash_completion.d/bot`,
		`bot completion zsh >"${fpath[1]}/_bot"`,
		`bot completion fish >~/.config/fish/completions/bot.fish`,
	} {
		if !strings.Contains(out.String(), "  "+line+"\n") {
			t.Errorf("no line %s in:\n%s", line, out.String())
		}
	}
}

// The script of each shell that is installed is read by that shell.
func TestCompletionScriptsAreRead(t *testing.T) {
	for shell, flag := range map[string]string{"bash": "-n", "zsh": "-n", "fish": "--no-execute"} {
		var out bytes.Buffer
		if code := run([]string{"completion", shell}, terminal{out: &out, err: &out}); code != 0 || out.Len() == 0 {
			t.Fatalf("bot completion %s ends with %d: %s", shell, code, out.String())
		}
		program, err := exec.LookPath(shell)
		if err != nil {
			t.Logf("%s is not installed: its script is not tried", shell)
			continue
		}
		read := exec.CommandContext(t.Context(), program, flag)
		read.Stdin = &out
		if text, err := read.CombinedOutput(); err != nil {
			t.Errorf("%s does not read its script: %v: %s", shell, err, text)
		}
	}
}
