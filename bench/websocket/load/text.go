package load

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

const vocabulary = "the of and to in is you that it he was for on are as with his they at be this have from or one had by word but not " +
	"what all were we when your can said there use an each which she do how their if will up other about out many then them these so " +
	"some her would make like him into time has look two more write go see number no way could people my than first water been call " +
	"who oil its now find long down day did get come made may part"

// Words returns n bytes of ASCII text.
func Words(n int) []byte { return words(rand.New(rand.NewPCG(3, 4)), n) }

func words(random *rand.Rand, n int) []byte {
	all := strings.Fields(vocabulary)
	b := []byte{}
	for len(b) < n {
		b = append(append(b, all[random.IntN(len(all))]...), ' ')
	}
	return b[:n]
}

// JSON returns different objects of exactly size bytes each, like the messages of a chat.
func JSON(count, size int) [][]byte {
	random := rand.New(rand.NewPCG(5, 6))
	var messages [][]byte
	for i := range count {
		head := fmt.Sprintf(`{"type":"message","channel":"room:lobby","seq":%d,"id":"%016x","at":"2025-11-%02dT%02d:%02d:%02d.%03dZ","from":{"id":"u%d","name":"Guest %d"},"tags":[%d,%d,%d],"text":"`,
			100000+i, random.Uint64(), 1+i%30, random.IntN(24), random.IntN(60), random.IntN(60), random.IntN(1000),
			random.IntN(1e6), random.IntN(1000), random.IntN(100), random.IntN(100), random.IntN(100))
		const end = `","edited":false}`
		m := append([]byte(head), words(random, size-len(head)-len(end))...)
		messages = append(messages, append(m, end...))
	}
	return messages
}
