//! Time and leftovers: one thread for the whole process, which wakes whoever waits until some time
//! and finishes what a call leaves behind.
//!
//! The core has no runtime whose timers it could use. The invariant: nothing here blocks, so that
//! one thread is enough for everyone.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// When somebody is to be woken, and which of those who are at that time.
type Alarm = (Instant, u64);

enum Message {
    Wake(Alarm, Waker),
    Forget(Alarm),
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
    alarms: BTreeMap<Alarm, Waker>,
    tasks: HashMap<u64, Task>,
    next: u64,
}

impl Background {
    fn run(mut self, messages: &Receiver<Message>, ready: &Sender<Message>) {
        loop {
            let message = match self.alarms.keys().next() {
                Some((at, _)) => {
                    messages.recv_timeout(at.saturating_duration_since(Instant::now()))
                }
                None => messages.recv().map_err(RecvTimeoutError::from),
            };
            match message {
                Ok(Message::Wake(alarm, waker)) => {
                    self.alarms.insert(alarm, waker);
                }
                Ok(Message::Forget(alarm)) => {
                    self.alarms.remove(&alarm);
                }
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
            while let Some(alarm) = self.alarms.first_entry() {
                if alarm.key().0 > now {
                    break;
                }
                let waker = alarm.remove();
                shielded(|| waker.wake());
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
        let mut context = Context::from_waker(&waker);
        let polled = shielded(|| task.as_mut().poll(&mut context));
        if polled.is_some_and(|polled| polled.is_pending()) {
            self.tasks.insert(number, task);
        }
    }
}

/// Does what others brought along: their panic is no reason to leave the rest alone.
pub(super) fn shielded<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
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

/// Ready from some time on.
pub(crate) struct Until {
    at: Option<Alarm>,
    /// Who will be woken.
    waker: Option<Waker>,
}

impl Until {
    /// A time that no clock reaches is never.
    pub(crate) fn after(time: Duration) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let at = Instant::now().checked_add(time);
        Self {
            at: at.map(|at| (at, NEXT.fetch_add(1, Ordering::Relaxed))),
            waker: None,
        }
    }
}

impl Future for Until {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Some(alarm) = self.at else {
            return Poll::Pending;
        };
        if Instant::now() >= alarm.0 {
            return Poll::Ready(());
        }
        let waker = context.waker();
        if !self
            .waker
            .as_ref()
            .is_some_and(|known| known.will_wake(waker))
        {
            self.waker = Some(waker.clone());
            send(Message::Wake(alarm, waker.clone()));
        }
        Poll::Pending
    }
}

impl Drop for Until {
    fn drop(&mut self) {
        if let (Some(alarm), Some(_)) = (self.at, &self.waker) {
            send(Message::Forget(alarm));
        }
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

/// Waits for work that has begun and comes to its end, also if nobody waits for it any more.
pub(crate) fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> impl Future<Output = T> + Send {
    Unstoppable(Some(Box::pin(work)))
}

struct Unstoppable<T: Send + 'static>(Option<Pin<Box<dyn Future<Output = T> + Send>>>);

impl<T: Send + 'static> Future for Unstoppable<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        // Taken out, so that what panics is not polled again.
        let Some(mut work) = self.0.take() else {
            return Poll::Pending;
        };
        let polled = work.as_mut().poll(context);
        if polled.is_pending() {
            self.0 = Some(work);
        }
        polled
    }
}

impl<T: Send + 'static> Drop for Unstoppable<T> {
    fn drop(&mut self) {
        if let Some(work) = self.0.take() {
            finish(async move { drop(work.await) });
        }
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
