use super::*;

#[test]
fn silence_for_a_request_is_no_reply_up_to_the_fence_and_after_it() {
    let q = || Talk::new().sent("q", CALL);
    let replies = |talk: Talk| talk.reply("q", RESULT);
    let fails = |talk: Talk| talk.reply("q", ERROR);
    let quiet = |talk: Talk| talk;
    let cases: Vec<(&str, Talk, Absent, &str)> = vec![
        (
            "silent",
            q().window("s", "q", quiet, quiet),
            Absent::Reply,
            "pass",
        ),
        (
            "before",
            q().window("s", "q", replies, quiet),
            Absent::Reply,
            "fail unexpected-message",
        ),
        (
            "after",
            q().window("s", "q", quiet, replies),
            Absent::Reply,
            "fail unexpected-message",
        ),
        (
            "error",
            q().window("s", "q", quiet, fails),
            Absent::Result,
            "pass",
        ),
        (
            "error",
            q().window("s", "q", quiet, fails),
            Absent::Reply,
            "fail unexpected-message",
        ),
        (
            "cancelled, silent",
            q().cancel("q").window("s", "q", quiet, quiet),
            Absent::Reply,
            "pass",
        ),
        (
            "cancelled, raced",
            q().cancel("q").window("s", "q", replies, quiet),
            Absent::Reply,
            "inconclusive (raced)",
        ),
        (
            "cancelled, late",
            q().cancel("q").window("s", "q", quiet, replies),
            Absent::Reply,
            "fail late-reply",
        ),
        (
            "cancelled, late error",
            q().cancel("q").window("s", "q", quiet, fails),
            Absent::Result,
            "pass",
        ),
        (
            "answered before the cancel",
            q().reply("q", RESULT)
                .cancel("q")
                .window("s", "q", quiet, quiet),
            Absent::Reply,
            "inconclusive (raced)",
        ),
        (
            "after the window",
            q().cancel("q")
                .window("s", "q", quiet, quiet)
                .reply("q", RESULT),
            Absent::Reply,
            "fail late-reply",
        ),
        (
            "others' replies",
            q().sent("p", CALL)
                .window("s", "q", |talk| talk.reply("p", RESULT), quiet),
            Absent::Reply,
            "pass",
        ),
        (
            "notifications",
            q().window("s", "q", |talk| talk.came(NOTE), quiet),
            Absent::Reply,
            "pass",
        ),
        (
            "notifications",
            q().window("s", "q", |talk| talk.came(NOTE), quiet),
            Absent::Notification,
            "fail unexpected-message",
        ),
        (
            "requests",
            q().window("s", "q", |talk| talk.came(NOTE), quiet),
            Absent::Request,
            "pass",
        ),
        (
            "requests",
            q().window("s", "q", |talk| talk.came(ASK), quiet),
            Absent::Request,
            "fail unexpected-message",
        ),
        (
            "anything",
            q().window("s", "any", |talk| talk.came(ASK), quiet),
            Absent::Any,
            "fail unexpected-message",
        ),
        (
            "anything",
            q().window("s", "any", quiet, quiet),
            Absent::Any,
            "pass",
        ),
        (
            "before the window",
            q().came(ASK).window("s", "any", quiet, quiet),
            Absent::Any,
            "pass",
        ),
    ];
    for (about, talk, kind, expected) in cases {
        let judgement = run(&check(none(kind, Some("s"))), &talk);
        assert_eq!(
            outcome(&judgement),
            expected,
            "{about} {kind:?} {judgement:?}"
        );
    }
}

#[test]
fn a_ping_of_the_server_is_lawful_in_the_legacy_era_only() {
    let ping = r#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#;
    let mut talk =
        Talk::new()
            .sent("q", CALL)
            .window("s", "any", |talk| talk.came(ping), |talk| talk);
    for (revision, expected) in [
        (Revision::R2025_11_25, "pass"),
        (Revision::R2026_07_28, "fail unexpected-message"),
    ] {
        talk.record.revision = revision;
        let judgement = run(&check(none(Absent::Request, Some("s"))), &talk);
        assert_eq!(outcome(&judgement), expected, "{revision}");
    }
}

#[test]
fn silence_of_a_subscription_is_not_that_of_another() {
    let listen = r#"{"jsonrpc":"2.0","id":"a","method":"subscriptions/listen","params":{}}"#;
    let changed = |meta: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{{"_meta":{meta}}}}}"#
        )
    };
    for (meta, expected) in [
        (
            r#"{"io.modelcontextprotocol/subscriptionId":"a"}"#,
            "fail unexpected-message",
        ),
        (
            r#"{"io.modelcontextprotocol/subscriptionId":"\u0061"}"#,
            "fail unexpected-message",
        ),
        ("{}", "fail unexpected-message"),
        (r#"{"io.modelcontextprotocol/subscriptionId":"b"}"#, "pass"),
        (r#"{"io.modelcontextprotocol/subscriptionId":1}"#, "pass"),
    ] {
        let talk = Talk::new().sent("q", listen).window(
            "s",
            "q",
            |talk| talk.came(changed(meta)),
            |talk| talk,
        );
        let judgement = run(&check(none(Absent::Notification, Some("s"))), &talk);
        assert_eq!(outcome(&judgement), expected, "{meta}");
    }
}

#[test]
fn a_stray_response_is_a_reply_to_what_has_no_id() {
    let stray = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"no"}}"#;
    let quiet = |talk: Talk| talk;
    let notified = || Talk::new().sent("q", INITIALIZED);
    for (talk, expected) in [
        (
            notified().window("s", "q", |talk| talk.came(stray), quiet),
            "fail unexpected-message",
        ),
        (
            notified().window("s", "q", quiet, |talk| talk.reply("q", RESULT)),
            "fail unexpected-message",
        ),
        (notified().window("s", "q", quiet, quiet), "pass"),
        // It is no reply to a request that has an id of its own.
        (
            Talk::new()
                .sent("q", CALL)
                .window("s", "q", |talk| talk.came(stray), quiet),
            "pass",
        ),
    ] {
        assert_eq!(
            outcome(&run(&check(none(Absent::Reply, Some("s"))), &talk)),
            expected
        );
    }
}

#[test]
fn over_http_an_error_that_explains_a_status_is_no_reply_to_a_notification() {
    let refused = r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"no"}}"#;
    let null_id = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"no"}}"#;
    let quiet = |talk: Talk| talk;
    let html = "<p>no</p>";
    let answer = |body: &'static str, status, text: &'static str| {
        let came = move |talk: Talk| talk.head(1, status, "").body(1, text);
        Talk::http().post("q", body).window("s", "q", came, quiet)
    };
    for (talk, expected) in [
        (answer(INITIALIZED, 400, refused), "pass"),
        (answer(INITIALIZED, 400, null_id), "pass"),
        (answer(INITIALIZED, 500, html), "pass"),
        (answer(INITIALIZED, 202, ""), "pass"),
        (
            answer(r#"{"jsonrpc":"2.0","id":5,"result":{}}"#, 400, refused),
            "pass",
        ),
        (answer(INITIALIZED, 200, refused), "fail unexpected-message"),
        (answer(INITIALIZED, 400, ERROR), "fail unexpected-message"),
        (answer(INITIALIZED, 200, RESULT), "fail unexpected-message"),
        // What answers a request is no refusal of it.
        (
            answer(r#"{"jsonrpc":"2.0","method":"#, 400, null_id),
            "fail unexpected-message",
        ),
    ] {
        let shown = format!("{:?}", talk.record.entries);
        let said = outcome(&run(&check(none(Absent::Reply, Some("s"))), &talk));
        assert_eq!(said, expected, "{shown}");
    }
    // Heads, ends and bodies that are no messages are none of any kind; events are.
    let stream = |talk: Talk| talk.head(1, 200, crate::testing::STREAM);
    let any = |after: &dyn Fn(Talk) -> Talk| {
        let talk = Talk::http().post("q", CALL);
        let talk = talk.window("s", "any", |talk| after(stream(talk)), quiet);
        outcome(&run(&check(none(Absent::Any, Some("s"))), &talk))
    };
    let ended = mcp_assay_wire::http::End::Complete;
    assert_eq!(
        any(&|talk| talk.event(1, None, "").ended(1, ended.clone())),
        "pass"
    );
    assert_eq!(
        any(&|talk| talk.event(1, None, NOTE)),
        "fail unexpected-message"
    );
}

#[test]
fn answers_to_fences_are_due_and_a_response_leads_to_its_request() {
    let quiet = |talk: Talk| talk;
    let fenced = || {
        let talk = Talk::new().sent("q", INITIALIZED);
        talk.window("s", "q", quiet, quiet)
            .window("t", "any", quiet, quiet)
    };
    for kind in [Absent::Any, Absent::Reply] {
        assert_eq!(outcome(&run(&check(none(kind, None)), &fenced())), "pass");
        assert_eq!(
            outcome(&run(&check(none(kind, Some("t"))), &fenced())),
            "pass"
        );
    }
    let absent = Bound::Missing {
        why: Missing::Silent,
        reply_to: Some("p".to_owned()),
    };
    let talk = || Talk::new().sent("p", CALL).bind("q", absent.clone());
    for (talk, expected) in [
        (talk().window("s", "p", quiet, quiet), "pass"),
        (
            talk().window("s", "p", quiet, |talk| talk.reply("p", RESULT)),
            "fail unexpected-message",
        ),
        (
            talk()
                .sent("o", CALL)
                .window("s", "p", quiet, |talk| talk.reply("o", RESULT)),
            "pass",
        ),
    ] {
        assert_eq!(
            outcome(&run(&check(none(Absent::Reply, Some("s"))), &talk)),
            expected
        );
    }
}

#[test]
fn silence_without_a_fence_is_no_pass() {
    let unfenced = |talk: Talk, missing| {
        let opened = talk.record.entries.len() as u64;
        let window = Window {
            opened,
            fence: None,
            closed: opened + 1,
            about: "q".to_owned(),
            missing,
        };
        talk.bind("s", Bound::Window(window))
    };
    let q = || Talk::new().sent("q", CALL);
    let cancelled = || unfenced(q().cancel("q"), Some(Missing::Hung));
    for (talk, expected) in [
        (
            unfenced(q(), Some(Missing::Hung)),
            "inconclusive (blocked:alive) missing s Hung",
        ),
        (
            unfenced(q(), Some(Missing::Died)),
            "inconclusive (blocked:alive) missing s Died",
        ),
        (
            unfenced(q(), Some(Missing::Unfenced)),
            "inconclusive (unfenced) missing s Unfenced",
        ),
        (
            unfenced(q(), None),
            "inconclusive (unfenced) missing s Unfenced",
        ),
        (
            unfenced(q(), Some(Missing::Hung)).reply("q", RESULT),
            "fail unexpected-message",
        ),
        (cancelled(), "inconclusive (blocked:alive) missing s Hung"),
        // Without knowing the fence, a reply to a cancelled request may be the lawful race.
        (cancelled().reply("q", RESULT), "inconclusive (raced)"),
    ] {
        assert_eq!(
            outcome(&run(&check(none(Absent::Reply, Some("s"))), &talk)),
            expected
        );
    }
}

#[test]
fn the_whole_conversation_is_fenced_by_its_end() {
    let talk = || Talk::new().came(NOTE).sent("q", CALL);
    let hung = End::Hung {
        waited: Duration::ZERO,
        after: 2,
    };
    let died = End::Died {
        how: "exited".to_owned(),
        after: 2,
    };
    for (talk, kind, expected) in [
        (talk(), Absent::Notification, "pass"),
        (
            talk().came(NOTE),
            Absent::Notification,
            "fail unexpected-message",
        ),
        (talk().end(End::Closed), Absent::Notification, "pass"),
        (
            talk().end(hung),
            Absent::Notification,
            "inconclusive (blocked:alive) missing q Hung",
        ),
        (
            talk().end(died),
            Absent::Notification,
            "inconclusive (blocked:alive) missing q Died",
        ),
        (
            talk().end(End::Unfenced),
            Absent::Notification,
            "inconclusive (unfenced) missing q Unfenced",
        ),
        (
            talk().reply("q", RESULT),
            Absent::Reply,
            "fail unexpected-message",
        ),
        (talk().cancel("q"), Absent::Reply, "pass"),
        (
            talk().cancel("q").reply("q", RESULT),
            Absent::Reply,
            "inconclusive (raced)",
        ),
        (
            talk()
                .cancel("q")
                .window("s", "any", |talk| talk, |talk| talk)
                .reply("q", RESULT),
            Absent::Reply,
            "fail late-reply",
        ),
    ] {
        let judgement = run(&check(none(kind, None)), &talk);
        assert_eq!(outcome(&judgement), expected, "{kind:?} {judgement:?}");
    }
}

#[test]
fn a_window_as_precondition_speaks_of_its_own_time() {
    let quiet = |talk: Talk| talk;
    let replies = |talk: Talk| talk.reply("q", RESULT);
    let check = |within| Check {
        given: Some(Given::One {
            on: "running".to_owned(),
            expect: none(Absent::Reply, None),
        }),
        ..check(none(Absent::Reply, Some(within)))
    };
    let begin = || Talk::new().sent("q", CALL);
    for (talk, expected) in [
        (
            begin()
                .window("running", "q", quiet, quiet)
                .cancel("q")
                .window("s", "q", quiet, quiet),
            "pass",
        ),
        (
            begin()
                .window("running", "q", quiet, quiet)
                .cancel("q")
                .window("s", "q", quiet, replies),
            "fail late-reply",
        ),
        (
            begin()
                .window("running", "q", quiet, quiet)
                .cancel("q")
                .window("s", "q", replies, quiet),
            "inconclusive (raced)",
        ),
        (
            begin()
                .window("running", "q", replies, quiet)
                .cancel("q")
                .window("s", "q", quiet, quiet),
            "(given)",
        ),
    ] {
        let judgement = run(&check("s"), &talk);
        assert_eq!(outcome(&judgement), expected, "{judgement:?}");
    }
}
