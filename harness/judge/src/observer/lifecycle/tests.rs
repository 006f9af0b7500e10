use crate::testing::{Talk, watched};

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}"#;
const LOG: &str =
    r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}"#;

#[test]
fn a_server_says_nothing_before_it_is_spoken_to() {
    let said = |talk: Talk| watched("lifecycle", "first", &talk);
    assert_eq!(said(Talk::new().sent("i", INITIALIZE)), "1");
    assert_eq!(said(Talk::new().sent("i", INITIALIZE).came(LOG)), "1");
    assert_eq!(
        said(Talk::new().came(LOG).sent("i", INITIALIZE)),
        "2 order #1"
    );
    // What is no message is another rule's matter.
    assert_eq!(said(Talk::new().came("hello").sent("i", INITIALIZE)), "1");
}
