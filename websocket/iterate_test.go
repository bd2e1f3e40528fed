package websocket_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"parley/websocket"
)

// pipe is websocket.Pipe for a test, in a bubble of synctest's time.
func pipe(t *testing.T) (client, server *websocket.Conn) {
	client, server, err := websocket.Pipe(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.CloseNow()
		server.CloseNow()
	})
	return client, server
}

func TestConn_CancellingTheWaitForTheNextMessageIsHarmless(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := pipe(t)
		for i := range 5 {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			var err error
			switch i % 3 { // each way to wait
			case 0:
				_, _, err = server.Read(ctx)
			case 1:
				_, _, err = server.Reader(ctx)
			case 2:
				for _, err = range server.Messages(ctx) {
				}
			}
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
			want := fmt.Sprint("message ", i)
			if err := client.Write(t.Context(), websocket.MessageText, []byte(want)); err != nil {
				t.Fatal(err)
			}
			if _, got, err := server.Read(t.Context()); err != nil || string(got) != want {
				t.Fatalf("%q, %v", got, err)
			}
		}
	})
}

func TestConn_MessagesMayBeLeftAndTakenUpAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := pipe(t)
		for _, word := range []string{"a", "b", "c"} {
			client.Write(t.Context(), websocket.MessageText, []byte(word))
		}
		var got []string
		for m, err := range server.Messages(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, string(m.Data)); len(got) == 2 {
				break
			}
		}
		for m, err := range server.Messages(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(m.Data))
			break
		}
		if fmt.Sprint(got) != "[a b c]" {
			t.Fatal(got)
		}
	})
}

func TestConn_CloseErrorIsTyped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := pipe(t)
		closed := make(chan error, 1)
		go func() { closed <- client.Close(4000, "enough") }()
		_, _, err := server.Read(t.Context())
		var e *websocket.CloseError
		if !errors.As(err, &e) || e.Code != 4000 || e.Reason != "enough" || e.Unwrap() != nil || websocket.CloseStatus(fmt.Errorf("wrapped: %w", err)) != 4000 {
			t.Fatalf("%#v", err)
		}
		if err := <-closed; err != nil {
			t.Fatal(err)
		}
		if _, _, err := client.Read(t.Context()); websocket.CloseStatus(err) != 4000 {
			t.Fatal(err)
		}
	})
}
