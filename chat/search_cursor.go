package chat

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strconv"

	"parley/channel"
)

// Where a search in one channel is gone on with is a position of it; in all of them, it is a list of their spots. A channel that was not looked
// at is not in the list: so it is short, and what is said there meanwhile is found as well.

// spotIn reads where a search in one channel is gone on with.
func spotIn(name channel.Name, before string) (Spot, error) {
	if before == "" {
		return Spot{name, Unsearched}, nil
	}
	p, err := channel.ParsePosition(before)
	return Spot{name, p.Seq}, err
}

func spotText(spots []Spot) string { return strconv.FormatUint(spots[0].Before, 10) }

// cursor is where a search in all channels is gone on with: Spot.Before by the channel's hash.
type cursor map[[hashBytes]byte]uint64

const (
	hashBytes     = 5 // two of 1,000 channels agree by chance once in two million
	cursorVersion = 1
)

func hashOf(name channel.Name) [hashBytes]byte {
	sum := sha256.Sum256([]byte(name))
	return [hashBytes]byte(sum[:hashBytes])
}

// spots are those of channels.
func (c cursor) spots(names []channel.Name) []Spot {
	spots := make([]Spot, len(names))
	for i, name := range names {
		before, known := c[hashOf(name)]
		if !known {
			before = Unsearched
		}
		spots[i] = Spot{name, before}
	}
	return spots
}

func cursorText(spots []Spot) string {
	b := []byte{cursorVersion}
	for _, s := range spots {
		if s.Before == Unsearched {
			continue
		}
		hash := hashOf(s.Channel)
		b = binary.AppendUvarint(append(b, hash[:]...), s.Before)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func parseCursor(text string) (cursor, error) {
	if text == "" {
		return nil, nil
	}
	bad := channel.ErrBadPosition.Detail("%.40q is not where a search in all conversations ended: give back next as it came", text)
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) == 0 || b[0] != cursorVersion {
		return nil, bad
	}
	c := cursor{}
	for b = b[1:]; len(b) > 0; {
		if len(b) <= hashBytes {
			return nil, bad
		}
		before, n := binary.Uvarint(b[hashBytes:])
		if n <= 0 || before > Unsearched {
			return nil, bad
		}
		c[[hashBytes]byte(b)] = before
		b = b[hashBytes+n:]
	}
	return c, nil
}
