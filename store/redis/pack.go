package redis

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"

	"ltxbot/core/generate"
)

// The records of jobs that are over stay for months and are hardly read: they
// are packed. A record that begins with a brace is not.
const packed = 'z'

// maxRecord bounds what a packed record is unpacked to, in bytes.
const maxRecord = 1 << 20

// packers are kept because each has a large table.
var packers = sync.Pool{New: func() any {
	w, err := flate.NewWriter(nil, flate.DefaultCompression)
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
	out := bytes.NewBuffer(make([]byte, 0, len(text)))
	out.WriteByte(packed)
	w.Reset(out)
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
		if text, err = io.ReadAll(io.LimitReader(flate.NewReader(strings.NewReader(rest)), maxRecord)); err != nil {
			return generate.Job{}, fmt.Errorf("%w: %w", errDamaged, err)
		}
	}
	if err := json.Unmarshal(text, &j); err != nil {
		return generate.Job{}, fmt.Errorf("%w: %w", errDamaged, err)
	}
	return j, nil
}
