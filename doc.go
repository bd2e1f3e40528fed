// Package parley is chat and votes for the web as one http.Handler: rooms, direct conversations and live votes that people
// open in a browser, over channels (durable logs) that programs read by polling, long polling, SSE or WebSocket.
//
//	p, err := parley.New(ctx, parley.Config{Data: "./parley-data", Rates: gate.DefaultRates()})
//	if err != nil {
//		return err
//	}
//	defer p.Close()
//	http.ListenAndServe("127.0.0.1:8080", p)
//
// The command cmd/parley is this with flags, a banner and an orderly end.
package parley
