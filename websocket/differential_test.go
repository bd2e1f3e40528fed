package websocket

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// A second implementation of receiving, read straight from RFC 6455: slow, with all the input at hand, sharing nothing with the package. The
// fuzz target below has both receive the same bytes.

// received is what a peer's bytes amount to.
type received struct {
	messages []string // type and content
	pings    []string
	end      string // "close" with code and reason, "fail" with the code of the Close frame that it is answered with, or "eof"
}

type referenceFrame struct {
	fin     bool
	opcode  byte
	length  uint64
	payload []byte // unmasked; less than length if the input ends
}

func reference(in []byte, fromClient bool, readLimit, frameLimit uint64) (got received) {
	var message []byte
	var kind byte // of the message that is not finished, 0 for none
	fail := func(code int) received {
		got.end = fmt.Sprint("fail ", code)
		return got
	}
	eof := func() received {
		got.end = "eof"
		return got
	}
	for {
		// 5.2: the first two bytes
		if len(in) < 2 {
			return eof()
		}
		f := referenceFrame{fin: in[0] >= 128, opcode: in[0] % 16}
		masked := in[1] >= 128
		short := in[1] % 128
		control := f.opcode >= 8
		switch {
		case in[0]/16%8 != 0: // RSV1 to RSV3
			return fail(1002)
		case f.opcode > 10 || f.opcode > 2 && f.opcode < 8:
			return fail(1002)
		case masked != fromClient: // 5.1
			return fail(1002)
		case control && (!f.fin || short > 125): // 5.5
			return fail(1002)
		case f.opcode == 0 && kind == 0: // 5.4
			return fail(1002)
		case (f.opcode == 1 || f.opcode == 2) && kind != 0: // 5.4
			return fail(1002)
		}
		// 5.2: the length, in as few bytes as it fits in
		in = in[2:]
		var key []byte
		rest := map[byte]int{126: 2, 127: 8}[short]
		if masked {
			rest += 4
		}
		if len(in) < rest {
			return eof()
		}
		f.length = uint64(short)
		switch short {
		case 126:
			f.length = uint64(in[0])<<8 + uint64(in[1])
			in = in[2:]
			if f.length < 126 {
				return fail(1002)
			}
		case 127:
			f.length = 0
			for _, b := range in[:8] {
				f.length = f.length<<8 + uint64(b)
			}
			in = in[8:]
			if f.length < 65536 || f.length >= 1<<63 {
				return fail(1002)
			}
		}
		if masked {
			key, in = in[:4], in[4:]
		}
		if !control {
			if f.opcode != 0 {
				kind, message = f.opcode, nil
			}
			if f.length > frameLimit || f.length+uint64(len(message)) > readLimit { // 10.4
				return fail(1009)
			}
		}
		complete := f.length <= uint64(len(in))
		for i := range min(f.length, uint64(len(in))) {
			b := in[i]
			if masked { // 5.3
				b ^= key[i%4]
			}
			f.payload = append(f.payload, b)
		}
		in = in[len(f.payload):]
		if control {
			if !complete {
				return eof()
			}
			switch f.opcode {
			case 8:
				got.end = referenceClose(f.payload)
				return got
			case 9:
				got.pings = append(got.pings, string(f.payload))
			}
			continue
		}
		message = append(message, f.payload...)
		if kind == 1 && !couldBeText(message, f.fin && complete) { // 8.1
			return fail(1007)
		}
		if !complete {
			return eof()
		}
		if f.fin {
			got.messages = append(got.messages, fmt.Sprintf("%d %q", kind, message))
			kind, message = 0, nil
		}
	}
}

// referenceClose reads a Close frame (5.5.1, 7.4).
func referenceClose(payload []byte) string {
	if len(payload) == 0 {
		return `close 1005 ""`
	}
	if len(payload) == 1 {
		return "fail 1002"
	}
	code := int(payload[0])*256 + int(payload[1])
	switch {
	case code < 1000, code >= 1004 && code <= 1006, code >= 1015 && code < 3000, code > 4999:
		return "fail 1002"
	case !couldBeText(payload[2:], true):
		return "fail 1007"
	}
	return fmt.Sprintf("close %d %q", code, payload[2:])
}

// couldBeText reports whether b is UTF-8, or if it is not all, may become it.
func couldBeText(b []byte, all bool) bool {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			return !all && !utf8.FullRune(b)
		}
		b = b[n:]
	}
	return true
}

// receiveAll has a Conn receive the bytes, and returns what its Reads and its answers amount to.
func receiveAll(t *testing.T, in []byte, fromClient bool, readLimit, frameLimit int64) received {
	ours, theirs := memoryPipe()
	c := plainConn(ours, !fromClient, limits{
		read: readLimit, frame: frameLimit, pingInterval: -1, closeTimeout: time.Minute,
	}.withDefaults())
	defer c.CloseNow()
	theirs.Write(in)
	theirs.CloseWrite()
	sent := make(chan []byte, 1)
	go func() {
		answers, _ := io.ReadAll(theirs) // ends with the connection
		sent <- answers
	}()
	var got received
	for {
		kind, data, err := c.Read(context.Background())
		if err == nil {
			got.messages = append(got.messages, fmt.Sprintf("%d %q", kind, data))
			continue
		}
		if e, ok := errors.AsType[*ProtocolError](err); ok {
			got.end = fmt.Sprint("fail ", int(e.Code))
		} else if e, ok := errors.AsType[*CloseError](err); !ok {
			t.Fatalf("the error is %v", err)
		} else if e.Code == StatusAbnormalClosure {
			got.end = "eof"
		} else {
			got.end = fmt.Sprintf("close %d %q", e.Code, e.Reason)
		}
		break
	}
	answers := <-sent
	if sent := reference(answers, !fromClient, 1, 1); strings.HasPrefix(sent.end, "fail") {
		t.Fatalf("what was sent is not to the rules: %q", answers)
	}
	pongs, code := pongsIn(t, answers)
	got.pings = pongs
	var gotCode int
	if n, _ := fmt.Sscanf(got.end, "close %d", &gotCode); n == 0 {
		fmt.Sscanf(got.end, "fail %d", &gotCode)
	}
	if gotCode != code {
		t.Fatalf("ended by %q, answered with %d", got.end, code)
	}
	return got
}

// pongsIn returns the payloads of the pongs that an endpoint has sent, and the code of its Close frame, 0 without one. All are control frames.
func pongsIn(t *testing.T, sent []byte) (pongs []string, code int) {
	for len(sent) > 0 {
		n := int(sent[1] % 128)
		body := sent[2:]
		payload := make([]byte, n)
		if sent[1] >= 128 {
			for i := range payload {
				payload[i] = body[4+i] ^ body[i%4]
			}
			body = body[4:]
		} else {
			copy(payload, body)
		}
		switch op := sent[0] % 16; {
		case code != 0:
			t.Fatal("something was sent behind the Close frame")
		case op == 10:
			pongs = append(pongs, string(payload))
		case op == 8 && n == 0:
			code = 1005
		case op == 8:
			code = int(binary.BigEndian.Uint16(payload))
		default:
			t.Fatalf("a frame of opcode %d was sent", op)
		}
		sent = body[n:]
	}
	return pongs, code
}

func compareWithReference(t *testing.T, in []byte, fromClient bool) {
	if len(in) > memoryRoom {
		return // it would have to be written piece by piece
	}
	const readLimit, frameLimit = 300, 200
	want := reference(bytes.Clone(in), fromClient, readLimit, frameLimit)
	got := receiveAll(t, bytes.Clone(in), fromClient, readLimit, frameLimit)
	if !slices.Equal(got.messages, want.messages) || !slices.Equal(got.pings, want.pings) || got.end != want.end {
		t.Fatalf("%x from a client: %v\ngot  %q\nwant %q", in, fromClient, got, want)
	}
}

func FuzzDifferential(f *testing.F) {
	for _, seed := range []string{
		"\x81\x05Hello",
		"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58",
		"\x01\x03Hel\x89\x00\x80\x02lo\x88\x02\x03\xe8",
		"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff",
		"\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00",
		"\x82\x7e\x00\x05Hello",
		"\x01\x01\xe2\x00\x01\x82\x80\x01\xac",
		"\x81\x02\xe2\x82",
		"\x88\x80\x00\x00\x00\x00\x81\x80\x00\x00\x00\x00",
		"\x88\x04\x0f\xa0hi", "\x88\x01x", "\x88\x02\x03\xed", "\x88\x03\x03\xe8\xff",
		"\x82\x7e\x01\x2d" + string(make([]byte, 301)),
		"\x89\x7d" + string(make([]byte, 125)), "\x89\x7e\x00\x7e" + string(make([]byte, 126)),
		"\x82\x7e\x00\x7d" + string(make([]byte, 125)), "\x82\x7e\x00\x7e" + string(make([]byte, 126)),
		"\x02\x7e\x00\xc8" + string(make([]byte, 200)) + "\x80\x65" + string(make([]byte, 101)),
		"\x02\x7e\x00\xc8" + string(make([]byte, 200)) + "\x80\x64" + string(make([]byte, 100)),
		"\x82\x7e\x00\xc8" + string(make([]byte, 200)), "\x82\x7e\x00\xc9" + string(make([]byte, 201)),
	} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	f.Fuzz(compareWithReference)
}

// The same comparison for streams that are mostly legal, which random bytes seldom are.
func TestDifferential_MostlyLegalStreams(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		fromClient := rapid.Bool().Draw(r, "fromClient")
		masked := fromClient != (rapid.IntRange(0, 19).Draw(r, "wrong mask") == 0)
		compareWithReference(t, genStream(r, masked), fromClient)
	})
}
