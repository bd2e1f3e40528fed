package side

import (
	"errors"
	"fmt"
	"io"
)

// Build builds the chosen peers' programs, by peer. One that cannot be had is told of, with the reason why it is missing, and
// the others go on. It is an error if there is none.
func Build[P, T any](chosen []P, log io.Writer, build func(P) (Peer, T, error)) (built map[string]T, missing map[string]string, err error) {
	built, missing = map[string]T{}, map[string]string{}
	for _, c := range chosen {
		p, program, err := build(c)
		if err != nil {
			missing[p.Key] = err.Error()
			fmt.Fprintf(log, "%s is not available: %v\n", p.Title, err)
			continue
		}
		built[p.Key] = program
	}
	if len(built) == 0 {
		return nil, nil, errors.New("no peer is available")
	}
	return built, missing, nil
}
