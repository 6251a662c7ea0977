package view

import (
	"slices"
	"strings"

	"ltxbot/bot/command"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
)

// Button is something to press. Its ID is made of an Action and a job id, and
// works for as long as the message stands.
type Button struct {
	Action  Action
	Job     string
	Label   string
	Danger  bool
	Confirm string // question to ask first; empty = none (platforms without confirm dialogs ask in their own way or not at all)
}

// Action is what a button does.
type Action string

// The actions of buttons.
const (
	ActCancel  Action = "cancel"
	ActAgain   Action = "again"   // the same request, a new seed
	ActSame    Action = "same"    // the same request and seed
	ActEdit    Action = "edit"    // a form with the request filled in
	ActDetails Action = "details" // every parameter, only for who presses
	ActDelete  Action = "delete"  // remove the video message
	ActRemove  Action = "remove"  // remove one video from the message of its batch
	ActRetry   Action = "retry"   // after a failure

	// ActExtend and those below go on from a finished video: each opens a form.
	ActExtend   Action = "extend"   // the video goes on
	ActContinue Action = "continue" // a new video begins with its last picture
	ActRetake   Action = "retake"   // a part of it is made anew
	ActReframe  Action = "reframe"  // another shape
	ActInputs   Action = "inputs"   // the same request of other files

	ActFinish Action = "finish" // the same video as a draft, in full

	ActTake Action = "take" // what can be done with one video of a batch, only for who presses

	ActVerbatim Action = "verbatim" // the same request and seed, with the prompt as it was written
	ActStyle    Action = "style"    // a form to keep the options as a style
)

// buttonVersion begins every button id. Messages stand for years: an id keeps
// its meaning.
const buttonVersion = "v1"

// actions is every action.
var actions = []Action{
	ActCancel, ActAgain, ActSame, ActEdit, ActDetails, ActDelete, ActRemove, ActRetry, ActExtend, ActContinue, ActRetake, ActReframe, ActInputs,
	ActFinish, ActTake, ActVerbatim, ActStyle,
}

// menuPrefix begins the id of a menu of buttons, which have ids of their own.
const menuPrefix = buttonVersion + ":menu:"

// MenuID names the menu under a job's video.
func MenuID(job string) string { return menuPrefix + job }

// IsMenu reports whether an id is that of a menu: the chosen value is the id of
// a button.
func IsMenu(id string) bool { return strings.HasPrefix(id, menuPrefix) }

// ButtonID names a button: "v1:cancel:k3f92mq7abcd". It has 100 characters at
// most, the limit of both platforms, and needs no state.
func ButtonID(action Action, job string) string {
	return buttonVersion + ":" + string(action) + ":" + job
}

// ParseButtonID reads what ButtonID made.
func ParseButtonID(id string) (action Action, job string, ok bool) {
	parts := strings.Split(id, ":")
	if len(parts) != 3 || parts[0] != buttonVersion || !slices.Contains(actions, Action(parts[1])) {
		return "", "", false
	}
	if len(parts[2]) != command.JobIDLength || strings.Trim(parts[2], command.JobAlphabet) != "" {
		return "", "", false
	}
	return Action(parts[1]), parts[2], true
}

// again are the buttons that make the request of a job once more. Where the
// model has no seed, nothing makes the same video.
func again(j generate.Job) []Action {
	if e, ok := ltx.FindEndpoint(j.Endpoint); ok && !e.TakesSeed() {
		return []Action{ActAgain}
	}
	return []Action{ActAgain, ActSame}
}
