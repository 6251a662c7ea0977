package admin_test

import (
	"testing"

	"ltxbot/app/admin"
)

func TestAMemberIsReadAsPeopleWriteIt(t *testing.T) {
	const slackHome, discordHome = "slack:T1:U9", "discord:9"
	for _, test := range []struct{ text, home, want string }{
		{"<@80351110224678912>", discordHome, "discord:80351110224678912"},
		{"<@!80351110224678912>", discordHome, "discord:80351110224678912"},
		{"80351110224678912", slackHome, "discord:80351110224678912"},
		{"<@U123|ann>", slackHome, "slack:T1:U123"},
		{"<@W123>", slackHome, "slack:T1:W123"},
		{"@U123", slackHome, "slack:T1:U123"},
		{"U123", slackHome, "slack:T1:U123"},
		{" discord:123 ", slackHome, "discord:123"},
		{"slack:E1:U2", discordHome, "slack:E1:U2"},
		{"slack:E1:U2", "", "slack:E1:U2"},
		{"U123", discordHome, ""},
		{"@ann", slackHome, ""},
		{"<@&123>", discordHome, ""},
		{"<#C123>", slackHome, ""},
		{"discord:", discordHome, ""},
		{"discord:1 discord:2", discordHome, ""},
		{"", slackHome, ""},
	} {
		got, ok := admin.ParseMember(test.text, test.home)
		if got != test.want || ok != (test.want != "") {
			t.Errorf("%q written by %s: got %q, want %q", test.text, test.home, got, test.want)
		}
	}
}
