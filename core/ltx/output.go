package ltx

// Output is what the model made. Every field but URL may be zero: the
// provider promises none of them. Its JSON is the form in which it is stored.
type Output struct {
	URL         string  `json:"url"`
	ContentType string  `json:"content_type,omitempty"`
	FileName    string  `json:"file_name,omitempty"`
	FileSize    int64   `json:"file_size,omitempty"` // bytes
	Width       int     `json:"width,omitempty"`     // pixels
	Height      int     `json:"height,omitempty"`    // pixels
	Frames      int     `json:"frames,omitempty"`
	FPS         float64 `json:"fps,omitempty"`
	Seconds     float64 `json:"seconds,omitempty"`
	// Seed is the seed that was used; nil when it is not told.
	Seed *int64 `json:"seed,omitempty"`
	// Prompt is the prompt that was used, as the model elaborated on it. It
	// is never logged.
	Prompt string `json:"prompt,omitempty"`
}

// Megapixels is what the provider bills for the video as it came out, rounded
// up. It is false when the provider did not tell size or frames.
func (o Output) Megapixels() (int64, bool) {
	if o.Width <= 0 || o.Height <= 0 || o.Frames <= 0 {
		return 0, false
	}
	return megapixels(o.Width, o.Height, o.Frames), true
}
