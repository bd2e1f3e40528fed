package websocket

import (
	"errors"
	"fmt"
	"strings"
)

// Error is an error of this package with a stable code. Compare with errors.Is against the Err… values below;
// the text of a returned error may say more than theirs.
type Error struct {
	code  string
	text  string
	cause error
}

// Code returns the error's stable code, for example "message_too_big".
func (e *Error) Code() string { return e.code }

// Error returns what happened and, where something can be done, what.
func (e *Error) Error() string {
	if e.cause != nil {
		return "websocket: " + e.text + ": " + e.cause.Error()
	}
	return "websocket: " + e.text
}

// Unwrap returns what caused the error, if something did.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether target is an [*Error] with the same code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.code == e.code
}

func (e *Error) because(cause error) *Error {
	if cause == nil {
		return e
	}
	return &Error{code: e.code, text: e.text, cause: cause}
}

func (e *Error) saying(format string, args ...any) *Error {
	return &Error{code: e.code, text: fmt.Sprintf(format, args...)}
}

// The errors that operations of a [Conn] return, beside [*CloseError] (how the peer ended the connection),
// [*ProtocolError] (what the peer did wrong) and the errors of a cancelled context.
var (
	// ErrClosed: this side has closed the connection, or it has failed before; its cause says which.
	ErrClosed = &Error{code: "closed", text: "the connection is closed"}

	// ErrConcurrentRead: a second goroutine reads while the first one does. Nothing was consumed.
	ErrConcurrentRead = &Error{code: "concurrent_read", text: "another goroutine is reading this connection; one may read at a time"}

	// ErrMessageTooBig: the peer's message, or one frame of it, exceeds ReadLimit or FrameLimit. The connection
	// was closed with 1009. A [*ProtocolError] with that code matches it.
	ErrMessageTooBig = &Error{code: "message_too_big", text: "the message is bigger than ReadLimit"}

	// ErrInvalidUTF8: a text message to be written is not UTF-8. Nothing was sent; use MessageBinary for bytes.
	ErrInvalidUTF8 = &Error{code: "invalid_utf8", text: "a text message must be valid UTF-8; use MessageBinary for other bytes"}

	// ErrMessageType: the type to be written is neither MessageText nor MessageBinary. Nothing was sent.
	ErrMessageType = &Error{code: "message_type", text: "the message type must be MessageText or MessageBinary"}

	// ErrBadClose: the code given to Close may not be sent. The connection was closed with 1011 in its place.
	ErrBadClose = &Error{code: "bad_close", text: "the status code may not be sent in a Close frame"}

	// ErrMessageTimeout: the rest of a message did not come within MessageTimeout. The connection was closed
	// with 1008.
	ErrMessageTimeout = &Error{code: "message_timeout", text: "the rest of a message did not come within MessageTimeout"}

	// ErrFull: SendLimit or more bytes wait to be sent, in the handler form. The message was dropped.
	ErrFull = &Error{code: "full", text: "the peer takes messages slower than they come: SendLimit bytes wait; the message was dropped"}

	// ErrServerClosed: Shutdown was called; the Server takes no more connections.
	ErrServerClosed = &Error{code: "server_closed", text: "the server is shut down; it takes no more connections"}

	// ErrWriteTimeout: the peer took nothing more for WriteTimeout. The connection is closed.
	ErrWriteTimeout = &Error{code: "write_timeout", text: "the peer did not take what was written within WriteTimeout"}

	// ErrPongTimeout: the peer was silent for PingInterval and did not answer a ping within PongTimeout. The
	// connection is closed.
	ErrPongTimeout = &Error{code: "pong_timeout", text: "the peer did not answer a ping within PongTimeout"}

	// ErrCloseTimeout: the peer did not answer a Close frame within CloseTimeout. The connection is closed.
	ErrCloseTimeout = &Error{code: "close_timeout", text: "the peer did not answer the Close frame within CloseTimeout"}
)

// CloseError says how the peer ended the connection. Find it with errors.As, or ask [CloseStatus].
//
// Code is the one in the peer's Close frame, or [StatusNoStatus] if that had none, or [StatusAbnormalClosure] if the
// connection ended without a Close frame; then Unwrap tells the cause (for example io.ErrUnexpectedEOF, or
// [ErrPongTimeout]).
type CloseError struct {
	Code   StatusCode
	Reason string // at most 123 bytes of UTF-8, written by the peer: do not trust it

	cause error
}

func (e *CloseError) Error() string {
	text := "websocket: closed by the peer: " + e.Code.String()
	if e.Code == StatusAbnormalClosure {
		text = "websocket: the connection ended without a Close frame: " + e.Code.String()
	}
	if e.Reason != "" {
		text += fmt.Sprintf(": %q", e.Reason)
	}
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	return text
}

// Unwrap returns why the connection ended without a Close frame, if it did.
func (e *CloseError) Unwrap() error { return e.cause }

// CloseStatus returns the code of the [*CloseError] in err's chain, and 0 if there is none.
func CloseStatus(err error) StatusCode {
	if e, ok := errors.AsType[*CloseError](err); ok {
		return e.Code
	}
	return 0
}

// ProtocolError says what the peer did against the protocol, or against a limit of ours. The connection was failed
// (RFC 6455, section 7.1.7): a Close frame with Code was sent and the connection closed.
type ProtocolError struct {
	Code    StatusCode // what the peer was told: 1002, 1007, 1008 or 1009
	Section string     // the section of RFC 6455 that has the rule, or "RFC 7692, section …" for one of compression
	Text    string     // what it did; also the reason sent to the peer

	cause *Error
}

func (e *ProtocolError) Error() string {
	section := e.Section
	if !strings.HasPrefix(section, "RFC") {
		section = "RFC 6455, section " + section
	}
	return fmt.Sprintf("websocket: the peer was refused with %v: %s (%s)", e.Code, e.Text, section)
}

// Unwrap returns the limit that was exceeded ([ErrMessageTooBig], [ErrMessageTimeout]), or nil.
func (e *ProtocolError) Unwrap() error {
	if e.cause == nil {
		return nil
	}
	return e.cause
}

// HandshakeError says why an opening handshake failed.
//
// From [Accept], Status is the HTTP status that the client was answered. From [Dial], it is the status that the server
// answered, 0 if there was no answer.
type HandshakeError struct {
	Status int
	Code   string // stable: "bad_handshake", "method", "version", "body", "origin", "http2", "no_hijack", "lost"; "bad_url", "bad_option", "connect", "timeout", "redirect", "refused", "bad_response"
	Text   string // what is wrong and what to do

	cause error
}

func (e *HandshakeError) Error() string {
	text := "websocket: opening handshake: " + e.Text
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	return text
}

// Unwrap returns the error below, if there is one.
func (e *HandshakeError) Unwrap() error { return e.cause }
