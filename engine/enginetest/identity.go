package enginetest

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"parley/identity"
)

// Identity is what every engine must do as an identity.Store. open returns an empty engine, closed when the test ends, and
// a function that closes it and opens another on the same data.
func Identity(t *testing.T, open func(t *testing.T) (store identity.Store, reopen func() identity.Store)) {
	for _, test := range []struct {
		name string
		run  func(*identityTest)
	}{
		{"a user is kept", (*identityTest).kept},
		{"a name belongs to one", (*identityTest).nameTaken},
		{"one of many gets a name", (*identityTest).nameRace},
		{"renaming", (*identityTest).rename},
		{"deleting frees the name", (*identityTest).delete},
		{"by prefix", (*identityTest).prefix},
		{"nobody", (*identityTest).nobody},
		{"seen and expired", (*identityTest).expire},
		{"many expire", (*identityTest).expireMany},
		{"secrets", (*identityTest).secrets},
		{"the administrator's link", (*identityTest).adminLink},
		{"a link taken by many", (*identityTest).adminLinkRace},
	} {
		t.Run(test.name, func(t *testing.T) {
			it := &identityTest{strict: strict{t}}
			it.s, it.reopen = open(t)
			test.run(it)
		})
	}
}

type identityTest struct {
	strict
	s      identity.Store
	reopen func() identity.Store
}

var born = time.Date(2026, 1, 31, 9, 30, 0, 0, time.UTC)

func user(i int) identity.User {
	return identity.User{ID: fmt.Sprintf("u%d", i), Name: fmt.Sprintf("User %d", i), Created: born, Seen: born.Add(time.Hour)}
}

func fold(i int) string { return fmt.Sprintf("user %d", i) }

func (t *identityTest) create(ids ...int) {
	t.Helper()
	for _, i := range ids {
		t.ok(t.s.CreateUser(t.Context(), user(i), fold(i)))
	}
}

func (t *identityTest) want(want identity.User, fold string) {
	t.Helper()
	if got, err := t.s.User(t.Context(), want.ID); err != nil || got != want {
		t.Fatalf("by id: %+v, %v, not %+v", got, err, want)
	}
	if got, err := t.s.UserByFold(t.Context(), fold); err != nil || got != want {
		t.Fatalf("by name: %+v, %v, not %+v", got, err, want)
	}
}

func (t *identityTest) kept() {
	u := identity.User{ID: "u1", Name: "Zoë", Admin: true, Created: born, Seen: born.Add(time.Minute)}
	t.ok(t.s.CreateUser(t.Context(), u, "zoë"))
	t.want(u, "zoë")
	t.s = t.reopen()
	t.want(u, "zoë")
}

func (t *identityTest) nameTaken() {
	t.create(1)
	t.wantErr(t.s.CreateUser(t.Context(), user(2), fold(1)), identity.ErrNameTaken)
	_, err := t.s.User(t.Context(), "u2")
	t.wantErr(err, identity.ErrNoUser)
	t.want(user(1), fold(1))
}

func (t *identityTest) nameRace() {
	var wg sync.WaitGroup
	errs := make([]error, 20)
	for i := range errs {
		wg.Go(func() { errs[i] = t.s.CreateUser(background(), user(i), "same") })
	}
	wg.Wait()
	won := -1
	for i, err := range errs {
		if err != nil {
			t.wantErr(err, identity.ErrNameTaken)
		} else if won >= 0 {
			t.Fatalf("%d and %d have the name", won, i)
		} else {
			won = i
		}
	}
	t.want(user(won), "same")
}

func (t *identityTest) rename() {
	t.create(1, 2)
	t.wantErr(t.s.RenameUser(t.Context(), "u1", "User 2", fold(2)), identity.ErrNameTaken)
	t.wantErr(t.s.RenameUser(t.Context(), "u3", "New", "new"), identity.ErrNoUser)
	t.ok(t.s.RenameUser(t.Context(), "u1", "USER 1", fold(1))) // another spelling of one's own
	u := user(1)
	u.Name = "USER 1"
	t.want(u, fold(1))
	t.ok(t.s.RenameUser(t.Context(), "u1", "New", "new"))
	u.Name = "New"
	t.want(u, "new")
	_, err := t.s.UserByFold(t.Context(), fold(1))
	t.wantErr(err, identity.ErrNoUser)
	t.ok(t.s.RenameUser(t.Context(), "u2", "User 1", fold(1))) // free now
}

func (t *identityTest) delete() {
	t.create(1)
	t.ok(t.s.DeleteUser(t.Context(), "u1"))
	t.wantErr(t.s.DeleteUser(t.Context(), "u1"), identity.ErrNoUser)
	_, err := t.s.User(t.Context(), "u1")
	t.wantErr(err, identity.ErrNoUser)
	t.ok(t.s.CreateUser(t.Context(), user(2), fold(1)))
}

func (t *identityTest) prefix() {
	for i, name := range []string{"ann", "anna", "an", "bert", "a%n", "añn", "annabel", "安娜", "ann's"} {
		u := user(i)
		u.Name = name
		t.ok(t.s.CreateUser(t.Context(), u, name))
	}
	for _, c := range []struct {
		prefix string
		limit  int
		want   []string
	}{
		{"an", 9, []string{"an", "ann", "ann's", "anna", "annabel"}}, {"ann", 2, []string{"ann", "ann's"}}, {"a%", 9, []string{"a%n"}},
		{"安", 9, []string{"安娜"}}, {"x", 9, nil}, {"AN", 9, nil}, {"annabels", 9, nil},
	} {
		users, err := t.s.UsersByPrefix(t.Context(), c.prefix, c.limit)
		t.ok(err)
		var names []string
		for _, u := range users {
			names = append(names, u.Name)
		}
		if !slices.Equal(names, c.want) {
			t.Errorf("%q: %q, not %q", c.prefix, names, c.want)
		}
	}
}

func (t *identityTest) nobody() {
	_, err := t.s.User(t.Context(), "u1")
	t.wantErr(err, identity.ErrNoUser)
	_, err = t.s.UserByFold(t.Context(), "ann")
	t.wantErr(err, identity.ErrNoUser)
	t.wantErr(t.s.SetAdmin(t.Context(), "u1", true), identity.ErrNoUser)
	t.ok(t.s.SeenUsers(t.Context(), born, "u1"))
	t.ok(t.s.SeenUsers(t.Context(), born))
	if expired, err := t.s.ExpireUsers(t.Context(), born); err != nil || len(expired) != 0 {
		t.Fatalf("%v, %v", expired, err)
	}
}

func (t *identityTest) expire() {
	t.create(1, 2, 3, 4)
	t.ok(t.s.SetAdmin(t.Context(), "u2", true))
	later := born.Add(24 * time.Hour)
	t.ok(t.s.SeenUsers(t.Context(), later, "u3", "u9"))
	t.ok(t.s.SeenUsers(t.Context(), born, "u3", "u4")) // not back in time
	u3 := user(3)
	u3.Seen = later
	t.want(u3, fold(3))
	t.want(user(4), fold(4))
	expired, err := t.s.ExpireUsers(t.Context(), later)
	t.ok(err)
	slices.SortFunc(expired, func(a, b identity.User) int { return bytes.Compare([]byte(a.ID), []byte(b.ID)) })
	if !slices.Equal(expired, []identity.User{user(1), user(4)}) {
		t.Fatalf("expired: %+v", expired)
	}
	_, err = t.s.User(t.Context(), "u1")
	t.wantErr(err, identity.ErrNoUser)
	if _, err := t.s.User(t.Context(), "u2"); err != nil {
		t.Fatalf("the administrator expired: %v", err)
	}
	if again, err := t.s.ExpireUsers(t.Context(), later); err != nil || len(again) != 0 {
		t.Fatalf("again: %+v, %v", again, err)
	}
}

func (t *identityTest) expireMany() {
	const n = 1100
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if err := t.s.CreateUser(background(), user(i), fold(i)); err != nil {
				t.Errorf("create: %v", err)
			}
		})
	}
	wg.Wait()
	expired, err := t.s.ExpireUsers(t.Context(), born.Add(48*time.Hour))
	ids := map[string]bool{}
	for _, u := range expired {
		ids[u.ID] = true
	}
	if err != nil || len(expired) != n || len(ids) != n {
		t.Fatalf("%d expired, %d different, %v", len(expired), len(ids), err)
	}
}

func (t *identityTest) secrets() {
	secret := func(name string) []byte {
		b, err := t.s.Secret(background(), name)
		if err != nil || len(b) != 32 {
			t.Errorf("secret %s: %d bytes, %v", name, len(b), err)
		}
		return b
	}
	got := make([][]byte, 16)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() { got[i] = secret("a") })
	}
	wg.Wait()
	other := secret("b")
	t.s = t.reopen()
	for _, b := range append(got, secret("a")) {
		if !bytes.Equal(b, got[0]) {
			t.Fatal("a secret changed")
		}
	}
	if bytes.Equal(other, got[0]) || !bytes.Equal(other, secret("b")) {
		t.Fatal("two names have one secret, or a secret changed")
	}
}

func (t *identityTest) adminLink() {
	t.create(1, 2)
	has := func(want bool) {
		t.Helper()
		if has, err := t.s.HasAdmin(t.Context()); err != nil || has != want {
			t.Fatalf("has an administrator: %v, %v", has, err)
		}
	}
	take := func(hash, id string) error { return t.s.TakeAdminLink(t.Context(), []byte(hash), id) }
	has(false)
	t.wantErr(take("one", "u1"), identity.ErrBadAdminToken) // there is none
	t.ok(t.s.PutAdminLink(t.Context(), []byte("one")))
	t.ok(t.s.PutAdminLink(t.Context(), []byte("two")))
	t.s = t.reopen()
	t.wantErr(take("one", "u1"), identity.ErrBadAdminToken) // the second made it void
	t.wantErr(take("", "u1"), identity.ErrBadAdminToken)
	t.wantErr(take("two", "u9"), identity.ErrNoUser)
	has(false)
	t.ok(take("two", "u2"))
	has(true)
	t.wantErr(take("two", "u1"), identity.ErrBadAdminToken) // once
	u := user(2)
	u.Admin = true
	t.want(u, fold(2))
	t.want(user(1), fold(1))
	t.ok(t.s.SetAdmin(t.Context(), "u2", false))
	has(false)
}

func (t *identityTest) adminLinkRace() {
	var ids []int
	for i := range 10 {
		ids = append(ids, i)
	}
	t.create(ids...)
	t.ok(t.s.PutAdminLink(t.Context(), []byte("link")))
	errs := make([]error, len(ids))
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() { errs[i] = t.s.TakeAdminLink(background(), []byte("link"), user(i).ID) })
	}
	wg.Wait()
	taken := 0
	for i, err := range errs {
		u, _ := t.s.User(t.Context(), user(i).ID)
		if u.Admin != (err == nil) {
			t.Errorf("%s: administrator %v, error %v", u.ID, u.Admin, err)
		}
		if err == nil {
			taken++
		}
	}
	if taken != 1 {
		t.Fatalf("%d took the link", taken)
	}
}
