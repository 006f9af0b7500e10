//! The record: one event a line, written as it happens. It is the source; every other report can be made from it again.

use crate::{Ending, Fold, Report, Reporter};
use mcp_assay_model::event::{EVENTS_FORMAT, Event};
use std::io::{self, BufRead, Read, Write};

/// Longest line that is read; a longer one is no line of ours.
const LINE_BYTES: u64 = 256 * 1024 * 1024;

/// Writes every event as a line, and flushes when a case is settled.
#[derive(Debug)]
pub struct Jsonl<W: Write> {
    out: W,
}

impl<W: Write> Jsonl<W> {
    /// A reporter that writes to `out`, which should be buffered.
    pub fn new(out: W) -> Self {
        Jsonl { out }
    }
}

impl<W: Write> Reporter for Jsonl<W> {
    fn see(&mut self, event: &Event) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, event)?;
        self.out.write_all(b"\n")?;
        match event {
            // A crash of ours or a kill from outside then costs the running cases only.
            Event::RunStarted(_)
            | Event::CaseFinished { .. }
            | Event::TargetRestarted { .. }
            | Event::Lost { .. }
            | Event::ConversationEnded { .. }
            | Event::RunFinished(_) => self.out.flush(),
            Event::CaseStarted { .. } | Event::Message { .. } | Event::Finding { .. } => Ok(()),
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Why a record cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file could not be read.
    #[error("cannot read the record at line {line}")]
    Io {
        /// Line, from 1.
        line: u64,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A line is no event.
    #[error("line {line} of the record is no event: {source}")]
    NoEvent {
        /// Line, from 1.
        line: u64,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The last line has no end and is no event: whoever wrote it was stopped in the middle.
    #[error("the record is cut off in the middle of line {line}")]
    CutOff {
        /// Line, from 1.
        line: u64,
    },
    /// The record is of another format or of a later edition.
    #[error("line {line} of the record says format `{found}`; this tool reads `{EVENTS_FORMAT}`")]
    Format {
        /// Line, from 1.
        line: u64,
        /// The format as written.
        found: String,
    },
    /// The first event is not `run-started`.
    #[error("line {line} of the record must be a `run-started` event")]
    NotStarted {
        /// Line, from 1.
        line: u64,
    },
    /// A line is too long.
    #[error("line {line} of the record is longer than {LINE_BYTES} bytes")]
    TooLong {
        /// Line, from 1.
        line: u64,
    },
}

/// Reads a record, event by event.
///
/// **Shape**: ends after the first error. Blank lines are skipped. An empty record is no error of the reader.
#[derive(Debug)]
pub struct Reader<R: BufRead> {
    input: R,
    line: u64,
    started: bool,
    over: bool,
}

impl<R: BufRead> Reader<R> {
    /// A reader of `input`.
    pub fn new(input: R) -> Self {
        Reader {
            input,
            line: 0,
            started: false,
            over: false,
        }
    }

    fn read(&mut self) -> Result<Option<Event>, ReadError> {
        loop {
            self.line += 1;
            let line = self.line;
            let mut bytes = Vec::new();
            let mut limited = (&mut self.input).take(LINE_BYTES + 1);
            match limited.read_until(b'\n', &mut bytes) {
                Ok(0) => return Ok(None),
                Ok(_) if bytes.len() as u64 > LINE_BYTES => {
                    return Err(ReadError::TooLong { line });
                }
                Ok(_) => {}
                Err(source) => return Err(ReadError::Io { line, source }),
            }
            if bytes.trim_ascii().is_empty() {
                continue;
            }
            let whole = bytes.ends_with(b"\n");
            let event = match serde_json::from_slice(&bytes) {
                Ok(event) => event,
                Err(_) if !whole => return Err(ReadError::CutOff { line }),
                Err(source) => return Err(ReadError::NoEvent { line, source }),
            };
            self.check(&event)?;
            return Ok(Some(event));
        }
    }

    fn check(&mut self, event: &Event) -> Result<(), ReadError> {
        let line = self.line;
        if let Event::RunStarted(started) = event {
            if started.format != EVENTS_FORMAT {
                return Err(ReadError::Format {
                    line,
                    found: started.format.clone(),
                });
            }
            self.started = true;
        }
        match self.started {
            true => Ok(()),
            false => Err(ReadError::NotStarted { line }),
        }
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Event, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let item = self.read().transpose();
        self.over = !matches!(item, Some(Ok(_)));
        item
    }
}

/// Reads a whole record into its report; one that is cut off in the middle of a line counts as interrupted there.
///
/// **Errors**: as [`ReadError`], except `CutOff`.
pub fn replay(input: impl BufRead) -> Result<(Report, Ending), ReadError> {
    let mut fold = Fold::new();
    each(input, |event| fold.see(&event))?;
    Ok(fold.finish_with_ending())
}

/// Hands every event of a record to `see`; one that is cut off in the middle of a line ends there.
///
/// **Errors**: as [`ReadError`], except `CutOff`.
pub fn each(input: impl BufRead, mut see: impl FnMut(Event)) -> Result<(), ReadError> {
    for event in Reader::new(input) {
        match event {
            Ok(event) => see(event),
            Err(ReadError::CutOff { .. }) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn record() -> String {
        let mut out = Vec::new();
        let mut jsonl = Jsonl::new(&mut out);
        for event in fixture::everything() {
            jsonl.see(&event).expect("memory does not fail");
        }
        jsonl.finish().expect("memory does not fail");
        String::from_utf8(out).expect("JSON is UTF-8")
    }

    fn error(text: &str) -> String {
        let events: Result<Vec<_>, _> = Reader::new(text.as_bytes()).collect();
        events.expect_err("the record is broken").to_string()
    }

    #[test]
    fn what_is_written_is_read_back() {
        let read: Result<Vec<_>, _> = Reader::new(record().as_bytes()).collect();
        assert_eq!(read.expect("our own record"), fixture::everything());
    }

    #[test]
    fn errors_name_the_line() {
        let first = record().lines().next().expect("a first line").to_owned();
        assert_eq!(
            error(&format!("{first}\n\n{{\"event\":\"nope\"}}\n"))
                .split(": ")
                .next(),
            Some("line 3 of the record is no event")
        );
        assert_eq!(
            error("{\"event\":\"case-started\",\"case\":\"a\",\"attempt\":1}\n"),
            "line 1 of the record must be a `run-started` event"
        );
        assert_eq!(
            error(&first.replace("events/1", "events/9")),
            "line 1 of the record says format `mcp-assay/events/9`; this tool reads `mcp-assay/events/1`"
        );
        assert_eq!(
            error(&format!("{first}\n{{\"event\":\"case-st")),
            "the record is cut off in the middle of line 2"
        );
    }

    #[test]
    fn a_record_that_is_cut_off_anywhere_still_folds() {
        let whole = record();
        let first = whole.find('\n').expect("a line end") + 1;
        for end in (first..whole.len()).step_by(997) {
            let bytes = &whole.as_bytes()[..end];
            let (report, ending) = replay(bytes).expect("cut off, not broken");
            assert!(!ending.complete);
            assert_eq!(report.exit_code, 130);
        }
    }
}
