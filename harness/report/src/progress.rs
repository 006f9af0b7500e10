//! One live line on standard error while the run goes on: how far, how bad, what is being waited for. On a terminal only.

use crate::Reporter;
use crate::text::{cut, visible};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use mcp_assay_model::event::Event;
use mcp_assay_model::verdict::Verdict;
use std::io;
use std::time::Duration;

/// How often the line is drawn again while nothing happens, so that its clock shows that we live.
const TICK: Duration = Duration::from_millis(250);
/// Columns for the name of the case that is waited for.
const CASE_COLUMNS: usize = 60;

/// Shows progress, and takes it away again at the end; writes nothing where standard error is no terminal.
///
/// `finish` it before the reporters that write to standard output, or they share a line.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    running: Vec<String>,
    failed: u64,
}

impl Default for Progress {
    fn default() -> Self {
        Progress::new()
    }
}

impl Progress {
    /// Progress on standard error, if it is a terminal.
    pub fn new() -> Self {
        Progress::on(ProgressDrawTarget::stderr())
    }

    fn on(target: ProgressDrawTarget) -> Self {
        let bar = ProgressBar::with_draw_target(None, target);
        if !bar.is_hidden() {
            bar.enable_steady_tick(TICK);
        }
        Progress {
            bar,
            running: Vec::new(),
            failed: 0,
        }
    }

    fn line(&self) -> String {
        let waiting = match self.running.as_slice() {
            [] => "between cases".to_owned(),
            [case] => format!("waiting for {}", name(case)),
            [case, rest @ ..] => format!("waiting for {} and {} more", name(case), rest.len()),
        };
        format!("{} failed · {waiting}", self.failed)
    }
}

/// A case as the line shows it: cards are ours or the user's, values that they vary are data.
fn name(case: &str) -> String {
    cut(&visible(case), CASE_COLUMNS).into_owned()
}

impl Reporter for Progress {
    fn see(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::RunStarted(started) => {
                self.bar.set_length(started.cases);
                if let Ok(style) =
                    ProgressStyle::with_template("{elapsed:>4} {pos}/{len} cases · {wide_msg}")
                {
                    self.bar.set_style(style);
                }
            }
            Event::CaseStarted { case, .. } => {
                if !self.running.contains(case) {
                    self.running.push(case.clone());
                }
            }
            Event::Message { .. }
            | Event::Finding { .. }
            | Event::TargetRestarted { .. }
            | Event::Lost { .. }
            | Event::ConversationEnded { .. } => {
                return Ok(());
            }
            Event::CaseFinished { case, results } => {
                self.running.retain(|running| running != case);
                let bad = |verdict| verdict >= Some(Verdict::Fail);
                self.failed += results.iter().filter(|result| bad(result.verdict)).count() as u64;
                self.bar.inc(1);
            }
            Event::RunFinished(_) => {}
        }
        self.bar.set_message(self.line());
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.bar.finish_and_clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn names_the_oldest_running_case() {
        let mut progress = Progress::on(ProgressDrawTarget::hidden());
        let start = |case: &str| Event::CaseStarted {
            case: case.to_owned(),
            attempt: 1,
        };
        for event in [start("a/b@r+stdio"), start("c/d@r+stdio#x=\"\u{1b}[31m\"")] {
            progress.see(&event).expect("nothing is written");
        }
        assert_eq!(
            progress.line(),
            "0 failed · waiting for a/b@r+stdio and 1 more"
        );
        let done = Event::CaseFinished {
            case: "a/b@r+stdio".to_owned(),
            results: Vec::new(),
        };
        progress.see(&done).expect("nothing is written");
        assert_eq!(
            progress.line(),
            "0 failed · waiting for c/d@r+stdio#x=\"\\u001b[31m\""
        );
    }

    #[test]
    fn counts_failures_of_a_whole_run() {
        let mut progress = Progress::on(ProgressDrawTarget::hidden());
        fixture::everything()
            .iter()
            .for_each(|event| progress.see(event).expect("nothing is written"));
        assert!(progress.failed > 5);
    }
}
