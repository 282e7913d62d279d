//! wip
use presently_sim::{search::plan, world::play, record::What, capsule::Capsule};
fn main() {
    let a: Vec<String> = std::env::args().skip(1).collect();
    let mut plan = if a[0].ends_with("json") { Capsule::read(std::path::Path::new(&a[0])).unwrap().plan } else { plan(a[0].parse().unwrap()) };
    let (from, to): (u64, u64) = (a[1].parse().unwrap(), a[2].parse().unwrap());
    if to < 696000 && !a[0].ends_with("json") { plan.steps.retain(|s| s.at_ms <= to); plan.duration_ms = to; }
    let only = a.get(3).cloned().unwrap_or_default();
    if a.get(4).is_none() { println!("server {:?} users {:?} {:?}", plan.server, plan.users, plan.network); }
    let r = play(&plan).unwrap();
    for (p, x) in &r.addresses { println!("{p} {x}"); }
    for e in r.entries.iter().filter(|e| e.at_ms >= from && e.at_ms <= to) {
        let line = match &e.what {
            What::Datagram { from, to, bytes, fate } => {
                let text = String::from_utf8_lossy(bytes);
                let full = a.get(4).is_some();
                let keep = ["CSeq", "To", "From", "Call-ID", "Expires", "Subscription-State", "Event", "Contact", "SIP-If", "SIP-ETag", "Via"];
                let t: Vec<&str> = text.lines().enumerate().filter(|(i, l)| full || *i == 0 || keep.iter().any(|k| l.starts_with(k))).map(|(_, l)| l).collect();
                format!("{from} -> {to} {fate:?} {}", t.join(if full {"\n      "} else {" | "}))
            }
            other => format!("{other:?}"),
        };
        if line.contains(&only) { println!("{} {line}", e.at_ms); }
    }
    println!("ended {} {:#?}", r.ended_ms, r.tables.map(|t| (t.wt, t.pst.len(), t.wst.len())));
}
