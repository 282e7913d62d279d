//! wip
use presently_sim::search::*; use presently_sim::shrink::Budget;
fn main() {
    let a: Vec<u64> = std::env::args().skip(1).take(3).map(|x| x.parse().unwrap()).collect();
    let keep = std::env::args().nth(4).map(Into::into);
    let s = Search { seeds: a[0]..a[1], limit: Some(std::time::Duration::from_secs(a[2])), threads: 2, budget: Budget { plays: 300 }, keep };
    let r = search(&s, &|_| {});
    for f in &r.found { println!("seed {} steps {} -> {} removed {:?}", f.seed, f.steps, f.capsule.plan.steps.len(), f.removed); for v in f.violations.iter().take(4) { println!("   {v}"); } for v in f.capsule.failed.iter().take(3) { println!("   small: {}", v.why); } }
    println!("{} seeds {:.1}/s {:.0} sim s/s {:?}", r.seeds, r.seeds_per_second(), r.speed(), r.took);
}
