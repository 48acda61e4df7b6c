// Package guest runs small virtual machines for tests: QEMU with Debian's kernel and busybox, up in two or three seconds,
// and a shell in it.
//
//	lab := netlab.New(t)
//	host := lab.Namespace("host")
//	g := guest.Start(t, host, guest.Config{
//		Netdev: "stream,server=off,addr.type=unix,addr.path=" + path,
//		Addrs:  []string{"10.0.0.2/24"},
//	})
//	out := g.Run("ping -c 1 10.0.0.1")
//
// The guest has one network interface, eth0, by virtio, and busybox's commands. It is ended with the test, or killed
// by Kill as if its machine had lost power; then the same Config starts it anew.
//
// It needs what netlab needs, QEMU, a kernel with its modules in /boot and /lib/modules, and a static busybox; a test
// without them is skipped (package need). The guest is emulated: KVM within a virtual machine, which is what CI has, may be there and
// not work, and what is tested here needs no speed. It is for Linux on amd64 alone: on other systems the package is empty.
package guest
