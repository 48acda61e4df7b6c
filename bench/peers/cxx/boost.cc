// Boost.Lockfree: spsc_queue and queue, both of a capacity that is known at compile time.

#include "queue.hh"

#include <boost/lockfree/queue.hpp>
#include <boost/lockfree/spsc_queue.hpp>

using namespace queue;

namespace {

template <size_t Bytes, size_t Cap> struct Spsc {
    using value = Element<Bytes>;
    using Producer = Spsc &;
    using Consumer = Spsc &;

    bool push(const value &e) { return q.push(e); }
    bool pop(value &e) { return q.pop(e); }
    size_t push(const value *e, size_t n) { return q.push(e, n); }
    size_t pop(value *e, size_t n) { return q.pop(e, n); }

    // All that is there, not n at most: there is no such call. For a producer there is none at all.
    template <class F> size_t drain(size_t, F f) {
        return q.consume_all([&](const value &e) { f(&e, 1); });
    }

    boost::lockfree::spsc_queue<value, boost::lockfree::capacity<Cap>> q;
};

// Its nodes are numbered with 16 bits, so it can't be as large as 65536.
template <size_t Cap> struct Mpmc {
    using value = uint64_t;
    using Producer = Mpmc &;
    using Consumer = Mpmc &;

    bool push(const value &e) { return q.push(e); }
    bool pop(value &e) { return q.pop(e); }

    boost::lockfree::queue<value, boost::lockfree::capacity<Cap>> q;
};

} // namespace

int main() {
    // Two threads of spsc_queue do best with short waits (in ping-pong by far). Those of queue fight over
    // its ends and do better if they back off, and more of them where the system puts them.
    const Wait wait(1, patient), backing(16, patient), crowded(16, 16);
    add_spsc<Spsc>("boost", wait);
    each<64, 256, 1024, 16384>([&](auto cap) {
        add_stream<Mpmc<cap>, Single<>>("mpmc/single/1p1c/cap" + std::to_string(cap), "boost", backing);
    });
    add_pairs<Mpmc<capacity>>("boost", backing, crowded, Place::free);
    return serve();
}
