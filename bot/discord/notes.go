package discord

import (
	"context"
	"maps"
	"strconv"
	"time"

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
		noteTokenUntil: strconv.FormatInt(i.received.Add(tokenLife).Unix(), 10),
		noteApp:        i.ApplicationID,
	}
	if i.AttachmentSizeLimit > 0 {
		n[noteLimit] = strconv.FormatInt(i.AttachmentSizeLimit, 10)
	}
	return n
}

// memory is the notes of a job during one call of the courier.
type memory struct {
	notes map[string]string
	keep  generate.Keep
}

// recall reads the notes of a job.
func recall(j generate.Job, keep generate.Keep) *memory {
	m := &memory{notes: map[string]string{}, keep: keep}
	maps.Copy(m.notes, j.Notes)
	return m
}

func (m *memory) get(note string) string { return m.notes[note] }

// number is a note that is a number, 0 if there is none.
func (m *memory) number(note string) int64 {
	n, err := strconv.ParseInt(m.notes[note], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// save keeps notes, given as pairs. An empty value removes one.
func (m *memory) save(ctx context.Context, pairs ...string) error {
	change := map[string]string{}
	for n := 0; n+1 < len(pairs); n += 2 {
		change[pairs[n]] = pairs[n+1]
	}
	if err := m.keep(ctx, change); err != nil {
		return err
	}
	for k, v := range change {
		if v == "" {
			delete(m.notes, k)
			continue
		}
		m.notes[k] = v
	}
	return nil
}

// token is the interaction's token while it can be used, else "".
func (m *memory) token(now time.Time) string {
	if now.Unix() >= m.number(noteTokenUntil) {
		return ""
	}
	return m.notes[noteToken]
}

// cardChannel is the channel where the card is.
func (m *memory) cardChannel(j generate.Job) string {
	if c := m.get(noteCardChannel); c != "" {
		return c
	}
	return j.Place.Channel
}
