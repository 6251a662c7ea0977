package discord

import (
	"context"
	"strings"

	"ltxbot/bot"
	"ltxbot/bot/text"
	"ltxbot/bot/view"
)

// press handles a button. Buttons carry an action and a job id and nothing
// else, so they work on messages of any age, in any process.
func (b *Bot) press(ctx context.Context, i *interaction) {
	if k, ok := parseKey(draftPrefix, i.Data.CustomID); ok {
		b.reopen(ctx, i, k)
		return
	}
	id := i.Data.CustomID
	if view.IsMenu(id) && len(i.Data.Values) == 1 {
		id = i.Data.Values[0]
	}
	action, job, ok := view.ParseButtonID(id)
	if !ok {
		b.reply(ctx, i, b.note(i.Locale, "discord.unknown_button"))
		return
	}
	quick, cancel := context.WithTimeout(ctx, quickWithin)
	defer cancel()
	switch p := b.cfg.Service.Press(quick, b.caller(i), action, job); {
	case p.Form != nil:
		b.open(ctx, i, *p.Form)
	case p.Ask != nil:
		b.pressed(ctx, i, *p.Ask)
	case p.Delete:
		b.remove(ctx, i, job)
	case p.Remove:
		b.removeTake(ctx, i, job)
	case p.Reply != nil:
		b.reply(ctx, i, p.Reply)
	}
}

// pressed makes the video that a button is for. A double click is one press.
func (b *Bot) pressed(ctx context.Context, i *interaction, a bot.Ask) {
	if b.clicks.First(i.press()) {
		a.Event = i.pressEvent()
		b.generate(ctx, i, a, nil)
		return
	}
	if err := b.answer(ctx, i, callbackDeferUpdate, nil, nil); err != nil && !acknowledged(err) {
		b.log.WarnContext(ctx, "cannot answer a press", "interaction", i.ID, "error", err)
	}
}

// choice is a suggestion while somebody types.
type choice struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Limits of suggestions.
// https://discord.com/developers/docs/interactions/application-commands#application-command-object-application-command-option-choice-structure
const (
	maxChoices    = 25
	maxChoiceName = 100
)

// autocomplete completes what is being typed, from memory only.
func (b *Bot) autocomplete(ctx context.Context, i *interaction) {
	o, ok := i.focused()
	if !ok {
		b.suggest(ctx, i, nil)
		return
	}
	name := o.Name
	if verb, _ := i.subcommand(); name == nameOption && i.Data.Name == "ltx-loras" {
		name = bot.SuggestLoRA
		if strings.HasPrefix(verb, "style") {
			name = bot.SuggestStyle
		}
	}
	found := b.cfg.Service.Suggest(b.caller(i), name, o.text()) //nolint:contextcheck // from memory; what the service reads for it is the service's
	b.suggest(ctx, i, found)
}

// suggest answers an autocomplete. Its list is sent even when it is empty.
func (b *Bot) suggest(ctx context.Context, i *interaction, found []view.Choice) {
	choices := []choice{}
	for _, c := range found[:min(len(found), maxChoices)] {
		if c.Value == "" || length(c.Value) > maxChoiceName {
			continue // a value that is cut is another value
		}
		name := cut(text.OneLine(c.Label), maxChoiceName)
		if strings.TrimSpace(name) == "" {
			name = c.Value
		}
		choices = append(choices, choice{Name: name, Value: c.Value})
	}
	data := struct {
		Choices []choice `json:"choices"`
	}{choices}
	if err := b.answer(ctx, i, callbackAutocomplete, data, nil); err != nil {
		b.log.DebugContext(ctx, "cannot suggest", "interaction", i.ID, "error", err)
	}
}
