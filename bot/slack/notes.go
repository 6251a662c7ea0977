package slack

import (
	"context"
	"strconv"
	"time"

	"ltxbot/bot/adapter"
	"ltxbot/core/generate"
)

// The notes that the courier keeps with a job.
const (
	noteURL         = generate.SecretNote + "response_url" // removed when it is of no use any more
	noteURLUntil    = "response_till"                      // Unix seconds
	noteURLUses     = "response_uses"                      // how often it was used
	noteChannelName = "channel_name"                       // Slack's name for the kind of conversation
	noteInstalled   = "installation"                       // that serves the job, if it is not that of the workspace
	noteUserTeam    = "user_team"                          // the requester's own workspace, if it was told
	noteEnterprise  = "enterprise"                         // the organisation of the workspace
	noteCard        = "card"                               // ts of the card
	noteCardChannel = "card_channel"                       // where the card is
	noteCardGone    = "card_gone"                          // the card was deleted, cannot be edited, or cannot be found
	noteTold        = "told"                               // the requester was told by the response URL how the job ended
	noteFile        = "file"                               // ids of the uploaded files: they are being shared, or are
	noteFileAt      = "file_at"                            // Unix seconds since when it is being shared
	noteShared      = "shared"                             // Unix seconds since when the file is shared
	noteShareTS     = "share_ts"                           // of the message that shares it, if it is known
	noteFit         = "fit"                                // how each video was made to fit
	noteMark        = "mark"                               // what became of the mark in the file
	noteSum         = "sha256"                             // of the file
	noteWhy         = "link_reason"                        // why it is a link
	noteFailing     = "failing"                            // Unix seconds since when all uploads fail
	noteAnew        = "anew"                               // Unix seconds of when somebody asked to deliver it again, as far as the notes know
	noteChannel     = "video_channel"                      // where the video goes
	noteResult      = "result"                             // ts of the text with the buttons
	noteResultLost  = "result_lost"                        // nobody knows whether the text was posted: the card has its buttons
	notePosting     = "posting_"                           // and a purpose: Unix seconds of a try to post whose outcome is not known
)

// How long and how often a response URL may be used.
// https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
const (
	responseLife = 29 * time.Minute // of 30: the last minute is left to clocks and slow networks
	responseUses = 5
	// responseUsed is how often a response URL may have been used before the
	// courier has it.
	responseUsed = 1
)

// notesOf is what the courier must know of an event.
func notesOf(o origin, now time.Time) map[string]string {
	n := map[string]string{}
	if o.ResponseURL != "" {
		n[noteURL] = o.ResponseURL
		n[noteURLUntil] = adapter.Unix(now.Add(responseLife))
		n[noteURLUses] = strconv.Itoa(responseUsed)
	}
	if o.ChannelName != "" {
		n[noteChannelName] = o.ChannelName
	}
	if o.installation() != o.Workspace {
		n[noteInstalled] = o.installation()
	}
	if o.UserTeam != "" && o.UserTeam != o.Workspace {
		n[noteUserTeam] = o.UserTeam
	}
	if o.Enterprise != "" {
		n[noteEnterprise] = o.Enterprise
	}
	return n
}

// memory is the notes of a job, with what this platform reads out of them.
type memory struct{ *adapter.Notes }

func recall(j generate.Job, keep generate.Keep) memory {
	return memory{adapter.NotesOf(j, keep)}
}

// of is what a note says of one of several videos.
func (m memory) of(note string, i int) string {
	all := unlist(m.Get(note))
	if i >= len(all) {
		return ""
	}
	return all[i]
}

// responseURL takes one use of the response URL; "" when there is none left.
// The use is counted before it is made.
func (m memory) responseURL(ctx context.Context, now time.Time) (string, error) {
	address, uses := m.Get(noteURL), m.Number(noteURLUses)
	if address == "" || now.Unix() >= m.Number(noteURLUntil) || uses >= responseUses {
		return "", nil
	}
	return address, m.Save(ctx, noteURLUses, strconv.FormatInt(uses+1, 10))
}
