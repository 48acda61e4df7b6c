// The works of a queue: streams of numbers from producers to consumers, and ping-pong.
//
// A queue Q is default-constructible and has the types Q::value, Q::Producer and Q::Consumer; the
// last two are made from a Q& by the thread that uses them (and may be Q& itself). A Producer has
//
//     bool push(const value &)                false: no room
//     size_t push(const value *, size_t n)    how many were copied in
//     size_t fill(size_t n, f)                how many f(value *, size_t) wrote in place
//
// and a Consumer has the same with pop(value &), pop(value *, n) and drain(n, f). Each queue has
// those that its library offers, and a push or pop of one that waits by itself always returns true.

#pragma once

#include "harness.hh"

#include <memory>

namespace queue {

using namespace harness;

// An element of more than a word, all of which carry the number.
template <size_t Bytes> struct Wide {
    uint64_t words[Bytes / 8];
};

template <size_t Bytes> struct Of {
    using type = Wide<Bytes>;
};
template <> struct Of<8> {
    using type = uint64_t;
};
template <size_t Bytes> using Element = typename Of<Bytes>::type;

inline void put(uint64_t &e, uint64_t number) { e = number; }
inline uint64_t get(const uint64_t &e) { return e; }

template <size_t Bytes> void put(Wide<Bytes> &e, uint64_t number) {
    for (auto &w : e.words)
        w = number;
}
template <size_t Bytes> uint64_t get(const Wide<Bytes> &e) { return e.words[0]; }

template <class T> uint64_t sum(const T *e, size_t n) {
    uint64_t s = 0;
    for (size_t i = 0; i < n; i++)
        s += get(e[i]);
    return s;
}

// The numbers first, first+1, .. of one thread. Those of all threads are 1..n: 0 is what some
// queues take for an empty slot.
struct Share {
    uint64_t first, count;
};

inline Share share(uint64_t n, unsigned threads, unsigned i) {
    const uint64_t from = n * i / threads, to = n * (i + 1) / threads;
    return {from + 1, to - from};
}

// Repeats a try that returns a count (or a bool) until it is not 0.
template <class Try> auto until(Try attempt, Wait &wait) {
    for (;;) {
        if (auto k = attempt()) {
            wait.succeeded();
            return k;
        }
        wait.failed();
    }
}

// Every 64th operation is timed, so that the clock stays small beside the work.
constexpr uint64_t timed = 64;

// How elements are moved: `produce` pushes a share, `consume` pops as many and returns their sum.

// One at a time. With Late, the samples get the times of single operations.
template <bool Late = false> struct Single {
    template <class T, class P> static void produce(P &p, Share s, Wait wait, Samples &late) {
        T e{};
        for (uint64_t i = 0; i < s.count; i++) {
            put(e, s.first + i);
            operation(i, late, [&] { until([&] { return p.push(e); }, wait); });
        }
    }

    template <class T, class C> static uint64_t consume(C &c, Share s, Wait wait, Samples &late) {
        T e{};
        uint64_t total = 0;
        for (uint64_t i = 0; i < s.count; i++) {
            operation(i, late, [&] { until([&] { return c.pop(e); }, wait); });
            total += get(e);
        }
        return total;
    }

private:
    template <class Op> static void operation(uint64_t i, Samples &late, Op op) {
        if (!Late || i % timed != 0) {
            op();
            return;
        }
        const int64_t t = now();
        op();
        late.push_back(now() - t);
    }
};

// Up to N at a time, through an array of the caller.
template <size_t N> struct Burst {
    template <class T, class P> static void produce(P &p, Share s, Wait wait, Samples &) {
        T e[N];
        for (uint64_t i = 0; i < s.count;) {
            const size_t n = std::min<uint64_t>(N, s.count - i);
            for (size_t k = 0; k < n; k++)
                put(e[k], s.first + i + k);
            for (size_t done = 0; done < n;)
                done += until([&] { return p.push(e + done, n - done); }, wait);
            i += n;
        }
    }

    template <class T, class C> static uint64_t consume(C &c, Share s, Wait wait, Samples &) {
        T e[N];
        uint64_t total = 0;
        for (uint64_t i = 0; i < s.count;) {
            const size_t n = std::min<uint64_t>(N, s.count - i);
            const size_t k = until([&] { return c.pop(e, n); }, wait);
            total += sum(e, k);
            i += k;
        }
        return total;
    }
};

// Up to N at a time, written and read where they are in the queue. What a library has no such call
// for on the producer's side is copied in.
template <size_t N> struct InPlace {
    template <class T, class P> static void produce(P &p, Share s, Wait wait, Samples &late) {
        if constexpr (requires { p.fill(N, [](T *, size_t) {}); }) {
            uint64_t number = s.first;
            const auto write = [&](T *e, size_t n) {
                for (size_t k = 0; k < n; k++)
                    put(e[k], number + k);
                number += n;
            };
            for (uint64_t i = 0; i < s.count;)
                i += until([&] { return p.fill(std::min<uint64_t>(N, s.count - i), write); }, wait);
        } else {
            Burst<N>::template produce<T>(p, s, wait, late);
        }
    }

    template <class T, class C> static uint64_t consume(C &c, Share s, Wait wait, Samples &) {
        uint64_t total = 0;
        const auto read = [&](const T *e, size_t n) { total += sum(e, n); };
        for (uint64_t i = 0; i < s.count;)
            i += until([&] { return c.drain(std::min<uint64_t>(N, s.count - i), read); }, wait);
        return total;
    }
};

// n numbers from `pairs` producers to as many consumers. They take turns on the CPUs, so that each
// has as many of the ones as of the others (but for one pair, which gets a CPU each).
template <class Q, class How> Figures stream(uint64_t n, unsigned pairs, Wait wait, Place place) {
    using T = typename Q::value;
    const auto q = std::make_unique<Q>();
    std::vector<uint64_t> sums(pairs);
    std::vector<Samples> late(2 * pairs);
    for (auto &l : late)
        l.reserve(n / pairs / timed + 2);
    std::vector<Body> bodies;
    for (unsigned i = 0; i < pairs; i++)
        bodies.push_back([&, i](Clock &clock) {
            typename Q::Producer p(*q);
            clock.start();
            How::template produce<T>(p, share(n, pairs, i), wait, late[i]);
        });
    for (unsigned i = 0; i < pairs; i++)
        bodies.push_back([&, i](Clock &clock) {
            typename Q::Consumer c(*q);
            clock.start();
            sums[i] = How::template consume<T>(c, share(n, pairs, i), wait, late[pairs + i]);
            clock.stop();
        });
    Figures figures{{"ns", parallel(bodies, place) / n}};
    uint64_t total = 0;
    for (auto s : sums)
        total += s;
    check(total, n * (n + 1) / 2);
    Samples all;
    for (auto &l : late)
        all.insert(all.end(), l.begin(), l.end());
    if (!all.empty())
        figures.push_back({"p999", percentile(all, 0.999)});
    return figures;
}

// A number goes there through one queue and back through another, n times.
template <class Q> Figures pingpong(uint64_t n, Wait wait) {
    using T = typename Q::value;
    const auto there = std::make_unique<Q>(), back = std::make_unique<Q>();
    Samples trips;
    trips.reserve(n);
    uint64_t total = 0;
    const Body here = [&](Clock &clock) {
        typename Q::Producer p(*there);
        typename Q::Consumer c(*back);
        Wait w = wait;
        T e{};
        clock.start();
        for (int64_t i = 1, t = now(); i <= int64_t(n); i++) {
            put(e, i);
            until([&] { return p.push(e); }, w);
            until([&] { return c.pop(e); }, w);
            total += get(e);
            const int64_t u = now();
            trips.push_back(u - t);
            t = u;
        }
    };
    const Body beyond = [&](Clock &clock) {
        typename Q::Consumer c(*there);
        typename Q::Producer p(*back);
        Wait w = wait;
        T e{};
        clock.start();
        for (uint64_t i = 0; i < n; i++) {
            until([&] { return c.pop(e); }, w);
            until([&] { return p.push(e); }, w);
        }
    };
    parallel({here, beyond});
    check(total, n * (n + 1) / 2);
    return {{"p50", percentile(trips, 0.5)},
            {"p99", percentile(trips, 0.99)},
            {"p999", percentile(trips, 0.999)}};
}

// Registering.

constexpr size_t capacity = 4096;

// Calls f with each of the numbers, as a constant.
template <size_t... Numbers, class F> void each(F f) { (f(std::integral_constant<size_t, Numbers>()), ...); }

template <class Q, class How>
void add_stream(const std::string &work, const std::string &impl, Wait wait, unsigned pairs = 1,
                Place place = Place::pinned) {
    add(work, impl, [=](uint64_t n) { return stream<Q, How>(n, pairs, wait, place); });
}

template <class Q> void add_pingpong(const std::string &impl, Wait wait) {
    add("pingpong", impl, [=](uint64_t n) { return pingpong<Q>(n, wait); });
}

// Works at capacities other than the usual one: f is given each, as a constant, and its name.
template <class F> void each_capacity(F f) {
    each<64, 256, 1024, 16384, 65536>([&](auto cap) { f(cap, "/cap" + std::to_string(cap)); });
}

// Bursts of each size.
template <class Q> void add_bursts(const std::string &suffix, const std::string &impl, Wait wait) {
    each<8, 32, 64, 256>([&](auto n) {
        add_stream<Q, Burst<n>>("spsc/burst" + std::to_string(n) + suffix, impl, wait);
    });
}

template <class Q> void add_inplace(const std::string &impl, Wait wait) {
    each<8, 32, 64, 256>([&](auto n) {
        add_stream<Q, InPlace<n>>("spsc/burst" + std::to_string(n) + "/inplace", impl, wait);
    });
}

// What SPSC queues with bursts do: all of it with one and two words, and one burst with more.
template <template <size_t Bytes, size_t Cap> class Q> void add_spsc(const std::string &impl, Wait wait) {
    add_stream<Q<8, capacity>, Single<>>("spsc/single", impl, wait);
    add_stream<Q<16, capacity>, Single<>>("spsc/single/16B", impl, wait);
    add_bursts<Q<8, capacity>>("", impl, wait);
    add_bursts<Q<16, capacity>>("/16B", impl, wait);
    add_inplace<Q<8, capacity>>(impl, wait);
    each<32, 64, 128>([&](auto bytes) {
        add_stream<Q<bytes, capacity>, Burst<64>>("spsc/burst64/" + std::to_string(bytes) + "B", impl, wait);
    });
    each_capacity([&](auto cap, const std::string &suffix) {
        add_stream<Q<8, cap>, Burst<64>>("spsc/burst64" + suffix, impl, wait);
    });
    add_pingpong<Q<8, capacity>>(impl, wait);
}

// Single operations of 1, 2, 4 and 8 pairs, or of 1 and 2 alone. More threads than two may be served
// by other queues, and have their own way to wait and their place. The times of operations are wanted
// of the largest crowd alone.
template <class Q, class Q2 = Q, class Q4 = Q2, class Q8 = Q4>
void add_pairs(const std::string &impl, Wait wait, Wait crowded, Place place, bool crowds = true) {
    add_stream<Q, Single<>>("mpmc/single/1p1c", impl, wait);
    add_stream<Q2, Single<>>("mpmc/single/2p2c", impl, crowded, 2, place);
    if (!crowds)
        return;
    add_stream<Q4, Single<>>("mpmc/single/4p4c", impl, crowded, 4, place);
    add_stream<Q8, Single<true>>("mpmc/single/8p8c", impl, crowded, 8, place);
}

// The same for bursts.
template <class Q, class Q2 = Q, class Q4 = Q2, class Q8 = Q4>
void add_burst_pairs(const std::string &impl, Wait wait, Wait crowded, Place place, bool crowds = true) {
    each<8, 32, 64, 256>([&](auto n) {
        add_stream<Q, Burst<n>>("mpmc/burst" + std::to_string(n) + "/1p1c", impl, wait);
    });
    add_stream<Q2, Burst<64>>("mpmc/burst64/2p2c", impl, crowded, 2, place);
    if (!crowds)
        return;
    add_stream<Q4, Burst<64>>("mpmc/burst64/4p4c", impl, crowded, 4, place);
    add_stream<Q8, Burst<64>>("mpmc/burst64/8p8c", impl, crowded, 8, place);
}

} // namespace queue
