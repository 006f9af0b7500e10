//! The reader's side of a connection: lines in, answers to the writer, now or when they are done.
//!
//! ```text
//! frame -> Line -> heed (the fault's course first) -> Heeded -> queued at once, or a task of its own -> passed on when done
//! ```

mod departure;
mod heed;

use crate::error::RpcError;
use crate::fault::lie::{AtEnd, Course, What};
use crate::fault::teller::Teller;
use crate::incoming::{Arrival, Line, Request};
use crate::modern;
use crate::offer::Offer;
use crate::outgoing::{Out, Outgoing, Outlet, PostNumber, Stage};
use crate::running::InFlight;
use crate::server::{Later, Server};
use mcp_assay_model::protocol::Era;
use mcp_assay_wire::jsonrpc::Kind;
use mcp_assay_wire::stdio::{Frame, Framer, Limits};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};

/// Requests that may run at once; then the server stops reading.
const MOST_RUNNING: usize = 4096;

/// One connection.
pub(crate) struct Connection {
    /// What the server can do in the legacy era.
    pub server: Server,
    /// What it can do in the modern era.
    pub modern: modern::Server,
    /// The revisions it offers.
    pub offer: Offer,
    /// The way out.
    pub outlet: Outlet,
    /// The fault, if any.
    pub teller: Arc<Mutex<Teller>>,
    /// How long requests that run at the end of the input may take.
    pub drain_timeout: Duration,
    /// Requests seen.
    seq: u64,
    in_flight: InFlight,
    /// Answers under way; the reader passes them on as they come.
    tasks: JoinSet<Finished>,
    /// Questions of the server's own accord; nobody waits for them at the end.
    background: JoinSet<()>,
    /// Requests that wait, where the server serves one after the other.
    waiting: VecDeque<(Option<PostNumber>, Arrival)>,
    /// Over HTTP the POST that is heard.
    post: Option<PostNumber>,
    is_hung: bool,
}

/// The body of a POST.
#[derive(Debug)]
pub(crate) struct Posted {
    /// Which POST of the session it is.
    pub number: PostNumber,
    /// What it says.
    pub line: Line,
}

/// What a task comes back with.
#[derive(Debug)]
pub(crate) struct Finished {
    /// The POST it works for, over HTTP.
    post: Option<PostNumber>,
    /// What is to be said.
    out: Option<Out>,
}

/// How the reader's side ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Stop {
    /// The input ended, and all is answered.
    EndOfInput,
    /// The fault ends the process with this code; what runs is lost.
    Exit(i32),
}

/// What became of one message.
enum Heeded {
    Nothing,
    /// A request that is never answered.
    Silence,
    Reply(Outgoing),
    Later(Request, Later),
    Exit(i32),
}

impl Connection {
    /// A connection on which nothing was said.
    pub fn new(
        offer: Offer,
        server: Server,
        modern: modern::Server,
        outlet: Outlet,
        teller: Arc<Mutex<Teller>>,
        drain_timeout: Duration,
    ) -> Self {
        Connection {
            server,
            modern,
            offer,
            outlet,
            teller,
            drain_timeout,
            seq: 0,
            in_flight: InFlight::default(),
            tasks: JoinSet::new(),
            background: JoinSet::new(),
            waiting: VecDeque::new(),
            post: None,
            is_hung: false,
        }
    }

    /// Reads and answers until the input ends.
    pub async fn run<R: AsyncRead>(mut self, input: R) -> Stop {
        tokio::pin!(input);
        self.wait_to_start().await;
        let mut framer = Framer::new(Limits::default());
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let frames = tokio::select! {
                biased;
                Some(done) = self.tasks.join_next() => {
                    if let Some(stop) = self.pass_on(done).await {
                        return stop;
                    }
                    continue;
                }
                read = input.read(&mut buffer), if self.tasks.len() < MOST_RUNNING => match read {
                    // An input that breaks has ended.
                    Ok(0) | Err(_) => break,
                    Ok(length) => framer.push(&buffer[..length]),
                },
            };
            for frame in frames {
                if let Some(stop) = self.hear(frame).await {
                    return stop;
                }
            }
        }
        if let Some(frame) = framer.finish()
            && let Some(stop) = self.hear(frame).await
        {
            return stop;
        }
        self.end().await
    }

    /// Answers what is posted, over HTTP, until nobody can post any more. What runs then is lost.
    pub async fn run_posts(mut self, mut posts: mpsc::Receiver<Posted>) -> Stop {
        self.wait_to_start().await;
        loop {
            let stop = tokio::select! {
                biased;
                Some(done) = self.tasks.join_next() => self.pass_on(done).await,
                posted = posts.recv(), if self.tasks.len() < MOST_RUNNING => match posted {
                    Some(posted) => self.hear_post(posted).await,
                    None => return Stop::EndOfInput,
                },
            };
            if let Some(stop) = stop {
                return stop;
            }
        }
    }

    async fn wait_to_start(&self) {
        let start_delay = self.with_teller(|teller| teller.habits().start_delay);
        if !start_delay.is_zero() {
            self.with_teller(Teller::habit_showed);
            tokio::time::sleep(start_delay).await;
        }
    }

    async fn hear_post(&mut self, posted: Posted) -> Option<Stop> {
        if self.is_hung {
            return None;
        }
        self.post = Some(posted.number);
        self.hear_line(posted.line).await
    }

    /// Over HTTP: all of the POST was heard, and so many answers are under way.
    async fn heard(&self, open: usize) {
        if let Some(post) = self.post
            && !self.is_hung
        {
            self.outlet
                .send(Out::Post(post, Stage::Heard { open }))
                .await;
        }
    }

    async fn hear(&mut self, frame: Frame) -> Option<Stop> {
        if self.is_hung {
            return None;
        }
        self.hear_line(Line::from_frame(frame)).await
    }

    async fn hear_line(&mut self, line: Line) -> Option<Stop> {
        match line {
            Line::Blank => None,
            Line::Unreadable(detail) => {
                let heeded = self.heed_malformed(None, RpcError::parse(&detail)).await;
                self.act(heeded).await
            }
            Line::One(arrival) => {
                if self.must_wait(&arrival) {
                    self.with_teller(Teller::habit_showed);
                    self.waiting.push_back((self.post, arrival));
                    return None;
                }
                let heeded = self.heed(&arrival, false).await;
                self.act(heeded).await
            }
            Line::Batch(items) if self.server.session.takes_batches() => {
                self.hear_batch(items).await
            }
            Line::Batch(_) => {
                let error = RpcError::invalid_request("this revision has no batches");
                let heeded = self.heed_malformed(None, error).await;
                self.act(heeded).await
            }
        }
    }

    async fn act(&mut self, heeded: Heeded) -> Option<Stop> {
        let mut open = 0;
        match heeded {
            Heeded::Nothing => {}
            Heeded::Silence => open = 1,
            Heeded::Reply(reply) => self.reply(reply).await,
            Heeded::Later(request, running) => {
                open = 1;
                let asked = request.clone();
                let answering = departure::answer(request.clone(), running, &self.teller);
                self.in_flight.run(&mut self.tasks, request, async move {
                    Finished {
                        post: asked.post,
                        out: answering.await.map(Out::One),
                    }
                });
            }
            Heeded::Exit(code) => return Some(Stop::Exit(code)),
        }
        self.heard(open).await;
        self.server.tasks.told();
        None
    }

    async fn reply(&self, mut reply: Outgoing) {
        reply.post = reply.post.or(self.post);
        self.outlet.send(Out::One(reply)).await;
    }

    /// Answers a batch with one line that holds the answers to its requests, once all are there.
    async fn hear_batch(&mut self, items: Vec<Arrival>) -> Option<Stop> {
        let era = self.own_era();
        match self.course(What::Batch, era).await {
            Course::Honest | Course::Admit => {}
            Course::Answer(Err(error)) => {
                let reply = Outgoing::reply_to_none(None, error);
                return self.act(Heeded::Reply(reply)).await;
            }
            Course::Exit(code) => return Some(Stop::Exit(code)),
            Course::Answer(Ok(_))
            | Course::Ignore
            | Course::Silence
            | Course::Say(_)
            | Course::Hang => return self.act(Heeded::Nothing).await,
        }
        let mut replies = Vec::new();
        let mut running = JoinSet::new();
        let mut is_unanswered = false;
        for item in items {
            match self.heed(&item, true).await {
                Heeded::Nothing => {}
                Heeded::Silence => is_unanswered = true,
                Heeded::Reply(mut reply) => {
                    reply.post = reply.post.or(self.post);
                    replies.push(reply);
                }
                Heeded::Later(request, later) => {
                    let asked = request.clone();
                    self.in_flight.run(&mut running, request, async move {
                        Outgoing::reply(&asked, later.await)
                    });
                }
                Heeded::Exit(code) => return Some(Stop::Exit(code)),
            }
            if self.is_hung {
                return None;
            }
        }
        let post = self.post;
        if post.is_some() && running.is_empty() {
            // Nothing is waited for, so the POST is answered by one JSON text.
            if !replies.is_empty() {
                self.outlet.send(Out::Batch(replies)).await;
            }
            self.heard(usize::from(is_unanswered)).await;
            return None;
        }
        self.heard(1 + usize::from(is_unanswered)).await;
        self.tasks.spawn(async move {
            while let Some(answered) = running.join_next().await {
                // A task that did not end was cancelled, and is not answered.
                replies.extend(answered);
            }
            let out = (!replies.is_empty()).then_some(Out::Batch(replies));
            Finished { post, out }
        });
        None
    }

    /// The era of what belongs to neither.
    fn own_era(&self) -> Era {
        if self.offer.has(Era::Legacy) {
            Era::Legacy
        } else {
            Era::Modern
        }
    }

    fn must_wait(&self, arrival: &Arrival) -> bool {
        let is_busy = self.is_busy() || !self.waiting.is_empty();
        arrival.message.kind == Kind::Request
            && is_busy
            && self.with_teller(|teller| teller.habits().is_serial)
    }

    /// Whether answers are under way that will come by themselves: for the end of a subscription nobody waits.
    fn is_busy(&self) -> bool {
        self.tasks.len() > self.modern.listens().count()
    }

    /// Passes an answer on, and turns to requests that waited for it; a task that was stopped has none.
    async fn pass_on(&mut self, done: Result<Finished, JoinError>) -> Option<Stop> {
        if self.is_hung {
            return None;
        }
        if let Ok(Finished { post, out }) = done {
            if let Some(out) = out {
                self.outlet.send(out).await;
            }
            self.done(post).await;
        }
        while !self.is_busy() {
            let (post, arrival) = self.waiting.pop_front()?;
            self.post = post;
            let heeded = self.heed(&arrival, false).await;
            if let Some(stop) = self.act(heeded).await {
                return Some(stop);
            }
        }
        None
    }

    /// Over HTTP: one answer to the POST is out, or will never be.
    async fn done(&self, post: Option<PostNumber>) {
        if let Some(post) = post {
            self.outlet.send(Out::Post(post, Stage::Done)).await;
        }
    }

    /// The input has ended: finishes what runs. Questions to the client can have no answer any more.
    async fn end(mut self) -> Stop {
        self.server.client.close();
        self.background.abort_all();
        self.modern.listens().end();
        let at_end = self.with_teller(|teller| teller.habits().at_end);
        if at_end == AtEnd::Drop {
            if !self.tasks.is_empty() {
                self.with_teller(Teller::habit_showed);
            }
            return Stop::Exit(0);
        }
        let deadline = tokio::time::sleep(self.drain_timeout);
        tokio::pin!(deadline);
        loop {
            let done = tokio::select! {
                done = self.tasks.join_next() => done,
                () = &mut deadline => None,
            };
            let Some(done) = done else { break };
            if let Some(stop) = self.pass_on(done).await {
                return stop;
            }
        }
        match at_end {
            AtEnd::Finish | AtEnd::Drop => Stop::EndOfInput,
            AtEnd::Exit(code) => {
                self.with_teller(Teller::habit_showed);
                Stop::Exit(code)
            }
            AtEnd::Stay => {
                self.with_teller(Teller::habit_showed);
                std::future::pending().await
            }
        }
    }

    fn with_teller<T>(&self, act: impl FnOnce(&mut Teller) -> T) -> T {
        act(&mut self.teller.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
