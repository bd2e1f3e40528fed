package parley

import (
	"encoding/json"
	"fmt"

	"parley/bench/delivery/load"
)

// People have sessions, and rooms.
type People struct {
	Tokens []string // of the sessions, by number
	named  int      // people and rooms so far
}

// Nobody has no session.
const Nobody = -1

func (n *Node) headers(who int) string {
	h := "Host: " + n.Addr.String() + "\r\nUser-Agent: bench\r\nAccept-Language: en-US,en;q=0.9\r\n"
	if who != Nobody {
		h += "Authorization: Bearer " + n.People.Tokens[who] + "\r\n"
	}
	return h
}

// Post is a request with JSON, by one of the people.
func (n *Node) Post(method, path string, who int, body string) []byte {
	return fmt.Appendf(nil, "%s %s HTTP/1.1\r\n%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", method, path, n.headers(who), len(body), body)
}

// Get is a GET with more headers, each with its line's end.
func (n *Node) Get(path string, who int, headers string) []byte {
	return []byte("GET " + path + " HTTP/1.1\r\n" + n.headers(who) + headers + "\r\n")
}

// Enter makes so many people, in place of those that there were.
func (n *Node) Enter(l *load.Load, count int) error {
	p := n.People
	first := p.named
	p.named, p.Tokens = p.named+count, nil
	l.Toward(n.Addr)
	bodies, err := l.Do(count, 201, func(i int) []byte {
		return n.Post("POST", "/v1/session", Nobody, fmt.Sprintf(`{"name":"guest %d"}`, first+i))
	})
	if err != nil {
		return err
	}
	for _, body := range bodies {
		var session struct{ Token string }
		if err := json.Unmarshal(body, &session); err != nil {
			return err
		}
		p.Tokens = append(p.Tokens, session.Token)
	}
	return nil
}

// Rooms makes so many, each owned by one of the people in turn, and returns the names of their channels.
func (n *Node) Rooms(l *load.Load, count int) (names []string, err error) {
	first := n.People.named
	n.People.named += count
	l.Toward(n.Addr)
	bodies, err := l.Do(count, 201, func(i int) []byte {
		return n.Post("POST", "/v1/rooms", i%len(n.People.Tokens), fmt.Sprintf(`{"name":"room %d"}`, first+i))
	})
	if err != nil {
		return nil, err
	}
	for _, body := range bodies {
		var room struct{ Channel string }
		if err := json.Unmarshal(body, &room); err != nil {
			return nil, err
		}
		names = append(names, room.Channel)
	}
	return names, nil
}
