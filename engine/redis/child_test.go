package redis

import (
	"testing"

	"parley/engine/enginetest"
)

func TestMain(m *testing.M) { children().Main(m) }

// children are what another node can be told to do.
func children() enginetest.Children { return enginetest.Children{"be there": beThere} }
