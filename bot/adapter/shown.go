package adapter

import (
	"crypto/sha256"
	"encoding/json"

	"ltxbot/core/generate"
)

// maxShown is how many cards are remembered.
const maxShown = 20_000

// ShownCards remembers what the cards of unfinished jobs show, so that an edit
// that changes nothing is not sent. After a restart each card is sent once.
type ShownCards struct {
	sums *Cache[[sha256.Size]byte] // by job
}

// NewShownCards remembers no card yet.
func NewShownCards() ShownCards {
	return ShownCards{NewCache[[sha256.Size]byte](maxShown)}
}

// News reports whether the card of a job, any JSON value, differs from what
// was shown, and remembers it. The last card of a job is always news.
func (s ShownCards) News(j generate.Job, card any) bool {
	raw, err := json.Marshal(card)
	if err != nil || j.State.Terminal() {
		s.Delete(j.ID)
		return true
	}
	sum := sha256.Sum256(raw)
	return s.sums.Put(j.ID, sum) != sum
}

// Delete makes the next card of a job news: the last one was not shown.
func (s ShownCards) Delete(job string) { s.sums.Delete(job) }
