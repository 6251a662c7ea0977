package hub

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
)

// The bounds of a header. That of a LoRA has some hundred kilobytes; the format
// allows 100 MB.
// https://github.com/huggingface/safetensors#format
const (
	maxHeader  = 4 << 20 // bytes
	maxTensors = 20_000  // the whole LTX-2.3 model has some 7,000
	maxDims    = 16
	lengthSize = 8 // bytes before the header, which tell its length
)

// errNotTensors says that a file does not begin as safetensors do.
var errNotTensors = errors.New("no header of safetensors")

// A header is what a file of safetensors says of itself.
type header struct {
	Tensors  []tensor          // in the order of the header
	Metadata map[string]string // what its maker wrote; may be nil
	Size     int64             // bytes of the whole file
}

// A tensor is one of a file.
type tensor struct {
	Name  string
	Shape []int64
}

// readHeader reads the header at the start of a file. Any error but
// errNotTensors is that of r.
func readHeader(r io.Reader) (header, error) {
	var length [lengthSize]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return header{}, short(err)
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n < 2 || n > maxHeader {
		return header{}, fmt.Errorf("%w: its length is %d", errNotTensors, n)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return header{}, short(err)
	}
	h, err := parseHeader(text)
	if err != nil {
		return header{}, fmt.Errorf("%w: %w", errNotTensors, err)
	}
	h.Size += lengthSize + int64(n)
	return h, nil
}

// short makes the end of a file an error of the file.
func short(err error) error {
	if isShort(err) {
		return fmt.Errorf("%w: the file ends before it", errNotTensors)
	}
	return err
}

// isShort reports whether io.ReadFull came to the end of a file. A connection
// that breaks has an error around its own end.
func isShort(err error) bool {
	return err == io.EOF || err == io.ErrUnexpectedEOF //nolint:errorlint // io.ReadFull returns these themselves
}

// parseHeader reads the JSON of a header. The tensors must lie side by side, as
// the format wants; Size is that of their bytes.
func parseHeader(text []byte) (header, error) {
	var h header
	dec := json.NewDecoder(bytes.NewReader(text))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return h, errors.New("not a JSON object")
	}
	seen := map[string]bool{}
	var sum, end uint64
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return h, err
		}
		name, _ := key.(string) // a key of JSON is a string
		if seen[name] {
			return h, errors.New("a name is there twice")
		}
		if seen[name] = true; len(seen) > maxTensors {
			return h, errors.New("too many tensors")
		}
		if name == "__metadata__" {
			if err := dec.Decode(&h.Metadata); err != nil {
				return h, err
			}
			continue
		}
		t, last, size, err := decodeTensor(dec)
		if err != nil {
			return h, err
		}
		t.Name = name
		h.Tensors = append(h.Tensors, t)
		end, sum = max(end, last), sum+size // each is below 2^62, and few: no overflow before the next line
		if sum > math.MaxInt64/2 {
			return h, errors.New("too many bytes")
		}
	}
	if _, err := dec.Token(); err != nil {
		return h, err
	}
	if rest := bytes.TrimRight(text[dec.InputOffset():], " \n\t\r"); len(rest) > 0 {
		return h, errors.New("something follows the object")
	}
	if sum != end {
		return h, errors.New("tensors overlap or leave gaps")
	}
	h.Size = int64(end)
	return h, nil
}

// bitsOf are the bits of one number of each type. Others are taken as they come.
var bitsOf = map[string]uint64{
	"BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16,
	"I32": 32, "U32": 32, "F32": 32, "I64": 64, "U64": 64, "F64": 64, "C64": 64,
}

// decodeTensor reads one tensor, where it ends and how many bytes it has.
func decodeTensor(dec *json.Decoder) (_ tensor, end, size uint64, err error) {
	var raw struct {
		Type    string   `json:"dtype"`
		Shape   []int64  `json:"shape"`
		Offsets []uint64 `json:"data_offsets"`
	}
	if err := dec.Decode(&raw); err != nil {
		return tensor{}, 0, 0, err
	}
	if len(raw.Offsets) != 2 || raw.Offsets[0] > raw.Offsets[1] || raw.Offsets[1] > math.MaxInt64/2 || raw.Type == "" || len(raw.Shape) > maxDims {
		return tensor{}, 0, 0, errors.New("a tensor is not described as it should be")
	}
	end, size = raw.Offsets[1], raw.Offsets[1]-raw.Offsets[0]
	each, known := bitsOf[raw.Type]
	total := each
	for _, side := range raw.Shape {
		over, next := bits.Mul64(total, uint64(max(side, 0)))
		if side < 0 || over != 0 {
			return tensor{}, 0, 0, errors.New("a tensor has an impossible shape")
		}
		total = next
	}
	if known && total != size*8 {
		return tensor{}, 0, 0, errors.New("a tensor has another size than its shape says")
	}
	return tensor{Shape: raw.Shape}, end, size, nil
}
