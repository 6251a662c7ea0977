package command

import (
	"regexp"
	"slices"
	"strings"

	"ltxbot/core/ltx"
)

// What people ask in place of a command, in the languages of the bot. A question
// is a whole line: with anything else in it, it is a prompt.
//
//nolint:misspell // most of it is not English
var questions = []struct {
	verb string
	args []string
	form *regexp.Regexp
}{
	{VerbQuota, nil, phrases(
		`how (?:much|many)(?: (?:videos?|money|credits?|budget|quota))?(?: (?:is|are|(?:do|have) (?:i|we)(?: have| got)?))? (?:still )?(?:left|remaining)`,
		`(?:what is|what s|whats) (?:still )?left`, `(?:what is|what s|whats) (?:my|our) (?:quota|limit|budget|balance|usage)`, `what are (?:my|our) limits`,
		`how many videos (?:can|may) (?:i|we) (?:still )?make`, `how much (?:can|may) (?:i|we) (?:still )?spend`,
		`how (?:much|many)(?: (?:videos?|money|credits?|budget|quota))? have (?:i|we) (?:used|spent|made)`,

		`wie ?viele?(?: (?:videos?|geld|guthaben|budget|kontingent))? (?:ist|sind|bleibt|bleiben|habe? ich|haben wir)(?: mir| uns)?(?: heute| diese woche| diesen monat)? (?:noch(?: übrig| frei)?|übrig)`,
		`was (?:ist|bleibt|habe? ich|haben wir)(?: mir| uns)? noch(?: übrig| frei)?`, `(?:was|wie hoch|wie groß) ist mein (?:kontingent|limit|budget|guthaben)`,
		`wie viele videos (?:kann|darf) ich(?: heute)?(?: noch)?(?: heute)? machen`, `wie ?viel habe? ich(?: heute| diesen monat)?(?: schon)? (?:verbraucht|ausgegeben)`,

		`cu[aá]nt[oa]s?(?: (?:v[ií]deos?|dinero|cr[eé]ditos?|presupuesto|saldo|cuota))?(?: me| nos)? quedan?`, `qu[eé](?: me| nos)? queda`,
		`cu[aá]ntos v[ií]deos puedo hacer(?: todav[ií]a)?`, `cu[aá]l es mi (?:cuota|l[ií]mite|saldo|presupuesto)`, `cu[aá]nto he (?:usado|gastado)`,

		`combien(?: de (?:vid[eé]os?|cr[eé]dits?|budget)| d argent)?(?: (?:il|me|nous|m|en))* reste(?:nt)?(?: t il)?(?: encore)?`,
		`il (?:me|nous) reste combien(?: de vid[eé]os?)?`, `(?:que|qu est ce qu il) (?:me|nous) reste(?: t il)?`,
		`combien de vid[eé]os (?:puis je|je peux)(?: encore)? faire`, `quel(?:le)? est (?:mon|ma) (?:quota|limite|budget|solde)`, `combien (?:ai je|j ai) (?:utilisé|dépensé)`,

		`(?:残り|のこり|あと)は?(?:いくら|いくつ|何本|どれ(?:くらい|ぐらい)|どの(?:くらい|ぐらい))(?:残って(?:います|いる)|使えます|使える|作れます|作れる|あります|ある|です)?か?`, `(?:残り|のこり)は`,
		`いくら(?:残って(?:います|いる)|使いました)か?`,
	)},
	{VerbHelp, []string{TopicModels}, phrases(
		`(?:how much|what) (?:does|do|will|would) (?:it|this|(?:a |one )?videos?) cost`, `how much (?:is|are) (?:a |one )?videos?`, `what are the prices`,
		`(?:was|wie ?viel) kostet (?:das|es|ein video)`, `(?:was|wie ?viel) kosten (?:die )?videos`,
		`cu[aá]nto cuesta(?: esto| un v[ií]deo)?`, `cu[aá]nto cuestan los v[ií]deos`,
		`combien (?:ça )?co[uû]te(?: une vid[eé]o)?`, `combien co[uû]tent les vid[eé]os`,
		`いくら(?:です|かかります)か`, `料金は(?:いくら(?:です)?か?)?`,
	)},
	{VerbHelp, nil, phrases(
		`how (?:do|can) i (?:use (?:you|this|it|the bot)|make a video)`, `how does (?:this|it|the bot) work`, `what can (?:you|i) do(?: here)?`,
		`wie (?:geht|funktioniert) (?:das|es|der bot)(?: hier)?`, `was kannst du(?: alles)?`, `wie mache ich ein video`, `was kann ich hier (?:machen|tun)`,
		`c[oó]mo (?:funciona|se usa)(?: esto)?`, `qu[eé] (?:puedes|sabes) hacer`, `c[oó]mo hago un v[ií]deo`,
		`comment (?:ça|cela) (?:marche|fonctionne)`, `comment faire une vid[eé]o`, `(?:que (?:peux tu|pouvez vous)|qu est ce que (?:tu peux|vous pouvez)) faire`,
		`使い方(?:は|を教えて(?:ください)?)?`, `何ができますか`, `どう(?:やって)?使(?:う|います)の?(?:です)?か?`,
	)},
	{VerbJobs, nil, phrases(
		`where (?:is|are) my videos?`, `wo (?:ist|sind|bleibt|bleiben) meine? videos?`, `d[oó]nde est[aá]n? mis? v[ií]deos?`, `o[uù] (?:est|sont) (?:ma|mes) vid[eé]os?`,
		`(?:私の)?動画はどこ(?:です)?か?`,
	)},
}

// phrases matches whole lines as plainLine writes them.
func phrases(forms ...string) *regexp.Regexp {
	return regexp.MustCompile(`^(?:` + strings.Join(forms, "|") + `)` +
		`(?: today| this (?:week|month)| heute| diese woche| diesen monat| hoy| este mes| aujourd hui| ce mois ci)?` +
		`(?: please| bitte| por favor| s il (?:te|vous) pla[iî]t)?$`)
}

// longestQuestion bounds a line that is looked at, in bytes.
const longestQuestion = 200

// plainLine is a line in lower case, without marks between its words.
func plainLine(line string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(line), func(r rune) bool {
		return IsSpace(r) || strings.ContainsRune("?？!！¿¡.。,、'’`*_-‑–—", r)
	}), " ")
}

// soleTopics are the topics of help that a word asks for which stands alone: nobody
// wants a video of "settings".
var soleTopics = []string{TopicOptions, TopicExamples, TopicModels}

// helpWords are what people call help in their languages.
var helpWords = []string{"?", "hilfe", "ayuda", "aide", "ヘルプ", "使い方"}

// asks reads a line that is about the bot and no verb as it is spelt: a question, a
// topic of help alone, or help about a topic in another language.
func asks(line string) (Line, bool) {
	if len(line) > longestQuestion {
		return Line{}, false
	}
	plain := plainLine(line)
	for _, q := range questions {
		if q.form.MatchString(plain) {
			return Line{Verb: q.verb, Args: q.args, Asked: true}, true
		}
	}
	words := Words(strings.ToLower(line))
	switch {
	case len(words) == 1:
		word := verbWord(words[0])
		if topic, ok := Topics[word]; ok && slices.Contains(soleTopics, topic) {
			return Line{Verb: VerbHelp, Args: []string{word}, Asked: true}, true
		}
	case len(words) > 1 && len(words) <= shortLine && (words[0] == VerbHelp || slices.Contains(helpWords, words[0])) && isTopic(verbWord(words[len(words)-1])):
		return Line{Verb: VerbHelp, Args: words[1:]}, true
	}
	return Line{}, false
}

// isTopic reports whether there is help about a word.
func isTopic(word string) bool {
	_, topic := Topics[word]
	p, option := ltx.Lookup(word)
	return topic || option && !p.Operator
}
