package main

import (
	"bytes"
	"image"
	pngformat "image/png"
)

// png is a picture of three pixels by two.
func png() []byte {
	var out bytes.Buffer
	if err := pngformat.Encode(&out, image.NewGray(image.Rect(0, 0, 3, 2))); err != nil {
		panic(err) // a buffer takes everything
	}
	return out.Bytes()
}
