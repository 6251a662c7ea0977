package hub

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"ltxbot/core/library"
)

// The models that the bot makes videos with, as a finding names them.
const (
	// ltx23 is the one that LoRAs are for here.
	ltx23 = "LTX-2.3"
	// ltxAny is one of several with the same layers: LTX-2 19B, LTX-2.3, and
	// where a LoRA has no sound LTX-Video 13B too.
	ltxAny = "LTX"
	ltx2   = "LTX-2 or LTX-2.3"
	ltx25  = "LTX-2.5"
	ltx19b = "LTX-2 19B"
	// ltxVideo is the generation before.
	ltxVideo = "LTX-Video"
)

// A family is a kind of model that is known by the names of its layers, as
// trainers write them: with dots, or with underscores.
type family struct {
	model string
	names *regexp.Regexp
}

// families are the models by their layers; the first one that fits is it.
// LTX-2.3 has gates in its attention and a modulation of the prompt, which LTX-2
// 19B does not have. https://github.com/Lightricks/LTX-2
var families = []family{
	{ltx23, regexp.MustCompile(`transformer_blocks[._]\d+[._].*(?:to_gate_logits|prompt_scale_shift_table)`)},
	{ltx2, regexp.MustCompile(`transformer_blocks[._]\d+[._](?:audio_attn\d|audio_to_video_attn|video_to_audio_attn|audio_ff)`)},
	{"HunyuanVideo", regexp.MustCompile(`\.(?:img|txt)_attn_(?:qkv|proj)|individual_token_refiner`)},
	{"Flux or HunyuanVideo", regexp.MustCompile(`double_blocks_\d+_(?:img|txt)_attn_(?:qkv|proj)`)},
	{"Qwen-Image", regexp.MustCompile(`transformer_blocks[._]\d+[._](?:img|txt)_(?:mlp|mod)`)},
	{"Flux", regexp.MustCompile(`single_transformer_blocks|double_blocks[._]\d+[._](?:img|txt)_(?:attn|mlp|mod)|single_blocks[._]\d+[._]`)},
	{"Wan", regexp.MustCompile(`(?:^|[._])blocks[._]\d+[._](?:self_attn|cross_attn)[._][qkvo]`)},
	{"Stable Diffusion 3", regexp.MustCompile(`(?:joint_blocks|transformer_blocks)[._]\d+[._](?:attn[._]add_[qkv]_proj|context_block)`)},
	{sdxl, regexp.MustCompile(`lora_te2_|text_encoder_2`)},
	{stableDiffusion, regexp.MustCompile(`(?:unet[._]|^)(?:down|up|mid|input|output|middle)_blocks?|lora_te_text`)},
	{ltxAny, regexp.MustCompile(`transformer_blocks[._]\d+[._]attn[12][._]to_(?:q|k|v|out)`)},
}

const (
	stableDiffusion = "Stable Diffusion"
	sdxl            = "SDXL"
)

// said are the models by what a file's metadata says; the first one that fits is
// it. "ltx2" alone says little: trainers write it for LTX-2.3 too.
var said = []family{
	{ltx25, regexp.MustCompile(`ltx[-_ ]?v?2[._]5`)},
	{ltx23, regexp.MustCompile(`ltx[-_ ]?v?2[._]3|\b22b\b`)},
	{ltx19b, regexp.MustCompile(`\b19b\b|ltx[-_ ]?2[._]0`)},
	{ltx2, regexp.MustCompile(`ltx[-_ ]?2`)},
	{ltxVideo, regexp.MustCompile(`ltx[-_ ]?video|ltxv`)},
	{"Wan", regexp.MustCompile(`\bwan`)},
	{"HunyuanVideo", regexp.MustCompile(`hunyuan`)},
	{"Qwen-Image", regexp.MustCompile(`qwen`)},
	{"Flux", regexp.MustCompile(`flux`)},
	{sdxl, regexp.MustCompile(`sdxl|stable[-_ ]?diffusion[-_ ]?xl|\bpony\b|illustrious`)},
	{stableDiffusion, regexp.MustCompile(`\bsd[-_]?v?[123]|stable[-_ ]?diffusion`)},
}

// sayers are the keys of the metadata that name the model, the best one first.
var sayers = []string{
	"ss_ltx_version", "model_version", "base_model", "ss_base_model_version", "modelspec.architecture", "ss_sd_model_name", "merge_architecture",
}

// finer are the models of which metadata may name one where the layers fit
// several.
var finer = map[string][]string{
	ltx23:  {ltx25},
	ltx2:   {ltx23, ltx25, ltx19b},
	ltxAny: {ltx23, ltx25, ltx19b, ltx2, ltxVideo},
}

// modelOf is the model that a LoRA was made for: by its layers, and where these
// fit several by what its metadata says, or the card of its repository. It is
// empty when nothing tells.
func (h header) modelOf(card string) string {
	model := h.layers()
	for _, text := range h.claims(card) {
		several, vague := finer[model]
		if model != "" && !vague {
			break
		}
		at := slices.IndexFunc(said, func(f family) bool { return f.names.MatchString(text) })
		if at >= 0 && (model == "" || slices.Contains(several, said[at].model)) {
			model = said[at].model
		}
	}
	return model
}

// claims are the texts that name the model, the best one first.
func (h header) claims(card string) []string {
	var texts []string
	for _, key := range sayers {
		text := h.Metadata[key]
		if text != "" && strings.HasSuffix(key, "version") && !strings.HasPrefix(key, "ss_base") {
			text = "ltx-" + text // "2.3"
		}
		texts = append(texts, strings.ToLower(text))
	}
	return append(texts, strings.ToLower(card))
}

// layers is the model by the names of the layers.
func (h header) layers() string {
	for _, f := range families {
		at := slices.IndexFunc(h.Tensors, func(t tensor) bool { return f.names.MatchString(bare(t.Name)) })
		switch {
		case at < 0:
		case f.model == stableDiffusion:
			return h.diffusion()
		case f.model == ltxAny && h.width(`transformer_blocks[._]\d+[._]attn1[._]to_[qkv]`) == smallLTX:
			return ltxVideo
		case f.model == ltxAny && h.width(`transformer_blocks[._]\d+[._]attn1[._]to_[qkv]`) != ltxWidth:
			continue // some other transformer
		default:
			return f.model
		}
	}
	return ""
}

// The widths of the models' layers.
const (
	ltxWidth  = 4096 // LTX-Video 13B, LTX-2, LTX-2.3
	smallLTX  = 2048 // LTX-Video 2B
	sdxlWidth = 2048 // of the text that SDXL reads
)

// diffusion tells SDXL from its elders, by the width of the text.
func (h header) diffusion() string {
	if h.width(`attn2[._]to_[kv]`) == sdxlWidth {
		return sdxl
	}
	return stableDiffusion
}

// bare is the name of a layer without what trainers put before all of them.
func bare(name string) string {
	for _, prefix := range []string{"base_model.model.", "lora_unet_", "lora_transformer_", "diffusion_model.", "transformer.", "model."} {
		name = strings.TrimPrefix(name, prefix)
	}
	return name
}

var (
	// first and second are the two matrices of a LoRA: from the layer's width to
	// the rank, and back.
	first  = regexp.MustCompile(`(?i)[._]lora(?:[._]a|[._]down|_linear_layer[._]down)(?:[._]|$)`)
	second = regexp.MustCompile(`(?i)[._]lora(?:[._]b|[._]up|_linear_layer[._]up)(?:[._]|$)`)
)

// methods are other ways to add to a model, by the names of their tensors.
var methods = []struct {
	name  string
	names *regexp.Regexp
}{
	{"LoKr", regexp.MustCompile(`lokr_w[12]`)},
	{"LoHa", regexp.MustCompile(`hada_w[12]`)},
	{"DoRA", regexp.MustCompile(`dora_scale|lora_magnitude_vector`)},
}

// method is the way in which the file adds to a model: "LoRA", one of the
// methods, or empty when it does not.
func (h header) method() string {
	for _, m := range methods {
		if slices.ContainsFunc(h.Tensors, func(t tensor) bool { return m.names.MatchString(t.Name) }) {
			return m.name
		}
	}
	if slices.ContainsFunc(h.Tensors, func(t tensor) bool { return first.MatchString(t.Name) || second.MatchString(t.Name) }) {
		return "LoRA"
	}
	return ""
}

// width is that of the layers with this name: the input of the first matrix. It
// is 0 when there is none.
func (h header) width(layer string) int64 {
	named := regexp.MustCompile(layer)
	for _, t := range h.Tensors {
		if len(t.Shape) >= 2 && first.MatchString(t.Name) && named.MatchString(bare(t.Name)) && !strings.Contains(t.Name, "audio") {
			return t.Shape[1]
		}
	}
	return 0
}

// rank is that of most layers; 0 when nothing tells.
func (h header) rank() int {
	count, best := map[int64]int{}, int64(0)
	for _, t := range h.Tensors {
		if len(t.Shape) < 2 || !first.MatchString(t.Name) {
			continue
		}
		r := t.Shape[0]
		if count[r]++; count[r] > count[best] || count[r] == count[best] && r > best {
			best = r
		}
	}
	if best == 0 {
		best, _ = strconv.ParseInt(h.Metadata["ss_network_dim"], 10, 32)
	}
	return int(max(0, min(best, 1<<20)))
}

// needsVideo reports whether it is an IC-LoRA: its trainer writes how much
// smaller the reference video is.
func (h header) needsVideo() bool {
	return h.Metadata["reference_downscale_factor"] != "" || h.Metadata["reference_spatial_scale_factor"] != ""
}

// warnings are what the header says against the LoRA. card is what its
// repository says of the model.
func (h header) warnings(card string) []library.Warning {
	method, model := h.method(), h.modelOf(card)
	var found []library.Warning
	warn := func(kind library.WarningKind, value string) {
		found = append(found, library.Warning{Kind: kind, Value: value})
	}
	if method == "" {
		warn(library.WholeModel, "")
		return found
	}
	switch model {
	case ltx23, ltx2, ltxAny:
	case "":
		warn(library.UnknownModel, "")
	default:
		warn(library.OtherModel, model)
	}
	if h.needsVideo() {
		warn(library.NeedsVideo, "")
	}
	if method != "LoRA" {
		warn(library.OtherMethod, method)
	}
	return found
}
