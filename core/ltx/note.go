package ltx

import "fmt"

// Reason says why something differs from what was typed. It is a closed list:
// each reason has one text for people.
type Reason string

// The reasons of a Note.
const (
	SnappedSize     Reason = "snapped_size"     // sides became multiples of 32 within the limits
	SizeOfRatio     Reason = "size_of_ratio"    // a ratio without a name of its own became pixels
	SnappedDuration Reason = "snapped_duration" // seconds became a length that the model can make
	SnappedFrames   Reason = "snapped_frames"   // the number of frames became 8k+1
	ShortenedFrames Reason = "shortened_frames" // the frame rate allows fewer frames
	RewrittenLoRA   Reason = "rewritten_lora"   // the link of a page became that of the file
	StrongLoRA      Reason = "strong_lora"      // the scale is allowed but unusual; nothing changed
	OtherModelLoRA  Reason = "other_model_lora" // the path names another model; nothing changed
	AddedTrigger    Reason = "added_trigger"    // the LoRA's trigger words were put into the prompt
	DroppedStatic   Reason = "dropped_static"   // "static" left the default negative prompt
	SilentFormat    Reason = "silent_format"    // the format cannot carry the sound
	FittedToModel   Reason = "fitted_to_model"  // the model makes only certain sizes, lengths and frame rates
	CutToLongest    Reason = "cut_to_longest"   // the file is longer than a video can be
	PromptUnused    Reason = "prompt_unused"    // nothing of the prompt is used
	ByPartner       Reason = "by_partner"       // the request goes to a partner of the provider
	Overridden      Reason = "overridden"       // an option of its own won over the text of the prompt
)

// Reasons returns every Reason.
func Reasons() []Reason {
	return []Reason{
		SnappedSize, SizeOfRatio, SnappedDuration, SnappedFrames, ShortenedFrames,
		RewrittenLoRA, StrongLoRA, OtherModelLoRA, AddedTrigger, DroppedStatic, SilentFormat,
		FittedToModel, CutToLongest, PromptUnused, ByPartner, Overridden,
	}
}

// A Note tells a person what was changed to fit, or what to expect. It holds
// no secret of a URL.
type Note struct {
	Option string `json:"option"`
	From   string `json:"from,omitempty"`
	To     string `json:"to,omitempty"`
	Reason Reason `json:"reason"`
}

// noteTexts has one sentence for each reason. Its arguments are the option,
// what was typed and what became of it.
var noteTexts = map[Reason]string{
	SnappedSize:     "%[1]s: %[2]s became %[3]s, because sides are multiples of 32 within the limits.",
	SizeOfRatio:     "%[1]s: %[2]s became %[3]s.",
	SnappedDuration: "%[1]s: %[2]s became %[3]s, because a video has 9, 17, 25 … frames, always 8 more.",
	SnappedFrames:   "%[1]s: %[2]s became %[3]s, because a video has 9, 17, 25 … frames, always 8 more.",
	ShortenedFrames: "%[1]s: %[2]s became %[3]s, because a video lasts at most 20 seconds.",
	RewrittenLoRA:   "%[1]s: the page %[2]s became %[3]s.",
	StrongLoRA:      "%[1]s: %[2]s is a strong scale; 0.4 to 1.2 is usual.",
	OtherModelLoRA:  "%[1]s: %[2]s seems made for another model (%[3]s); here it may do nothing or spoil the picture.",
	AddedTrigger:    "%[1]s: %[3]q was added to the prompt, because the LoRA %[2]s needs it.",
	DroppedStatic:   "%[1]s: %[2]q was dropped from the default, because the camera is static.",
	SilentFormat:    "%[1]s: %[2]s has no sound.",
	FittedToModel:   "%[1]s: %[2]s became %[3]s, the nearest that can be made here.",
	CutToLongest:    "%[1]s: the file lasts %[2]s; the video lasts %[3]s.",
	PromptUnused:    "%[1]s: nothing of it is used for this.",
	ByPartner:       "%[1]s: this goes to %[2]s, a partner of fal, and costs %[3]s a second.",
	Overridden:      "%[1]s: the option %[3]s was used, and not %[2]s in the prompt.",
}

// String is the note as an English sentence.
func (n Note) String() string {
	text, ok := noteTexts[n.Reason]
	if !ok {
		return fmt.Sprintf("%s: %s became %s.", n.Option, n.From, n.To)
	}
	return fmt.Sprintf(text, n.Option, n.From, n.To)
}
