package app

import (
	"context"
	"os"

	"ltxbot/config"
	"ltxbot/core/library"
	"ltxbot/internal/publichttp"
	"ltxbot/provider/hub"
)

// loras looks at files of LoRAs while the config of the moment lets it.
type loras struct {
	library.Checker

	now *current
}

// newLoRAs makes the checker, or takes that of opts.
func newLoRAs(now *current, opts Options) (loras, error) {
	if opts.LoRAs != nil {
		return loras{opts.LoRAs, now}, nil
	}
	client, err := publichttp.New(publichttp.Options{UserAgent: "ltxbot/" + opts.Version})
	if err != nil {
		return loras{}, err
	}
	allows := func(host string) bool { return now.rules().AllowsHost(host) }
	return loras{hub.New(hub.Config{Client: client, Allows: allows}), now}, nil
}

// Check implements library.Checker.
func (l loras) Check(ctx context.Context, path string) (library.Finding, error) {
	if !l.now.config().Library.Check {
		return library.Finding{}, library.ErrOff
	}
	return l.Checker.Check(ctx, path)
}

// LookAtLoRA looks at a LoRA as somebody types it, without a store or an engine,
// by the config of a bot.
func LookAtLoRA(ctx context.Context, cfg config.Config, opts Options, typed string) (library.Look, error) {
	b, err := newBase(cfg, opts)
	if err != nil {
		return library.Look{}, err
	}
	files, err := newLoRAs(b.now, opts)
	if err != nil {
		return library.Look{}, err
	}
	return library.LookAt(ctx, b.now.rules(), files, typed)
}

// UploadLoRA puts a file on fal's storage with the key of a config, to stay
// there. What can't be loaded is not uploaded: the finding says why.
func UploadLoRA(ctx context.Context, cfg config.Config, opts Options, file string) (link string, found library.Finding, err error) {
	f, err := os.Open(file) //nolint:gosec // the operator names it
	if err != nil {
		return "", found, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return "", found, err
	}
	found, err = hub.New(hub.Config{}).Inspect(f, info.Size())
	if err != nil || !found.Usable() {
		return "", found, err
	}
	opts.setDefaults()
	provider, err := newProvider(cfg.Fal, hooks{}, opts.Version, newOps(opts.Version), opts.Logger)
	if err != nil {
		return "", found, err
	}
	defer provider.Close()
	link, err = provider.UploadToStay(ctx, "lora.safetensors", "application/octet-stream", f, info.Size())
	return link, found, err
}
