package chat

import (
	"context"
	"encoding/json"

	"parley/channel"
)

// serverTypes are the messages that only the server writes.
var serverTypes = map[string]bool{"topic": true, "vote": true, "tally": true, "conversation": true, "left": true}

// serverSignals are the signals that only the server sends.
var serverSignals = map[string]bool{"here": true, "join": true, "leave": true, "read": true}

func checkType(typ string) error {
	if serverTypes[typ] {
		return ErrBadType.Detail("only the server writes messages of type %q", typ)
	}
	return checkTypeName(typ)
}

// checkTypeName checks the syntax [a-z][a-z0-9._-]{0,31}.
func checkTypeName(typ string) error {
	ok := typ != "" && len(typ) <= 32 && typ[0] >= 'a' && typ[0] <= 'z'
	for i := 1; ok && i < len(typ); i++ {
		c := typ[i]
		ok = c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-'
	}
	if !ok {
		return ErrBadType.Detail("%.40q is not a type: it has 1 to 32 of a–z 0–9 . _ - and starts with a letter", typ)
	}
	return nil
}

// Signal sends something passing to who is in the channel now: typing, or a type of the site's own; those of the server are
// ErrBadType. Rights are MayPost's.
func (s *Service) Signal(ctx context.Context, who channel.Sender, name channel.Name, typ string, data json.RawMessage) error {
	if serverSignals[typ] {
		return ErrBadType.Detail("only the server sends signals of type %q", typ)
	}
	if err := checkTypeName(typ); err != nil {
		return err
	}
	if err := s.MayPost(ctx, who, name); err != nil {
		return err
	}
	if len(data) == 0 {
		data = json.RawMessage("{}")
	}
	return s.channels.Signal(ctx, channel.Signal{Channel: name, Type: typ, From: who, Data: data})
}
