//! The workers: each takes cases from one queue, keeps one connection that cases may share, and tells what came of them.

use super::attempt::{Attempt, Shared, Stage, attempt, retire};
use super::interpret::results;
use super::plan::Case;
use super::probe::probe;
use mcp_assay_model::protocol::Revision;
use mcp_assay_model::result::CheckResult;
use mcp_assay_model::verdict::Verdict;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use tokio::sync::{Mutex, mpsc};

/// Deaths in a row after which the target is asked whether it is there at all.
const DEATHS_IN_A_ROW: u32 = 3;

/// What a worker tells.
pub enum Told {
    /// A case was taken up.
    Began(String),
    /// A case has run once.
    Ran(Box<(Case, Attempt, Vec<CheckResult>)>),
    /// The target is gone; the case did not run.
    Gone(Box<Case>),
}

/// What the workers of a run share.
pub struct Floor {
    stage: Arc<Stage>,
    queue: Mutex<VecDeque<Case>>,
    deaths: AtomicU32,
    gone: AtomicBool,
    asking: Mutex<()>,
}

impl Floor {
    /// With the cases to run, in order. `gone`: the target was already given up.
    pub fn new(stage: &Arc<Stage>, cases: Vec<Case>, gone: bool) -> Arc<Self> {
        Arc::new(Floor {
            stage: Arc::clone(stage),
            queue: Mutex::new(cases.into()),
            deaths: AtomicU32::new(0),
            gone: AtomicBool::new(gone),
            asking: Mutex::new(()),
        })
    }

    /// Whether the target was given up.
    pub fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }
}

/// Takes cases from the queue until it is empty or the target is gone.
pub async fn work(floor: Arc<Floor>, teller: mpsc::Sender<Told>) {
    let mut shared: Option<Shared> = None;
    loop {
        let Some(case) = floor.queue.lock().await.pop_front() else {
            break;
        };
        if floor.gone.load(Ordering::Relaxed) {
            if teller.send(Told::Gone(Box::new(case))).await.is_err() {
                break;
            }
            continue;
        }
        if teller.send(Told::Began(case.id.clone())).await.is_err() {
            break;
        }
        let usable = shared.take_if(|shared| case.card.share && shared.revision == case.revision);
        let (attempt, left) = attempt(&floor.stage, &case, usable).await;
        if let Some(left) = left
            && let Some(replaced) = shared.replace(left)
        {
            retire(replaced.conversation, true).await;
        }
        let results = results(&floor.stage, &case, &attempt);
        let died = results
            .iter()
            .any(|result| result.id.ends_with("/alive") && result.verdict == Some(Verdict::Fail));
        if died {
            floor.after_death().await;
        } else {
            floor.deaths.store(0, Ordering::Relaxed);
        }
        if teller
            .send(Told::Ran(Box::new((case, attempt, results))))
            .await
            .is_err()
        {
            break;
        }
    }
    if let Some(shared) = shared {
        retire(shared.conversation, true).await;
    }
}

impl Floor {
    /// After several deaths in a row the target is asked for a plain exchange; without one it is gone.
    async fn after_death(&self) {
        let deaths = self.deaths.fetch_add(1, Ordering::Relaxed) + 1;
        if deaths < DEATHS_IN_A_ROW {
            return;
        }
        let _one_at_a_time = self.asking.lock().await;
        if self.deaths.load(Ordering::Relaxed) < DEATHS_IN_A_ROW
            || self.gone.load(Ordering::Relaxed)
        {
            return;
        }
        let offered = self
            .stage
            .means
            .keys()
            .next_back()
            .copied()
            .unwrap_or(Revision::R2025_11_25);
        let asked = probe(&self.stage, offered).await;
        self.deaths.store(0, Ordering::Relaxed);
        self.gone.store(!asked.lives(), Ordering::Relaxed);
    }
}
