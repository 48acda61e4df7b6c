// Package afxdp is the port "afxdp:IF", a network interface by AF_XDP (Linux): frames get past the kernel's
// network stack straight into the pool's buffers, and out of them.
//
//	p, err := pool.New(pool.Config{UMEM: true})
//	a, err := port.Open("afxdp:eth0,filter=arp|ip+host=10.0.0.7", port.Options{Pool: p})
//
// The pool has to be made with pool.Config.UMEM: the kernel registers its region, receives into its
// buffers and sends out of them. Of the pool a third at most is lent to each port for receiving. A buffer of another pool or on
// the heap is copied to be sent, and so is one that is on its way by this port already; Info.Notes has how many.
//
// What it needs: root, or CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF; Linux 5.11 with CONFIG_XDP_SOCKETS, 6.6 for an
// MTU beyond a chunk; locked memory for the pool (root has it). No other XDP program may be on the interface.
//
// Modes, the best first. Info.Mode has the one in use, and why none before it:
//
//   - zerocopy: the device writes into the pool's buffers. The driver has to be able to.
//   - copy: the driver runs the XDP program, and the kernel copies each frame once. veth works so.
//   - generic: the kernel's stack runs it. Works with every device, and is slower.
//
// The port has all queues of the interface, or the one that queue= says. Frames of a flow are sent by the same queue. Several ports of
// a process may share an interface, each with queues of its own, and the same filter; sockets over the
// same pool share one registration of its memory, those of other interfaces too.
//
// filter= is compiled into the XDP program (ParseFilter has its grammar). What it does not match stays with the kernel, so
// that a remote login through the same interface survives. Without it the port takes everything: if the interface has
// an address, Info.Warnings says so. The program and promiscuous mode go with the process, however it ends.
//
// Offloads: AF_XDP knows none. Tx completes checksums and cuts large frames in software. Rx recognises a checksum
// that the sender left unfinished (over veth, each one is) and says so in the frame's pool.Offload. In generic mode
// large TCP segments arrive whole, with Options.Large; their parts are made as long as the MTU allows, and large
// frames that are not TCP are dropped as too_long.
//
// An MTU beyond what a chunk takes works with Options.Large: such a frame comes in several chunks, which are copied together;
// Info.Notes has how many. On the way out it leaves in several chunks.
//
// What gets lost: frames that found no buffer (no_buffer: the pool was empty), or the receive ring full (ring_full),
// are counted by the kernel and are in Stats.RxDrops. Sent is what the kernel has completed; until then a frame is Queued. While the
// link is down, Tx drops and counts (link_down); when the interface is deleted, Rx and Tx say so with an error that wraps ENODEV.
// A VLAN tag that a device has taken out of the frame (ethtool -k: rx-vlan-offload; over veth, the sender's tx-vlan-offload) is
// not seen by AF_XDP: switch that off where tags matter.
package afxdp
