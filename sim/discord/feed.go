package discord

// Command is the name of the command that a person used; it is empty for
// everything else. A client writes it above the answer.
func (i *Interaction) Command() string { return i.name }

// Offered are the chat commands that a person's client offers in a channel, in
// the order in which they were registered.
func (u *User) Offered(ch *Channel) []Command {
	s := u.server
	s.mu.Lock()
	defer s.mu.Unlock()
	scopes := []string{""}
	if ch.guild != nil {
		scopes = append(scopes, ch.guild.ID)
	}
	var out []Command
	for _, scope := range scopes {
		for _, c := range s.scope(scope).commands {
			// A command of the guild takes the place of a global one.
			found, from, err := u.findCommand(ch, "look", commandChat, c.name)
			if err != nil || from != scope || found != c || c.kind != commandChat {
				continue
			}
			out = append(out, Command{
				ID: c.id, Version: c.version, Type: c.kind, Name: c.name, Description: textIn(c.def["description"]), Definition: c.def,
			})
		}
	}
	return out
}
