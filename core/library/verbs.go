package library

import (
	"strings"

	"ltxbot/core/team"
)

// Who may do something with a library, beside team.Everybody.
const (
	// Adders are the team's admins, or everybody where the config says so.
	Adders team.Audience = "adders"
	// Keepers are the team's admins, and where everybody may add, who has added it.
	Keepers team.Audience = "keepers"
)

var (
	argLoRA  = team.Arg{Name: "name", Kind: team.WordsArg, Required: true, Help: "The LoRA's name in your team"}
	argStyle = team.Arg{Name: "name", Kind: team.WordsArg, Required: true, Help: "The style's name in your team"}
	argNote  = team.Arg{Name: "note", Kind: team.WordsArg, Named: true, Help: "What it is good for, in a few words"}
)

// about are what is said of a LoRA beside its name and its link.
var about = []team.Arg{
	{Name: "scale", Aliases: []string{"strength", "stärke", "staerke", "fuerza", "force", "強さ"}, Kind: team.WordsArg, Named: true, Help: "Its strength when nobody says another one: 0 to 4, usually 0.4 to 1.2"},
	{Name: "trigger", Kind: team.WordsArg, Named: true, Help: "Words that the prompt must hold, with commas; they are added when missing"},
	{Name: "negative", Kind: team.WordsArg, Named: true, Help: "The negative prompt it needs, in place of the default one"},
	argNote,
	{Name: "example", Kind: team.WordsArg, Named: true, Help: "A prompt that shows what it does"},
	{Name: "seed", Kind: team.WordsArg, Named: true, Help: "The seed of the example"},
	{Name: "models", Kind: team.WordsArg, Named: true, Help: "The models it was made for, with commas"},
	{Name: "weight", Kind: team.WordsArg, Named: true, Help: "The file in a repository that has several"},
}

// aboutStyle are the arguments of an order that says what a style is.
var aboutStyle = []team.Arg{
	argStyle,
	{Name: "options", Kind: team.LineArg, Help: "Options as after /ltx: camera:static lora:film@0.8"},
	{Name: "prefix", Kind: team.WordsArg, Named: true, Help: "Words before the prompt"},
	{Name: "suffix", Kind: team.WordsArg, Named: true, Help: "Words after the prompt"},
	argNote,
}

// verbs is the table.
var verbs = team.Table{
	{Name: "list", Who: team.Everybody, Reads: true, Help: "The LoRAs of your team", Args: []team.Arg{
		{Name: "find", Kind: team.TextArg, Help: "Only those whose name or note holds this"},
	}},
	{Name: "show", Who: team.Everybody, Reads: true, Help: "All about one LoRA of your team", Args: []team.Arg{argLoRA}},
	{Name: VerbAdd, Who: Adders, Help: "Give a LoRA a name that your team can use", Args: append([]team.Arg{
		argLoRA,
		{Name: "link", Kind: team.WordsArg, Required: true, Help: "Hugging Face owner/repo, or the https link of a .safetensors file"},
	}, about...)},
	{Name: VerbEdit, Who: Keepers, Help: "Change the entry of a LoRA; none clears a field", Args: append([]team.Arg{
		argLoRA,
		{Name: "link", Kind: team.WordsArg, Named: true, Help: "Hugging Face owner/repo, or the https link of a .safetensors file"},
	}, about...)},
	{Name: "remove", Who: Keepers, Help: "Take a LoRA out of your team's list", Args: []team.Arg{argLoRA}},
	{Name: VerbCheck, Who: team.Everybody, Reads: true, Help: "What a LoRA is, and what keeps it from working; costs nothing", Args: []team.Arg{
		{Name: "link", Kind: team.WordsArg, Required: true, Help: "Hugging Face owner/repo, or the https link of a .safetensors file"},
	}},
	{Name: VerbTry, Who: team.Everybody, Reads: true, InChat: true, Help: "Compare a LoRA's strengths: one prompt and seed at 0.4, 0.7, 1 and 1.3", Args: []team.Arg{
		argLoRA,
		{Name: "prompt", Kind: team.TextArg, Help: "The prompt, with options if you like; the LoRA's example if not given"},
	}},
	{Name: "styles", Who: team.Everybody, Reads: true, Help: "The styles of your team"},
	{Name: "style-show", Who: team.Everybody, Reads: true, Help: "All about one style of your team", Args: []team.Arg{argStyle}},
	{Name: VerbStyleAdd, Who: Adders, Help: "Keep options under a name, for style:NAME", Args: aboutStyle},
	{Name: VerbStyleEdit, Who: Keepers, Help: "Change a style; none clears a field", Args: aboutStyle},
	{Name: "style-remove", Who: Keepers, Help: "Take a style out of your team's list", Args: []team.Arg{argStyle}},
}

// VerbAdd gives a LoRA a name, and VerbEdit changes what is said of it;
// VerbStyleAdd and VerbStyleEdit do so for a style.
const (
	VerbAdd       = "add"
	VerbEdit      = "edit"
	VerbStyleAdd  = "style-add"
	VerbStyleEdit = "style-edit"
)

// Edits reports whether a verb changes an entry or a style that is there.
func Edits(verb string) bool { return verb == VerbEdit || verb == VerbStyleEdit }

// VerbCheck looks at the file of a LoRA. It is no order for an Office: it takes
// seconds, and what it finds is no part of a library.
const VerbCheck = "check"

// VerbTry makes videos with a LoRA at several strengths. An Office refuses it: it
// is for whoever may make videos, in the conversation that they come to.
const VerbTry = "try"

// Verbs are all that can be done with a library, in the order of help.
func Verbs() team.Table { return append(team.Table(nil), verbs...) }

// None is what takes something back.
const None = "none"

// Problem is what is wrong with an order about a library. It is a closed
// list: each has a text in the catalogue of bot/text.
type Problem string

// The problems of orders about libraries.
const (
	BadName      Problem = "bad_name"      // Value can't be a name
	NameTaken    Problem = "name_taken"    // there is one of this name
	NoSuchLoRA   Problem = "no_such_lora"  // Nearest
	NoSuchStyle  Problem = "no_such_style" // Nearest
	SecretLink   Problem = "secret_link"   // the link holds a key that the whole team could use
	TooLong      Problem = "too_long"      // Arg has more than Max characters
	BadSeed      Problem = "bad_seed"      // Value is no seed
	BadModel     Problem = "bad_model"     // Value is no model
	BadWeight    Problem = "bad_weight"    // Value is no name of a .safetensors file, or there is no repository for it
	EmptyStyle   Problem = "empty_style"   // no options and no words
	BadOption    Problem = "bad_option"    // Value is no option that a style can set
	Full         Problem = "full"          // there are Max already
	NothingToDo  Problem = "nothing_to_do" // it is so already
	Changed      Problem = "changed"       // Typed and Now differ: it has changed since the form was opened
	NotYours     Problem = "not_yours"     // somebody else has added it
	OnlyAdmins   Problem = "only_admins"   // may add
	OnlyInsiders Problem = "only_insiders" // of the team
	OnlyInChat   Problem = "only_in_chat"  // makes videos, and they need a conversation
)

// Problems are all problems, for whoever needs a text for each.
var Problems = []Problem{
	BadName, NameTaken, NoSuchLoRA, NoSuchStyle, SecretLink, TooLong, BadSeed, BadModel, BadWeight, EmptyStyle, BadOption,
	Full, NothingToDo, Changed, NotYours, OnlyAdmins, OnlyInsiders, OnlyInChat,
}

// An Error says what is wrong with an order. It holds no secret of a link.
type Error struct {
	Problem Problem
	Verb    string
	Arg     string
	Value   string
	Nearest string
	Max     int
	// Typed is an order that was overtaken, and Now the same order with what is
	// there, for Changed.
	Typed, Now team.Order
}

// problemTexts say each problem in English, for the command line and the API.
var problemTexts = map[Problem]string{
	BadName:      "{value} can't be a name: use up to 40 letters, digits, - and _",
	NameTaken:    "there is {value} already: use {edit}, or remove it first",
	NoSuchLoRA:   "there is no LoRA {value}",
	NoSuchStyle:  "there is no style {value}",
	SecretLink:   "the link holds a key or expires, and the whole team could use and see it: give a link without ? to a public file, or a Hugging Face owner/repo",
	TooLong:      "{arg} is too long",
	BadSeed:      "{value} is not a seed",
	BadModel:     "{value} is not a model",
	BadWeight:    "weight is the name of a .safetensors file in a repository owner/repo",
	EmptyStyle:   "a style needs options, a prefix or a suffix",
	BadOption:    "a style can't set {value}",
	Full:         "there are as many as there may be: remove some first",
	NothingToDo:  "it is so already",
	Changed:      "{value} has changed since the form was opened",
	NotYours:     "somebody else has added it: only they and the team's admins may change it",
	OnlyAdmins:   "only an admin of the team may add to its list",
	OnlyInsiders: "this list is for members of the team",
	OnlyInChat:   "it makes videos, and they need a conversation: /ltx-loras try in Discord, /ltx loras try in Slack",
}

// Edit is the verb that changes what a verb has added.
func (e *Error) Edit() string { return strings.Replace(e.Verb, VerbAdd, VerbEdit, 1) }

// Differs names the arguments of an overtaken order that would replace what is
// there.
func (e *Error) Differs() []string {
	var names []string
	verb, _ := verbs.Find(e.Verb)
	for _, a := range verb.Args {
		if typed, ok := e.Typed.Args[a.Name]; ok && typed != e.Now.Args[a.Name] && a.Name != "name" {
			names = append(names, a.Name)
		}
	}
	return names
}

func (e *Error) Error() string {
	text := strings.NewReplacer("{value}", `"`+e.Value+`"`, "{arg}", e.Arg, "{edit}", e.Edit()).Replace(problemTexts[e.Problem])
	if e.Nearest != "" {
		text += "; did you mean " + e.Nearest + "?"
	}
	return text
}
