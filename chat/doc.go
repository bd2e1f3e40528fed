// Package chat is rooms and direct conversations.
package chat
