// Package repotest holds what is true of the repository itself: who may import
// whom, that each package says what it is, that links lead somewhere. Each
// check reads a file tree and returns one line per violation; the tests run
// them on this repository, and on small trees that break each rule.
package repotest

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// maxLines is how long a Go file may be that is not a test. A longer one is
// more than one thing.
const maxLines = 600

// files returns the files of the tree with one of the suffixes, without what
// is not ours: hidden folders but .ci, dependencies of Node, test data.
func files(tree fs.FS, suffixes ...string) ([]string, error) {
	var found []string
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := path.Base(name)
		if d.IsDir() {
			if base == "node_modules" || base == "testdata" || strings.HasPrefix(base, ".") && base != "." && base != ".ci" {
				return fs.SkipDir
			}
			return nil
		}
		if slices.ContainsFunc(suffixes, func(s string) bool { return strings.HasSuffix(base, s) }) {
			found = append(found, name)
		}
		return nil
	})
	return found, err
}

// Length finds Go files, other than tests, with more than 600 lines.
func Length(tree fs.FS) ([]string, error) {
	var bad []string
	err := eachText(tree, []string{".go"}, func(name, text string) {
		if n := strings.Count(text, "\n"); n > maxLines && !strings.HasSuffix(name, "_test.go") {
			bad = append(bad, fmt.Sprintf("%s: %d lines, more than %d: is it one thing?", name, n, maxLines))
		}
	})
	return bad, err
}

// A word is text that must not be in files of some kinds.
type word struct {
	pattern  *regexp.Regexp
	suffixes []string
	why      string
}

var words = []word{
	{regexp.MustCompile(`\b(TO(DO)|FIX(ME)|XX(X)|HA(CK))\b`), []string{".go", ".lua", ".sh", ".md", ".yml", ".yaml", ".toml", ".js", ".mjs"}, "work left open; do it or write an issue"},
	{regexp.MustCompile(`(^|[\s"'=(])/(work|root|home/[a-z]+|Users/[A-Za-z]+)/`), []string{".go", ".lua", ".sh", ".md", ".yml", ".yaml", ".toml", ".js", ".mjs", "Makefile", "Dockerfile", "run"}, "a path of one machine"},
	{regexp.MustCompile(`\btime\.Sleep\(`), []string{"_test.go"}, "a test that sleeps; use a signal, a timer with a deadline or testing/synctest"},
}

// Words finds text that must not be there: work left open, paths of one
// machine, tests that sleep.
func Words(tree fs.FS) ([]string, error) {
	var bad []string
	for _, w := range words {
		err := eachText(tree, w.suffixes, func(name, text string) {
			for n, line := range strings.Split(text, "\n") {
				if w.pattern.MatchString(line) {
					bad = append(bad, fmt.Sprintf("%s:%d: %s", name, n+1, w.why))
				}
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return bad, nil
}

var (
	link = regexp.MustCompile(`\]\(([^()\s]+)(?:\s+"[^"]*")?\)`)
	code = regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
)

// Links finds relative links in Markdown that lead to no file.
func Links(tree fs.FS) ([]string, error) {
	var bad []string
	err := eachText(tree, []string{".md"}, func(name, text string) {
		for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(text, ""), -1) {
			to, _, _ := strings.Cut(m[1], "#")
			if to == "" || strings.Contains(to, "://") || strings.HasPrefix(to, "mailto:") {
				continue
			}
			if _, err := fs.Stat(tree, path.Join(path.Dir(name), to)); err != nil {
				bad = append(bad, fmt.Sprintf("%s: the link to %s leads nowhere", name, m[1]))
			}
		}
	})
	return bad, err
}

// eachText calls visit with the name and the text of each file with one of the
// suffixes.
func eachText(tree fs.FS, suffixes []string, visit func(name, text string)) error {
	names, err := files(tree, suffixes...)
	if err != nil {
		return err
	}
	for _, name := range names {
		data, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		visit(name, string(data))
	}
	return nil
}
