package app

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"ltxbot/core/generate"
	"ltxbot/internal/ingress"
	"ltxbot/provider/fal"
)

// webhookPath is where fal calls when a job has ended.
const webhookPath = "/fal/webhook"

// maxWebhook bounds the body of a webhook. The output of the model is a
// link, far below it.
const maxWebhook = 1 << 20

// hooks makes the URLs that fal calls and knows them again. A URL carries the
// job's id and a signature of it, so that nobody can name another job.
type hooks struct {
	base string
	key  []byte
}

// newHooks derives the signing key from the key of the provider: all
// processes that share it, and all restarts, know each other's URLs.
func newHooks(base, providerKey string) hooks {
	mac := hmac.New(sha256.New, []byte(providerKey))
	mac.Write([]byte("ltxbot webhook URL"))
	return hooks{base: strings.TrimSuffix(base, "/"), key: mac.Sum(nil)}
}

// url is where fal calls for a job; empty when webhooks are off.
func (h hooks) url(job string) string {
	if h.base == "" {
		return ""
	}
	return h.base + webhookPath + "?" + url.Values{"job": {job}, "sig": {h.sign(job)}}.Encode()
}

// sign is the signature of a job's id.
func (h hooks) sign(job string) string {
	mac := hmac.New(sha256.New, h.key)
	mac.Write([]byte(job))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// job is the job that a URL names, if it is one of ours.
func (h hooks) job(q url.Values) (string, bool) {
	job := q.Get("job")
	return job, job != "" && hmac.Equal([]byte(q.Get("sig")), []byte(h.sign(job)))
}

// webhooks takes fal's calls. The URL and the headers are looked at before
// the body is read. Calls are hints: the engine asks for the
// result itself. An answer other than 200 makes fal call again later.
// https://fal.ai/docs/documentation/model-apis/inference/webhooks
type webhooks struct {
	hooks    hooks
	provider *fal.Client
	engine   *generate.Engine
	guard    *ingress.Guard
	log      *slog.Logger
}

// ServeHTTP implements http.Handler.
func (h webhooks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	refuse := func(why ingress.Reason) { h.guard.Refuse(w, ingress.Webhook, why) }
	job, ok := h.hooks.job(r.URL.Query())
	if !ok {
		refuse(ingress.Unknown)
		return
	}
	switch err := h.provider.Webhooks().Precheck(r.Header); {
	case errors.Is(err, fal.ErrStale):
		refuse(ingress.Stale)
		return
	case err != nil:
		refuse(ingress.Unsigned)
		return
	}
	body, release, ok := h.guard.Body(w, r, ingress.Webhook, maxWebhook)
	if !ok {
		return
	}
	defer release()
	hook, err := h.provider.Webhooks().Verify(r.Context(), r.Header, body)
	if errors.Is(err, fal.ErrSignature) {
		refuse(ingress.BadSignature)
		return
	}
	if err != nil {
		h.log.WarnContext(r.Context(), "cannot verify a webhook", "error", err)
		http.Error(w, "cannot verify the signature now", http.StatusServiceUnavailable)
		return
	}
	err = h.engine.Arrived(r.Context(), job, hook.RequestID)
	switch {
	case err == nil:
		w.WriteHeader(http.StatusOK)
	case errors.Is(err, generate.ErrNoJob):
		refuse(ingress.Unknown)
	case errors.Is(err, generate.ErrNotReady):
		http.Error(w, "the submit is still under way", http.StatusServiceUnavailable)
	default:
		h.log.WarnContext(r.Context(), "cannot take in a webhook", "job", job, "error", err)
		http.Error(w, "not possible now", http.StatusServiceUnavailable)
	}
}
