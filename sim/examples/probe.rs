//! wip
use presently_sim::search::*;
fn main() {
    let a: Vec<u64> = std::env::args().skip(1).map(|x| x.parse().unwrap()).collect();
    let t = std::time::Instant::now();
    let mut counts = std::collections::BTreeMap::new();
    for seed in a[0]..a[1] {
        let mut plan = plan(seed);
        if let Some(d) = a.get(2) { plan.steps.retain(|s| s.at_ms <= *d); plan.duration_ms = *d; }
        if a.get(3).is_some() { println!("{}", serde_json::to_string(&plan).unwrap().replace("{\"at_ms", "\n{at_ms")); }
        match examine(&plan) {
            Ok(trial) => {
                for v in &trial.violations { *counts.entry(v.property).or_insert(0) += 1; }
                if let Some(v) = trial.violations.first() { println!("seed {seed}: {} steps {} entries, {} violations", plan.steps.len(), trial.record.entries.len(), trial.violations.len()); let _ = v; }
                for v in trial.violations.iter().take(6) { println!("   {v}"); }
            }
            Err(why) => println!("seed {seed}: {why}"),
        }
    }
    println!("{counts:?} {:?}", t.elapsed());
}
