package discord

import (
	"cmp"
	"strconv"
	"time"

	"ltxbot/bot/adapter"
	"ltxbot/core/generate"
)

// The notes that the courier keeps with a job.
const (
	noteToken        = generate.SecretNote + "token" // of the interaction; removed once Discord refuses it
	noteTokenUntil   = "token_until"                 // Unix seconds
	noteApp          = "app"                         // application id that the token belongs to
	noteCard         = "card"                        // message id of the card
	noteCardChannel  = "card_channel"                // where the card is
	noteCardGone     = "card_gone"                   // the card was deleted; cardTold once the last word was said elsewhere
	noteLimit        = "upload_limit"                // bytes that the interaction's token may upload
	noteFollowup     = "followup"                    // message id of what a private video goes into, or followupSent
	noteVideo        = "video"                       // message id of the video
	noteVideoChannel = "video_channel"               // where the video is
	noteFit          = "fit"                         // how the video was made to fit
	noteMark         = "mark"                        // what became of the mark in the file
	noteWhy          = "link_reason"                 // why it is a link
	noteSum          = "sha256"                      // of the file
	noteInCard       = "in_card"                     // the video is in the card itself
	noteBarred       = "barred"                      // why only the interaction's token posts there, a barrier
	notePosting      = "posting_"                    // and a purpose: Unix seconds of the first try to post
)

// Values of notes.
const (
	yes      = "yes"
	cardTold = "told"
	// followupSent says that a follow-up was sent and its outcome is not known.
	followupSent = "sent"
)

// notesOf is what an interaction tells the courier.
func notesOf(i *interaction) map[string]string {
	n := map[string]string{
		noteToken:      i.Token,
		noteTokenUntil: adapter.Unix(i.received.Add(tokenLife)),
		noteApp:        i.ApplicationID,
	}
	if i.AttachmentSizeLimit > 0 {
		n[noteLimit] = strconv.FormatInt(i.AttachmentSizeLimit, 10)
	}
	return n
}

// nth is the note about one of several videos in a message.
func nth(note string, i int) string {
	if i == 0 {
		return note
	}
	return note + "_" + strconv.Itoa(i+1)
}

// memory is the notes of a job, with what this platform reads out of them.
type memory struct{ *adapter.Notes }

func recall(j generate.Job, keep generate.Keep) memory {
	return memory{adapter.NotesOf(j, keep)}
}

// token is the interaction's token while it can be used, else "".
func (m memory) token(now time.Time) string {
	if now.Unix() >= m.Number(noteTokenUntil) {
		return ""
	}
	return m.Get(noteToken)
}

// cardChannel is the channel where the card is.
func (m memory) cardChannel(j generate.Job) string {
	return cmp.Or(m.Get(noteCardChannel), j.Place.Channel)
}
