package identity

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"
)

// A token is "p1_" and the base64url text of: the user's id (10 bytes), the second of its issue (5 bytes, big endian, since
// 1970), and the first 16 bytes of HMAC-SHA256 over "p1_" and those 15. It is stateless: whoever knows the secret
// can tell whom it is for without looking anything up. It ends with its user.
const (
	tokenPrefix = "p1_"
	idBytes     = 10
	timeBytes   = 5
	tagBytes    = 16
)

var (
	// idText writes ids: 16 characters a–z and 2–7, good in a channel's name and without its dot.
	idText    = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)
	tokenText = base64.RawURLEncoding.Strict() // one text per token
)

type signer struct{ secret []byte }

func (s signer) tag(payload []byte) []byte {
	mac := hmac.New(sha256.New, s.secret)
	mac.Write([]byte(tokenPrefix))
	mac.Write(payload)
	return mac.Sum(nil)[:tagBytes]
}

// sign makes a token. The id must be one of newID's.
func (s signer) sign(id string, at time.Time) string {
	raw, err := idText.DecodeString(id)
	if err != nil || len(raw) != idBytes {
		panic("identity: not a user id: " + id)
	}
	payload := make([]byte, 0, idBytes+timeBytes+tagBytes)
	payload = append(payload, raw...)
	var seconds [8]byte
	binary.BigEndian.PutUint64(seconds[:], uint64(at.Unix()))
	payload = append(payload, seconds[8-timeBytes:]...)
	return tokenPrefix + tokenText.EncodeToString(append(payload, s.tag(payload)...))
}

// verify returns whom a token is for and when it was issued; ok is false for a token that this secret did not sign.
func (s signer) verify(token string) (id string, issued time.Time, ok bool) {
	text, found := strings.CutPrefix(token, tokenPrefix)
	if !found || len(text) != tokenText.EncodedLen(idBytes+timeBytes+tagBytes) {
		return "", time.Time{}, false
	}
	raw, err := tokenText.DecodeString(text)
	if err != nil {
		return "", time.Time{}, false
	}
	payload, tag := raw[:idBytes+timeBytes], raw[idBytes+timeBytes:]
	if !hmac.Equal(tag, s.tag(payload)) {
		return "", time.Time{}, false
	}
	var seconds [8]byte
	copy(seconds[8-timeBytes:], payload[idBytes:])
	return idText.EncodeToString(payload[:idBytes]), time.Unix(int64(binary.BigEndian.Uint64(seconds[:])), 0), true
}
