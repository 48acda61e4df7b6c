// Package all brings every kind of port that works on the platform into the reach of
// port.Open. Import it for that effect alone:
//
//	import _ "github.com/ringway-net/ringway/port/all"
//
// A program that needs few kinds imports those packages instead, and is smaller.
package all

import (
	_ "github.com/ringway-net/ringway/port/gen"
	_ "github.com/ringway-net/ringway/port/mem"
	_ "github.com/ringway-net/ringway/port/null"
	_ "github.com/ringway-net/ringway/port/pcap"
	_ "github.com/ringway-net/ringway/port/udp"
	_ "github.com/ringway-net/ringway/port/unixsock"
	_ "github.com/ringway-net/ringway/port/vxlan"
)
