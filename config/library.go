package config

// Library is what the bot does about LoRAs that a team keeps or asks about.
type Library struct {
	Add      string `toml:"add" doc:"Who may add to a team's list: \"admins\" of the team, or \"everyone\" in it. Admins may change and remove everything; where everyone may add, who has added something may change it too."`
	Check    bool   `toml:"check" doc:"Whether the bot looks at a LoRA's file when somebody asks for it: it reads the first kilobytes, from hosts in lora.hosts and where they redirect to, over https and from public addresses only."`
	MaxBytes int64  `toml:"max_bytes" doc:"Largest LoRA that is uploaded to fal for a team, in bytes."`
}

// The values of library.add.
const (
	AddAdmins   = "admins"
	AddEveryone = "everyone"
)

// maxUpload is the largest file that the bot uploads to fal, in bytes.
const maxUpload = 3 << 30

func defaultLibrary() Library { return Library{Add: AddAdmins, Check: true, MaxBytes: 1 << 30} }

func (l Library) check(k *checker) {
	k.oneOf("library.add", l.Add, AddAdmins, AddEveryone)
	k.whole("library.max_bytes", l.MaxBytes, 1<<20, maxUpload)
}
