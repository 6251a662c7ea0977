package demo

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
)

// samplePictureName is what the picture of an example is called.
const samplePictureName = "lake.png"

// samplePicture is a picture for those who have none at hand: a low sun over a
// lake.
func samplePicture() []byte {
	const width, height, horizon = 512, 288, 160
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			up := float64(y) / horizon
			c := color.RGBA{uint8(40 + 200*min(up, 1)), uint8(50 + 90*min(up, 1)), uint8(110 - 30*min(up, 1)), 255}
			if y >= horizon { // the water shows the sky, darker, with waves
				down := float64(height-y) / (height - horizon)
				wave := 12 * math.Sin(float64(y)*0.7+3*math.Sin(float64(x)*0.03))
				c = color.RGBA{uint8(40 + 110*down + wave), uint8(50 + 60*down + wave/2), uint8(95 - 20*down + wave/2), 255}
			}
			if math.Hypot(float64(x-340), float64(y-140)) < 34 && y < horizon {
				c = color.RGBA{255, 226, 150, 255}
			}
			if ridge := 150 - 26*math.Sin(float64(x)*0.013+1) - 8*math.Sin(float64(x)*0.06); y < horizon && float64(y) > ridge {
				c = color.RGBA{44, 38, 62, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	var out bytes.Buffer
	_ = png.Encode(&out, img) // a buffer takes everything
	return out.Bytes()
}
