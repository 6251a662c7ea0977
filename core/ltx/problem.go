package ltx

import (
	"fmt"
	"strconv"
	"strings"
)

// Problem says what is wrong with a setting. It is a closed list: each
// problem has one text for people in each language.
type Problem string

// The problems of a FieldError, with the fields that carry the details beside
// Option and Value.
const (
	Unknown           Problem = "unknown"             // no such option; Nearest
	Missing           Problem = "missing"             // required and not given
	TooLong           Problem = "too_long"            // Count code points, at most Max
	OutOfRange        Problem = "out_of_range"        // Min, Max, Unit, Nearest; Other frame rate, if that is why
	NotAChoice        Problem = "not_a_choice"        // Choices, Nearest
	NotANumber        Problem = "not_a_number"        // Min, Max, Unit
	NotWhole          Problem = "not_whole"           // Min, Max, Unit, Nearest
	NotABool          Problem = "not_a_bool"          // Choices
	BadSize           Problem = "bad_size"            // Choices, Nearest; Min and Max of a side
	BadDuration       Problem = "bad_duration"        // Min, Max, Unit
	Spelling          Problem = "spelling"            // Value is what was typed, Nearest how it is written here
	NotShown          Problem = "not_shown"           // as Spelling, for what the video must not show
	OneVideo          Problem = "one_video"           // Value asks for several videos
	BadAdvanced       Problem = "bad_advanced"        // Value is a key without a value
	Conflict          Problem = "conflict"            // Other is set as well
	Duplicate         Problem = "duplicate"           // set twice, to Value and to Other; both empty for texts
	OperatorOnly      Problem = "operator_only"       // only the operator sets it
	Misplaced         Problem = "misplaced"           // cannot be a default or part of a quality
	TooManyMegapixels Problem = "too_many_megapixels" // Count megapixels, at most Max; Nearest duration, if any
	TooManyLoRAs      Problem = "too_many_loras"      // Count, at most Max
	LoRAUnknown       Problem = "lora_unknown"        // no name of the team's library, no owner/repo, no URL; Nearest
	LoRAScale         Problem = "lora_scale"          // Value is the scale; Min, Max
	LoRAMalformed     Problem = "lora_malformed"      // not a URL, or with characters that no URL has
	LoRATooLong       Problem = "lora_too_long"       // Count characters, at most Max
	LoRANotHTTPS      Problem = "lora_not_https"      // another scheme than https
	LoRAHasUser       Problem = "lora_has_user"       // user or password in the URL
	LoRAHasPort       Problem = "lora_has_port"       // port in the URL
	LoRAAddress       Problem = "lora_address"        // an IP address in place of a name
	LoRALocal         Problem = "lora_local"          // localhost or another name without a dot
	LoRAHost          Problem = "lora_host"           // the host is Other; Choices are allowed
	LoRACivitaiPage   Problem = "lora_civitai_page"   // the model's page, not its file
	LoRAPickle        Problem = "lora_pickle"         // Other is the extension of a file that may run code
	LoRANotTensors    Problem = "lora_not_tensors"    // not a .safetensors file
	LoRANotDirect     Problem = "lora_not_direct"     // a repository where Other, the model, takes links to files only
	NotTaken          Problem = "not_taken"           // Value, the model, has no such option, for Other if that is why; Choices are the models that have it, Nearest the edit
	ModelCannot       Problem = "model_cannot"        // Value, the model, does not do Other; Choices are the models that do
	NeedsInput        Problem = "needs_input"         // Other must be given as well
	MediaLength       Problem = "media_length"        // Value is the length of the file; Min, Max, Unit; Other the model
	NotMedia          Problem = "not_media"           // no link, no job's id, no file of the platform
	BadLink           Problem = "bad_link"            // Value is no https link to a public server
)

// Problems returns every Problem.
func Problems() []Problem {
	return []Problem{
		Unknown, Missing, TooLong, OutOfRange, NotAChoice, NotANumber, NotWhole, NotABool, BadSize, BadDuration,
		Spelling, NotShown, OneVideo, BadAdvanced, Conflict, Duplicate, OperatorOnly, Misplaced, TooManyMegapixels, TooManyLoRAs,
		LoRAUnknown, LoRAScale, LoRAMalformed, LoRATooLong, LoRANotHTTPS, LoRAHasUser, LoRAHasPort, LoRAAddress,
		LoRALocal, LoRAHost, LoRACivitaiPage, LoRAPickle, LoRANotTensors,
		LoRANotDirect, NotTaken, ModelCannot, NeedsInput, MediaLength, NotMedia, BadLink,
	}
}

// A FieldError is one thing that is wrong with what was typed. It carries all
// that a sentence about it needs, in any language, and no secret: no query of
// a URL, and nothing of a prompt.
type FieldError struct {
	Option   string   // what people type: "camera", or the API name of an expert's input
	Value    string   // what was typed, shortened
	Problem  Problem  //
	Min, Max float64  // the limits, both included
	Count    int64    // how many there are
	Unit     string   // of Min and Max, as in Param
	Choices  []string // what would be right
	Nearest  string   // what was probably meant, or the nearest allowed value
	Other    string   // the second option, value, host or extension
}

// Error is an English sentence for the person who typed the value.
func (e FieldError) Error() string {
	text, ok := problemTexts[e.Problem]
	if !ok {
		return e.Option + " is not valid."
	}
	return text(e)
}

// Invalid is everything that is wrong with what was typed, in the order of
// the table, but no endless list. It is never empty as an error.
type Invalid []FieldError //nolint:errname // callers read it as a word: ltx.Invalid

// Error is one sentence a line.
func (v Invalid) Error() string {
	lines := make([]string, 0, len(v))
	for _, e := range v {
		lines = append(lines, e.Error())
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns each problem as an error.
func (v Invalid) Unwrap() []error {
	errs := make([]error, 0, len(v))
	for _, e := range v {
		errs = append(errs, e)
	}
	return errs
}

// problemTexts has one English sentence for each problem.
var problemTexts = map[Problem]func(FieldError) string{
	Unknown: func(e FieldError) string {
		return fmt.Sprintf("There is no option %q.", e.Option) + e.didYouMean()
	},
	Missing: func(e FieldError) string {
		return e.Option + " is missing. Describe what the video shows."
	},
	TooLong: func(e FieldError) string {
		return fmt.Sprintf("%s has %d characters; at most %s are allowed.", e.Option, e.Count, num(e.Max))
	},
	OutOfRange: func(e FieldError) string {
		return fmt.Sprintf("%s must be %s; %s is not. The nearest is %s.", e.Option, e.limits(), e.Value, e.Nearest)
	},
	NotAChoice: func(e FieldError) string {
		return fmt.Sprintf("%s cannot be %q.%s It can be %s.", e.Option, e.Value, e.didYouMean(), listed(e.Choices))
	},
	NotANumber: func(e FieldError) string {
		return fmt.Sprintf("%s must be a number %s; %q is not.", e.Option, e.limits(), e.Value)
	},
	NotWhole: func(e FieldError) string {
		return fmt.Sprintf("%s must be a whole number %s; %s is not. The nearest is %s.", e.Option, e.limits(), e.Value, e.Nearest)
	},
	NotABool: func(e FieldError) string {
		return fmt.Sprintf("%s must be %s; %q is neither.", e.Option, listed(e.Choices), e.Value)
	},
	BadSize: func(e FieldError) string {
		return fmt.Sprintf("%s cannot be %q.%s It is a name (%s), a ratio such as 16:9 or 21:9, or pixels such as 1280x704 with sides between %s and %s.",
			e.Option, e.Value, e.didYouMean(), listed(e.Choices), num(e.Min), num(e.Max))
	},
	BadDuration: func(e FieldError) string {
		return fmt.Sprintf("%s must be in seconds, such as 5 or 8s, %s; %q is not.", e.Option, e.limits(), e.Value)
	},
	Spelling: func(e FieldError) string {
		return fmt.Sprintf("Write %s, not %s.", e.Nearest, e.Value)
	},
	NotShown: func(e FieldError) string {
		return fmt.Sprintf("What the video must not show goes into %s: write %s, not %s.", row(idNegative).Key(), e.Nearest, e.Value)
	},
	OneVideo: func(e FieldError) string {
		return fmt.Sprintf("One command makes one video: leave out %s, and send the command again for another.", e.Value)
	},
	BadAdvanced: func(e FieldError) string {
		return fmt.Sprintf("%s: %q needs a value. Write pairs such as scheduler=ltx2 video_cfg_scale=4.", e.Option, e.Value)
	},
	Conflict: func(e FieldError) string {
		return fmt.Sprintf("%s and %s set the same thing. Give only one of them.", e.Option, e.Other)
	},
	Duplicate: func(e FieldError) string {
		if e.Value == "" {
			return e.Option + " is given twice. Give it once."
		}
		return fmt.Sprintf("%s is given twice, as %q and as %q. Give it once.", e.Option, e.Value, e.Other)
	},
	OperatorOnly: func(e FieldError) string {
		return e.Option + " is set by whoever runs this bot and cannot be changed in a command."
	},
	Misplaced: func(e FieldError) string {
		return e.Option + " cannot be set here."
	},
	TooManyMegapixels: func(e FieldError) string {
		s := fmt.Sprintf("%s: %s has %d megapixels (width × height × frames); at most %s are allowed.", e.Option, e.Value, e.Count, num(e.Max))
		if e.Nearest == "" {
			return s + " Choose a smaller size."
		}
		return s + fmt.Sprintf(" At this size a video can last %s at most.", e.Nearest)
	},
	TooManyLoRAs: func(e FieldError) string {
		return fmt.Sprintf("%s names %d LoRAs; at most %s are allowed.", e.Option, e.Count, num(e.Max))
	},
	LoRAUnknown: func(e FieldError) string {
		return fmt.Sprintf("%s: there is no LoRA %q.%s Give a name from the team's list, a Hugging Face owner/repo, or an https link to a .safetensors file.",
			e.Option, e.Value, e.didYouMean())
	},
	LoRAScale: func(e FieldError) string {
		return fmt.Sprintf("%s: the scale after @ must be a number %s; %q is not.", e.Option, e.limits(), e.Value)
	},
	LoRAMalformed: func(e FieldError) string {
		return fmt.Sprintf("%s: %q is not a valid link.", e.Option, e.Value)
	},
	LoRATooLong: func(e FieldError) string {
		return fmt.Sprintf("%s: the link has %d characters; at most %s are allowed.", e.Option, e.Count, num(e.Max))
	},
	LoRANotHTTPS: func(e FieldError) string {
		return fmt.Sprintf("%s: %q must start with https://.", e.Option, e.Value)
	},
	LoRAHasUser: func(e FieldError) string {
		return fmt.Sprintf("%s: the link to %q must not hold a user name or password.", e.Option, e.Value)
	},
	LoRAHasPort: func(e FieldError) string {
		return fmt.Sprintf("%s: %q must not name a port.", e.Option, e.Value)
	},
	LoRAAddress: func(e FieldError) string {
		return fmt.Sprintf("%s: %q must name a host, not an IP address.", e.Option, e.Value)
	},
	LoRALocal: func(e FieldError) string {
		return fmt.Sprintf("%s: %q is not on the public internet.", e.Option, e.Value)
	},
	LoRAHost: func(e FieldError) string {
		return fmt.Sprintf("%s: files from %s are not allowed here. Allowed: %s.", e.Option, e.Other, strings.Join(e.Choices, ", "))
	},
	LoRACivitaiPage: func(e FieldError) string {
		return fmt.Sprintf("%s: %s is a page, not a file. Copy the link of its Download button: https://civitai.com/api/download/models/ and a number.",
			e.Option, e.Value)
	},
	LoRAPickle: func(e FieldError) string {
		return fmt.Sprintf("%s: %q is a %s file, which can run code. Only .safetensors files are allowed.", e.Option, e.Value, e.Other)
	},
	LoRANotTensors: func(e FieldError) string {
		return fmt.Sprintf("%s: %q does not link to a .safetensors file.", e.Option, e.Value)
	},
	LoRANotDirect: func(e FieldError) string {
		return fmt.Sprintf("%s: the model %s takes links to .safetensors files only; %q is a repository.", e.Option, e.Other, e.Value)
	},
	NotTaken: func(e FieldError) string {
		model := e.Value
		if e.Other != "" {
			model += " with " + e.Other
		}
		switch {
		case e.Nearest != "":
			return fmt.Sprintf("%s does not exist for %s. Leave it out, or write %s.", e.Option, model, e.Nearest)
		case len(e.Choices) == 0:
			return fmt.Sprintf("%s does not exist for %s. Leave it out.", e.Option, model)
		}
		return fmt.Sprintf("%s does not exist for %s. Leave it out, or choose a model that has it: %s.", e.Option, model, listed(e.Choices))
	},
	ModelCannot: func(e FieldError) string {
		if len(e.Choices) == 0 {
			return fmt.Sprintf("The model %s does not take %s, and none that you may use does.", e.Value, e.Other)
		}
		return fmt.Sprintf("The model %s does not take %s. These do: %s.", e.Value, e.Other, listed(e.Choices))
	},
	NeedsInput: func(e FieldError) string {
		return fmt.Sprintf("%s needs %s as well.", e.Option, e.Other)
	},
	MediaLength: func(e FieldError) string {
		return fmt.Sprintf("%s: the file lasts %s; with %s it must last %s.", e.Option, e.Value, e.Other, e.limits())
	},
	NotMedia: func(e FieldError) string {
		return fmt.Sprintf("%s: %q is no file. Attach a file, or give an https link or the id of a job.", e.Option, e.Value)
	},
	BadLink: func(e FieldError) string {
		return fmt.Sprintf("%s: %q must be an https link to a public server, without a user name or a port.", e.Option, e.Value)
	},
}

// didYouMean is a sentence that names the nearest, with a space before it, or
// nothing.
func (e FieldError) didYouMean() string {
	if e.Nearest == "" {
		return ""
	}
	return " Did you mean " + strconv.Quote(e.Nearest) + "?"
}

// limits names the range: "between 9 and 481 frames".
func (e FieldError) limits() string {
	s := fmt.Sprintf("between %s and %s", num(e.Min), num(e.Max))
	if e.Unit != "" && e.Unit != e.Option {
		s += " " + e.Unit
	}
	return s
}
