// rte_mempool: getting and putting buffers, by one thread, and across two.

#pragma once

#include "rings.hh"

#include <rte_lcore.h>
#include <rte_mempool.h>

namespace dpdk {

// A pool caches buffers for registered threads alone.
struct Lcore {
    Lcore() {
        if (rte_thread_register() != 0)
            fail("rte_thread_register");
    }
    ~Lcore() { rte_thread_unregister(); }
    Lcore(const Lcore &) = delete;
};

constexpr unsigned buffers = 8191; // one less than a power of two is what a pool's ring holds
constexpr unsigned cached = 256;
constexpr unsigned buffer_size = 2048;

// Pools stay for good: to make one takes longer than a run.
inline rte_mempool *buffer_pool() {
    static rte_mempool *const pool =
        rte_mempool_create("buffers", buffers, buffer_size, cached, 0, nullptr, nullptr, nullptr, nullptr,
                           memory(), 0);
    if (pool == nullptr)
        fail("rte_mempool_create");
    return pool;
}

// After a run every buffer must be back.
inline void check_all_back(const rte_mempool *pool) {
    const unsigned n = rte_mempool_avail_count(pool);
    if (n != buffers)
        throw std::runtime_error(std::to_string(n) + " buffers are in the pool after the run, not " + std::to_string(buffers));
}

// The pointers must be in memory: they are not the compiler's to keep or forget.
inline void opaque(void **objects) { asm volatile("" : : "r"(objects) : "memory"); }

// Bulks are whole: n, rounded up to a multiple of their size.
constexpr uint64_t whole(uint64_t n, size_t bulk) { return (n + bulk - 1) / bulk * bulk; }

template <size_t N> Figures pool(uint64_t n) {
    rte_mempool *const pool = buffer_pool();
    const uint64_t total = whole(n, N);
    bool empty = false;
    const Body body = [&](Clock &clock) {
        Lcore lcore;
        void *objects[N];
        clock.start();
        for (uint64_t i = 0; i < total; i += N) {
            if (rte_mempool_get_bulk(pool, objects, N) != 0) {
                empty = true;
                break;
            }
            opaque(objects);
            rte_mempool_put_bulk(pool, objects, N);
        }
        clock.stop();
    };
    const double ns = parallel({body});
    if (empty)
        throw std::runtime_error("the pool was empty");
    check_all_back(pool);
    return {{"ns", ns / total}};
}

// One thread gets objects, N at a time, and sends them to another, which puts them back: get(objects,
// i) is told the number of the first and returns false if there are none, and put(objects, k) gets
// those that came. Returns the nanoseconds of each of them.
template <class T, size_t N, class Get, class Put> double across(uint64_t total, Wait wait, Get get, Put put) {
    Ring<Kind::spsc, T, capacity> ring;
    const Body sender = [&](Clock &clock) {
        Lcore lcore;
        Wait w = wait;
        T objects[N];
        clock.start();
        for (uint64_t i = 0; i < total; i += N) {
            until([&] { return get(objects, i); }, w);
            for (size_t done = 0; done < N;)
                done += until([&] { return ring.push(objects + done, N - done); }, w);
        }
    };
    const Body receiver = [&](Clock &clock) {
        Lcore lcore;
        Wait w = wait;
        T objects[N];
        clock.start();
        for (uint64_t i = 0; i < total;) {
            const size_t k = until([&] { return ring.pop(objects, N); }, w);
            put(objects, k);
            i += k;
        }
        clock.stop();
    };
    return parallel({sender, receiver}) / total;
}

template <size_t N> Figures pool_across(uint64_t n, Wait wait) {
    rte_mempool *const pool = buffer_pool();
    const double ns = across<void *, N>(
        whole(n, N), wait,
        [=](void **objects, uint64_t) { return rte_mempool_get_bulk(pool, objects, N) == 0; },
        [=](void **objects, size_t k) { rte_mempool_put_bulk(pool, objects, k); });
    check_all_back(pool);
    return {{"ns", ns}};
}

inline void add_pools() {
    const Wait wait(1, patient);
    add("pool/single", "dpdk", pool<1>);
    add("pool/bulk64", "dpdk", pool<64>);
    add("pool/single/cross", "dpdk", [=](uint64_t n) { return pool_across<1>(n, wait); });
    add("pool/bulk64/cross", "dpdk", [=](uint64_t n) { return pool_across<64>(n, wait); });
}

} // namespace dpdk
