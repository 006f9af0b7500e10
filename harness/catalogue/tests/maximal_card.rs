//! A card that says everything a card can say, against the structure written out.

use mcp_assay_catalogue::card;
use mcp_assay_model::finding::FindingCode;
use mcp_assay_model::protocol::{Binding, Revision, Role};
use mcp_assay_model::scenario::{
    Absent, Action, Awaited, Basis, Check, Close, Expect, Fault, FaultAt, FaultTarget, Given,
    Mutant, Near, NearVerdict, Need, Outgoing, OutgoingId, Part, Payload, Scenario, Source, Step,
    Vary,
};
use mcp_assay_model::template::Template;
use mcp_assay_model::verdict::Verdict;
use std::sync::Arc;

fn literal(text: &str) -> Template {
    Template::Literal(text.to_owned())
}

fn text(text: &str) -> Template {
    Template::Text(text.to_owned())
}

fn object<const N: usize>(members: [(&str, Template); N]) -> Template {
    Template::Object(named(members))
}

fn named<T, const N: usize>(members: [(&str, T); N]) -> Vec<(String, T)> {
    members.map(|(name, value)| (name.to_owned(), value)).into()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn plain(message: Template, id: OutgoingId) -> Outgoing {
    Outgoing {
        message,
        id,
        meta_set: Vec::new(),
        meta_remove: Vec::new(),
    }
}

fn actions() -> Vec<Action> {
    let method = |name: &str| object([("method", text(name))]);
    let empty = || object([]);
    vec![
        Action::Open {
            label: "c".into(),
            client: named([
                ("capabilities", object([("roots", empty())])),
                ("clientInfo", literal("null")),
            ]),
            answer: named([
                (
                    "roots/list",
                    object([("result", object([("roots", Template::Array(Vec::new()))]))]),
                ),
                (
                    "sampling/createMessage",
                    object([(
                        "error",
                        object([("code", literal("-1")), ("message", text("no"))]),
                    )]),
                ),
            ]),
        },
        Action::Send {
            label: some("q"),
            what: Payload::Message(Outgoing {
                message: object([
                    ("method", text("tools/call")),
                    (
                        "params",
                        object([("name", Template::Fixture("slow.tool".into()))]),
                    ),
                ]),
                id: OutgoingId::Written(Template::Vary("id".into())),
                meta_set: named([("k", literal("1.5"))]),
                meta_remove: vec!["progressToken".into()],
            }),
        },
        Action::Send {
            label: some("q2"),
            what: Payload::Message(plain(method("notifications/initialized"), OutgoingId::None)),
        },
        Action::Send {
            label: some("whole"),
            what: Payload::Batch(vec![
                (
                    some("a"),
                    plain(method("ping"), OutgoingId::Written(text("none"))),
                ),
                (None, plain(method("notifications/x"), OutgoingId::Auto)),
            ]),
        },
        Action::Send {
            label: some("j"),
            what: Payload::Json(r#"{"jsonrpc":"2.0","id":1e0,"method":"ping"}"#.into()),
        },
        Action::Await {
            label: some("r"),
            what: Awaited::ReplyTo("q".into()),
            within: Some(Template::Fact("deadline.normal".into())),
        },
        Action::Await {
            label: None,
            what: Awaited::Request {
                method: "roots/list".into(),
                since: some("q"),
            },
            within: None,
        },
        Action::Await {
            label: some("u"),
            what: Awaited::Notification {
                method: "notifications/x".into(),
                since: some("q"),
                on: some("q"),
            },
            within: Some(literal("50")),
        },
        Action::Await {
            label: None,
            what: Awaited::Status("q".into()),
            within: None,
        },
        Action::Await {
            label: some("x"),
            what: Awaited::Exit("c".into()),
            within: None,
        },
        Action::Quiet {
            label: "s".into(),
            about: "q".into(),
            lasting_ms: Some(Template::Fixture("slow.takes_ms".into())),
        },
        Action::Quiet {
            label: "t".into(),
            about: "any".into(),
            lasting_ms: None,
        },
        Action::Cancel {
            request: "q".into(),
        },
        Action::Raw {
            label: None,
            bytes: b"{\"jsonrpc\":\n".to_vec(),
        },
        Action::Raw {
            label: some("b"),
            bytes: vec![0xff],
        },
        Action::Http {
            label: some("h"),
            method: "DELETE".into(),
            headers: named([
                ("Accept", Some(text("text/plain"))),
                ("Mcp-Session-Id", None),
            ]),
            body: Some(text("")),
        },
        Action::Http {
            label: None,
            method: "POST".into(),
            headers: named([
                (
                    "Accept",
                    Some(Template::Array(vec![
                        text("a"),
                        Template::Vary("id".into()),
                    ])),
                ),
                ("Content-Length", Some(literal("7"))),
                ("X", Some(Template::Fact("deadline.normal".into()))),
            ]),
            body: Some(object([
                ("id", Template::Vary("id".into())),
                (
                    "cursor",
                    Template::From {
                        label: "r".into(),
                        at: "/result/nextCursor".into(),
                    },
                ),
            ])),
        },
        Action::Http {
            label: None,
            method: "POST".into(),
            headers: Vec::new(),
            body: Some(Template::Vary("x".into())),
        },
        Action::Close(Close::Connection("c".into())),
        Action::Close(Close::Stream("q".into())),
        Action::Close(Close::Stdin("c".into())),
        Action::Native {
            name: "walk".into(),
            label: some("pages"),
            parameters: named([
                ("list", text("tools/list")),
                (
                    "from",
                    Template::From {
                        label: "r".into(),
                        at: "/result/nextCursor".into(),
                    },
                ),
            ]),
        },
    ]
}

fn given() -> Given {
    let one = |on: &str, expect| Given::One {
        on: on.into(),
        expect,
    };
    Given::All(vec![
        one(
            "r",
            Expect::Message {
                part: Part::Result,
                schema: object([("spec", text("CallToolResult"))]),
            },
        ),
        one(
            "s",
            Expect::None {
                kind: Absent::Reply,
                within: None,
            },
        ),
        Given::All(vec![one(
            "h",
            Expect::Http {
                status: vec!["2xx".into(), "404".into()],
                headers: named([("X", Some(object([("type", text("string"))]))), ("Z", None)]),
                content_type: some("application/json"),
            },
        )]),
    ])
}

fn expect() -> Expect {
    let message = |part| Expect::Message {
        part,
        schema: object([("type", text("object"))]),
    };
    Expect::AnyOf(vec![
        message(Part::Error),
        message(Part::Notification),
        message(Part::Request),
        message(Part::Reply),
        Expect::SameId {
            request: "q".into(),
            at: "/id".into(),
        },
        Expect::SameId {
            request: "q".into(),
            at: "/result/id".into(),
        },
        Expect::None {
            kind: Absent::Any,
            within: None,
        },
        Expect::None {
            kind: Absent::Result,
            within: some("s"),
        },
        Expect::Exit {
            within_ms: Some(literal("100")),
            code: Some(-9),
        },
        Expect::Native("walk-ends".into()),
    ])
}

fn at(target: FaultTarget, nth: u32, revisions: Option<(Revision, Revision)>) -> Option<FaultAt> {
    Some(FaultAt {
        target,
        nth,
        revisions,
    })
}

fn near() -> Vec<Near> {
    let near = |at, fault, verdict| Near {
        at,
        fault,
        verdict,
        span: 0..0,
    };
    vec![
        near(
            at(FaultTarget::ReplyTo("*".into()), 1, None),
            Fault::Set {
                at: "/result".into(),
                to: Template::Empty,
            },
            NearVerdict::Verdict(Verdict::Pass),
        ),
        near(
            at(
                FaultTarget::Request("roots/list".into()),
                2,
                Some((Revision::R2025_03_26, Revision::R2025_06_18)),
            ),
            Fault::Remove {
                at: "/params".into(),
            },
            NearVerdict::Verdict(Verdict::Inconclusive),
        ),
        near(
            at(
                FaultTarget::Http("GET".into()),
                1,
                Some((Revision::R2025_11_25, Revision::R2025_11_25)),
            ),
            Fault::Status(405),
            NearVerdict::NotApplicable,
        ),
    ]
}

fn mutants() -> Vec<Mutant> {
    let mutant = |at, fault, finds: &[FindingCode], also: &[&str]| Mutant {
        why: "w".into(),
        at,
        fault,
        finds: finds.to_vec(),
        also: also.iter().map(|entry| (*entry).to_owned()).collect(),
        span: 0..0,
    };
    let mut all = vec![mutant(
        at(FaultTarget::Notification("m".into()), 1, None),
        Fault::Replace(named([
            ("error", object([("code", literal("-1"))])),
            ("result", literal("null")),
        ])),
        &[FindingCode::NoReply, FindingCode::Value],
        &["a/b/c:died"],
    )];
    let wire = [
        Fault::Drop,
        Fault::Duplicate(2),
        Fault::DelayMs(50),
        Fault::Reorder,
        Fault::Raw(b"x\n".to_vec()),
        Fault::Split(7),
        Fault::Header("Content-Type".into(), some("text/html")),
        Fault::Header("Content-Type".into(), None),
        Fault::Body(String::new()),
    ];
    for fault in wire {
        let place = at(FaultTarget::ReplyTo("m".into()), 1, None);
        all.push(mutant(place, fault, &[FindingCode::Id], &[]));
    }
    all.push(mutant(
        at(FaultTarget::Http("DELETE".into()), 2, None),
        Fault::Status(404),
        &[FindingCode::Status],
        &[],
    ));
    all.push(mutant(
        at(FaultTarget::Http("POST".into()), 1, None),
        Fault::Body("{}".into()),
        &[FindingCode::ContentType],
        &[],
    ));
    let named = Fault::Named("ignores-cancel".into());
    all.push(mutant(None, named, &[FindingCode::LateReply], &[]));
    all
}

fn expected(source: &Source) -> Scenario {
    Scenario {
        id: "maximal/card".into(),
        about: some("Everything a card can say."),
        role: Role::Server,
        since: Revision::R2024_11_05,
        until: Some(Revision::R2025_11_25),
        needs: vec![
            Need::Binding(Binding::Http),
            Need::Session,
            Need::Capability("tools.listChanged".into()),
            Need::AllowCall,
            Need::Fixture("slow".into()),
        ],
        share: true,
        vary: vec![
            Vary {
                name: "id".into(),
                values: vec![
                    literal("1"),
                    text(""),
                    Template::Raw("1e0".into()),
                    literal("null"),
                ],
            },
            Vary {
                name: "x".into(),
                values: vec![object([("a", Template::Array(vec![literal("true")]))])],
            },
        ],
        steps: actions()
            .into_iter()
            .map(|action| Step { action, span: 0..0 })
            .collect(),
        checks: vec![Check {
            name: "one".into(),
            title: "a title".into(),
            rule: "a rule".into(),
            basis: Basis::Spec,
            cites: vec!["2024-11-05/basic/index#top.1".into()],
            contested: some("parse-error-id"),
            code: Some(FindingCode::AcceptedInvalid),
            on: some("q"),
            given: Some(given()),
            expect: expect(),
            near: near(),
            mutants: mutants(),
            span: 0..0,
        }],
        source: source.clone(),
    }
}

#[test]
fn a_maximal_card_is_read_whole() {
    let source = Source {
        path: "maximal.yaml".to_owned(),
        text: include_str!("cards/maximal.yaml").to_owned(),
    };
    let mut read =
        card::parse(&Arc::new(source.clone())).unwrap_or_else(|errors| panic!("{errors}"));
    let steps = read
        .steps
        .iter()
        .map(|step| &source.text[step.span.clone()]);
    assert!(
        steps
            .clone()
            .nth(12)
            .unwrap()
            .starts_with("cancel: { request: q }")
    );
    assert!(
        steps
            .clone()
            .next_back()
            .unwrap()
            .ends_with("/result/nextCursor} }")
    );
    let check = &read.checks[0];
    assert!(source.text[check.span.clone()].starts_with("name: one"));
    let near = &source.text[check.near[1].span.clone()];
    assert!(near.starts_with("{ at:") && near.ends_with("verdict: inconclusive }"));
    for step in &mut read.steps {
        step.span = 0..0;
    }
    for check in &mut read.checks {
        check.span = 0..0;
        check.near.iter_mut().for_each(|near| near.span = 0..0);
        check
            .mutants
            .iter_mut()
            .for_each(|mutant| mutant.span = 0..0);
    }
    assert_eq!(read, expected(&source));
}
