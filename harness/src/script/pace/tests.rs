use super::Pace;
use std::time::Duration;

const MS: fn(u64) -> Duration = Duration::from_millis;

fn pace(timeout: Duration) -> Pace {
    Pace::new(timeout, Duration::from_secs(20))
}

#[test]
fn a_fresh_pace_waits_as_long_as_its_floors() {
    let pace = pace(Duration::from_secs(30));
    assert_eq!(pace.start(), Duration::from_secs(20));
    assert_eq!(pace.work(), Duration::from_secs(30));
    assert_eq!(pace.reply(), Duration::from_secs(10));
    assert_eq!(pace.doubtful(), Duration::from_secs(2));
    assert_eq!(pace.light(), Duration::from_secs(1));
    assert_eq!(pace.grace(), MS(30));
    assert_eq!(pace.farewell(), MS(30));
}

#[test]
fn deadlines_grow_with_what_was_measured_and_never_over_the_timeout() {
    for timeout in [MS(100), Duration::from_secs(5), Duration::from_secs(600)] {
        let pace = pace(timeout);
        let mut before = [Duration::ZERO; 4];
        for latency in [1, 10, 100, 1000, 10_000, 100_000] {
            for _ in 0..40 {
                pace.learn(MS(latency));
            }
            let now = [pace.reply(), pace.doubtful(), pace.light(), pace.work()];
            for (now, before) in now.iter().zip(before) {
                assert!(*now >= before && *now <= timeout, "{now:?} of {timeout:?}");
            }
            before = now;
            assert!((MS(30)..=MS(1000)).contains(&pace.grace()));
            assert!(pace.farewell() <= pace.grace());
        }
        assert_eq!(
            before, [timeout; 4],
            "at last all is bounded by the timeout alone"
        );
    }
}

#[test]
fn one_slow_answer_makes_no_reply_wait_a_hundred_times_as_long() {
    let pace = pace(Duration::from_secs(60));
    for _ in 0..31 {
        pace.learn(MS(2));
    }
    pace.learn(MS(1200));
    assert_eq!(pace.reply(), Duration::from_secs(12));
    for _ in 0..8 {
        pace.learn(MS(200));
    }
    assert_eq!(pace.reply(), Duration::from_secs(20), "now it is usual");
}

#[test]
fn a_refusal_has_a_wait_of_its_own_once_one_was_left_out() {
    let pace = pace(Duration::from_secs(30));
    assert_eq!(pace.refusal(), None);
    pace.swallows();
    assert_eq!(pace.refusal(), Some(Duration::from_secs(3)));
    for _ in 0..32 {
        pace.learn(MS(500));
    }
    assert_eq!(pace.refusal(), Some(Duration::from_secs(10)));
}

#[test]
fn one_slow_answer_among_many_changes_no_grace_and_several_are_forgotten_in_time() {
    let pace = pace(Duration::from_secs(30));
    for _ in 0..19 {
        pace.learn(MS(20));
    }
    pace.learn(MS(900));
    assert_eq!(pace.grace(), MS(100));
    for _ in 0..3 {
        pace.learn(MS(900));
    }
    assert_eq!(pace.grace(), Duration::from_secs(1), "now it is usual");
    for _ in 0..32 {
        pace.learn(MS(20));
    }
    assert_eq!(pace.grace(), MS(100));
    assert_eq!(
        pace.slowest(),
        MS(900),
        "deadlines remember what graces forget"
    );
}
