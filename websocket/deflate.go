package websocket

import "strconv"

// Compression of messages: the extension permessage-deflate (RFC 7692). This file is what may be chosen; deflate_negotiate.go agrees on
// it with the peer, deflate_send.go compresses, deflate_receive.go and deflate_inflate.go decompress.

// CompressionMode says whether messages are compressed.
type CompressionMode int

const (
	// CompressionOff: the extension is neither offered nor accepted.
	CompressionOff CompressionMode = iota

	// CompressionNoTakeover: each message is compressed by itself. A connection keeps no memory for it.
	CompressionNoTakeover

	// CompressionTakeover: a message may refer to those before it, which makes similar small messages much smaller. The connection keeps
	// the end of what was sent and of what was received, each at most 2^WindowBits bytes. It is what is asked for; a peer may
	// refuse it for either direction, and then that direction works as with CompressionNoTakeover.
	CompressionTakeover
)

const (
	// DefaultCompressionThreshold is the size in bytes below which a message is sent as it is: there is little to gain.
	DefaultCompressionThreshold = 128

	// DefaultWindowBits is the default of CompressionTakeover: 4 KiB for each direction.
	DefaultWindowBits = 12

	minWindowBits = 8
	maxWindowBits = 15 // that of DEFLATE itself (RFC 1951)
)

// Compression is what an endpoint wants of permessage-deflate (RFC 7692). The zero value is no compression.
//
// Compression costs processor time, and its length can betray secrets to who can put text of his own beside them and watch the wire
// (as CRIME and BREACH did): do not switch it on for messages that mix both.
type Compression struct {
	Mode CompressionMode

	// Level is from 1 (fastest) to 9 (smallest). Default 1.
	Level int

	// Threshold is the size in bytes from which messages are compressed. Default 128; negative: all of them.
	Threshold int

	// WindowBits is how far back a message may refer, 8 to 15 for 2^8 to 2^15 bytes, in both directions. Default 12 with
	// CompressionTakeover, where it bounds what an idle connection keeps; 15 without, where nothing is kept.
	WindowBits int
}

// withDefaults fills in what was left out, and says what cannot be.
func (o Compression) withDefaults() (Compression, *HandshakeError) {
	if o.Level == 0 {
		o.Level = 1
	}
	switch {
	case o.Threshold == 0:
		o.Threshold = DefaultCompressionThreshold
	case o.Threshold < 0:
		o.Threshold = 0
	}
	switch {
	case o.WindowBits != 0:
	case o.Mode == CompressionTakeover:
		o.WindowBits = DefaultWindowBits
	default:
		o.WindowBits = maxWindowBits
	}
	bad := func(text string) *HandshakeError { return &HandshakeError{Code: "bad_option", Text: text} }
	switch {
	case o.Mode < CompressionOff || o.Mode > CompressionTakeover:
		return o, bad("Compression.Mode must be CompressionOff, CompressionNoTakeover or CompressionTakeover, not " + strconv.Itoa(int(o.Mode)))
	case o.Level < 1 || o.Level > 9:
		return o, bad("Compression.Level must be from 1 to 9, not " + strconv.Itoa(o.Level))
	case o.WindowBits < minWindowBits || o.WindowBits > maxWindowBits:
		return o, bad("Compression.WindowBits must be from 8 to 15, not " + strconv.Itoa(o.WindowBits))
	}
	return o, nil
}

// deflateParams is what both endpoints agreed on, seen from this one. The zero value is no compression.
type deflateParams struct {
	on        bool
	level     int
	threshold int
	out, in   deflateDirection
}

// negotiated sets the connection up for what was agreed on.
func (c *Conn) negotiated(p deflateParams) {
	if p.on {
		c.deflate = &deflation{deflateDirection: p.out, level: p.level, threshold: p.threshold}
		c.machine.rsv = bitRSV1
		c.machine.inflate = &inflation{deflateDirection: p.in}
	}
}

// deflateDirection is one direction of a connection.
type deflateDirection struct {
	bits     int  // no reference goes back further than 2^bits bytes
	takeover bool // messages may refer to those before them
}

func (d deflateDirection) window() int { return 1 << d.bits }
