package repotest

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

var (
	fence    = regexp.MustCompile("(?s)```.*?```")
	quoted   = regexp.MustCompile("`([^`\n]+)`")
	asPath   = regexp.MustCompile(`^[A-Za-z.][\w.-]*(/[\w.{},*-]+)+$`)
	asGoFile = regexp.MustCompile(`^[a-z]\w*\.go$`)
	// placeholder is a part of a path that the reader fills in: NAME, XX.
	placeholder = regexp.MustCompile(`(^|/)[A-Z]{2,}($|[/.])`)
	braces      = regexp.MustCompile(`^(.*)\{(.*)\}(.*)$`)
	// namesIn is what a page says of where a name is: `Plan` in `core/quota/policy.go`.
	namesIn = regexp.MustCompile("((?:`\\w+`(?:, | and )?)+) in `([a-z][\\w/]*\\.go)`")
)

// Paths finds paths in Markdown, in backticks, that name no file or folder. A
// path counts when it begins with a folder of the repository, or is the bare
// name of a Go file. It may hold * and {a,b}. Of a page that says "`Plan` in
// `core/quota/policy.go`", that file must declare Plan.
func Paths(tree fs.FS) ([]string, error) {
	sources, err := files(tree, ".go")
	if err != nil {
		return nil, err
	}
	bases := map[string]bool{}
	for _, name := range sources {
		bases[path.Base(name)] = true
	}
	var bad []string
	err = eachText(tree, []string{".md"}, func(name, text string) {
		for _, m := range namesIn.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
			source, err := fs.ReadFile(tree, m[2])
			for _, q := range quoted.FindAllStringSubmatch(m[1], -1) {
				if err == nil && !declares(source, q[1]) {
					bad = append(bad, fmt.Sprintf("%s: %s is not in %s", name, q[1], m[2]))
				}
			}
		}
		for _, m := range quoted.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
			switch p := m[1]; {
			case asGoFile.MatchString(p):
				if !bases[p] {
					bad = append(bad, fmt.Sprintf("%s: there is no file %s", name, p))
				}
			case asPath.MatchString(p) && !placeholder.MatchString(p) && isFolder(tree, p):
				for _, one := range expand(p) {
					if found, err := fs.Glob(tree, one); err != nil || len(found) == 0 {
						bad = append(bad, fmt.Sprintf("%s: there is no file or folder %s", name, one))
					}
				}
			}
		}
	})
	return slices.Compact(bad), err
}

// declares reports whether a Go file declares a function, a method, a type, a
// constant, a variable or a field.
func declares(source []byte, name string) bool {
	return regexp.MustCompile(`(?m)^(func (\(.*?\) )?|type |var |const |\t+)` + regexp.QuoteMeta(name) + `\b`).Match(source)
}

// isFolder reports whether p begins with a folder of the tree.
func isFolder(tree fs.FS, p string) bool {
	first, _, _ := strings.Cut(p, "/")
	info, err := fs.Stat(tree, first)
	return err == nil && info.IsDir()
}

// expand returns a path for each choice in braces.
func expand(p string) []string {
	m := braces.FindStringSubmatch(p)
	if m == nil {
		return []string{p}
	}
	var out []string
	for choice := range strings.SplitSeq(m[2], ",") {
		out = append(out, m[1]+choice+m[3])
	}
	return out
}
