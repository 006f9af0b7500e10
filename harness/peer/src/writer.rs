//! The writer's side of a connection: one message a line, in whatever way the fault has it.

use crate::fault::teller::{Content, Teller, Utterance};
use crate::outgoing::Out;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Between the two pieces of a message that is cut, so that a reader sees them apart.
const CUT_PAUSE: Duration = Duration::from_millis(20);

/// Between the pieces of a server that writes little at a time.
const PIECE_PAUSE: Duration = Duration::from_millis(1);

/// Writes what is queued until nobody can queue any more.
pub(crate) struct Writer<W> {
    output: Pin<Box<W>>,
    teller: Arc<Mutex<Teller>>,
    /// Said later.
    delayed: JoinSet<Utterance>,
    /// Said after the next.
    held: Vec<Utterance>,
}

impl<W: AsyncWrite> Writer<W> {
    /// A writer that has written nothing.
    pub fn new(output: W, teller: Arc<Mutex<Teller>>) -> Self {
        Writer {
            output: Box::pin(output),
            teller,
            delayed: JoinSet::new(),
            held: Vec::new(),
        }
    }

    /// Writes until the queue is closed.
    ///
    /// **Errors**: where the output is closed.
    pub async fn run(mut self, mut queue: mpsc::Receiver<Out>) -> io::Result<()> {
        let banner = self.with_teller(|teller| teller.habits().banner);
        if !banner.is_empty() {
            self.with_teller(Teller::habit_showed);
            self.output.write_all(banner.as_bytes()).await?;
            self.output.flush().await?;
        }
        let mut is_open = true;
        loop {
            tokio::select! {
                biased;
                Some(said) = self.delayed.join_next() => {
                    if let Ok(utterance) = said {
                        self.write(utterance).await?;
                    }
                }
                out = queue.recv(), if is_open => match out {
                    Some(out) => self.say(out).await?,
                    None => {
                        is_open = false;
                        self.give_up_if_dying();
                    }
                },
                else => break,
            }
            // What is queued behind goes out with it; what waits for nothing goes now.
            if queue.is_empty() {
                self.output.flush().await?;
            }
        }
        for utterance in std::mem::take(&mut self.held) {
            self.write(utterance).await?;
        }
        for utterance in self.with_teller(Teller::last_words) {
            self.write(utterance).await?;
        }
        self.output.flush().await
    }

    async fn say(&mut self, out: Out) -> io::Result<()> {
        let utterances = match out {
            Out::One(message) => self.with_teller(|teller| teller.tell(message)),
            Out::Batch(messages) => {
                let told = messages.into_iter();
                let told = told.flat_map(|message| self.with_teller(|teller| teller.tell(message)));
                let told: Vec<_> = told.collect();
                if self.with_teller(|teller| teller.habits().splits_batches) {
                    self.with_teller(Teller::habit_showed);
                    told
                } else {
                    join(told)
                }
            }
            // A line binding has no POSTs, and a server that hangs there just says no more.
            Out::Post(..) | Out::Hung => Vec::new(),
        };
        for utterance in utterances {
            if utterance.is_held {
                self.held.push(utterance);
            } else if utterance.delay.is_zero() {
                self.write(utterance).await?;
                for held in std::mem::take(&mut self.held) {
                    self.write(held).await?;
                }
            } else {
                self.delayed.spawn(async move {
                    tokio::time::sleep(utterance.delay).await;
                    utterance
                });
            }
        }
        Ok(())
    }

    async fn write(&mut self, utterance: Utterance) -> io::Result<()> {
        let bytes = match utterance.content {
            Content::Bytes(bytes) => bytes,
            Content::Message(mut line) => {
                let terminator = self.with_teller(|teller| {
                    let terminator = teller.habits().terminator;
                    if terminator != "\n" {
                        teller.habit_showed();
                    }
                    terminator
                });
                line.push_str(terminator);
                line.into_bytes()
            }
        };
        let cut = utterance.cut.map_or(0, |cut| cut.min(bytes.len()));
        let (first, rest) = bytes.split_at(cut);
        if !first.is_empty() {
            self.output.write_all(first).await?;
            self.output.flush().await?;
            tokio::time::sleep(CUT_PAUSE).await;
        }
        let piece = self.with_teller(|teller| teller.habits().piece);
        if rest.len() > piece {
            self.with_teller(Teller::habit_showed);
        }
        for piece in rest.chunks(piece) {
            self.output.write_all(piece).await?;
            if piece.len() < rest.len() {
                self.output.flush().await?;
                tokio::time::sleep(PIECE_PAUSE).await;
            }
        }
        Ok(())
    }

    /// A process that dies takes with it what was to be said later.
    fn give_up_if_dying(&mut self) {
        if self.with_teller(|teller| teller.is_dying()) && !self.delayed.is_empty() {
            self.with_teller(Teller::habit_showed);
            self.delayed.abort_all();
        }
    }

    fn with_teller<T>(&self, act: impl FnOnce(&mut Teller) -> T) -> T {
        act(&mut self.teller.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Makes one array of the answers to a batch; an answer that goes out in its own way leaves it.
pub(crate) fn join(utterances: Vec<Utterance>) -> Vec<Utterance> {
    let (plain, mut apart): (Vec<_>, Vec<_>) = utterances
        .into_iter()
        .partition(|utterance| utterance.is_plain());
    let first = plain.first().cloned();
    let texts = plain
        .into_iter()
        .filter_map(|utterance| match utterance.content {
            Content::Message(text) => Some(text),
            Content::Bytes(_) => None,
        });
    let texts: Vec<String> = texts.collect();
    if let Some(first) = first {
        let array = format!("[{}]", texts.join(","));
        apart.insert(0, first.with(Content::Message(array)));
    }
    apart
}
