use crate::testing::{Talk, modern, watched};

const TOKEN: &str = r#""progressToken":"t","#;

fn progress(value: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":"t","progress":{value}}}}}"#
    )
}

fn called() -> Talk {
    Talk::modern().sent("q", &modern("1", "tools/call", TOKEN, ""))
}

fn grown(values: &[&str]) -> String {
    let mut talk = called();
    for value in values {
        talk = talk.came(progress(value));
    }
    watched("progress", "increases", &talk)
}

#[test]
fn progress_grows_from_one_notification_to_the_next() {
    assert_eq!(grown(&["1"]), "0");
    assert_eq!(grown(&["0", "0.5", "1e1"]), "2");
    assert_eq!(grown(&["-2", "-1"]), "1");
    assert_eq!(grown(&["1", "1"]), "1 value #3 /params/progress");
    assert_eq!(grown(&["1", "1.0"]), "1");
    assert_eq!(grown(&["2", "1", "1.5"]), "2 value #3 /params/progress");
    // Beyond what a double tells apart.
    assert_eq!(grown(&["9007199254740992", "9007199254740993"]), "1");
    assert_eq!(grown(&[r#""1""#, r#""0""#]), "0");
}

#[test]
fn a_token_that_is_used_again_begins_anew() {
    let answer = r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete"}}"#;
    let talk = called().came(progress("5")).reply("q", answer);
    let talk = talk.sent("p", &modern("2", "tools/call", TOKEN, ""));
    assert_eq!(
        watched("progress", "increases", &talk.came(progress("1"))),
        "0"
    );
}

#[test]
fn what_was_asked_before_on_the_connection_may_still_report() {
    let mut talk = Talk::modern();
    talk.record.past.tokens.push("t".into());
    assert_eq!(
        watched("progress", "active", &talk.came(progress("1"))),
        "0"
    );
    assert_eq!(
        watched("progress", "active", &Talk::modern().came(progress("1"))),
        "1 id #1 /params/progressToken"
    );
}
