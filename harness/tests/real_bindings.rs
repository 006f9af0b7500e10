//! The kill matrix runs in memory. Here the bindings are proven: mutants of every area and of every kind of fault, told by real processes over
//! real pipes and sockets, are caught with the codes that their cards name, and the honest server passes the same cards.
//!
//! `REAL_MUTANTS=all` takes every mutant that can be told so, and takes minutes; `REAL_MUTANTS=TEXT` those whose id contains the text, with
//! what each took.

use mcp_assay_catalogue::Catalogue;
use mcp_assay_model::protocol::{Binding, Era, Revision};
use mcp_assay_model::scenario::{Check, Fault, FaultTarget, Mutant, Need, Scenario};
use mcp_assay_peer::{FAULTS, Over};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::Command;
use std::sync::Mutex;

/// Mutants that show in memory, where each case has a server of its own, and not on an HTTP server that all clients share.
const NOT_OVER_HTTP: &[(&str, &str)] = &[
    (
        "jsonrpc/concurrent/own-result#1",
        "two POSTs do not run at once for certain",
    ),
    (
        "jsonrpc/invalid-request/rejected#1",
        "the status refuses what the body accepts, and is an answer",
    ),
    (
        "statelessness/capabilities/not-remembered#1",
        "what the server remembers it remembers from then on, so that nothing differs when it is seen again",
    ),
];

/// Servers of a binding that run at once; most of each run is waiting for what does not come.
const AT_ONCE: usize = 4;

/// One mutant, in one revision.
struct Claim<'c> {
    id: String,
    card: &'c Scenario,
    check: &'c Check,
    mutant: &'c Mutant,
    revision: Revision,
}

/// The newest revision of the oldest era that the mutant lies in.
fn revision_of(card: &Scenario, mutant: &Mutant) -> Option<Revision> {
    let bounds = mutant.at.as_ref().and_then(|at| at.revisions);
    let until = card.until.unwrap_or(Revision::R2026_07_28);
    let within = |revision: &Revision| {
        (card.since..=until).contains(revision)
            && bounds.is_none_or(|(from, to)| (from..=to).contains(revision))
    };
    let all = || Revision::ALL.into_iter().filter(within);
    let legacy = all().filter(|revision| revision.era() == Era::Legacy).max();
    legacy.or_else(|| all().max())
}

/// Whether a lie that this mutant tells is first told to the probe, which then finds another server than the card is about.
fn is_told_to_the_probe(mutant: &Mutant) -> bool {
    let Some(at) = &mutant.at else { return false };
    match &at.target {
        FaultTarget::ReplyTo(method) => {
            ["*", "initialize", "server/discover", "tools/list", "ping"].contains(&method.as_str())
        }
        FaultTarget::Http(_) => true,
        FaultTarget::Request(_) | FaultTarget::Notification(_) => false,
    }
}

fn kind(fault: &Fault) -> String {
    let text = format!("{fault:?}");
    let end = text.find(|one: char| !one.is_alphanumeric());
    text[..end.unwrap_or(text.len())].to_owned()
}

/// Whether a server over this binding can tell the lie to this card.
fn fits(claim: &Claim, binding: Binding) -> bool {
    let is_of_heads = matches!(
        claim.mutant.fault,
        Fault::Status(_) | Fault::Header(..) | Fault::Body(_)
    );
    let over = match &claim.mutant.fault {
        Fault::Named(name) => FAULTS
            .iter()
            .find(|fault| fault.name == name)
            .map(|fault| fault.over),
        _ => None,
    };
    // Where there are no sessions, all clients' messages count together.
    let is_counted = claim.mutant.at.as_ref().is_some_and(|at| at.nth > 1);
    let is_excepted = NOT_OVER_HTTP.iter().any(|(id, _)| *id == claim.id);
    let needs = |wanted| claim.card.needs.contains(&Need::Binding(wanted));
    match binding {
        Binding::Http => {
            let is_counted_apart = !is_counted || claim.revision.era() == Era::Legacy;
            claim.revision >= Revision::R2025_03_26
                && over != Some(Over::Stdio)
                && is_counted_apart
                && !is_excepted
                && !needs(Binding::Stdio)
                && !needs(Binding::HttpSse)
        }
        Binding::Stdio => {
            over != Some(Over::Http)
                && !is_of_heads
                && !needs(Binding::Http)
                && !needs(Binding::HttpSse)
        }
        Binding::Memory | Binding::HttpSse => false,
    }
}

/// Of each area and each kind of fault the first mutant; or those that the environment asks for.
fn chosen(catalogue: &Catalogue, binding: Binding) -> Vec<Claim<'_>> {
    let wanted = std::env::var("REAL_MUTANTS").unwrap_or_default();
    let mut seen = BTreeSet::new();
    let mut claims = Vec::new();
    for (card, check) in catalogue.checks() {
        for (number, mutant) in (1..).zip(&check.mutants) {
            let id = format!("{}/{}#{number}", card.id, check.name);
            let Some(revision) = revision_of(card, mutant) else {
                continue;
            };
            let claim = Claim {
                id,
                card,
                check,
                mutant,
                revision,
            };
            if !fits(&claim, binding) {
                continue;
            }
            let area = card.id.split('/').next().unwrap_or_default().to_owned();
            let is_new = |seen: &mut BTreeSet<String>| {
                let is_new_area = seen.insert(area);
                seen.insert(kind(&mutant.fault)) || is_new_area
            };
            let is_chosen = match wanted.as_str() {
                "" => !is_told_to_the_probe(mutant) && is_new(&mut seen),
                "all" => true,
                text => claim.id.contains(text),
            };
            if is_chosen {
                claims.push(claim);
            }
        }
    }
    claims
}

/// The fixtures of the reference server, as a profile.
fn profile(folder: &std::path::Path) -> String {
    let profile = json!({ "fixtures": mcp_assay::prove::fixtures() });
    let path = folder.join("mcp-assay.yaml");
    std::fs::write(&path, profile.to_string()).expect("a file");
    path.to_string_lossy().into_owned()
}

/// What a run came to.
struct Ended {
    code: Option<i32>,
    stdout: String,
    report: Value,
}

/// Runs these cards against the reference server in a process of its own.
fn run(binding: Binding, revision: &str, cards: &[&str], serve: &[&str]) -> Ended {
    let folder = tempfile::tempdir().expect("a folder");
    let mut args: Vec<String> = [
        "--allow-tool",
        "*",
        "--timeout",
        "6s",
        "--revision",
        revision,
        "--profile",
    ]
    .map(String::from)
    .into();
    args.push(profile(folder.path()));
    for card in cards {
        args.extend(["--only".to_owned(), (*card).to_owned()]);
    }
    let program = env!("CARGO_BIN_EXE_mcp-assay");
    match binding {
        Binding::Http => {
            let address = free();
            args.push(format!("http://{address}/mcp"));
            args.extend(["--", program, "serve", "--http"].map(String::from));
            args.push(address.to_string());
        }
        Binding::Stdio | Binding::Memory | Binding::HttpSse => {
            args.extend(["--", program, "serve"].map(String::from));
        }
    }
    args.extend(serve.iter().map(|word| (*word).to_owned()));
    let path = folder.path().join("report.json");
    let output = Command::new(program)
        .current_dir(folder.path())
        .args(["run", "--report", "json=report.json"])
        .args(args)
        .output()
        .expect("mcp-assay starts");
    let report = std::fs::read(&path).unwrap_or_else(|_| {
        let told = String::from_utf8_lossy(&output.stderr);
        panic!("no report was written: {told}")
    });
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        report: serde_json::from_slice(&report).expect("the report is JSON"),
    }
}

fn free() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("its address")
}

/// What is wrong with a run against the lying server, if anything.
fn caught(claim: &Claim, binding: Binding) -> Result<(), String> {
    let revision = claim.revision.as_str();
    let mut serve = vec!["--fault", &claim.id];
    if claim.revision.era() == Era::Modern {
        // As in memory, where a peer speaks one era.
        serve.extend(["--revision", revision]);
    }
    let ended = run(binding, revision, &[&claim.card.id], &serve);
    if ended.code == Some(3) {
        return Err(format!("the run ended with 3: {}", ended.stdout));
    }
    let results = ended.report["results"].as_array().expect("results");
    let own = format!("{}/{}", claim.card.id, claim.check.name);
    let mut codes = BTreeSet::new();
    let mut came = BTreeSet::new();
    for result in results.iter().filter(|result| result["id"] == own.as_str()) {
        came.insert(format!(
            "{} {} {}",
            result["verdict"], result["reason"], result["confirmed"]
        ));
        if result["verdict"] == "fail" && result["confirmed"] == "2/2" {
            let findings = result["findings"].as_array().into_iter().flatten();
            codes
                .extend(findings.filter_map(|finding| finding["code"].as_str().map(str::to_owned)));
        }
    }
    let missing: Vec<String> = claim
        .mutant
        .finds
        .iter()
        .map(ToString::to_string)
        .filter(|code| !codes.contains(code))
        .collect();
    if !missing.is_empty() {
        return Err(format!(
            "survives, no {missing:?}; its check came to {came:?}"
        ));
    }
    // A lie of messages is proven over lines; over HTTP the exchange that carries it may be wrong besides.
    let is_of_exchange = |id: &str| binding == Binding::Http && id.starts_with("observer/http/");
    let is_expected = |result: &Value| {
        let id = result["id"].as_str().unwrap_or_default();
        result["verdict"] != "fail"
            || id == own
            || is_of_exchange(id)
            || claim
                .mutant
                .also
                .iter()
                .any(|also| also.starts_with(&format!("{id}:")))
    };
    let strange: Vec<&Value> = results
        .iter()
        .filter(|result| !is_expected(result))
        .map(|result| &result["id"])
        .collect();
    if strange.is_empty() {
        Ok(())
    } else {
        Err(format!("fires {strange:?} too"))
    }
}

fn proves(binding: Binding) {
    let catalogue =
        Catalogue::embedded().unwrap_or_else(|broken| panic!("{}", broken.render(false)));
    let claims = chosen(&catalogue, binding);
    let next = Mutex::new(claims.iter());
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let claim = next.lock().expect("no thread panics").next();
                    let Some(claim) = claim else { return };
                    let began = std::time::Instant::now();
                    let caught = caught(claim, binding);
                    if std::env::var_os("REAL_MUTANTS").is_some() {
                        let seconds = began.elapsed().as_secs_f64();
                        eprintln!("{binding} {seconds:4.1} s {} {caught:?}", claim.id);
                    }
                    if let Err(why) = caught {
                        let mut wrong = wrong.lock().expect("no thread panics");
                        wrong.push(format!("{} in {}: {why}", claim.id, claim.revision));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("no thread panics");
    eprintln!(
        "{binding}: {} mutants told by a real server, {} not caught",
        claims.len(),
        wrong.len()
    );
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    for era in [Era::Legacy, Era::Modern] {
        let of_era = |claim: &&Claim| claim.revision.era() == era;
        honest_passes(
            binding,
            era,
            &claims.iter().filter(of_era).collect::<Vec<_>>(),
        );
    }
}

/// The other way round: the honest server passes the same checks.
fn honest_passes(binding: Binding, era: Era, claims: &[&Claim]) {
    let cards: BTreeSet<&str> = claims.iter().map(|claim| claim.card.id.as_str()).collect();
    let cards: Vec<&str> = cards.into_iter().collect();
    let ended = match era {
        Era::Legacy => run(binding, "all", &cards, &[]),
        Era::Modern => {
            let modern = Revision::R2026_07_28.as_str();
            run(binding, modern, &cards, &["--revision", modern])
        }
    };
    assert_eq!(ended.code, Some(0), "{}", ended.stdout);
    let results = ended.report["results"].as_array().expect("results");
    for claim in claims {
        let own = format!("{}/{}", claim.card.id, claim.check.name);
        let passes = |result: &Value| result["id"] == own.as_str() && result["verdict"] == "pass";
        assert!(
            results.iter().any(passes),
            "{own} never passes over {binding}"
        );
    }
}

#[test]
fn mutants_are_caught_over_real_pipes() {
    proves(Binding::Stdio);
}

#[test]
fn mutants_are_caught_over_real_sockets() {
    proves(Binding::Http);
}

#[test]
fn a_server_that_serves_no_new_client_is_started_again() {
    let fault = ["--fault", "breaks-on-delete-in-flight"];
    let ended = run(Binding::Http, "2025-11-25", &["session"], &fault);
    let results = ended.report["results"].as_array().expect("results");
    let failed: Vec<(&str, &str)> = results
        .iter()
        .filter(|result| result["verdict"] == "fail")
        .map(|result| (&result["id"], &result["confirmed"]))
        .filter_map(|(id, confirmed)| Some((id.as_str()?, confirmed.as_str()?)))
        .collect();
    assert_eq!(
        failed,
        [("session/deleted-in-flight/alive", "2/2")],
        "{}",
        ended.stdout
    );
    let why = "answers a new client's `initialize` with HTTP 500, and was ended";
    let told: Vec<&str> = ended.stdout.split_whitespace().collect();
    assert!(told.join(" ").contains(why), "{}", ended.stdout);
}
