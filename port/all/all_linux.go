package all

import (
	_ "github.com/ringway-net/ringway/port/afpacket"
	_ "github.com/ringway-net/ringway/port/afxdp"
	_ "github.com/ringway-net/ringway/port/tap"
)
