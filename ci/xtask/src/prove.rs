//! `prove`: the kill matrix, or a part of it, for people to read.

use mcp_assay::prove::{Proof, Sort, Tally, matrix};
use mcp_assay_catalogue::Catalogue;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What to prove.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Prove only ids that contain this: an area, a card, a check, a mutant (`AREA/CARD/CHECK#1`), or `near/`; without it everything
    id: Option<String>,
    /// Threads
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Only what is wrong, and the counts
    #[arg(long, short)]
    quiet: bool,
}

/// Runs the command; exit 1 where a proof does not hold.
///
/// **Errors**: where the cards cannot be read, or nothing has such an id.
pub fn main(args: &Args) -> Result<ExitCode, String> {
    let catalogue = Catalogue::embedded().map_err(|broken| broken.render(false))?;
    let catalogue = Arc::new(catalogue);
    let filter = args.id.as_deref().unwrap_or_default();
    let began = Instant::now();
    let matrix = matrix(&catalogue, filter, args.jobs);
    let wall = began.elapsed();
    if matrix.proofs.is_empty() {
        return Err(format!(
            "no mutant, near miss or oddity has an id that contains `{filter}`; `mcp-assay list` has the checks"
        ));
    }
    for proof in &matrix.proofs {
        if !args.quiet || !proof.problems.is_empty() {
            anstream::println!("{}", told(proof));
        }
    }
    let tally = matrix.tally(&catalogue);
    let counts = counts(&tally, filter.is_empty());
    anstream::println!("{counts}");
    anstream::println!(
        "time: {:.1} s wall, {:.1} s of CPU, {} threads; {} sweeps, {} conversations",
        wall.as_secs_f64(),
        cpu()?.as_secs_f64(),
        args.jobs,
        matrix.sweeps,
        matrix.conversations
    );
    let is_whole = !filter.is_empty() || tally.unproven.is_empty();
    let holds = matrix.problems().is_empty() && is_whole;
    Ok(if holds {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// A proof and what is wrong with it.
fn told(proof: &Proof) -> String {
    let word = match (proof.problems.is_empty(), proof.sort) {
        (false, _) => "WRONG",
        (true, Sort::Mutant) => "killed",
        (true, Sort::NearMiss | Sort::Oddity) => "passes",
        (true, Sort::Unclaimed) if proof.fired.is_empty() => "unseen",
        (true, Sort::Unclaimed) => "seen",
    };
    let mut text = format!("{word:<7} {}, {} cases", proof.line(), proof.cases);
    for problem in &proof.problems {
        text.push_str(&format!("\n          {problem}"));
    }
    text
}

fn counts(tally: &Tally, is_everything: bool) -> String {
    let mut text = String::new();
    for (sort, what) in [
        (Sort::Mutant, "mutants killed"),
        (Sort::NearMiss, "near misses that pass"),
        (Sort::Oddity, "lawful oddities that trouble nothing"),
        (
            Sort::Unclaimed,
            "lies that no card claims, caught all the same",
        ),
    ] {
        if let Some((hold, all)) = tally.claims.get(&sort) {
            text.push_str(&format!("\n{what}: {hold} of {all}"));
        }
    }
    if is_everything {
        let all = tally.checks + tally.rules;
        text.push_str(&format!(
            "\nproven both ways: {} of {all}: {} checks of cards and {} rules of observers",
            all - unproven(tally),
            tally.checks,
            tally.rules
        ));
        for missing in &tally.unproven {
            text.push_str(&format!("\n  {missing}"));
        }
    }
    text
}

/// Checks and rules that lack a proof; one may lack two.
fn unproven(tally: &Tally) -> usize {
    let ids = tally.unproven.iter();
    let ids = ids.filter_map(|line| line.split_once(": "));
    let ids: std::collections::BTreeSet<&str> = ids.map(|(id, _)| id).collect();
    ids.len()
}

/// CPU time of this process so far.
fn cpu() -> Result<Duration, String> {
    let usage = getrusage(UsageWho::RUSAGE_SELF).map_err(|error| error.to_string())?;
    let micros = (usage.user_time() + usage.system_time()).num_microseconds();
    Ok(Duration::from_micros(
        u64::try_from(micros).unwrap_or_default(),
    ))
}
