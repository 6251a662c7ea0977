package slack

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// TokenKeySize is the size of OAuth.TokenKey, in bytes: AES-256.
const TokenKeySize = 32

// sealer encrypts what must not be read in the store or in a backup of it.
type sealer struct {
	id   string // names the key, and tells nothing about it
	aead cipher.AEAD
	// stateKey signs the states of installations under way.
	stateKey []byte
}

func newSealer(key []byte) (*sealer, error) {
	if len(key) != TokenKeySize {
		return nil, fmt.Errorf("slack: the token key has %d bytes, not %d", len(key), TokenKeySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	id, err := hkdf.Key(sha256.New, key, nil, "ltxbot slack id of the token key", 4)
	if err != nil {
		return nil, err
	}
	stateKey, err := hkdf.Key(sha256.New, key, nil, "ltxbot slack state of an installation", sha256.Size)
	if err != nil {
		return nil, err
	}
	return &sealer{id: hex.EncodeToString(id), aead: aead, stateKey: stateKey}, nil
}

// sealed is an encrypted value as it is kept.
type sealed struct {
	Key  string `json:"key"`  // id of the key
	Data []byte `json:"data"` // AES-256-GCM, after its nonce
}

// errOtherKey says that a value was encrypted with another key.
var errOtherKey = errors.New("it is encrypted with another key")

// seal encrypts a value for one name. Under another name it cannot be opened,
// so that nobody who writes to the store passes one workspace off as another.
func (s *sealer) seal(name string, plain []byte) ([]byte, error) {
	data := s.aead.Seal(nil, nil, plain, additional(name)) //nolint:gosec // the AEAD draws a nonce for each value
	return json.Marshal(sealed{Key: s.id, Data: data})
}

// open is the value that was sealed for a name.
func (s *sealer) open(name string, raw []byte) ([]byte, error) {
	var v sealed
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, err
	}
	if v.Key != s.id {
		return nil, errOtherKey
	}
	return s.aead.Open(nil, nil, v.Data, additional(name))
}

func additional(name string) []byte { return []byte("ltxbot slack installation " + name) }
