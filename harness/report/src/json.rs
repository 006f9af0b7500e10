//! The report as one JSON document, for machines that want it whole.

use crate::{Ending, Fold, Report, Reporter};
use mcp_assay_model::event::Event;
use std::io::{self, Write};

/// Writes the [`Report`] when the run is over.
#[derive(Debug)]
pub struct Json<W: Write> {
    out: W,
    fold: Fold,
}

impl<W: Write> Json<W> {
    /// A reporter that writes to `out`.
    pub fn new(out: W) -> Self {
        Json {
            out,
            fold: Fold::new(),
        }
    }
}

impl<W: Write> Reporter for Json<W> {
    fn see(&mut self, event: &Event) -> io::Result<()> {
        self.fold.see(event);
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        let (report, _): (Report, Ending) = std::mem::take(&mut self.fold).finish_with_ending();
        write(&mut self.out, &report)
    }
}

/// Writes a report as indented JSON with a line end.
pub fn write(out: &mut impl Write, report: &Report) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report)?;
    out.write_all(b"\n")?;
    out.flush()
}
