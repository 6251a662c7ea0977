package app_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ltxbot/bot/view"
	"ltxbot/config"
	"ltxbot/core/generate"
	"ltxbot/internal/need"
	"ltxbot/internal/until"
	simdiscord "ltxbot/sim/discord"
)

// TestAVideoIsArchived makes a video, plays it in the console from the archive and
// goes on from it when fal has it no more, then deletes it.
func TestAVideoIsArchived(t *testing.T) {
	t.Parallel()
	w := prepare(t, "text")
	dir := t.TempDir()
	w.cfg.Archive.URL = "file://" + filepath.ToSlash(dir)
	w.cfg.Console.DiscordClientSecret = config.NewSecret(w.discord.ClientSecret())
	w.run(t)
	w.discord.SetRedirects(w.at("/admin/sign-in/discord/back"))
	j := w.archived(t, w.make(t, "a fox in the snow").ID)
	video, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(j.Copy.Video())))
	if err != nil || int64(len(video)) != j.Copy.Size || j.Copy.SHA256 != j.Receipt.SHA256 || !strings.Contains(string(video), "trainedAlgorithmicMedia") {
		t.Errorf("the copy has %d bytes, %v; the record says %+v", len(video), err, j.Copy)
	}
	text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(j.Copy.Path)+".json"))
	var beside struct{ Job, Command, Member string }
	if err != nil || json.Unmarshal(text, &beside) != nil || beside.Job != j.ID || beside.Member != j.Member || !strings.Contains(beside.Command, "a fox in the snow") {
		t.Errorf("beside it: %s, %v", text, err)
	}
	if _, page := w.get(t, "/metrics"); !strings.Contains(page, `ltxbot_archive_total{outcome="written"} 1`) {
		t.Errorf("it is not counted")
	}

	c := w.console(t)
	c.signIn("discord", w.ada.Authorize)
	address := "/admin/jobs/" + j.ID + "/video?team=" + url.QueryEscape(j.Team)
	c.has("/admin/gallery", `src="`+address+`#t=0.001"`)
	if status, _, got := c.do(http.MethodGet, w.at(address), nil); status != http.StatusOK || got != string(video) {
		t.Errorf("the console plays %d bytes with status %d, want %d", len(got), status, len(video))
	}

	w.fal.ExpireMedia()
	more := w.make(t, "it goes on clip:"+j.ID)
	clip, _ := more.Request.Media("video_url")
	if more.State != generate.Delivered || len(w.fal.Stored()) != 1 || clip.URL != w.fal.Stored()[0] || clip.Bytes != j.Copy.Size {
		t.Errorf("what goes on from it is %s (%s), with %+v", more.State, more.Failure.Kind, clip)
	}
	w.archived(t, more.ID)

	for _, m := range w.channel.Messages() {
		if m.ID == j.Receipt.Message {
			if _, err := w.ada.Click(t.Context(), m, view.ButtonID(view.ActDelete, j.ID)); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.await(t, j.ID, func(j generate.Job) bool { return j.Copy.State == generate.CopyGoing })
	if status, _, _ := c.do(http.MethodGet, w.at(address), nil); status != http.StatusNotFound {
		t.Errorf("the console plays a video that was deleted: %d", status)
	}
	typed := w.slash(t, simdiscord.Arg("prompt", "it goes on clip:"+j.ID))
	if _, err := w.app.Job(t.Context(), generate.NewID("discord:"+typed.ID)); !errors.Is(err, generate.ErrNoJob) {
		t.Errorf("a video that was deleted goes into another: %v", err)
	}
	need.Spare(t) // the deletion can be taken back for a minute
	until.True(t, "the copy is gone", func() bool {
		left, err := filepath.Glob(filepath.Join(dir, "*", "*", "*", j.ID+".*"))
		return err == nil && len(left) == 0
	}, w.log.String)
}

// archived waits until a job's video is in the archive.
func (w *world) archived(t *testing.T, job string) generate.Job {
	t.Helper()
	return w.await(t, job, func(j generate.Job) bool { return j.Copy.State == generate.CopyKept })
}
