// Package library is what a team keeps for its videos: LoRAs by name, styles,
// the options that each member has by default, and what a look at a LoRA's file
// has found.
//
// The Office changes it and says what is in it, for the chat, the command line
// and the API alike. The Shelf keeps in memory what is looked up for each
// request and while people type.
package library
