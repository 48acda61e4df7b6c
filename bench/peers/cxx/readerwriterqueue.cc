// moodycamel::ReaderWriterQueue: one producer, one consumer, no bursts. It can grow; try_enqueue
// does not let it.

#include "queue.hh"

#include <readerwriterqueue/readerwriterqueue.h>

using namespace queue;

namespace {

template <size_t Bytes> struct Queue {
    using value = Element<Bytes>;
    using Producer = Queue &;
    using Consumer = Queue &;

    bool push(const value &e) { return q.try_enqueue(e); }
    bool pop(value &e) { return q.try_dequeue(e); }

    moodycamel::ReaderWriterQueue<value> q{capacity};
};

} // namespace

int main() {
    // For streams it does not matter how long it waits between tries, and a ping-pong is best without.
    const Wait wait(1, patient);
    add_stream<Queue<8>, Single<>>("spsc/single", "readerwriterqueue", wait);
    add_stream<Queue<16>, Single<>>("spsc/single/16B", "readerwriterqueue", wait);
    add_pingpong<Queue<8>>("readerwriterqueue", wait);
    return serve();
}
