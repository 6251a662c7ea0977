package demo

import (
	"crypto/rand"

	"ltxbot/config"
	"ltxbot/web"
)

// addConsole lets the people of both platforms and the operator sign in to the
// console.
func (d *Demo) addConsole(cfg *config.Config) {
	cfg.HTTP.AdminToken = config.NewSecret(rand.Text())
	cfg.Console.DiscordClientSecret = config.NewSecret(d.discord.server.ClientSecret())
	id, secret := d.slack.server.Client()
	cfg.Console.SlackClientID, cfg.Console.SlackClientSecret = id, config.NewSecret(secret)
}

// openConsole tells the platforms where people come back to. A bot that is
// started again is at the same address, so that a page that is open goes on.
func (d *Demo) openConsole() {
	d.bot.cfg.HTTP.Listen = d.bot.app().Addr()
	console, _ := d.Console()
	d.discord.server.SetRedirects(console + "/sign-in/discord/back")
	d.slack.server.SetRedirects(console + "/sign-in/slack/back")
}

// consoleOf signs a person in to the console, by Discord: the browser is made theirs
// there, and goes the way of everybody.
func (d *Demo) consoleOf(p *person) string {
	console, _ := d.Console()
	return p.discord.user.LogIn(console + "/sign-in/discord")
}

// Console is where the console of the bot is, and the token by which the
// operator signs in. A demo without a page has none.
func (d *Demo) Console() (address, token string) {
	return "http://" + d.bot.cfg.HTTP.Listen + web.Path, d.bot.cfg.HTTP.AdminToken.Reveal()
}
