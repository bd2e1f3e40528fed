package chat_test

import (
	"fmt"
	"sync"
	"testing"

	"parley/channel"
	"parley/identity"
	"parley/problem"
)

func TestDirect(t *testing.T) {
	s := newSite(t)
	ctx := t.Context()
	ann, bob := s.person("Ann"), s.person("Bob")
	name, with, err := s.Direct(ctx, ann, "bob")
	s.ok(err)
	if name != channel.Direct(ann.ID, bob.ID) || with != bob {
		t.Fatal(name, with)
	}
	if again, _, err := s.Direct(ctx, bob, ann.ID); err != nil || again != name {
		t.Fatal(again, err)
	}
	_, _, err = s.Direct(ctx, ann, "nobody")
	s.wants(err, identity.ErrNoUser)
	_, _, err = s.Direct(ctx, ann, ann.ID)
	s.wants(err, problem.Forbidden)
	_, _, err = s.Direct(ctx, channel.Sender{}, "bob")
	s.wants(err, identity.ErrNoSession)
	if len(s.conversations(bob)) != 0 || len(s.inbox(bob)) != 0 {
		t.Fatal("asking opened it")
	}

	s.say(ann, name, "hello") // bob is away
	event := func(with channel.Sender) string {
		return fmt.Sprintf(`conversation: {"channel":%q,"kind":"direct","name":%q,"topic":"","private":true,"with":{"id":%q,"name":%q},"position":"0","read":0,"unread":0}`,
			name, with.Name, with.ID, with.Name)
	}
	s.wantLog(channel.User(ann.ID), event(bob))
	s.wantLog(channel.User(bob.ID), event(ann))
	list := s.conversations(bob)
	if len(list) != 1 || list[0].With != ann || list[0].Unread != 1 || list[0].Read != 0 || list[0].Position.Seq != 1 {
		t.Fatalf("%+v", list)
	}
	s.say(bob, name, "hello!")
	s.wantLog(name, `text: {"text":"hello"}`, `text: {"text":"hello!"}`)
	if n := len(s.inbox(bob)); n != 1 {
		t.Fatalf("%d events", n)
	}

	s.ok(s.people.Forget(ctx, bob.ID))
	_, err = s.publish(ann, name, "text", map[string]string{"text": "there?"})
	s.wants(err, identity.ErrNoUser)
	s.ok(s.MayRead(ctx, ann, name)) // what was said stays
	if list := s.conversations(ann); len(list) != 1 || list[0].With != bob {
		t.Fatalf("%+v", list)
	}
}

func TestADirectConversationOpensOnce(t *testing.T) {
	s := newSite(t)
	ann, bob := s.person("Ann"), s.person("Bob")
	name := channel.Direct(ann.ID, bob.ID)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if _, err := s.publish([]channel.Sender{ann, bob}[i%2], name, "text", map[string]string{"text": "hi"}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := len(s.log(name)); n != 20 {
		t.Errorf("%d messages", n)
	}
	for _, who := range []channel.Sender{ann, bob} {
		if n := len(s.inbox(who)); n != 1 {
			t.Errorf("%d events in the inbox of %s", n, who.Name)
		}
	}
}
