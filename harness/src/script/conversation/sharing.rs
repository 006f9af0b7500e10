//! Connections that outlive a case, and cases with several connections.

use super::Conversation;
use crate::target::Link;
use mcp_assay_model::record::{Direction, Entry, HttpPart};
use std::sync::Arc;

impl Conversation {
    /// Gives the connection the label that the card has for it, also in what was recorded before the card said so.
    pub fn relabel(&mut self, label: &str) {
        self.transcript.relabel(&self.label, label);
        label.clone_into(&mut self.label);
    }

    /// Begins the next case on a shared connection: the transcript is cut back to the handshake.
    pub fn begin_case(&mut self) {
        if self.handshake.sent == 0 {
            return;
        }
        let past = self.sent.drain(self.handshake.sent..);
        self.past.ids.extend(past.filter_map(|state| state.sent.id));
        let spoken = self.transcript.entries().get(self.handshake.entries..);
        let asked = spoken
            .into_iter()
            .flatten()
            .filter(|entry| entry.direction == Direction::Sent);
        let tokens = asked.filter_map(|entry| {
            let message = entry.message.as_ref()?;
            message.value.pointer("/params/_meta/progressToken")
        });
        self.past.tokens.extend(tokens.cloned());
        let carried = self.exchanges.forget_after(self.handshake.exchanges);
        // The server's own stream may go on in a later exchange than that of the handshake, which is then part of every record.
        let begins = |entry: &&Entry| {
            let http = entry.http.as_ref();
            entry.connection == self.label
                && http.is_some_and(|http| {
                    let part = &http.part;
                    carried.contains(&http.exchange)
                        && matches!(part, HttpPart::Request { .. } | HttpPart::Response { .. })
                })
        };
        let later = self.entries().get(self.handshake.entries..);
        let later: Vec<Entry> = later
            .into_iter()
            .flatten()
            .filter(begins)
            .cloned()
            .collect();
        self.transcript.truncate(self.handshake.entries);
        for entry in later {
            let exchange = entry.http.as_ref().map_or(0, |http| http.exchange);
            let is_head = entry.direction == Direction::Received;
            let seq = self.push(entry);
            if let Some(exchange) = self.exchanges.get_mut(exchange).filter(|_| is_head) {
                exchange.head = Some(seq);
            }
        }
    }

    /// Whether the stream of the server's own messages was opened and has ended for good.
    pub fn has_lost_stream(&self) -> bool {
        let stood = |status: Option<u16>| status.is_some_and(|status| (200..300).contains(&status));
        self.has_exchanges()
            && self
                .exchanges
                .listening()
                .is_some_and(|(number, it)| stood(it.status) && self.exchanges.is_settled(number))
    }

    /// A fresh connection to the same server as another client; only over HTTP, where a server has several.
    pub fn sibling(&self, label: &str) -> Option<Conversation> {
        let Link::Http(client, process) = &self.link else {
            return None;
        };
        let link = Link::Http(client.sibling(), process.clone());
        let avoid = self.written_ids.clone();
        let manner = self.manner.clone();
        let mut sibling = Conversation::new(
            link,
            self.binding,
            manner,
            label,
            Arc::clone(&self.pace),
            avoid,
        );
        sibling.started = self.started;
        Some(sibling)
    }

    /// Ends the server behind this connection where we started it, so that the next case gets one that serves. `why`: a fragment that follows
    /// its name.
    pub async fn give_up_server(&self, why: &str) {
        if let Link::Http(_, Some(server)) = &self.link {
            server.give_up(why).await;
        }
    }

    /// Takes over what another connection of the same case saw, after what was seen here; gives the position before its first entry.
    pub fn absorb(&mut self, other: &Conversation) -> u64 {
        let before = self.last_seq();
        for entry in other.entries() {
            let moved = |seq: Option<u64>| seq.map(|seq| seq + before);
            let entry = Entry {
                answers: moved(entry.answers),
                part_of: moved(entry.part_of),
                ..entry.clone()
            };
            self.transcript.push(entry, false);
        }
        before
    }
}
