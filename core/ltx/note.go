package ltx

// Reason says why something differs from what was typed. It is a closed list:
// each reason has one text for people.
type Reason string

// The reasons of a Note.
const (
	SnappedSize     Reason = "snapped_size"     // sides became multiples of 32 within the limits
	LargestSize     Reason = "largest_size"     // the model makes nothing as large
	LargerModels    Reason = "larger_models"    // models that make what LargestSize names
	SizeOfRatio     Reason = "size_of_ratio"    // a ratio without a name of its own became pixels
	SnappedDuration Reason = "snapped_duration" // seconds became a length that the model can make
	SnappedFrames   Reason = "snapped_frames"   // the number of frames became 8k+1
	ShortenedFrames Reason = "shortened_frames" // the frame rate allows fewer frames
	RewrittenLoRA   Reason = "rewritten_lora"   // the link of a page became that of the file
	StrongLoRA      Reason = "strong_lora"      // the scale is allowed but unusual; nothing changed
	OtherModelLoRA  Reason = "other_model_lora" // the path names another model; nothing changed
	AddedTrigger    Reason = "added_trigger"    // the LoRA's trigger words were put into the prompt
	DroppedStatic   Reason = "dropped_static"   // "static" left the default negative prompt
	LoRANegative    Reason = "lora_negative"    // the negative prompt is that of the LoRAs
	AppliedStyle    Reason = "applied_style"    // the options of the style were used
	OwnLeftOut      Reason = "own_left_out"     // the member's own defaults do not fit the rest
	SilentFormat    Reason = "silent_format"    // the format cannot carry the sound
	FittedToModel   Reason = "fitted_to_model"  // the model makes only certain sizes, lengths and frame rates
	CutToLongest    Reason = "cut_to_longest"   // the file is longer than a video can be
	PromptUnused    Reason = "prompt_unused"    // nothing of the prompt is used
	ByPartner       Reason = "by_partner"       // the request goes to a partner of the provider
	KeptAsWords     Reason = "kept_as_words"    // what looks like a setting has no such value, and is part of the prompt
	CivitaiAccount  Reason = "civitai_account"  // Civitai may want a token for the file; nothing changed
	EndingLoRA      Reason = "ending_lora"      // the link stops working at a time; nothing changed
	BrokenLoRA      Reason = "broken_lora"      // the last look at the file found why it can't be loaded; nothing changed
	Overridden      Reason = "overridden"       // an option of its own won over the text of the prompt
	TakenFromAbove  Reason = "taken_from_above" // the file was found in the conversation
)

// Reasons returns every Reason.
func Reasons() []Reason {
	return []Reason{
		SnappedSize, LargestSize, LargerModels, SizeOfRatio, SnappedDuration, SnappedFrames, ShortenedFrames,
		RewrittenLoRA, StrongLoRA, OtherModelLoRA, AddedTrigger, DroppedStatic, LoRANegative, AppliedStyle, OwnLeftOut, SilentFormat,
		FittedToModel, CutToLongest, PromptUnused, ByPartner, KeptAsWords, CivitaiAccount, EndingLoRA, BrokenLoRA, Overridden, TakenFromAbove,
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
