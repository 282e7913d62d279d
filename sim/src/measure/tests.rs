//! What the measurement says, on a small scale.

use super::*;
#[test]
fn probe() {
    let wish = Wish { losses: vec![0, 5], ..Wish::new(1, 3) };
    let start = std::time::Instant::now();
    let m = measure(&wish, |_, _| ()).expect("runs");
    for c in &m.cells {
        println!(
            "{:?} {} {} pred {} sent {:?} arr {:?} play {:?} f{}",
            c.kind.case,
            c.kind.delays.name(),
            c.kind.loss,
            c.predicted,
            c.sent,
            c.arrived,
            c.played,
            c.failed
        );
    }
    for p in &m.prices {
        println!("{p:?}");
    }
    println!("{:?}", start.elapsed());
}
