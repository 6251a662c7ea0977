package redis

import (
	"bytes"
	"compress/flate"
	_ "embed" // the dictionary
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"

	"ltxbot/core/generate"
)

// The records of jobs that are over stay for months and are hardly read: they
// are packed, most of them to a sixth. A record that begins with a brace is not.
const packed = '1'

// packDictionary is what most records have in common. It never changes: what
// was packed with it could no longer be read. A better one gets the next number.
//
//go:embed pack.dict
var packDictionary []byte

// maxRecord bounds what a packed record is unpacked to, in bytes.
const maxRecord = 1 << 20

// packers are kept because each has a large table.
var packers = sync.Pool{New: func() any {
	w, err := flate.NewWriterDict(nil, flate.DefaultCompression, packDictionary)
	if err != nil {
		panic(err) // the level is a constant
	}
	return w
}}

// encodeRecord writes a job as it is kept after the lines for scripts.
func encodeRecord(j generate.Job) ([]byte, error) {
	text, err := json.Marshal(j)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	if j.Unfinished() {
		return text, nil
	}
	w, _ := packers.Get().(*flate.Writer)
	defer packers.Put(w)
	var out bytes.Buffer
	out.WriteByte(packed)
	w.Reset(&out)
	if _, err := w.Write(text); err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	return out.Bytes(), nil
}

// decodeRecord reads what encodeRecord has written.
func decodeRecord(record string) (j generate.Job, err error) {
	text := []byte(record)
	if rest, ok := strings.CutPrefix(record, string(packed)); ok {
		unpacker := flate.NewReaderDict(strings.NewReader(rest), packDictionary)
		if text, err = io.ReadAll(io.LimitReader(unpacker, maxRecord)); err != nil {
			return generate.Job{}, fmt.Errorf("%w: %w", errDamaged, err)
		}
	}
	if err := json.Unmarshal(text, &j); err != nil {
		return generate.Job{}, fmt.Errorf("%w: %w", errDamaged, err)
	}
	return j, nil
}
