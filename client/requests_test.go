package client

import (
	"strings"
	"testing"
)

func requestsAll(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	ann, bob := person(t, h.url, "Ann"), person(t, h.url, "Bob")
	me := must(bob.Session(ctx))(t)
	if user := must(ann.Rename(ctx, "Anna"))(t); user.Name != "Anna" {
		t.Fatalf("%+v", user)
	}
	if found := must(ann.Users(ctx, "Bo"))(t); len(found) != 1 || found[0].ID != me.ID {
		t.Fatalf("%+v", found)
	}
	den := must(ann.CreateRoom(ctx, NewRoom{Name: "Den", Topic: "t", Private: true}))(t)
	topic := "u"
	if changed := must(ann.UpdateRoom(ctx, den.ID, RoomChange{Topic: &topic}))(t); changed.Topic != "u" || changed.Name != "Den" {
		t.Fatalf("%+v", changed)
	}
	if err := bob.Join(ctx, den.ID, ""); err == nil {
		t.Fatal("joined without an invite")
	}
	invite := must(ann.Invite(ctx, den.ID))(t)
	if err := bob.Join(ctx, den.ID, invite.Invite); err != nil {
		t.Fatal(err)
	}
	if members := must(bob.Members(ctx, den.ID))(t); len(members) != 2 {
		t.Fatalf("%+v", members)
	}
	if rooms := must(bob.Rooms(ctx))(t); len(rooms) != 2 {
		t.Fatalf("%+v", rooms)
	}
	direct := must(ann.Direct(ctx, "Bob"))(t)
	receipt := say(t, ann, direct.Channel, "psst")
	first := must(bob.Conversations(ctx))(t)[0]
	if first.Channel != direct.Channel || first.Kind != "direct" || first.Unread != 1 || first.With.Name != "Anna" {
		t.Fatalf("%+v", first)
	}
	if err := bob.MarkRead(ctx, direct.Channel, receipt.Seq); err != nil {
		t.Fatal(err)
	}
	if first := must(bob.Conversations(ctx))(t)[0]; first.Unread != 0 {
		t.Fatalf("%+v", first)
	}
	if err := bob.Leave(ctx, den.ID); err != nil {
		t.Fatal(err)
	}
	if den := must(ann.Room(ctx, den.ID))(t); den.Members != 1 {
		t.Fatalf("%+v", den)
	}
	if err := ann.RevokeInvites(ctx, den.ID); err != nil {
		t.Fatal(err)
	}
	vote := must(ann.CreateVote(ctx, NewVote{Question: "Tea?", Options: []string{"yes", "no"}, Room: "lobby", ClosesIn: 600}))(t)
	if vote.URL == "" || vote.Closes == nil || !vote.Mine {
		t.Fatalf("%+v", vote)
	}
	closed := false
	if vote := must(ann.UpdateVote(ctx, vote.Code, VoteChange{Open: &closed}))(t); vote.Open {
		t.Fatalf("%+v", vote)
	}
	_, err := bob.Cast(ctx, vote.Code, 1)
	fails(t, err, "vote_closed")
	if votes := must(ann.Votes(ctx))(t); len(votes) != 1 || votes[0].Code != vote.Code {
		t.Fatalf("%+v", votes)
	}
	if file := must(ann.ExportVote(ctx, vote.Code, "csv"))(t); !strings.Contains(string(file), "yes") {
		t.Fatalf("%s", file)
	}
	_, err = ann.Vote(ctx, "AAAAA")
	fails(t, err, "no_vote")
	_, err = ann.SignIn(ctx, "Bob")
	fails(t, err, "name_taken")
	if err := bob.SignOut(ctx); err != nil {
		t.Fatal(err)
	}
	if user := must(bob.Session(ctx))(t); user != nil {
		t.Fatalf("%+v", user)
	}
}
