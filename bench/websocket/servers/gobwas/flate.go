package main

import (
	"bytes"
	"io"
	"sync"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsflate"
	"github.com/klauspost/compress/flate"
)

// The library takes any deflate: the fastest there is, at the level of the others, pooled.

type deflater struct {
	out bytes.Buffer
	w   *wsflate.Writer
}

var deflaters = sync.Pool{New: func() any {
	d := &deflater{}
	d.w = wsflate.NewWriter(&d.out, func(w io.Writer) wsflate.Compressor {
		f, _ := flate.NewWriter(w, flate.BestSpeed) // the level is valid
		return f
	})
	return d
}}

// compress returns the frame with a payload of its own.
func compress(f ws.Frame) (ws.Frame, error) {
	d := deflaters.Get().(*deflater)
	defer deflaters.Put(d)
	d.out.Reset()
	d.w.Reset(&d.out)
	if _, err := d.w.Write(f.Payload); err != nil {
		return f, err
	}
	if err := d.w.Flush(); err != nil {
		return f, err
	}
	f.Payload = bytes.Clone(d.out.Bytes())
	f.Header.Length = int64(len(f.Payload))
	var err error
	f.Header, err = wsflate.SetBit(f.Header)
	return f, err
}

type inflater struct{ io.ReadCloser }

func (i inflater) Reset(r io.Reader) { _ = i.ReadCloser.(flate.Resetter).Reset(r, nil) } // it always returns nil

var inflaters = sync.Pool{New: func() any {
	return wsflate.NewReader(nil, func(r io.Reader) wsflate.Decompressor { return inflater{flate.NewReader(r)} })
}}

// inflate puts the text of p into text.
func inflate(text *bytes.Buffer, p []byte) error {
	r := inflaters.Get().(*wsflate.Reader)
	defer inflaters.Put(r)
	// Not a ByteReader: from one, wsflate's reader makes a byte too many at the end, which this inflate reads ahead to.
	r.Reset(struct{ io.Reader }{bytes.NewReader(p)})
	text.Reset()
	_, err := text.ReadFrom(io.LimitReader(r, 1<<20))
	return err
}
