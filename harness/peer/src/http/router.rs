//! The writer's counterpart over HTTP: takes what the core says, has the fault tell it in its way, and puts it on its stream.

use super::state::State;
use super::streams::Streams;
use crate::fault::quirk::Quirk;
use crate::fault::teller::{Content, Teller, Utterance};
use crate::outgoing::{About, Out, Outgoing, PostNumber};
use crate::writer::join;
use mcp_assay_wire::raw;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Routes what one session says.
pub(super) struct Router {
    state: Arc<State>,
    streams: Arc<Mutex<Streams>>,
    teller: Arc<Mutex<Teller>>,
    /// Said later.
    delayed: JoinSet<Utterance>,
    /// Said after the next.
    held: Vec<Utterance>,
}

impl Router {
    /// A router that has said nothing.
    pub fn new(
        state: Arc<State>,
        streams: Arc<Mutex<Streams>>,
        teller: Arc<Mutex<Teller>>,
    ) -> Self {
        Router {
            state,
            streams,
            teller,
            delayed: JoinSet::new(),
            held: Vec::new(),
        }
    }

    /// Routes until the core is gone.
    pub async fn run(mut self, mut queue: mpsc::Receiver<Out>) {
        loop {
            tokio::select! {
                biased;
                Some(said) = self.delayed.join_next() => {
                    if let Ok(utterance) = said {
                        self.release(utterance);
                    }
                }
                out = queue.recv() => match out {
                    Some(out) => self.route(out),
                    None => return,
                },
            }
        }
    }

    fn route(&mut self, out: Out) {
        match out {
            Out::One(message) => {
                let post = message.post;
                let told = self.tell(message);
                self.say(told, post);
            }
            Out::Batch(messages) => {
                let post = messages.first().and_then(|message| message.post);
                let told = messages.into_iter().flat_map(|message| self.tell(message));
                let told: Vec<_> = told.collect();
                let splits = self.with_teller(|teller| {
                    let splits = teller.habits().splits_batches;
                    if splits {
                        teller.habit_showed();
                    }
                    splits
                });
                self.say(if splits { told } else { join(told) }, post);
            }
            Out::Post(post, stage) => self.streams().reached(post, stage),
            Out::Hung => self.state.hang(),
        }
    }

    /// Says what is said for one message of a POST.
    fn say(&mut self, told: Vec<Utterance>, post: Option<PostNumber>) {
        for mut utterance in told {
            if utterance
                .post
                .is_some_and(|post| !self.streams().is_open(post))
            {
                // What comes after the answer to its POST goes with what it was added to.
                utterance.post = post;
            }
            if utterance.is_held {
                self.streams().hold(utterance.post);
                self.held.push(utterance);
            } else if utterance.delay.is_zero() {
                self.deliver(utterance);
                for held in std::mem::take(&mut self.held) {
                    self.release(held);
                }
            } else {
                self.streams().hold(utterance.post);
                self.delayed.spawn(async move {
                    tokio::time::sleep(utterance.delay).await;
                    utterance
                });
            }
        }
    }

    fn release(&self, utterance: Utterance) {
        self.streams().release(utterance.post);
        self.deliver(utterance);
    }

    fn deliver(&self, utterance: Utterance) {
        let is_answer = matches!(utterance.about, About::Reply { .. });
        let swaps_by_id = self.state.is(Quirk::SharesIdsOfClients);
        if is_answer
            && (swaps_by_id || self.state.is(Quirk::AnswersOnOtherStream))
            && let Some(own) = utterance.post
        {
            let mut streams = self.streams();
            if let Some(other) = streams.partner(own, swaps_by_id) {
                self.state.fire();
                return streams.say_elsewhere(utterance, other);
            }
        }
        if let Some((streams, post)) = self.stranger(&utterance) {
            self.state.fire();
            let mut streams = streams.lock().unwrap_or_else(PoisonError::into_inner);
            streams.say(Utterance {
                post: Some(post),
                ..utterance
            });
            return;
        }
        self.streams().say(utterance);
    }

    /// The POST of another session that asked under the same JSON-RPC id, where the sessions share that.
    fn stranger(&self, utterance: &Utterance) -> Option<(Arc<Mutex<Streams>>, PostNumber)> {
        let is_answer =
            matches!(&utterance.about, About::Reply { method, .. } if method != "initialize");
        let Content::Message(text) = &utterance.content else {
            return None;
        };
        if !is_answer || !self.state.is(Quirk::SharesSessions) {
            return None;
        }
        let id = raw::at(text, "/id")?;
        let sharers = self.state.sharers(id, &self.streams);
        sharers.into_iter().find(|(streams, post)| {
            let streams = streams.lock().unwrap_or_else(PoisonError::into_inner);
            streams.is_open(*post)
        })
    }

    fn tell(&self, message: Outgoing) -> Vec<Utterance> {
        self.with_teller(|teller| teller.tell(message))
    }

    fn streams(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_teller<T>(&self, act: impl FnOnce(&mut Teller) -> T) -> T {
        act(&mut self.teller.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
