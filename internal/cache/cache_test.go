package cache

import (
	"errors"
	"testing"
)

func load(v int) func() (int, error) { return func() (int, error) { return v, nil } }

func TestLoadsOnce(t *testing.T) {
	c := New[string, int](4)
	for range 3 {
		if v, err := c.Load("a", load(1)); v != 1 || err != nil {
			t.Fatal(v, err)
		}
	}
	if v, _ := c.Load("a", load(2)); v != 1 {
		t.Fatalf("loaded again: %d", v)
	}
	c.Drop("a")
	if v, _ := c.Load("a", load(2)); v != 2 {
		t.Fatalf("a dropped value was kept: %d", v)
	}
}

func TestErrorsAreNotKept(t *testing.T) {
	c := New[string, int](4)
	fail := errors.New("no")
	if _, err := c.Load("a", func() (int, error) { return 0, fail }); err != fail {
		t.Fatal(err)
	}
	if v, err := c.Load("a", load(1)); v != 1 || err != nil {
		t.Fatal(v, err)
	}
}

func TestADropDuringALoadWins(t *testing.T) {
	c := New[string, int](4)
	v, _ := c.Load("a", func() (int, error) {
		c.Drop("a")
		return 1, nil
	})
	if v != 1 {
		t.Fatal(v)
	}
	if v, _ := c.Load("a", load(2)); v != 2 {
		t.Fatalf("a stale value was kept: %d", v)
	}
}

func TestIsBounded(t *testing.T) {
	c := New[int, int](8)
	_, _ = c.Load(-1, load(7))
	for i := range 1000 {
		_, _ = c.Load(i, load(i))
		if v, _ := c.Load(-1, load(8)); v != 7 {
			t.Fatalf("a value in use was evicted after %d others", i)
		}
		if n := len(c.young) + len(c.old); n > 16 {
			t.Fatalf("%d values held", n)
		}
	}
}

func TestUpdateChangesOnlyWhatIsHeld(t *testing.T) {
	c := New[string, int](4)
	c.Update("a", func(int) int { return 9 })
	_, _ = c.Load("a", load(1))
	c.Update("a", func(v int) int { return v + 1 })
	if v, _ := c.Load("a", load(5)); v != 2 {
		t.Fatal(v)
	}
	c.Clear()
	if v, _ := c.Load("a", load(5)); v != 5 {
		t.Fatal(v)
	}
}
