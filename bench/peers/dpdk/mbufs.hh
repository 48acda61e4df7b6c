// rte_mbuf: handing packets from one core to another, and filling one with a frame.

#pragma once

#include "pools.hh"

#include <rte_mbuf.h>
#include <rte_memcpy.h>

namespace dpdk {

inline rte_mempool *mbuf_pool() {
    static rte_mempool *const pool =
        rte_pktmbuf_pool_create("mbufs", buffers, cached, 0, buffer_size + RTE_PKTMBUF_HEADROOM, memory());
    if (pool == nullptr)
        fail("rte_pktmbuf_pool_create");
    return pool;
}

// The length of packet i.
inline uint16_t length(uint64_t i) { return 60 + i % 1024; }

// One packet has calls of its own, which are cheaper than those for many.

template <size_t N> bool allocate(rte_mempool *pool, rte_mbuf **packets) {
    if constexpr (N == 1)
        return (packets[0] = rte_pktmbuf_alloc(pool)) != nullptr;
    else
        return rte_pktmbuf_alloc_bulk(pool, packets, N) == 0;
}

template <size_t N> void release(rte_mbuf **packets, size_t n) {
    if constexpr (N == 1)
        rte_pktmbuf_free(packets[0]);
    else
        rte_pktmbuf_free_bulk(packets, n);
}

// One thread allocates packets, sets their lengths and sends them to another, which adds the lengths
// up and frees the packets.
template <size_t N> Figures handoff(uint64_t n, Wait wait) {
    rte_mempool *const pool = mbuf_pool();
    const uint64_t total = whole(n, N);
    uint64_t lengths = 0;
    const double ns = across<rte_mbuf *, N>(
        total, wait,
        [=](rte_mbuf **packets, uint64_t i) {
            if (!allocate<N>(pool, packets))
                return false;
            for (size_t k = 0; k < N; k++)
                packets[k]->pkt_len = packets[k]->data_len = length(i + k);
            return true;
        },
        [&](rte_mbuf **packets, size_t n) {
            for (size_t k = 0; k < n; k++)
                lengths += packets[k]->data_len;
            release<N>(packets, n);
        });
    uint64_t want = 0;
    for (uint64_t i = 0; i < total; i++)
        want += length(i);
    check(lengths, want);
    check_all_back(pool);
    return {{"ns", ns}};
}

// A packet is allocated, a frame copied into it, a byte of it read, and the packet freed.
template <size_t Size> Figures frame(uint64_t n) {
    rte_mempool *const pool = mbuf_pool();
    uint64_t got = 0;
    bool empty = false;
    const Body body = [&](Clock &clock) {
        Lcore lcore;
        alignas(64) uint8_t source[Size] = {};
        clock.start();
        for (uint64_t i = 0; i < n; i++) {
            rte_mbuf *const m = rte_pktmbuf_alloc(pool);
            if (m == nullptr) {
                empty = true;
                break;
            }
            source[i % Size] = i;
            m->pkt_len = m->data_len = Size;
            uint8_t *const data = rte_pktmbuf_mtod(m, uint8_t *);
            rte_memcpy(data, source, Size);
            asm volatile("" : : "r"(data) : "memory");
            got += data[i % Size];
            rte_pktmbuf_free(m);
        }
        clock.stop();
    };
    const double ns = parallel({body});
    if (empty)
        throw std::runtime_error("the pool was empty");
    uint64_t want = 0;
    for (uint64_t i = 0; i < n; i++)
        want += uint8_t(i);
    check(got, want);
    check_all_back(pool);
    return {{"ns", ns / n}};
}

inline void add_mbufs() {
    const Wait wait(1, patient);
    add("handoff/single", "dpdk", [=](uint64_t n) { return handoff<1>(n, wait); });
    add("handoff/64", "dpdk", [=](uint64_t n) { return handoff<64>(n, wait); });
    add("frame/64B", "dpdk", frame<64>);
    add("frame/1500B", "dpdk", frame<1500>);
}

} // namespace dpdk
