package chat_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"parley/channel"
	"parley/chat"
	"parley/engine/sqlite"
	"parley/identity"
)

func Example() {
	dir, _ := os.MkdirTemp("", "parley")
	defer os.RemoveAll(dir)
	engine, err := sqlite.Open(filepath.Join(dir, "parley.db"), sqlite.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer engine.Close()
	hub := channel.NewHub(engine, channel.Options{})
	defer hub.Close()

	ctx := context.Background()
	people, _ := identity.New(ctx, engine, identity.Options{})
	ann, _, _ := people.SignIn(ctx, "Ann")
	bob, _, _ := people.SignIn(ctx, "Bob")

	rooms := chat.New(engine, hub, people, chat.Options{})
	tea, _ := rooms.CreateRoom(ctx, ann.Sender(), chat.NewRoom{Name: "Tea time", Private: true})
	fmt.Println(rooms.MayRead(ctx, bob.Sender(), tea.Channel()))

	invite, _ := rooms.Invite(ctx, ann.Sender(), tea.ID)
	_ = rooms.Join(ctx, bob.Sender(), tea.ID, invite)
	hello := channel.Draft{Type: "text", Data: json.RawMessage(`{"text":"hello"}`)}
	receipt, err := rooms.Publish(ctx, ann.Sender(), false, tea.Channel(), hello)
	fmt.Println(receipt.Channel, receipt.Position.Seq, err)

	list, _ := rooms.Conversations(ctx, bob.Sender())
	fmt.Println(list[0].Name, list[0].Unread)
	// Output:
	// no_room: there is no room "tea-time", or it is private and you are not in it
	// room:tea-time 1 <nil>
	// Tea time 1
}
