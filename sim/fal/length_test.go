package fal_test

import (
	"encoding/binary"
	"net/http"
	"testing"

	"ltxbot/internal/until"
	"ltxbot/sim/fal"
)

// TestAFileIsBilledByItsOwnLength: where the price is by the second of what goes
// in, a bill has the length of that.
func TestAFileIsBilledByItsOwnLength(t *testing.T) {
	t.Parallel()
	wav := make([]byte, 44, 44+7*8000)
	copy(wav, "RIFF")
	copy(wav[8:], "WAVEfmt ")
	binary.LittleEndian.PutUint32(wav[28:], 8000)
	wav = wav[:cap(wav)]
	for name, tt := range map[string]struct {
		endpoint, field, file, want string
	}{
		"a video":             {"fal-ai/ltx-2.3/reframe", "video_url", string(fal.Clip()), "4"},
		"a sound":             {"fal-ai/ltx-2.3/audio-to-video", "audio_url", string(wav), "7"},
		"what can't be read":  {"fal-ai/ltx-2.3/reframe", "video_url", "hello", "5"},
		"a length of its own": {"fal-ai/ltx-2.3/extend-video", "video_url", string(fal.Clip()), "6"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, fal.Options{})
			put, get := place(t, s, "initiate", "")
			if a := ask(t, s, http.MethodPut, put, tt.file, keyless, "Content-Type:text/plain"); a.status != 200 {
				t.Fatal(a.status)
			}
			input := `{"prompt":"a cat","` + tt.field + `":"` + get + `"}`
			if name == "a length of its own" {
				input = `{"prompt":"a cat","duration":6,"` + tt.field + `":"` + get + `"}`
			}
			response := ask(t, s, http.MethodPost, s.QueueURL()+"/"+tt.endpoint, input).json(t)["response_url"].(string)
			until.True(t, "it is complete", func() bool { return ask(t, s, http.MethodGet, response+"/status", "").status == http.StatusOK })
			if units := ask(t, s, http.MethodGet, response, "").header.Get("X-Fal-Billable-Units"); units != tt.want {
				t.Errorf("billed %s seconds, want %s", units, tt.want)
			}
		})
	}
}
