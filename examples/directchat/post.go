package main

import (
	"encoding/json"
	"sync"

	"parley/websocket"
)

// letter is a message. Sender is written by the server alone; in what it sends of its own accord it is empty, which is nobody's name.
type letter struct {
	Receiver string          `json:"receiver"`
	Sender   string          `json:"sender"`
	Data     json.RawMessage `json:"data"`
	Error    string          `json:"error,omitempty"` // absent, busy or format; Data has it in words
}

// post knows who is connected.
type post struct {
	mu      sync.Mutex
	present map[string]*websocket.Conn
}

// arrive registers a connection. Who connects again, say because a page was loaded again, gets the letters from then on.
func (p *post) arrive(name string, c *websocket.Conn) {
	p.mu.Lock()
	former := p.present[name]
	p.present[name] = c
	p.mu.Unlock()
	if former != nil {
		former.Close(4000, "this name has connected elsewhere")
	}
}

// depart forgets a connection, unless a newer one has taken its name.
func (p *post) depart(name string, c *websocket.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.present[name] == c {
		delete(p.present, name)
	}
}

// refusal is why a letter was not delivered: a code for programs, and words.
type refusal struct{ code, words string }

// deliver hands a letter to its receiver and nobody else; nil is success.
func (p *post) deliver(sender string, data []byte) *refusal {
	var l letter
	if json.Unmarshal(data, &l) != nil || l.Receiver == "" || l.Data == nil {
		return &refusal{"format", `write {"receiver": "name", "data": …}`}
	}
	l.Sender, l.Error = sender, "" // whatever the letter claims
	p.mu.Lock()
	c := p.present[l.Receiver]
	p.mu.Unlock()
	if c == nil {
		return &refusal{"absent", l.Receiver + " is not here"}
	}
	switch c.Send(prepare(l)) {
	case websocket.Closed:
		return &refusal{"absent", l.Receiver + " has just left"}
	case websocket.Full:
		return &refusal{"busy", l.Receiver + " has too much to read already; write again later"}
	}
	return nil
}

// answer is a letter from the server: what became of another.
func answer(receiver string, r *refusal) *websocket.Prepared {
	words, _ := json.Marshal(r.words)
	return prepare(letter{Receiver: receiver, Data: words, Error: r.code})
}

func prepare(l letter) *websocket.Prepared {
	data, _ := json.Marshal(l)
	return websocket.Prepare(websocket.MessageText, data)
}
