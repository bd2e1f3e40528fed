package load

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"parley"
	"parley/gate"
	"parley/internal/parleytest"
)

// TestEveryKind measures a real server for a moment, and demands that what was counted is what happened.
func TestEveryKind(t *testing.T) {
	server := parleytest.Open(t).URL
	for _, o := range []Options{
		{Kind: "fanout", Connections: 20, Rate: 100},
		{Kind: "fanout", Connections: 20, People: 3},
		{Kind: "fanout", Transport: "sse", Connections: 20},
		{Kind: "longpoll", Connections: 20, Rate: 50},
		{Kind: "publish", InFlight: 8},
		{Kind: "publish", Rate: 200, Size: 1000},
		{Kind: "publish", Transport: "websocket", Connections: 2, InFlight: 7},
		{Kind: "publish", Transport: "websocket", Rate: 300},
		{Kind: "ballots", People: 10, InFlight: 4, Connections: 5},
		{Kind: "idle", Connections: 30},
	} {
		o.URL, o.Warmup = server, 100*time.Millisecond
		t.Run(o.Kind+" "+o.Transport, func(t *testing.T) {
			r := runLongEnough(t, o)
			if r.Lost != 0 || r.Missing != 0 {
				t.Errorf("%d connections were lost, %d deliveries are missing", r.Lost, r.Missing)
			}
			if o.Kind == "idle" {
				return
			}
			if r.Sent < 10 || r.SendLatency.P50 <= 0 || r.SendLatency.Max < r.SendLatency.P99 || r.SendLatency.P99 < r.SendLatency.P50 {
				t.Errorf("%+v", r)
			}
			if o.Connections > 0 && o.Kind != "publish" && r.Delivered == 0 {
				t.Errorf("nothing was delivered: %+v", r)
			}
			if (o.Kind == "fanout" || o.Kind == "longpoll") && r.DeliveryLatency.P50 <= 0 {
				t.Errorf("deliveries took no time: %+v", r)
			}
		})
	}
}

// runLongEnough measures for a second, and for longer on a machine that is so busy that nothing came of that.
func runLongEnough(t *testing.T, o Options) *Report {
	t.Helper()
	for o.For = time.Second; ; o.For *= 4 {
		r, err := Run(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if o.Kind == "idle" || r.Sent >= 10 || o.For > 10*time.Second {
			return r
		}
		t.Logf("too little in %s: %+v", o.For, r)
	}
}

// TestLimitsAreNamed: a server with its limits on refuses, and that is said.
func TestLimitsAreNamed(t *testing.T) {
	server := parleytest.Open(t, func(c *parley.Config) { c.Rates = gate.DefaultRates() }).URL
	for _, o := range []Options{{Kind: "publish"}, {Kind: "publish", Transport: "websocket"}, {Kind: "ballots", People: 5}, {Kind: "idle", Connections: 1100}} {
		o.URL, o.For = server, 20*time.Second
		var why *Refused
		if r, err := Run(t.Context(), o); !errors.As(err, &why) || !why.Limits() {
			t.Errorf("%s %s: %v %+v", o.Kind, o.Transport, err, r)
		}
	}
}

func TestBadOptions(t *testing.T) {
	for _, o := range []Options{
		{URL: "nonsense"}, {URL: "http://x", Kind: "dance"}, {URL: "http://x", Kind: "publish", Transport: "sse"},
		{URL: "http://x", Rate: 1, InFlight: 1}, {URL: "http://x", Connections: -1},
	} {
		if _, err := Run(t.Context(), o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}

func TestHistogram(t *testing.T) {
	for _, v := range []uint64{0, 1, 31, 32, 63, 64, 65, 1000, 123456, 1e9, 1<<62 + 1} {
		end := upperEnd(bucketOf(v))
		if end < v || float64(end-v) > float64(v)/32 {
			t.Errorf("%d is read as %d", v, end)
		}
		if bucketOf(end) != bucketOf(v) || bucketOf(end+1) == bucketOf(v) {
			t.Errorf("%d is not the end of the bucket of %d", end, v)
		}
	}
	var h histogram
	for i := range 1000 {
		h.add(time.Duration(i+1) * time.Millisecond)
	}
	p := h.percentiles()
	for name, pair := range map[string][2]float64{"p50": {p.P50, 500}, "p99": {p.P99, 990}, "p99.9": {p.P999, 999}, "max": {p.Max, 1000}} {
		if got, want := pair[0], pair[1]; got < want || got > want*1.04 {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}

// TestMarksWhereverTheBytesAreCut: frames with messages, a ping among them, in pieces of any size.
func TestMarksWhereverTheBytesAreCut(t *testing.T) {
	var wire []byte
	frame := func(opcode byte, payload string) {
		wire = append(wire, 0x80|opcode)
		if len(payload) < 126 {
			wire = append(wire, byte(len(payload)))
		} else {
			wire = append(wire, 126, byte(len(payload)>>8), byte(len(payload)))
		}
		wire = append(wire, payload...)
	}
	want := int64(1_700_000_000_000_000_000)
	for i := range 10 {
		data := string(appendData(nil, want+int64(i), 64+40*i))
		if len(data) != 64+40*i {
			t.Fatalf("data of %d bytes has %d", 64+40*i, len(data))
		}
		frame(1, `{"channel":"room:a","messages":[{"data":`+data+`}]}`)
		frame(9, strings.Repeat("p", i))
	}
	for size := 1; size < 200; size++ {
		client, server := net.Pipe()
		pongs := make(chan int)
		go func() {
			n, buf := 0, make([]byte, 64)
			for {
				if _, err := server.Read(buf); err != nil {
					pongs <- n
					return
				}
				n++
			}
		}()
		var got []int64
		f := frames{conn: client, marks: messages, found: func(sent int64) { got = append(got, sent) }}
		for rest := wire; len(rest) > 0; {
			n := min(size, 1+rand.IntN(size), len(rest))
			if err := f.feed(bytes.Clone(rest[:n])); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		client.Close()
		if n := <-pongs; n != 10 || len(got) != 10 || got[0] != want || got[9] != want+9 {
			t.Fatalf("in pieces of %d: %d pongs, %v", size, n, got)
		}
	}
}
