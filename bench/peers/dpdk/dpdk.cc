// DPDK: rings, memory pools and packet buffers, without devices and without reserved hugepages.

#include "mbufs.hh"

#include <rte_eal.h>

int main(int, char **argv) {
    // The works' threads are the harness's own, which register where they need it: an lcore of
    // DPDK's would spin or be kept between runs.
    std::string lcores = "--lcores=0@" + std::to_string(harness::cpu(0));
    std::vector<std::string> arguments{argv[0], lcores,     "--no-huge", "-m", "64", "--no-shconf", "--no-pci",
                                       "--no-telemetry", "--log-level=*:error"};
    std::vector<char *> pointers;
    for (auto &a : arguments)
        pointers.push_back(a.data());
    if (rte_eal_init(pointers.size(), pointers.data()) < 0) {
        fprintf(stderr, "rte_eal_init: %s\n", rte_strerror(rte_errno));
        return 1;
    }
    dpdk::add_rings();
    dpdk::add_pools();
    dpdk::add_mbufs();
    return harness::serve();
}
