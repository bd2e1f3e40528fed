package identity_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

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

	ctx := context.Background()
	people, err := identity.New(ctx, engine, identity.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, token, _ := people.SignIn(ctx, " Ann  Lee ")
	ann, err := people.Authenticate(ctx, token)
	fmt.Printf("%q %v\n", ann.Name, err)

	_, _, err = people.SignIn(ctx, "ann lee")
	fmt.Println(err)

	_ = people.Forget(ctx, ann.ID)
	_, err = people.Authenticate(ctx, token)
	fmt.Println(err)
	// Output:
	// "Ann Lee" <nil>
	// name_taken: the name "ann lee" belongs to somebody else: choose another
	// no_session: the session has ended: its guest was forgotten, or not seen for 30 days; sign in again
}

func ExamplePrepareName() {
	for _, s := range []string{"Ａｎｎ", "李雷", "Ann\u202e", "Guest-K7QM"} {
		name, fold, err := identity.PrepareName(s)
		fmt.Printf("%q %q %t\n", name, fold, err == nil)
	}
	// Output:
	// "Ann" "ann" true
	// "李雷" "李雷" true
	// "" "" false
	// "" "" false
}
