package hub_test

import (
	"encoding/binary"
	"encoding/json"
	"maps"
	"strings"
)

// layer is a tensor of numbers with two bytes each.
type layer struct {
	name  string
	shape []int64
}

// lora are the two matrices of each layer: from its width to the rank, and back.
func lora(rank, width int64, layers ...string) []layer {
	var out []layer
	for _, l := range layers {
		out = append(out, layer{l + ".lora_A.weight", []int64{rank, width}}, layer{l + ".lora_B.weight", []int64{width, rank}})
	}
	return out
}

// safetensors is the beginning of a file, and the size of all of it.
func safetensors(metadata map[string]string, layers ...layer) (begin string, size int64) {
	top := map[string]any{}
	if metadata != nil {
		top["__metadata__"] = metadata
	}
	var at int64
	for _, l := range layers {
		n := int64(2)
		for _, side := range l.shape {
			n *= side
		}
		top[l.name] = map[string]any{"dtype": "BF16", "shape": l.shape, "data_offsets": []int64{at, at + n}}
		at += n
	}
	text, _ := json.Marshal(top) //nolint:errchkjson // maps of numbers
	return framed(string(text)), lengthSize + int64(len(text)) + at
}

// lengthSize is how many bytes tell the length of the header.
const lengthSize = 8

// framed puts the length of a header before it.
func framed(text string) string {
	return string(binary.LittleEndian.AppendUint64(nil, uint64(len(text)))) + text
}

// names of layers as each model's trainers write them.
const (
	ltx23Layer = "diffusion_model.transformer_blocks.0.attn1.to_gate_logits"
	ltx2Layer  = "diffusion_model.transformer_blocks.7.audio_to_video_attn.to_q"
	plainLayer = "diffusion_model.transformer_blocks.7.attn1.to_q"
)

// with adds to metadata.
func with(m map[string]string, more ...string) map[string]string {
	m = maps.Clone(m)
	if m == nil {
		m = map[string]string{}
	}
	for i := 0; i+1 < len(more); i += 2 {
		m[more[i]] = more[i+1]
	}
	return m
}

// kohya writes a layer as the other trainers do.
func kohya(layer string) string { return "lora_unet_" + strings.ReplaceAll(layer, ".", "_") }
