module github.com/ringway-net/ringway

go 1.26.0

require (
	github.com/gopacket/gopacket v1.7.7 // indirect
	github.com/urfave/cli/v3 v3.14.0 // indirect
	go.uber.org/goleak v1.3.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/term v0.47.0 // indirect
)
