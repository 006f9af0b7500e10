//! What one message means: whether it may be answered now, and by whom.

use super::{Connection, Heeded};
use crate::error::RpcError;
use crate::fault::lie::{Course, Heard, OnCancel, What};
use crate::fault::smallest;
use crate::fault::teller::Judge;
use crate::incoming::{Arrival, Request, is_same_id};
use crate::modern::{self, meta, results};
use crate::outgoing::{About, Out, Outgoing, Stage};
use crate::server::Answer;
use mcp_assay_model::protocol::{Era, Revision};
use mcp_assay_wire::jsonrpc::{Kind, Malformed, RawId};
use std::collections::VecDeque;
use std::sync::Arc;

impl Connection {
    /// Heeds one message, alone or as an item of a batch.
    pub(super) async fn heed(&mut self, arrival: &Arrival, is_in_batch: bool) -> Heeded {
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
        let era = self.era_of(arrival, is_in_batch);
        let refuse = |id: RawId, answer| {
            let request = Request::bare(id, &method, seq, era);
            Heeded::Reply(Outgoing::reply(&request, answer))
        };
        let course = self.course(What::Request(arrival, &method, seq), era).await;
        let (id, is_admitted) = match course {
            Course::Honest => (arrival.lawful_id(), false),
            Course::Admit => (written, true),
            Course::Answer(answer) if era == Era::Modern && method != "initialize" => {
                let answer = answer.map(|result| results::complete(&method, result));
                return written.map_or(Heeded::Nothing, |id| refuse(id, answer));
            }
            Course::Answer(answer) => {
                return written.map_or(Heeded::Nothing, |id| refuse(id, answer));
            }
            Course::Exit(code) => return Heeded::Exit(code),
            Course::Silence => return Heeded::Silence,
            Course::Ignore | Course::Say(_) | Course::Hang => return Heeded::Nothing,
        };
        let Some(id) = id else {
            let error = RpcError::invalid_request("id is neither a string nor an integer");
            return Heeded::Reply(Outgoing::reply_to_none(None, error));
        };
        if era == Era::Modern {
            return match arrival.to_request(id.clone(), seq) {
                Ok(request) => self.heed_modern(request, arrival),
                Err(error) => refuse(id, Err(error)),
            };
        }
        if is_in_batch && method == "initialize" && !is_admitted {
            let error = RpcError::invalid_request("initialize is not part of a batch");
            return refuse(id, Err(error));
        }
        let admitted = match self.server.session.admit(&method) {
            Err(error) if !is_admitted => Err(error),
            Ok(()) | Err(_) => arrival.to_request(id.clone(), seq),
        };
        let request = match admitted {
            Ok(request) => request.of_post(self.post, is_in_batch),
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

    /// Heeds a request that stands alone.
    fn heed_modern(&self, request: Request, arrival: &Arrival) -> Heeded {
        let request = request.of_post(self.post, false);
        let request = request.modern(arrival.carrier.clone());
        let judge = Judge::new(Arc::clone(&self.teller), request.seq);
        match self.modern.answer(&request, &judge) {
            Answer::Now(answer) => Heeded::Reply(Outgoing::reply(&request, answer)),
            Answer::Later(running) => Heeded::Later(request, running),
        }
    }

    /// The era whose rules a request is answered by. The modern one has no batches.
    fn era_of(&self, arrival: &Arrival, is_in_batch: bool) -> Era {
        let is_modern = self.offer.has(Era::Modern)
            && !is_in_batch
            && (!self.offer.has(Era::Legacy) || modern::is_modern(arrival));
        if is_modern { Era::Modern } else { Era::Legacy }
    }

    async fn heed_notification(&mut self, arrival: &Arrival) -> Heeded {
        let method = arrival.message.method.clone().unwrap_or_default();
        let era = self.era_of(arrival, false);
        match self.course(What::Notification(arrival, &method), era).await {
            Course::Honest | Course::Admit => {}
            Course::Exit(code) => return Heeded::Exit(code),
            Course::Ignore
            | Course::Silence
            | Course::Answer(_)
            | Course::Say(_)
            | Course::Hang => return Heeded::Nothing,
        }
        match method.as_str() {
            "notifications/initialized" => self.initialized(),
            "notifications/roots/list_changed" => self.ask_for_roots(),
            // Over HTTP a modern client cancels by leaving, and another may have used the same id.
            "notifications/cancelled" if arrival.carrier.is_some() => {}
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

    /// Heeds what is no message.
    pub(super) async fn heed_malformed(&mut self, id: Option<RawId>, error: RpcError) -> Heeded {
        let era = self.own_era();
        match self.course(What::Malformed, era).await {
            Course::Honest | Course::Admit => {
                Heeded::Reply(Outgoing::reply_to_none(id.as_ref(), error))
            }
            Course::Answer(Err(error)) => {
                Heeded::Reply(Outgoing::reply_to_none(id.as_ref(), error))
            }
            Course::Exit(code) => Heeded::Exit(code),
            Course::Answer(Ok(_))
            | Course::Ignore
            | Course::Silence
            | Course::Say(_)
            | Course::Hang => Heeded::Nothing,
        }
    }

    /// The course the fault takes, with what it says first already said.
    pub(super) async fn course(&mut self, what: What<'_>, era: Era) -> Course {
        let said = (era == Era::Modern).then(|| meta::terms(what.arrival()));
        let agreed = self.server.session.terms().map(AsRef::as_ref);
        let heard = Heard {
            what,
            terms: said.as_ref().or(agreed),
        };
        let (course, is_struck) =
            self.with_teller(|teller| (teller.hear(&heard), teller.strikes_head(&heard)));
        if is_struck && let Some(post) = self.post {
            self.outlet.send(Out::Post(post, Stage::Struck)).await;
        }
        match course {
            Course::Say(messages) => {
                for mut message in messages {
                    // An answer goes back on the POST that it answers, even one to what asked for none.
                    if message.about == About::ReplyToNone {
                        message.post = self.post;
                    }
                    // Where nothing is said but in answer to a request, so is what a lie adds.
                    if era == Era::Modern {
                        message.era = era;
                        message.post = message.post.or(self.post);
                    }
                    self.outlet.send(Out::One(message)).await;
                }
                Course::Honest
            }
            Course::Hang => {
                self.is_hung = true;
                if self.post.is_some() {
                    self.outlet.send(Out::Hung).await;
                }
                self.tasks.abort_all();
                self.background.abort_all();
                self.server.tasks.stop();
                Course::Hang
            }
            course => course,
        }
    }

    async fn cancel(&mut self, id: &RawId) {
        let waiting = std::mem::take(&mut self.waiting).into_iter();
        let (cancelled, kept): (VecDeque<_>, VecDeque<_>) = waiting.partition(|(_, arrival)| {
            let waiting = arrival.message.id.as_ref();
            waiting.is_some_and(|waiting| is_same_id(waiting, id))
        });
        self.waiting = kept;
        for (post, _) in cancelled {
            if let Some(post) = post {
                let heard = Stage::Heard { open: 1 };
                self.outlet.send(Out::Post(post, heard)).await;
                self.done(Some(post)).await;
            }
        }
        for request in self.in_flight.find(id) {
            match self.with_teller(|teller| teller.cancel(&request.method, request.seq)) {
                OnCancel::RunOn => {}
                OnCancel::Stop => {
                    // The task may be dropped later, and is to tell of nothing until then.
                    self.modern.listens().forget(request.seq);
                    if self.in_flight.stop(request.seq) && !request.is_in_batch {
                        self.done(request.post).await;
                    }
                }
                OnCancel::Answer => {
                    if self.in_flight.stop(request.seq) {
                        let revision = match request.era {
                            Era::Legacy => self.server.session.terms_or_latest().revision,
                            Era::Modern => Revision::R2026_07_28,
                        };
                        self.modern.listens().forget(request.seq);
                        let result = smallest::answer(&request, revision);
                        let reply = Outgoing::reply(&request, Ok(result));
                        self.outlet.send(Out::One(reply)).await;
                        // A batch is done when its last item is.
                        if !request.is_in_batch {
                            self.done(request.post).await;
                        }
                    }
                }
            }
        }
    }

    fn initialized(&mut self) {
        if self.server.session.initialized() {
            self.ask_for_roots();
        }
    }

    /// Asks for the client's roots, if it has any: a server does so when the conversation begins and when they change.
    fn ask_for_roots(&mut self) {
        if self.server.session.terms_to_ask().has_roots() {
            let client = self.server.client.clone();
            self.background.spawn(async move {
                // This server has no use for them, and gets on without.
                drop(client.ask("roots/list", None).await);
            });
        }
    }
}
