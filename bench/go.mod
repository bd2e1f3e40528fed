module parley/bench

go 1.26
