package redis

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

// address is where Redis is, as an address says it.
type address struct {
	option rueidis.ClientOption
	prefix string
	wait   int
	shown  string // without the password
}

// parseAddress reads
//
//	redis://[user:password@]host:port[/db]                      one server
//	redis+sentinel://[user:password@]host:port,host:port/master[/db]  Sentinels, and what they call the primary
//	redis+cluster://[user:password@]host:port,host:port         some nodes of a cluster
//
// with rediss for TLS. Query parameters: prefix (of all keys; default "parley:"), replicas (how many must have a write before it is answered;
// default 0), ca, cert, key (files in PEM), skip-verify (1: take any certificate), sentinel-user and sentinel-password.
func parseAddress(text string) (address, error) {
	wrong := func(format string, args ...any) (address, error) {
		return address{}, fmt.Errorf("%w: %s", ErrBadURL, fmt.Sprintf(format, args...))
	}
	scheme, rest, _ := strings.Cut(text, "://")
	at := strings.LastIndexByte(strings.SplitN(rest, "/", 2)[0], '@')
	var who *url.Userinfo
	if at >= 0 {
		u, err := url.Parse("redis://" + rest[:at+1] + "host")
		if err != nil {
			return wrong("the user and password must be written as in any URL, special characters as %%XX")
		}
		who, rest = u.User, rest[at+1:]
	}
	rest, queryText, _ := strings.Cut(rest, "?")
	hosts, path, _ := strings.Cut(rest, "/")
	query, err := url.ParseQuery(queryText)
	if err != nil {
		return wrong("%v", err)
	}
	a := address{prefix: "parley:", shown: scheme + "://" + rest}
	o := &a.option
	if who != nil {
		o.Username = who.Username()
		o.Password, _ = who.Password()
	}
	for host := range strings.SplitSeq(hosts, ",") {
		if _, _, err := net.SplitHostPort(host); err != nil {
			if strings.ContainsAny(host, ":]") || host == "" {
				return wrong("%q is not host:port", host)
			}
			host = net.JoinHostPort(host, "6379")
		}
		o.InitAddress = append(o.InitAddress, host)
	}
	parts := strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
	secure, kind, _ := strings.Cut(scheme, "+")
	switch kind {
	case "":
		o.ForceSingleClient = true
		if len(o.InitAddress) > 1 {
			return wrong("several hosts need redis+sentinel:// or redis+cluster://")
		}
	case "sentinel":
		if len(parts) == 0 {
			return wrong("after the Sentinels comes a slash and what they call the primary, such as /mymaster")
		}
		o.Sentinel.MasterSet, parts = parts[0], parts[1:]
		o.Sentinel.TopologyRefreshInterval = 5 * time.Second
		o.Sentinel.Username, o.Sentinel.Password = query.Get("sentinel-user"), query.Get("sentinel-password")
	case "cluster":
		o.ShuffleInit = true
		o.ClusterOption.ShardsRefreshInterval = 10 * time.Second
		if len(parts) > 0 {
			return wrong("a cluster has no databases")
		}
	default:
		return wrong("%q is none of redis, rediss, redis+sentinel, rediss+sentinel, redis+cluster, rediss+cluster", scheme)
	}
	if len(parts) > 0 {
		if o.SelectDB, err = strconv.Atoi(parts[0]); err != nil || o.SelectDB < 0 || len(parts) > 1 {
			return wrong("%q is not the number of a database", strings.Join(parts, "/"))
		}
	}
	switch secure {
	case "redis":
	case "rediss":
		if o.TLSConfig, err = secured(query); err != nil {
			return wrong("%v", err)
		}
		if kind == "sentinel" {
			o.Sentinel.TLSConfig = o.TLSConfig
		}
	default:
		return wrong("%q is none of redis, rediss, redis+sentinel, rediss+sentinel, redis+cluster, rediss+cluster", scheme)
	}
	return a, a.query(query)
}

// query reads what is no matter of the connection.
func (a *address) query(query url.Values) error {
	for name := range query {
		switch name {
		case "prefix":
			if a.prefix = query.Get(name); strings.ContainsAny(a.prefix, "{} \n") {
				return fmt.Errorf("%w: a prefix has no braces and no spaces", ErrBadURL)
			}
		case "replicas":
			n, err := strconv.Atoi(query.Get(name))
			if err != nil || n < 0 || n > 10 {
				return fmt.Errorf("%w: replicas=%q is not a number from 0 to 10", ErrBadURL, query.Get(name))
			}
			a.wait = n
		case "ca", "cert", "key", "skip-verify", "sentinel-user", "sentinel-password":
		default:
			return fmt.Errorf("%w: there is no parameter %q", ErrBadURL, name)
		}
	}
	return nil
}

// secured is the TLS of connections. Each is checked for the name or address that it was made to.
func secured(query url.Values) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: query.Get("skip-verify") == "1"}
	if file := query.Get("ca"); file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s has no certificate in PEM", file)
		}
	}
	if cert, key := query.Get("cert"), query.Get("key"); cert != "" || key != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, err
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// ConnectTimeout and answerTimeout bound what a connection waits for: to be made, and for an answer.
const (
	connectTimeout = 3 * time.Second
	answerTimeout  = 4 * time.Second
)

// connect makes the client. Commands of all goroutines share one connection to each server, in which they are pipelined.
func connect(a address) (rueidis.Client, error) {
	o := a.option
	o.ClientName = "parley"
	o.DisableCache = true
	o.DisableRetry = true // persist does it, and knows what may be repeated
	o.PipelineMultiplex = -1
	o.Dialer.Timeout = connectTimeout
	o.Sentinel.Dialer.Timeout = connectTimeout
	o.ConnWriteTimeout = answerTimeout
	o.ReadBufferEachConn, o.WriteBufferEachConn = 128<<10, 128<<10
	client, err := rueidis.NewClient(o)
	if err != nil {
		return nil, fmt.Errorf("connecting to Redis at %s: %w", a.shown, reason(err))
	}
	return client, nil
}

// reason adds to an error of connecting what it usually means.
func reason(err error) error {
	switch text := err.Error(); {
	case strings.Contains(text, "NOAUTH"), strings.Contains(text, "WRONGPASS"):
		return fmt.Errorf("the user or password is wrong or missing (redis://user:password@host:port): %w", err)
	case strings.Contains(text, "cluster support disabled"):
		return fmt.Errorf("it is no cluster: use redis:// instead of redis+cluster://: %w", err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("no answer within %s: %w", connectTimeout, err)
	}
	return err
}

// Check reports whether an address can be understood: ErrBadURL, which says what is wrong.
func Check(addr string) error {
	_, err := parseAddress(addr)
	return err
}

// Shown is an address without its password and parameters, to be shown and logged.
func Shown(addr string) string {
	a, err := parseAddress(addr)
	if err != nil {
		return "Redis"
	}
	return a.shown
}
