package enginetest

import (
	"errors"
	"fmt"
	"strings"

	"parley/channel"
	"parley/chat"
	"parley/identity"
	"parley/problem"
)

func (t *searchTest) words() {
	ann, bob := t.person("Ann"), t.person("Bob")
	room, direct := t.room(ann, "Tea", false), channel.Direct(ann.ID, bob.ID)
	for _, text := range []string{
		"Hello, world", "请大家投票吧", "投，票", "これはﾃｽﾄです", "한국어를 배웁니다", "done 🎉🎊 fine 👍🏽", "I ❤ 👨‍👩‍👧", "אמר: שלום עולם", "مرحبا بالجميع", "Straße CAFE\u0301",
		"ПРИВЕТ, мир", "สวัสดีครับ", "the end of hello",
	} {
		t.say(ann, room, text)
	}
	t.say(bob, direct, "hello, Ann: 投票了吗")
	t.publish(ann, room, "site.note", map[string]any{"text": "hello"}) // no text
	t.settle()
	for _, c := range []struct {
		query string
		want  []string
	}{
		{"hel", []string{"the end of hello", "Hello, world"}},
		{"HELLO wor", []string{"Hello, world"}},
		{"ello", nil},
		{"投票", []string{"请大家投票吧"}},
		{"票", []string{"投，票", "请大家投票吧"}},
		{"投", []string{"投，票", "请大家投票吧"}},
		{"大家投票", []string{"请大家投票吧"}},
		{"票投", nil},
		{"テスト", []string{"これはﾃｽﾄです"}},
		{"국어", []string{"한국어를 배웁니다"}},
		{"🎉", []string{"done 🎉🎊 fine 👍🏽"}},
		{"🎊 👍 DONE", []string{"done 🎉🎊 fine 👍🏽"}},
		{"👩", []string{"I ❤ 👨‍👩‍👧"}},
		{"❤️", []string{"I ❤ 👨‍👩‍👧"}},
		{"שלום", []string{"אמר: שלום עולם"}},
		{"مرحبا", []string{"مرحبا بالجميع"}},
		{"strasse café", []string{"Straße CAFE\u0301"}},
		{"привет", []string{"ПРИВЕТ, мир"}},
		{"ดี", []string{"สวัสดีครับ"}},
		{`"hello" OR NEAR(*`, nil}, // nothing of it is a language
		{strings.Repeat("投票", 100), nil},
	} {
		t.wants(ann, room, c.query, c.want...)
	}
	t.wants(bob, direct, "投票", "hello, Ann: 投票了吗")
	t.wants(ann, "", "hello", "hello, Ann: 投票了吗", "the end of hello", "Hello, world")
	t.wants(bob, "", "hello", "hello, Ann: 投票了吗")

	found := t.search(ann, room, "投票")[0]
	there, err := t.Engine.Message(t.Context(), room, found.Seq)
	t.ok(err)
	if fmt.Sprint(found) != fmt.Sprint(there) {
		t.Fatalf("found\n%v\nread\n%v", found, there)
	}
}

func (t *searchTest) amended() {
	ann := t.person("Ann")
	room := t.room(ann, "Tea", false)
	first, second, third := t.say(ann, room, "green tea"), t.say(ann, room, "black tea"), t.say(ann, room, "no milk")
	t.settle()
	t.wants(ann, room, "tea", "black tea", "green tea")
	t.edit(ann, room, first, "white coffee")
	t.erase(ann, room, second)
	t.edit(ann, room, third, "tea with milk")
	t.settle()
	t.wants(ann, room, "tea", "tea with milk")
	t.wants(ann, room, "green")
	t.wants(ann, room, "black")
	t.wants(ann, room, "coffee", "white coffee")
	t.edit(ann, room, first, "white tea")
	t.edit(ann, room, third, "nothing")
	t.settle()
	t.wants(ann, room, "tea", "white tea")
	t.wants(ann, room, "milk")
	t.erase(ann, room, first)
	t.settle()
	t.wants(ann, room, "white")
	t.wants(ann, room, "tea")
	t.wants(ann, room, "nothing", "nothing")
}

func (t *searchTest) rights() {
	ann, bob, eve := t.person("Ann"), t.person("Bob"), t.person("Eve")
	open, shut := t.room(ann, "Open", false), t.room(ann, "Shut", true)
	direct := channel.Direct(ann.ID, bob.ID)
	t.say(ann, open, "a secret that all may know")
	t.say(ann, shut, "a secret of the room")
	t.say(ann, direct, "a secret of two")
	t.settle()
	t.wants(ann, "", "secret", "a secret of two", "a secret of the room", "a secret that all may know")
	t.wants(bob, "", "secret", "a secret of two")
	t.wants(eve, "", "secret")
	t.wants(eve, open, "secret", "a secret that all may know")
	t.wants(channel.Sender{}, open, "secret", "a secret that all may know")
	for _, c := range []struct {
		who  channel.Sender
		name channel.Name
		want error
	}{
		{eve, shut, chat.ErrNoRoom},
		{channel.Sender{}, shut, chat.ErrNoRoom},
		{eve, direct, problem.Forbidden},
		{channel.Sender{}, direct, identity.ErrNoSession},
		{channel.Sender{}, "", identity.ErrNoSession},
		{ann, channel.User(ann.ID), chat.ErrNoChannel},
		{ann, channel.Vote("K7QM3"), chat.ErrNoChannel},
		{ann, channel.Room("nowhere"), chat.ErrNoRoom},
	} {
		if _, err := t.talk.Search(t.Context(), c.who, chat.Search{Query: "secret", Channel: c.name}); !errors.Is(err, c.want) {
			t.Errorf("%s in %q: %v; want %v", c.who.Name, c.name, err, c.want)
		}
	}
}

func (t *searchTest) gone() {
	ann, bob := t.person("Ann"), t.person("Bob")
	shut, other := t.room(ann, "Shut", true), t.room(ann, "Other", false)
	invite, err := t.talk.Invite(t.Context(), ann, shut.ID())
	t.ok(err)
	t.ok(t.talk.Join(t.Context(), bob, shut.ID(), invite))
	t.say(ann, shut, "tea in here")
	t.say(bob, other, "tea out there")
	t.settle()
	t.wants(bob, "", "tea", "tea out there", "tea in here")
	first, err := t.talk.Search(t.Context(), bob, chat.Search{Query: "tea", Limit: 1})
	t.ok(err)

	t.ok(t.talk.Leave(t.Context(), bob, shut.ID()))
	t.wants(bob, "", "tea", "tea out there")
	if rest, err := t.talk.Search(t.Context(), bob, chat.Search{Query: "tea", Before: first.Next}); err != nil || len(rest.Messages) != 0 {
		t.Fatalf("the next page has what cannot be read any more: %v, %v", rest, err)
	}
	if _, err := t.talk.Search(t.Context(), bob, chat.Search{Query: "tea", Channel: shut}); !errors.Is(err, chat.ErrNoRoom) {
		t.Fatalf("in a room that was left: %v", err)
	}

	t.ok(t.talk.Delete(t.Context(), ann, false, other.ID()))
	t.wants(ann, "", "tea", "tea in here")
	t.settle()
	t.wants(ann, "", "tea", "tea in here")
	again := t.room(ann, "Other", false) // of another id
	t.wants(ann, again, "tea")
}

func (t *searchTest) retention() {
	ann := t.person("Ann")
	room := t.room(ann, "Tea", false)
	for i := range 5 {
		t.say(ann, room, fmt.Sprint("tea ", i))
	}
	t.settle()
	for i := range 4 {
		t.say(ann, room, fmt.Sprint("water ", i))
	}
	t.Sweep()
	t.wants(ann, room, "tea", "tea 4")
	t.settle()
	t.wants(ann, room, "tea", "tea 4")
	t.wants(ann, room, "water", "water 3", "water 2", "water 1", "water 0")
	t.erase(ann, room, 5)
	t.Sweep()
	t.settle()
	t.wants(ann, "", "tea")
	t.wants(ann, "", "water", "water 3", "water 2", "water 1", "water 0")
}

func (t *searchTest) reopened() {
	ann := t.person("Ann")
	room := t.room(ann, "Tea", false)
	first, second := t.say(ann, room, "green tea"), t.say(ann, room, "black tea")
	t.settle()
	t.edit(ann, room, second, "black coffee")
	t.use(t.Reopen())
	t.wants(ann, room, "tea", "green tea")
	t.wants(ann, room, "coffee", "black coffee")
	t.say(ann, room, "red tea")
	t.settle()
	t.wants(ann, "", "tea", "red tea", "green tea")
	t.erase(ann, room, first)
	t.wants(ann, "", "tea", "red tea")
	t.settle()
	t.use(t.Reopen())
	t.wants(ann, "", "tea", "red tea")
	t.wants(ann, "", "coffee", "black coffee")
}
