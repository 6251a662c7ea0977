package discord

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"
)

// Limits of a scope: everywhere, or one guild.
// https://discord.com/developers/docs/interactions/application-commands#registering-a-command
const (
	maxChatCommands   = 100
	maxMenuCommands   = 15
	maxDailyCreates   = 200
	createLimitWindow = 24 * time.Hour
)

// A command is a registered command.
type command struct {
	id      string
	version string
	kind    int
	name    string
	def     object // as sent, without nulls
	options []*option
}

// A commandScope is the commands of one guild, or the global ones.
type commandScope struct {
	commands []*command
	creates  window
}

// scope returns the commands of a guild; "" is the global scope.
func (s *Server) scope(guild string) *commandScope {
	sc := s.commands[guild]
	if sc == nil {
		sc = &commandScope{}
		s.commands[guild] = sc
	}
	return sc
}

// commandScope finds the scope that the path names.
func (c *call) commandScope() (*commandScope, *apiError) {
	guild := c.param("guild")
	if guild == "" {
		return c.s.scope(""), nil
	}
	g := c.s.world.guilds[guild]
	if g == nil {
		return nil, errUnknownGuild
	}
	if g.members[c.s.bot.ID] == nil {
		return nil, errMissingAccess
	}
	return c.s.scope(guild), nil
}

func (sc *commandScope) find(kind int, name string) *command {
	for _, cmd := range sc.commands {
		if cmd.kind == kind && cmd.name == name {
			return cmd
		}
	}
	return nil
}

// commandJSON returns the application command object.
func (c *call) commandJSON(cmd *command, localized bool) object {
	out := object{
		"id": cmd.id, "application_id": c.s.app, "version": cmd.version, "type": cmd.kind,
		"default_member_permissions": nil, "description": "", "nsfw": false,
		"name_localizations": nil, "description_localizations": nil,
	}
	if guild := c.param("guild"); guild != "" {
		out["guild_id"] = guild
	} else {
		out["dm_permission"], out["contexts"], out["integration_types"] = true, nil, []int{0}
	}
	maps.Copy(out, cmd.def)
	if v := cmd.def["default_member_permissions"]; v != nil {
		out["default_member_permissions"] = idIn(v)
	}
	if !localized {
		delete(out, "name_localizations")
		delete(out, "description_localizations")
	}
	return out
}

// changedCommands tells the watchers; a real client reloads its list.
func (s *Server) changedCommands() { s.changed(Change{Kind: CommandsChanged}) }

// upsert creates the command or updates the one of the same name and type.
// Nothing changes, not even the version, when the definition is the same.
func (c *call) upsert(sc *commandScope, def object, old *command) (*command, bool, *apiError) {
	kind, name := commandKind(def), textIn(def["name"])
	if old == nil {
		old = sc.find(kind, name)
	}
	def = clean(def)
	if old != nil {
		if !equalJSON(old.def, def) {
			old.def, old.name, old.options = def, name, parseOptions(def)
			old.version = c.s.newID()
		}
		return old, false, nil
	}
	if remaining, _ := sc.creates.take(rule{count: maxDailyCreates, window: createLimitWindow}, c.s.now()); remaining < 0 {
		return nil, false, errTooManyCreates
	}
	cmd := &command{id: c.s.newID(), kind: kind, name: name, def: def, options: parseOptions(def)}
	cmd.version = c.s.newID()
	sc.commands = append(sc.commands, cmd)
	return cmd, true, nil
}

// clean returns the definition without nulls, empty lists and defaults, so that two
// definitions that mean the same are equal.
func clean(def object) object {
	out := object{}
	for k, v := range def {
		switch v := v.(type) {
		case nil:
			continue
		case bool:
			if !v && k != "dm_permission" && k != "default_permission" {
				continue
			}
			out[k] = v
		case object:
			if len(v) > 0 {
				out[k] = v
			}
		case []any:
			if len(v) > 0 {
				out[k] = cleanList(v)
			}
		default:
			if t := textIn(v); k != "id" && (k != "description" || t != "") {
				out[k] = v
			}
		}
	}
	return out
}

func cleanList(items []any) []any {
	out := make([]any, 0, len(items))
	for _, item := range items {
		if m, ok := item.(object); ok {
			out = append(out, clean(m))
		} else {
			out = append(out, item)
		}
	}
	return out
}

func equalJSON(a, b any) bool {
	x, errA := json.Marshal(a)
	y, errB := json.Marshal(b)
	return errA == nil && errB == nil && string(x) == string(y)
}

// overLimit says whether the scope would hold too many commands of a kind.
func overLimit(commands []*command) bool {
	counts := map[int]int{}
	for _, cmd := range commands {
		counts[cmd.kind]++
	}
	return counts[commandChat] > maxChatCommands || counts[commandUser] > maxMenuCommands || counts[commandMessage] > maxMenuCommands
}

func (c *call) listCommands() (int, any, *apiError) {
	sc, err := c.commandScope()
	if err != nil {
		return 0, nil, err
	}
	localized := c.r.URL.Query().Get("with_localizations") == "true"
	out := []object{}
	for _, cmd := range sc.commands {
		out = append(out, c.commandJSON(cmd, localized))
	}
	return 200, out, nil
}

func (c *call) createCommand() (int, any, *apiError) {
	sc, err := c.commandScope()
	if err != nil {
		return 0, nil, err
	}
	check := &checker{}
	check.checkCommand("", c.json, c.param("guild") != "")
	if err := check.result(); err != nil {
		return 0, nil, err
	}
	if sc.find(commandKind(c.json), textIn(c.json["name"])) == nil && overLimit(append(slices.Clone(sc.commands), &command{kind: commandKind(c.json)})) {
		return 0, nil, errTooManyCommands
	}
	cmd, created, err := c.upsert(sc, c.json, nil)
	if err != nil {
		return 0, nil, err
	}
	c.s.changedCommands()
	if created {
		return 201, c.commandJSON(cmd, true), nil
	}
	return 200, c.commandJSON(cmd, true), nil
}

// putCommands replaces all commands of the scope. New names count as creates.
func (c *call) putCommands() (int, any, *apiError) {
	sc, err := c.commandScope()
	if err != nil {
		return 0, nil, err
	}
	check := &checker{}
	if c.array == nil {
		check.add("", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
	}
	defs := objectsIn(c.array)
	seen := map[string]bool{}
	wanted := []*command{}
	for i, def := range defs {
		check.checkCommand(strconv.Itoa(i), def, c.param("guild") != "")
		key := strconv.Itoa(commandKind(def)) + textIn(def["name"])
		if seen[key] {
			check.add(join(strconv.Itoa(i), "name"), "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique")
		}
		seen[key] = true
		wanted = append(wanted, &command{kind: commandKind(def)})
	}
	if err := check.result(); err != nil {
		return 0, nil, err
	}
	if overLimit(wanted) {
		return 0, nil, errTooManyCommands
	}
	out, kept := []object{}, []*command{}
	for _, def := range defs {
		var old *command
		if id := idIn(def["id"]); id != "" {
			old = sc.byID(id)
		}
		cmd, _, err := c.upsert(sc, def, old)
		if err != nil {
			return 0, nil, err
		}
		kept = append(kept, cmd)
		out = append(out, c.commandJSON(cmd, true))
	}
	sc.commands = kept
	c.s.changedCommands()
	return 200, out, nil
}

func (sc *commandScope) byID(id string) *command {
	for _, cmd := range sc.commands {
		if cmd.id == id {
			return cmd
		}
	}
	return nil
}

func (c *call) findCommand() (*commandScope, *command, *apiError) {
	sc, err := c.commandScope()
	if err != nil {
		return nil, nil, err
	}
	cmd := sc.byID(c.param("command"))
	if cmd == nil {
		return nil, nil, errUnknownCommand
	}
	return sc, cmd, nil
}

func (c *call) getCommand() (int, any, *apiError) {
	_, cmd, err := c.findCommand()
	if err != nil {
		return 0, nil, err
	}
	return 200, c.commandJSON(cmd, true), nil
}

func (c *call) editCommand() (int, any, *apiError) {
	sc, cmd, err := c.findCommand()
	if err != nil {
		return 0, nil, err
	}
	def := maps.Clone(cmd.def)
	maps.Copy(def, c.json)
	def["type"] = jsonInt(cmd.kind)
	check := &checker{}
	check.checkCommand("", def, c.param("guild") != "")
	if other := sc.find(cmd.kind, textIn(def["name"])); other != nil && other != cmd {
		check.add("name", "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique")
	}
	if err := check.result(); err != nil {
		return 0, nil, err
	}
	if _, _, err := c.upsert(sc, def, cmd); err != nil {
		return 0, nil, err
	}
	c.s.changedCommands()
	return 200, c.commandJSON(cmd, true), nil
}

func (c *call) deleteCommand() (int, any, *apiError) {
	sc, cmd, err := c.findCommand()
	if err != nil {
		return 0, nil, err
	}
	sc.commands = slices.DeleteFunc(sc.commands, func(o *command) bool { return o == cmd })
	c.s.changedCommands()
	return 204, nil, nil
}
