package slack_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"ltxbot/bot"
	"ltxbot/bot/command"
	"ltxbot/bot/slack"
	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/internal/golden"
)

var at = time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)

// everything is a message with each kind of block and span.
func everything(said string) view.Message {
	spans := []text.Span{
		{Text: said},
		{Text: said, Style: text.Strong},
		{Text: said, Style: text.Mono},
		{Style: text.MentionOf, Member: "slack:T1:U0ANN00001"},
		{Style: text.ClockTime, At: at},
		{Style: text.Since, At: at},
		{Text: said, Style: text.Link, URL: "https://example.org/a?b=c|d>e"},
		{Text: said, Style: text.Link, URL: "javascript:" + said},
	}
	m := view.Message{Plain: said}
	for _, kind := range []view.BlockKind{view.Heading, view.Text, view.Quote, view.Note, view.Code} {
		m.Blocks = append(m.Blocks, view.Block{Kind: kind, Spans: spans})
	}
	m.Blocks = append(m.Blocks,
		view.Block{Kind: view.Facts, Facts: []view.Fact{{Label: said, Value: spans}, {Label: "Size", Value: []text.Span{{Text: said}}}}},
		view.Block{Kind: view.Bar, Bar: 0.42})
	for n := range 30 {
		m.Buttons = append(m.Buttons, view.Button{
			Action: view.ActCancel, Job: fmt.Sprintf("k3f92mq7ab%02d", n), Label: said + "x", Danger: n == 0, Confirm: said,
		})
	}
	return m
}

func TestMessagesLookAsTheyDid(t *testing.T) {
	t.Parallel()
	j := job(t)
	printer := text.BuiltInCatalog().Printer("en", "/ltx")
	state := func(s generate.State, change func(*generate.Job)) generate.Job {
		j := j
		j.State = s
		if change != nil {
			change(&j)
		}
		return j
	}
	for name, m := range map[string]view.Message{
		"everything": everything("a <b> & *c* `d`"),
		"card_running": view.Card(printer, state(generate.Running, func(j *generate.Job) {
			j.Progress.Percent, j.Started = 42, at
		})),
		"card_failed": view.Card(printer, state(generate.Failed, func(j *generate.Job) { j.Failure.Kind = generate.FailRefused })),
		"result":      view.Result(printer, state(generate.Delivering, nil), view.ResultFacts{Fit: generate.FitOriginal}),
		"details":     view.Details(printer, state(generate.Delivered, nil)),
		"help":        view.Help(printer, ltx.Rules{}, ""),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			blocks, text, err := slack.Rendered(m, "*")
			if err != nil {
				t.Fatal(err)
			}
			var list any
			if err := json.Unmarshal(blocks, &list); err != nil {
				t.Fatal(err)
			}
			golden.JSON(t, "message_"+name+".json", map[string]any{"text": text, "blocks": list})
		})
	}
}

// job is a job that never changes.
func job(t *testing.T) generate.Job {
	t.Helper()
	line, err := command.Parse(cowboy + " size:9:16 seed:7")
	if err != nil {
		t.Fatal(err)
	}
	r, err := rules("").Parse(line.Settings)
	if err != nil {
		t.Fatal(err)
	}
	return generate.Job{
		ID: "k3f92mq7abcd", State: generate.Accepted, Admitted: true, Team: "acme", Member: "slack:T0ACME0001:U0ANN00001",
		Place:   generate.Place{Platform: "slack", Tenant: "T0ACME0001", Channel: "C0GENERAL1", User: "U0ANN00001", Locale: "en-US"},
		Request: r, Estimate: 130_000, Created: at, Submitted: at, Fetched: at.Add(48 * time.Second), Output: ltx.Output{},
		Progress: generate.Progress{Position: -1},
	}
}

func TestAllOfTheHelpFitsIntoAMessage(t *testing.T) {
	t.Parallel()
	service := bot.New(bot.Config{Catalog: text.BuiltInCatalog(), Rules: rules, Command: "/ltx"})
	t.Cleanup(service.Stop)
	for _, topic := range []string{"", "prompt", "options", "examples", "quota"} {
		m := view.Help(service.Printer("en"), ltx.Rules{}, topic)
		if got := len(m.Blocks); got > slack.MaxMessageBlocks {
			t.Errorf("help %q has %d blocks", topic, got)
		}
		blocks, text, err := slack.Rendered(m, "")
		if err != nil {
			t.Fatal(err)
		}
		inspect(t, blocks, text, nil)
	}
}

func TestOnlyWhoeverMayBeMentionedIs(t *testing.T) {
	t.Parallel()
	for pings, want := range map[string]int{"*": 5, "U0ANN00001": 5, "U0BOB00001": 0, "": 0} {
		blocks, text, err := slack.Rendered(everything("hi"), pings)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(string(blocks)+text, "U0ANN00001"); got != min(want, got) || want > 0 && got == 0 {
			t.Errorf("pings %q: %d mentions", pings, got)
		}
	}
}

func TestAHeadingAboutSomebodyMentionsThem(t *testing.T) {
	t.Parallel()
	m := view.Message{Blocks: []view.Block{{Kind: view.Heading, Spans: []text.Span{
		{Text: "Quota of "}, {Style: text.MentionOf, Member: "slack:T0ACME0001:U0ANN00001", Text: "slack:T0ACME0001:U0ANN00001"},
	}}}}
	blocks, _, err := slack.Rendered(m, "*")
	if err != nil {
		t.Fatal(err)
	}
	if got := string(blocks); strings.Contains(got, "slack:T0ACME0001") || !strings.Contains(got, `"user_id":"U0ANN00001"`) {
		t.Errorf("blocks %s", got)
	}
}

// limits are those of Block Kit by the path of the text.
var limits = map[string]int{
	"header.text": 150, "context.elements": 2000, "button.text": 75, "button.value": 2000, "button.action_id": 255,
	"confirm.title": 100, "confirm.text": 300, "confirm.confirm": 30, "confirm.deny": 30,
}

var (
	mentions = regexp.MustCompile(`<[@#!][^>]*>`)
	own      = regexp.MustCompile(`^<(@U0ANN00001|!date\^[0-9]+\^[^|>]*\|[^|>]*)>$`)
)

// inspect fails when something in a message could ping somebody, or breaks a
// limit. allowed are the user elements it may have.
func inspect(t *testing.T, blocks json.RawMessage, text string, allowed []string) {
	t.Helper()
	if n := utf8.RuneCountInString(text); n > slack.MaxText {
		t.Errorf("the text has %d characters", n)
	}
	if found := mentions.FindString(text); found != "" {
		t.Errorf("the text mentions %s", found)
	}
	if strings.ContainsAny(text, "<>") {
		t.Errorf("the text is not escaped: %q", text)
	}
	var list []any
	if err := json.Unmarshal(blocks, &list); err != nil {
		t.Fatal(err)
	}
	if len(list) > slack.MaxMessageBlocks {
		t.Errorf("%d blocks", len(list))
	}
	total := 0
	var walk func(path string, x any)
	walk = func(path string, x any) {
		switch x := x.(type) {
		case []any:
			for _, item := range x {
				walk(path, item)
			}
		case map[string]any:
			kind, _ := x["type"].(string)
			said, _ := x["text"].(string)
			switch kind {
			case "mrkdwn":
				for _, found := range mentions.FindAllString(said, -1) {
					if !own.MatchString(found) {
						t.Errorf("a text mentions %s", found)
					}
				}
				if x["verbatim"] != true {
					t.Error("a text is not verbatim")
				}
			case "user":
				if id, _ := x["user_id"].(string); !slices.Contains(allowed, id) {
					t.Errorf("user %v is mentioned", x["user_id"])
				}
			case "broadcast", "usergroup", "channel", "emoji":
				t.Errorf("there is an element of type %s", kind)
			case "link":
				if address, _ := x["url"].(string); !strings.HasPrefix(address, "https://") && !strings.HasPrefix(address, "http://") {
					t.Errorf("a link goes to %q", address)
				}
			case "text":
				total += utf8.RuneCountInString(said)
				if said == "" {
					t.Error("a text is empty")
				}
			}
			if limit := limits[path]; limit > 0 && utf8.RuneCountInString(said) > limit {
				t.Errorf("%s has %d characters", path, utf8.RuneCountInString(said))
			}
			for key, inner := range x {
				next := key
				if kind != "" && kind != "plain_text" && kind != "mrkdwn" {
					next = kind + "." + key
				} else if strings.HasPrefix(path, "button.confirm") {
					next = "confirm." + key
				}
				if s, ok := inner.(string); ok && limits[next] > 0 && utf8.RuneCountInString(s) > limits[next] {
					t.Errorf("%s has %d characters", next, utf8.RuneCountInString(s))
				}
				walk(next, inner)
			}
		}
	}
	for _, b := range list {
		total = 0
		walk("", b)
		if total > 4000 {
			t.Errorf("a block has %d characters", total)
		}
	}
}

func FuzzNothingThatPeopleWriteCanPingOrBreakAMessage(f *testing.F) {
	for _, seed := range []string{
		"<!channel>", "<!here|x>", "<@U0BOB00001>", "<#C0GENERAL1|general>", "@channel", "<!subteam^S1|@team>", "&lt;!channel&gt;",
		"*b* _i_ ~s~ `c` ```\ncode```", "<https://example.org|click>", "a\u202eb\x00\u0007", "👨‍👩‍👧‍👦🇩🇪", strings.Repeat("<!channel>&", 2000),
		strings.Repeat("👩‍🚀", 3000), strings.Repeat("\n> quote", 900), "|", "\xff\xfe",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, said string) {
		blocks, text, err := slack.Rendered(everything(said), "*")
		if err != nil {
			t.Fatal(err)
		}
		inspect(t, blocks, text, []string{"U0ANN00001"})
	})
}

// Whatever people write, the strict simulator takes it, and nobody is pinged
// who was not meant.
func TestTheWorstPromptsArePosted(t *testing.T) {
	t.Parallel()
	for n, prompt := range []string{
		"<!channel> look <@U0BOB00001> and @channel @here @everyone #general", strings.Repeat("<&>", 600), strings.Repeat("👨‍👩‍👧‍👦", 250),
		"*b* _i_ `c` ~s~ > quote\n```\nx", "a\u202eb\u0000c",
	} {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.slash(s.ann, s.general, "")
			s.submit(s.ann, map[string][]string{"prompt": {prompt}})
			j := s.job()
			s.mustShow(j.ID, generate.Accepted)
			s.mustShow(j.ID, generate.Running)
			s.mustDeliver(j.ID)
			s.mustShow(j.ID, generate.Delivered)
			for _, m := range fromBot(s.general) {
				if len(m.Pings.Broadcasts) > 0 || len(m.Pings.Fallback) > 0 || slices.Contains(m.Pings.Users, s.bob.ID()) {
					t.Errorf("%q pings %+v", m.Text, m.Pings)
				}
			}
			if len(videos(s.general)) != 1 || len(results(s.general, j.ID)) != 1 {
				t.Errorf("messages: %s", texts(s.general))
			}
		})
	}
}

func TestFormsStayWithinTheLimits(t *testing.T) {
	t.Parallel()
	s := prepareStage(t, quietSim())
	long := strings.Repeat("👩‍🚀x", 3000)
	f := view.Form{Title: long, Submit: long}
	for n := range 120 {
		field := view.Field{Key: fmt.Sprint("field", n), Label: long, Hint: long, Value: long, Kind: view.TextArea, MaxLen: 5000, Required: n == 0}
		if n == 1 {
			field.Kind = view.Pick
			for c := range 150 {
				field.Choices = append(field.Choices, view.Choice{Value: strconv.Itoa(c), Label: long})
			}
			field.Choices = append(field.Choices, view.Choice{Value: long, Label: "too long"})
		}
		f.Fields = append(f.Fields, field)
	}
	v, err := slack.FormBlocks(s.bot, f)
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Blocks.BlockSet) > 100 || utf8.RuneCountInString(v.Title.Text) > 24 || utf8.RuneCountInString(v.Submit.Text) > 24 {
		t.Errorf("%d blocks, title %q", len(v.Blocks.BlockSet), v.Title.Text)
	}
	raw, err := json.Marshal(v.Blocks.BlockSet[:2])
	if err != nil {
		t.Fatal(err)
	}
	var list []struct {
		Label   struct{ Text string }
		Element struct {
			Initial string `json:"initial_value"`
			Options []struct {
				Text  struct{ Text string }
				Value string
			}
		}
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		t.Fatal(err)
	}
	for _, b := range list {
		if utf8.RuneCountInString(b.Label.Text) > 2000 || utf8.RuneCountInString(b.Element.Initial) > 3000 || len(b.Element.Options) > 100 {
			t.Errorf("label of %d, value of %d, %d options", len(b.Label.Text), len(b.Element.Initial), len(b.Element.Options))
		}
		for _, o := range b.Element.Options {
			if utf8.RuneCountInString(o.Text.Text) > 75 || utf8.RuneCountInString(o.Value) > 150 {
				t.Errorf("option %q", o.Value)
			}
		}
	}
}
