package health

import (
	"context"
	"sync"
	"time"

	"ltxbot/core/generate"
)

// Key remembers what calls to the provider said of the account: whether the
// key was taken when it was last shown. The zero value has seen nothing.
type Key struct {
	mu   sync.Mutex
	seen State
	at   time.Time
}

// keyless are the operations that do without the key, or with another one.
var keyless = map[string]bool{"open": true, "jwks": true, "purge": true}

// judged is what the outcome of an operation says of the account. An outcome
// that is not here says nothing: the provider did not look at the key.
var judged = map[string]State{
	"ok":                           OK,
	"not_ready":                    OK,
	"gone":                         OK,
	string(generate.FailRefused):   OK,
	string(generate.FailInvalid):   OK,
	string(generate.FailLoRA):      OK,
	string(generate.FailNoMedia):   OK,
	string(generate.FailCancelled): OK,
	string(generate.FailAccount):   Down,
}

// Call takes in a finished operation at the provider.
func (k *Key) Call(op, outcome string) {
	state, ok := judged[outcome]
	if !ok || keyless[op] {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.seen, k.at = state, time.Now()
}

// Look is the Look of a Probe.
func (k *Key) Look(context.Context) (State, string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	at := k.at.UTC().Format(time.RFC3339)
	switch k.seen {
	case OK:
		return OK, "the key was last taken at " + at
	case Down:
		return Down, "fal refused the key or the account at " + at + "; the log says why"
	case Unknown, Starting, Stopping, Standby:
	}
	return Unknown, "fal was not asked yet"
}
