package config

import "math"

// Inputs are the files that people put into a video.
type Inputs struct {
	Hosts      []string `toml:"hosts" doc:"Links to files are followed to these hosts only; *. stands for any host below. Empty = to every host with a public address. Files that are attached in Discord or Slack are not asked for this."`
	MaxPicture int64    `toml:"max_picture" doc:"Largest picture that is taken, in bytes."`
	MaxSound   int64    `toml:"max_sound" doc:"Largest soundtrack that is taken, in bytes."`
	MaxClip    int64    `toml:"max_clip" doc:"Largest clip that is taken, in bytes. While they are uploaded, four files at a time are kept in media.dir."`
}

func defaultInputs() Inputs {
	return Inputs{Hosts: []string{}, MaxPicture: 30 << 20, MaxSound: 50 << 20, MaxClip: 500 << 20}
}

func (i Inputs) check(k *checker) {
	k.hosts("inputs.hosts", i.Hosts)
	k.whole("inputs.max_picture", i.MaxPicture, 1<<20, math.MaxInt32)
	k.whole("inputs.max_sound", i.MaxSound, 1<<20, math.MaxInt32)
	k.whole("inputs.max_clip", i.MaxClip, 1<<20, math.MaxInt32)
}
