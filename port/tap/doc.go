// Package tap is the ports "tap:NAME" and "tun:NAME": Linux devices whose other end is this program. What the kernel sends by
// the device, a route or a bridge say, Rx receives; what Tx sends, the kernel receives by it. A tap carries Ethernet
// frames, a tun IP packets without a link header (link type 101), as VPNs have them.
//
//	tap:tap0                          create tap0, or attach to it if it is there
//	tap:,queues=4                     the kernel chooses the name; four queues
//	tun:vpn0,addr=10.0.0.1/24+fd00::1/64,mtu=1420
//
// A device that Open creates is gone after Close, unless persist=on. One that was there stays, with what the keys have changed.
//
// Frames come and go with their offloads (virtio_net_hdr), so TCP through a port runs with frames of up to 64 KiB, and nobody
// computes a checksum twice; Options.Large has to be given for them, or they are dropped and counted. What the other port
// can't take so, it finishes in software. With vnet=off the kernel finishes frames before Rx, and the port before it sends.
//
// A frame is one system call. A device has a queue of its own in the kernel (txqlen=, usually 1000 frames for a tap, 500
// for a tun), and what finds it full is dropped there: Stats has it as ring_full. With queues=N the kernel spreads flows
// over N of them, and Tx keeps a flow in one, but one caller of Rx and one of Tx serve them all: more queues
// are more room, and several devices or ports more workers. The kernel moves a flow to the queue by which Tx has sent the other
// direction, so that of a flow that has just begun a few frames may change places.
//
// Frames that are sent while the device is down are dropped as link_down. When the device is deleted, Rx and Tx return
// ErrDeleted.
//
// It needs Linux 3.8 or later, CAP_NET_ADMIN (or a device that root has made for the user: ip tuntap add … user NAME), and
// /dev/net/tun. On other systems the package is empty.
package tap
