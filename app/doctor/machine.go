package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"syscall"

	"ltxbot/app/admin"
	"ltxbot/media"
)

const areaTools = "video tools"

// tools looks for ffmpeg and ffprobe, and re-encodes a small video with them.
func (p patient) tools(ctx context.Context) []Finding {
	const advice = "install ffmpeg (apt-get install ffmpeg), or name it in media.ffmpeg"
	name := p.cfg.Media.FFmpeg
	if name == "" {
		return []Finding{ok(areaTools, "media.ffmpeg is empty: videos too large for a channel are posted as links")}
	}
	tool, err := media.Find(name)
	if err != nil {
		return []Finding{warning(areaTools, advice, "videos too large for a channel are posted as links: %v", err)}
	}
	if err := tool.Trial(ctx); err != nil {
		const whole = "install a whole ffmpeg, with libx264 and AAC (apt-get install ffmpeg), or name it in media.ffmpeg"
		return []Finding{warning(areaTools, whole, "videos too large for a channel are posted as links, for ffmpeg can't encode: %v", err)}
	}
	return []Finding{ok(areaTools, "ffmpeg and ffprobe are there and can encode")}
}

const areaFolder = "media folder"

// folder tries the folder of videos under way: there is to be room for two of
// the largest.
func (p patient) folder(context.Context) []Finding {
	dir := orTemp(p.cfg.Media.Dir)
	if err := writable(dir); err != nil {
		return []Finding{problem(areaFolder, adviceOn(err, dir, "set media.dir to a folder that the bot's user can write to"), "%v", err)}
	}
	least := uint64(0)
	if p.cfg.Media.MaxBytes > 0 {
		least = 2 * uint64(p.cfg.Media.MaxBytes)
	}
	return append([]Finding{ok(areaFolder, "%s can be written to", dir)}, room(areaFolder, dir, least)...)
}

const areaWeb = "web server"

// web looks whether the addresses of the web server are free, or the bot's.
func (p patient) web(ctx context.Context) []Finding {
	found := []Finding{p.address(ctx, "http.listen", p.cfg.HTTP.Listen)}
	if own := p.cfg.HTTP.OpsListen; own != "" {
		found = append(found, p.address(ctx, "http.ops_listen", own))
	} else if p.cfg.HTTP.PublicURL != "" {
		found = append(found, warning(areaWeb, "set http.ops_listen to another address on this machine, or let the proxy pass on what docs/console.md says and nothing else",
			"http.public_url leads to http.listen, which has /metrics, /readyz and /admin/api as well"))
	}
	return found
}

func (p patient) address(ctx context.Context, key, address string) Finding {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err == nil {
		_ = l.Close() // it served its purpose
		return ok(areaWeb, "%s is free", address)
	}
	if !errors.Is(err, syscall.EADDRINUSE) {
		return problem(areaWeb, "choose another address in "+key, "%v", err)
	}
	if version, ok2 := p.running(ctx); ok2 {
		return ok(areaWeb, "the bot runs at %s, version %s", address, version)
	}
	return problem(areaWeb, "stop it, or choose another address in "+key, "another program listens at %s", address)
}

// running asks whether a bot listens where ours would.
func (p patient) running(ctx context.Context) (version string, _ bool) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, admin.BaseURL(p.cfg.HTTP.Ops())+"/healthz", http.NoBody)
	if err != nil {
		return "", false
	}
	resp, err := p.opts.HTTP.Do(req)
	if err != nil {
		return "", false
	}
	defer func() { _ = resp.Body.Close() }()
	var told struct{ Status, Version string }
	err = json.NewDecoder(io.LimitReader(resp.Body, 1<<16)).Decode(&told)
	return told.Version, err == nil && told.Status == "ok" && told.Version != ""
}
