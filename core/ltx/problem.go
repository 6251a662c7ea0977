package ltx

import (
	"cmp"
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
	LoRAPage          Problem = "lora_page"           // a page of Other, not a file
	LoRAFolder        Problem = "lora_folder"         // a folder, or a repository without a single file
	LoRATemporary     Problem = "lora_temporary"      // what one download was redirected to
	LoRAExpired       Problem = "lora_expired"        // the link has stopped working at Other
	LoRANoDownload    Problem = "lora_no_download"    // Other does not hand out files to programs
	LoRAPickle        Problem = "lora_pickle"         // Other is the extension of a file that may run code
	LoRANotTensors    Problem = "lora_not_tensors"    // not a .safetensors file
	LoRANotDirect     Problem = "lora_not_direct"     // a repository where Other, the model, takes links to files only
	NotTaken          Problem = "not_taken"           // Value, the model, has no such option, for Other if that is why; Choices are the models that have it, Nearest the edit
	TierOnly          Problem = "tier_only"           // Value, the model, is for members of Other, tiers; Choices are the models for this one
	ModelCannot       Problem = "model_cannot"        // Value, the model, does not do Other; Choices are the models that do
	NeedsInput        Problem = "needs_input"         // Other must be given as well
	MediaLength       Problem = "media_length"        // Value is the length of the file; Min, Max, Unit; Other the model
	NotMedia          Problem = "not_media"           // no link, no job's id, no file of the platform
	BadLink           Problem = "bad_link"            // Value is no https link to a public server
	NothingAbove      Problem = "nothing_above"       // there is no conversation with files to take one of
	StyleUnknown      Problem = "style_unknown"       // no style of the team; Nearest
)

// Problems returns every Problem.
func Problems() []Problem {
	return []Problem{
		Unknown, Missing, TooLong, OutOfRange, NotAChoice, NotANumber, NotWhole, NotABool, BadSize, BadDuration,
		Spelling, NotShown, BadAdvanced, Conflict, Duplicate, OperatorOnly, Misplaced, TooManyMegapixels, TooManyLoRAs,
		LoRAUnknown, LoRAScale, LoRAMalformed, LoRATooLong, LoRANotHTTPS, LoRAHasUser, LoRAHasPort, LoRAAddress,
		LoRALocal, LoRAHost, LoRACivitaiPage, LoRAPage, LoRAFolder, LoRATemporary, LoRAExpired, LoRANoDownload, LoRAPickle, LoRANotTensors,
		LoRANotDirect, NotTaken, TierOnly, ModelCannot, NeedsInput, MediaLength, NotMedia, BadLink, NothingAbove, StyleUnknown,
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
	Models   []string // that take the value: "model:ltx-2.5"
	Style    string   // the style that sets the option; empty = it was typed
}

// Error is an English sentence for the person who typed the value.
func (e FieldError) Error() string {
	model := e.Value
	if e.Other != "" {
		model += " with " + e.Other
	}
	said := strings.NewReplacer(
		"{option}", e.Option, "{quoted option}", strconv.Quote(e.Option), "{value}", e.Value, "{quoted}", strconv.Quote(e.Value), "{other}", e.Other, "{quoted other}", strconv.Quote(e.Other),
		"{nearest}", e.Nearest, "{did you mean}", e.didYouMean(), "{choices}", listed(e.Choices), "{all choices}", strings.Join(e.Choices, ", "),
		"{limits}", e.limits(), "{min}", num(e.Min), "{max}", num(e.Max), "{count}", strconv.FormatInt(e.Count, 10), "{model}", model,
	).Replace(e.text())
	if len(e.Models) > 0 {
		said += " Possible with " + listed(e.Models) + "."
	}
	if e.Style != "" {
		said += fmt.Sprintf(" The style %q sets it.", e.Style)
	}
	return said
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

// problemTexts has one English sentence for each problem. Names in braces are
// filled in by Error.
var problemTexts = map[Problem]string{
	Unknown:           "There is no option {quoted option}.{did you mean}",
	Missing:           "{option} is missing. Describe what the video shows.",
	TooLong:           "{option} has {count} characters; at most {max} are allowed.",
	OutOfRange:        "{option} must be {limits}; {value} is not. The nearest is {nearest}.",
	NotAChoice:        "{option} cannot be {quoted}.{did you mean} It can be {choices}.",
	NotANumber:        "{option} must be a number {limits}; {quoted} is not.",
	NotWhole:          "{option} must be a whole number {limits}; {value} is not. The nearest is {nearest}.",
	NotABool:          "{option} must be {choices}; {quoted} is neither.",
	BadSize:           "{option} cannot be {quoted}.{did you mean} It is a name ({choices}), a ratio such as 16:9 or 21:9, or pixels such as 1280x704 with sides between {min} and {max}.",
	BadDuration:       "{option} must be in seconds, such as 5 or 8s, {limits}; {quoted} is not.",
	Spelling:          "Write {nearest}, not {value}.",
	NotShown:          "What the video must not show goes into negative: write {nearest}, not {value}.",
	BadAdvanced:       "{option}: {quoted} needs a value. Write pairs such as scheduler=ltx2 video_cfg_scale=4.",
	Conflict:          "{option} and {other} set the same thing. Give only one of them.",
	Duplicate:         "{option} is given twice, as {quoted} and as {quoted other}. Give it once.",
	OperatorOnly:      "{option} is set by whoever runs this bot and cannot be changed in a command.",
	Misplaced:         "{option} cannot be set here.",
	TooManyMegapixels: "{option}: {value} has {count} megapixels (width × height × frames); at most {max} are allowed. At this size a video can last {nearest} at most.",
	TooManyLoRAs:      "{option} names {count} LoRAs; at most {max} are allowed.",
	LoRAUnknown:       "{option}: there is no LoRA {quoted}.{did you mean} Give a name from the team's list, a Hugging Face owner/repo, or an https link to a .safetensors file.",
	LoRAScale:         "{option}: the scale after @ must be a number {limits}; {quoted} is not.",
	LoRAMalformed:     "{option}: {quoted} is not a valid link.",
	LoRATooLong:       "{option}: the link has {count} characters; at most {max} are allowed.",
	LoRANotHTTPS:      "{option}: {quoted} must start with https://.",
	LoRAHasUser:       "{option}: the link to {quoted} must not hold a user name or password.",
	LoRAHasPort:       "{option}: {quoted} must not name a port.",
	LoRAAddress:       "{option}: {quoted} must name a host, not an IP address.",
	LoRALocal:         "{option}: {quoted} is not on the public internet.",
	LoRAHost:          "{option}: files from {other} are not allowed here. Allowed: {all choices}.",
	LoRACivitaiPage:   "{option}: {value} is a page, not a file. Choose a version on it and copy the link again, so that it ends with modelVersionId= and a number; or copy that of its Download button.",
	LoRAPage:          "{option}: {value} is a page, not a file. Open it, and copy the link of its .safetensors file.",
	LoRAFolder:        "{option}: {value} is a folder. Open it, and copy the link of one .safetensors file in it.",
	LoRATemporary:     "{option}: {value} is the link of one download and ends within hours. Copy the link of the file's page.",
	LoRAExpired:       "{option}: the link {value} stopped working at {other}. Get a new one, or one without an end.",
	LoRANoDownload:    "{option}: links to {other} do not work, because fal cannot download from there. Put the file into a public Hugging Face repository, and use its link there.",
	LoRAPickle:        "{option}: {quoted} is a {other} file, which can run code. Only .safetensors files are allowed.",
	LoRANotTensors:    "{option}: {quoted} does not link to a .safetensors file.",
	LoRANotDirect:     "{option}: the model {other} takes links to .safetensors files only; {quoted} is a repository.",
	NotTaken:          "{option} does not exist for {model}. Leave it out, or choose a model that has it: {choices}.",
	TierOnly:          "The model {value} is only for the tier {other}. You may choose {choices}.",
	ModelCannot:       "The model {value} does not take {other}. These do: {choices}.",
	NeedsInput:        "{option} needs {other} as well.",
	MediaLength:       "{option}: the file lasts {value}; with {other} it must last {limits}.",
	NotMedia:          "{option}: {quoted} is no file. Attach a file, or give an https link or the id of a job.",
	NothingAbove:      `{option}: there is no conversation here from which "this" could be taken. Give a file, a link, or the id of a job.`,
	StyleUnknown:      `There is no style {quoted}.{did you mean}`,
	BadLink:           "{option}: {quoted} must be an https link to a public server, without a user name or a port.",
}

// text is the sentence about a problem, which some problems have several of.
func (e FieldError) text() string {
	switch {
	case e.Problem == Duplicate && e.Value == "":
		return "{option} is given twice. Give it once."
	case e.Problem == TooManyMegapixels && e.Nearest == "":
		return "{option}: {value} has {count} megapixels (width × height × frames); at most {max} are allowed. Choose a smaller size."
	case e.Problem == NotTaken && e.Nearest != "":
		return "{option} does not exist for {model}. Leave it out, or write {nearest}."
	case e.Problem == NotTaken && len(e.Choices) == 0:
		return "{option} does not exist for {model}. Leave it out."
	case e.Problem == ModelCannot && len(e.Choices) == 0:
		return "The model {value} does not take {other}, and none that you may use does."
	}
	return cmp.Or(problemTexts[e.Problem], "{option} is not valid.")
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
