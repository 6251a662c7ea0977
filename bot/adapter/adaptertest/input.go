package adaptertest

import (
	"context"
	"io"
	"testing"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
)

// Input is a file of a job, by the id of its parameter.
func Input(t testing.TB, j generate.Job, id string) ltx.Media {
	t.Helper()
	m, ok := j.Request.Media(id)
	if !ok {
		t.Fatalf("%s is not set; the job is of %s", id, j.Request.CommandLine())
	}
	return m
}

// Opened is what a courier reads of a file of a job.
func Opened(ctx context.Context, t testing.TB, c generate.Courier, j generate.Job, id string) (string, error) {
	t.Helper()
	media, err := c.OpenInput(ctx, j, Input(t, j, id))
	if err != nil {
		return "", err
	}
	defer func() { _ = media.Body.Close() }()
	raw, err := io.ReadAll(media.Body)
	if err != nil {
		t.Fatal(err)
	}
	if media.Size != int64(len(raw)) {
		t.Errorf("the size is %d, of %d bytes", media.Size, len(raw))
	}
	return string(raw), nil
}
