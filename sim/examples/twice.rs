//! wip
use presently_sim::{search::plan, world::play};
fn main() {
    let seed: u64 = std::env::args().nth(1).unwrap().parse().unwrap();
    let plan = plan(seed);
    let (a, b) = (play(&plan).unwrap(), play(&plan).unwrap());
    println!("{:x} {:x} tables {}", a.hash(), b.hash(), a.tables == b.tables);
    let mut shown = 0;
    for (x, y) in a.entries.iter().zip(&b.entries) {
        if x != y { println!("A {:?}\nB {:?}", format!("{x:?}").chars().take(900).collect::<String>(), format!("{y:?}").chars().take(900).collect::<String>()); shown += 1; if shown > 2 { break; } }
    }
}
