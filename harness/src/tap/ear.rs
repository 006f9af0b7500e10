//! The thread that listens: reads the copy of what passes, records it, judges it, says what it finds.
//!
//! Whatever goes wrong here is said on standard error, and is no matter of the conversation.

use super::feed::{Fed, Food, Which};
use super::lines::Lines;
use crate::traffic::Heard;
use crate::traffic::panel::{Judged, Panel};
use crate::traffic::recorder::Recorder;
use crate::traffic::sockets::{Closed, Sockets};
use mcp_assay_model::record::Direction;
use mcp_assay_report::{Mask, visible};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Findings that are told while the conversation goes on; the summary has them all.
const MOST_TOLD: u64 = 100;
/// Why bytes are missing.
const NO_ROOM: &str = "more passed than could be written down in time";

/// What is listened to.
#[derive(Debug)]
pub enum Streams {
    /// The standard streams of a process.
    Lines(Lines),
    /// Connections that speak HTTP.
    Sockets(Sockets),
}

/// What listens.
pub struct Ear {
    /// What to.
    pub streams: Streams,
    /// Where it is written down.
    pub recorder: Option<Recorder>,
    /// Makes who judges; on the ear's own thread.
    pub panel: Box<dyn FnOnce() -> Panel + Send>,
    /// Takes secrets out of what is told.
    pub mask: Mask,
    /// Where lines go that are for people.
    pub say: Box<dyn FnMut(&str) + Send>,
}

/// What was heard, at the end.
#[derive(Debug, Default)]
pub struct Report {
    /// What was judged; `None` where the judge broke.
    pub judged: Option<Judged>,
    /// Remarks, a line each.
    pub notes: Vec<String>,
}

impl Ear {
    /// Listens on a thread of its own, until nothing more can come. `ended` tells how a process ended.
    ///
    /// **Errors**: the system gives no thread.
    pub fn start(
        self,
        food: Food,
        ended: std::sync::mpsc::Receiver<String>,
    ) -> std::io::Result<JoinHandle<Report>> {
        thread::Builder::new()
            .name("ear".to_owned())
            .spawn(move || {
                let mut listening = Listening {
                    panel: None,
                    streams: self.streams,
                    recorder: self.recorder,
                    mask: self.mask,
                    say: self.say,
                    told: 0,
                    lost: 0,
                    notes: Vec::new(),
                };
                let panel = self.panel;
                listening.panel = listening.guarded(panel);
                listening.listen(&food, &ended)
            })
    }
}

struct Listening {
    streams: Streams,
    recorder: Option<Recorder>,
    panel: Option<Panel>,
    mask: Mask,
    say: Box<dyn FnMut(&str) + Send>,
    told: u64,
    lost: u64,
    notes: Vec<String>,
}

impl Listening {
    fn listen(&mut self, food: &Food, ended: &std::sync::mpsc::Receiver<String>) -> Report {
        let began = Instant::now();
        let mut out = Vec::new();
        let mut last = Duration::ZERO;
        loop {
            let fed = match food.now() {
                Some(fed) => fed,
                None => {
                    // Nothing waits, so there is time to let others read along.
                    self.write(|recorder| recorder.flush());
                    match food.next() {
                        Some(fed) => fed,
                        None => break,
                    }
                }
            };
            if let Fed::Bytes { at, .. } | Fed::Ended { at, .. } | Fed::Closed { at, .. } = &fed {
                last = *at;
            }
            self.take(fed, &mut out);
            self.hear(&mut out);
        }
        match &mut self.streams {
            Streams::Lines(lines) => lines.finish(ended.recv().ok().as_deref(), &mut out),
            Streams::Sockets(sockets) => {
                sockets.finish(last, &mut out);
                let left_out = sockets.left_out();
                if left_out > 0 {
                    self.notes.push(format!(
                        "{left_out} exchanges are no MCP and were passed on, neither recorded nor judged"
                    ));
                }
            }
        }
        self.hear(&mut out);
        self.write(|recorder| recorder.finish(began.elapsed()));
        if self.lost > 0 {
            self.notes.push(format!(
                "{} bytes passed that were neither recorded nor judged: {NO_ROOM}",
                self.lost
            ));
        }
        let judged = match self.panel.take() {
            Some(panel) => self.guarded(move || panel.finish()),
            None => None,
        };
        Report {
            judged,
            notes: std::mem::take(&mut self.notes),
        }
    }

    fn take(&mut self, fed: Fed, out: &mut Vec<Heard>) {
        match (&mut self.streams, fed) {
            (Streams::Lines(lines), fed) => match fed {
                Fed::Bytes {
                    stream: Which::Messages(_, direction),
                    at,
                    bytes,
                } => lines.bytes(direction, &bytes, at, out),
                Fed::Bytes {
                    stream: Which::Stderr,
                    at,
                    bytes,
                } => lines.stderr(&bytes, at, out),
                Fed::Lost {
                    stream: Which::Messages(_, direction),
                    bytes,
                } => {
                    self.lost += bytes;
                    lines.lost(direction, bytes, NO_ROOM, out);
                }
                Fed::Ended {
                    stream: Which::Messages(_, direction),
                    at,
                } => lines.ended(direction, at, out),
                Fed::Lost {
                    stream: Which::Stderr,
                    ..
                }
                | Fed::Ended {
                    stream: Which::Stderr,
                    ..
                }
                | Fed::Opened { .. }
                | Fed::Closed { .. } => {}
            },
            (Streams::Sockets(sockets), fed) => match fed {
                Fed::Opened { socket, client } => sockets.opened(socket, client),
                Fed::Bytes {
                    stream: Which::Messages(socket, direction),
                    at,
                    bytes,
                } => sockets.bytes((socket, direction), &bytes, at, out),
                Fed::Lost {
                    stream: Which::Messages(socket, _),
                    bytes,
                } => {
                    self.lost += bytes;
                    sockets.lost(socket, bytes, NO_ROOM, out);
                }
                Fed::Closed {
                    socket,
                    at,
                    by_server,
                } => {
                    let closed = by_server.map_or(Closed::ByClient, Closed::ByServer);
                    sockets.closed(socket, closed, at, out);
                }
                Fed::Ended { .. }
                | Fed::Bytes {
                    stream: Which::Stderr,
                    ..
                }
                | Fed::Lost {
                    stream: Which::Stderr,
                    ..
                } => {}
            },
        }
    }

    fn hear(&mut self, out: &mut Vec<Heard>) {
        for heard in out.drain(..) {
            self.write(|recorder| recorder.hear(&heard));
            let Some(mut panel) = self.panel.take() else {
                continue;
            };
            let judging = self.guarded(move || {
                let news = panel.hear(&heard);
                (panel, news)
            });
            let Some((panel, news)) = judging else {
                continue;
            };
            self.panel = Some(panel);
            for line in news {
                self.told += 1;
                if self.told <= MOST_TOLD {
                    let line = self.mask.text(&line);
                    self.tell(&line);
                }
                if self.told == MOST_TOLD {
                    self.tell("more findings are told at the end");
                }
            }
        }
    }

    /// Runs what may have a bug of ours in it; where it has, it is said once, and nothing is judged any more.
    fn guarded<T>(&mut self, judging: impl FnOnce() -> T) -> Option<T> {
        let judged = catch_unwind(AssertUnwindSafe(judging)).ok();
        if judged.is_none() {
            self.tell(
                "a bug in mcp-assay ended the judging; the conversation goes on, and so does the recording. Please report it",
            );
        }
        judged
    }

    /// Writes to the recording; where that fails, it is said once, and nothing is recorded any more.
    fn write(&mut self, write: impl FnOnce(&mut Recorder) -> std::io::Result<()>) {
        let Some(recorder) = &mut self.recorder else {
            return;
        };
        if let Err(error) = write(recorder) {
            self.recorder = None;
            self.tell(&format!(
                "the recording ends here, it cannot be written: {error}; the conversation goes on"
            ));
        }
    }

    fn tell(&mut self, line: &str) {
        (self.say)(&visible(line));
    }
}

/// The standard streams of a process, each with its place in the ear.
pub fn of_process(direction: Direction) -> Which {
    Which::Messages(0, direction)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tap::feed::Feed;
    use crate::traffic::panel::Scope;
    use mcp_assay_model::event::TargetFacts;
    use mcp_assay_model::protocol::Role;
    use std::collections::BTreeSet;
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex, mpsc};

    /// What is written stays here.
    #[derive(Clone, Default)]
    struct Sheet(Arc<Mutex<Vec<u8>>>);

    impl Write for Sheet {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Listens to a line each way with this panel: the recording, what was said, and the report.
    fn listen(
        bound: u64,
        panel: Box<dyn FnOnce() -> Panel + Send>,
    ) -> (String, Vec<String>, Report) {
        let sheet = Sheet::default();
        let said = Arc::new(Mutex::new(Vec::new()));
        let lines = Arc::clone(&said);
        let recorder =
            Recorder::begin(Box::new(sheet.clone()), TargetFacts::default(), Vec::new()).unwrap();
        let ear = Ear {
            streams: Streams::Lines(Lines::new()),
            recorder: Some(recorder),
            panel,
            mask: Mask::default(),
            say: Box::new(move |line| lines.lock().unwrap().push(line.to_owned())),
        };
        let (feed, food) = Feed::new(bound);
        let (told, ended) = mpsc::channel();
        let mut sent = feed.stream(of_process(Direction::Sent));
        sent.copy(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n");
        let mut received = feed.stream(of_process(Direction::Received));
        received.copy(b"hello\n");
        received.copy(&[b'x'; 1000]);
        received.copy(b" the rest\nhello again\n");
        drop((sent, received, feed));
        told.send("exited with code 0".to_owned()).unwrap();
        let ear = ear.start(food, ended).unwrap();
        let report = ear.join().unwrap();
        let record = String::from_utf8(sheet.0.lock().unwrap().clone()).unwrap();
        let said = said.lock().unwrap().clone();
        (record, said, report)
    }

    fn panel() -> Panel {
        Panel::new(Scope {
            revision: None,
            roles: BTreeSet::from([Role::Server, Role::Client]),
        })
    }

    #[test]
    fn a_judge_that_breaks_costs_the_judging_and_not_the_recording() {
        let (record, said, report) = listen(10_000, Box::new(|| panic!("a bug of ours")));
        assert!(report.judged.is_none());
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains("a bug in mcp-assay"), "{said:?}");
        assert!(record.contains("\"raw\":\"hello\""), "{record}");
        assert!(record.contains("run-finished"), "{record}");
    }

    #[test]
    fn a_gap_is_in_the_recording_and_ends_the_judging_of_its_conversation() {
        // Room for the two short lines, not for the long one.
        let (record, _, report) = listen(700, Box::new(panel));
        let lost =
            r#"{"event":"lost","case":"tap/1@any+stdio","after":2,"bytes":1000,"why":"more passed"#;
        assert!(record.contains(lost), "{record}");
        assert!(
            !record.contains("the rest"),
            "half a line is none: {record}"
        );
        assert!(record.contains("hello again"), "{record}");
        assert!(
            report.notes[0].starts_with("1000 bytes passed"),
            "{:?}",
            report.notes
        );
        let notes = report.judged.unwrap().notes(None);
        let gap = "tap/1: 1000 bytes are missing after #2";
        assert!(notes.iter().any(|note| note.starts_with(gap)), "{notes:?}");
    }
}
