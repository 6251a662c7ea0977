package fal

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	mathrand "math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// The states that fal's queue knows; there is no failed one.
const (
	inQueue    = "IN_QUEUE"
	inProgress = "IN_PROGRESS"
	completed  = "COMPLETED"
)

// A job is a request in the queue. Server.mu guards it.
type job struct {
	id       string
	endpoint endpoint
	input    map[string]any
	raw      json.RawMessage
	noStore  bool
	webhook  string
	outcome  Outcome
	wrong    []complaint

	state     string
	sent      time.Time
	eligible  time.Time     // earliest start
	file      string        // its place on the CDN
	life      time.Duration // of its files, as its sender asked; 0 = the simulator's
	startBy   time.Time     // when it is given up unless it has started; zero = never
	ahead     int           // strangers ahead when it was sent
	started   time.Time
	ends      time.Time
	run       time.Duration
	steps     int
	fellBack  bool
	cancelled bool
	ended     time.Time

	reply  reply   // of the result, once completed
	billed float64 // in the endpoint's unit
}

// newID makes a UUID version 7, as fal's recent request ids are.
// https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-7
func newID(now time.Time) string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	ms := now.UnixMilli()
	for i := range 6 {
		b[i] = byte(ms >> (8 * (5 - i))) //nolint:gosec // one byte of it is meant
	}
	b[6] = b[6]&0x0f | 0x70
	b[8] = b[8]&0x3f | 0x80
	h := hex.EncodeToString(b[:])
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}

// step is the pause between two progress lines.
func (j *job) step() time.Duration {
	return max(j.run/time.Duration(max(j.steps, 1)), time.Millisecond)
}

// logs are the progress lines that the model has written by now, in the shape
// of tqdm's bars.
func (j *job) logs(now time.Time) []map[string]any {
	lines := []map[string]any{}
	if j.started.IsZero() {
		return lines
	}
	add := func(at time.Time, message string) {
		lines = append(lines, map[string]any{
			"message": message, "level": "INFO", "source": "USER", "timestamp": at.UTC().Format("2006-01-02T15:04:05.000000Z"),
		})
	}
	add(j.started, "Loading checkpoint shards: 100%|██████████| 3/3 [00:00<00:00, 41.2it/s]")
	for i := 1; i <= j.steps; i++ {
		at := j.started.Add(time.Duration(i) * j.run / time.Duration(j.steps+1))
		if at.After(now) || !j.ended.IsZero() && at.After(j.ended) {
			break
		}
		p := 100 * i / j.steps
		bar := strings.Repeat("█", p/10) + strings.Repeat(" ", 10-p/10)
		add(at, fmt.Sprintf("%3d%%|%s| %d/%d [00:%02d<00:%02d, 4.21it/s]", p, bar, i, j.steps, i/4, (j.steps-i)/4))
	}
	return lines
}

// presets are the pixels behind the names of video_size, as fal's SDK maps
// them. https://github.com/fal-ai/fal/blob/main/projects/fal/src/fal/toolkit/image/image.py
var presets = map[string][2]int{
	"square_hd":      {1024, 1024},
	"square":         {512, 512},
	"portrait_4_3":   {768, 1024},
	"portrait_16_9":  {576, 1024},
	"landscape_4_3":  {1024, 768},
	"landscape_16_9": {1024, 576},
}

// defaultSide is a side that a custom size leaves out.
const defaultSide = 512

// dimensions are the width, height and frames that the model makes of an
// input with its defaults: it snaps sides to 32 and frames to 8n+1 unless exact.
func dimensions(in map[string]any, exact bool) (width, height, frames int) {
	size := in["video_size"]
	if size == nil {
		size = in["resolution"]
	}
	name, _ := size.(string)
	preset, known := presets[name]
	if !known { // it follows a picture or a video, which nobody looks at here
		preset = presets["landscape_16_9"]
	}
	width, height = preset[0], preset[1]
	if sides, ok := size.(map[string]any); ok {
		width = int(numberOr(sides["width"], defaultSide))
		height = int(numberOr(sides["height"], defaultSide))
	}
	frames = int(numberOr(in["num_frames"], 121))
	if exact {
		return width, height, frames
	}
	snap := func(side int) int { return max(32, int(math.Round(float64(side)/32))*32) }
	return snap(width), snap(height), (frames-1)/8*8 + 1
}

func numberOr(v any, other float64) float64 {
	if n, ok := v.(json.Number); ok {
		if f, err := n.Float64(); err == nil {
			return f
		}
	}
	return other
}

// finish decides what the result answers. The caller holds mu.
func (s *Server) finish(j *job, now time.Time) {
	j.state, j.ended = completed, now
	if j.cancelled && j.outcome != IgnoresCancel {
		j.outcome = Cancelled
	}
	row := j.outcome.row()
	switch {
	case len(j.wrong) > 0:
		j.reply = jsonReply(422, map[string]any{"detail": j.wrong})
		j.reply.header.Set("X-Fal-Billable-Units", "0")
	case row.status == 200:
		j.reply = s.success(j, now)
	case row.request:
		j.reply = jsonReply(row.status, map[string]any{"detail": row.msg, "error_type": row.kind})
		j.reply.header.Set("X-Fal-Error-Type", row.kind)
		if j.outcome == StartTimeout && !j.startBy.IsZero() {
			j.reply.header.Set("X-Fal-Request-Timeout-Type", "user")
		}
	default:
		c := complain(row.kind, row.msg, nil, j.input[row.field], row.field)
		if row.kind == "file_too_large" {
			c.Ctx = map[string]any{"max_size": 3 << 30}
		}
		j.reply = jsonReply(row.status, map[string]any{"detail": []complaint{c}})
		j.reply.header.Set("X-Fal-Retryable", strconv.FormatBool(row.status >= 500))
	}
	j.reply.header.Set("x-fal-request-id", j.id)
	if j.webhook != "" {
		s.calls = append(s.calls, j.webhookCall())
		s.wake()
	}
}

// success puts a video on the CDN and answers with it.
func (s *Server) success(j *job, now time.Time) reply {
	in := j.endpoint.withDefaults(j.input)
	width, height, frames := dimensions(in, s.o.Exact)
	fps := numberOr(in["fps"], numberOr(in["frames_per_second"], 24))
	bytes := s.o.FileSize
	if j.outcome == Huge {
		bytes = hugeSize
	}
	name, _ := in["video_output_type"].(string)
	f := s.publish(formatOf(name), bytes, now)
	j.file = f.dir + "/" + f.name
	if j.life > 0 {
		f.gone = now.Add(j.life)
	}
	switch t, _ := tariffOf(j.endpoint.path); t.unit {
	case "megapixels":
		j.billed = math.Round(float64(width)*float64(height)*float64(frames)/100) / 10_000
		s.megapixels += j.billed
	case "seconds":
		j.billed = s.seconds(in)
		r := jsonReply(200, map[string]any{"video": map[string]any{
			"url": s.fileURL(f), "content_type": f.contentType, "file_name": f.name, "file_size": f.size,
		}})
		r.header.Set("X-Fal-Billable-Units", fmt.Sprint(j.billed))
		return r
	}
	prompt, _ := in["prompt"].(string)
	if in["enable_prompt_expansion"] == true {
		prompt = strings.TrimRight(prompt, ".!? ") + ". The light is soft and the movement steady; faint ambient sound fills the scene."
	}
	var seed any = mathrand.Int32() //nolint:gosec // a seed is no secret
	if given := in["seed"]; given != nil {
		seed = given
	}
	r := jsonReply(200, map[string]any{
		"video": map[string]any{
			"url": s.fileURL(f), "content_type": f.contentType, "file_name": f.name, "file_size": f.size,
			"width": width, "height": height, "fps": fps, "num_frames": frames,
			"duration": math.Round(float64(frames)/fps*1000) / 1000,
		},
		"seed": seed, "prompt": prompt,
	})
	r.header.Set("X-Fal-Billable-Units", fmt.Sprint(j.billed))
	return r
}

// status is the body of a status answer.
func (s *Server) status(j *job, now time.Time, logs bool) map[string]any {
	body := map[string]any{"status": j.state, "request_id": j.id}
	maps.Copy(body, s.urls(j))
	switch j.state {
	case inQueue:
		body["queue_position"] = s.position(j, now)
		return body
	case completed:
		body["metrics"] = map[string]any{"inference_time": nil}
		if !j.started.IsZero() {
			body["metrics"] = map[string]any{"inference_time": j.ended.Sub(j.started).Seconds()}
		}
		if row := j.outcome.row(); row.request || row.told {
			body["error"], body["error_type"] = row.msg, row.kind
		}
	}
	body["logs"] = nil
	if logs {
		body["logs"] = j.logs(now)
	}
	return body
}

func (s *Server) urls(j *job) map[string]any {
	base := s.base.JoinPath("queue", app(j.endpoint.path), "requests", j.id)
	return map[string]any{
		"response_url": base.String(),
		"status_url":   base.JoinPath("status").String(),
		"cancel_url":   base.JoinPath("cancel").String(),
	}
}
