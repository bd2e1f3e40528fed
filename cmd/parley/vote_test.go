package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

func TestVoteCommands(t *testing.T) {
	s := startServer(t)
	ann, bob := s.user(t), s.user(t)
	out := ann.run("vote", "create", "Tea?", "yes", "no").ok()
	made := regexp.MustCompile(`^([A-Z0-9]{5})  (http://\S+/v/[A-Z0-9]{5})\n$`).FindStringSubmatch(out)
	if made == nil {
		t.Fatalf("%q", out)
	}
	code := made[1]
	watch := bob.stream("vote", "show", "--watch", "--json", code)
	var vote struct {
		Open    bool
		Voters  int
		Options []struct{ Count int }
		Ballot  []int
	}
	next := func() {
		t.Helper()
		if err := json.Unmarshal([]byte(watch.line()), &vote); err != nil {
			t.Fatal(err)
		}
	}
	next()
	if vote.Voters != 0 {
		t.Fatalf("%+v", vote)
	}
	want := "Tea?  (" + code + ", open, 1 voter)\n  1  yes  ░░░░░░░░░░░░░░░░░░░░░░░░  0\n* 2  no   ████████████████████████  1\n"
	if got := bob.run("vote", "cast", strings.ToLower(code), "2").ok(); got != want {
		t.Fatalf("%s\nwant\n%s", got, want)
	}
	if got := bob.run("vote", "show", code).ok(); got != want {
		t.Fatalf("%s\nwant\n%s", got, want)
	}
	for vote.Voters != 1 {
		next()
	}
	ann.run("vote", "cast", code, "1").ok()
	bob.run("vote", "cast", code, "1").ok()
	for vote.Voters != 2 || vote.Options[0].Count != 2 {
		next()
	}
	if code := watch.interrupt(); code != 0 {
		t.Fatalf("exit code %d: %s", code, watch.errs)
	}

	bob.run("vote", "cast", code, "7").fails(1, "bad_options")
	bob.run("vote", "cast", code, "yes").fails(2, `"yes"`)
	bob.run("vote", "cast", code).fails(2, "number")
	bob.run("vote", "show", "AAAAA").fails(1, "no_vote")
	bob.run("vote", "create", "Tea?", "yes").fails(2, "two options")
	bob.run("vote").fails(2, "create, cast or show")
	bob.run("vote", "twist").fails(2, "twist")
	for _, of := range [][]string{{"vote"}, {"vote", "create"}, {"vote", "cast"}, {"vote", "show"}} {
		if out := bob.run(append(of, "--help")...).ok(); !strings.HasPrefix(out, "EXAMPLES:") || strings.Contains(out, "--data") {
			t.Errorf("the help of %v is\n%s", of, out)
		}
	}
}

// TestWatchEndsWhenTheVoteCloses, and a hidden result stays hidden.
func TestWatchEndsWhenTheVoteCloses(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann, u := s.user(t), s.user(t)
	out := ann.run("vote", "create", "--results", "closed", "--closes-in", "3s", "Tea?", "yes", "no").ok()
	code, _, _ := strings.Cut(out, " ")
	if out := u.run("vote", "cast", code, "1").ok(); !strings.Contains(out, "hidden") || strings.Contains(out, "█") {
		t.Fatalf("%s", out)
	}
	watched := u.run("vote", "show", "--watch", code).ok()
	if !strings.HasSuffix(watched, "Tea?  ("+code+", closed, 1 voter)\n* 1  yes  ████████████████████████  1\n  2  no   ░░░░░░░░░░░░░░░░░░░░░░░░  0\n") {
		t.Fatalf("%s", watched)
	}
}
