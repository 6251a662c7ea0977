// Package store keeps everything the bot must remember: jobs, the waiting line,
// the quota ledger, libraries, what admins decided, the audit log, and small values. Its
// rules are written once, over the transactions of a kv.Engine; engines are in
// store/bolt (one file, one process) and store/redis (any number of processes).
//
// # Keys and values
//
// Keys are names joined by slashes; names are escaped (%2F), times are in UTC
// with nine decimals (here cut), numbers have 16 digits (here fewer). Values are
// JSON with the version of their format: {"v":1,…}. Where the table has no
// value it is {"v":1}.
//
//	jobs
//	  job/k3v9                                        {"v":1,"id":"k3v9","version":4,"state":"running",…,"run":"a81f"}
//	  jobs/all/2026-03-11T12:00:00.0Z/k3v9
//	  jobs/team/acme/2026-03-11T…/k3v9                and so by member/discord:1, channel/discord/G1/C1,
//	                                                  state/received and state/delivered, model/fal-ai%2Fltx-2.3…,
//	                                                  posted/sha256:9f86d0… (the file), posted/https:%2F%2Fdiscord.com… (the message)
//	  open/all/2026-03-11T…/k3v9                      unfinished jobs; also open/team/acme/…, open/member/discord:1/…
//	  ended/job/2026-03-11T…/k3v9                     jobs that are over, by their end, for retention
//	  ended/prompt/2026-03-11T…/k3v9                  those of them whose prompt is kept
//
//	the archive
//	  archive/job/k3v9                                {"v":1,"job":"k3v9","path":"acme/2026/03/k3v9",…}   its copy is not as the record says
//	  archive/due/2026-03-11T…/k3v9                   by when that is to be changed
//
//	the waiting line
//	  line/bot                                        {"v":1,"slots":7,"turn":31,"seq":44}
//	  line/team/acme                                  {"v":1,"slots":2,"place":"line/next/…"}
//	  line/member/acme/discord:1                      {"v":1,"slots":1,"turn":29,"waiting":{"studio":2},"place":"line/order/…"}
//	  line/wait/acme/discord:1/studio/0043            {"v":1,"job":"k3v9","tiers":["studio"]}   by tiers and arrival
//	  line/order/acme/ready/0029/0043/discord:1       {"v":1,"jobs":2,"first":43}   by last turn and arrival; or parked
//	  line/next/0029/0043/acme                        teams that have room, by their first ready member
//
//	the ledger
//	  hold/k3v9                                       {"v":1,"job":"k3v9","state":"held","cost":120000,"entries":[…],…}
//	  holds/held/k3v9                                 holds that are neither settled nor released
//	  holds/team/acme/2026-03-11T…/k3v9               by when they were reserved
//	  holds/expiry/2026-04-14T…/k3v9                  by when their last counter expires
//	  usage/acme/member/discord:1                     {"v":1,"counters":{"usd/day/2026-03-11":{"sum":120000,"expires":1774…}}}
//	  usage/acme/team/acme, usage//bot/               the same for a team and the bot
//	  totals                                          {"v":1,"holds":9,"reserved":1080000,…}
//	  spent/2026-03-11/acme/discord:1                 {"v":1,"holds":{"videos":3,"charged":360000,…},"past":{…},"parts":{"95":{…}}}
//	  spent-by-team/2026-03-11/acme                   {"v":1,"videos":9,"charged":1080000,…}   all members together
//
//	libraries
//	  library/team/acme                               {"v":1,"loras":2,"styles":1,"edition":"7QK…"}   another one after each change
//	  library/lora/acme/film                          {"v":1,"name":"Film","path":"owner/repo","scale":0.8,…}
//	  library/style/acme/noir                         {"v":1,"name":"noir","options":"camera:static",…}
//	  library/defaults/acme/discord:1                 {"v":1,"settings":[{"key":"camera","value":"static"}]}
//
//	the rest
//	  admin/member/acme/discord:1                     {"v":1,"overrides":[…],"blocked":{…},…}
//	  admin/team/acme                                 {"v":1,"grants":[…],…}
//	  audit/acme/2026-03-11T…/r1                      {"v":1,"id":"r1","by":"discord:9","verb":"set",…}
//	  ttl/warn%2Facme%2F50                            {"v":1,"value":"sent","expires":"2026-03-12T…"}
//	  session/discord:1/5f2c…                         {"v":1,"value":"eyJ…","created":"2026-03-11T…","expires":"2026-03-12T…"}   the id is a hash
//	  setting/schedule                                {"v":1,"value":"eyJ…"}   in base64
//	  clock                                           {"v":1,"swept":"2026-03-11T…"}   when a sweep last ran
//	  damaged/job/k3v9                                a record as it was found when it could not be read
//
// # Lost writes
//
// A server may come back without its last writes. Three rules keep money safe.
// Save waits with Sync for a job that is about to be submitted. A process whose
// claimed job has gone, or gone back, under another incarnation of the server
// writes it again. A job that was accepted under another incarnation is handed
// out as Doubtful: it is looked for at the provider before it is submitted.
package store
