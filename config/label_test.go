package config_test

import (
	"strings"
	"testing"
)

func TestTheLabelIsRewordedAndNeverRemoved(t *testing.T) {
	for _, c := range []struct {
		name, line, want string
	}{
		{"nothing is the bot's own words", `""`, ""},
		{"two letters are enough", `"AI"`, ""},
		{"a sentence", `"🤖 Diese Firma sagt: von KI gemacht."`, ""},
		{"100 characters", `"` + strings.Repeat("é", 100) + `"`, ""},
		{"101 characters", `"` + strings.Repeat("é", 101) + `"`, "label.all: must be at most 100 characters long"},
		{"a blank", `" "`, "must say that the video was made by AI"},
		{"a dot", `"."`, "must say that the video was made by AI"},
		{"everybody", `"@everyone AI"`, "mentions nobody"},
		{"somebody", `"<U123> AI"`, "mentions nobody"},
		{"two lines", `"Made\nby AI"`, "must be one line"},
		{"what is not seen", `"Made by\u200b AI"`, "must be one line"},
		{"what turns the direction", `"\u202eIA yb edam"`, "must be one line"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := parse(t, "[label]\nall = "+c.line+"\n")
			found := cfg.Validate().Error() // the key and the platforms are missing in any case
			if told := strings.Contains(found, "label.all"); told != (c.want != "") || !strings.Contains(found, c.want) {
				t.Errorf("it says:\n%s\nwant %q", found, c.want)
			}
		})
	}
}
