package bot_test

import (
	"errors"
	"strings"
	"testing"

	"ltxbot/bot"
	"ltxbot/bot/command"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
)

// The time to read a line grows faster than the line: 40,000 characters took
// 1.5 s of a processor.
func TestALineThatIsTooLongIsNotRead(t *testing.T) {
	const limit = 12_000
	for _, c := range []struct {
		name, unit string
	}{{"letters", "a"}, {"characters of several bytes", "狐"}, {"what could be settings", "a:"}} {
		t.Run(c.name, func(t *testing.T) {
			line := strings.Repeat(c.unit, limit)[:limit/len([]rune(c.unit))*len(c.unit)]
			var long *command.LengthError
			if _, err := command.Parse(line); errors.As(err, &long) {
				t.Errorf("%d characters are refused", long.Length)
			}
			if _, err := command.Parse(line + "!!"); !errors.As(err, &long) || long.Length != limit+2 {
				t.Errorf("%d characters: %v", limit+2, err)
			}
		})
	}
}

func TestPeopleReadThatALineIsTooLong(t *testing.T) {
	d := newService(&fakeGenerator{})
	_, err := command.Parse("/ltx " + strings.Repeat("a fox ", 2001))
	for locale, want := range map[string]string{
		"en-US": "12011 characters", "de": "12011 Zeichen", "fr": "caractères", "es-ES": "caracteres", "ja": "文字あります",
	} {
		m := view.Refuse(d.Printer(locale), err)
		if m == nil || !strings.Contains(m.String(), want) {
			t.Errorf("in %s: no %q in %v", locale, want, m)
		}
	}
}

func TestATextOfAFormThatIsTooLongIsNotRead(t *testing.T) {
	d := newService(&fakeGenerator{})
	_, refusal := submit(t, d, bot.Ask{
		Event: "discord:1", Caller: caller(ann), Place: generate.Place{Platform: "discord"},
		Settings: []ltx.Setting{{Key: "prompt", Value: "a fox"}, {Key: "negative", Value: strings.Repeat("blur ", 2401)}},
	})
	if refusal == nil || !strings.Contains(refusal.String(), "12") || len(refusal.String()) > 500 {
		t.Errorf("refused with %v", refusal)
	}
}
