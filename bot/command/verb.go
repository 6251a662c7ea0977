package command

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"ltxbot/core/library"
	"ltxbot/core/ltx"
	"ltxbot/core/team"
	"ltxbot/internal/spell"
)

// The verbs of a line.
const (
	VerbHelp     = "help"
	VerbJobs     = "jobs"
	VerbShow     = "show"
	VerbCancel   = "cancel"
	VerbVerify   = "verify"
	VerbQuota    = "quota"
	VerbLoRAs    = "loras"
	VerbStyles   = "styles"
	VerbDefaults = "defaults"
	VerbAdmin    = "admin"
)

// A verbForm says what else people call a verb, also in the other languages of
// the bot, and what may follow it. A word that is followed by anything else begins
// a prompt, if the line is long enough to be one: "show a cowboy walking".
type verbForm struct {
	name    string
	aliases []string
	takes   func(args []string) bool
	wants   string // the text that says what it takes
}

var verbs = []verbForm{
	{VerbHelp, append([]string{"man", "version"}, helpWords...), func(a []string) bool { return len(a) < shortLine }, ""},
	{VerbJobs, []string{"job", "list", "queue", "status", "history", "aufträge", "liste", "trabajos", "lista", "travaux", "ジョブ", "依頼", "一覧"}, JobsOrder, wantsNothing},
	{VerbShow, []string{"info", "zeigen", "zeige", "mostrar", "montrer", "afficher", "表示"}, oneJob, wantsJob},
	{VerbCancel, []string{"stop", "abort", "abbrechen", "stopp", "stornieren", "cancelar", "annuler", "キャンセル", "中止"}, oneJob, wantsJob},
	{VerbVerify, []string{"prüfen", "verificar", "vérifier", "確認"}, oneVideo, wantsVideo},
	{VerbQuota, []string{"usage", "limits", "limit", "budget", "credits", "balance", "kontingent", "grenzen", "guthaben", "cuota", "límites", "limites", "上限", "残り"}, ownQuota, wantsNothing},
	{VerbLoRAs, []string{"lora"}, libraryOrder, wantsLoRAs},
	{VerbStyles, []string{"stile", "estilos", "スタイル"}, func(a []string) bool { return len(a) == 0 || styleVerb(a[0]) != "" }, wantsLoRAs},
	{VerbDefaults, []string{"vorgaben", "predeterminados", "défauts", "デフォルト", "既定"}, ownOptions, wantsDefaults},
	{VerbAdmin, []string{"verwaltung", "administración", "administration", "管理"}, func([]string) bool { return true }, ""},
}

// removals are the words by which other products remove a video, in the
// languages of the bot. Here a button does.
var removals = []string{"delete", "remove", "erase", "löschen", "entfernen", "borrar", "eliminar", "supprimer", "effacer", "削除", "消去"}

// libraryHabits are the words for orders about a library that other products have.
var libraryHabits = []string{"rename", "delete", "set", "update", "create", "upload", "import", "new"}

// ordinary are words of prompts that are one edit from a verb, or two.
var ordinary = []string{
	"snow", "slow", "shop", "shot", "shoe", "stow", "hell", "held", "heap", "helm", "kelp", "yelp", "quote", "dance", "dancer",
	"cancer", "admit", "style", "lords", "mobs", "robs",
}

// What a verb takes.
const (
	wantsJob      = "takes.job"
	wantsVideo    = "takes.video"
	wantsNothing  = "takes.nothing"
	wantsAdmin    = "takes.admin" // what follows is an order of admins
	wantsLoRAs    = "takes.loras"
	wantsDefaults = "takes.defaults"
	wantsRemoval  = "takes.removal" // the verb removes a video elsewhere
)

// A line that begins with a verb is hardly a prompt while it is short. One
// that goes on with an order about quotas or the library may be longer.
const (
	shortLine  = 3 // words
	shortOrder = 6
)

// pointers are words for jobs where an id belongs: "stop it now".
var pointers = []string{"all", "everything", "it", "this", "that", "them", "last", "latest", "my", "the", "job", "jobs", "video", "videos", "now", "please"}

// ownQuota tells whether the words after "quota" are an order that everybody
// may give.
func ownQuota(args []string) bool {
	if len(args) == 0 || len(args) == 1 && strings.EqualFold(args[0], VerbShow) {
		return true
	}
	v, ok := team.FindVerb(args[0])
	return ok && v.Who == team.Everybody && len(args)-1 <= len(v.Args)
}

// ownOptions tells whether the words after "defaults" are options, or take them
// back.
func ownOptions(args []string) bool {
	if len(args) == 0 || len(args) == 1 && strings.EqualFold(args[0], library.None) {
		return true
	}
	return strings.ContainsAny(args[0], ":=：＝")
}

// styleVerb is the order about the team's library that a word after "styles"
// stands for, or "".
func styleVerb(word string) string {
	word = strings.ToLower(word)
	if word == "list" {
		return "styles"
	}
	if v, ok := library.Verbs().Find("style-" + word); ok {
		return v.Name
	}
	return ""
}

// StylesLine is the line after "loras" that one after "styles" stands for.
func StylesLine(line string) string {
	word, rest, _ := strings.Cut(trimSpace(line), " ")
	if word == "" {
		word = "list"
	}
	return trimSpace(styleVerb(word) + " " + rest)
}

// libraryOrder tells whether the words after "loras" are an order about the
// team's library.
func libraryOrder(args []string) bool {
	if len(args) == 0 || len(args) == 1 && strings.EqualFold(args[0], VerbHelp) {
		return true
	}
	_, ok := library.Verbs().Find(args[0])
	return ok
}

func oneJob(args []string) bool { return len(args) == 0 || len(args) == 1 && LooksLikeJob(args[0]) }

// oneVideo tells whether the words name a video: by its job, or by the link of
// its message.
func oneVideo(args []string) bool { return oneJob(args) || len(args) == 1 && isLink(args[0]) }

func isLink(word string) bool { return strings.HasPrefix(strings.TrimLeft(word, "<`"), "https://") }

// The topics of help.
const (
	TopicStart    = ""
	TopicPrompt   = "prompt"
	TopicOptions  = "options"
	TopicExamples = "examples"
	TopicAdvanced = "advanced"
	TopicQuota    = "quota"
	TopicFiles    = "files"
	TopicModels   = "models"
	TopicLoRAs    = "loras"
	TopicStyles   = "styles"
	TopicTakes    = "takes"
)

// Topics are the topics of help, by what people type for them in the languages of
// the bot.
//
//nolint:misspell // most of it is not English
var Topics = topicWords(map[string]string{
	TopicPrompt:   "prompt prompts prompting プロンプト",
	TopicOptions:  "options option settings parameters einstellungen optionen parameter opciones ajustes configuración configuracion parámetros parametros réglages reglages paramètres parametres 設定 オプション",
	TopicAdvanced: "advanced experts expert experten expertos",
	TopicExamples: "examples example beispiele beispiel ejemplos ejemplo exemples exemple 例",
	TopicQuota:    "quota limits kontingent grenzen cuota límites limites 上限",
	TopicFiles:    "files file pictures inputs attachments dateien datei bilder archivos imágenes imagenes fichiers ファイル",
	TopicLoRAs:    "loras lora library",
	TopicStyles:   "styles style stile stil estilos estilo スタイル",
	TopicTakes:    "takes take count several buttons button knöpfe botones boutons ボタン",
	TopicModels:   "models price prices cost costs modelle preise preis kosten modelos precios precio costes modèles modeles prix tarifs 料金 モデル",
})

// topicWords finds a topic by each of its words.
func topicWords(topics map[string]string) map[string]string {
	found := map[string]string{}
	for topic, words := range topics {
		for word := range strings.FieldsSeq(words) {
			found[word] = topic
		}
	}
	return found
}

// A VerbError says that a line is nearly about a verb, and so short that it is
// hardly a prompt: a first word that is almost one, a verb of another product, or
// a verb with something after it that it does not take.
type VerbError struct {
	Word    string // the first word, as typed
	Nearest string // the verb that it is, or was probably meant to be
	Rest    string // what follows the word
	Wants   string // the text that says what the verb takes; empty when Word is not a verb
}

func (e *VerbError) Error() string {
	if e.Rest != "" && e.Wants != "" {
		return fmt.Sprintf("%q is not what %q takes", e.Rest, e.Nearest)
	}
	return fmt.Sprintf("%q is not a command; %q is", e.Word, e.Nearest)
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
	all := Words(line)
	if len(all) == 0 {
		return Line{}, false, nil
	}
	if l, ok := asks(line); ok {
		return l, true, nil
	}
	word, args := verbWord(all[0]), all[1:]
	if i := findVerb(word); i >= 0 {
		v := verbs[i]
		// An alias is a word of prose more often than the verb is.
		switch exact := strings.EqualFold(word, v.name); {
		case v.takes(args) && (exact || len(args) == 0 || LooksLikeJob(args[0]) || v.name == VerbLoRAs):
			if v.name == VerbQuota && len(args) == 1 && strings.EqualFold(args[0], VerbShow) {
				args = nil
			}
			return Line{Verb: v.name, Args: args}, true, nil
		case (exact || pointsOnly(args)) && !hasSetting(line):
			return Line{}, false, v.misused(all[0], args)
		}
		return Line{}, false, nil
	}
	e := &VerbError{Word: all[0], Rest: strings.Join(args, " ")}
	if slices.Contains(removals, strings.ToLower(word)) && (pointsOnly(args) || oneVideo(args)) {
		e.Nearest, e.Wants = VerbJobs, wantsRemoval
		return Line{}, false, e
	}
	if e.Nearest = nearestVerb(word, args); e.Nearest == "" || len(args) > 0 && !nearly(e.Nearest, args, line) {
		return Line{}, false, nil
	}
	return Line{}, false, e
}

// namesVerb tells whether a line begins with a verb as it is spelt, or asks something.
// One word alone is a prompt more often, but for those that everybody knows.
func namesVerb(line string) bool {
	words := Words(strings.ToLower(line))
	if _, ok := asks(line); ok {
		return true
	}
	switch {
	case len(words) == 0:
		return false
	case len(words) == 1:
		return slices.Contains([]string{VerbHelp, VerbJobs, VerbQuota}, words[0])
	case slices.Contains(removals, words[0]) && oneVideo(words[1:]):
		return true
	}
	return slices.ContainsFunc(verbs, func(v verbForm) bool { return v.name == words[0] })
}

// nearly tells whether a line is hardly a prompt whose first word is nearly a verb
// and which goes on with the words.
func nearly(verb string, args []string, line string) bool {
	_, ofLibrary := library.Verbs().Find(args[0])
	_, ofTeam := team.FindVerb(args[0])
	switch {
	case verb == VerbLoRAs && ofLibrary, verb == VerbStyles && styleVerb(args[0]) != "", (verb == VerbAdmin || verb == VerbQuota) && ofTeam:
		return 1+len(args) <= shortOrder
	case verb == VerbDefaults && ownOptions(args):
		return true
	}
	return 1+len(args) <= shortLine && !hasSetting(line)
}

// verbWord is a verb as it was probably meant: without the mark of a sentence
// after it, or the dashes that other programs want before "help".
func verbWord(word string) string {
	if word == "?" {
		return word
	}
	word = strings.TrimRight(word, ".!?")
	bare := strings.TrimLeftFunc(word, func(r rune) bool { return unicode.In(r, unicode.Pd) || r == '−' })
	if bare != word && (strings.EqualFold(bare, VerbHelp) || strings.EqualFold(bare, "h")) {
		return VerbHelp
	}
	return word
}

// pointsOnly tells whether words name jobs without an id.
func pointsOnly(args []string) bool {
	return !slices.ContainsFunc(args, func(a string) bool {
		return !slices.Contains(pointers, strings.ToLower(strings.TrimRight(a, ".!?")))
	})
}

// hasSetting tells whether a line sets an option: then it is for a video.
func hasSetting(line string) bool {
	settings, err := parseSettings(line)
	return err != nil || slices.ContainsFunc(settings, func(s ltx.Setting) bool { return s.Key != PromptKey })
}

// misused is the error for a verb with what it does not take, or nil when the
// line may well be a prompt.
func (v verbForm) misused(word string, args []string) error {
	e := &VerbError{Word: word, Nearest: v.name, Rest: strings.Join(args, " "), Wants: v.wants}
	most := shortLine
	if v.name == VerbQuota {
		if order, ok := team.FindVerb(args[0]); ok {
			most = shortOrder
			if order.Who != team.Everybody {
				e.Wants = wantsAdmin
			}
		}
	}
	if v.name == VerbLoRAs && slices.Contains(libraryHabits, strings.ToLower(args[0])) {
		most = shortOrder
	}
	if v.wants == "" || 1+len(args) > most && !pointsOnly(args) {
		return nil
	}
	return e
}

// nearestVerb is the verb that the word before args was probably meant to be, or
// "". A word that stands alone, or before a job, may be further from a long one.
func nearestVerb(word string, args []string) string {
	const shortest = 3
	word = strings.ToLower(word)
	if len(word) < shortest || strings.ContainsAny(word, ":=") || slices.Contains(ordinary, word) {
		return ""
	}
	for _, v := range verbs {
		if d := spell.Distance(word, v.name); d == 1 || d == 2 && len(v.name) > 5 && oneJob(args) {
			return v.name
		}
	}
	return ""
}

// Words splits a line at white space.
func Words(line string) []string { return strings.FieldsFunc(line, IsSpace) }

// Job ids: 12 characters; people also type the first few.
const (
	JobIDLength  = 12
	ShortestPart = 4
)

// JobAlphabet are the characters of a job id, and those that are read as one
// of them.
const JobAlphabet = "0123456789abcdefghjkmnpqrstvwxyz" + "ilou"

// LooksLikeJob tells whether the word can be a job id, or its beginning.
func LooksLikeJob(word string) bool {
	id := strings.ToLower(word)
	if strings.Trim(id, JobAlphabet) != "" || len(id) < ShortestPart || len(id) > JobIDLength {
		return false
	}
	return len(id) == JobIDLength && !strings.ContainsAny(id, "ilou") || strings.ContainsAny(id, "0123456789")
}

// JobID makes of a typed job id what the bot calls it: case does not matter,
// and neither do letters that are read as digits.
func JobID(typed string) string {
	return strings.NewReplacer("o", "0", "i", "1", "l", "1", "u", "v").
		Replace(strings.ToLower(strings.Trim(trimSpace(typed), "`#<>\"'“”.,")))
}

// What may follow the verb for jobs: "/ltx jobs erase yes".
const (
	EraseWord = "erase"
	SureWord  = "yes"
)

// JobsOrder tells whether the words after "jobs" are an order.
func JobsOrder(args []string) bool {
	switch len(args) {
	case 0:
		return true
	case 2:
		if strings.EqualFold(args[0], VerbVerify) && oneVideo(args[1:]) {
			return true
		}
		fallthrough
	case 1:
		return strings.EqualFold(args[0], EraseWord) && (len(args) == 1 || strings.EqualFold(args[1], SureWord))
	}
	return false
}
