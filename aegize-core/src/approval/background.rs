//! Time and leftovers: one thread for the whole process, which wakes whoever waits until some time
//! and finishes what a call leaves behind.
//!
//! The core has no runtime whose timers it could use. The invariant: nothing here blocks, so that
//! one thread is enough for everyone.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::HashMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

enum Message {
    Wake(Instant, Waker),
    Run(Task),
    Ready(u64),
}

/// The process that has the thread, and how to reach it: a child that was forked has none.
static THREAD: Mutex<Option<(u32, Sender<Message>)>> = Mutex::new(None);

fn send(message: Message) {
    let mut thread = THREAD.lock().unwrap_or_else(PoisonError::into_inner);
    let process = std::process::id();
    let is_ours = thread.as_ref().is_some_and(|(owner, _)| *owner == process);
    if !is_ours {
        let (sender, receiver) = mpsc::channel();
        let ready = sender.clone();
        let named = thread::Builder::new().name("aegize-approvals".to_owned());
        // Without a thread, nobody is woken in time: the message comes back with the receiver gone.
        let _ = named.spawn(move || Background::default().run(&receiver, &ready));
        *thread = Some((process, sender));
    }
    let Some((_, sender)) = &*thread else { return };
    if let Err(mpsc::SendError(message)) = sender.send(message) {
        *thread = None;
        drop(thread);
        if let Message::Wake(_, waker) = message {
            waker.wake();
        }
    }
}

#[derive(Default)]
struct Background {
    alarms: BinaryHeap<Reverse<Alarm>>,
    tasks: HashMap<u64, Task>,
    next: u64,
}

impl Background {
    fn run(mut self, messages: &Receiver<Message>, ready: &Sender<Message>) {
        loop {
            let message = match self.alarms.peek() {
                Some(Reverse(alarm)) => {
                    messages.recv_timeout(alarm.at.saturating_duration_since(Instant::now()))
                }
                None => messages.recv().map_err(RecvTimeoutError::from),
            };
            match message {
                Ok(Message::Wake(at, waker)) => self.alarms.push(Reverse(Alarm { at, waker })),
                Ok(Message::Run(task)) => {
                    let number = self.next;
                    self.next += 1;
                    self.tasks.insert(number, task);
                    self.poll(number, ready);
                }
                Ok(Message::Ready(number)) => self.poll(number, ready),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            let now = Instant::now();
            while self.alarms.peek().is_some_and(|alarm| alarm.0.at <= now) {
                if let Some(Reverse(alarm)) = self.alarms.pop() {
                    alarm.waker.wake();
                }
            }
        }
    }

    fn poll(&mut self, number: u64, ready: &Sender<Message>) {
        let Some(mut task) = self.tasks.remove(&number) else {
            return;
        };
        let waker = Waker::from(Arc::new(Readiness {
            number,
            ready: Mutex::new(ready.clone()),
        }));
        if task
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
        {
            self.tasks.insert(number, task);
        }
    }
}

struct Readiness {
    number: u64,
    ready: Mutex<Sender<Message>>,
}

impl Wake for Readiness {
    fn wake(self: Arc<Self>) {
        let ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = ready.send(Message::Ready(self.number));
    }
}

struct Alarm {
    at: Instant,
    waker: Waker,
}

impl PartialEq for Alarm {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Alarm {}

impl PartialOrd for Alarm {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Alarm {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at.cmp(&other.at)
    }
}

/// Ready from some time on.
pub(crate) struct Until {
    at: Option<Instant>,
    /// Who will be woken.
    waker: Option<Waker>,
}

impl Until {
    /// `None`, and a time that no clock reaches, is never.
    pub(crate) fn after(time: Option<Duration>) -> Self {
        Self {
            at: time.and_then(|time| Instant::now().checked_add(time)),
            waker: None,
        }
    }
}

impl Future for Until {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.at else {
            return Poll::Pending;
        };
        if Instant::now() >= at {
            return Poll::Ready(());
        }
        let waker = context.waker();
        if !self
            .waker
            .as_ref()
            .is_some_and(|known| known.will_wake(waker))
        {
            self.waker = Some(waker.clone());
            send(Message::Wake(at, waker.clone()));
        }
        Poll::Pending
    }
}

/// Runs a future for which nobody waits: as far as it comes at once here, and then in the
/// background.
pub(crate) fn finish(task: impl Future<Output = ()> + Send + 'static) {
    let mut task: Task = Box::pin(task);
    let polled = task.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    if polled.is_pending() {
        send(Message::Run(task));
    }
}

/// Waits for a future on this thread.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return value;
        }
        thread::park();
    }
}
