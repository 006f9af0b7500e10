mod http;
mod http_judges;
mod http_step_judges;
mod http_two_clients;
mod modern;

use super::judges::{JUDGES, Judges};
use super::{Came, Given, Means, NATIVES, Native, run};
use crate::testing::{REVISION, Wire, conversation, ordinary};
use mcp_assay_judge::NativeJudges;
use mcp_assay_model::protocol::Binding;
use mcp_assay_model::record::{Bound, End, Missing, NativeBound, Past, Record};
use mcp_assay_model::verdict::{Reason, Verdict};
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[test]
fn natives_and_judges_are_sorted_named_once_and_described() {
    let natives: Vec<&str> = NATIVES.iter().map(|native| native.name).collect();
    assert!(natives.is_sorted_by(|a, b| a < b), "{natives:?}");
    let judges: Vec<&str> = JUDGES.iter().map(|(name, _)| *name).collect();
    assert!(judges.is_sorted_by(|a, b| a < b), "{judges:?}");
    for native in NATIVES {
        assert!(!native.about.is_empty() && !native.binds.is_empty());
        let names: Vec<&str> = native.parameters.iter().map(|(name, _)| *name).collect();
        for label in native.labels {
            assert!(names.contains(label), "{label} of {}", native.name);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_native_that_is_listed_runs_and_no_other_does() {
    let means = Means::default();
    let nothing = |_: &str| None;
    let given = Given {
        means: &means,
        sent: &nothing,
    };
    let of_http = [
        "carry_cursor",
        "header_call",
        "resume",
        "slow_body",
        "stream_end",
        "two_clients",
    ];
    // Those of the modern era, whose parameters have usual values, have tests of their own.
    let of_modern_era = ["complete_mrtr", "header_call", "listen"];
    let others = |native: &&Native| !of_modern_era.contains(&native.name);
    for native in NATIVES.iter().filter(others) {
        let of = if native.name == "bulky" {
            "arrays"
        } else {
            "tools"
        };
        let values = [
            ("call", json!("7")),
            ("count", json!(3)),
            ("last", json!("7")),
            ("list", json!("tools/list")),
            ("method", json!("mcp-assay/bulky")),
            ("of", json!(of)),
            ("size", json!(200)),
        ];
        let parameters: BTreeMap<String, Value> = native
            .parameters
            .iter()
            .map(|(name, _)| {
                let value = values.iter().find(|(known, _)| known == name).unwrap();
                ((*name).to_owned(), value.1.clone())
            })
            .collect();
        let open = || conversation(async |mut wire: Wire| wire.serve(ordinary).await);
        if of_http.contains(&native.name) {
            // Over lines there is neither a second client nor a stream.
            let refused = run(native.name, &parameters, &mut open(), given).await;
            assert!(refused.is_err(), "{}", native.name);
            continue;
        }
        let bound = run(native.name, &parameters, &mut open(), given)
            .await
            .unwrap();
        match bound {
            Came::Bound(bound) => assert_eq!(bound.native, native.name),
            Came::Sent(..) => assert!(native.binds.starts_with("the request that was sent")),
        }
        for (missing, _) in native.parameters {
            let mut fewer = parameters.clone();
            fewer.remove(*missing);
            let why = run(native.name, &fewer, &mut open(), given).await;
            assert!(why.is_err_and(|why| why.contains(missing)), "{missing}");
        }
        if native.name == "tour" {
            let other = BTreeMap::from([("of".to_owned(), json!("no-such"))]);
            assert!(run("tour", &other, &mut open(), given).await.is_err());
        }
    }
    let mut conversation = conversation(async |mut wire: Wire| wire.mute().await);
    assert!(
        run("no-such", &BTreeMap::new(), &mut conversation, given)
            .await
            .is_err()
    );
}

fn record(bound: Bound) -> Record {
    Record {
        revision: REVISION,
        binding: Binding::Memory,
        entries: Vec::new(),
        labels: BTreeMap::from([("w".to_owned(), bound)]),
        end: End::Alive,
        past: Past::default(),
    }
}

fn bound(value: Value, seqs: &[u64], missing: Option<Missing>) -> Bound {
    Bound::Native(NativeBound {
        native: "any".to_owned(),
        value,
        seqs: seqs.to_vec(),
        missing,
    })
}

#[test]
fn every_judge_that_is_listed_judges_and_no_other_does() {
    let empty = record(bound(json!({}), &[], None));
    for (name, _) in JUDGES {
        let judgement = Judges.judge(name, Some("w"), &empty).unwrap();
        let is_of_sent = super::http_judges::of_sent(name).is_some()
            || super::progress_judges::of_sent(name).is_some();
        assert_ne!(judgement.verdict, Some(Verdict::Pass), "{name} saw nothing");
        let elsewhere = Judges.judge(name, Some("none"), &empty).unwrap();
        assert_eq!(elsewhere.verdict, Some(Verdict::Error), "{name}");
        for why in [Missing::Hung, Missing::Died, Missing::Unfenced] {
            let unreached = record(Bound::Missing {
                why,
                reply_to: None,
            });
            let judgement = Judges.judge(name, Some("w"), &unreached).unwrap();
            assert_eq!(
                judgement.missing.map(|missing| missing.why),
                Some(why),
                "{name}"
            );
            if is_of_sent {
                continue;
            }
            let cut = record(bound(json!({ "end": "last-page" }), &[2], Some(why)));
            let judgement = Judges.judge(name, Some("w"), &cut).unwrap();
            assert_eq!(
                judgement.missing.map(|missing| missing.why),
                Some(why),
                "{name}"
            );
        }
    }
    assert_eq!(Judges.judge("no-such", Some("w"), &empty), None);
}

#[test]
fn a_walk_is_judged_by_how_it_ended_and_by_its_keys() {
    let (pass, fail) = (Some(Verdict::Pass), Some(Verdict::Fail));
    // How it ended, pages, keys; what walk-ends and walk-unique say.
    let table = [
        ("last-page", 1, json!(["a"]), pass, pass),
        ("last-page", 3, json!(["a", "b", "a"]), pass, fail),
        ("last-page", 1, json!([]), pass, None),
        ("loop", 2, json!(["a", "a"]), fail, None),
        ("barren", 101, json!(["a"]), fail, None),
        ("bound", 1000, json!(["a"]), fail, None),
        ("error", 2, json!(["a"]), fail, None),
        ("error", 1, json!([]), None, None),
        ("silent", 1, json!(["a"]), None, None),
    ];
    for (end, pages, keys, ends, unique) in table {
        let seqs: Vec<u64> = (1..=pages).collect();
        let value = json!({ "end": end, "pages": pages, "keys": keys });
        let record = record(bound(value, &seqs, None));
        let of = |name: &str| Judges.judge(name, Some("w"), &record).unwrap();
        assert_eq!(of("walk-ends").verdict, ends, "{end} after {pages}");
        assert_eq!(of("walk-unique").verdict, unique, "{end} with {keys}");
        if ends == fail {
            let finding = &of("walk-ends").findings[0];
            assert!(
                finding
                    .at
                    .as_ref()
                    .unwrap()
                    .starts_with(&format!("#{pages} "))
            );
        }
    }
}

#[test]
fn calls_wait_for_permission_where_only_that_kept_them_from_being_made() {
    for (withheld, reason) in [
        (json!([]), Reason::NothingToJudge),
        (
            json!([{ "tool": "a", "permission": false }]),
            Reason::NothingToJudge,
        ),
        (json!([{ "tool": "a", "permission": true }]), Reason::Allow),
    ] {
        let record = record(bound(
            json!({ "results": [], "withheld": withheld }),
            &[],
            None,
        ));
        let judgement = Judges.judge("calls-answered", Some("w"), &record).unwrap();
        assert_eq!(judgement.reason, Some(reason), "{withheld}");
    }
}
