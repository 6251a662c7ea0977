package ltx

import "maps"

// prices is what a megapixel costs at each endpoint that makes videos from text
// beside the one of DefaultUSDPerMegapixel, in US dollars.
// https://fal.ai/models/fal-ai/ltx-2.3-22b/text-to-video and its siblings
var prices = map[string]float64{
	"fal-ai/ltx-2.3-22b/text-to-video":                0.001605,
	"fal-ai/ltx-2.3-22b/distilled/text-to-video":      0.001205,
	"fal-ai/ltx-2.3-22b/distilled/text-to-video/lora": 0.001405,
}

// Prices is what a megapixel costs at each endpoint, in US dollars.
func Prices() map[string]float64 { return maps.Clone(prices) }
