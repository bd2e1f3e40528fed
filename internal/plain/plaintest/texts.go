// Package plaintest has texts that tests of what reads the plainest JSON begin with.
package plaintest

import "strings"

// Plainest are texts so plain that none is left to encoding/json.
func Plainest() []string {
	return []string{
		`{"type":"text","data":{"text":"hello"},"id":"k1"}`,
		" {\t\"type\" : \"x\",\r\n \"data\" : [ 1 , -2.5e+3 , true, null, \"\\u00e9\\n\", {} , [] ] } ",
		`{"messages":[{"type":"a","data":1},{"type":"b","data":"c","id":"d"}]}`,
	}
}

// Texts are JSON as clients send it, and what is nearly that.
func Texts() []string {
	return append(Plainest(),
		`{"messages":[]}`, `{"messages":{}}`, `{"messages":[1]}`,
		`{"type":"a\u0062","data":0}`, `{"Type":"text","data":{}}`, `{"type":"é","data":""}`, `{"type":null,"data":null}`, `{"id":1}`,
		`{"type":"x","data":01}`, `{"type":"x","data":-}`, `{"type":"x","data":1.}`, `{"type":"x","data":{"a":]}}`, `{"data":tru}`,
		`{"type":"x",}`, `{"type":"x"}}`, `{"type":"x"`, `{`, `{}`, ``, `[]`, `{"data":"\x"}`, "{\"data\":\"\n\"}", "{\"data\":\"\xff\"}",
		`{"type":"a","type":"b","data":1,"data":2}`, `{"unknown":1}`, `{"type":"x","data":"`+"\u2028"+`"}`,
		`{"data":`+strings.Repeat("[", 63)+strings.Repeat("]", 63)+`}`, `{"data":`+strings.Repeat("[", 64)+strings.Repeat("]", 64)+`}`,
	)
}
