// Memory for DPDK in hugepages, without any being reserved.
//
// DPDK is meant to have hugepages, and is slower without where many buffers go round. What it maps
// itself when it is told to do without can't have them, so what the works allocate comes from
// memory of ours that the kernel is asked to back with hugepages.

#pragma once

#include <rte_errno.h>
#include <rte_malloc.h>
#include <sys/mman.h>

#include <cstdint>
#include <stdexcept>
#include <string>

namespace dpdk {

[[noreturn]] inline void fail(const std::string &what) { throw std::runtime_error(what + ": " + rte_strerror(rte_errno)); }

// The socket that stands for that memory.
inline int memory() {
    static const int socket = [] {
        constexpr size_t page = 2 << 20, size = 96 << 20;
        void *const mapped = mmap(nullptr, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (mapped == MAP_FAILED)
            throw std::runtime_error("mmap failed");
        void *const start = reinterpret_cast<void *>((reinterpret_cast<uintptr_t>(mapped) + page - 1) / page * page);
        madvise(start, size, MADV_HUGEPAGE); // a kernel that has none gives small pages
        const char *const heap = "works";
        if (rte_malloc_heap_create(heap) != 0)
            fail("rte_malloc_heap_create");
        if (rte_malloc_heap_memory_add(heap, start, size, nullptr, 0, page) != 0)
            fail("rte_malloc_heap_memory_add");
        return rte_malloc_heap_get_socket(heap);
    }();
    return socket;
}

} // namespace dpdk
