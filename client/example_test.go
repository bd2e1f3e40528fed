package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"

	"parley"
	"parley/client"
)

// serve runs a server, as `parley` does.
func serve() (url string, stop func()) {
	dir, err := os.MkdirTemp("", "parley-example-")
	if err != nil {
		panic(err)
	}
	p, err := parley.New(context.Background(), parley.Config{Data: dir})
	if err != nil {
		panic(err)
	}
	s := httptest.NewServer(p)
	return s.URL, func() {
		_ = p.Shutdown(context.Background())
		s.Close()
		_ = p.Close()
		_ = os.RemoveAll(dir)
	}
}

// A program that reads a room from its beginning, live.
func Example() {
	url, stop := serve()
	defer stop()
	ctx := context.Background()

	c, err := client.New(url, client.Options{})
	if err != nil {
		panic(err)
	}
	defer c.Close()
	if _, err := c.SignIn(ctx, "Ann"); err != nil {
		panic(err)
	}
	if _, err := c.SendText(ctx, "room:lobby", "hello"); err != nil {
		panic(err)
	}
	for m, err := range c.Subscribe(ctx, "room:lobby", client.FromStart()).Messages() {
		if err != nil {
			panic(err)
		}
		fmt.Printf("%d %s: %s\n", m.Seq, m.From.Name, m.Text())
		break
	}
	// Output: 1 Ann: hello
}

// A bot that answers, and that goes on where it was when it is started again.
func ExampleSubscription_Position() {
	url, stop := serve()
	defer stop()
	ctx := context.Background()
	ann, _ := client.New(url, client.Options{})
	defer ann.Close()
	if _, err := ann.SignIn(ctx, "Ann"); err != nil {
		panic(err)
	}
	for _, text := range []string{"one", "two", "three"} {
		if _, err := ann.SendText(ctx, "room:lobby", text); err != nil {
			panic(err)
		}
	}

	position := "0" // as it was kept
	for range 3 {
		sub := ann.Subscribe(ctx, "room:lobby", client.After(position))
		for m, err := range sub.Messages() {
			var gap *client.Gap
			if errors.As(err, &gap) {
				fmt.Println("missed:", gap.Reason)
				continue
			}
			if err != nil {
				panic(err)
			}
			fmt.Println(m.Text())
			break
		}
		position = sub.Position() // to be kept
		sub.Close()
	}
	// Output:
	// one
	// two
	// three
}

// A key of one's own makes a publish safe to repeat, also by another process.
func ExampleClient_Publish() {
	url, stop := serve()
	defer stop()
	ctx := context.Background()
	c, _ := client.New(url, client.Options{})
	defer c.Close()
	if _, err := c.SignIn(ctx, "Cash register"); err != nil {
		panic(err)
	}
	order := client.Draft{Type: "order", Data: map[string]int{"tea": 2}, ID: "order-1017"}
	for range 2 {
		receipt, err := c.Publish(ctx, "room:lobby", order)
		if err != nil {
			panic(err)
		}
		fmt.Println(receipt.Seq, receipt.ID)
	}
	// Output:
	// 1 order-1017
	// 1 order-1017
}

// Everything that a channel has.
func ExampleClient_AllHistory() {
	url, stop := serve()
	defer stop()
	ctx := context.Background()
	c, _ := client.New(url, client.Options{})
	defer c.Close()
	for _, text := range []string{"one", "two"} {
		if _, err := c.SendText(ctx, "room:lobby", text); err != nil { // as a guest, made on the spot
			panic(err)
		}
	}
	for m, err := range c.AllHistory(ctx, "room:lobby") {
		if err != nil {
			panic(err)
		}
		fmt.Println(m.Text())
	}
	// Output:
	// one
	// two
}

// A vote, and its result as it changes.
func ExampleClient_CreateVote() {
	url, stop := serve()
	defer stop()
	ctx := context.Background()
	c, _ := client.New(url, client.Options{})
	defer c.Close()
	if _, err := c.SignIn(ctx, "Ann"); err != nil {
		panic(err)
	}
	vote, err := c.CreateVote(ctx, client.NewVote{Question: "Tea?", Options: []string{"yes", "no"}})
	if err != nil {
		panic(err)
	}
	if _, err := c.Cast(ctx, vote.Code, 1); err != nil {
		panic(err)
	}
	for m, err := range c.Subscribe(ctx, vote.Channel, client.FromStart()).Messages() {
		if err != nil {
			panic(err)
		}
		var tally client.Vote
		if err := json.Unmarshal(m.Data, &tally); err != nil {
			panic(err)
		}
		if tally.Voters == 1 {
			fmt.Println(tally.Options[0].Text, tally.Options[0].Count)
			break
		}
	}
	// Output: yes 1
}

// What is refused says why, with a stable code.
func ExampleError() {
	url, stop := serve()
	defer stop()
	c, _ := client.New(url, client.Options{})
	defer c.Close()
	_, err := c.Room(context.Background(), "nowhere")
	var e *client.Error
	if errors.As(err, &e) {
		fmt.Println(e.Status, e.Code)
	}
	// Output: 404 no_room
}
