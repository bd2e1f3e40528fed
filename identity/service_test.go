package identity_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/engine/sqlite"
	"parley/identity"
)

// countingStore counts how often a user is asked for by id.
type countingStore struct {
	identity.Store
	mu    sync.Mutex
	users int
}

func (s *countingStore) User(ctx context.Context, id string) (identity.User, error) {
	s.mu.Lock()
	s.users++
	s.mu.Unlock()
	return s.Store.User(ctx, id)
}

func openStore(t *testing.T, path string) *countingStore {
	t.Helper()
	e, err := sqlite.Open(path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return &countingStore{Store: e}
}

func newService(t *testing.T, store identity.Store, o identity.Options) *identity.Service {
	t.Helper()
	s, err := identity.New(t.Context(), store, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func open(t *testing.T) (*identity.Service, *countingStore) {
	t.Helper()
	store := openStore(t, filepath.Join(t.TempDir(), "parley.db"))
	return newService(t, store, identity.Options{}), store
}

func wants(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error %v; want %v", err, want)
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestSignIn(t *testing.T) {
	s, store := open(t)
	ctx := t.Context()
	ann, token, err := s.SignIn(ctx, "  Ann ")
	ok(t, err)
	if ann.Name != "Ann" || ann.Admin || len(ann.ID) != 16 || ann.Created.IsZero() || ann.Seen != ann.Created {
		t.Fatalf("%+v", ann)
	}
	for range 100 {
		u, err := s.Authenticate(ctx, token)
		if err != nil || u != ann {
			t.Fatalf("%+v, %v", u, err)
		}
	}
	if store.users != 1 {
		t.Errorf("100 requests asked the store %d times", store.users)
	}
	for _, taken := range []string{"Ann", "ANN", "ａｎｎ"} {
		_, _, err = s.SignIn(ctx, taken)
		wants(t, err, identity.ErrNameTaken)
	}
	_, _, err = s.SignIn(ctx, "\u202eAnn")
	wants(t, err, identity.ErrBadName)
}

func TestNamesAreGivenOnce(t *testing.T) {
	s, _ := open(t)
	var wg sync.WaitGroup
	errs := make([]error, 30)
	for i := range errs {
		wg.Go(func() { _, _, errs[i] = s.SignIn(t.Context(), "Ann") })
	}
	wg.Wait()
	got := 0
	for _, err := range errs {
		if err == nil {
			got++
		} else {
			wants(t, err, identity.ErrNameTaken)
		}
	}
	if got != 1 {
		t.Fatalf("%d people have the name", got)
	}
}

// takenStore has the first guests' names taken.
type takenStore struct {
	identity.Store
	names []string
}

func (s *takenStore) CreateUser(ctx context.Context, u identity.User, fold string) error {
	s.names = append(s.names, u.Name)
	if len(s.names) < 7 {
		return identity.ErrNameTaken
	}
	return s.Store.CreateUser(ctx, u, fold)
}

func TestGuestsGetAFreeName(t *testing.T) {
	_, store := open(t)
	taken := &takenStore{Store: store}
	s := newService(t, taken, identity.Options{})
	u, token, err := s.Guest(t.Context())
	ok(t, err)
	if !strings.HasPrefix(u.Name, "Guest-") || len(taken.names) != 7 || len(u.Name) != len("Guest-K7QM2") {
		t.Fatalf("%q after %q", u.Name, taken.names)
	}
	if got, err := s.Authenticate(t.Context(), token); got.ID != u.ID {
		t.Fatal(got, err)
	}
	same, err := s.Rename(t.Context(), u.ID, u.Name) // the page sends the name it knows
	if err != nil || same.Name != u.Name {
		t.Fatal(same, err)
	}
	_, err = s.Rename(t.Context(), u.ID, "Guest-ABCD")
	wants(t, err, identity.ErrBadName)
}

func TestATokenEndsWithItsUser(t *testing.T) {
	dir := t.TempDir()
	store := openStore(t, filepath.Join(dir, "a.db"))
	s := newService(t, store, identity.Options{})
	ctx := t.Context()
	ann, token, err := s.SignIn(ctx, "Ann")
	ok(t, err)

	again := newService(t, store, identity.Options{}) // after a restart
	if u, err := again.Authenticate(ctx, token); err != nil || u.ID != ann.ID {
		t.Fatal(u, err)
	}
	other := newService(t, openStore(t, filepath.Join(dir, "b.db")), identity.Options{})
	_, err = other.Authenticate(ctx, token)
	wants(t, err, identity.ErrNoSession)
	if !strings.Contains(err.Error(), "not one of this server") {
		t.Error(err)
	}
	for _, bad := range []string{"", "x", token[:len(token)-1], token + "A"} {
		_, err = s.Authenticate(ctx, bad)
		wants(t, err, identity.ErrNoSession)
	}

	if _, err = s.Authenticate(ctx, token); err != nil { // in memory now
		t.Fatal(err)
	}
	ok(t, s.Forget(ctx, ann.ID))
	_, err = s.Authenticate(ctx, token)
	wants(t, err, identity.ErrNoSession)
	if !strings.Contains(err.Error(), "forgotten") {
		t.Error(err)
	}
	wants(t, s.Forget(ctx, ann.ID), identity.ErrNoUser)
	if _, _, err := s.SignIn(ctx, "Ann"); err != nil { // the name is free
		t.Fatal(err)
	}
	_, err = s.Authenticate(ctx, token) // and its new bearer another person
	wants(t, err, identity.ErrNoSession)
}

func TestRename(t *testing.T) {
	s, _ := open(t)
	ctx := t.Context()
	var changes []identity.Change
	s.OnChange(func(c identity.Change) { changes = append(changes, c) })
	ann, token, _ := s.SignIn(ctx, "Ann")
	_, _, _ = s.SignIn(ctx, "Bob")
	_, err := s.Authenticate(ctx, token)
	ok(t, err)

	for _, name := range []string{"ANN", "Anna"} {
		u, err := s.Rename(ctx, ann.ID, name)
		ok(t, err)
		if got, _ := s.Authenticate(ctx, token); u.Name != name || got.Name != name {
			t.Fatal(u, got)
		}
	}
	_, err = s.Rename(ctx, ann.ID, "bob")
	wants(t, err, identity.ErrNameTaken)
	_, err = s.Rename(ctx, ann.ID, "admin")
	wants(t, err, identity.ErrBadName)
	_, err = s.Rename(ctx, "nobody", "Carl")
	wants(t, err, identity.ErrNoUser)
	if len(changes) != 2 || changes[1].User.Name != "Anna" || changes[1].Gone {
		t.Fatalf("%+v", changes)
	}
	ok(t, s.Forget(ctx, ann.ID))
	if len(changes) != 3 || !changes[2].Gone || changes[2].User.ID != ann.ID {
		t.Fatalf("%+v", changes)
	}
}

func TestLookupAndSearch(t *testing.T) {
	s, _ := open(t)
	ctx := t.Context()
	ann, _, _ := s.SignIn(ctx, "Ann Lee")
	for _, key := range []string{ann.ID, "Ann Lee", "ann  lee", "ＡＮＮ lee"} {
		if u, err := s.Lookup(ctx, key); u.ID != ann.ID || err != nil {
			t.Errorf("%q: %v, %v", key, u, err)
		}
	}
	for _, key := range []string{"", "Ann", "nobody", "\x00", strings.Repeat("a", 10_000)} {
		_, err := s.Lookup(ctx, key)
		wants(t, err, identity.ErrNoUser)
	}
	for i := range 25 {
		_, _, err := s.SignIn(ctx, fmt.Sprintf("Anton %d", i))
		ok(t, err)
	}
	_, _, _ = s.SignIn(ctx, "李雷")
	for prefix, want := range map[string]int{"AN": 20, "ann": 1, "anton 1": 11, "李": 1, "x": 0, "": 0, " ": 0, "%": 0, "\u202e": 0} {
		found, err := s.Search(ctx, prefix)
		if err != nil || len(found) != want {
			t.Errorf("%q: %d people, %v; want %d", prefix, len(found), err, want)
		}
	}
}

func TestAdministrator(t *testing.T) {
	s, _ := open(t)
	ctx := t.Context()
	ann, token, _ := s.SignIn(ctx, "Ann")
	bob, _, _ := s.SignIn(ctx, "Bob")
	if _, err := s.Authenticate(ctx, token); err != nil {
		t.Fatal(err)
	}
	if has, err := s.HasAdmin(ctx); has || err != nil {
		t.Fatal(has, err)
	}
	void, err := s.NewAdminLink(ctx)
	ok(t, err)
	link, err := s.NewAdminLink(ctx)
	ok(t, err)
	for _, bad := range []string{"", void, link + "x", "wrong"} {
		_, err = s.ClaimAdmin(ctx, ann.ID, bad)
		wants(t, err, identity.ErrBadAdminToken)
	}
	_, err = s.ClaimAdmin(ctx, "nobody", link)
	wants(t, err, identity.ErrNoUser)
	u, err := s.ClaimAdmin(ctx, ann.ID, link)
	ok(t, err)
	if got, _ := s.Authenticate(ctx, token); !u.Admin || !got.Admin {
		t.Fatal(u, got)
	}
	_, err = s.ClaimAdmin(ctx, bob.ID, link)
	wants(t, err, identity.ErrBadAdminToken)
	if has, err := s.HasAdmin(ctx); !has || err != nil {
		t.Fatal(has, err)
	}
}

func TestExpiry(t *testing.T) {
	store := openStore(t, filepath.Join(t.TempDir(), "parley.db"))
	var mu sync.Mutex
	now := time.Date(2026, 1, 31, 9, 30, 0, 0, time.UTC)
	s := newService(t, store, identity.Options{Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }})
	ctx := t.Context()
	_, gone, _ := s.SignIn(ctx, "Gone")
	_, back, _ := s.SignIn(ctx, "Back")
	admin, adminToken, _ := s.SignIn(ctx, "Ann")
	link, _ := s.NewAdminLink(ctx)
	_, err := s.ClaimAdmin(ctx, admin.ID, link)
	ok(t, err)

	run := func() { // Run expires at its start, and writes what was seen at its end
		ended, stop := context.WithCancel(ctx)
		heard := make(chan struct{})
		go func() { defer close(heard); s.Run(ended) }()
		stop()
		<-heard
	}
	pass := func(d time.Duration) { mu.Lock(); now = now.Add(d); mu.Unlock() }

	pass(20 * 24 * time.Hour)
	_, err = s.Authenticate(ctx, back)
	ok(t, err)
	run()
	pass(11 * 24 * time.Hour)
	expired := make(chan string, 3)
	s.OnChange(func(c identity.Change) {
		if c.Gone {
			expired <- c.User.Name
		}
	})
	ended, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ended) }()
	if name := <-expired; name != "Gone" {
		t.Fatal(name, "expired")
	}
	stop()
	<-done
	_, err = s.Authenticate(ctx, gone)
	wants(t, err, identity.ErrNoSession)
	for _, token := range []string{back, adminToken} {
		if _, err := s.Authenticate(ctx, token); err != nil {
			t.Fatal(err)
		}
	}
	if len(expired) > 0 {
		t.Fatal(<-expired, "expired too")
	}
}
