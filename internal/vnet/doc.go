// Package vnet reads and writes the header that Linux's TAP devices and packet sockets put before each frame: struct virtio_net_hdr of
// the virtio specification (5.1.6), little-endian here as the kernel is told.
package vnet
