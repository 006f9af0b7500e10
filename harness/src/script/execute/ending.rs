//! How a conversation ends: alive, closed by the card, dead or hung; and what a new client of the same server meets.

use super::{Execution, judges_to_the_end};
use crate::era::{self, Manner, Opened};
use crate::script::conversation::{Fence, Phase, Waited};
use mcp_assay_model::record::{End, Missing};
use mcp_assay_transport::pipes::Exit;
use std::time::Duration;
use tokio::time::Instant;

/// Time for a server to hear that a client which only asked whether it is there has gone.
const SHORT_GOODBYE: Duration = Duration::from_millis(200);

impl Execution<'_, '_> {
    /// Every conversation ends with a fence, unless the card closed it.
    pub(super) async fn end(&mut self) -> End {
        let after = self.conversation.last_seq();
        if self.stopped.is_none() {
            self.step_began = Instant::now();
        }
        if self.conversation.is_input_closed() {
            // What the target still says is read to the end, so that nothing is taken for silence too early.
            let deadline = Instant::now() + self.conversation.pace.doubtful();
            let _: Waited<()> = self.conversation.wait(deadline, |_| None).await;
            return End::Closed;
        }
        let fence = match self.stopped {
            Some(missing @ (Missing::Died | Missing::Hung)) => Fence::Missing(missing),
            Some(Missing::Silent | Missing::Unfenced) | None => {
                let grace = (!judges_to_the_end(self.context.card))
                    .then(|| self.conversation.pace.farewell());
                self.conversation
                    .fence_and_linger(Duration::ZERO, grace)
                    .await
            }
        };
        match fence {
            Fence::Answered(_) => self.fresh_client().await,
            Fence::Missing(Missing::Died) => self.died().await,
            Fence::Missing(Missing::Hung | Missing::Silent) => End::Hung {
                waited: self.step_began.elapsed(),
                after,
            },
            Fence::Missing(Missing::Unfenced) => self.last_resort(after).await,
        }
    }

    /// A server with many clients may live on for the one that it has, and be lost for all others: after a card that needs a connection of
    /// its own, a new client must be answered.
    async fn fresh_client(&mut self) -> End {
        if self.context.card.share || !self.conversation.has_exchanges() {
            return End::Alive;
        }
        let Some(mut other) = self.conversation.sibling("after") else {
            return End::Alive;
        };
        let after = self.conversation.last_seq();
        other.manner = Manner::new(self.context.revision);
        let method = other.manner.opening_method();
        let id = other.fresh_id();
        let began = Instant::now();
        let (index, _) = other.send_now(&other.manner.opening(&id));
        let patience = self.conversation.pace.start();
        let waited = other.wait_reply(index, began + patience).await;
        let status = other.status(index);
        let end = match (waited, status) {
            (Waited::Got(_), _) => None,
            // Whether it has room for one more is its own affair.
            (Waited::Over, Some(status)) if status < 500 => None,
            (Waited::Over, Some(status)) => Some(End::Died {
                how: format!("answers a new client's `{method}` with HTTP {status}"),
                after,
            }),
            (Waited::Over, None) => Some(End::Died {
                how: format!("breaks off the `{method}` of a new client"),
                after,
            }),
            (Waited::Ended, _) => Some(End::Died {
                how: other
                    .ended()
                    .and_then(|ended| ended.why.clone())
                    .unwrap_or_else(|| "is gone for a new client".to_owned()),
                after,
            }),
            (Waited::TimedOut, _) => Some(End::Hung {
                waited: began.elapsed(),
                after,
            }),
        };
        match end {
            None => {
                other.retire(true, SHORT_GOODBYE).await;
                End::Alive
            }
            Some(end) => {
                self.conversation.absorb(&other);
                let why = match &end {
                    End::Died { how, .. } => how.clone(),
                    _ => format!("never answers a new client's `{method}`"),
                };
                self.conversation.give_up_server(&why).await;
                end
            }
        }
    }

    /// Before the handshake a ping need not be answered; `initialize` must be.
    async fn last_resort(&mut self, after: u64) -> End {
        if self.conversation.phase() != Phase::Bare || self.conversation.is_line_open() {
            return if self.conversation.ended().is_some() {
                self.died().await
            } else {
                End::Unfenced
            };
        }
        let patience = self.conversation.pace.start();
        self.conversation.manner = Manner::new(self.context.revision);
        match era::open(self.conversation, patience).await.1 {
            Opened::Yes | Opened::Refused => End::Alive,
            Opened::Missing(Missing::Died) => self.died().await,
            Opened::Missing(Missing::Hung | Missing::Silent | Missing::Unfenced) => End::Hung {
                waited: patience,
                after,
            },
        }
    }

    async fn died(&mut self) -> End {
        let ended = self.conversation.ended().cloned();
        let after = ended
            .as_ref()
            .map_or(self.conversation.last_seq(), |ended| ended.after);
        if ended.as_ref().is_some_and(|ended| ended.flood) {
            return End::Died {
                how: "flooded its output without end and was stopped".to_owned(),
                after,
            };
        }
        let why = ended.and_then(|ended| ended.why);
        let refused = self.refused;
        // The end of the output and the end of the process are two events; the second follows the first closely, or not at all.
        let exit = self
            .conversation
            .exit(Instant::now() + Duration::from_secs(1))
            .await;
        let how = match exit {
            Some(Exit { code: Some(_), .. }) if refused => return End::Unfenced,
            Some(Exit {
                code: Some(code), ..
            }) => format!("exited with code {code}"),
            Some(Exit {
                signal: Some(signal),
                ..
            }) => format!("was ended by signal {signal}"),
            Some(Exit {
                code: None,
                signal: None,
                ..
            }) => "ended".to_owned(),
            None => why.unwrap_or_else(|| "closed its output and runs on".to_owned()),
        };
        End::Died { how, after }
    }
}
