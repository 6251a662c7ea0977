package hub_test

import (
	"encoding/binary"
	"errors"
	"strconv"
	"strings"
	"testing"

	"ltxbot/provider/hub"
)

// FuzzHeader reads anything: what is taken for a header is one within its
// bounds, and makes a finding.
func FuzzHeader(f *testing.F) {
	for _, text := range []string{
		"{}", `{"__metadata__":{"a":"b"}}`,
		`{"transformer_blocks.0.attn1.to_q.lora_A.weight":{"dtype":"BF16","shape":[8,4096],"data_offsets":[0,65536]}}`,
		`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"F4","shape":[3],"data_offsets":[2,4]}}`,
		`{"a":{"dtype":"F32","shape":[-1],"data_offsets":[9223372036854775807,18446744073709551615]}}`,
		`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`,
		`{"a":null}`, `{"__metadata__":null}`, `{"__metadata__":{"a":1}}`, `[]`, `{"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]}} x`,
	} {
		f.Add([]byte(text), uint64(len(text)))
	}
	f.Fuzz(func(t *testing.T, text []byte, length uint64) {
		in := string(binary.LittleEndian.AppendUint64(nil, length)) + string(text)
		h, err := hub.ReadHeader(strings.NewReader(in))
		if err != nil {
			if !errors.Is(err, hub.ErrNotTensors) {
				t.Fatalf("%q: %v", in, err)
			}
			return
		}
		if h.Size < lengthSize+2 || len(h.Tensors) > hub.MaxTensors || hub.Rank(h) < 0 {
			t.Fatalf("%q became %+v", in, h)
		}
		for _, x := range h.Tensors {
			for _, side := range x.Shape {
				if side < 0 {
					t.Fatalf("%q has a side of %d", in, side)
				}
			}
		}
		if len(hub.Warnings(h)) == 0 && hub.Method(h) == "" {
			t.Fatalf("%q is taken for a LoRA", in)
		}
	})
}

func TestAHeaderHasBounds(t *testing.T) {
	many := func(n int) string {
		return "{" + strings.TrimSuffix(strings.Repeat(`"%":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},`, n), ",") + "}"
	}
	for name, tt := range map[string]struct {
		text string
		ok   bool
	}{
		"an empty one":             {"{}", true},
		"spaces behind it":         {"{}  \n", true},
		"something behind it":      {"{} {}", false},
		"a name that is twice":     {many(2), false},
		"a list":                   {"[]", false},
		"a shape of many sides":    {`{"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]}}`, false},
		"a tensor without offsets": {`{"a":{"dtype":"U8","shape":[1]}}`, false},
		"offsets that go back":     {`{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}}`, false},
		"a gap":                    {`{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, false},
		"a type of half a byte":    {`{"a":{"dtype":"F4","shape":[2],"data_offsets":[0,1]}}`, true},
		"metadata of numbers":      {`{"__metadata__":{"a":1}}`, false},
	} {
		if _, err := hub.ParseHeader([]byte(tt.text)); (err == nil) != tt.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	var text strings.Builder
	text.WriteString("{")
	for n := range hub.MaxTensors + 1 {
		if n > 0 {
			text.WriteString(",")
		}
		text.WriteString(`"` + strconv.Itoa(n) + `":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`)
	}
	if _, err := hub.ParseHeader([]byte(text.String() + "}")); err == nil || !strings.Contains(err.Error(), "too many tensors") {
		t.Errorf("%d tensors: %v", hub.MaxTensors+1, err)
	}
}
