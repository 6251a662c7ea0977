package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"ltxbot/sim/fal"
)

// model is the endpoint that the bot uses.
const model = "fal-ai/ltx-2.3-22b/text-to-video/lora"

// falClient lets fal's own library for Node make videos, be refused, cancel
// and upload on sim/fal, and asks the simulator what it saw.
func falClient(ctx context.Context, b *bench) error {
	quick := fal.Timing{Queue: 200 * time.Millisecond, Run: 2 * time.Second} // in which a busy machine sees it run
	server, err := fal.Start(fal.Options{Concurrency: 10, Timing: quick})
	if err != nil {
		return err
	}
	defer server.Close()
	for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		server.Inject(fal.Fault{Op: fal.OpSubmit, Status: status, Body: `{"detail":"busy"}`})
	}
	_, client, err := b.start(ctx, "clients/fal.mjs", "QUEUE_URL="+server.QueueURL(), "REST_URL="+server.RESTURL(),
		"MEDIA_URL=http://"+server.MediaHost(), "MODEL="+model, "FAL_TEST_KEY="+server.Key())
	if err != nil {
		return err
	}
	if err := client.wait(ctx); err != nil {
		return err
	}
	var found []error
	for _, v := range server.Violations() {
		found = append(found, errors.New(v))
	}
	if n := server.Count(fal.OpStream); n == 0 {
		found = append(found, errors.New("no status was streamed"))
	}
	if n := server.Count(fal.OpCancel); n != 1 {
		found = append(found, fmt.Errorf("%d cancels, want 1", n))
	}
	return errors.Join(found...)
}
