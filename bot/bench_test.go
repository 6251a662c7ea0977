package bot_test

import (
	"testing"

	"ltxbot/bot/command"
)

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		newService(&fakeGenerator{})
	}
}

func BenchmarkParseLine(b *testing.B) {
	for b.Loop() {
		if _, err := command.Parse(`a cowboy says: "go" and walks, duraton is no key camera:dolly in duration:6.5s lora:a/b@0.8, c/d`); err != nil {
			b.Fatal(err)
		}
	}
}
