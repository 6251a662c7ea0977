package repotest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// module is the path of this module in imports.
const module = "ltxbot"

// A rule says what the packages in a folder may import of this module. The
// first rule that holds a package is the one.
type rule struct {
	folder string
	may    []string // folders; "." is everything
}

// rules is the import table: data flows from the edges to the core, the edges
// do not know each other, and only app and cmd bring them together.
var rules = []rule{
	{"core", []string{"core", "internal/retry", "internal/spell"}},
	{"bot/text", []string{"core", "bot/text", "internal"}},
	{"bot/command", []string{"core", "bot/command", "bot/text", "internal"}},
	{"bot/view", []string{"core", "bot/view", "bot/command", "bot/text", "internal"}},
	{"bot/lookback", []string{"bot/lookback"}},
	{"bot/adapter", []string{"core", "bot/adapter", "bot/text", "bot/view", "internal"}},
	{"bot/discord", []string{"core", "bot/discord", "bot", "bot/adapter", "bot/command", "bot/lookback", "bot/text", "bot/view", "internal"}},
	{"bot/slack", []string{"core", "bot/slack", "bot", "bot/adapter", "bot/command", "bot/lookback", "bot/text", "bot/view", "internal"}},
	{"bot", []string{"core", "bot/command", "bot/text", "bot/view", "internal"}},
	{"provider", []string{"core", "provider", "internal"}},
	{"store/bolt", []string{"store/bolt", "store/kv", "internal"}},
	{"store/redis", []string{"store/redis", "store/kv", "internal"}},
	{"store/kv", []string{"store/kv"}},
	{"store/storetest", []string{"core", "store", "internal"}},
	{"store", []string{"core", "store/kv", "internal"}},
	{"media", []string{"core", "media", "internal"}},
	{"archive", []string{"archive"}},
	{"docs", []string{"core", "bot/text"}},
	{"web", []string{"core", "web", "internal"}},
	{"sim", []string{"core", "sim", "internal"}},
	{"config", []string{"core", "config", "internal"}},
	{"internal/retry", nil}, // the standard library alone, so that core may stand on it
	{"internal/spell", nil},
	{"internal", []string{"internal"}},
	{"app", []string{"."}},
	{"cmd", []string{"."}},
	{"e2e", []string{"."}},
}

// An owner is the only folder that may import a library, tests aside.
type owner struct{ library, folder string }

var owners = []owner{
	{"github.com/redis/go-redis", "store/redis"},
	{"go.etcd.io/bbolt", "store/bolt"},
	{"github.com/bwmarrin/discordgo", "sim/discord"},
	{"github.com/slack-go/slack", "bot/slack"},
}

// coreLibraries is all that core imports besides the standard library.
var coreLibraries = []string{"golang.org/x/time", "golang.org/x/sync"}

// suiteLibraries is what the suites in core, whose packages end in "test", may
// import besides.
var suiteLibraries = []string{"github.com/google/go-cmp", "pgregory.net/rapid"}

// Imports finds imports that the table forbids. Tests may also import the
// simulators, the stores and any library.
func Imports(tree fs.FS) ([]string, error) {
	var bad []string
	err := eachGo(tree, parser.ImportsOnly, func(name string, f *ast.File) {
		folder, test := path.Dir(name), strings.HasSuffix(name, "_test.go")
		for _, spec := range f.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				continue // the compiler says so
			}
			if why := forbidden(folder, imported, test); why != "" {
				bad = append(bad, fmt.Sprintf("%s imports %s: %s", name, imported, why))
			}
		}
	})
	return bad, err
}

// ContainerFiles finds packages that the container is built without, though what
// is in it imports them: .dockerignore lets in what it names with "!".
func ContainerFiles(tree fs.FS) ([]string, error) {
	ignored, err := fs.ReadFile(tree, ".dockerignore")
	if err != nil {
		return nil, err
	}
	in := map[string]bool{}
	for line := range strings.Lines(string(ignored)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "!"); ok {
			in[name] = true
		}
	}
	missing := map[string]bool{}
	top := func(name string) string { return strings.SplitN(name, "/", 2)[0] }
	err = eachGo(tree, parser.ImportsOnly, func(name string, f *ast.File) {
		for _, spec := range f.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			own, ok := strings.CutPrefix(imported, module+"/")
			if err == nil && ok && in[top(name)] && !in[top(own)] && !strings.HasSuffix(name, "_test.go") {
				missing[fmt.Sprintf(".dockerignore leaves out %s, which %s imports", top(own), path.Dir(name))] = true
			}
		}
	})
	return slices.Sorted(maps.Keys(missing)), err
}

// forbidden says why a package in folder may not import something; "" if it may.
func forbidden(folder, imported string, test bool) string {
	if own, ok := strings.CutPrefix(imported, module+"/"); ok {
		return forbiddenOwn(folder, own, test)
	}
	if test {
		return ""
	}
	for _, o := range owners {
		if within(imported, o.library) && !within(folder, o.folder) {
			return "only " + o.folder + " does"
		}
	}
	external := strings.Contains(strings.SplitN(imported, "/", 2)[0], ".")
	if !external || !within(folder, "core") {
		return ""
	}
	allowed := coreLibraries
	if strings.HasSuffix(folder, "test") {
		allowed = slices.Concat(coreLibraries, suiteLibraries)
	}
	if !slices.ContainsFunc(allowed, func(lib string) bool { return within(imported, lib) }) {
		return "core stands on the standard library, x/time and x/sync"
	}
	return ""
}

// forbiddenOwn is forbidden for a package of this module.
func forbiddenOwn(folder, own string, test bool) string {
	if test && (within(own, "sim") || within(own, "store") || within(own, "internal")) {
		return ""
	}
	for _, r := range rules {
		if !within(folder, r.folder) {
			continue
		}
		for _, may := range r.may {
			// "bot" is the package that both platforms share, not the platforms.
			if may == "." || own == may || may != "bot" && within(own, may) || test && within(own, r.folder) {
				return ""
			}
		}
		return r.folder + " may import " + strings.Join(r.may, ", ")
	}
	return "the import table has no row for " + folder
}

// within tells whether a slash-separated path is base or below it.
func within(name, base string) bool {
	return name == base || strings.HasPrefix(name, base+"/")
}

// PackageComments finds packages without a package comment, with more than
// one, or with one that does not begin as it should.
func PackageComments(tree fs.FS) ([]string, error) {
	comments, names := map[string][]string{}, map[string]string{}
	err := eachGo(tree, parser.PackageClauseOnly|parser.ParseComments, func(name string, f *ast.File) {
		if strings.HasSuffix(name, "_test.go") {
			return
		}
		folder := path.Dir(name)
		names[folder] = f.Name.Name
		if f.Doc != nil {
			comments[folder] = append(comments[folder], f.Doc.Text())
		}
	})
	var bad []string
	for _, folder := range slices.Sorted(maps.Keys(names)) {
		want := "Package " + names[folder] + " "
		if names[folder] == "main" {
			want = "Command " + path.Base(folder) + " "
		}
		switch c := comments[folder]; {
		case len(c) != 1:
			bad = append(bad, fmt.Sprintf("%s has %d package comments, want 1", folder, len(c)))
		case !strings.HasPrefix(c[0], want):
			bad = append(bad, fmt.Sprintf("%s: the package comment does not begin with %q", folder, want))
		}
	}
	return bad, err
}

// eachGo calls visit with the syntax of each Go file.
func eachGo(tree fs.FS, mode parser.Mode, visit func(name string, f *ast.File)) error {
	set := token.NewFileSet()
	return eachText(tree, []string{".go"}, func(name, text string) {
		if f, err := parser.ParseFile(set, name, text, mode); err == nil {
			visit(name, f) // a file that does not parse is the compiler's to report
		}
	})
}
