// Package identity is who is speaking, and what they may do.
package identity
