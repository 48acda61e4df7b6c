// The harness of the C++ peers: pinned threads, the clock of a run, waiting, and the line protocol
// (described in peers.go). A program registers its runs with add() and then calls serve().

#pragma once

#include <immintrin.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <time.h>
#include <utility>
#include <vector>

namespace harness {

inline int64_t now() {
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1'000'000'000LL + t.tv_nsec;
}

// The affinity mask that the process was started with.
inline cpu_set_t affinity() {
    static const cpu_set_t mask = [] {
        cpu_set_t m;
        if (sched_getaffinity(0, sizeof m, &m) != 0)
            throw std::runtime_error("sched_getaffinity failed");
        return m;
    }();
    return mask;
}

// The i-th CPU of the mask, in turns.
inline int cpu(size_t i) {
    const cpu_set_t mask = affinity();
    i %= CPU_COUNT(&mask);
    for (int c = 0;; c++)
        if (CPU_ISSET(c, &mask) && i-- == 0)
            return c;
}

// What a thread does about a full or empty queue: first one pause between tries, then twice as many
// each time, up to a most; and after some failed tries in a row it lets another thread have the CPU.
class Wait {
public:
    constexpr Wait(int most, int patience) : most(most), patience(patience) {}

    void failed() {
        for (int i = 0; i < pauses; i++)
            _mm_pause();
        pauses = std::min(2 * pauses, most);
        if (++tries == patience) {
            sched_yield();
            tries = 0;
        }
    }

    void succeeded() {
        pauses = 1;
        tries = 0;
    }

private:
    int most, patience;
    int pauses = 1, tries = 0;
};

// With a CPU for each thread, yielding is for the case that something else has the other one's CPU.
constexpr int patient = 1000;

// The clock of one run: it starts when the last thread has come to start(), and stops for good with
// the last stop().
class Clock {
public:
    explicit Clock(int threads) : missing(threads) {}

    void start() {
        if (missing.fetch_sub(1) == 1) {
            begin = now();
            running.store(true);
        }
        while (!running.load())
            sched_yield();
    }

    void stop() {
        const int64_t t = now();
        for (int64_t e = end.load(); e < t && !end.compare_exchange_weak(e, t);) {
        }
    }

    double ns() const { return double(end.load() - begin); }

private:
    std::atomic<int> missing;
    std::atomic<bool> running{false};
    int64_t begin = 0;
    std::atomic<int64_t> end{0};
};

// Whether thread i stays on the i-th CPU, or the system places it.
enum class Place { pinned, free };

// A thread of a run: it sets up, calls start(), works, and calls stop() if it is one that consumes.
using Body = std::function<void(Clock &)>;

// Runs the bodies, one thread each, and returns the nanoseconds on the clock.
inline double parallel(const std::vector<Body> &bodies, Place place = Place::pinned) {
    Clock clock(bodies.size());
    std::vector<std::thread> threads;
    for (size_t i = 0; i < bodies.size(); i++)
        threads.emplace_back([&, i] {
            cpu_set_t mask = affinity();
            if (place == Place::pinned) {
                CPU_ZERO(&mask);
                CPU_SET(cpu(i), &mask);
            }
            sched_setaffinity(0, sizeof mask, &mask);
            bodies[i](clock);
        });
    for (auto &t : threads)
        t.join();
    return clock.ns();
}

inline void check(uint64_t got, uint64_t want) {
    if (got != want)
        throw std::runtime_error("checksum is " + std::to_string(got) + ", not " + std::to_string(want));
}

// What a run measured, by name.
using Figures = std::vector<std::pair<std::string, double>>;

using Samples = std::vector<int64_t>;

inline double percentile(Samples &s, double p) {
    if (s.empty())
        return 0;
    auto nth = s.begin() + size_t(p * (s.size() - 1));
    std::nth_element(s.begin(), nth, s.end());
    return *nth;
}

using Run = std::function<Figures(uint64_t n)>;

inline std::map<std::pair<std::string, std::string>, Run> &runs() {
    static std::map<std::pair<std::string, std::string>, Run> all;
    return all;
}

inline void add(const std::string &work, const std::string &impl, Run run) { runs()[{work, impl}] = std::move(run); }

inline std::string answer(const std::string &work, const std::string &impl, uint64_t n) try {
    const auto run = runs().find({work, impl});
    if (run == runs().end())
        return "err no such work and impl";
    if (n == 0)
        return "err the number of items must be positive";
    std::string line = "ok";
    for (const auto &[name, value] : run->second(n)) {
        char figure[64];
        snprintf(figure, sizeof figure, " %s=%.4g", name.c_str(), value);
        line += figure;
    }
    return line;
} catch (const std::exception &e) {
    return std::string("err ") + e.what();
}

// Answers requests until the end of the input.
inline int serve() {
    for (std::string request; std::cin >> request;) {
        if (request == "list") {
            for (const auto &[name, run] : runs())
                std::cout << name.first << ' ' << name.second << '\n';
            std::cout << "end" << std::endl;
        } else if (request == "run") {
            std::string work, impl;
            uint64_t n = 0;
            std::cin >> work >> impl >> n;
            std::cout << answer(work, impl, n) << std::endl;
        } else {
            std::cout << "err no such request: " << request << std::endl;
        }
    }
    return 0;
}

} // namespace harness
