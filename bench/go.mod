module github.com/ringway-net/ringway/bench

go 1.26

replace github.com/ringway-net/ringway => ../
