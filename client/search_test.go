package client

import "testing"

func TestSearch(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	ann := person(t, h.url, "Ann")
	den := must(ann.CreateRoom(ctx, NewRoom{Name: "Den"}))(t)
	say(t, ann, den.Channel, "请大家投票吧")
	last := say(t, ann, den.Channel, "投票 & more?")
	page := must(ann.Search(ctx, "投票", SearchOptions{Limit: 1}))(t)
	if len(page.Results) != 1 || page.Results[0].Channel != den.Channel || page.Results[0].Position != last.Position || page.Results[0].Message.Seq != last.Seq || page.Next == "" || page.Searched.IsZero() {
		t.Fatalf("%+v", page)
	}
	page = must(ann.Search(ctx, "投票", SearchOptions{Before: page.Next}))(t)
	if len(page.Results) != 1 || page.Results[0].Message.Seq != 1 || page.Next != "" || !page.Searched.IsZero() {
		t.Fatalf("%+v", page)
	}
	if page := must(ann.Search(ctx, "& MORE", SearchOptions{Channel: den.Channel}))(t); len(page.Results) != 1 {
		t.Fatalf("%+v", page)
	}
	_, err := ann.Search(ctx, "?", SearchOptions{})
	fails(t, err, "bad_request")
}
