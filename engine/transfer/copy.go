package transfer

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"parley/channel"
)

// Progress is how far a copy is.
type Progress struct {
	Size Size // of all
	Done Size // of it, what is there
}

// Part is how much of everything is done, 0 to 1.
func (p Progress) Part() float64 {
	all := p.Size.Users + p.Size.Ballots + p.Size.Messages
	return float64(min(p.Done.Users+p.Done.Ballots+p.Done.Messages, all)) / float64(max(all, 1))
}

// atOnce is how many records a target is given together.
const atOnce = 500

// Copy copies all that is in a source to a target, and tells how far it is.
func Copy(ctx context.Context, from Source, to Target, tell func(Progress)) error {
	var p Progress
	var err error
	if p.Size, err = from.Size(ctx); err != nil {
		return err
	}
	site, err := fingerprint(ctx, from, p.Size)
	if err != nil {
		return err
	}
	if err := to.Begin(ctx, site); err != nil {
		return err
	}
	var waiting []any
	flush := func() error {
		if len(waiting) == 0 {
			return nil
		}
		err := to.Put(ctx, waiting...)
		waiting = waiting[:0]
		tell(p)
		return cmp.Or(err, ctx.Err())
	}
	have := func(name channel.Name) (uint64, error) {
		seq, err := to.Have(ctx, name)
		p.Done.Messages += int64(seq)
		return seq, err
	}
	err = from.Export(ctx, have, func(records ...any) error {
		for _, r := range records {
			switch r.(type) {
			case User:
				p.Done.Users++
			case Room:
				p.Done.Rooms++
			case Vote:
				p.Done.Votes++
			case Ballot:
				p.Done.Ballots++
			case Message:
				p.Done.Messages++
			}
			if waiting = append(waiting, r); len(waiting) >= atOnce {
				if err := flush(); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err := cmp.Or(err, flush()); err != nil {
		return err
	}
	p.Done = p.Size
	tell(p)
	return to.Finish(ctx)
}

// fingerprint tells one state of one site from others: it has secrets of its own, and so many of everything.
func fingerprint(ctx context.Context, from Source, size Size) (string, error) {
	var secrets []Secret
	found := errors.New("all secrets are known")
	none := func(channel.Name) (uint64, error) { return 0, nil }
	err := from.Export(ctx, none, func(records ...any) error {
		for _, r := range records {
			s, is := r.(Secret)
			if !is {
				return found
			}
			secrets = append(secrets, s)
		}
		return nil
	})
	if err != nil && !errors.Is(err, found) {
		return "", err
	}
	slices.SortFunc(secrets, func(a, b Secret) int { return cmp.Compare(a.Name, b.Name) })
	var all bytes.Buffer
	for _, s := range secrets {
		fmt.Fprintf(&all, "%q %x ", s.Name, s.Value)
	}
	fmt.Fprint(&all, size)
	sum := sha256.Sum256(all.Bytes())
	return hex.EncodeToString(sum[:16]), nil
}
