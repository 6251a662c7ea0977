package discord

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Slash uses a chat command, as if the person had filled it in: name is the
// command and, where it has them, its group and subcommand ("ltx-admin grant").
// What the client would refuse is a *RefusedError.
func (u *User) Slash(ctx context.Context, ch *Channel, name string, args ...Argument) (*Interaction, error) {
	return u.do(ctx, func() (*Interaction, object, error) {
		return u.invoke(ch, "slash command", typeCommand, name, "", args)
	})
}

// Autocomplete asks for suggestions while the person types the option
// focused, which is among args.
func (u *User) Autocomplete(ctx context.Context, ch *Channel, name, focused string, args ...Argument) (*Interaction, error) {
	return u.do(ctx, func() (*Interaction, object, error) {
		return u.invoke(ch, "autocomplete", typeAutocomplete, name, focused, args)
	})
}

// SlashRaw sends the data of a chat command unchecked. Only the command has
// to be registered; "id" and "type" are filled in when they are missing.
func (u *User) SlashRaw(ctx context.Context, ch *Channel, name string, data map[string]any) (*Interaction, error) {
	return u.do(ctx, func() (*Interaction, object, error) {
		return u.invokeRaw(ch, name, data)
	})
}

func (u *User) invokeRaw(ch *Channel, name string, data object) (*Interaction, object, error) {
	cmd, guild, err := u.findCommand(ch, "slash command", commandChat, name)
	if err != nil {
		return nil, nil, err
	}
	body := object{"id": cmd.id, "name": cmd.name, "type": cmd.kind}
	if guild != "" {
		body["guild_id"] = guild
	}
	maps.Copy(body, data)
	i := u.server.newInteraction(typeCommand, u, ch)
	i.name, i.command = name, cmd
	return i, body, nil
}

// Type uses a chat command as it is typed: "/ltx prompt:a cowboy duration:5".
// A value ends where the next option's name and colon begin. What is typed
// before the first one goes into the first option, if that is a required text.
// What cannot be typed, such as a File, is given beside the line.
func (u *User) Type(ctx context.Context, ch *Channel, line string, beside ...Argument) (*Interaction, error) {
	name, args, err := u.parseLine(ch, line)
	if err != nil {
		return nil, err
	}
	return u.Slash(ctx, ch, name, append(args, beside...)...)
}

// TypeUnchecked is Type for a command without subcommands, whose values are
// sent as they were typed even if the client would not take them.
func (u *User) TypeUnchecked(ctx context.Context, ch *Channel, line string, beside ...Argument) (*Interaction, error) {
	name, args, err := u.parseLine(ch, line)
	if err != nil {
		return nil, err
	}
	return u.do(ctx, func() (*Interaction, object, error) {
		v := u.invocation(ch, "slash command")
		options := make([]any, 0, len(args)+len(beside))
		for _, a := range slices.Concat(args, beside) {
			o := object{"name": a.Name, "type": optionString, "value": a.Value}
			if file, ok := a.Value.(File); ok {
				id, err := v.attach(a.Name, file, nil)
				if err != nil {
					return nil, nil, err
				}
				o["type"], o["value"] = optionAttachment, id
			}
			options = append(options, o)
		}
		data := object{"options": options}
		if v.resolved != nil {
			data["resolved"] = v.resolved
		}
		return u.invokeRaw(ch, name, data)
	})
}

func (u *User) parseLine(ch *Channel, line string) (string, []Argument, error) {
	const action = "slash command"
	u.server.mu.Lock()
	defer u.server.mu.Unlock()
	words, isCommand := strings.CutPrefix(strings.TrimSpace(line), "/")
	if !isCommand {
		return "", nil, &RefusedError{Action: action, Reason: "a command begins with a slash"}
	}
	name, rest, _ := strings.Cut(words, " ")
	cmd, _, err := u.findCommand(ch, action, commandChat, name)
	if err != nil {
		return "", nil, err
	}
	level := cmd.options
	for len(level) > 0 && (level[0].kind == optionSubcommand || level[0].kind == optionGroup) {
		word, after, _ := strings.Cut(strings.TrimSpace(rest), " ")
		n := slices.IndexFunc(level, func(o *option) bool { return o.name == word })
		if n < 0 {
			return "", nil, &RefusedError{Action: action, Field: cmp.Or(word, name), Reason: "has the subcommands " + namesOf(level)}
		}
		name, rest, level = name+" "+word, after, level[n].options
	}
	args, err := splitArguments(level, rest)
	return name, args, err
}

// namesOf lists options as a client offers them.
func namesOf(level []*option) string {
	names := make([]string, 0, len(level))
	for _, o := range level {
		names = append(names, o.name)
	}
	return strings.Join(names, ", ")
}

// splitArguments cuts "a:1 b:two words" at the names of known options.
func splitArguments(level []*option, rest string) ([]Argument, error) {
	var names, values []string
	for w := range strings.SplitAfterSeq(rest, " ") {
		key, value, ok := strings.Cut(w, ":")
		if ok && slices.ContainsFunc(level, func(o *option) bool { return o.name == strings.TrimSpace(key) }) {
			names, values = append(names, strings.TrimSpace(key)), append(values, value)
			continue
		}
		if len(values) == 0 {
			switch {
			case strings.TrimSpace(w) == "":
				continue
			case len(level) == 0 || level[0].kind != optionString || !level[0].required || len(level[0].choices) > 0:
				return nil, &RefusedError{Action: "slash command", Field: strings.TrimSpace(w), Reason: "no such option; the command has " + namesOf(level)}
			}
			names, values = append(names, level[0].name), append(values, "")
		}
		values[len(values)-1] += w
	}
	args := make([]Argument, 0, len(names))
	for i, name := range names {
		args = append(args, Arg(name, strings.TrimSpace(values[i])))
	}
	return args, nil
}

// MessageCommand uses a command of a message's context menu.
func (u *User) MessageCommand(ctx context.Context, on Message, name string) (*Interaction, error) {
	return u.do(ctx, func() (*Interaction, object, error) {
		const action = "message command"
		m, err := u.find(action, on)
		if err != nil {
			return nil, nil, err
		}
		cmd, guild, err := u.findCommand(m.channel, action, commandMessage, name)
		if err != nil {
			return nil, nil, err
		}
		i := u.server.newInteraction(typeCommand, u, m.channel)
		i.name, i.command, i.target = name, cmd, m
		data := object{
			"id": cmd.id, "name": name, "type": commandMessage, "target_id": m.id,
			"resolved": object{"messages": object{m.id: m.json()}},
		}
		if guild != "" {
			data["guild_id"] = guild
		}
		return i, data, nil
	})
}

// UserCommand uses a command of a person's context menu.
func (u *User) UserCommand(ctx context.Context, ch *Channel, on *User, name string) (*Interaction, error) {
	return u.do(ctx, func() (*Interaction, object, error) {
		const action = "user command"
		cmd, guild, err := u.findCommand(ch, action, commandUser, name)
		if err != nil {
			return nil, nil, err
		}
		i := u.server.newInteraction(typeCommand, u, ch)
		i.name, i.command = name, cmd
		v := u.invocation(ch, action)
		v.resolveUser(on)
		data := object{"id": cmd.id, "name": name, "type": commandUser, "target_id": on.ID, "resolved": v.resolved}
		if guild != "" {
			data["guild_id"] = guild
		}
		return i, data, nil
	})
}

// do builds an interaction under the lock and delivers it.
func (u *User) do(ctx context.Context, build func() (*Interaction, object, error)) (*Interaction, error) {
	s := u.server
	s.mu.Lock()
	i, data, err := build()
	if err != nil {
		s.mu.Unlock()
		return nil, err
	}
	post := i.deliver(data)
	s.mu.Unlock()
	return i, post(ctx)
}

// invoke builds the interaction of a chat command or of its autocomplete.
func (u *User) invoke(ch *Channel, action string, kind int, name, focused string, args []Argument) (*Interaction, object, error) {
	path := strings.Fields(name)
	if len(path) == 0 {
		return nil, nil, &RefusedError{Action: action, Reason: "no command was named"}
	}
	cmd, guild, err := u.findCommand(ch, action, commandChat, path[0])
	if err != nil {
		return nil, nil, err
	}
	v := u.invocation(ch, action)
	v.raw, v.focus = kind == typeAutocomplete, focused
	options, err := v.descend(cmd.options, path[1:], args)
	if err != nil {
		return nil, nil, err
	}
	if v.raw && (v.focused == nil || !v.focused.autocomplete) {
		return nil, nil, v.refuse(focused, "the option does not autocomplete")
	}
	i := u.server.newInteraction(kind, u, ch)
	i.name, i.command, i.focused = cmd.name, cmd, v.focused
	data := object{"id": cmd.id, "name": cmd.name, "type": cmd.kind}
	if len(options) > 0 {
		data["options"] = options
	}
	if v.resolved != nil {
		data["resolved"] = v.resolved
	}
	if guild != "" {
		data["guild_id"] = guild
	}
	return i, data, nil
}

// descend follows groups and subcommands to the level with the arguments.
func (v *invocation) descend(level []*option, path []string, args []Argument) ([]object, error) {
	if len(path) == 0 {
		if len(level) > 0 && (level[0].kind == optionSubcommand || level[0].kind == optionGroup) {
			return nil, v.refuse("", "a command with subcommands cannot be used without one")
		}
		return v.options(level, args)
	}
	n := slices.IndexFunc(level, func(o *option) bool {
		return o.name == path[0] && (o.kind == optionSubcommand || o.kind == optionGroup)
	})
	if n < 0 {
		return nil, v.refuse(path[0], "the command has no such subcommand")
	}
	inner, err := v.descend(level[n].options, path[1:], args)
	if err != nil {
		return nil, err
	}
	o := object{"name": path[0], "type": level[n].kind}
	if len(inner) > 0 {
		o["options"] = inner
	}
	return []object{o}, nil
}

// findCommand returns the command as the person's client offers it in the
// channel, and the guild that it is registered in, "" for a global one.
func (u *User) findCommand(ch *Channel, action string, kind int, name string) (*command, string, error) {
	s := u.server
	refuse := func(reason string) (*command, string, error) {
		return nil, "", &RefusedError{Action: action, Field: name, Reason: reason}
	}
	if ch.guild != nil {
		p := ch.permissions(u.ID)
		if ch.guild.members[u.ID] == nil || !ch.admits(u.ID, p) || ch.Type.isVoice() && !p.has(Connect) {
			return refuse("the person cannot see the channel")
		}
		if !p.has(UseApplicationCommands) {
			return refuse("the person may not use commands here")
		}
	} else if ch.recipient != u {
		return refuse("the person cannot see the channel")
	}
	cmd, guild := s.scope("").find(kind, name), ""
	if ch.guild != nil {
		if own := s.scope(ch.guild.ID).find(kind, name); own != nil {
			cmd, guild = own, ch.guild.ID
		}
	}
	if cmd == nil {
		return refuse("no such command is registered here")
	}
	if reason := u.hidden(ch, cmd, guild != ""); reason != "" {
		return refuse(reason)
	}
	return cmd, guild, nil
}

// hidden says why a client does not offer the command, if it does not.
func (u *User) hidden(ch *Channel, cmd *command, guildCommand bool) string {
	botHere := ch.guild == nil || ch.guild.members[u.server.bot.ID] != nil
	context := contextBotDM
	if ch.guild != nil {
		context = contextGuild
		needed, restricted := cmd.def["default_member_permissions"]
		bits, _ := strconv.ParseUint(idIn(needed), 10, 64)
		p := ch.permissions(u.ID)
		if restricted && !p.has(Administrator) && (bits == 0 || !p.has(Permission(bits))) {
			return "the person lacks the command's default_member_permissions"
		}
	}
	if boolIn(cmd.def["nsfw"]) && ch.guild != nil && !ch.isNSFW() {
		return "the command is only offered in age-restricted channels"
	}
	if guildCommand {
		if !botHere {
			return "the bot is not in this guild"
		}
		return ""
	}
	if contexts := listIn(cmd.def["contexts"]); contexts != nil && !slices.ContainsFunc(contexts, func(v any) bool { return intOf(v) == context }) {
		return "the command is not offered in this context"
	}
	if dm, ok := cmd.def["dm_permission"].(bool); ok && !dm && ch.guild == nil {
		return "the command is not offered in direct messages"
	}
	types := listIn(cmd.def["integration_types"])
	has := func(t int) bool { return slices.ContainsFunc(types, func(v any) bool { return intOf(v) == t }) }
	forGuild, forUser := types == nil || has(0), has(1)
	if (forGuild && botHere) || (forUser && u.installed) {
		return ""
	}
	return "the application is not installed for this"
}
