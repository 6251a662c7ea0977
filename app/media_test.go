package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ltxbot/config"
	"ltxbot/internal/need"
	"ltxbot/internal/testfile"
	simdiscord "ltxbot/sim/discord"
	simfal "ltxbot/sim/fal"
)

// TestAnFFmpegThatCannotEncode has one that knows no H.264, and a video that
// is too large: the operator reads of it at the start, and the person gets a
// link, not a wait.
func TestAnFFmpegThatCannotEncode(t *testing.T) {
	need.Tool(t, "sh")
	w := prepare(t, "text")
	dir := t.TempDir()
	for name, script := range map[string]string{
		"ffmpeg":  "echo x >>" + dir + "/started\nenv >>" + dir + "/seen\necho \"Unknown encoder 'libx264'\" >&2\nexit 8",
		"ffprobe": "env >>" + dir + "/seen\n" + `echo '{"streams":[{"codec_type":"video","codec_name":"h264","pix_fmt":"yuv420p"},{"codec_type":"audio"}],"format":{"duration":"4"}}'`,
	} {
		testfile.WriteProgram(t, filepath.Join(dir, name), "#!/bin/sh\n"+script+"\n")
	}
	t.Setenv("DISCORD_TOKEN", w.discord.Token())
	w.cfg.Media.FFmpeg = filepath.Join(dir, "ffmpeg")
	big, err := simfal.Start(simfal.Options{Speed: 100, FileSize: 11 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(big.Close)
	w.cfg.Fal.Key = config.NewSecret(big.Key())
	w.cfg.Fal.QueueURL, w.cfg.Fal.RestURL, w.cfg.Fal.APIURL = big.QueueURL(), big.RESTURL(), big.APIURL()
	w.cfg.Fal.MediaHosts = []string{big.MediaHost()}
	w.run(t)
	i := w.slash(t, simdiscord.Arg("prompt", "a red canoe on a lake"))
	if err := i.WaitAck(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err = w.channel.WaitMessage(t.Context(), func(m simdiscord.Message) bool {
		return strings.Contains(m.Text(), "It is too large to upload here")
	})
	if err != nil {
		t.Fatal(err)
	}
	const warning = "ffmpeg can't encode: videos too large for a channel are posted as links"
	w.logs(t, warning)
	started, err := os.ReadFile(filepath.Join(dir, "started"))
	if n := strings.Count(string(started), "x"); err != nil || n != 2 {
		t.Errorf("ffmpeg was started %d times, %v; want once to try it and once for the video", n, err)
	}
	if seen, err := os.ReadFile(filepath.Join(dir, "seen")); err != nil || strings.Contains(string(seen), w.discord.Token()) {
		t.Errorf("ffmpeg sees the bot's token, or nothing: %v", err)
	}
}
