package ltx

// tasked is a task with where and with which inputs it is done.
type tasked = struct {
	task   task
	path   string
	fields []field
}

// cameraMoves are those that LTX-2.3 has a LoRA for.
var cameraMoves = []string{"dolly_in", "dolly_out", "dolly_left", "dolly_right", "jib_up", "jib_down", "static", "none"}

// common are the inputs that all endpoints of the undistilled 22b model have.
// https://fal.ai/models/fal-ai/ltx-2.3-22b/text-to-video/api
var common = func() []field {
	var fields []field
	for _, p := range rows {
		if p.Name == "" || p.special {
			continue
		}
		f := named(p.Name)
		if p.Name == idCamera {
			f.values = cameraMoves
		}
		fields = append(fields, f)
	}
	return fields
}()

// undistilled are the inputs that the distilled endpoints do not have.
var undistilled = []string{
	"num_inference_steps", "video_cfg_scale", "video_stg_scale", "video_rescaling_scale", "video_modality_scale", "audio_cfg_scale",
	"audio_stg_scale", "audio_rescaling_scale", "audio_modality_scale", "gradient_estimation_gamma", "use_restart_sampling",
	"distill_lora_first_pass_scale",
}

// ownDefaults are those of every endpoint of the 22b model but the two that
// make videos from text: these have the defaults of the model's page, which are
// the table's.
var ownDefaults = map[string]any{
	"num_inference_steps": 40, "video_stg_scale": 0.0, "video_rescaling_scale": 0.7, "gradient_estimation_gamma": 2.0,
	"use_restart_sampling": false, "scheduler": "ltx2", "acceleration": "regular",
}

var distilledDefaults = map[string]any{"scheduler": "ltx2", "acceleration": "none"}

// restyleStrength is how closely a restyled clip follows the original. The
// endpoint's own default of 0.01 hardly follows it; 0.6 is what the "quality"
// endpoint, made for the same, has: the motion stays, the look is free.
const restyleStrength = 0.6

// inputs22b are the tasks of the 22b model with the inputs that each adds.
func inputs22b(base []field) []tasked {
	silent := without(base, idAudio) // the sound is the soundtrack
	tasks := []tasked{
		{fromImage, "image-to-video", with(base, required(idImage), named(idEndImage), named("interpolation_direction"),
			named("image_strength"), named("end_image_strength"))},
		{fromSound, "audio-to-video", with(silent, named(idImage), named(idEndImage), named("image_strength"),
			named("end_image_strength"), required(idTrack), off("match_audio_length"), named("audio_strength"), named("preprocess_audio"))},
		{restyle, "video-to-video", with(base, required(idClip), off("match_video_length"), off("match_input_fps"),
			field{name: "video_strength", row: "video_strength", def: restyleStrength}, named("audio_strength"))},
		{reference, "reference-video-to-video", with(base, named(idImage), named(idEndImage), named(idTrack), named("audio_strength"),
			required(idClip), off("match_video_length"), off("match_input_fps"), named("video_strength"),
			named("preprocessor"), named("ic_lora_type"))},
	}
	return tasks
}

// loras22b is the rule for LoRAs: a Hugging Face repository or a link.
var loras22b = named(idLoRAs)

// dev is the undistilled 22b model.
var dev = family("fal-ai/ltx-2.3-22b", Price{Unit: Megapixel, USD: 0.001605}, Price{Unit: Megapixel, USD: DefaultUSDPerMegapixel}, loras22b,
	append([]tasked{
		{fromText, "text-to-video", common},
		{extend, "extend-video", with(override(common, ownDefaults), named(idEndImage), named("end_image_strength"), named("audio_strength"),
			required(idClip), off("match_input_fps"), named("video_strength"), named("extend_direction"), named("num_context_frames"))},
	}, inputs22b(override(common, ownDefaults))...)...)

// distilled is the distilled 22b model. It does not extend.
var distilled = func() []work {
	base := override(without(common, undistilled...), distilledDefaults)
	return family("fal-ai/ltx-2.3-22b/distilled", Price{Unit: Megapixel, USD: 0.001205}, Price{Unit: Megapixel, USD: 0.001405}, loras22b,
		append([]tasked{{fromText, "text-to-video", base}}, inputs22b(base)...)...)
}()

// qualityNegative is the negative prompt of the quality endpoints.
const qualityNegative = "color distortion, overexposure, static, blurry details, subtitles, style, artwork, painting, frame, still, " +
	"dim overall tone, worst quality, low quality, JPEG compression artifacts, ugly, mutilated, extra fingers, poorly drawn hands, " +
	"poorly drawn face, deformed, disfigured, malformed limbs, fused fingers, motionless frame, cluttered background, three legs, " +
	"crowded background, walking backwards"

// quality is the workflow of fal for finer pictures.
// https://fal.ai/models/fal-ai/ltx-2.3-quality/text-to-video/lora
var quality = func() []work {
	base := []field{
		named(idPrompt), named(idFrames),
		{name: "resolution", row: idSize},
		{name: "frames_per_second", row: idFPS},
		{name: "num_inference_steps", row: "num_inference_steps", def: 15, min: 8, max: 30},
		{name: "guidance_scale", row: "video_cfg_scale", def: 1.0, min: 1, max: 20},
		named(idAudio),
		{name: idNegative, row: idNegative, def: qualityNegative},
		named(idSeed), named(idExpand), named(idSafety), named("video_quality"), named("video_write_mode"), named("sync_mode"),
	}
	strength := field{name: "image_strength", row: "image_strength", def: 0.7}
	clip := with(base, named(idImage), required(idClip), off("skip_control_preprocess"),
		field{name: "video_strength", row: "video_strength", def: restyleStrength})
	loras := field{name: idLoRAs, row: idLoRAs, max: 2, values: directOnly}
	return family("fal-ai/ltx-2.3-quality", Price{Unit: Megapixel, USD: 0.0024075}, Price{Unit: Megapixel, USD: 0.0027075}, loras,
		tasked{fromText, "text-to-video", base},
		tasked{fromImage, "image-to-video", with(base, required(idImage), strength)},
		tasked{fromSound, "audio-to-video", with(base, named(idImage), strength, required(idTrack), off("match_audio_length"))},
		tasked{restyle, "reference-video-to-video", clip},
		tasked{reference, "reference-video-to-video", clip},
	)
}()

// directOnly marks the field of LoRAs of an endpoint that takes links to files
// only, no repositories.
var directOnly = []string{"https"}

// maxPartnerPrompt is the longest prompt that Lightricks takes, in characters.
// https://fal.ai/models/fal-ai/ltx-2.3/text-to-video/api
const maxPartnerPrompt = 5000

// The inputs of the endpoints that Lightricks runs.
var (
	partnerPrompt = field{name: idPrompt, row: idPrompt, maxLen: maxPartnerPrompt}
	partnerText   = []field{
		partnerPrompt,
		{name: "duration", row: idFrames, as: asSeconds},
		{name: "resolution", row: idSize, as: asResolution},
		{name: "aspect_ratio", row: idSize, as: asRatio},
		{name: "fps", row: idFPS, as: asWhole},
		named(idAudio),
	}
	partnerImage = with(partnerText, required(idImage), named(idEndImage))
	partnerSound = []field{
		partnerPrompt, required(idTrack), named(idImage),
		{name: "guidance_scale", row: "video_cfg_scale", def: unset{}, min: 1, max: 50},
		{name: "aspect_ratio", row: idSize, as: asRatio},
	}
	wideOrTall = []string{"16:9", "9:16"}
)

// dollars makes the price of a second by the shorter side.
func dollars(unit Unit, by map[int]float64) Price {
	most := 0.0
	for _, usd := range by {
		most = max(most, usd)
	}
	return Price{Unit: unit, USD: most, BySide: by}
}

// everyLength is the longest video that Lightricks makes, in seconds.
const everyLength = 20

// pro is LTX-2.3 as Lightricks runs it.
// https://fal.ai/models/fal-ai/ltx-2.3/text-to-video/api
var pro = func() []work {
	made := shape{
		sides: []int{1080, 1440, 2160}, ratios: wideOrTall, fps: []float64{24, 25, 48, 50}, seconds: []float64{6, 8, 10},
		side: 1080, rate: 25, length: 6, follows: true,
	}
	price := dollars(OutputSecond, map[int]float64{1080: 0.08, 1440: 0.16, 2160: 0.32})
	const base = "fal-ai/ltx-2.3/"
	return []work{
		partner(fromText, base+"text-to-video", price, made, partnerText),
		partner(fromImage, base+"image-to-video", price, made, partnerImage),
		partner(fromSound, base+"audio-to-video", Price{Unit: InputSecond, USD: 0.10},
			shape{ratios: wideOrTall, side: 1080, rate: 25, shortest: 2, longest: everyLength, follows: true}, partnerSound),
		partner(extend, base+"extend-video", Price{Unit: OutputSecond, USD: 0.10},
			shape{rate: 25, shortest: 1, longest: everyLength, length: 5, side: 1080}, []field{
				partnerPrompt, required(idClip),
				{name: "duration", row: idFrames, as: asSeconds},
				{name: "mode", row: "extend_direction", as: asEnd},
			}),
		partner(retake, base+"retake-video", Price{Unit: OutputSecond, USD: 0.10},
			shape{rate: 25, shortest: 2, longest: everyLength, length: 5, side: 1080}, []field{
				partnerPrompt, required(idClip), named("start_time"),
				{name: "duration", row: idFrames, as: asSeconds},
				named("retake_mode"),
			}),
		partner(reframe, base+"reframe", dollars(InputSecond, map[int]float64{720: 0.10, 1080: 0.20}),
			shape{sides: []int{720, 1080}, ratios: []string{"1:1", "4:5", "5:4", "9:16", "16:9"}, side: 1080, rate: 25}, []field{
				required(idClip),
				{name: "aspect_ratio", row: idSize, as: asRatio},
				{name: "resolution", row: idSize, as: asResolution},
			}),
	}
}()

// fast is the quicker one. Prices of two sources differ; these are the higher.
var fast = func() []work {
	made := shape{
		sides: []int{1080, 1440, 2160}, ratios: wideOrTall, fps: []float64{24, 25, 48, 50},
		seconds: []float64{6, 8, 10, 12, 14, 16, 18, 20}, side: 1080, rate: 25, length: 6, follows: true,
		most: func(side int, fps float64) float64 {
			if side == 1080 && fps == 25 {
				return everyLength
			}
			return 10
		},
	}
	price := dollars(OutputSecond, map[int]float64{1080: 0.06, 1440: 0.12, 2160: 0.24})
	return []work{
		partner(fromText, "fal-ai/ltx-2.3/text-to-video/fast", price, made, partnerText),
		partner(fromImage, "fal-ai/ltx-2.3/image-to-video/fast", price, made, partnerImage),
	}
}()

// next is LTX-2.5, which Lightricks runs: fast or pro.
// https://fal.ai/models/lightricks/ltx-2.5/image-to-video/fast
func next(kind string) []work {
	made := shape{
		sides: []int{720, 1080, 1440, 2160}, ratios: wideOrTall, fps: []float64{24, 25, 48, 50},
		seconds: []float64{6, 8, 10, 12, 14, 16, 18, 20}, side: 1080, rate: 25, length: 6, follows: true,
		most: func(side int, fps float64) float64 {
			if side <= 1080 && fps <= 25 {
				return everyLength
			}
			return 10
		},
	}
	price := dollars(OutputSecond, map[int]float64{720: 0.09, 1080: 0.13, 1440: 0.19, 2160: 0.30})
	sound, longest := 0.13, float64(everyLength)
	if kind == "pro" {
		made.sides, made.fps, made.seconds, made.most = []int{720, 1080}, []float64{24, 25, 50}, []float64{6, 8, 10}, nil
		price = dollars(OutputSecond, map[int]float64{720: 0.12, 1080: 0.17})
		sound, longest = 0.17, 10
	}
	moves := field{name: "camera_motion", row: idCamera, as: unlessNone}
	id := func(path string) string { return "lightricks/ltx-2.5/" + path + "/" + kind }
	return []work{
		partner(fromText, id("text-to-video"), price, made, with(partnerText, moves)),
		partner(fromImage, id("image-to-video"), price, made, with(partnerImage, moves)),
		partner(fromSound, id("audio-to-video"), Price{Unit: InputSecond, USD: sound},
			shape{ratios: wideOrTall, side: 1080, rate: 25, shortest: 2, longest: longest, follows: true}, partnerSound),
	}
}
