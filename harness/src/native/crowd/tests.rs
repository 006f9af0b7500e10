use super::{UNKNOWN, run};
use crate::era::{self, Opened};
use crate::testing::{Wire, conversation, ordinary};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// What the step comes to, and how long it takes, on a server that needs this long for each request, one after the other, and may leave out
/// what it does not know.
async fn came(needed: Duration, knows_all: bool) -> (Value, Duration) {
    let mut conversation = conversation(async move |mut wire: Wire| {
        while let Some(message) = wire.hear().await {
            let is_known = message["method"] != UNKNOWN;
            if message["method"] != "initialize" {
                sleep(needed).await;
            }
            if is_known || knows_all {
                for line in ordinary(&message) {
                    wire.say(line).await;
                }
            }
        }
        0
    });
    let (_, opened) = era::open(&mut conversation, Duration::from_secs(20)).await;
    assert_eq!(opened, Opened::Yes);
    let began = Instant::now();
    let parameters = BTreeMap::from([("count".to_owned(), json!(50))]);
    let bound = run(&parameters, &mut conversation).await.unwrap();
    assert_eq!(bound.missing, None);
    (bound.value, began.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_target_that_takes_them_one_by_one_is_waited_for_as_long_as_answers_come() {
    let (value, _) = came(Duration::from_secs(2), true).await;
    assert_eq!(value["answered"], 50);
}

#[tokio::test(start_paused = true)]
async fn what_is_left_out_is_not_waited_for_each_by_each() {
    let (value, took) = came(Duration::from_millis(1), false).await;
    assert_eq!(value["answered"], 25);
    assert!(took < Duration::from_secs(40), "{took:?}");
}
