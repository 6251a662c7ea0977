package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"ltxbot/core/library"
	"ltxbot/core/team"
)

// completionCmd prints what makes a shell complete the program's commands.
type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"Which shell: ${enum}."`
}

// Help says how the script gets into the shell.
func (completionCmd) Help() string {
	return `Where it goes:

    bot completion bash >/etc/bash_completion.d/bot
    bot completion zsh >"${fpath[1]}/_bot"
    bot completion fish >~/.config/fish/completions/bot.fish`
}

// completions are the scripts of the shells. Each asks the program itself; where
// that has nothing to say, the shell offers files.
var completions = map[string]string{
	"bash": `_bot() {
  local IFS=$'\n'
  COMPREPLY=($("${COMP_WORDS[0]}" complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _bot bot
`,
	"zsh": `#compdef bot
_bot() {
  local -a found
  found=("${(@f)$("${words[1]}" complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n ${found[1]} ]]; then compadd -a found; else _files; fi
}
if [ "$funcstack[1]" = _bot ]; then _bot "$@"; else compdef _bot bot; fi
`,
	"fish": `function __bot_complete
  set -l typed (commandline -opc)
  set -l last (commandline -ct)
  set -l found (command $typed[1] complete -- $typed[2..] "$last" 2>/dev/null)
  if test -n "$found"; printf '%s\n' $found; else; __fish_complete_path "$last"; end
end
complete -c bot -f -a '(__bot_complete)'
`,
}

// Run prints the script.
func (c completionCmd) Run(term terminal) error {
	_, err := fmt.Fprint(term.out, completions[c.Shell])
	return err
}

// completeCmd answers a shell: what could follow the words that were typed. The
// last of them is the one that is being typed, and may be empty.
type completeCmd struct {
	Words []string `arg:"" optional:""`
}

// Run prints the candidates, one a line.
func (c completeCmd) Run(k *kong.Context, term terminal) error {
	found := candidates(k.Model.Node, c.Words)
	if len(found) == 0 {
		return nil
	}
	_, err := fmt.Fprintln(term.out, strings.Join(found, "\n"))
	return err
}

// candidates are the words that may stand in place of the last one.
func candidates(node *kong.Node, words []string) []string {
	endsInSign := len(words) > 0 && words[len(words)-1] == "="
	words = slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "=" }) // bash makes three words of --on=slack
	if len(words) == 0 || endsInSign {
		words = append(words, "")
	}
	before, typed := words[:len(words)-1], words[len(words)-1]
	var open *kong.Flag // whose value comes next
	for _, word := range before {
		switch {
		case open != nil:
			open = nil
		case strings.HasPrefix(word, "-"):
			if f := flagOf(node, word); f != nil && !f.IsBool() && !strings.Contains(word, "=") {
				open = f
			}
		default:
			if child := childOf(node, word); child != nil {
				node = child
			}
		}
	}
	var found []string
	switch {
	case open != nil:
		found = choices(open.Value)
	case strings.HasPrefix(typed, "-"):
		for _, f := range flags(node) {
			found = append(found, "--"+f.Name)
		}
		if f, sign := flagOf(node, typed), strings.IndexByte(typed, '='); sign > 0 && f != nil {
			for _, choice := range choices(f.Value) {
				found = append(found, typed[:sign+1]+choice)
			}
		}
	default:
		for _, child := range node.Children {
			if !child.Hidden {
				found = append(found, child.Name)
			}
		}
		for _, value := range node.Positional {
			found = append(found, choices(value)...)
		}
	}
	return slices.DeleteFunc(found, func(word string) bool { return !strings.HasPrefix(word, typed) })
}

// choices are the values that a flag or an argument can have, where they are
// known.
func choices(v *kong.Value) []string {
	var verbs []string
	switch v.Tag.Get("complete") {
	case "verbs":
		for _, verb := range team.Verbs() {
			if verb.Who != team.Everybody {
				verbs = append(verbs, verb.Name)
			}
		}
		return verbs
	case "library":
		for _, verb := range library.Verbs() {
			if !verb.InChat {
				verbs = append(verbs, verb.Name)
			}
		}
		return append(verbs, "export", "import")
	}
	return v.EnumSlice()
}

func childOf(node *kong.Node, name string) *kong.Node {
	for _, child := range node.Children {
		if child.Name == name {
			return child
		}
	}
	return nil
}

// flags are those of a command and of what it is a part of.
func flags(node *kong.Node) []*kong.Flag { return slices.Concat(node.AllFlags(true)...) }

// flagOf is the flag that a word such as "--on", "--on=slack" or "-c" names.
func flagOf(node *kong.Node, word string) *kong.Flag {
	name, _, _ := strings.Cut(strings.TrimLeft(word, "-"), "=")
	for _, f := range flags(node) {
		if f.Name == name || !strings.HasPrefix(word, "--") && string(f.Short) == name {
			return f
		}
	}
	return nil
}
