// atomic_queue: its fixed-size queues, by try_push and try_pop, and by the push and pop that take a
// slot first and wait for it ("optimist").

#include "queue.hh"

#include <atomic_queue/atomic_queue.h>

using namespace queue;

namespace {

constexpr bool total_order = false;

// Many threads are served by neighbouring elements on different cache lines (as is the default), two
// by an array in order. Pausing is whether push and pop do while they wait.
template <class T, size_t Cap, bool Spsc, bool Pausing> struct Choose {
    using type = atomic_queue::AtomicQueue2<T, Cap, !Spsc, Pausing, total_order, Spsc>;
};
template <size_t Cap, bool Spsc, bool Pausing> struct Choose<uint64_t, Cap, Spsc, Pausing> {
    using type = atomic_queue::AtomicQueue<uint64_t, Cap, 0, !Spsc, Pausing, total_order, Spsc>;
};

template <size_t Bytes, size_t Cap, bool Spsc, bool Pausing = true> struct Try {
    using value = Element<Bytes>;
    using Producer = Try &;
    using Consumer = Try &;

    bool push(const value &e) { return q.try_push(e); }
    bool pop(value &e) { return q.try_pop(e); }

    typename Choose<value, Cap, Spsc, Pausing>::type q;
};

template <size_t Bytes, size_t Cap, bool Spsc, bool Pausing = true> struct Optimist : Try<Bytes, Cap, Spsc, Pausing> {
    using typename Try<Bytes, Cap, Spsc, Pausing>::value;
    using Producer = Optimist &;
    using Consumer = Optimist &;

    bool push(const value &e) {
        this->q.push(e);
        return true;
    }
    bool pop(value &e) {
        e = this->q.pop();
        return true;
    }
};

// In a crowd the one that is waited for may need the CPU, and the waiting of the library does not
// yield: this one begins only with what looks as if it needs no wait.
template <size_t Cap> struct Polite : Optimist<8, Cap, false> {
    using Producer = Polite &;
    using Consumer = Polite &;

    bool push(const uint64_t &e) { return !this->q.was_full() && Optimist<8, Cap, false>::push(e); }
    bool pop(uint64_t &e) { return !this->q.was_empty() && Optimist<8, Cap, false>::pop(e); }
};

} // namespace

int main() {
    // Longer waits between tries made no difference to a pair but a worse ping-pong. A crowd of tries
    // does best if each failed one yields, on fixed CPUs; that of the others where the system puts
    // them, with a few tries before.
    const Wait wait(1, patient), yielding(1, 1), crowded(16, 4);
    // To pause served the ping-pong, and cost the streams half of their speed.
    constexpr bool pausing = false;
    add_stream<Try<8, capacity, true>, Single<>>("spsc/single", "atomic_queue-try", wait);
    add_stream<Try<16, capacity, true>, Single<>>("spsc/single/16B", "atomic_queue-try", wait);
    add_stream<Optimist<8, capacity, true, pausing>, Single<>>("spsc/single", "atomic_queue-spsc", wait);
    add_stream<Optimist<16, capacity, true, pausing>, Single<>>("spsc/single/16B", "atomic_queue-spsc", wait);
    add_pingpong<Try<8, capacity, true>>("atomic_queue-try", wait);
    add_pingpong<Optimist<8, capacity, true>>("atomic_queue-spsc", wait);
    add_pairs<Try<8, capacity, false>>("atomic_queue-try", wait, yielding, Place::pinned);
    add_pairs<Optimist<8, capacity, false>, Polite<capacity>>("atomic_queue-optimist", wait, crowded, Place::free);
    each_capacity([&](auto cap, const std::string &suffix) {
        add_stream<Try<8, cap, false>, Single<>>("mpmc/single/1p1c" + suffix, "atomic_queue-try", wait);
        add_stream<Optimist<8, cap, false>, Single<>>("mpmc/single/1p1c" + suffix, "atomic_queue-optimist", wait);
    });
    return serve();
}
