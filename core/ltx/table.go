package ltx

import "slices"

// Ids of the rows that code refers to. Every other row is known only by what
// the table says about it.
const (
	idPrompt   = "prompt"
	idNegative = "negative_prompt"
	idCamera   = "camera_lora"
	idSize     = "video_size"
	idFrames   = "num_frames"
	idFPS      = "fps"
	idLoRAs    = "loras"
	idSeed     = "seed"
	idAudio    = "generate_audio"
	idFormat   = "video_output_type"
	idExpand   = "enable_prompt_expansion"
	idSafety   = "enable_safety_checker"
	idDuration = "duration"
	idQuality  = "quality"
	idPrivate  = "private"
	idCount    = "count"

	idAcceleration = "acceleration"
	idAdvanced     = "advanced"
	idImage        = "image_url"
	idEndImage     = "end_image_url"
	idTrack        = "audio_url"
	idClip         = "video_url"
	idModel        = "model"
	idEdit         = "edit"
	idStyle        = "style"
)

// DefaultFPS is the model's own frame rate, in frames per second.
const DefaultFPS = 24

// defaultFrames is the model's own length, in frames.
const defaultFrames = 121

// DefaultSeconds is the same length in seconds, at the model's own frame rate.
const DefaultSeconds = (defaultFrames - 1) / DefaultFPS

// MaxSeed is the largest seed that is sent. The provider publishes no limit;
// every tool accepts a 31-bit number.
const MaxSeed = 1<<31 - 1

// MaxCount is how many videos one command makes at most.
const MaxCount = 4

// defaultNegative is the model's own negative prompt.
const defaultNegative = "news broadcast, 3d animation, computer graphics, pc game, console game, video game, cartoon, childish, " +
	"watermark, logo, text, on screen text, subtitles, titles, signature, slowmo, static"

// gifValue is the output type that cannot carry sound.
const gifValue = "GIF (.gif)"

// table describes every parameter once, in the order of use.
var table = func() []Param {
	all := slices.Clone(rows)
	for i := range all {
		if all[i].Option == idModel {
			all[i].Choices = modelChoices()
		}
	}
	return all
}()

// rows is the table but for the names of the models. Names, types, ranges and
// choices are those of
// https://fal.ai/models/fal-ai/ltx-2.3-22b/text-to-video/lora/api and its
// siblings. A row with a name that is not special is an input of all of them.
var rows = []Param{
	{
		Name: idPrompt, Option: "prompt", Aliases: []string{"text", "description"}, Words: []string{"text", "description"}, Kind: KindText,
		Translations: []string{"プロンプト"},
		MinLen:       1, MaxLen: 2000, Basic: true,
		Help: "What the video shows: shot, scene, action, camera, sound. One paragraph works best",
	},
	{
		Name: idCamera, Option: "camera", Aliases: []string{"cam", "camera_move", "camera_motion", "camera_movement", "motion", "move"}, Words: []string{"motion", "move"},
		Translations: []string{"kamera", "cámara", "camara", "caméra", "カメラ"},
		Kind:         KindChoice, Choices: cameras, Default: "none", Basic: true,
		Help: "How the camera moves. Say in the prompt what the move reveals",
	},
	{
		Name: idSize, Option: "size", Aliases: []string{"ar", "aspect", "aspect_ratio", "ratio", "resolution", "res", "image_size", "dimensions"},
		Translations: []string{"größe", "grösse", "groesse", "auflösung", "seitenverhältnis", "tamaño", "tamano", "resolución", "taille", "résolution", "サイズ", "大きさ", "解像度"}, Words: []string{"größe", "grösse", "groesse", "tamaño", "tamano", "taille", "大きさ"},
		Kind: KindSize, Choices: sizes, Min: 256, Max: 2048, Unit: "pixels", Default: "landscape_16_9", Basic: true,
		Help: "A name, a ratio such as 16:9, or pixels such as 1280x704",
	},
	{
		Option: idDuration, Aliases: []string{"dur", "length", "seconds", "secs", "sec", "time"}, Words: []string{"length", "time", "länge", "laenge", "sekunden", "segundos", "secondes", "長さ", "時間"},
		Translations: []string{"dauer", "länge", "laenge", "sekunden", "duración", "duracion", "segundos", "durée", "duree", "secondes", "長さ", "時間", "秒数"},
		Kind:         KindDuration, Min: 0.4, Max: 20, Unit: "seconds", Basic: true,
		Help: "Length in seconds, such as 5 or 8s",
	},
	{
		Name: idLoRAs, special: true, Option: "lora", Aliases: []string{"lora_url", "lora_path", "lora_link"}, Kind: KindLoRAs,
		Min: 0, Max: 4, Basic: true,
		Help: "With commas: a team name, owner/repo or a .safetensors URL, each with @scale",
	},
	{
		Option: idStyle, Aliases: []string{"styles"}, Kind: KindStyle, Words: []string{"style", "styles", "stil", "estilo", "スタイル"},
		Translations: []string{"stil", "estilo", "スタイル"},
		Help:         "A style of your team: options and words that go together",
	},
	{
		Name: idImage, Option: "image", Aliases: []string{"img", "picture", "photo", "img_url", "start_image", "start_image_url", "init_image", "first_frame"}, Kind: KindMedia, special: true,
		Translations: []string{"bild", "imagen", "画像"}, Words: []string{"image", "img", "picture", "photo", "bild", "imagen", "画像"},
		Help: "A picture that the video begins with",
	},
	{
		Name: idEndImage, Option: "end_image", Aliases: []string{"last_image", "last_frame", "end_frame"}, Kind: KindMedia, special: true,
		Translations: []string{"endbild", "imagen_final", "image_finale", "最後の画像"}, Words: []string{"endbild", "最後の画像"},
		Help: "A picture that the video ends with",
	},
	{
		Name: idTrack, Option: "soundtrack", Aliases: []string{"music", "song", "voice", "audio_file"}, Kind: KindMedia, special: true,
		Translations: []string{"tonspur", "banda_sonora", "bande_son", "音源"}, Words: []string{"soundtrack", "music", "song", "voice", "tonspur", "音源"},
		Help: "A sound that the video is made for: speech, music",
	},
	{
		Name: idClip, Option: "clip", Aliases: []string{"video", "source_video", "input_video"}, Kind: KindMedia, special: true,
		Translations: []string{"vídeo", "vidéo", "動画"}, Words: []string{"clip", "video", "vídeo", "vidéo", "動画"},
		Help: "A video to go on from",
	},
	{
		Option: idModel, Aliases: []string{"model_id", "model_name", "checkpoint"}, Words: []string{"model", "checkpoint", "modell", "modelo", "modèle", "モデル"}, Kind: KindChoice, Basic: true,
		Translations: []string{"modell", "modelo", "modèle", "モデル"},
		Help:         "Which model makes the video; some cost more, some are run by Lightricks",
	},
	{
		Option: idEdit, Aliases: []string{"edit_mode"}, Words: []string{"edit", "bearbeiten", "editar", "modifier", "編集"}, Kind: KindChoice, Basic: true,
		Translations: []string{"bearbeiten", "editar", "modifier", "編集"},
		Choices:      edits,
		Help:         "What is done with the clip; extend unless you say otherwise",
	},
	{
		Name: idNegative, Option: "negative", Aliases: []string{"neg", "avoid", "without"}, Kind: KindText,
		Translations: []string{"negativ", "negativo", "négatif", "negatif", "ネガティブ"},
		MaxLen:       2000, Default: defaultNegative, Basic: true,
		Help: "What the video must not show; none for cartoons, games and text",
	},
	{
		Name: idSeed, Option: "seed", Kind: KindInt, Min: 0, Max: MaxSeed, Basic: true,
		Translations: []string{"semilla", "graine", "シード"}, Words: []string{"semilla", "graine"},
		Help: "The same seed and settings give the same video again; random picks one",
	},
	{
		Name: idAudio, Option: "audio", Aliases: []string{"sound"}, Words: []string{"sound", "ton", "sonido", "son", "音声", "音"}, Kind: KindBool, Default: true, Basic: true,
		Translations: []string{"ton", "sonido", "son", "音声", "音"},
		Help:         "Whether the video has sound",
	},
	{
		Option: idQuality, Aliases: []string{"preset"}, Kind: KindPreset, Choices: qualities, Basic: true,
		Translations: []string{"qualität", "qualitaet", "calidad", "qualité", "qualite", "品質", "画質"}, Words: []string{"qualität", "qualitaet", "calidad", "qualité", "qualite", "品質", "画質"},
		Help: "Draft is quick, best takes longer; it sets steps, acceleration and more at once",
	},
	{
		Option: idCount, Aliases: []string{"takes", "num_videos", "videos", "batch", "batch_size", "batch_count", "repeat"}, Kind: KindInt, Min: 1, Max: MaxCount, Default: 1,
		Words:        []string{"count", "takes", "videos", "batch", "repeat", "anzahl", "cantidad", "nombre", "本数"},
		Translations: []string{"anzahl", "cantidad", "nombre", "本数"},
		Help:         "How many videos, each with a seed of its own; each is charged",
	},
	{
		Option: idPrivate, Aliases: []string{"ephemeral", "secret", "hidden"}, Words: []string{"secret", "hidden", "privat", "privado", "privé", "prive"}, Kind: KindBool, Default: false, Basic: true,
		Translations: []string{"privat", "privado", "privé", "prive", "非公開"},
		Help:         "Whether only you see the video",
	},
	{
		Name: idFPS, Option: "fps", Aliases: []string{"frame_rate"}, Kind: KindFloat,
		Min: 1, Max: 60, Unit: "fps", Default: float64(DefaultFPS),
		Help: "Frames per second",
	},
	{
		Name: idFrames, Option: "frames", Kind: KindInt, Min: 9, Max: 481, Unit: "frames", Default: defaultFrames,
		Help: "Length in frames, in place of duration: 9, 17, 25 and so on up to 481",
	},
	{
		Name: "num_inference_steps", Option: "steps", Aliases: []string{"inference_steps"}, Kind: KindInt,
		Min: 8, Max: 50, Unit: "steps", Default: 15,
		Help: "More steps give more detail and take longer",
	},
	{
		Name: "video_cfg_scale", Option: "guidance", Aliases: []string{"cfg", "cfg_scale", "guidance_scale", "video_cfg"},
		Kind: KindFloat, Min: 1, Max: 20, Default: 3.0,
		Help: "How closely the picture follows the prompt; 2 to 5 is usual",
	},
	{
		Name: idFormat, Option: "format", Aliases: []string{"output", "output_type", "type", "filetype"}, Words: []string{"output", "type"},
		Kind: KindChoice, Choices: formats, Default: "X264 (.mp4)",
		Help: "The file format; mp4 plays everywhere",
	},
	{
		Name: idExpand, Option: "expand", Aliases: []string{"expansion", "prompt_expansion", "enhance", "expand_prompt"},
		Kind: KindBool, Default: true,
		Help: "Whether the model may elaborate on the prompt",
	},
	{
		Name: "camera_lora_scale", Option: "camera_scale", Rare: true, Aliases: []string{"camera_strength", "cam_scale"},
		Kind: KindFloat, Min: 0, Max: 1, Default: 1.0,
		Help: "How strong the camera move is",
	},
	{
		Name: idAcceleration, Option: "acceleration", Rare: true, Aliases: []string{"accel", "accelerate", "speed"}, Words: []string{"speed"},
		Kind: KindChoice, Choices: accelerations, Default: "none",
		Help: "Faster, for less quality",
	},
	{
		Option: idAdvanced, Aliases: []string{"adv", "extra", "params", "more"}, Words: []string{"extra", "more"}, Kind: KindAdvanced,
		Help: "Any other input by its API name: video_stg_scale=0.5 scheduler=ltx2",
	},

	{
		Name: "use_multiscale", Aliases: []string{"multiscale"}, Kind: KindBool, Default: true,
		Help: "Make a smaller video first and use it as a guide: better coherence and detail",
	},
	{
		Name: "video_stg_scale", Aliases: []string{"stg", "stg_scale", "video_stg"}, Kind: KindFloat, Min: 0, Max: 20, Default: 1.0,
		Help: "Spatiotemporal guidance of the picture: steadier structure; 0 to 1.5 is usual",
	},
	{
		Name: "video_rescaling_scale", Aliases: []string{"rescaling", "rescaling_scale", "video_rescaling"}, Kind: KindFloat, Min: 0, Max: 1, Default: 0.85,
		Help: "Balance of the two picture guidances; tames oversaturated colours",
	},
	{
		Name: "video_modality_scale", Aliases: []string{"modality", "modality_scale", "video_modality"}, Kind: KindFloat, Min: 0, Max: 10, Default: 3.0,
		Help: "How closely the picture follows the sound; 1 is off",
	},
	{
		Name: "audio_cfg_scale", Aliases: []string{"audio_cfg", "audio_guidance"}, Kind: KindFloat, Min: 1, Max: 20, Default: 7.0,
		Help: "How closely the sound follows the prompt",
	},
	{
		Name: "audio_stg_scale", Aliases: []string{"audio_stg"}, Kind: KindFloat, Min: 0, Max: 20, Default: 0.0,
		Help: "Spatiotemporal guidance of the sound",
	},
	{
		Name: "audio_rescaling_scale", Aliases: []string{"audio_rescaling"}, Kind: KindFloat, Min: 0, Max: 1, Default: 0.7,
		Help: "Balance of the two sound guidances",
	},
	{
		Name: "audio_modality_scale", Aliases: []string{"audio_modality"}, Kind: KindFloat, Min: 0, Max: 10, Default: 3.0,
		Help: "How closely the sound follows the picture; 1 is off",
	},
	{
		Name: "gradient_estimation_gamma", Aliases: []string{"gamma"}, Kind: KindFloat, Min: 0, Max: 10, Default: 0.0,
		Help: "Gradient estimation during denoising: fewer steps are enough; 0 is off",
	},
	{
		Name: "use_restart_sampling", Aliases: []string{"restart_sampling", "restart"}, Words: []string{"restart"}, Kind: KindBool, Default: true,
		Help: "Add a little noise at each denoising step, which can help quality",
	},
	{
		Name: "scheduler", Aliases: []string{"sampler"}, Kind: KindChoice, Choices: schedulers, Default: "beta",
		Help: "How noise is spread over the steps",
	},
	{
		Name: "video_quality", Aliases: []string{"encoding_quality"}, Kind: KindChoice, Choices: encodings, Default: "high",
		Help: "Quality of the encoded file; higher makes it larger",
	},
	{
		Name: "video_write_mode", Aliases: []string{"write_mode"}, Kind: KindChoice, Choices: writeModes, Default: "balanced",
		Help: "Encode fast, or to a small file",
	},
	{
		Name: "distill_lora_first_pass_scale", Aliases: []string{"distill_first_pass", "distill_first"}, Kind: KindFloat, Min: 0, Max: 1, Default: 0.2,
		Help: "Strength of the distilled LoRA in the first pass; 0 is off",
	},
	{
		Name: "distill_lora_second_pass_scale", Aliases: []string{"distill_second_pass", "distill_second"}, Kind: KindFloat, Min: 0, Max: 1, Default: 0.5,
		Help: "Strength of the distilled LoRA in every later pass",
	},
	{
		Name: "image_strength", special: true, Aliases: []string{"picture_strength"}, Kind: KindFloat, Min: 0, Max: 1, Default: 1.0,
		Help: "How closely the video keeps to the first picture",
	},
	{
		Name: "end_image_strength", special: true, Kind: KindFloat, Min: 0, Max: 1, Default: 1.0,
		Help: "How closely the video keeps to the last picture",
	},
	{
		Name: "interpolation_direction", special: true, Aliases: []string{"interpolation"}, Words: []string{"interpolation"}, Kind: KindChoice, Choices: directions, Default: "forward",
		Help: "From the first picture to the last one, or backward",
	},
	{
		Name: "audio_strength", special: true, Aliases: []string{"sound_strength"}, Kind: KindFloat, Min: 0, Max: 1, Default: 1.0,
		Help: "How closely the sound is kept; 1 keeps it as it is",
	},
	{
		Name: "preprocess_audio", special: true, Kind: KindBool, Default: true,
		Help: "Whether the soundtrack is prepared for the model first",
	},
	{
		Name: "video_strength", special: true, Aliases: []string{"clip_strength"}, Kind: KindFloat, Min: 0, Max: 1, Default: 1.0,
		Help: "How closely the video follows the clip; less leaves the model more freedom",
	},
	{
		Name: "preprocessor", special: true, Kind: KindChoice, Choices: preprocessors, Default: "none",
		Help: "What is taken from the clip: its depth, its edges, its poses",
	},
	{
		Name: "ic_lora_type", special: true, Aliases: []string{"ic_lora"}, Kind: KindChoice, Choices: controlLoRAs, Default: "union",
		Help: "The LoRA that follows the clip",
	},
	{
		Name: "extend_direction", special: true, Kind: KindChoice, Choices: directions, Default: "forward",
		Help: "Whether the clip goes on after its end, or begins earlier",
	},
	{
		Name: "num_context_frames", special: true, Aliases: []string{"context_frames"}, Kind: KindInt, Min: 0, Max: 121, Unit: "frames", Default: 25,
		Help: "How many frames of the clip the extension looks at",
	},
	{
		Name: "start_time", special: true, Aliases: []string{"retake_from"}, Kind: KindFloat, Basic: true, Min: 0, Max: 20, Unit: "seconds", Default: 0.0,
		Help: "Where in the clip the part to retake begins, in seconds; duration is its length",
	},
	{
		Name: "retake_mode", special: true, Kind: KindChoice, Choices: retakeModes, Default: "replace_audio_and_video",
		Help: "What is made anew: the picture, the sound or both",
	},
	{
		Name: idSafety, Aliases: []string{"safety_checker", "safety"}, Words: []string{"safety"}, Kind: KindBool, Default: true, Operator: true,
		Help: "Whether prompt and result are checked for unsafe content",
	},
	{
		Name: "sync_mode", Aliases: []string{"sync"}, Words: []string{"sync"}, Kind: KindBool, Default: false, Operator: true,
		Help: "Return the video inside the answer and keep it out of the history",
	},
}

var cameras = []Choice{
	{Value: "dolly_in", Label: "Dolly in", Synonyms: []string{"push in", "move in", "zoom in", "dolly forward", "forward", "in"}},
	{Value: "dolly_out", Label: "Dolly out", Synonyms: []string{"pull back", "pull out", "move out", "zoom out", "dolly back", "dolly backward", "backward", "back", "out"}},
	{Value: "dolly_left", Label: "Dolly left", Synonyms: []string{"track left", "truck left", "slide left", "move left", "left"}},
	{Value: "dolly_right", Label: "Dolly right", Synonyms: []string{"track right", "truck right", "slide right", "move right", "right"}},
	{Value: "jib_up", Label: "Jib up", Synonyms: []string{"crane up", "boom up", "pedestal up", "move up", "rise", "up"}},
	{Value: "jib_down", Label: "Jib down", Synonyms: []string{"crane down", "boom down", "pedestal down", "move down", "lower", "down"}},
	{Value: "static", Label: "Static", Synonyms: []string{"still", "fixed", "locked", "locked off", "tripod", "static shot", "static frame"}},
	{Value: "focus_shift", Label: "Focus shift (LTX-2.5)", Synonyms: []string{"rack focus", "focus pull", "pull focus", "shift focus"}},
	{Value: "none", Label: "None (as the prompt says)", Synonyms: []string{"no", "off", "free", "auto"}},
}

// sizes are the provider's six names with the pixels its SDK gives them, and
// three that people ask for.
// https://github.com/fal-ai/fal/blob/main/projects/fal/src/fal/toolkit/image/image.py
var sizes = []Choice{
	{
		Value: "landscape_16_9", Label: "Landscape 16:9 (1024×576)", Pixels: Size{1024, 576},
		Synonyms: []string{"16:9", "landscape", "horizontal", "wide", "widescreen", "landscape 16:9"},
	},
	{
		Value: "portrait_16_9", Label: "Portrait 9:16 (576×1024)", Pixels: Size{576, 1024},
		Synonyms: []string{"9:16", "portrait", "tall", "portrait 9:16", "portrait_9_16", "portrait 16:9"},
	},
	{Value: "landscape_4_3", Label: "Landscape 4:3 (1024×768)", Pixels: Size{1024, 768}, Synonyms: []string{"4:3", "landscape 4:3"}},
	{
		Value: "portrait_4_3", Label: "Portrait 3:4 (768×1024)", Pixels: Size{768, 1024},
		Synonyms: []string{"3:4", "portrait 3:4", "portrait_3_4", "portrait 4:3"},
	},
	{Value: "square_hd", Label: "Square (1024×1024)", Pixels: Size{1024, 1024}, Synonyms: []string{"1:1"}},
	{Value: "square", Label: "Small square (512×512)", Pixels: Size{512, 512}, Synonyms: []string{"small square"}},
	{Value: "720p", Label: "720p (1280×704)", Pixels: Size{1280, 704}, Synonyms: []string{"hd", "720"}},
	{Value: "1080p", Label: "1080p (1920×1088)", Pixels: Size{1920, 1088}, Synonyms: []string{"full hd", "fhd", "1080"}},
	{Value: "1440p", Label: "1440p (2560×1440, by Lightricks)", Pixels: Size{2560, 1440}, Synonyms: []string{"qhd", "2k", "1440"}},
	{Value: "2160p", Label: "2160p (3840×2160, by Lightricks)", Pixels: Size{3840, 2160}, Synonyms: []string{"4k", "uhd", "2160"}},
	{Value: "vertical", Label: "Vertical 720p (704×1280)", Pixels: Size{704, 1280}, Synonyms: []string{"story", "reel", "reels", "shorts", "phone"}},
}

var qualities = []Choice{
	{Value: "draft", Label: "Draft", Synonyms: []string{"fast", "quick", "low"}},
	{Value: "standard", Label: "Standard", Synonyms: []string{"normal", "medium", "default", "balanced"}},
	{Value: "best", Label: "Best", Synonyms: []string{"high", "max", "maximum"}},
}

var formats = []Choice{
	{Value: "X264 (.mp4)", Word: "mp4", Label: "MP4", Synonyms: []string{"x264", "h264", "h.264", ".mp4"}},
	{Value: "VP9 (.webm)", Word: "webm", Label: "WebM", Synonyms: []string{"vp9", ".webm"}},
	{Value: "PRORES4444 (.mov)", Word: "mov", Label: "ProRes 4444 (very large)", Synonyms: []string{"prores", "prores4444", ".mov"}},
	{Value: gifValue, Word: "gif", Label: "GIF (no sound)", Synonyms: []string{".gif"}},
}

var accelerations = []Choice{
	{Value: "none", Label: "None", Synonyms: []string{"no", "off"}},
	{Value: "regular", Label: "Regular", Synonyms: []string{"normal"}},
	{Value: "high", Label: "High"},
	{Value: "full", Label: "Full", Synonyms: []string{"max", "maximum"}},
}

var schedulers = []Choice{
	{Value: "ltx2", Label: "LTX-2"},
	{Value: "linear_quadratic", Label: "Linear quadratic"},
	{Value: "beta", Label: "Beta"},
}

var directions = []Choice{
	{Value: "forward", Label: "Forward", Synonyms: []string{"end", "after"}},
	{Value: "backward", Label: "Backward", Synonyms: []string{"start", "before"}},
}

var preprocessors = []Choice{
	{Value: "depth", Label: "Depth"},
	{Value: "canny", Label: "Edges", Synonyms: []string{"edges"}},
	{Value: "pose", Label: "Poses", Synonyms: []string{"poses"}},
	{Value: "none", Label: "None", Synonyms: []string{"no", "off"}},
}

var controlLoRAs = []Choice{
	{Value: "match_preprocessor", Label: "That of the preprocessor"},
	{Value: "union", Label: "Union"},
	{Value: "detailer", Label: "Detailer"},
	{Value: "none", Label: "None", Synonyms: []string{"no", "off"}},
}

var retakeModes = []Choice{
	{Value: "replace_audio", Label: "Sound", Synonyms: []string{"audio", "sound"}},
	{Value: "replace_video", Label: "Picture", Synonyms: []string{"video", "picture"}},
	{Value: "replace_audio_and_video", Label: "Both", Synonyms: []string{"both", "all"}},
}

var encodings = []Choice{
	{Value: "low", Label: "Low"},
	{Value: "medium", Label: "Medium"},
	{Value: "high", Label: "High"},
	{Value: "maximum", Label: "Maximum", Synonyms: []string{"max"}},
}

var writeModes = []Choice{
	{Value: "fast", Label: "Fast"},
	{Value: "balanced", Label: "Balanced"},
	{Value: "small", Label: "Small"},
}
