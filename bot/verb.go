package bot

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"ltxbot/core/quota"
)

// The verbs of a line.
const (
	VerbHelp   = "help"
	VerbJobs   = "jobs"
	VerbShow   = "show"
	VerbCancel = "cancel"
	VerbQuota  = "quota"
	VerbLoRAs  = "loras"
	VerbAdmin  = "admin"
)

// verbs says for each verb what else people call it, and what may follow it.
// A word that is followed by anything else begins a prompt: "show a cowboy".
var verbs = []struct {
	name    string
	aliases []string
	takes   func(args []string) bool
}{
	{VerbHelp, []string{"?", "man"}, func(a []string) bool { return len(a) == 0 || len(a) == 1 && isTopic(a[0]) }},
	{VerbJobs, []string{"job", "list", "queue", "status", "history"}, jobsOrder},
	{VerbShow, []string{"info"}, oneJob},
	{VerbCancel, []string{"stop", "abort"}, oneJob},
	{VerbQuota, []string{"usage", "limits", "limit", "budget"}, ownQuota},
	{VerbLoRAs, []string{"lora"}, none},
	{VerbAdmin, nil, func([]string) bool { return true }},
}

// ownQuota tells whether the words after "quota" are an order that everybody
// may give.
func ownQuota(args []string) bool {
	if len(args) == 0 {
		return true
	}
	v, ok := quota.FindVerb(args[0])
	return ok && v.Who == quota.Everybody && len(args)-1 <= len(v.Args)
}

func none(args []string) bool { return len(args) == 0 }

func oneJob(args []string) bool { return len(args) == 0 || len(args) == 1 && looksLikeJob(args[0]) }

// The topics of help.
const (
	TopicStart    = ""
	TopicPrompt   = "prompt"
	TopicOptions  = "options"
	TopicExamples = "examples"
	TopicQuota    = "quota"
)

var topics = map[string]string{
	"prompt": TopicPrompt, "prompts": TopicPrompt, "prompting": TopicPrompt,
	"options": TopicOptions, "option": TopicOptions, "settings": TopicOptions, "parameters": TopicOptions,
	"examples": TopicExamples, "example": TopicExamples,
	"quota": TopicQuota, "limits": TopicQuota,
}

func isTopic(word string) bool {
	_, ok := topics[strings.ToLower(word)]
	return ok
}

// A VerbError says that a line is a single word that is nearly a verb.
type VerbError struct {
	Word    string // as typed
	Nearest string // the verb that was probably meant
}

func (e *VerbError) Error() string {
	return fmt.Sprintf("%q is no command; %q is", e.Word, e.Nearest)
}

// commandName is the name of the command at the start of a line.
var commandName = regexp.MustCompile(`^/[\p{L}_][\p{L}\p{N}_-]*(?:\s+|$)`)

// cutCommand removes the name of the command. One that ends with a verb, as
// Discord's do, means that verb: "/ltx-jobs".
func cutCommand(line string) (rest, verb string) {
	name := commandName.FindString(line)
	rest = line[len(name):]
	if _, last, ok := strings.Cut(strings.ToLower(trimSpace(name)), "-"); ok {
		if i := findVerb(last); i >= 0 {
			verb = verbs[i].name
		}
	}
	return rest, verb
}

func findVerb(word string) int {
	word = strings.ToLower(word)
	for i, v := range verbs {
		if v.name == word || slices.Contains(v.aliases, word) {
			return i
		}
	}
	return -1
}

// parseVerb reads a line that is about a verb.
func parseVerb(line string) (Line, bool, error) {
	all := words(line)
	if len(all) == 0 {
		return Line{}, false, nil
	}
	word, args := all[0], all[1:]
	if word != "?" {
		word = strings.TrimRight(word, ".!?")
	}
	if i := findVerb(word); i >= 0 {
		v := verbs[i]
		// An alias is a word of prose more often than the verb is.
		if v.takes(args) && (strings.EqualFold(word, v.name) || len(args) == 0 || looksLikeJob(args[0])) {
			return Line{Verb: v.name, Args: args}, true, nil
		}
		return Line{}, false, nil
	}
	if len(args) > 1 || len(args) == 1 && !looksLikeJob(args[0]) {
		return Line{}, false, nil
	}
	if near := nearestVerb(word); near != "" {
		return Line{}, false, &VerbError{Word: all[0], Nearest: near}
	}
	return Line{}, false, nil
}

// nearestVerb is the verb that the word was probably meant to be, or "".
func nearestVerb(word string) string {
	const shortest = 3
	word = strings.ToLower(word)
	if len(word) < shortest {
		return ""
	}
	for _, v := range verbs {
		if d := editDistance(word, v.name); d == 1 || d == 2 && len(v.name) > 5 {
			return v.name
		}
	}
	return ""
}

// words splits a line at white space.
func words(line string) []string { return strings.FieldsFunc(line, isSpace) }

// Job ids: 12 characters; people also type the first few.
const (
	jobIDLength  = 12
	shortestPart = 4
)

// jobAlphabet are the characters of a job id, and those that are read as one
// of them.
const jobAlphabet = "0123456789abcdefghjkmnpqrstvwxyz" + "ilou"

// looksLikeJob tells whether the word can be a job id, or its beginning.
func looksLikeJob(word string) bool {
	id := strings.ToLower(word)
	if strings.Trim(id, jobAlphabet) != "" || len(id) < shortestPart || len(id) > jobIDLength {
		return false
	}
	return len(id) == jobIDLength && !strings.ContainsAny(id, "ilou") || strings.ContainsAny(id, "0123456789")
}

// jobID makes of a typed job id what the bot calls it: case does not matter,
// and neither do letters that are read as digits.
func jobID(typed string) string {
	return strings.NewReplacer("o", "0", "i", "1", "l", "1", "u", "v").
		Replace(strings.ToLower(strings.Trim(trimSpace(typed), "`#<>\"'“”.,")))
}

// editDistance counts the edits between two words: insert, delete, replace,
// or swap of two neighbours.
func editDistance(a, b string) int {
	x, y := []rune(a), []rune(b)
	rows := make([][]int, len(x)+1)
	for i := range rows {
		rows[i] = make([]int, len(y)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(x); i++ {
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(x)][len(y)]
}
