package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"ltxbot/app/admin"
	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/internal/ingress"
	"ltxbot/media"
)

func TestAFileIsVerifiedFromTheStoreAndByTheRunningBot(t *testing.T) {
	s := newShelf(t)
	dir := t.TempDir()
	sample, err := os.ReadFile("../../media/testdata/sample.mp4")
	if err != nil {
		t.Fatal(err)
	}
	plain := filepath.Join(dir, "plain.mp4")
	write(t, plain, sample)
	out, err := media.Marker{}.Mark(generate.File{Path: plain, Size: int64(len(sample))}, generate.Mark{Model: "fal-ai/test", Job: s.job.ID})
	if err != nil {
		t.Fatal(err)
	}
	r, err := out.Open()
	if err != nil {
		t.Fatal(err)
	}
	marked, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	posted := filepath.Join(dir, "posted.mp4")
	write(t, posted, marked)
	copied := filepath.Join(dir, "copy.mp4")
	write(t, copied, append(marked, "\x00\x00\x00\x08free"...))
	sum := sha256.Sum256(marked)
	j := s.job
	j.State, j.Shown = generate.Delivered, generate.Delivered
	j.Receipt = generate.Receipt{Link: "https://discord.com/channels/1/2/3", SHA256: hex.EncodeToString(sum[:])}
	if s.job, err = s.store.Save(t.Context(), j, quota.Settle(130_000)); err != nil {
		t.Fatal(err)
	}

	check := func(t *testing.T) {
		t.Helper()
		s.want(t, 0, "posted: exactly this file, made by AI, for job k3f92mq7abcd of discord:1 in team acme", "jobs", "verify", posted)
		s.want(t, 0, "https://discord.com/channels/1/2/3", "jobs", "verify", posted)
		s.want(t, 0, `made by AI with "fal-ai/test" for job "k3f92mq7abcd", says the file; anybody can write that`, "jobs", "verify", posted)
		s.want(t, 0, "posted: not this file\nmark: made by AI", "jobs", "verify", copied)
		s.want(t, 0, "there is such a job, of discord:1 in team acme; its video was another file", "jobs", "verify", copied)
		s.want(t, 0, "posted: not this file\nmark: none", "jobs", "verify", plain)
		s.want(t, 2, "nosuchfile", "jobs", "verify", filepath.Join(dir, "nosuchfile"))
		var got verified
		_, text, _ := s.bot(t, "jobs", "verify", "--json", posted)
		if err := json.Unmarshal([]byte(text), &got); err != nil || got.SHA256 != j.Receipt.SHA256 || len(got.Posted) != 1 || got.Posted[0].ID != j.ID || got.Mark == nil || got.Named == nil {
			t.Errorf("as JSON: %s (%v)", text, err)
		}
	}
	t.Run("the running bot", func(t *testing.T) {
		const token = "0123456789abcdef"
		guard := ingress.New(slog.New(slog.DiscardHandler), nil)
		defer guard.Close()
		api := admin.New(token, guard, slog.New(slog.DiscardHandler))
		api.ServeJobs(s)
		server := httptest.NewServer(api)
		defer server.Close()
		s.configure(t, "listen = \""+server.Listener.Addr().String()+"\"\nadmin_token = \""+token+"\"\n")
		check(t)
	})
	t.Run("the store", func(t *testing.T) {
		if err := s.store.Close(); err != nil {
			t.Fatal(err)
		}
		s.configure(t, "")
		check(t)
	})
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
