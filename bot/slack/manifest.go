package slack

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// ManifestOptions say how the app is used.
type ManifestOptions struct {
	Mode    Mode   // empty = Socket
	Command string // empty = /ltx
	BaseURL string // public https address of this bot; for HTTP
	Name    string // of the app; empty = LTX Video
	// RedirectURL is the public https address of PathOAuth; empty = the app is
	// for one workspace.
	RedirectURL string
}

// The events that the app is told.
// https://docs.slack.dev/reference/events
var botEvents = []string{"app_home_opened", "app_mention", "app_uninstalled", "message.im", "tokens_revoked"}

// Limits of a manifest, in characters.
// https://docs.slack.dev/reference/app-manifest
const maxAppName = 35

var commandPattern = regexp.MustCompile(`^/[a-z0-9_-]{1,31}$`)

// manifest is an app as Slack creates it.
// https://docs.slack.dev/reference/app-manifest
type manifest struct {
	Metadata struct {
		Major int `json:"major_version"`
		Minor int `json:"minor_version"`
	} `json:"_metadata"`
	Display struct {
		Name        string `json:"name"`
		Description string `json:"description"`
		Background  string `json:"background_color"`
	} `json:"display_information"`
	Features struct {
		Home struct {
			Home         bool `json:"home_tab_enabled"`
			Messages     bool `json:"messages_tab_enabled"`
			MessagesRead bool `json:"messages_tab_read_only_enabled"`
		} `json:"app_home"`
		Bot struct {
			Name   string `json:"display_name"`
			Online bool   `json:"always_online"`
		} `json:"bot_user"`
		Shortcuts []manifestShortcut `json:"shortcuts"`
		Commands  []manifestCommand  `json:"slash_commands"`
	} `json:"features"`
	OAuth struct {
		Redirects []string `json:"redirect_urls,omitempty"`
		Scopes    struct {
			Bot []string `json:"bot"`
		} `json:"scopes"`
	} `json:"oauth_config"`
	Settings struct {
		Events struct {
			URL string   `json:"request_url,omitempty"`
			Bot []string `json:"bot_events"`
		} `json:"event_subscriptions"`
		Interactivity struct {
			Enabled bool   `json:"is_enabled"`
			URL     string `json:"request_url,omitempty"`
			Options string `json:"message_menu_options_url,omitempty"`
		} `json:"interactivity"`
		OrgDeploy     bool `json:"org_deploy_enabled"`
		SocketMode    bool `json:"socket_mode_enabled"`
		TokenRotation bool `json:"token_rotation_enabled"`
	} `json:"settings"`
}

type manifestShortcut struct {
	Name        string `json:"name"`
	Type        string `json:"type"`
	CallbackID  string `json:"callback_id"`
	Description string `json:"description"`
}

type manifestCommand struct {
	Command     string `json:"command"`
	URL         string `json:"url,omitempty"`
	Description string `json:"description"`
	Hint        string `json:"usage_hint"`
	Escape      bool   `json:"should_escape"`
}

// Manifest is the app's manifest as JSON, for "Create New App, From a
// manifest" at https://api.slack.com/apps.
func Manifest(o ManifestOptions) ([]byte, error) {
	o.Mode, o.Command, o.Name = cmp.Or(o.Mode, Socket), cmp.Or(o.Command, "/ltx"), cmp.Or(o.Name, "LTX Video")
	base := strings.TrimSuffix(o.BaseURL, "/")
	u, err := url.Parse(base)
	switch {
	case !commandPattern.MatchString(o.Command):
		return nil, fmt.Errorf("slack manifest: %q is no command: a slash, then at most 31 lower-case letters, digits, - and _", o.Command)
	case o.Mode == HTTP && (err != nil || u.Scheme != "https" || u.Host == ""):
		return nil, errors.New("slack manifest: the HTTP mode needs the public address of the bot, which starts with https://")
	}
	var m manifest
	m.Metadata.Major, m.Metadata.Minor = 1, 1
	m.Display.Name = cut(o.Name, maxAppName)
	m.Display.Description = "Videos from words and pictures, with LTX"
	m.Display.Background = "#1b1f3b"
	m.Features.Home.Home, m.Features.Home.Messages = true, true // people may type commands to the bot itself
	m.Features.Bot.Name, m.Features.Bot.Online = strings.TrimPrefix(o.Command, "/"), true
	m.Features.Shortcuts = []manifestShortcut{
		{"Make a video", "global", ShortcutGlobal, "Opens the form for a video"},
		{"Make a video of this", "message", ShortcutMessage, "Takes the message as the prompt, or adds the LoRA in it"},
	}
	command := manifestCommand{
		Command: o.Command, Description: "Makes a video from words", Escape: true,
		Hint: "a cowboy walks camera:dolly_in | help | jobs | cancel ID | quota",
	}
	for _, s := range Scopes() {
		m.OAuth.Scopes.Bot = append(m.OAuth.Scopes.Bot, s.Name)
	}
	if o.RedirectURL != "" {
		m.OAuth.Redirects = []string{o.RedirectURL}
	}
	m.Settings.Events.Bot = botEvents
	m.Settings.Interactivity.Enabled = true
	m.Settings.SocketMode = o.Mode == Socket
	if o.Mode == HTTP {
		command.URL = base + PathCommands
		m.Settings.Events.URL = base + PathEvents
		m.Settings.Interactivity.URL = base + PathInteractions
		m.Settings.Interactivity.Options = base + PathOptions
	}
	m.Features.Commands = []manifestCommand{command}
	raw, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("slack manifest: %w", err)
	}
	return append(raw, '\n'), nil
}
