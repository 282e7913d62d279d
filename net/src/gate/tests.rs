use super::*;
use std::time::Duration;
use tokio::time::{Instant, sleep};

#[tokio::test(start_paused = true)]
async fn a_sleeper_behind_a_shut_gate_wakes_when_it_opens() {
    let (gate, began) = (Gate::default(), Instant::now());
    let work = tokio::spawn(behind(Some(&gate), async move {
        sleep(Duration::from_secs(2)).await;
        began.elapsed()
    }));
    sleep(Duration::from_secs(1)).await;
    let shut = gate.shut();
    sleep(Duration::from_secs(9)).await;
    drop(shut);
    assert_eq!(work.await.unwrap(), Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_two_hold_shut_opens_with_the_last() {
    let gate = Gate::default();
    let work = tokio::spawn(behind(Some(&gate), async {}));
    let (one, other) = (gate.shut(), gate.shut());
    drop(one);
    sleep(Duration::from_secs(1)).await;
    assert!(!work.is_finished());
    drop(other);
    work.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_stands_still_can_be_ended() {
    let gate = Gate::default();
    let _shut = gate.shut();
    let work = tokio::spawn(behind(Some(&gate), std::future::pending::<()>()));
    sleep(Duration::from_secs(1)).await;
    work.abort();
    assert!(work.await.unwrap_err().is_cancelled());
}
