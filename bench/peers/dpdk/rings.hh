// rte_ring as a queue: the four kinds of synchronisation, elements of any size, and zero copy.

#pragma once

#include "../cxx/queue.hh"
#include "memory.hh"

#include <rte_ring.h>
#include <rte_ring_elem.h>

namespace dpdk {

using namespace queue;

enum class Kind { spsc, mpmc, rts, hts };

constexpr unsigned flags(Kind kind) {
    switch (kind) {
    case Kind::spsc: return RING_F_SP_ENQ | RING_F_SC_DEQ;
    case Kind::rts: return RING_F_MP_RTS_ENQ | RING_F_MC_RTS_DEQ;
    case Kind::hts: return RING_F_MP_HTS_ENQ | RING_F_MC_HTS_DEQ;
    default: return 0;
    }
}

// The functions of each kind are called by name, rather than left to a switch in the general ones.

template <Kind kind> unsigned enqueue(rte_ring *r, const void *e, unsigned size, unsigned n) {
    switch (kind) {
    case Kind::spsc: return rte_ring_sp_enqueue_burst_elem(r, e, size, n, nullptr);
    case Kind::mpmc: return rte_ring_mp_enqueue_burst_elem(r, e, size, n, nullptr);
    case Kind::rts: return rte_ring_mp_rts_enqueue_burst_elem(r, e, size, n, nullptr);
    case Kind::hts: return rte_ring_mp_hts_enqueue_burst_elem(r, e, size, n, nullptr);
    }
}

template <Kind kind> unsigned dequeue(rte_ring *r, void *e, unsigned size, unsigned n) {
    switch (kind) {
    case Kind::spsc: return rte_ring_sc_dequeue_burst_elem(r, e, size, n, nullptr);
    case Kind::mpmc: return rte_ring_mc_dequeue_burst_elem(r, e, size, n, nullptr);
    case Kind::rts: return rte_ring_mc_rts_dequeue_burst_elem(r, e, size, n, nullptr);
    case Kind::hts: return rte_ring_mc_hts_dequeue_burst_elem(r, e, size, n, nullptr);
    }
}

template <Kind kind, class T, size_t Cap> class Ring {
public:
    using value = T;
    using Producer = Ring &;
    using Consumer = Ring &;

    Ring() {
        static int rings = 0; // their names must differ
        r = rte_ring_create_elem(("ring" + std::to_string(rings++)).c_str(), sizeof(T), Cap, memory(), flags(kind));
        if (r == nullptr)
            fail("rte_ring_create_elem");
    }
    ~Ring() { rte_ring_free(r); }
    Ring(const Ring &) = delete;

    bool push(const T &e) { return push(&e, 1) == 1; }
    bool pop(T &e) { return pop(&e, 1) == 1; }
    size_t push(const T *e, size_t n) { return enqueue<kind>(r, e, sizeof(T), n); }
    size_t pop(T *e, size_t n) { return dequeue<kind>(r, e, sizeof(T), n); }

    template <class F> size_t fill(size_t n, F f) {
        rte_ring_zc_data room;
        const size_t k = rte_ring_enqueue_zc_burst_elem_start(r, sizeof(T), n, &room, nullptr);
        if (k == 0)
            return 0;
        visit<T>(room, k, f);
        rte_ring_enqueue_zc_elem_finish(r, k);
        return k;
    }

    template <class F> size_t drain(size_t n, F f) {
        rte_ring_zc_data items;
        const size_t k = rte_ring_dequeue_zc_burst_elem_start(r, sizeof(T), n, &items, nullptr);
        if (k == 0)
            return 0;
        visit<const T>(items, k, f);
        rte_ring_dequeue_zc_elem_finish(r, k);
        return k;
    }

private:
    // The k elements are in one piece, or in two where the ring wraps around.
    template <class E, class F> static void visit(const rte_ring_zc_data &d, size_t k, F f) {
        f(static_cast<E *>(d.ptr1), d.n1);
        if (d.n1 < k)
            f(static_cast<E *>(d.ptr2), k - d.n1);
    }

    rte_ring *r;
};

template <size_t Bytes, size_t Cap> using Spsc = Ring<Kind::spsc, Element<Bytes>, Cap>;

template <Kind kind> void add_mpmc(const std::string &impl) {
    // For a pair it does not matter how long it waits between tries. A crowd's single operations do
    // best where the system puts the threads, its bursts on fixed CPUs.
    const Wait wait(1, patient), single(1, 8), burst(1, 64);
    // The default kind is not for threads that share a CPU: one that loses it within an operation
    // keeps the others waiting, without yielding, for a time slice each. With 4 pairs that took minutes.
    const bool crowds = kind != Kind::mpmc;
    add_pairs<Ring<kind, uint64_t, capacity>>(impl, wait, single, Place::free, crowds);
    add_burst_pairs<Ring<kind, uint64_t, capacity>>(impl, wait, burst, Place::pinned, crowds);
    each_capacity([&](auto cap, const std::string &suffix) {
        add_stream<Ring<kind, uint64_t, cap>, Single<>>("mpmc/single/1p1c" + suffix, impl, wait);
    });
}

inline void add_rings() {
    // Longer waits make no difference to the streams, and the ping-pong half as slow again.
    add_spsc<Spsc>("dpdk", Wait(1, patient));
    add_mpmc<Kind::mpmc>("dpdk");
    add_mpmc<Kind::rts>("dpdk-rts");
    add_mpmc<Kind::hts>("dpdk-hts");
}

} // namespace dpdk
