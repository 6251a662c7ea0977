package ltx_test

import (
	"fmt"

	"ltxbot/core/ltx"
)

// noteTexts has one sentence for each reason. Its arguments are the option,
// what was typed and what became of it.
var noteTexts = map[ltx.Reason]string{
	ltx.SnappedSize:     "%[1]s: %[2]s became %[3]s, because sides are multiples of 32 within the limits.",
	ltx.LargestSize:     "%[1]s: %[2]s became %[3]s, the largest that the model makes here.",
	ltx.LargerModels:    "%[1]s: %[2]s is possible with %[3]s.",
	ltx.SizeOfRatio:     "%[1]s: %[2]s became %[3]s.",
	ltx.SnappedDuration: "%[1]s: %[2]s became %[3]s, because a video has 9, 17, 25 … frames, always 8 more.",
	ltx.SnappedFrames:   "%[1]s: %[2]s became %[3]s, because a video has 9, 17, 25 … frames, always 8 more.",
	ltx.ShortenedFrames: "%[1]s: %[2]s became %[3]s, because a video lasts at most 20 seconds.",
	ltx.RewrittenLoRA:   "%[1]s: the page %[2]s became %[3]s.",
	ltx.StrongLoRA:      "%[1]s: %[2]s is a strong scale; 0.4 to 1.2 is usual.",
	ltx.OtherModelLoRA:  "%[1]s: %[2]s seems made for another model (%[3]s); here it may do nothing or spoil the picture.",
	ltx.AddedTrigger:    "%[1]s: %[3]q was added to the prompt, because the LoRA %[2]s needs it.",
	ltx.DroppedStatic:   "%[1]s: %[2]q was dropped from the default, because the camera is static.",
	ltx.LoRANegative:    "%[1]s: that of the LoRA %[2]s is used in place of the default.",
	ltx.AppliedStyle:    "%[1]s: the options of %[2]s were used.",
	ltx.OwnLeftOut:      "%[1]s: your own defaults do not fit the rest and were left out.",
	ltx.SilentFormat:    "%[1]s: %[2]s has no sound.",
	ltx.FittedToModel:   "%[1]s: %[2]s became %[3]s, the nearest that can be made here.",
	ltx.CutToLongest:    "%[1]s: the file lasts %[2]s; the video lasts %[3]s.",
	ltx.PromptUnused:    "%[1]s: nothing of it is used for this.",
	ltx.ByPartner:       "%[1]s: this goes to %[2]s, a partner of fal, and costs %[3]s a second.",
	ltx.KeptAsWords:     "%[1]s: %[2]q is not one of its values, so it stays in the prompt. Its values: %[3]s.",
	ltx.CivitaiAccount:  "%[1]s: Civitai gives some files only to those who sign in. If %[2]s cannot be loaded, put the file into a public Hugging Face repository, or add ?token= and a Civitai API key to the link.",
	ltx.EndingLoRA:      "%[1]s: the link %[2]s stops working at %[3]s.",
	ltx.BrokenLoRA:      "%[1]s: when %[2]s was last checked, it could not be loaded.",
	ltx.Overridden:      "%[1]s: the option %[3]s was used, and not %[2]s in the prompt.",
	ltx.TakenFromAbove:  "%[1]s: %[2]s is %[3]s, from this conversation.",
}

// sentence is a note as an English sentence.
func sentence(n ltx.Note) string { return fmt.Sprintf(noteTexts[n.Reason], n.Option, n.From, n.To) }
