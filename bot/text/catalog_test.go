package text_test

import (
	"testing"

	"ltxbot/bot/text"
)

// To read it takes 30 ms, and several parts of the bot ask for it.
func TestTheBuiltInCatalogIsReadOnce(t *testing.T) {
	if first, again := text.BuiltInCatalog(), text.BuiltInCatalog(); first != again {
		t.Error("it is read again")
	}
}
