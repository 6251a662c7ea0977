package generate_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
)

// openWhenAsked is somebody who lets the bot into the conversation again and asks
// to deliver the video of the first command.
func openWhenAsked(after time.Duration) happening {
	return happening{after: after, does: func(w *world, p *process) error {
		w.set(func(c *fakeChannel) { c.gone = false })
		_, err := p.engine.Redeliver(p.life(), firstJob(w.t), "operator")
		if errors.Is(err, generate.ErrDelivered) || errors.Is(err, generate.ErrNoJob) {
			return nil
		}
		return err
	}}
}

// closed is a conversation that goes away after some time.
func closed(after time.Duration) happening {
	return happening{after: after, does: func(w *world, _ *process) error {
		w.set(func(c *fakeChannel) { c.gone = true })
		return nil
	}}
}

// redeliveryScenarios are lives of jobs that are delivered once more.
var redeliveryScenarios = []scenario{
	{
		name: "a video that could not be posted is delivered again", outside: []happening{closed(20 * time.Second), openWhenAsked(3 * time.Minute)},
		ends: []ending{delivered, {state: generate.Failed, kind: generate.FailUnreachable, hold: quota.Released}},
	},
	{
		name: "the videos of a batch that could not be posted are delivered again", takes: 2,
		outside: []happening{closed(20 * time.Second), openWhenAsked(3 * time.Minute)},
		ends:    []ending{delivered, {state: generate.Failed, kind: generate.FailUnreachable, hold: quota.Released}},
	},
}

// unposted makes the videos of a command that its conversation does not take.
func (w *world) unposted(t *testing.T, p *process, takes int) (ids []string) {
	t.Helper()
	a := ask(t, 0)
	if takes > 1 {
		a = askTakes(t, 0, takes)
	}
	p.mustSubmit(t, a)
	elapse(w.provider.queue + w.provider.run - time.Second)
	w.set(func(c *fakeChannel) { c.gone = true })
	elapse(10 * time.Minute)
	return takesOf(a.Event, takes)
}

// reopened lets the bot into the conversation again.
func (w *world) reopened() { w.set(func(c *fakeChannel) { c.gone = false }) }

func TestAVideoThatCouldNotBePostedIsDeliveredAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		p := w.run()
		id := w.unposted(t, p, 1)[0]
		before := finished(t, p, id)
		if !before.Undelivered() || before.Failure.Kind != generate.FailUnreachable || before.Charged == 0 {
			t.Fatalf("job is %s (%s) with %d charged", before.State, before.Failure.Kind, before.Charged)
		}
		elapse(48 * time.Hour)
		w.reopened()
		// One error that passes does not end it, though the video is two days old.
		w.set(func(c *fakeChannel) { c.refuse = []error{errReply} })
		if j, err := p.engine.Redeliver(t.Context(), id, "slack:T1:U9"); err != nil || j.State != generate.Delivering || j.Redelivery.By != "slack:T1:U9" {
			t.Fatalf("job is %s, %v", j.State, err)
		}
		elapse(time.Minute)
		j, h := finished(t, p, id), hold(t, p, id)
		if j.State != generate.Delivered || j.Failure.Kind != "" || h.State != quota.Settled || h.Charged != before.Charged || j.Charged != before.Charged {
			t.Errorf("job is %s (%s) with %d charged, its hold %s with %d; want what it was, %d", j.State, j.Failure.Kind, j.Charged, h.State, h.Charged, before.Charged)
		}
		if shown := w.channel.shown(id); w.channel.posts[id] != 1 || shown.State != generate.Delivered {
			t.Errorf("%d videos are posted, the card says %s", w.channel.posts[id], shown.State)
		}
		if _, err := p.engine.Redeliver(t.Context(), id, "operator"); !errors.Is(err, generate.ErrDelivered) {
			t.Errorf("what is posted is delivered again: %v", err)
		}
	})
}

// posterCourier posts, and says that the conversation is gone.
type posterCourier struct {
	generate.Courier

	once    bool
	doubted []bool
}

func (c *posterCourier) Deliver(ctx context.Context, j generate.Job, videos []generate.Video, keep generate.Keep) ([]generate.Receipt, error) {
	c.doubted = append(c.doubted, j.Doubted)
	receipts, err := c.Courier.Deliver(ctx, j, videos, keep)
	if err == nil && !c.once {
		c.once = true
		return nil, generate.ErrUnreachable
	}
	return receipts, err
}

func TestCouriersLookBeforeTheyDeliverAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		courier := &posterCourier{Courier: w.channel}
		w.courier = courier
		p := w.run()
		id := p.accept(t, 0)
		elapse(2 * time.Minute)
		if j := finished(t, p, id); !j.Undelivered() {
			t.Fatalf("job is %s (%s)", j.State, j.Failure.Kind)
		}
		if _, err := p.engine.Redeliver(t.Context(), id, "operator"); err != nil {
			t.Fatal(err)
		}
		elapse(time.Minute)
		if j := finished(t, p, id); j.State != generate.Delivered || !slices.Equal(courier.doubted, []bool{false, true}) {
			t.Errorf("job is %s, the courier was told to look: %v", j.State, courier.doubted)
		}
	})
}

func TestWhatCannotBeDeliveredAgain(t *testing.T) {
	for _, tt := range []struct {
		name    string
		arrange func(*world)
		after   func(*world)
		want    error
	}{
		{"a video that fal does not keep any more", nil, func(w *world) { w.provider.openErr = generate.ErrGone }, generate.ErrGone},
		{"a job without a video", failing(1), nil, generate.ErrDelivered},
	} {
		t.Run(tt.name, virtual(func(t *testing.T) {
			w := newWorld(t)
			if tt.arrange != nil {
				tt.arrange(w)
			}
			p := w.run()
			id := w.unposted(t, p, 1)[0]
			before := finished(t, p, id)
			w.reopened()
			if tt.after != nil {
				w.change(func(*fakeProvider) { tt.after(w) })
			}
			if _, err := p.engine.Redeliver(t.Context(), id, "operator"); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if diff := cmp.Diff(before.Version, finished(t, p, id).Version); diff != "" {
				t.Errorf("the job was changed (-want +got):\n%s", diff)
			}
		}))
	}
}

func TestWhichVideosCouldNotBePosted(t *testing.T) {
	failed := generate.Job{ID: "a", State: generate.Failed, Output: ltx.Output{URL: "https://v3.fal.media/a.mp4"}}
	for name, tt := range map[string]struct {
		change func(*generate.Job)
		want   bool
	}{
		"made and paid for":                {func(*generate.Job) {}, true},
		"posted":                           {func(j *generate.Job) { j.State = generate.Delivered }, false},
		"never made":                       {func(j *generate.Job) { j.Output.URL = "" }, false},
		"deleted":                          {func(j *generate.Job) { j.Purge = time.Now() }, false},
		"deleted, and not at the provider": {func(j *generate.Job) { j.Notes = map[string]string{generate.NoteDeleted: "yes"} }, false},
		"of a lead, in its message": {func(j *generate.Job) {
			j.Batch = generate.Batch{ID: "a", Index: 1, Size: 2, Posting: []string{"a", "b"}}
		}, true},
		"of a lead, found too late":  {func(j *generate.Job) { j.Batch = generate.Batch{ID: "a", Index: 1, Size: 2, Posting: []string{"b"}} }, false},
		"of a lead, nothing chosen":  {func(j *generate.Job) { j.Batch = generate.Batch{ID: "a", Index: 1, Size: 2} }, true},
		"of another take of a batch": {func(j *generate.Job) { j.Batch = generate.Batch{ID: "z", Index: 2, Size: 2} }, true},
	} {
		j := failed
		tt.change(&j)
		if got := j.Undelivered(); got != tt.want {
			t.Errorf("%s: %t, want %t", name, got, tt.want)
		}
	}
}

func TestTheVideosOfABatchAreDeliveredAgain(t *testing.T) {
	for _, tt := range []struct {
		name    string
		arrange func(*world)
		after   func(*world)
		ask     int     // the take that somebody asks for, from 1
		want    [][]int // the takes in each message
		gone    []int   // that stay without
	}{
		{"in one message, whichever is asked for", nil, nil, 3, [][]int{{1, 2, 3}}, nil},
		{"of which the first has no video", failing(1), nil, 2, [][]int{{2, 3}}, nil},
		{"of which fal has lost the first", nil, func(w *world) { w.provider.lost = map[string]error{take(w.t, 1): generate.ErrGone} }, 1, [][]int{{2}, {3}}, []int{1}},
		{"of which fal has lost another", nil, func(w *world) { w.provider.lost = map[string]error{take(w.t, 2): generate.ErrGone} }, 1, [][]int{{1, 3}}, []int{2}},
	} {
		t.Run(tt.name, virtual(func(t *testing.T) {
			w := newWorld(t)
			w.policy.Member.JobsAtATime = 3
			if tt.arrange != nil {
				tt.arrange(w)
			}
			p := w.run()
			ids := w.unposted(t, p, 3)
			elapse(time.Hour) // longer than a batch waits for its takes
			w.reopened()
			if tt.after != nil {
				w.change(func(*fakeProvider) { tt.after(w) })
			}
			_, err := p.engine.Redeliver(t.Context(), ids[tt.ask-1], "operator")
			if isGone := slices.Contains(tt.gone, tt.ask); isGone != errors.Is(err, generate.ErrGone) || !isGone && err != nil {
				t.Fatal(err)
			}
			elapse(5 * time.Minute)
			var got [][]int
			for _, in := range w.channel.messages {
				var takes []int
				for _, id := range in {
					takes = append(takes, slices.Index(ids, id)+1)
				}
				got = append(got, takes)
			}
			slices.SortFunc(got, slices.Compare)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("messages (-want +got):\n%s", diff)
			}
			for i, id := range ids {
				j := finished(t, p, id)
				posted := slices.ContainsFunc(tt.want, func(in []int) bool { return slices.Contains(in, i+1) })
				if posted != (j.State == generate.Delivered) || j.Undelivered() != slices.Contains(tt.gone, i+1) {
					t.Errorf("take %d is %s (%s)", i+1, j.State, j.Failure.Kind)
				}
			}
			if card := w.channel.shown(ids[0]); card.State != generate.Delivered {
				t.Errorf("the card says %s", card.State)
			}
		}))
	}
}
