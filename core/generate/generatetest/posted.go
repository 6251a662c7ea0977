package generatetest

import (
	"slices"
	"strings"
	"testing"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

func testPosted(t *testing.T, h Harness) {
	b := newBench(t, h)
	for _, id := range []string{"job1", "job2", "job3"} {
		b.ask(id, "discord:1")
	}
	first := b.deliver("job1")
	second := b.deliver("job2")
	second.Receipt.SHA256 = first.Receipt.SHA256 // the same file in another message
	second = b.save(second, quota.Keep())
	for _, test := range []struct {
		name, posted, team string
		want               []string
	}{
		{"a file that was posted twice", generate.PostedFile(sumOf("job1")), "", []string{"job2", "job1"}},
		{"a hash in capitals", generate.PostedFile(strings.ToUpper(sumOf("job1"))), "acme", []string{"job2", "job1"}},
		{"a file of no other team", generate.PostedFile(sumOf("job1")), "globex", nil},
		{"the file that the message had before", generate.PostedFile(sumOf("job2")), "", nil},
		{"a message", generate.PostedLink("https://discord.com/channels/1/2/job2"), "", []string{"job2"}},
		{"a message in a thread", generate.PostedLink("https://discord.com/channels/1/2/job2/?thread_ts=1#x"), "", []string{"job2"}},
		{"the channel of a message", generate.PostedLink("https://discord.com/channels/1/2"), "", nil},
		{"the beginning of a hash", generate.PostedFile(sumOf("job1")[:63]), "", nil},
		{"a job without a file", generate.PostedFile(""), "", nil},
	} {
		b.wantPosted(test.name, generate.Query{Posted: test.posted, Team: test.team}, test.want)
	}

	b.save(second.Erased(), quota.Keep())
	byFile := generate.Query{Posted: generate.PostedFile(sumOf("job1"))}
	b.wantPosted("a file whose job was erased", byFile, []string{"job1"})
	b.wantPosted("a message whose job was erased", generate.Query{Posted: generate.PostedLink(second.Receipt.Link)}, nil)
	b.must("remove", b.s.Remove(t.Context(), b.job("job1")))
	b.wantPosted("a file whose job was removed", byFile, nil)
}

func (b *bench) wantPosted(name string, q generate.Query, want []string) {
	b.t.Helper()
	jobs, err := b.s.Jobs(b.t.Context(), q)
	if err != nil {
		b.t.Errorf("%s: %v", name, err)
	}
	var got []string
	for _, j := range jobs {
		got = append(got, j.ID)
	}
	if !slices.Equal(got, want) {
		b.t.Errorf("%s: got %v, want %v", name, got, want)
	}
}
