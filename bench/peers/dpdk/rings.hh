// rte_ring as a queue: the four kinds of synchronisation, elements of any size, and zero copy.

#pragma once

#include "../cxx/queue.hh"

#include <rte_errno.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>

namespace dpdk {

using namespace queue;

[[noreturn]] inline void fail(const std::string &what) { throw std::runtime_error(what + ": " + rte_strerror(rte_errno)); }

// The functions of a kind are named, rather than left to a switch in the general ones, for speed.
template <unsigned Flags, auto Enqueue, auto Dequeue> struct Kind {
    static constexpr unsigned flags = Flags;
    static constexpr auto enqueue = Enqueue;
    static constexpr auto dequeue = Dequeue;
};

using SpSc = Kind<RING_F_SP_ENQ | RING_F_SC_DEQ, rte_ring_sp_enqueue_burst_elem, rte_ring_sc_dequeue_burst_elem>;
using MpMc = Kind<0, rte_ring_mp_enqueue_burst_elem, rte_ring_mc_dequeue_burst_elem>;
using Rts = Kind<RING_F_MP_RTS_ENQ | RING_F_MC_RTS_DEQ, rte_ring_mp_rts_enqueue_burst_elem, rte_ring_mc_rts_dequeue_burst_elem>;
using Hts = Kind<RING_F_MP_HTS_ENQ | RING_F_MC_HTS_DEQ, rte_ring_mp_hts_enqueue_burst_elem, rte_ring_mc_hts_dequeue_burst_elem>;

template <class Kind, class T, size_t Cap> class Ring {
public:
    using value = T;
    using Producer = Ring &;
    using Consumer = Ring &;

    Ring() {
        static int rings = 0; // their names must differ
        r = rte_ring_create_elem(("ring" + std::to_string(rings++)).c_str(), sizeof(T), Cap, SOCKET_ID_ANY, Kind::flags);
        if (r == nullptr)
            fail("rte_ring_create_elem");
    }
    ~Ring() { rte_ring_free(r); }
    Ring(const Ring &) = delete;

    bool push(const T &e) { return push(&e, 1) == 1; }
    bool pop(T &e) { return pop(&e, 1) == 1; }
    size_t push(const T *e, size_t n) { return Kind::enqueue(r, e, sizeof(T), n, nullptr); }
    size_t pop(T *e, size_t n) { return Kind::dequeue(r, e, sizeof(T), n, nullptr); }

    template <class F> size_t fill(size_t n, F f) {
        rte_ring_zc_data room;
        const size_t k = rte_ring_enqueue_zc_burst_elem_start(r, sizeof(T), n, &room, nullptr);
        visit<T>(room, k, f);
        rte_ring_enqueue_zc_elem_finish(r, k);
        return k;
    }

    template <class F> size_t drain(size_t n, F f) {
        rte_ring_zc_data items;
        const size_t k = rte_ring_dequeue_zc_burst_elem_start(r, sizeof(T), n, &items, nullptr);
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

template <size_t Bytes, size_t Cap> using Spsc = Ring<SpSc, Element<Bytes>, Cap>;

inline void add_rings() {
    const Wait wait(1, patient), crowded(1, 16);
    add_spsc<Spsc>("dpdk", wait);
    const auto add_mpmc = [&]<class Kind>(const std::string &impl, Kind) {
        add_pairs<Ring<Kind, uint64_t, capacity>>(impl, wait, crowded, Place::pinned);
        add_burst_pairs<Ring<Kind, uint64_t, capacity>>(impl, wait, crowded, Place::pinned);
        each_capacity([&](auto cap, const std::string &suffix) {
            add_stream<Ring<Kind, uint64_t, cap>, Single<>>("mpmc/single/1p1c" + suffix, impl, wait);
        });
    };
    add_mpmc("dpdk", MpMc());
    add_mpmc("dpdk-rts", Rts());
    add_mpmc("dpdk-hts", Hts());
}

} // namespace dpdk
