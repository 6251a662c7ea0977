package repotest_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"ltxbot/internal/repotest"
)

// checks is every check by its name.
var checks = map[string]func(fs.FS) ([]string, error){
	"imports":          repotest.Imports,
	"package comments": repotest.PackageComments,
	"length":           repotest.Length,
	"words":            repotest.Words,
	"links":            repotest.Links,
	"paths":            repotest.Paths,
	"container":        repotest.ContainerFiles,
}

func TestThisRepository(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Fatal(err)
	}
	for name, check := range checks {
		t.Run(name, func(t *testing.T) {
			bad, err := check(os.DirFS(root))
			if err != nil {
				t.Fatal(err)
			}
			for _, b := range bad {
				t.Error(b)
			}
		})
	}
}

// TestEachRuleBites runs each check on a tree that breaks its rules and on
// what is allowed beside it.
func TestEachRuleBites(t *testing.T) {
	for _, c := range []struct {
		check string
		tree  map[string]string
		want  []string
	}{
		{"imports", map[string]string{
			"core/quota/a.go":             imports("ltxbot/core/usd", "fmt", "golang.org/x/sync/errgroup"),
			"core/quota/b.go":             imports("ltxbot/bot"),
			"core/quota/c.go":             imports("github.com/google/go-cmp/cmp"),
			"core/quota/c_test.go":        imports("github.com/google/go-cmp/cmp"),
			"core/quotatest/a.go":         imports("github.com/google/go-cmp/cmp", "testing"),
			"bot/a.go":                    imports("ltxbot/core/quota", "ltxbot/bot/slack"),
			"bot/discord/a.go":            imports("ltxbot/bot", "ltxbot/core/quota"),
			"bot/discord/b.go":            imports("ltxbot/bot/slack", "github.com/slack-go/slack"),
			"bot/discord/b_test.go":       imports("ltxbot/sim/discord", "ltxbot/store/bolt", "ltxbot/bot/discord"),
			"bot/discord/c_test.go":       imports("ltxbot/provider/fal"),
			"store/redis/a.go":            imports("github.com/redis/go-redis/v9", "ltxbot/store/kv"),
			"store/bolt/a.go":             imports("github.com/redis/go-redis/v9", "go.etcd.io/bbolt", "ltxbot/core/quota"),
			"provider/fal/a.go":           imports("ltxbot/sim/fal"),
			"web/a.go":                    imports("ltxbot/store/redis"),
			"sim/fal/a.go":                imports("ltxbot/provider/fal"),
			"config/a.go":                 imports("ltxbot/core/ltx", "ltxbot/app"),
			"core/ltx/a.go":               imports("ltxbot/internal/spell", "ltxbot/internal/ingress"),
			"app/a.go":                    imports("ltxbot/bot/slack", "ltxbot/store/redis", "ltxbot/sim/fal"),
			"helpers/a.go":                imports("ltxbot/core/quota"),
			"core/testdata/a.go":          imports("ltxbot/app"),
			"e2e/bench/node_modules/a.go": imports("ltxbot/app"),
		}, []string{
			"bot/a.go imports ltxbot/bot/slack: bot may import core, bot/command, bot/text, bot/view, internal",
			"bot/discord/b.go imports ltxbot/bot/slack: bot/discord may import core, bot/discord, bot, bot/adapter, bot/command, bot/lookback, bot/text, bot/view, internal",
			"bot/discord/b.go imports github.com/slack-go/slack: only bot/slack does",
			"bot/discord/c_test.go imports ltxbot/provider/fal: bot/discord may import core, bot/discord, bot, bot/adapter, bot/command, bot/lookback, bot/text, bot/view, internal",
			"config/a.go imports ltxbot/app: config may import core, config, internal",
			"core/ltx/a.go imports ltxbot/internal/ingress: core may import core, internal/retry, internal/spell",
			"core/quota/b.go imports ltxbot/bot: core may import core, internal/retry, internal/spell",
			"core/quota/c.go imports github.com/google/go-cmp/cmp: core stands on the standard library, x/time and x/sync",
			"helpers/a.go imports ltxbot/core/quota: the import table has no row for helpers",
			"provider/fal/a.go imports ltxbot/sim/fal: provider may import core, provider, internal",
			"sim/fal/a.go imports ltxbot/provider/fal: sim may import core, sim, internal",
			"store/bolt/a.go imports github.com/redis/go-redis/v9: only store/redis does",
			"store/bolt/a.go imports ltxbot/core/quota: store/bolt may import store/bolt, store/kv, internal",
			"web/a.go imports ltxbot/store/redis: web may import core, web, internal",
		}},
		{"package comments", map[string]string{
			"a/a.go":       "// Package a is fine.\npackage a\n",
			"a/b.go":       "package a\n",
			"a/a_test.go":  "// A comment in a test does not count.\npackage a_test\n",
			"b/b.go":       "package b\n",
			"c/c.go":       "// Package c is.\npackage c\n",
			"c/d.go":       "// Package c is twice.\npackage c\n",
			"d/d.go":       "// What d does.\npackage d\n",
			"cmd/e/e.go":   "// Command e is fine.\npackage main\n",
			"cmd/f/f.go":   "// Package main is not.\npackage main\n",
			"g/license.go": "// Copyright.\n\n// Package g is fine.\npackage g\n",
		}, []string{
			"b has 0 package comments, want 1",
			"c has 2 package comments, want 1",
			`cmd/f: the package comment does not begin with "Command f "`,
			`d: the package comment does not begin with "Package d "`,
		}},
		{"length", map[string]string{
			"a.go":      strings.Repeat("\n", 600),
			"b.go":      strings.Repeat("\n", 601),
			"c_test.go": strings.Repeat("\n", 601),
		}, []string{"b.go: 601 lines, more than 600: is it one thing?"}},
		{"words", map[string]string{
			"a.go":      "x := 1 // TO" + "DO\ny := \"/ro" + "ot/x\"\n",
			"a_test.go": "\ntime.Sle" + "ep(1)\n",
			"b.go":      "time.Sle" + "ep(1) // TODOS are fine, so is example.com/wo" + "rk/x\n",
			".ci/run":   "cd /wo" + "rk/x\n",
			".git/x.go": "// FIX" + "ME\n",
		}, []string{
			"a.go:1: work left open; do it or write an issue",
			".ci/run:1: a path of one machine",
			"a.go:2: a path of one machine",
			"a_test.go:2: a test that sleeps; use a signal, a timer with a deadline or testing/synctest",
		}},
		{"links", map[string]string{
			"README.md":    "[a](docs/a.md) [b](docs/b.md#x) [c](#c) [d](https://example.com/d.md) `[e](e.md)` [f](docs \"title\")\n```\n[g](g.md)\n```\n",
			"docs/a.md":    "[up](../README.md) [gone](../docs/c.md \"title\") ![image](images/a.png)",
			"docs/other.x": "",
		}, []string{
			"README.md: the link to docs/b.md#x leads nowhere",
			"docs/a.md: the link to ../docs/c.md leads nowhere",
			"docs/a.md: the link to images/a.png leads nowhere",
		}},
		{"container", map[string]string{
			".dockerignore": "*\n!app\n!core\n",
			"app/a.go":      imports("ltxbot/core/usd", "ltxbot/archive", "fmt"),
			"app/a_test.go": imports("ltxbot/e2e"),
			"docs/a.go":     imports("ltxbot/tools"),
		}, []string{".dockerignore leaves out archive, which app imports"}},
		{"paths", map[string]string{
			"bot/view/card.go": "package view\n\nfunc (c *card) show() {}\n\ntype Card struct{}\n\nconst (\n\tmost = 3 // of hidden\n)\n",
			"bot/view/a.md":    "`show`, `Card` and `most` in `bot/view/card.go`, `hidden` in `bot/view/card.go`\n",
			"bot/text/de.toml": "",
			"README.md":        "`bot/view`, `bot/view/card.go`, `bot/*/card.go`, `bot/text/{de,fr}.toml`, `card.go`, `other.go`",
			"docs/a.md":        "`bot/card.go`, `core/usd`, `owner/repo`, `/bot/x`, `bot/NAME`, `bot/text/XX.toml`\n```\n`bot/gone.go`\n```\n",
			".ci/run":          "",
			"CONTRIBUTING.md":  "`.ci/run`, `.ci/gone`",
		}, []string{
			"CONTRIBUTING.md: there is no file or folder .ci/gone",
			"README.md: there is no file or folder bot/text/fr.toml",
			"README.md: there is no file other.go",
			"bot/view/a.md: hidden is not in bot/view/card.go",
			"docs/a.md: there is no file or folder bot/card.go",
		}},
	} {
		t.Run(c.check, func(t *testing.T) {
			tree := fstest.MapFS{}
			for name, text := range c.tree {
				tree[name] = &fstest.MapFile{Data: []byte(text)}
			}
			got, err := checks[c.check](tree)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("violations (-want +got):\n%s", diff)
			}
		})
	}
}

// imports returns a Go file with these imports.
func imports(paths ...string) string {
	return "package p\n\nimport (\n\t_ \"" + strings.Join(paths, "\"\n\t_ \"") + "\"\n)\n"
}
