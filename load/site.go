package load

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"
)

// Refused is an answer that ends a measurement.
type Refused struct {
	Status       int
	Code, Detail string
}

func (r *Refused) Error() string { return fmt.Sprintf("%d %s: %s", r.Status, r.Code, r.Detail) }

// Limits reports whether it was the server's limits that refused.
func (r *Refused) Limits() bool { return r.Status == http.StatusTooManyRequests }

func refused(resp *http.Response) error {
	data, _ := io.ReadAll(io.LimitReader(resp.Body, 16<<10))
	why := &Refused{}
	if json.Unmarshal(data, why) != nil || why.Code == "" {
		why.Code, why.Detail = "http", fmt.Sprintf("%.200s", data)
	}
	why.Status = resp.StatusCode
	return why
}

// site is the server.
type site struct {
	url    *url.URL
	dialed atomic.Int64
}

// perAddress is how many connections one source address may have: there are about 28,000 ports.
const perAddress = 20_000

// dial opens a connection to the server; on this machine from several addresses where one has too few ports.
func (s *site) dial(ctx context.Context) (net.Conn, error) {
	host, port := s.url.Hostname(), s.url.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[s.url.Scheme]
	}
	d := net.Dialer{Timeout: 30 * time.Second}
	if n := byte(s.dialed.Add(1) / perAddress); n > 0 {
		if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() && ip.To4() != nil {
			host, d.LocalAddr = "127.0.0.1", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1+n)}
		}
	}
	if s.url.Scheme == "https" {
		t := tls.Dialer{NetDialer: &d, Config: &tls.Config{NextProtos: []string{"http/1.1"}}}
		return t.DialContext(ctx, "tcp", net.JoinHostPort(host, port))
	}
	return d.DialContext(ctx, "tcp", net.JoinHostPort(host, port))
}

// call makes a request and decodes the answer.
func (s *site) call(ctx context.Context, token, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, s.url.String()+path, body)
	if err != nil {
		return err
	}
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return refused(resp)
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(out)
}

// stage is what is made on the server for a measurement.
type stage struct {
	tokens        []string // of the people; the first owns what is made
	guests        bool     // the people were made for it
	room, channel string
	after         string // the position at which readers begin
	vote          string
}

func (s *site) prepare(ctx context.Context, o Options, told func(done float64)) (st *stage, err error) {
	st = &stage{guests: o.Token == "", tokens: []string{o.Token}}
	name := "bench " + strconv.FormatInt(time.Now().UnixNano()%(36*36*36*36*36*36), 36)
	if st.guests {
		st.tokens = st.tokens[:0]
		for i := range o.People {
			var session struct{ Token string }
			if err := s.call(ctx, "", "POST", "/v1/session", map[string]string{"name": name + " " + strconv.Itoa(i)}, &session); err != nil {
				return st, fmt.Errorf("making guest %d of %d: %w", i+1, o.People, err)
			}
			st.tokens = append(st.tokens, session.Token)
			told(float64(i) / float64(o.People))
		}
	}
	owner := st.tokens[0]
	if o.Kind == "ballots" {
		var vote struct{ Code, Channel string }
		question := map[string]any{"question": name, "options": []string{"A", "B"}}
		if err := s.call(ctx, owner, "POST", "/v1/votes", question, &vote); err != nil {
			return st, fmt.Errorf("making a vote: %w", err)
		}
		st.vote, st.channel = vote.Code, vote.Channel
	} else {
		// Public, so that people need not be invited; it is removed at the end.
		var room struct{ ID, Channel string }
		if err := s.call(ctx, owner, "POST", "/v1/rooms", map[string]any{"name": name}, &room); err != nil {
			return st, fmt.Errorf("making a room: %w", err)
		}
		st.room, st.channel = room.ID, room.Channel
	}
	var b struct{ To string }
	err = s.call(ctx, owner, "GET", "/v1/channels/"+st.channel+"/messages?before=end&limit=1", nil, &b)
	st.after = b.To
	return st, err
}

// strike removes what was made, as far as there is time.
func (s *site) strike(st *stage) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if st.room != "" {
		_ = s.call(ctx, st.tokens[0], "DELETE", "/v1/rooms/"+st.room, nil, nil)
	}
	if st.vote != "" {
		_ = s.call(ctx, st.tokens[0], "PATCH", "/v1/votes/"+st.vote, map[string]bool{"open": false}, nil)
	}
	for _, token := range st.tokens {
		if st.guests && ctx.Err() == nil {
			_ = s.call(ctx, token, "DELETE", "/v1/session", nil, nil)
		}
	}
}
