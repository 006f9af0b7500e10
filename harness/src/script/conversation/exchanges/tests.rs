use super::super::SentIndex;
use super::{Exchanges, MOST_AFTERTHOUGHTS, MOST_EVENTS, MOST_RESUMPTIONS, Purpose, USUAL_RETRY};
use std::time::Duration;
use tokio::time::Instant;

/// Exchange 1 carries a message and is answered by an event stream.
fn streamed() -> Exchanges {
    let mut exchanges = Exchanges::default();
    exchanges.begin(1, Purpose::Carries(SentIndex(0)));
    exchanges.get_mut(1).unwrap().is_stream = true;
    exchanges
}

#[test]
fn a_stream_that_broke_off_is_due_after_the_time_that_the_server_named() {
    let now = Instant::now();
    for (retry, wait) in [(None, USUAL_RETRY), (Some(300), Duration::from_millis(300))] {
        let mut exchanges = streamed();
        exchanges.heard(1, Some("e1"), retry);
        exchanges.heard(1, None, None);
        exchanges.over(1, true, now);
        assert_eq!(exchanges.due(), Some(now + wait));
        assert!(!exchanges.is_settled(1), "it is only interrupted");
        assert_eq!(exchanges.take_due(now), None, "not yet");
        let taken = exchanges.take_due(now + wait);
        assert_eq!(taken, Some((1, "e1".to_owned())));
        assert_eq!(exchanges.due(), None, "once");
    }
}

#[test]
fn what_cannot_or_need_not_be_resumed_is_settled_by_its_end() {
    let now = Instant::now();
    // Event id, whether it is a stream, whether more is wanted.
    for (id, is_stream, is_wanted) in [
        (None, true, true),
        (Some(""), true, true),
        (Some("e1"), false, true),
        (Some("e1"), true, false),
    ] {
        let mut exchanges = streamed();
        exchanges.get_mut(1).unwrap().is_stream = is_stream;
        exchanges.heard(1, id, None);
        assert!(!exchanges.is_settled(1));
        exchanges.over(1, is_wanted, now);
        assert_eq!(exchanges.due(), None, "{id:?}");
        assert!(exchanges.is_settled(1), "{id:?}");
    }
}

#[test]
fn an_empty_event_id_takes_back_the_one_before() {
    let mut exchanges = streamed();
    exchanges.heard(1, Some("e1"), None);
    exchanges.heard(1, Some(""), None);
    exchanges.over(1, true, Instant::now());
    assert!(exchanges.is_settled(1));
}

#[test]
fn a_resumption_is_part_of_the_stream_that_it_takes_up() {
    let mut exchanges = streamed();
    exchanges.heard(1, Some("e1"), Some(0));
    let now = Instant::now();
    exchanges.over(1, true, now);
    let (root, _) = exchanges.take_due(now).unwrap();
    exchanges.resumed(root, 2);
    assert_eq!((exchanges.root(1), exchanges.root(2)), (1, 1));
    assert_eq!(exchanges.about(2), Some(SentIndex(0)));
    assert!(!exchanges.is_settled(1));
    exchanges.get_mut(2).unwrap().is_stream = true;
    exchanges.heard(2, Some("e2"), None);
    exchanges.over(2, true, now);
    assert_eq!(exchanges.take_due(now), Some((1, "e2".to_owned())));
    // A refusal is no stream, so that is the end of it.
    exchanges.resumed(1, 3);
    exchanges.over(3, true, now);
    assert!(exchanges.is_settled(1));
    assert_eq!(exchanges.running().count(), 0);
}

#[test]
fn a_stream_is_resumed_so_many_times_and_no_more() {
    let mut exchanges = streamed();
    exchanges.heard(1, Some("e1"), Some(0));
    let now = Instant::now();
    exchanges.over(1, true, now);
    let mut times = 0;
    for number in 2..100 {
        let Some((root, _)) = exchanges.take_due(now) else {
            break;
        };
        times += 1;
        exchanges.resumed(root, number);
        exchanges.get_mut(number).unwrap().is_stream = true;
        exchanges.over(number, true, now);
    }
    assert_eq!(times, MOST_RESUMPTIONS);
    assert!(exchanges.is_settled(1));
}

#[test]
fn a_new_case_knows_the_exchanges_of_the_handshake_alone() {
    let now = Instant::now();
    let mut exchanges = streamed();
    exchanges.begin(2, Purpose::Listens);
    let kept = exchanges.last();
    exchanges.begin(3, Purpose::Carries(SentIndex(1)));
    exchanges.heard(1, Some("e1"), None);
    exchanges.over(1, true, now);
    assert_eq!(exchanges.forget_after(kept), [0; 0]);
    assert_eq!((kept, exchanges.last()), (2, 2));
    assert!(exchanges.get(3).is_none());
    assert!(exchanges.is_settled(3), "nothing more is expected of it");
    assert!(exchanges.is_settled(1) && exchanges.due().is_none());
    assert_eq!(exchanges.about(2), None);
}

#[test]
fn the_server_s_own_stream_is_heard_on_in_a_new_case() {
    let now = Instant::now();
    let mut exchanges = Exchanges::default();
    exchanges.begin(1, Purpose::Listens);
    exchanges.get_mut(1).unwrap().is_stream = true;
    exchanges.heard(1, Some("e1"), Some(0));
    exchanges.over(1, true, now);
    assert_eq!(exchanges.forget_after(1), [0; 0]);
    assert_eq!(exchanges.due(), Some(now), "it is still to be taken up");
    let mut times = 0;
    for number in 2..100 {
        let (root, _) = exchanges.take_due(now).unwrap();
        exchanges.resumed(root, number);
        assert_eq!(exchanges.forget_after(1), [number]);
        assert_eq!(exchanges.root(number), 1);
        assert!(number == 2 || exchanges.get(number - 1).is_none());
        exchanges.get_mut(number).unwrap().is_stream = true;
        exchanges.over(number, true, now);
        times += 1;
    }
    assert!(times > MOST_RESUMPTIONS, "each case begins to count anew");
}

#[test]
fn a_stream_that_goes_on_is_a_flood_sooner_after_its_response_than_before() {
    for (is_answered, most) in [(false, MOST_EVENTS), (true, MOST_AFTERTHOUGHTS)] {
        let mut exchanges = streamed();
        let counted = (1..=most + 1).map(|_| exchanges.count(1, is_answered));
        let lawful = counted.take_while(|is_flood| !is_flood).count();
        assert_eq!(lawful, most - 1, "answered: {is_answered}");
        let fresh = exchanges.forget_after(1);
        assert!(
            fresh.is_empty() && !exchanges.count(1, is_answered),
            "a new case"
        );
    }
}

#[test]
fn only_what_is_not_over_runs() {
    let mut exchanges = streamed();
    exchanges.begin(2, Purpose::Listens);
    exchanges.over(1, false, Instant::now());
    let running: Vec<u64> = exchanges.running().map(|(number, _)| number).collect();
    assert_eq!(running, [2]);
    exchanges.forget_after(1);
    assert_eq!(exchanges.running().count(), 0);
}
