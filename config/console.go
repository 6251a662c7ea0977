package config

import "cmp"

// Console is how people sign in to the console.
type Console struct {
	DiscordClientSecret Secret `toml:"discord_client_secret" doc:"Client secret of the Discord application, from its OAuth2 page, which must list http.public_url + /admin/sign-in/discord/back as a redirect. Empty = nobody signs in with Discord."`
	SlackClientID       string `toml:"slack_client_id" doc:"Client ID of the Slack app, whose redirect URLs must hold http.public_url + /admin/sign-in/slack/back. Empty = slack.client_id; if that is empty too, nobody signs in with Slack."`
	SlackClientSecret   Secret `toml:"slack_client_secret" doc:"Client secret of the Slack app. Empty = slack.client_secret."`
}

func defaultConsole() Console {
	return Console{
		DiscordClientSecret: secretRef("env:DISCORD_CLIENT_SECRET"),
		SlackClientSecret:   secretRef("env:SLACK_CLIENT_SECRET"),
	}
}

// SlackSignIn returns the client by which people sign in with Slack; an empty id
// when they don't.
func (c Config) SlackSignIn() (id, secret string) {
	id = cmp.Or(c.Console.SlackClientID, c.Slack.ClientID)
	secret = cmp.Or(c.Console.SlackClientSecret.Reveal(), c.Slack.ClientSecret.Reveal())
	if !c.Slack.On() || secret == "" {
		return "", ""
	}
	return id, secret
}

func (c Console) check(k *checker) {
	if c.SlackClientID != "" {
		k.matches("console.slack_client_id", c.SlackClientID, clientPattern, `the Client ID of the app, such as "3336676.569200954261"`)
	}
}
