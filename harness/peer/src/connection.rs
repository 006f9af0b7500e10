//! The reader's side of a connection: each line heard, sorted and answered.
//!
//! ```text
//! frame -> Line -> heed (the fault's course first) -> Heeded -> queued at once, or a task of its own
//! ```

use crate::error::RpcError;
use crate::fault::lie::{AtEnd, Course, Heard, OnCancel, What};
use crate::fault::smallest;
use crate::fault::teller::Teller;
use crate::incoming::{Arrival, Line, Request, is_same_id};
use crate::outgoing::{Out, Outgoing, Outlet};
use crate::running::InFlight;
use crate::server::{Answer, Server};
use mcp_assay_wire::jsonrpc::{Kind, Malformed, RawId};
use mcp_assay_wire::stdio::{Frame, Framer, Limits};
use serde_json::Value;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::task::{JoinError, JoinSet};

/// Requests that may run at once; then the server stops reading.
const MOST_RUNNING: usize = 4096;

/// One connection.
pub(crate) struct Connection {
    /// What the server can do.
    pub server: Server,
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
    tasks: JoinSet<Option<Out>>,
    /// Questions of the server's own accord; nobody waits for them at the end.
    background: JoinSet<()>,
    /// Requests that wait, where the server serves one after the other.
    waiting: VecDeque<Arrival>,
    is_hung: bool,
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
    Reply(Outgoing),
    Later(Request, Pin<Box<dyn Future<Output = Value> + Send>>),
    Exit(i32),
}

impl Connection {
    /// A connection on which nothing was said.
    pub fn new(
        server: Server,
        outlet: Outlet,
        teller: Arc<Mutex<Teller>>,
        drain_timeout: Duration,
    ) -> Self {
        Connection {
            server,
            outlet,
            teller,
            drain_timeout,
            seq: 0,
            in_flight: InFlight::default(),
            tasks: JoinSet::new(),
            background: JoinSet::new(),
            waiting: VecDeque::new(),
            is_hung: false,
        }
    }

    /// Reads and answers until the input ends.
    pub async fn run<R: AsyncRead>(mut self, input: R) -> Stop {
        tokio::pin!(input);
        let start_delay = self.with_teller(|teller| teller.habits().start_delay);
        if !start_delay.is_zero() {
            self.with_teller(Teller::habit_showed);
            tokio::time::sleep(start_delay).await;
        }
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

    async fn hear(&mut self, frame: Frame) -> Option<Stop> {
        if self.is_hung {
            return None;
        }
        match Line::from_frame(frame) {
            Line::Blank => None,
            Line::Unreadable(detail) => {
                let heeded = self.heed_malformed(None, RpcError::parse(&detail)).await;
                self.act(heeded).await
            }
            Line::One(arrival) => {
                if self.must_wait(&arrival) {
                    self.with_teller(Teller::habit_showed);
                    self.waiting.push_back(arrival);
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
        match heeded {
            Heeded::Nothing => {}
            Heeded::Reply(reply) => self.outlet.send(Out::One(reply)).await,
            Heeded::Later(request, running) => {
                let asked = request.clone();
                self.in_flight.run(&mut self.tasks, request, async move {
                    Some(Out::One(Outgoing::reply(&asked, Ok(running.await))))
                });
            }
            Heeded::Exit(code) => return Some(Stop::Exit(code)),
        }
        None
    }

    /// Answers a batch with one line that holds the answers to its requests, once all are there.
    async fn hear_batch(&mut self, items: Vec<Arrival>) -> Option<Stop> {
        let mut replies = Vec::new();
        let mut running = JoinSet::new();
        for item in items {
            match self.heed(&item, true).await {
                Heeded::Nothing => {}
                Heeded::Reply(reply) => replies.push(reply),
                Heeded::Later(request, later) => {
                    let asked = request.clone();
                    self.in_flight.run(&mut running, request, async move {
                        Outgoing::reply(&asked, Ok(later.await))
                    });
                }
                Heeded::Exit(code) => return Some(Stop::Exit(code)),
            }
        }
        self.tasks.spawn(async move {
            while let Some(answered) = running.join_next().await {
                // A task that did not end was cancelled, and is not answered.
                replies.extend(answered);
            }
            (!replies.is_empty()).then_some(Out::Batch(replies))
        });
        None
    }

    async fn heed(&mut self, arrival: &Arrival, is_in_batch: bool) -> Heeded {
        match arrival.message.kind {
            Kind::Request => self.heed_request(arrival, is_in_batch).await,
            Kind::Notification => self.heed_notification(arrival).await,
            Kind::Result | Kind::Error => {
                if let Some(id) = &arrival.message.id {
                    self.server.client.answered(id, &arrival.message.value);
                }
                Heeded::Nothing
            }
            Kind::Malformed(malformed) => {
                let error = RpcError::invalid_request(malformed.reason());
                let heeded = self.heed_malformed(arrival.lawful_id(), error).await;
                match (malformed, heeded) {
                    // A response, however broken, is never answered: two sides would answer each other for ever.
                    (Malformed::ResultAndError, Heeded::Reply(_)) => Heeded::Nothing,
                    (_, heeded) => heeded,
                }
            }
            Kind::Batch => Heeded::Nothing,
        }
    }

    async fn heed_request(&mut self, arrival: &Arrival, is_in_batch: bool) -> Heeded {
        self.seq += 1;
        let seq = self.seq;
        let method = arrival.message.method.clone().unwrap_or_default();
        let written = arrival.message.id.clone();
        let refuse = |id: RawId, answer| {
            Heeded::Reply(Outgoing::reply(&Request::bare(id, &method, seq), answer))
        };
        let course = self.course(What::Request(arrival, &method, seq)).await;
        let (id, is_admitted) = match course {
            Course::Honest => (arrival.lawful_id(), false),
            Course::Admit => (written, true),
            Course::Answer(answer) => {
                return written.map_or(Heeded::Nothing, |id| refuse(id, answer));
            }
            Course::Exit(code) => return Heeded::Exit(code),
            Course::Ignore | Course::Say(_) | Course::Hang => return Heeded::Nothing,
        };
        let Some(id) = id else {
            let error = RpcError::invalid_request("id is neither a string nor an integer");
            return Heeded::Reply(Outgoing::reply_to_none(None, error));
        };
        if is_in_batch && method == "initialize" {
            let error = RpcError::invalid_request("initialize is not part of a batch");
            return refuse(id, Err(error));
        }
        let admitted = match self.server.session.admit(&method) {
            Err(error) if !is_admitted => Err(error),
            Ok(()) | Err(_) => arrival.to_request(id.clone(), seq),
        };
        let request = match admitted {
            Ok(request) => request,
            Err(error) => return refuse(id, Err(error)),
        };
        let answer = self.server.answer(&request);
        if method == "initialize"
            && let Some(terms) = self.server.session.terms()
        {
            let revision = terms.revision;
            self.with_teller(|teller| teller.negotiated(revision));
        }
        match answer {
            Answer::Now(answer) => Heeded::Reply(Outgoing::reply(&request, answer)),
            Answer::Later(running) => Heeded::Later(request, running),
        }
    }

    async fn heed_notification(&mut self, arrival: &Arrival) -> Heeded {
        let method = arrival.message.method.clone().unwrap_or_default();
        match self.course(What::Notification(arrival, &method)).await {
            Course::Honest | Course::Admit => {}
            Course::Exit(code) => return Heeded::Exit(code),
            Course::Ignore | Course::Answer(_) | Course::Say(_) | Course::Hang => {
                return Heeded::Nothing;
            }
        }
        match method.as_str() {
            "notifications/initialized" => {
                if self.server.session.initialized() {
                    self.ask_for_roots();
                }
            }
            "notifications/roots/list_changed" => self.ask_for_roots(),
            "notifications/cancelled" => {
                if let Some(id) = arrival.raw_at("/params/requestId") {
                    self.cancel(&id).await;
                }
            }
            // A notification that is unknown, or says nothing to this server, is ignored.
            _ => {}
        }
        Heeded::Nothing
    }

    async fn heed_malformed(&mut self, id: Option<RawId>, error: RpcError) -> Heeded {
        match self.course(What::Malformed).await {
            Course::Honest | Course::Admit => {
                Heeded::Reply(Outgoing::reply_to_none(id.as_ref(), error))
            }
            Course::Answer(Err(error)) => {
                Heeded::Reply(Outgoing::reply_to_none(id.as_ref(), error))
            }
            Course::Exit(code) => Heeded::Exit(code),
            Course::Answer(Ok(_)) | Course::Ignore | Course::Say(_) | Course::Hang => {
                Heeded::Nothing
            }
        }
    }

    /// The course the fault takes, with what it says first already said.
    async fn course(&mut self, what: What<'_>) -> Course {
        let session = &self.server.session;
        let heard = Heard {
            what,
            terms: session.terms().map(AsRef::as_ref),
        };
        match self.with_teller(|teller| teller.hear(&heard)) {
            Course::Say(messages) => {
                for message in messages {
                    self.outlet.send(Out::One(message)).await;
                }
                Course::Honest
            }
            Course::Hang => {
                self.is_hung = true;
                self.tasks.abort_all();
                self.background.abort_all();
                Course::Hang
            }
            course => course,
        }
    }

    async fn cancel(&mut self, id: &RawId) {
        self.waiting.retain(|arrival| {
            let waiting = arrival.message.id.as_ref();
            !waiting.is_some_and(|waiting| is_same_id(waiting, id))
        });
        for request in self.in_flight.find(id) {
            match self.with_teller(|teller| teller.cancel(&request.method, request.seq)) {
                OnCancel::RunOn => {}
                OnCancel::Stop => drop(self.in_flight.stop(request.seq)),
                OnCancel::Answer => {
                    if self.in_flight.stop(request.seq) {
                        let revision = self.server.session.terms_or_latest().revision;
                        let result = smallest::result(&request.method, revision);
                        let reply = Outgoing::reply(&request, Ok(result));
                        self.outlet.send(Out::One(reply)).await;
                    }
                }
            }
        }
    }

    /// Asks for the client's roots, if it has any: a server does so when the conversation begins and when they change.
    fn ask_for_roots(&mut self) {
        let Some(terms) = self.server.session.terms() else {
            return;
        };
        if terms.has_roots() {
            let client = self.server.client.clone();
            self.background.spawn(async move {
                // This server has no use for them, and gets on without.
                drop(client.ask("roots/list", None).await);
            });
        }
    }

    fn must_wait(&self, arrival: &Arrival) -> bool {
        let is_busy = !self.tasks.is_empty() || !self.waiting.is_empty();
        arrival.message.kind == Kind::Request
            && is_busy
            && self.with_teller(|teller| teller.habits().is_serial)
    }

    /// Passes an answer on, and turns to requests that waited for it; a task that was stopped has none.
    async fn pass_on(&mut self, done: Result<Option<Out>, JoinError>) -> Option<Stop> {
        if let Ok(Some(out)) = done {
            self.outlet.send(out).await;
        }
        while self.tasks.is_empty() {
            let arrival = self.waiting.pop_front()?;
            let heeded = self.heed(&arrival, false).await;
            if let Some(stop) = self.act(heeded).await {
                return Some(stop);
            }
        }
        None
    }

    /// The input has ended: finishes what runs. Questions to the client can have no answer any more.
    async fn end(mut self) -> Stop {
        self.server.client.close();
        self.background.abort_all();
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
