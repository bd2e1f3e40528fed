package vote_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"parley/channel"
	"parley/engine/sqlite"
	"parley/vote"
)

// A vote whose results are shown to those who have voted.
func Example() {
	dir, err := os.MkdirTemp("", "parley")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	engine, err := sqlite.Open(filepath.Join(dir, "parley.db"), sqlite.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = engine.Close() }()

	ctx := context.Background()
	ann, bob, cyd := channel.Sender{ID: "a", Name: "Ann"}, channel.Sender{ID: "b", Name: "Bob"}, channel.Sender{ID: "c", Name: "Cyd"}

	votes := vote.New(engine, vote.Config{}) // a server also runs votes.Run, for the deadlines
	v, err := votes.Create(ctx, ann, vote.Spec{Question: "Tea?", Options: []string{"yes", "no"}, Results: vote.Voted})
	if err != nil {
		log.Fatal(err)
	}
	if v, err = votes.Cast(ctx, bob, v.Code, []int{1}); err != nil {
		log.Fatal(err)
	}
	for _, who := range []channel.Sender{bob, cyd} {
		view, err := votes.Show(ctx, who, v)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(who.Name, "sees", view.Voters, "ballot; counts:", view.Visible)
		if view.Visible {
			fmt.Println(view.Options[0].Text, *view.Options[0].Count)
		}
	}
	// Output:
	// Bob sees 1 ballot; counts: true
	// yes 1
	// Cyd sees 1 ballot; counts: false
}
