//! Tools that send the user to a URL.
//!
//! ```text
//! elicit_by_url:            call -> elicitation/create (url) -> accept -> the visit -> notifications/elicitation/complete -> result
//! require_url_elicitation:  call -> -32042 with the elicitation -> the visit -> notifications/elicitation/complete; call again -> result
//! ```
//!
//! **Source**: `2025-11-25/client/elicitation#url-mode-elicitation-requests`, `2026-07-28/client/elicitation`. There is nothing at these URLs and
//! nobody who visits them: after a while the server takes the visit for made. A real one waits for its own page to be used, by the user
//! whom it knows.

use super::{Call, Outcome};
use crate::error::RpcError;
use crate::json::Json;
use crate::modern::state::State;
use crate::outgoing::Outlet;
use crate::questions::{Asker, Capability, Question, Unanswered};
use crate::unguessable;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;

/// What a visit takes.
const VISIT: Duration = Duration::from_millis(100);

const MESSAGE: &str = "Please confirm this on our page";

/// Asks the user to visit a URL, and waits until that is done.
pub(super) async fn elicit(call: Call) -> Outcome {
    let id = unguessable::id();
    let question = question(&id);
    let result = match &call.asker {
        // In the last round the state says that the user was sent there; the client says only that the user agreed to go.
        Asker::Modern(rounds) => rounds
            .answers_in(&[question], State::of_round(1))
            .map(|mut answers| answers.remove(0)),
        Asker::Legacy(..) => call.asker.ask(question).await,
    };
    let result = match result {
        Ok(result) => result,
        Err(unanswered) => return unanswered.into(),
    };
    if result["action"] != "accept" {
        return Outcome::text("The user did not go there.");
    }
    tokio::time::sleep(VISIT).await;
    if let Asker::Legacy(..) = &call.asker {
        tell(&call.outlet, &id).await;
    }
    Outcome::text("The user was there.")
}

/// Refuses until the user has visited a URL; each visit is good for one call.
pub(super) async fn require(call: Call) -> Outcome {
    let Asker::Legacy(terms, _) = &call.asker else {
        return Outcome::error("This tool asks by an error that this revision does not have.");
    };
    if !Capability::ElicitationByUrl.is_in(terms) {
        return Unanswered::undeclared(Capability::ElicitationByUrl).into();
    }
    match call.visits.make(&call.outlet.relating_to(None)) {
        None => Outcome::text("The user was there."),
        Some(id) => {
            let elicitation = question(&id).params().cloned().unwrap_or_default();
            Outcome::Refused(RpcError::url_elicitation_required(vec![elicitation]))
        }
    }
}

fn question(id: &str) -> Question {
    let url = format!("https://assay.example/confirm?elicitation={id}");
    Question::elicitation_by_url("visit", MESSAGE, &url, id)
}

async fn tell(outlet: &Outlet, id: &str) {
    let params = Json::object([("elicitationId", Json::text(id))]);
    let method = "notifications/elicitation/complete";
    outlet.notify(method, params).await;
}

/// The visits of one session's user that calls wait for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Visits(Arc<Mutex<All>>);

#[derive(Debug, Default)]
struct All {
    state: Visit,
    /// Ends with the session.
    under_way: JoinSet<()>,
}

#[derive(Clone, Debug, Default)]
enum Visit {
    #[default]
    NotAsked,
    /// Under this elicitation.
    Asked(String),
    Made,
}

impl Visits {
    /// Uses up a visit that was made; else the elicitation that asks for one, with the visit on its way.
    fn make(&self, outlet: &Outlet) -> Option<String> {
        let mut all = self.lock();
        match std::mem::take(&mut all.state) {
            Visit::Made => None,
            Visit::Asked(id) => {
                all.state = Visit::Asked(id.clone());
                Some(id)
            }
            Visit::NotAsked => {
                let id = unguessable::id();
                all.state = Visit::Asked(id.clone());
                let (visits, outlet, asked) = (Arc::downgrade(&self.0), outlet.clone(), id.clone());
                while all.under_way.try_join_next().is_some() {}
                all.under_way.spawn(async move {
                    tokio::time::sleep(VISIT).await;
                    if let Some(all) = visits.upgrade() {
                        Visits(all).lock().state = Visit::Made;
                    }
                    tell(&outlet, &asked).await;
                });
                Some(id)
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, All> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
