//! The harness of the Rust peer, after that of the C++ ones: pinned threads, the clock of a run,
//! waiting, and the line protocol (described in peers.go).

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

/// A set of CPUs, as the kernel has it.
type CpuSet = [u64; 16];

extern "C" {
    fn sched_getaffinity(pid: i32, size: usize, set: *mut u64) -> i32;
    fn sched_setaffinity(pid: i32, size: usize, set: *const u64) -> i32;
}

/// The CPUs of the affinity mask.
fn cpus() -> Vec<usize> {
    let mut set: CpuSet = [0; 16];
    // SAFETY: the pointer is to as many bytes as it is said to be.
    let size = unsafe { sched_getaffinity(0, std::mem::size_of_val(&set), set.as_mut_ptr()) };
    assert!(size >= 0, "sched_getaffinity failed");
    (0..1024)
        .filter(|c| set[c / 64] >> (c % 64) & 1 == 1)
        .collect()
}

fn pin(cpu: usize) {
    let mut set: CpuSet = [0; 16];
    set[cpu / 64] = 1 << (cpu % 64);
    // SAFETY: the pointer is to as many bytes as it is said to be.
    unsafe { sched_setaffinity(0, std::mem::size_of_val(&set), set.as_ptr()) };
}

/// What a thread does about a full or empty queue: first one pause between tries, then twice as
/// many each time, up to a most; and after some failed tries in a row it lets another thread have
/// the CPU.
#[derive(Clone, Copy)]
pub struct Wait {
    most: u32,
    patience: u32,
    pauses: u32,
    tries: u32,
}

impl Wait {
    pub const fn new(most: u32, patience: u32) -> Wait {
        Wait {
            most,
            patience,
            pauses: 1,
            tries: 0,
        }
    }

    /// Repeats a try until it succeeds.
    #[inline(always)]
    pub fn until<T>(&mut self, mut attempt: impl FnMut() -> Option<T>) -> T {
        loop {
            if let Some(value) = attempt() {
                self.pauses = 1;
                self.tries = 0;
                return value;
            }
            for _ in 0..self.pauses {
                std::hint::spin_loop();
            }
            self.pauses = (2 * self.pauses).min(self.most);
            self.tries += 1;
            if self.tries == self.patience {
                thread::yield_now();
                self.tries = 0;
            }
        }
    }
}

/// The clock of one run: it starts when the last thread has come to `start`, and stops for good
/// with the last `stop`.
pub struct Clock {
    missing: AtomicUsize,
    running: AtomicBool,
    begin: Mutex<Option<Instant>>,
    end: Mutex<Option<Instant>>,
}

impl Clock {
    pub fn start(&self) {
        if self.missing.fetch_sub(1, Ordering::SeqCst) == 1 {
            *self.begin.lock().unwrap() = Some(Instant::now());
            self.running.store(true, Ordering::SeqCst);
        }
        while !self.running.load(Ordering::SeqCst) {
            thread::yield_now();
        }
    }

    pub fn stop(&self) {
        let now = Instant::now();
        let mut end = self.end.lock().unwrap();
        *end = (*end).max(Some(now));
    }
}

/// A thread of a run: it calls `start`, works, and calls `stop` if it is one that consumes.
pub type Body<'a> = Box<dyn FnOnce(&Clock) + Send + 'a>;

/// Runs the bodies, thread i on the i-th CPU in turns, and returns the nanoseconds on the clock.
pub fn parallel(bodies: Vec<Body>) -> f64 {
    let cpus = cpus();
    let clock = Clock {
        missing: AtomicUsize::new(bodies.len()),
        running: AtomicBool::new(false),
        begin: Mutex::new(None),
        end: Mutex::new(None),
    };
    thread::scope(|scope| {
        for (i, body) in bodies.into_iter().enumerate() {
            let (clock, cpu) = (&clock, cpus[i % cpus.len()]);
            scope.spawn(move || {
                pin(cpu);
                body(clock);
            });
        }
    });
    let begin = clock
        .begin
        .into_inner()
        .unwrap()
        .expect("a body starts the clock");
    let end = clock
        .end
        .into_inner()
        .unwrap()
        .expect("a body that consumes stops it");
    (end - begin).as_nanos() as f64
}

pub fn percentile(samples: &mut [u64], p: f64) -> f64 {
    if samples.is_empty() {
        return 0.0;
    }
    let nth = (p * (samples.len() - 1) as f64) as usize;
    *samples.select_nth_unstable(nth).1 as f64
}

/// What a run measured, by name; or what was wrong.
pub type Outcome = Result<Vec<(&'static str, f64)>, String>;

pub fn check(got: u64, want: u64) -> Result<(), String> {
    if got == want {
        Ok(())
    } else {
        Err(format!("checksum is {got}, not {want}"))
    }
}

pub type Run = Box<dyn Fn(u64) -> Outcome>;
pub type Runs = BTreeMap<(String, String), Run>;

fn answer(runs: &Runs, request: &[&str]) -> Outcome {
    let (work, implementation, n) = match request {
        [work, implementation, n] => (work.to_string(), implementation.to_string(), n),
        _ => return Err("run needs a work, an impl and a number of items".into()),
    };
    let run = runs
        .get(&(work, implementation))
        .ok_or("no such work and impl")?;
    match n.parse() {
        Ok(n) if n > 0 => run(n),
        _ => Err("the number of items must be positive".into()),
    }
}

/// Answers requests until the end of the input.
pub fn serve(runs: Runs) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let line = line?;
        match line.split_whitespace().collect::<Vec<_>>().as_slice() {
            ["list"] => {
                for (work, implementation) in runs.keys() {
                    writeln!(out, "{work} {implementation}")?;
                }
                writeln!(out, "end")?;
            }
            ["run", request @ ..] => match answer(&runs, request) {
                Ok(figures) => {
                    write!(out, "ok")?;
                    for (name, value) in figures {
                        write!(out, " {name}={value:.4}")?;
                    }
                    writeln!(out)?;
                }
                Err(what) => writeln!(out, "err {what}")?,
            },
            _ => writeln!(out, "err no such request: {line}")?,
        }
        out.flush()?;
    }
    Ok(())
}
