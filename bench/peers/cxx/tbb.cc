// oneTBB: concurrent_bounded_queue, by try_push and try_pop.

#include "queue.hh"

#include <tbb/concurrent_queue.h>

using namespace queue;

namespace {

template <size_t Cap> struct Queue {
    using value = uint64_t;
    using Producer = Queue &;
    using Consumer = Queue &;

    Queue() { q.set_capacity(Cap); }
    bool push(const value &e) { return q.try_push(e); }
    bool pop(value &e) { return q.try_pop(e); }

    tbb::concurrent_bounded_queue<value> q;
};

} // namespace

int main() {
    // For a pair it does not matter how long it waits between tries. In a crowd the best is to yield
    // after each failed one.
    const Wait wait(1, patient), crowded(1, 1);
    add_pairs<Queue<capacity>>("tbb", wait, crowded, Place::pinned);
    each_capacity([&](auto cap, const std::string &suffix) {
        add_stream<Queue<cap>, Single<>>("mpmc/single/1p1c" + suffix, "tbb", wait);
    });
    return serve();
}
