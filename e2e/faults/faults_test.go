package faults_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/internal/need"
	"ltxbot/internal/until"
	simdiscord "ltxbot/sim/discord"
	simfal "ltxbot/sim/fal"
	simslack "ltxbot/sim/slack"
)

// TestFaults is the matrix: each fault, on each platform that can have it.
func TestFaults(t *testing.T) {
	t.Parallel()
	found := &findings{all: map[string]finding{}}
	var trials []trial
	for _, one := range slices.Concat(falFaults, discordFaults, slackFaults, storeFaults, clockFaults) {
		for i, s := range stages {
			if one.on != "" && one.on != s.name || one.on == "" && i > 0 && !need.Thorough() {
				continue
			}
			trials = append(trials, trial{one.area + ", " + one.fault + " (" + s.name + ")", func(t *testing.T) {
				f := one.run(t, s.make)
				if one.on != "" || i == 0 {
					found.put(one.area+one.fault, f)
				}
			}})
		}
	}
	if !need.Thorough() && !*update {
		together(t, need.Some(t, trials, 9))
		return
	}
	together(t, trials)
	if !t.Failed() {
		document(t, found.all)
	}
}

// slow is a fal where a job takes some seconds, so that there is time for
// something to happen.
func slow() simfal.Options {
	return simfal.Options{Speed: 1, Timing: simfal.Timing{Queue: 100 * time.Millisecond, Run: 6 * time.Second}}
}

// hideHistory is a fal whose history shows nothing in time.
func hideHistory() simfal.Options { return simfal.Options{HistoryLag: 1e6 * time.Hour} }

// slowest is how long any job may take, on a machine that does much else.
const slowest = 150 * time.Second

const impatient = `grace = "1s"`

// lose loses the answer to the submit.
func lose(r *rig) { r.fal.Inject(simfal.Fault{Op: simfal.OpSubmit, Lose: true}) }

// inject is a fault of fal from before the command on.
func inject(faults ...simfal.Fault) func(*rig) {
	return func(r *rig) {
		for _, f := range faults {
			r.fal.Inject(f)
		}
	}
}

// next is how fal's next job goes.
func next(o simfal.Outcome) func(*rig) { return func(r *rig) { r.fal.Next(o) } }

// price is that of the video that all rows ask for.
const price = "$0.13"

var falFaults = []row{
	{
		area: "fal: submit", fault: "the answer is lost, the history knows the job", before: lose,
		setup:     setup{fal: simfal.Options{HistoryLag: 6 * time.Second, Speed: 1}},
		meanwhile: "Looking for the model's answer",
		ends:      arrives, charged: price, recovers: "with the first look into fal's history", within: slowest,
	},
	{
		area: "fal: submit", fault: "the answer is lost, the history never knows the job", before: lose,
		setup: setup{fal: hideHistory(), falKeys: `grace = "6s"`}, meanwhile: "Looking for the model's answer",
		ends: fails(generate.FailLost), charged: "nothing", offers: "Try again",
		recovers: "never by itself; the hold is released after `fal.grace`, and it is looked for once more at the deadline", within: slowest,
	},
	{
		area: "fal: submit", fault: "a proxy answers 502 with a page", before: inject(simfal.Fault{Op: simfal.OpSubmit, Status: 502, Body: "<html>"}),
		setup: setup{falKeys: impatient}, ends: fails(generate.FailLost), charged: "nothing", offers: "Try again",
		recovers: "never by itself: fal may have taken it, so it is not sent again", within: slowest,
	},
	{
		area: "fal: submit", fault: "the answer breaks off in the middle", before: inject(simfal.Fault{Op: simfal.OpSubmit, Cut: 20}),
		ends: arrives, charged: price, recovers: "at once: the header names the request", within: slowest,
	},
	{
		area: "fal: submit", fault: "the answer takes five seconds", before: inject(simfal.Fault{Op: simfal.OpSubmit, Delay: 5 * time.Second}),
		ends: arrives, charged: price, recovers: "with the answer; at most a minute is waited", within: slowest,
	},
	{
		area: "fal: submit", fault: "429, too many at a time",
		before: inject(times(2, simfal.Fault{Op: simfal.OpSubmit, Status: 429, Body: `{"detail":"busy","error_type":"concurrent_requests_limit"}`})),
		ends:   arrives, charged: price, recovers: "with the next try, 2 s later and growing; given up after 10 minutes", within: slowest,
	},
	{
		area: "fal: submit", fault: "the balance is exhausted", before: func(r *rig) { r.fal.Lock("Exhausted balance") },
		ends: fails(generate.FailAccount), charged: "nothing", offers: "Try again",
		recovers: "when the operator has paid and somebody tries again", within: slowest,
	},
	{
		area: "fal: submit", fault: "503 that names a request, which the status does not know at first",
		before: inject(simfal.Fault{Op: simfal.OpSubmit, Status: 503, Handle: true, KeepID: true, Body: `{"detail":"Service Unavailable"}`},
			simfal.Fault{Op: simfal.OpStatus, Status: 404, Body: `{"status":"NOT_FOUND"}`}),
		ends: arrives, charged: price, recovers: "at once: the request is the job's, and its status tells", within: slowest,
	},
	{
		area: "fal: status", fault: "5xx six times in a row", before: inject(times(6, simfal.Fault{Op: simfal.OpStatus, Status: 503, Body: "<html>"})),
		ends: arrives, charged: price, recovers: "with the next question", within: slowest,
	},
	{
		area: "fal: status", fault: "an answer that is not JSON", before: inject(times(2, simfal.Fault{Op: simfal.OpStatus, Malformed: true})),
		ends: arrives, charged: price, recovers: "with the next question", within: slowest,
	},
	{
		area: "fal: status", fault: "the key is refused while the video is made", setup: setup{fal: slow()},
		during: func(r *rig) {
			r.running()
			r.fal.Lock("Exhausted balance")
			r.after(4 * time.Second)
			r.fal.Lock("")
		},
		ends: arrives, charged: price, recovers: "with the first question after the key works again", within: slowest,
	},
	{
		area: "fal: stream", fault: "it breaks off after two events", setup: setup{fal: slow()},
		before: inject(simfal.Fault{Op: simfal.OpStream, Cut: 2}),
		ends:   arrives, charged: price, recovers: "with the next question: the stream is a hint", within: slowest,
	},
	{
		area: "fal: stream", fault: "there is none", setup: setup{fal: slow()},
		before: inject(times(-1, simfal.Fault{Op: simfal.OpStream, Status: 500})),
		ends:   arrives, charged: price, recovers: "not needed: the bot asks", within: slowest,
	},
	{
		area: "fal: result", fault: "503 three times", before: inject(times(3, simfal.Fault{Op: simfal.OpResult, Status: 503, Body: "<html>"})),
		ends: arrives, charged: price, recovers: "with the next question", within: slowest,
	},
	{
		area: "fal: result", fault: "503 with the name of an error, three times, and the status knows of none",
		before: inject(times(3, simfal.Fault{Op: simfal.OpResult, Status: 503, Body: `{"detail":"Runner disconnected","error_type":"runner_disconnected"}`})),
		ends:   arrives, charged: price, recovers: "with the next question: it is believed after a minute", within: slowest,
	},
	{
		area: "fal: result", fault: "it names a bill of $1,805",
		before: inject(simfal.Fault{Op: simfal.OpResult, Set: http.Header{"X-Fal-Billable-Units": {"999999"}}}),
		ends:   arrives, charged: "$0.39", recovers: "not needed: three times the estimate is charged, and the operator told", within: slowest,
	},
	{
		area: "fal: result", fault: "fal has forgotten the job", setup: setup{fal: slow(), falKeys: `deadline = "3h"`},
		during: func(r *rig) {
			r.running()
			for _, id := range r.fal.RequestIDs() {
				r.fal.Forget(id)
			}
			r.restart(func() { shift(r, -time.Hour) })
		},
		ends: fails(generate.FailExpired), charged: price, offers: "Try again",
		recovers: "never: it is believed after five questions, and fal may have billed it", within: slowest,
	},
	{
		area: "fal: job", fault: "the content check refuses it", before: next(simfal.Refused),
		ends: fails(generate.FailRefused), charged: "nothing", offers: "Edit", recovers: "when the prompt is changed", within: slowest,
	},
	{
		area: "fal: job", fault: "a LoRA can't be loaded", before: next(simfal.BadLoRA),
		ends: fails(generate.FailLoRA), charged: "nothing", offers: "Edit", recovers: "when the LoRA is changed", within: slowest,
	},
	{
		area: "fal: job", fault: "the model makes nothing", before: next(simfal.NoMedia),
		ends: fails(generate.FailNoMedia), charged: "nothing", offers: "Try again", recovers: "with another seed", within: slowest,
	},
	{
		area: "fal: job", fault: "the model crashes", before: next(simfal.ServerError),
		ends: fails(generate.FailProvider), charged: "nothing", offers: "Try again", recovers: "when somebody tries again", within: slowest,
	},
	{
		area: "fal: job", fault: "its machine disappears", before: next(simfal.RunnerLost),
		ends: fails(generate.FailProvider), charged: "nothing", offers: "Try again", recovers: "when somebody tries again", within: slowest,
	},
	{
		area: "fal: job", fault: "fal cancels it", before: next(simfal.Cancelled),
		ends: fails(generate.FailCancelled), charged: "nothing", offers: "Try again", recovers: "when somebody tries again", within: slowest,
	},
	{
		area: "fal: job", fault: "it falls back into the queue", before: next(simfal.GoesBack), setup: setup{fal: slow()},
		ends: arrives, charged: price, recovers: "by itself", within: slowest,
	},
	{
		area: "fal: job", fault: "it does not end before the deadline", before: next(simfal.StaysRunning), setup: setup{falKeys: `deadline = "2s"`},
		ends: fails(generate.FailTimeout), charged: "nothing", offers: "Try again", recovers: "when somebody tries again", within: slowest,
	},
	{
		area: "fal: job", fault: "it never ends, and can't be cancelled", before: func(r *rig) {
			r.fal.Next(simfal.StaysRunning)
			r.fal.Inject(simfal.Fault{Op: simfal.OpCancel, Status: 500, Times: -1})
		},
		setup: setup{falKeys: "deadline = \"2s\"\ngive_up = \"5s\""}, meanwhile: "longer than allowed",
		ends: fails(generate.FailGivenUp), charged: "nothing", offers: "Try again", recovers: "never: `fal.give_up` after the deadline nobody waits any longer", within: slowest,
	},
	{
		area: "fal: job", fault: "it ends after the deadline all the same", before: next(simfal.IgnoresCancel),
		setup: setup{fal: slow(), falKeys: `deadline = "1s"`}, meanwhile: "longer than allowed",
		ends: arrives, charged: price, recovers: "by itself: what was paid for is delivered", within: slowest,
	},
	{
		area: "fal: job", fault: "it is cancelled and ends all the same", before: next(simfal.IgnoresCancel),
		setup: setup{fal: simfal.Options{Speed: 1, Timing: simfal.Timing{Queue: 100 * time.Millisecond, Run: 12 * time.Second}}},
		during: func(r *rig) {
			r.running()
			if err := r.on.press(r.ctx, r.cardSays(r.job, "Getting ready"), "Cancel"); err != nil {
				r.t.Fatal(err)
			}
		},
		meanwhile: "Cancelling", ends: arrives, charged: price, recovers: "by itself: what was paid for is delivered", within: slowest,
	},
	{
		area: "fal: media", fault: "the download breaks off three times", before: inject(times(3, simfal.Fault{Op: simfal.OpMedia, Cut: 5000})),
		ends: arrives, charged: price, recovers: "with the next connection, which goes on where the last one ended", within: slowest,
	},
	{
		area: "fal: media", fault: "what is downloaded is no video, for a while",
		before: inject(times(2, simfal.Fault{Op: simfal.OpMedia, Status: 200, Body: "<html>"})),
		ends:   arrives, charged: price, recovers: "with the next try", within: slowest,
	},
	{
		area: "fal: media", fault: "the video is gone", before: inject(times(-1, simfal.Fault{Op: simfal.OpMedia, Status: 404})),
		ends: fails(generate.FailExpired), charged: price, offers: "Try again",
		recovers: "never: it was made and paid, and fal has deleted it", within: slowest,
	},
	{
		area: "fal: media", fault: "the video is larger than the channel takes, and there is no ffmpeg", setup: setup{fal: simfal.Options{FileSize: 11 << 20}},
		on:   "Discord",
		ends: arrives, charged: price, recovers: "not needed", within: slowest,
	},
}

var discordFaults = []row{
	{
		area: "Discord: acknowledgement", on: "Discord", fault: "its answer is lost", before: spoil(simdiscord.Fault{Route: simdiscord.RouteCallback, LoseReply: true}),
		ends: arrives, charged: price, recovers: "at once: Discord says that it was acknowledged", within: slowest,
	},
	{
		area: "Discord: card", on: "Discord", fault: "edits are answered 500, six times", before: spoil(simdiscord.Fault{Route: simdiscord.RouteEditResponse, Status: 500, Times: 6}),
		ends: arrives, charged: price, recovers: "with the next edit", within: slowest,
	},
	{
		area: "Discord: card", on: "Discord", fault: "the interaction's token has expired (15 minutes)", setup: setup{fal: slow()},
		during: func(r *rig) { r.running(); discordOf(r).sim.Advance(16 * time.Minute) },
		ends:   arrives, charged: price, recovers: "at once: by the bot's own token", within: slowest,
	},
	{
		area: "Discord: card", on: "Discord", fault: "somebody deletes it", setup: setup{fal: slow()},
		during: func(r *rig) { r.running(); r.on.delete(r.cardSays(r.job, "Getting ready")) },
		ends:   arrives, charged: price, recovers: "not needed: the video is a message of its own", within: slowest,
	},
	{
		area: "Discord: video", on: "Discord", fault: "the answer to the post is lost, three times", before: spoil(simdiscord.Fault{Route: simdiscord.RouteCreateMessage, LoseReply: true, Times: 3}),
		ends: arrives, charged: price, recovers: "with the next try; the nonce keeps it one message", within: slowest,
	},
	{
		area: "Discord: video", on: "Discord", fault: "502 of the edge, twice", before: spoil(simdiscord.Fault{Route: simdiscord.RouteCreateMessage, BadGateway: true, Times: 2}),
		ends: arrives, charged: price, recovers: "with the next try", within: slowest,
	},
	{
		area: "Discord: video", on: "Discord", fault: "429 of the channel for 6 s", before: spoil(simdiscord.Fault{Route: simdiscord.RouteCreateMessage, Limit: simdiscord.UserLimit, RetryAfter: 6 * time.Second}),
		ends: arrives, charged: price, recovers: "when the time is over that Discord names", within: slowest,
	},
	{
		area: "Discord: video", on: "Discord", fault: "429 of Cloudflare for 3 s", before: spoil(simdiscord.Fault{Route: simdiscord.RouteCreateMessage, Limit: simdiscord.CloudflareLimit, RetryAfter: 3 * time.Second}),
		ends: arrives, charged: price, recovers: "when the time is over that Cloudflare names", within: slowest,
	},
	{
		area: "Discord: video", on: "Discord", fault: "the upload is refused as too large", before: spoil(simdiscord.Fault{Route: simdiscord.RouteCreateMessage, Status: 413}),
		ends: arrives, charged: price, recovers: "at once, with a link", within: slowest,
	},
	{
		area: "Discord: channel", on: "Discord", fault: "it is deleted while the video is made", setup: setup{fal: slow()},
		during: func(r *rig) { r.running(); r.on.leave() },
		ends:   arrives, charged: price, recovers: "at once, by direct message", within: slowest,
	},
	{
		area: "Discord: channel", on: "Discord", fault: "it is deleted, and ada takes no direct messages", setup: setup{fal: slow()},
		during: func(r *rig) { r.running(); discordOf(r).ada.RefuseDMs(true); r.on.leave() },
		ends:   fails(generate.FailUnreachable), charged: price, recovers: "not there; `/ltx-jobs show` links to it", within: slowest,
	},
	{
		area: "Discord: channel", on: "Discord", fault: "the bot may not write there any more", setup: setup{fal: slow()},
		during: func(r *rig) {
			r.running()
			discordOf(r).channel.Deny(discordOf(r).sim.Bot(), simdiscord.SendMessages)
		},
		ends: arrives, charged: price, recovers: "at once, by the command's token, which lives for 15 minutes", within: slowest,
	},
	{
		area: "Discord: channel", on: "Discord", fault: "it is a private thread that the bot is not in, and ada takes no direct messages",
		before: func(r *rig) {
			d := discordOf(r)
			d.ada.RefuseDMs(true)
			d.channel = d.channel.NewPrivateThread("a thread", d.ada)
		},
		ends: arrives, charged: price, recovers: "not needed: the command's token posts it", within: slowest,
	},
	{
		area: "Discord: channel", on: "Discord", fault: "it is the chat of a voice channel that the bot may not join, and ada takes no direct messages",
		before: func(r *rig) {
			d := discordOf(r)
			d.ada.RefuseDMs(true)
			d.channel = d.guild.NewChannelOf("talk", simdiscord.Voice)
			d.channel.Deny(d.sim.Bot(), simdiscord.Connect)
		},
		ends: arrives, charged: price, recovers: "not needed: the command's token posts it", within: slowest,
	},
	{
		area: "Discord: gateway", on: "Discord", fault: "the connection is cut while the video is made", setup: setup{fal: slow()},
		during: func(r *rig) { r.running(); discordOf(r).sim.DropGateway() },
		ends:   arrives, charged: price, recovers: "commands: after about 5 s; jobs do not notice", within: slowest,
	},
}

var slackFaults = []row{
	{
		area: "Slack: card", on: "Slack", fault: "the answer to the post is lost", before: upset(simslack.Fault{Method: "chat.postMessage", Kind: simslack.LoseReply}),
		ends: arrives, charged: price, recovers: "with the next try, which finds the message", within: slowest,
	},
	{
		area: "Slack: card", on: "Slack", fault: "edits are limited for 3 s", setup: setup{fal: slow()},
		before: upset(simslack.Fault{Method: "chat.update", Kind: simslack.RateLimited, RetryAfter: 3 * time.Second, Times: 2}),
		ends:   arrives, charged: price, recovers: "when the time is over that Slack names", within: slowest,
	},
	{
		area: "Slack: card", on: "Slack", fault: "edits are answered with a web page", setup: setup{fal: slow()},
		before: upset(simslack.Fault{Method: "chat.update", Kind: simslack.HTML, Times: 3}),
		ends:   arrives, charged: price, recovers: "with the next edit", within: slowest,
	},
	{
		area: "Slack: card", on: "Slack", fault: "somebody deletes it", setup: setup{fal: slow()},
		during: func(r *rig) { r.running(); r.on.delete(r.cardSays(r.job, "Getting ready")) },
		ends:   arrives, charged: price, recovers: "not needed: the video is a message of its own", within: slowest,
	},
	{
		area: "Slack: card", on: "Slack", fault: "the response URL has expired (30 minutes)", setup: setup{fal: slow()},
		during: func(r *rig) { r.running(); slackOf(r).sim.Advance(31 * time.Minute) },
		ends:   arrives, charged: price, recovers: "not needed: the bot writes with its own token", within: slowest,
	},
	{
		area: "Slack: video", on: "Slack", fault: "the upload is cut twice", before: upset(simslack.Fault{Method: "upload", Kind: simslack.DropBefore, Times: 2}),
		ends: arrives, charged: price, recovers: "with the next try", within: slowest,
	},
	{
		area: "Slack: video", on: "Slack", fault: "the answer to the share is lost", before: upset(simslack.Fault{Method: "files.completeUploadExternal", Kind: simslack.LoseReply}),
		ends: arrives, charged: price, recovers: "with the next try, which finds the file", within: slowest,
	},
	{
		area: "Slack: video", on: "Slack", fault: "uploads are limited for 3 s", before: upset(simslack.Fault{Method: "files.getUploadURLExternal", Kind: simslack.RateLimited, RetryAfter: 3 * time.Second}),
		ends: arrives, charged: price, recovers: "when the time is over that Slack names", within: slowest,
	},
	{
		area: "Slack: video", on: "Slack", fault: "503, three times", before: upset(simslack.Fault{Method: "files.completeUploadExternal", Kind: simslack.HTTPStatus, Times: 3}),
		ends: arrives, charged: price, recovers: "with the next try", within: slowest,
	},
	{
		area: "Slack: video", on: "Slack", fault: "the workspace takes no files", before: upset(simslack.Fault{
			Method: "files.getUploadURLExternal", Kind: simslack.APIError, Error: "file_uploads_disabled", Times: -1,
		}),
		ends: arrives, charged: price, recovers: "at once, with a link that says why", within: slowest, link: true,
	},
	{
		area: "Slack: video", on: "Slack", fault: "Slack says ok and never shows the file",
		before: func(r *rig) { slackOf(r).sim.SetShareDelay(-1) },
		ends:   arrives, charged: price, recovers: "after 30 s, with a link that says why", within: slowest, link: true,
	},
	{
		area: "Slack: channel", on: "Slack", fault: "it is archived while the video is made", setup: setup{fal: slow()},
		during: func(r *rig) { r.running(); r.on.leave() },
		ends:   arrives, charged: price, recovers: "at once, by direct message", within: slowest,
	},
	{
		area: "Slack: socket", on: "Slack", fault: "all connections are cut while the video is made", setup: setup{fal: slow()},
		during: func(r *rig) { r.running(); slackOf(r).sim.DropSockets() },
		ends:   arrives, charged: price, recovers: "commands: after about a second; jobs do not notice", within: slowest,
	},
	{
		area: "Slack: socket", on: "Slack", fault: "Socket Mode is switched off while the video is made", setup: setup{fal: slow()},
		during: func(r *rig) { r.running(); slackOf(r).sim.SetSocketMode(false) },
		ends:   arrives, charged: price, recovers: "commands: some minutes after it is on again; jobs do not notice", within: slowest,
	},
}

// spoil is a fault of Discord from before the command on.
func spoil(f simdiscord.Fault) func(*rig) {
	return func(r *rig) { discordOf(r).sim.Inject(f) }
}

// upset is a fault of Slack from before the command on.
func upset(f simslack.Fault) func(*rig) {
	return func(r *rig) { slackOf(r).sim.Inject(f) }
}

func discordOf(r *rig) *onDiscord { return r.on.(*onDiscord) }
func slackOf(r *rig) *onSlack     { return r.on.(*onSlack) }

// until waits until something is true that has no signal.
func (r *rig) until(what string, ok func() bool) {
	r.t.Helper()
	until.True(r.t, what, ok, r.logged)
}

// after waits for something that has no signal: time of fal's or the bot's.
func (r *rig) after(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	<-t.C
}
