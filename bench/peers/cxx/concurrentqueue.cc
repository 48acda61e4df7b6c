// moodycamel::ConcurrentQueue, with a token for each producer and consumer. A producer has a queue of
// its own within it, and there can be a bound on these: it makes one of the usual capacity in all.

#include "queue.hh"

#include <concurrentqueue/concurrentqueue.h>

using namespace queue;

namespace {

template <size_t Cap> struct Bound : moodycamel::ConcurrentQueueDefaultTraits {
    static constexpr size_t MAX_SUBQUEUE_SIZE = Cap;
};

template <size_t Cap, size_t Producers = 1> struct Queue {
    using value = uint64_t;
    using Inner = moodycamel::ConcurrentQueue<value, Bound<Cap / Producers>>;

    struct Producer {
        explicit Producer(Queue &q) : q(q.q), token(q.q) {}
        bool push(const value &e) { return q.enqueue(token, e); }
        size_t push(const value *e, size_t n) { return q.enqueue_bulk(token, e, n) ? n : 0; }
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

    Inner q{Cap, Producers, 0}; // its memory is allocated here
};

} // namespace

int main() {
    // A pair's single tries are much cheaper to each other if they back off; for bursts it does not
    // matter. In a crowd the best is to yield after each failed one.
    const Wait wait(16, patient), crowded(1, 1);
    using One = Queue<capacity>;
    using Two = Queue<capacity, 2>;
    using Four = Queue<capacity, 4>;
    using Eight = Queue<capacity, 8>;
    add_pairs<One, Two, Four, Eight>("concurrentqueue", wait, crowded, Place::pinned);
    add_burst_pairs<One, Two, Four, Eight>("concurrentqueue", wait, crowded, Place::pinned);
    each_capacity([&](auto cap, const std::string &suffix) {
        add_stream<Queue<cap>, Single<>>("mpmc/single/1p1c" + suffix, "concurrentqueue", wait);
    });
    return serve();
}
