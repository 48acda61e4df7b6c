module github.com/ringway-net/ringway/bench

go 1.26.0

require (
	github.com/Workiva/go-datastructures v1.1.7
	github.com/puzpuzpuz/xsync/v4 v4.5.0
	github.com/ringway-net/ringway v0.0.0
)

require golang.org/x/sys v0.49.0

replace github.com/ringway-net/ringway => ../
