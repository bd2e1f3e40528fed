package chat

import (
	"context"

	"parley/channel"
	"parley/problem"
)

// Publish says something in a room or a direct conversation: d has Key, Type and Data; the rest is filled in here, the sender
// whatever d claims. Publishing in a public room joins it; the first message of a direct conversation opens it for both.
//
// The types text, edit and delete have the shapes of docs/protocol.md (problem.BadField, problem.BadRequest, problem.Empty,
// problem.TooLong). The types the server writes itself are ErrBadType; any other carries any JSON. Rights are MayPost's. What
// the hub refuses (key, size) is returned as it is.
func (s *Service) Publish(ctx context.Context, who channel.Sender, admin bool, name channel.Name, d channel.Draft) (channel.Receipt, error) {
	d.Channel = name
	receipts, err := s.PublishAll(ctx, who, admin, d)
	if err != nil {
		return channel.Receipt{}, err
	}
	return receipts[0], nil
}

// PublishAll is Publish for several messages, in the channels that they name: all are said, in their order, or none. The drafts are
// filled in where they are. Where there are more than one, an error says which of them it is about.
func (s *Service) PublishAll(ctx context.Context, who channel.Sender, admin bool, drafts ...channel.Draft) ([]channel.Receipt, error) {
	for i := range drafts {
		d := &drafts[i]
		d.From, d.Amend = who, nil
		var err error
		if i == 0 || d.Channel != drafts[i-1].Channel {
			err = s.MayPost(ctx, who, d.Channel)
		}
		if err == nil {
			err = s.check(ctx, admin, d)
		}
		switch {
		case err != nil && len(drafts) > 1:
			return nil, problem.Of(err).In("message %d", i+1)
		case err != nil:
			return nil, err
		}
	}
	for i, d := range drafts {
		if d.Amend != nil { // who changes what they said once need not come in again
			continue
		}
		if i > 0 && d.Channel == drafts[i-1].Channel && drafts[i-1].Amend == nil {
			continue
		}
		if err := s.enter(ctx, who, d.Channel); err != nil {
			return nil, err
		}
	}
	return s.channels.Append(ctx, drafts...)
}

// check checks the shape of a draft, and finds what it amends.
func (s *Service) check(ctx context.Context, admin bool, d *channel.Draft) error {
	switch d.Type {
	case "text":
		return s.text(d)
	case "edit":
		return s.edit(ctx, d)
	case "delete":
		return s.delete(ctx, admin, d)
	default:
		return checkType(d.Type)
	}
}

// enter makes who a member of the room, or opens the direct conversation.
func (s *Service) enter(ctx context.Context, who channel.Sender, name channel.Name) error {
	if name.Kind() == channel.KindDirect {
		id, err := s.other(who, name)
		if err != nil {
			return err
		}
		other, err := s.person(ctx, id)
		if err != nil {
			return err
		}
		return s.open(ctx, who, other, name)
	}
	in, err := s.isMember(ctx, name.ID(), who.ID)
	if err != nil || in {
		return err
	}
	return s.Join(ctx, who, name.ID(), "")
}

func (s *Service) text(d *channel.Draft) error {
	var t struct {
		Text string `json:"text"`
	}
	if err := decode(d.Type, d.Data, &t); err != nil {
		return err
	}
	if err := checkText(t.Text); err != nil {
		return err
	}
	d.Data = mustEncode(textData{Text: t.Text})
	return nil
}

func (s *Service) edit(ctx context.Context, d *channel.Draft) error {
	var e editData
	if err := decode(d.Type, d.Data, &e); err != nil {
		return err
	}
	if err := checkText(e.Text); err != nil {
		return err
	}
	m, err := s.channels.Message(ctx, d.Channel, e.Seq)
	if err != nil {
		return err
	}
	if m.From.ID != d.From.ID {
		return problem.Forbidden.Detail("message %d is not yours: one edits only one's own", e.Seq)
	}
	if m.Type != "text" {
		return ErrBadType.Detail("message %d is of type %q: only texts can be edited", e.Seq, m.Type)
	}
	d.Data = mustEncode(e)
	d.Amend = &channel.Amendment{Seq: e.Seq, Data: edited(e.Text, s.now())}
	return nil
}

// delete erases: the engine empties the message, and with it the edits it had, so that no text of it is left.
func (s *Service) delete(ctx context.Context, admin bool, d *channel.Draft) error {
	var e deleteData
	if err := decode(d.Type, d.Data, &e); err != nil {
		return err
	}
	m, err := s.channels.Message(ctx, d.Channel, e.Seq)
	if err != nil {
		return err
	}
	if m.From.ID != d.From.ID && !admin {
		return problem.Forbidden.Detail("message %d is not yours: one deletes only one's own", e.Seq)
	}
	if m.Type == "edit" || m.Type == "delete" || serverTypes[m.Type] {
		return ErrBadType.Detail("message %d is of type %q: only what people said can be deleted", e.Seq, m.Type)
	}
	d.Data = mustEncode(e)
	d.Amend = &channel.Amendment{Seq: e.Seq, Data: erased, Erase: true}
	return nil
}
