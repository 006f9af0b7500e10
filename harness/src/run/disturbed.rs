//! Cases that another case may have spoiled: a server with one process for all clients dies for all of them at once.

use crate::run::attempt::Attempt;
use mcp_assay_model::result::CheckResult;
use mcp_assay_model::verdict::{Reason, Verdict};
use tokio::time::Instant;

/// When cases were under way that ended with a dead or hanging server.
#[derive(Clone, Debug, Default)]
pub struct Deaths(Vec<Death>);

#[derive(Clone, Debug)]
struct Death {
    case: String,
    began: Instant,
    ended: Instant,
}

impl Deaths {
    /// Notes what came of a case.
    pub fn see(&mut self, case: &str, attempt: &Attempt, results: &[CheckResult]) {
        let is_dead = results
            .iter()
            .any(|result| result.id.ends_with("/alive") && result.verdict == Some(Verdict::Fail));
        if is_dead {
            self.0.push(Death {
                case: case.to_owned(),
                began: attempt.began,
                ended: attempt.began + attempt.duration,
            });
        }
    }

    /// Whether another case ended in death while this one was under way.
    pub fn disturbed(&self, case: &str, attempt: &Attempt) -> bool {
        let (began, ended) = (attempt.began, attempt.began + attempt.duration);
        self.0
            .iter()
            .any(|death| death.case != case && death.began <= ended && began <= death.ended)
    }
}

/// Whether results look like those of a case whose server was taken away: they fail, or could not be settled for want of an answer.
pub fn is_suspicious(results: &[CheckResult]) -> bool {
    results.iter().any(|result| {
        result.verdict == Some(Verdict::Fail)
            || matches!(result.reason, Some(Reason::Blocked(_) | Reason::Unfenced))
    })
}
