// Package browser plays the page of the demo and the bot's console in Chromium.
package browser_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ltxbot/app/demo"
	"ltxbot/internal/need"
)

// scenes are the scripts in play.
var scenes = []string{"whole", "keyboard", "phone", "access", "plug", "plain", "fast", "console", "console-admin", "console-pages"}

// sceneLimit is how long a scene may take.
const sceneLimit = 10 * time.Minute

// How fast the simulated fal is: quick, or so slow that a card can be caught
// while it moves.
const (
	quick = 3
	slow  = 0.6
)

// TestPage plays the demo and the console as people do. Each scene has a world of its own.
func TestPage(t *testing.T) {
	node, chromium := need.Tool(t, "node"), need.Tool(t, "chromium")
	for _, scene := range scenes {
		t.Run(scene, func(t *testing.T) {
			if need.Race && scene == "console-pages" {
				t.Skip("it looks at pages that others open with the race detector")
			}
			play(t, node, chromium, quick, scene)
		})
	}
}

// TestScreenshots writes the pictures of the documentation anew, where
// LTXBOT_SCREENSHOTS names the folder: make screenshots.
func TestScreenshots(t *testing.T) {
	folder := os.Getenv("LTXBOT_SCREENSHOTS")
	if folder == "" {
		t.Skip("set LTXBOT_SCREENSHOTS to the folder for the pictures")
	}
	play(t, need.Tool(t, "node"), need.Tool(t, "chromium"), slow, "screenshots", folder)
}

// play starts a demo and plays a scene on its page and in its console.
func play(t *testing.T, node, chromium string, speed float64, scene string, more ...string) {
	t.Helper()
	if _, err := os.Stat("node_modules/playwright-core"); err != nil {
		need.Missing(t, "playwright-core", "npm ci --prefix e2e/browser --ignore-scripts")
	}
	var log bytes.Buffer
	d, err := demo.Start(t.Context(), demo.Options{
		Dir: t.TempDir(), Page: true, Speed: speed, Version: "browser", Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	p, err := d.ServePage(t.Context(), "127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	ctx, cancel := context.WithTimeout(t.Context(), sceneLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, append([]string{"run.mjs", scene, p.URL(), chromium}, more...)...)
	console, token := d.Console()
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "CONSOLE="+console, "CONSOLE_TOKEN="+token)
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.CombinedOutput()
	t.Log(string(out))
	if err != nil {
		t.Errorf("%s: %v", scene, err)
	}
	if t.Failed() {
		p.Close()
		d.Close()
		t.Log(log.String())
	}
}

// TestEveryScriptIsPlayed finds scripts that no test plays.
func TestEveryScriptIsPlayed(t *testing.T) {
	files, err := filepath.Glob("play/*.mjs")
	if err != nil {
		t.Fatal(err)
	}
	played := "screenshots " + strings.Join(scenes, " ")
	if len(files) != len(scenes)+1 {
		t.Errorf("play has %d scripts, the tests play %s", len(files), played)
	}
}

// TestEachPageHasAPicture finds pages of the console that the documentation does not
// show. Who has one team, as in the demo, never sees the list of teams.
func TestEachPageHasAPicture(t *testing.T) {
	pages, err := filepath.Glob("../../web/html/*.html")
	if err != nil || len(pages) == 0 {
		t.Fatalf("%d pages: %v", len(pages), err)
	}
	for _, page := range pages {
		name := strings.TrimSuffix(filepath.Base(page), ".html")
		if name == "layout" || name == "parts" || name == "teams" {
			continue
		}
		if _, err := os.Stat("../../docs/screenshots/console-" + name + ".png"); err != nil {
			t.Errorf("make screenshots has no picture of the page %s", name)
		}
	}
}
