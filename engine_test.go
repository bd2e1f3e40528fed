package parley_test

import (
	"context"
	"fmt"
	"testing"

	"parley"
	"parley/engine/redis/redistest"
)

func TestTwoServersAreOne(t *testing.T) {
	a, b := twoNodes(t)
	houses := []*house{a, b}
	ann, bert := a.guest("Ann"), b.guest("Bert")
	b.stranger().do("POST", "/v1/session", `{"name":"ann"}`).fails(409, "name_taken")

	ann.do("POST", "/v1/channels/room:lobby/messages", "from A").is(201)
	ann.at(b).do("POST", "/v1/channels/room:lobby/messages", "from B").is(201)
	var read struct {
		To       string
		Messages []struct {
			Seq  int
			Data struct{ Text string }
			From struct{ Name string }
		}
	}
	for _, h := range houses {
		bert.at(h).get("/v1/channels/room:lobby/messages").is(200).into(&read)
		if len(read.Messages) != 2 || read.Messages[0].Data.Text != "from A" || read.Messages[1].Data.Text != "from B" || read.Messages[1].From.Name != "Ann" {
			t.Errorf("%+v", read)
		}
	}

	// Whoever waits at one server hears of what is said at the other.
	waits := make(chan *answer, 1)
	go func() { waits <- bert.get("/v1/channels/room:lobby/messages?wait=30&after=" + read.To) }()
	ann.do("POST", "/v1/channels/room:lobby/messages", "are you there?").is(201)
	(<-waits).is(200).into(&read)
	if len(read.Messages) != 1 || read.Messages[0].Data.Text != "are you there?" {
		t.Errorf("%+v", read)
	}

	// A key has one effect, at whichever server.
	for _, h := range houses {
		ann.at(h).do("POST", "/v1/channels/room:lobby/messages", "once", "Idempotency-Key", "k1")
	}
	bert.get("/v1/channels/room:lobby/messages?after=3").is(200).into(&read)
	if len(read.Messages) != 1 {
		t.Errorf("%+v", read)
	}
}

func TestTwoServersCountOneVote(t *testing.T) {
	config := parley.Config{Engine: redistest.Start(t).URL()}
	onRedis := func(c *parley.Config) { c.Data, c.Engine = "", config.Engine }
	houses := []*house{open(t, onRedis), open(t, onRedis)}
	var v struct {
		Code    string
		Voters  int
		Options []struct{ Count int }
	}
	houses[0].guest("Ann").do("POST", "/v1/votes", "Tea? | yes | no").is(201).into(&v)
	for i := range 10 {
		houses[i%2].guest(fmt.Sprint("Voter ", i)).do("PUT", "/v1/votes/"+v.Code+"/ballot", fmt.Sprint(1+i%2)).is(200)
	}
	for _, h := range houses {
		h.stranger().get("/v1/votes/" + v.Code).is(200).into(&v)
		if v.Voters != 10 || v.Options[0].Count != 5 || v.Options[1].Count != 5 {
			t.Errorf("%+v", v)
		}
	}
	// The tools work beside them.
	counted, err := parley.Recount(context.Background(), config)
	if err != nil || len(counted) != 1 || !counted[0].Right || counted[0].Voters != 10 {
		t.Errorf("recount: %+v, %v", counted, err)
	}
	token, err := parley.NewAdminLink(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	houses[1].guest("Carl").do("POST", "/v1/session/admin", fmt.Sprintf(`{"token":%q}`, token)).is(200)
}
