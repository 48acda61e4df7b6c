// moodycamel::ConcurrentQueue, with a token for each producer and consumer. It is unbounded, so the
// calls that do not allocate make it a queue of about the usual capacity.

#include "queue.hh"

#include <concurrentqueue/concurrentqueue.h>

using namespace queue;

namespace {

// A producer's index of blocks does not grow without allocating: one that has all of them must fit.
struct Traits : moodycamel::ConcurrentQueueDefaultTraits {
    static constexpr size_t EXPLICIT_INITIAL_INDEX_SIZE = 65536 / BLOCK_SIZE * 2;
};

template <size_t Cap> struct Queue {
    using value = uint64_t;
    using Inner = moodycamel::ConcurrentQueue<value, Traits>;

    struct Producer {
        explicit Producer(Queue &q) : q(q.q), token(q.q) {}
        bool push(const value &e) { return q.try_enqueue(token, e); }
        size_t push(const value *e, size_t n) { return q.try_enqueue_bulk(token, e, n) ? n : 0; }
        Inner &q;
        moodycamel::ProducerToken token;
    };

    struct Consumer {
        explicit Consumer(Queue &q) : q(q.q), token(q.q) {}
        bool pop(value &e) { return q.try_dequeue(token, e); }
        size_t pop(value *e, size_t n) { return q.try_dequeue_bulk(token, e, n); }
        Inner &q;
        moodycamel::ConsumerToken token;
    };

    Inner q{Cap};
};

} // namespace

int main() {
    const Wait wait(1, patient), crowded(1, 16);
    add_pairs<Queue<capacity>>("concurrentqueue", wait, crowded, Place::pinned);
    add_burst_pairs<Queue<capacity>>("concurrentqueue", wait, crowded, Place::pinned);
    each_capacity([&](auto cap, const std::string &suffix) {
        add_stream<Queue<cap>, Single<>>("mpmc/single/1p1c" + suffix, "concurrentqueue", wait);
    });
    return serve();
}
