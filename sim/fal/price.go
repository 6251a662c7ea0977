package fal

import (
	"math"
	"strings"
)

// A tariff is what an endpoint bills.
type tariff struct {
	unit string             // "megapixels" or "seconds"
	usd  float64            // of a unit
	by   map[string]float64 // of a second, by the input resolution
}

// tariffs is what endpoints bill by the start of their path, the longest one
// first. https://fal.ai/models and the endpoint's path has each price.
var tariffs = []struct {
	path string
	tariff
}{
	{"fal-ai/ltx-2.3-22b/distilled/", tariff{unit: "megapixels", usd: 0.001205}},
	{"fal-ai/ltx-2.3-22b/", tariff{unit: "megapixels", usd: 0.001605}},
	{"fal-ai/ltx-2.3-quality/", tariff{unit: "megapixels", usd: 0.0024075}},
	{"fal-ai/ltx-2.3/text-to-video/fast", tariff{"seconds", 0.06, map[string]float64{"1440p": 0.12, "2160p": 0.24}}},
	{"fal-ai/ltx-2.3/image-to-video/fast", tariff{"seconds", 0.06, map[string]float64{"1440p": 0.12, "2160p": 0.24}}},
	{"fal-ai/ltx-2.3/text-to-video", tariff{"seconds", 0.08, map[string]float64{"1440p": 0.16, "2160p": 0.32}}},
	{"fal-ai/ltx-2.3/image-to-video", tariff{"seconds", 0.08, map[string]float64{"1440p": 0.16, "2160p": 0.32}}},
	{"fal-ai/ltx-2.3/reframe", tariff{"seconds", 0.20, map[string]float64{"720p": 0.10}}},
	{"fal-ai/ltx-2.3/", tariff{unit: "seconds", usd: 0.10}},
	{"lightricks/ltx-2.5/audio-to-video/fast", tariff{unit: "seconds", usd: 0.13}},
	{"lightricks/ltx-2.5/audio-to-video/pro", tariff{unit: "seconds", usd: 0.17}},
	{"lightricks/ltx-2.5/text-to-video/pro", tariff{"seconds", 0.17, map[string]float64{"720p": 0.12}}},
	{"lightricks/ltx-2.5/image-to-video/pro", tariff{"seconds", 0.17, map[string]float64{"720p": 0.12}}},
	{"lightricks/ltx-2.5/", tariff{"seconds", 0.13, map[string]float64{"720p": 0.09, "1440p": 0.19, "2160p": 0.30}}},
}

// loraSurcharge is what a megapixel costs more with LoRAs, in US dollars, by the
// start of the path.
var loraSurcharge = map[string]float64{"fal-ai/ltx-2.3-22b/": 0.0002, "fal-ai/ltx-2.3-quality/": 0.0003}

// tariffOf is what an endpoint bills; false where the simulator does not know.
func tariffOf(path string) (tariff, bool) {
	for _, t := range tariffs {
		if !strings.HasPrefix(path, t.path) {
			continue
		}
		for prefix, usd := range loraSurcharge {
			if strings.HasPrefix(path, prefix) && strings.HasSuffix(path, "/lora") {
				t.usd = math.Round((t.usd+usd)*1e7) / 1e7
			}
		}
		return t.tariff, true
	}
	return tariff{}, false
}
