// Package store keeps everything the bot must remember.
package store
