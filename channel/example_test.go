package channel_test

import (
	"context"
	"fmt"

	"parley/channel"
)

// A reader joins what was said before with what is said now.
func Example() {
	ctx := context.Background()
	var log channel.Log = newMemory(nil) // or an engine: sqlite.Open
	hub := channel.NewHub(log, channel.Options{})
	defer hub.Close()

	say := func(text string) channel.Position {
		receipts, err := hub.Append(ctx, channel.Draft{
			Channel: "room:lobby", Type: "text", From: channel.Sender{ID: "u1", Name: "Ann"},
			Data: []byte(`{"text":"` + text + `"}`),
		})
		if err != nil {
			panic(err)
		}
		return receipts[0].Position
	}
	read := say("read before")
	say("missed")

	reader := hub.NewReader(channel.ReaderOptions{Mode: channel.Stream})
	defer reader.Close()
	if _, err := reader.Add(ctx, "room:lobby", read, nil); err != nil {
		panic(err)
	}
	for range 2 {
		delivery, err := reader.Next(ctx) // waits until there is something
		if err != nil {
			panic(err)
		}
		for _, batch := range delivery.Batches {
			for _, m := range batch.Messages {
				fmt.Printf("%s %d %s: %s\n", batch.Channel, m.Seq, m.From.Name, m.Data)
			}
		}
		for _, signal := range delivery.Signals {
			fmt.Printf("%s %s: %s\n", signal.Channel, signal.Type, signal.Data)
		}
		if read.Seq++; read.Seq == 2 {
			say("live")
		}
	}
	// Output:
	// room:lobby 2 Ann: {"text":"missed"}
	// room:lobby here: {"here":[],"count":0}
	// room:lobby 3 Ann: {"text":"live"}
}
