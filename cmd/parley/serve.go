package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/urfave/cli/v3"

	"parley"
)

func serveCommand(file *configFile) *cli.Command {
	return &cli.Command{
		Name:  "serve",
		Usage: "serve chat and votes (also what parley does without a command)",
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if cmd.Args().Present() {
				return fmt.Errorf("there is no command %q; parley --help lists them", cmd.Args().First())
			}
			s, err := load(cmd, file)
			if err != nil {
				return err
			}
			return serve(ctx, s, cmd.Root().Writer)
		},
	}
}

// serve runs a server until ctx ends, then lets its clients go within the grace time.
func serve(ctx context.Context, s *settings, out io.Writer) error {
	log := logger(s)
	s.parley.Log = log
	// The listener first: a port that is taken should say so before a database is made.
	listener, err := net.Listen("tcp", s.addr)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w (choose another with --addr)", s.addr, err)
	}
	defer listener.Close()
	tcp := listener.(*net.TCPListener)
	scheme := "http"
	if s.cert != "" {
		pair, err := tls.LoadX509KeyPair(s.cert, s.key)
		if err != nil {
			return fmt.Errorf("--tls-cert and --tls-key: %w", err)
		}
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}})
		scheme = "https"
	}
	p, err := comeUp(ctx, s, tcp, listener, log)
	if err != nil || p == nil {
		return err
	}
	server := &http.Server{
		Handler:           p,
		ReadHeaderTimeout: 10 * time.Second,
		// For ordinary answers; streams and waiting polls set a deadline of their own before each write.
		WriteTimeout:   time.Minute,
		IdleTimeout:    2 * time.Minute,
		MaxHeaderBytes: parley.MaxHeaderBytes,
		HTTP2:          &http.HTTP2Config{SendPingTimeout: 30 * time.Second, WriteByteTimeout: 30 * time.Second}, // clients that vanish, or take nothing
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	front := p.Front(server, listener)
	tidying, tidied := context.WithCancel(ctx)
	var tidier sync.WaitGroup
	tidier.Go(func() { tidy(tidying) })
	defer tidier.Wait()
	defer tidied()
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(front) }()

	if err := banner(ctx, out, p, s, scheme, listener.Addr()); err != nil {
		log.Error("banner", "error", err)
	}
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	log.Info("leaving", "grace", s.grace)
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.grace)
	defer cancel()
	// Streams first: they end when told to. http.Server.Shutdown then waits for ordinary requests only.
	err = errors.Join(err, p.Shutdown(grace), server.Shutdown(grace))
	if errors.Is(err, context.DeadlineExceeded) {
		log.Warn("some clients did not leave within the grace time")
		err = server.Close()
	}
	return errors.Join(err, p.Close())
}

func logger(s *settings) *slog.Logger {
	o := &slog.HandlerOptions{Level: s.logLevel}
	if s.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, o))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, o))
}

// banner tells where the server is and, while there is no administrator, how to become one. Of many nodes none makes a link by itself, as it
// would void that which another has shown.
func banner(ctx context.Context, out io.Writer, p *parley.Server, s *settings, scheme string, addr net.Addr) error {
	url := s.parley.PublicURL
	if url == "" {
		url = scheme + "://" + reachable(addr)
	}
	fmt.Fprintf(out, "\n  Parley %s: chat and votes, live\n\n  open    %s\n  data    %s\n", parley.Version(), url, s.parley.Where())
	if s.parley.Engine != "" {
		fmt.Fprintf(out, "  admin   parley admin-link, with the same --engine, prints a link whose opener becomes an administrator\n  stop    Ctrl+C\n\n")
		return nil
	}
	link, err := p.AdminLink(ctx)
	if link != "" {
		fmt.Fprintf(out, "  admin   %s/admin#%s   (works once: its opener becomes the administrator)\n", url, link)
	}
	fmt.Fprintf(out, "  stop    Ctrl+C\n\n")
	return err
}

// reachable is the address as a browser on this machine can open it.
func reachable(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return addr.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}
