package main

import (
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// ordered puts the words of a command before its flags, as kong wants them:
// "jobs -c ltx.toml list" becomes "jobs list -c ltx.toml". Flags that no
// command below node has stay where they are.
func ordered(node *kong.Node, args []string) []string {
	if len(node.Children) == 0 {
		return wordsFirst(node, args)
	}
	verb := 0
	for verb < len(args) && strings.HasPrefix(args[verb], "-") {
		f := flagBelow(node, args[verb])
		if f == nil {
			return args
		}
		if !f.IsBool() && !hasValue(args[verb]) {
			verb++
		}
		verb++
	}
	if verb >= len(args) {
		return args
	}
	child := childOf(node, args[verb])
	if child == nil {
		return args
	}
	return append([]string{args[verb]}, ordered(child, slices.Concat(args[:verb], args[verb+1:]))...)
}

// wordsFirst puts the words of a command that takes any number of them before
// its flags: kong reads none after a flag.
func wordsFirst(node *kong.Node, args []string) []string {
	if !slices.ContainsFunc(node.Positional, func(v *kong.Value) bool { return v.IsCumulative() }) {
		return args
	}
	var words, flags []string
	for i := 0; i < len(args); i++ {
		if !strings.HasPrefix(args[i], "-") {
			words = append(words, args[i])
			continue
		}
		f := flagOf(node, args[i])
		if f == nil {
			return args
		}
		flags = append(flags, args[i])
		if !f.IsBool() && !hasValue(args[i]) && i+1 < len(args) {
			i++
			flags = append(flags, args[i])
		}
	}
	return append(words, flags...)
}

// hasValue reports whether the word of a flag holds its value: "--config=FILE",
// "-cFILE".
func hasValue(word string) bool {
	return strings.Contains(word, "=") || !strings.HasPrefix(word, "--") && len(word) > len("-c")
}

// flagBelow is the flag that a word names, of a command or of one of its parts.
func flagBelow(node *kong.Node, word string) *kong.Flag {
	if !strings.HasPrefix(word, "--") && len(word) > len("-c") {
		word = word[:len("-c")]
	}
	if f := flagOf(node, word); f != nil {
		return f
	}
	for _, child := range node.Children {
		if f := flagBelow(child, word); f != nil {
			return f
		}
	}
	return nil
}
