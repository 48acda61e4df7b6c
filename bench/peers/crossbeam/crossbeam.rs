//! crossbeam's ArrayQueue: many producers, many consumers, one element at a time. As for the C++
//! peers, the numbers that go through are 1..n, and every 64th operation is timed where that is asked.

mod harness;

use crossbeam_queue::ArrayQueue;
use harness::{check, parallel, percentile, Body, Clock, Outcome, Run, Runs, Wait};
use std::io;
use std::sync::Mutex;
use std::time::Instant;

const CAPACITY: usize = 4096;
const TIMED: u64 = 64;

/// With a CPU for each thread, yielding is for the case that something else has the other one's. To
/// wait longer between tries is no better for streams, and worse for ping-pong.
const PAIR: Wait = Wait::new(1, 1000);
/// In a crowd the best is to yield after each failed try.
const CROWDED: Wait = Wait::new(1, 1);

/// Calls `op` with each number of the i-th of `threads` shares, and returns the times of some calls.
#[inline(always)]
fn each<const LATE: bool>(n: u64, threads: u64, i: u64, mut op: impl FnMut(u64)) -> Vec<u64> {
    let (from, to) = (n * i / threads, n * (i + 1) / threads);
    let samples = if LATE { (to - from) / TIMED + 1 } else { 0 };
    let mut late = Vec::with_capacity(samples as usize);
    for number in from + 1..=to {
        if LATE && number % TIMED == 0 {
            let begin = Instant::now();
            op(number);
            late.push(begin.elapsed().as_nanos() as u64);
        } else {
            op(number);
        }
    }
    late
}

/// n numbers from `pairs` producers to as many consumers.
fn stream<const LATE: bool>(n: u64, capacity: usize, pairs: u64, wait: Wait) -> Outcome {
    let queue = &ArrayQueue::new(capacity);
    let total = &Mutex::new(0);
    let late = &Mutex::new(Vec::new());
    let mut bodies: Vec<Body> = Vec::new();
    for i in 0..pairs {
        bodies.push(Box::new(move |clock: &Clock| {
            let mut wait = wait;
            clock.start();
            let samples =
                each::<LATE>(n, pairs, i, |number| wait.until(|| queue.push(number).ok()));
            late.lock().unwrap().extend(samples);
        }));
    }
    for i in 0..pairs {
        bodies.push(Box::new(move |clock: &Clock| {
            let mut wait = wait;
            let mut sum = 0;
            clock.start();
            let samples = each::<LATE>(n, pairs, i, |_| sum += wait.until(|| queue.pop()));
            clock.stop();
            *total.lock().unwrap() += sum;
            late.lock().unwrap().extend(samples);
        }));
    }
    let mut figures = vec![("ns", parallel(bodies) / n as f64)];
    check(*total.lock().unwrap(), n * (n + 1) / 2)?;
    if LATE {
        figures.push(("p999", percentile(&mut late.lock().unwrap(), 0.999)));
    }
    Ok(figures)
}

/// A number goes there through one queue and back through another, n times.
fn pingpong(n: u64) -> Outcome {
    let (there, back) = (&ArrayQueue::new(CAPACITY), &ArrayQueue::new(CAPACITY));
    let result = &Mutex::new((0, Vec::new()));
    parallel(vec![
        Box::new(move |clock: &Clock| {
            let mut wait = PAIR;
            let mut total = 0;
            let mut trips = Vec::with_capacity(n as usize);
            clock.start();
            let mut begin = Instant::now();
            for number in 1..=n {
                wait.until(|| there.push(number).ok());
                total += wait.until(|| back.pop());
                let end = Instant::now();
                trips.push((end - begin).as_nanos() as u64);
                begin = end;
            }
            clock.stop();
            *result.lock().unwrap() = (total, trips);
        }),
        Box::new(move |clock: &Clock| {
            let mut wait = PAIR;
            clock.start();
            for _ in 0..n {
                let number = wait.until(|| there.pop());
                wait.until(|| back.push(number).ok());
            }
        }),
    ]);
    let (total, trips) = &mut *result.lock().unwrap();
    check(*total, n * (n + 1) / 2)?;
    Ok([("p50", 0.5), ("p99", 0.99), ("p999", 0.999)]
        .map(|(name, p)| (name, percentile(trips, p)))
        .into())
}

fn streams<const LATE: bool>(capacity: usize, pairs: u64, wait: Wait) -> Run {
    Box::new(move |n| stream::<LATE>(n, capacity, pairs, wait))
}

fn main() -> io::Result<()> {
    let mut runs = Runs::new();
    let mut add = |work: &str, run: Run| runs.insert((work.into(), "crossbeam".into()), run);
    add("spsc/single", streams::<false>(CAPACITY, 1, PAIR));
    add("mpmc/single/1p1c", streams::<false>(CAPACITY, 1, PAIR));
    add("mpmc/single/2p2c", streams::<false>(CAPACITY, 2, CROWDED));
    add("mpmc/single/4p4c", streams::<false>(CAPACITY, 4, CROWDED));
    add("mpmc/single/8p8c", streams::<true>(CAPACITY, 8, CROWDED));
    for capacity in [64, 256, 1024, 16384, 65536] {
        let work = format!("mpmc/single/1p1c/cap{capacity}");
        add(&work, streams::<false>(capacity, 1, PAIR));
    }
    add("pingpong", Box::new(pingpong));
    harness::serve(runs)
}
