// DPDK: rings, memory pools and packet buffers, without devices and without hugepages reserved.

#include "mbufs.hh"

#include <rte_eal.h>
#include <rte_memory.h>
#include <sys/mman.h>

// DPDK is meant to have hugepages. Those that the kernel gives without any being reserved are the
// next best; advice that it does not take does no harm.
static int advise_hugepages(const rte_memseg_list *list, void *) {
    madvise(list->base_va, list->len, MADV_HUGEPAGE);
    return 0;
}

int main(int, char **argv) {
    // The works' threads are the harness's own, which register where they need it: an lcore of
    // DPDK's would spin or be kept between runs.
    std::string lcores = "--lcores=0@" + std::to_string(harness::cpu(0));
    std::vector<std::string> arguments{argv[0], lcores,     "--no-huge", "-m", "512", "--no-shconf", "--no-pci",
                                       "--no-telemetry", "--log-level=*:error"};
    std::vector<char *> pointers;
    for (auto &a : arguments)
        pointers.push_back(a.data());
    if (rte_eal_init(pointers.size(), pointers.data()) < 0) {
        fprintf(stderr, "rte_eal_init: %s\n", rte_strerror(rte_errno));
        return 1;
    }
    rte_memseg_list_walk(advise_hugepages, nullptr);
    dpdk::add_rings();
    dpdk::add_pools();
    dpdk::add_mbufs();
    return harness::serve();
}
